"""A Glue database as a catalog."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from trailhouse.catalog import expression, pages
from trailhouse.catalog.batches import HOPELESS, Batches, not_tried
from trailhouse.catalog.definitions import Definitions, with_indexes
from trailhouse.catalog.encoding import found
from trailhouse.catalog.grants import restrictions
from trailhouse.catalog.port import Outcome, Restrictions
from trailhouse.core.plan import Action, Change, Target
from trailhouse.core.state import SINGLE_KEYS, Found, Partition, Table
from trailhouse.errors import NotFoundError, TrailhouseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from trailhouse.aws.gate import Gate

SEGMENTS = 8
"""Parts in which the partitions of all accounts are read at the same time; Glue takes ten."""
_PAGE = 1000


class GlueCatalog:
    """One database of the Glue Data Catalog; for many threads. It fulfils `catalog.port.Catalog`."""

    def __init__(
        self, gate: Gate, database: str, prefix: str, *, wait: Callable[[float], None] = time.sleep
    ) -> None:
        """Make no call.

        Args:
            gate: the way to Glue, in the catalog's region.
            database: the name of the database.
            prefix: only tables and views whose names begin so are looked at.
            wait: sleeps for as many seconds.

        Raises:
            UsageError: the gate has no region.
        """
        self._gate = gate
        self._database = database
        self._prefix = prefix
        self._definitions = Definitions(gate, database, wait)
        self._batches = Batches(gate, database, wait)
        pages.watch(gate.client("glue"))

    def exists(self) -> bool:
        """Whether the database exists."""
        try:
            self._gate.call("glue", "GetDatabase", Name=self._database)
        except NotFoundError:
            return False
        return True

    def definitions(self) -> Mapping[str, Found]:
        """Tables and views of the prefix by name; {} without the database. Indexes of tables of all accounts."""
        pattern = expression.names(self._prefix)
        answers = self._gate.pages("glue", "GetTables", DatabaseName=self._database, Expression=pattern)
        try:
            listed = [found(raw) for answer in answers for raw in answer.get("TableList", ())]
        except NotFoundError:
            return {}
        ours = [one for one in listed if one.definition.name.startswith(self._prefix)]
        return {one.definition.name: self._indexed(one) for one in ours}

    def _indexed(self, one: Found) -> Found:
        table = one.definition
        if (
            one.version is None
            or not isinstance(table, Table)
            or table.keys != SINGLE_KEYS
            or table.projected
        ):
            return one
        return replace(one, definition=with_indexes(self._gate, self._database, table))

    def partitions(
        self, table: Table, account: str | None, since: date | None
    ) -> Mapping[tuple[str, ...], Partition]:
        """Partitions of a table, by values; see `Catalog.partitions`. All accounts' are read in segments."""
        wanted = expression.partitions(table.keys, account, since)
        if account is not None or "account" not in table.keys:
            return self._read(table.name, wanted, None)
        whole: dict[tuple[str, ...], Partition] = {}
        with ThreadPoolExecutor(SEGMENTS, thread_name_prefix="segments") as pool:
            for part in pool.map(lambda number: self._read(table.name, wanted, number), range(SEGMENTS)):
                whole |= part
        return whole

    def _read(self, name: str, wanted: str, segment: int | None) -> dict[tuple[str, ...], Partition]:
        which = {"Expression": wanted} if wanted else {}
        part = {} if segment is None else {"Segment": {"SegmentNumber": segment, "TotalSegments": SEGMENTS}}
        answers = self._gate.pages(
            "glue",
            "GetPartitions",
            DatabaseName=self._database,
            TableName=name,
            MaxResults=_PAGE,
            **which,
            **part,
        )
        try:
            return {one.values: one for answer in answers for one in answer.get("Partitions", ())}
        except NotFoundError:
            return {}

    def carry_out(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Carry changes out in their order; see `Catalog.carry_out`.

        Partitions of one table that follow each other are sent several batches at once. Nothing is tried any
        more after errors that would only come again: credentials that are not taken, throttling that stayed.
        """
        failed = _Failures()
        for (target, _), run in groupby(changes, key=lambda change: (change.target, change.name)):
            if target is Target.PARTITION:
                outcomes = self._partitions(list(run), failed)
            else:
                outcomes = (self._definition(change, failed) for change in run)
            for outcome in outcomes:
                failed.add(outcome)
                yield outcome

    def _partitions(self, changes: list[Change], failed: _Failures) -> Iterator[Outcome]:
        if failed.block(changes[0]):
            return (Outcome(change, not_tried(change)) for change in changes)
        return self._batches.carry_out(changes)

    def _definition(self, change: Change, failed: _Failures) -> Outcome:
        if failed.block(change):
            return Outcome(change, not_tried(change))
        try:
            self._definitions.carry_out(change)
        except TrailhouseError as error:
            return Outcome(change, error)
        return Outcome(change)

    def restrictions(self) -> Restrictions:
        """What the catalog's settings forbid or demand; what could not be read is a sentence, too."""
        return restrictions(self._gate, self._database)


class _Failures:
    """What failed, and what depends on it."""

    def __init__(self) -> None:
        self._everything = False
        self._any = False  # something that was to be made
        self._tables: set[str] = set()
        self._partitions: set[str] = set()

    def add(self, outcome: Outcome) -> None:
        """Remember an outcome."""
        target = outcome.change.target
        self._everything |= isinstance(outcome.error, HOPELESS)
        if outcome.error is None or target is Target.INDEX:  # without an index it is slower, not wrong
            return
        self._any |= outcome.change.action is not Action.DELETE
        self._everything |= target is Target.DATABASE
        (self._partitions if target is Target.PARTITION else self._tables).add(outcome.change.name)

    def block(self, change: Change) -> bool:
        """Whether a change needs something that failed.

        A view may need any table. What is deleted may be what something that failed was to take the place of.
        A table is marked as complete after its partitions.
        """
        if self._everything or change.name in self._tables:
            return True
        if change.target is Target.VIEW:
            return self._any
        if change.target is Target.TABLE:
            return change.name in self._partitions or (change.action is Action.DELETE and self._any)
        return False
