"""Checks between changes: what was made is read back before something else is replaced by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailhouse.catalog.port import Catalog, Outcome
from trailhouse.core.plan import Action, Change
from trailhouse.core.state import Found, Partition, Table, partition_day
from trailhouse.errors import AwsError, CatalogError, TrailhouseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from trailhouse.catalog.port import Restrictions


class Checked(Catalog):
    """Any catalog, with checks: partitions are read back before what builds on them is carried out."""

    def __init__(self, catalog: Catalog) -> None:
        """Ask nobody yet."""
        self._catalog = catalog

    def exists(self) -> bool:
        """Whether the database exists."""
        return self._catalog.exists()

    def definitions(self) -> Mapping[str, Found]:
        """All tables and views whose names begin with the prefix."""
        return self._catalog.definitions()

    def partitions(
        self, table: Table, account: str | None, since: date | None
    ) -> Mapping[tuple[str, ...], Partition]:
        """Partitions of a table, by values."""
        return self._catalog.partitions(table, account, since)

    def restrictions(self) -> Restrictions:
        """What the catalog's settings forbid or demand."""
        return self._catalog.restrictions()

    def carry_out(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Carry changes out in their order; nothing after a check that failed, or that could not be reached."""
        made: dict[str, dict[tuple[str, ...], Partition]] = {}
        waiting: list[Change] = []
        for change in changes:
            if change.action is Action.CHECK:
                failed = False
                for outcome in self._catalog.carry_out(waiting) if waiting else ():
                    failed = failed or outcome.error is not None
                    yield outcome
                if failed:
                    return
                error = self._check(change, made.pop(change.name, {}))
                yield Outcome(change, error)
                if error is not None:
                    return
                waiting = []
                continue
            waiting.append(change)
            if isinstance(change.after, Partition):
                made.setdefault(change.name, {})[change.values] = change.after
        if waiting:
            yield from self._catalog.carry_out(waiting)

    def _check(self, change: Change, made: Mapping[tuple[str, ...], Partition]) -> TrailhouseError | None:
        table = change.after
        if not made or not isinstance(table, Table):
            return None
        accounts = {values[0] for values in made} if "account" in table.keys else {None}
        days = [partition_day(table.keys, values) for values in made]
        since = None if None in days else min(day for day in days if day)
        try:
            there: dict[tuple[str, ...], Partition] = {}
            for account in accounts:
                there.update(self._catalog.partitions(table, account, since))
        except AwsError as error:
            return error
        unlike = sum(there.get(values) != partition for values, partition in made.items())
        if not unlike:
            return None
        return CatalogError(
            f"{unlike:,} of {len(made):,} partitions of {table.name} are not there as they were made: "
            "nothing was replaced after that; run it again"
        )
