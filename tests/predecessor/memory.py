"""A catalog in memory that can be stopped between any two changes, and an account of what is delivered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trailhouse.catalog import encoding
from trailhouse.catalog.port import Outcome, Restrictions
from trailhouse.core.plan import Action, Change, Target
from trailhouse.core.state import Found, Partition, Table, View, partition_day
from trailhouse.errors import ConflictError, NotFoundError, TrailhouseError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date

    from trailhouse.core.deliveries import AccountFolder, Delivery


class StoppedError(Exception):
    """The process is killed here."""


class MemoryCatalog:
    """Tables, views and partitions; every change is carried out by itself.

    Attributes:
        left: changes until the process is killed; None: never.
        done: the changes that were carried out.
        lost: partitions that are said to be made, and are not.
    """

    def __init__(self, *inputs: tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]) -> None:
        """Hold tables, each with its partitions, as Glue keeps them."""
        self.held: dict[str, Found] = {}
        self.parts: dict[str, dict[tuple[str, ...], Partition]] = {}
        self.left: int | None = None
        self.done: list[Change] = []
        self.lost: set[tuple[str, ...]] = set()
        for raw, partitions in inputs:
            found = encoding.found({**raw, "VersionId": "0"})
            self.held[raw["Name"]] = found
            if isinstance(found.definition, Table):
                self.held[raw["Name"]] = Found(replace(found.definition, indexes=()), "0", found.raw)
                made = [encoding.partition(one) for one in partitions]
                self.parts[raw["Name"]] = {one.values: one for one in made}

    def exists(self) -> bool:
        return True

    def definitions(self) -> Mapping[str, Found]:
        return dict(self.held)

    def partitions(
        self, table: Table, account: str | None, since: date | None
    ) -> Mapping[tuple[str, ...], Partition]:
        held = self.parts.get(table.name, {})
        return {
            values: one
            for values, one in held.items()
            if (account is None or values[0] == account)
            and (since is None or (partition_day(table.keys, values) or since) >= since)
        }

    def restrictions(self) -> Restrictions:
        return Restrictions()

    def carry_out(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        for change in changes:
            if self.left is not None:
                if self.left == 0:
                    raise StoppedError
                self.left -= 1
            error = self._one(change)
            self.done.append(change)
            yield Outcome(change, error)
            if error is not None:
                return

    def state(self) -> tuple[dict[str, object], dict[str, dict[tuple[str, ...], Partition]]]:
        """All that it holds, to be compared."""
        return {name: found.definition for name, found in sorted(self.held.items())}, self.parts

    def _one(self, change: Change) -> TrailhouseError | None:
        assert change.action is not Action.CHECK, "checks are not the adapter's"
        if change.target is Target.PARTITION:
            return self._partition(change)
        if change.target is Target.INDEX:
            return None
        held = self.held.get(change.name)
        if held and change.revision and held.revision != change.revision:
            return ConflictError(f"{change.name} is of another version")
        if change.action in {Action.REPLACE, Action.DELETE}:
            self.held.pop(change.name, None)
            self.parts.pop(change.name, None)
            if change.action is Action.REPLACE and self.left is not None:
                if self.left == 0:
                    raise StoppedError  # between the two halves
                self.left -= 1
            held = None
        return self._make(change, held) if isinstance(change.after, Table | View) else None

    def _make(self, change: Change, held: Found | None) -> TrailhouseError | None:
        assert isinstance(change.after, Table | View)
        if held and change.action is Action.CREATE and held.definition != change.after:
            return ConflictError(f"{change.name} exists")
        if change.source and change.source not in self.held and not held:
            return NotFoundError(f"{change.source} is not there to be copied")
        self.held[change.name] = Found(change.after, str(len(self.done) + 1))
        if isinstance(change.after, Table):
            self.parts.setdefault(change.name, {})
        return None

    def _partition(self, change: Change) -> TrailhouseError | None:
        there = self.parts.get(change.name)
        held = self.held.get(change.name)
        if there is None or held is None or not isinstance(held.definition, Table):
            return NotFoundError(f"{change.name} is not there")
        assert len(change.values) == len(held.definition.keys)
        if change.action is Action.DELETE:
            there.pop(change.values, None)
        elif change.values not in self.lost:
            assert isinstance(change.after, Partition)
            there[change.values] = change.after
        return None


class Known:
    """A surveyor that knows what is delivered."""

    def __init__(self, *delivered: Delivery) -> None:
        """Know these."""
        self.delivered = delivered

    def folders(self) -> Sequence[AccountFolder]:
        return sorted({one.folder for one in self.delivered})

    def deliveries(self, folders: Sequence[AccountFolder], since: date | None) -> tuple[Delivery, ...]:
        return tuple(
            replace(one, days=tuple(day for day in one.days if since is None or day >= since))
            for one in self.delivered
            if one.folder in folders
        )

    def each(
        self, folders: Collection[AccountFolder], since: date | None
    ) -> Iterator[tuple[str, tuple[Delivery, ...]]]:
        for account in sorted({folder.account for folder in folders}):
            mine = [folder for folder in folders if folder.account == account]
            yield account, self.deliveries(mine, since)
