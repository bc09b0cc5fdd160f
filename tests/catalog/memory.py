"""A catalog in memory: what the flow's tests stand on. It checks nothing and refuses nothing but what it is told to."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from trailhouse.catalog.port import Catalog, Outcome, Restrictions
from trailhouse.core.plan import Action, Change, Target
from trailhouse.core.state import Definition, Found, Partition, Table, View, partition_day
from trailhouse.errors import ConflictError, TrailhouseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    Refuse = Callable[[Change], TrailhouseError | None]


class MemoryCatalog(Catalog):
    """One database.

    Attributes:
        database: whether it exists.
        tables: tables and views by name.
        held: the partitions of each table by their values.
        told: what `restrictions` answers.
        refuse: asked before each change; an error that it answers is that change's outcome. What depends on it
            is then not tried, as the port has it: everything after it in the same sequence.
        counts: how often each method was called; `carry_out` counts each change by target and action.
    """

    def __init__(self, *, database: bool = True, refuse: Refuse | None = None) -> None:
        self.database = database
        self.tables: dict[str, Found] = {}
        self.held: dict[str, dict[tuple[str, ...], Partition]] = {}
        self.told = Restrictions()
        self.refuse: Refuse = refuse or (lambda _: None)
        self.counts: Counter[str] = Counter()
        self._revision = 0

    def put(self, definition: Definition, *partitions: Partition) -> None:
        """Hold this, whoever made it."""
        self._revision += 1
        self.tables[definition.name] = Found(definition, str(self._revision))
        if isinstance(definition, Table):
            self.held.setdefault(definition.name, {}).update({one.values: one for one in partitions})

    def exists(self) -> bool:
        self.counts["exists"] += 1
        return self.database

    def definitions(self) -> Mapping[str, Found]:
        self.counts["definitions"] += 1
        return dict(self.tables)

    def partitions(
        self, table: Table, account: str | None, since: date | None
    ) -> Mapping[tuple[str, ...], Partition]:
        self.counts["partitions"] += 1
        found = self.held.get(table.name, {})
        return {v: one for v, one in found.items() if _within(table.keys, v, account, since)}

    def restrictions(self) -> Restrictions:
        self.counts["restrictions"] += 1
        return self.told

    def carry_out(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        failed: TrailhouseError | None = None
        for change in changes:
            failed = failed or self.refuse(change) or self._stale(change)
            if failed is None:
                self.counts[f"{change.action} {change.target}"] += 1
                self._do(change)
            yield Outcome(change, failed)

    def _stale(self, change: Change) -> TrailhouseError | None:
        found = self.tables.get(change.name)
        if not change.revision or (found is not None and found.revision == change.revision):
            return None
        return ConflictError(f"{change.name} was changed")

    def _do(self, change: Change) -> None:
        after = change.after
        if change.target is Target.DATABASE:
            self.database = change.action is Action.CREATE
        elif isinstance(after, Partition):
            self.held[change.name][change.values] = after
        elif change.target is Target.PARTITION:
            self.held[change.name].pop(change.values, None)
        elif change.target is Target.INDEX:
            self._index(change)
        else:
            if change.action in {Action.DELETE, Action.REPLACE}:
                self.tables.pop(change.name, None)
                self.held.pop(change.name, None)
            if isinstance(after, Table | View):
                self.put(self._merged(after, change))

    def _merged(self, after: Definition, change: Change) -> Definition:
        """An update keeps parameters of others, and indexes."""
        found = self.tables.get(change.name)
        if found is None:
            return after
        if isinstance(after, Table) and isinstance(found.definition, Table):
            return replace(after, indexes=found.definition.indexes)
        return after

    def _index(self, change: Change) -> None:
        found = self.tables[change.name]
        if isinstance(found.definition, Table):
            kept = set(found.definition.indexes or ()) | {change.values}
            self.tables[change.name] = replace(
                found, definition=replace(found.definition, indexes=tuple(sorted(kept)))
            )


def _within(keys: tuple[str, ...], values: tuple[str, ...], account: str | None, since: date | None) -> bool:
    if account is not None and "account" in keys and values[keys.index("account")] != account:
        return False
    day = partition_day(keys, values)
    return since is None or day is None or day >= since
