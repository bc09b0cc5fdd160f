"""Rows by day: of delivery, which they are written by, and of the event, which duplicates are looked for by."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from trailhouse.lake.runs import DAY_COLUMNS, Day, Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    import pyarrow as pa

    from trailhouse.lake.writer import Piece

_SHARE_ROWS = 100_000
# Event times are anybody's text: the last range takes all that is beyond.
_MOST_RANGES = 200


def day_shares(runs: Sequence[Run]) -> Iterator[tuple[tuple[Day, tuple[Piece, ...]], ...]]:
    """Days with their pieces, in shares of about _SHARE_ROWS."""
    pieces: dict[Day, list[Piece]] = defaultdict(list)
    for run in runs:
        for day, start, stop in run.days:
            pieces[day].append((run, start, stop))
    share: list[tuple[Day, tuple[Piece, ...]]] = []
    rows = 0
    for day in sorted(pieces, key=lambda d: tuple(v or "" for v in d)):
        share.append((day, tuple(pieces[day])))
        rows += sum(stop - start for _, start, stop in pieces[day])
        if rows >= _SHARE_ROWS:
            yield tuple(share)
            share, rows = [], 0
    if share:
        yield tuple(share)


def by_day(ledger: pa.Table) -> Iterator[tuple[Day, pa.Table]]:
    """The ledger's rows by their day of delivery."""
    days = ledger.group_by(list(DAY_COLUMNS)).aggregate([]).to_pylist()
    for day in sorted((tuple(row[name] for name in DAY_COLUMNS) for row in days), key=str):
        same = pc.scalar(True)
        for name, value in zip(DAY_COLUMNS, day, strict=True):
            own = pc.field(name).is_null() if value is None else pc.field(name) == value
            same = same & own
        yield (day[0], day[1], day[2]), ledger.filter(same)


def day_ranges(days: AbstractSet[str | None]) -> list[tuple[str, str]]:
    """The first and last event time of each run of days, NULL apart; together they hold every time of these days."""
    ranges: list[list[str]] = []
    for day in sorted(day for day in days if day is not None):
        if ranges and (_follows(day, ranges[-1][1]) or len(ranges) == _MOST_RANGES):
            ranges[-1][1] = day
        else:
            ranges.append([day, day])
    return [(first, last + "\U0010ffff") for first, last in ranges]


def same_days(days: AbstractSet[str | None]) -> tuple[str, list[str]]:
    """A condition on eventtime that row groups can be pruned by: each run of days as one range."""
    ranges = day_ranges(days)
    conditions = ["eventtime BETWEEN ? AND ?"] * len(ranges) + ["eventtime IS NULL"] * (None in days)
    return " OR ".join(conditions), [value for ends in ranges for value in ends]


def _follows(day: str, last: str) -> bool:
    return last[:7] == day[:7] and _day_of(day) == _day_of(last) + 1


def _day_of(text: str) -> int:
    return int(text[8:]) if text[8:].isdecimal() else -1
