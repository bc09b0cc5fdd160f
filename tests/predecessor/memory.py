"""A catalog in memory that can be stopped between any two changes, and an account of what is delivered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from catalog.memory import MemoryCatalog
from trailhouse.catalog import encoding
from trailhouse.core.plan import Action, Change, Target
from trailhouse.core.state import Partition, Table
from trailhouse.errors import ConflictError, NotFoundError, TrailhouseError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date

    from trailhouse.core.deliveries import AccountFolder, Delivery


class StoppedError(Exception):
    """The process is killed here."""


class StoppableCatalog(MemoryCatalog):
    """Refuses what Glue would refuse, and can be stopped between any two changes.

    Attributes:
        left: changes until the process is killed; None: never.
        done: the changes that were carried out.
        lost: partitions that are said to be made, and are not.
    """

    def __init__(self, *inputs: tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]) -> None:
        """Hold tables, each with its partitions, as Glue keeps them."""
        super().__init__()
        self.left: int | None = None
        self.done: list[Change] = []
        self.lost: set[tuple[str, ...]] = set()
        for raw, partitions in inputs:
            found = encoding.found({**raw, "VersionId": "0"})
            if isinstance(found.definition, Table):
                found = replace(found, definition=replace(found.definition, indexes=()))
            self.put(found.definition, *map(encoding.partition, partitions))
            self.tables[raw["Name"]] = found

    def state(self) -> tuple[dict[str, object], dict[str, dict[tuple[str, ...], Partition]]]:
        """All that it holds, to be compared."""
        return {name: found.definition for name, found in sorted(self.tables.items())}, self.held

    def _stale(self, change: Change) -> TrailhouseError | None:
        held = self.tables.get(change.name)
        if change.target is Target.PARTITION:
            return None if change.name in self.held else NotFoundError(f"{change.name} is not there")
        another = held is not None and held.definition != change.after
        if another and change.action is Action.CREATE and change.target is not Target.INDEX:
            return ConflictError(f"{change.name} exists")
        if change.source and change.source not in self.tables:
            return NotFoundError(f"{change.source} is not there to be copied")
        return super()._stale(change)

    def _do(self, change: Change) -> None:
        assert change.action is not Action.CHECK, "checks are not the adapter's"
        self._step()
        if change.action is Action.REPLACE:
            self.tables.pop(change.name)
            self.held.pop(change.name, None)
            self._step()  # between the two halves
        if change.values not in self.lost or change.action is Action.DELETE:
            super()._do(change)
        self.done.append(change)

    def _step(self) -> None:
        if self.left == 0:
            raise StoppedError
        if self.left is not None:
            self.left -= 1


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
