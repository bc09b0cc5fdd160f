"""Runs -> one sorted Parquet file a day, in bounded memory: the runs are merged slice by slice."""

from __future__ import annotations

import os
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from trailhouse.lake.runs import ORDER, Day, Run, open_run, sorted_order
from trailhouse.lake.workspace import sync

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

GROUP_ROWS = 100_000
"""The most rows of a row group."""

GROUP_BYTES = 24 << 20
"""Arrow's bytes of a row group: merging one holds it three times, and a worker has 400 MB."""

FILE_BYTES = 256 << 20
"""Size after which a day goes on in another file."""

_SAMPLE = 1_000
Piece = tuple[Run, int, int]


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A data file in the staging folder."""

    path: str
    day: Day
    rows: int


def write_day(
    day: Day, pieces: Sequence[Piece], schema: pa.Schema, stem: Path, now: datetime
) -> Iterator[WrittenFile]:
    """Write the rows of one day and kind.

    Args:
        day: The day.
        pieces: Runs with first row and the row after the last.
        schema: The table's, with field ids.
        stem: Files are named `stem-0.parquet` and so on.
        now: For `ingestedat`, UTC.
    """
    tables = [open_run(run).slice(start, stop - start) for run, start, stop in pieces]
    slices = _slices(tables, [n for n in ORDER if n in schema.names])
    number = 0
    rows = next(slices, None)
    while rows is not None:
        path = f"{stem}-{number}.parquet"
        count = 0
        with pq.ParquetWriter(
            path, schema, compression="zstd", compression_level=3, use_dictionary=True, store_schema=False
        ) as writer:
            while rows is not None and (count == 0 or os.stat(path).st_size < FILE_BYTES):  # noqa: PTH116 - hot
                writer.write_table(_finish(rows, schema, now), row_group_size=GROUP_ROWS)
                count += rows.num_rows
                pa.default_memory_pool().release_unused()  # or every slice adds to what is held
                rows = next(slices, None)
        sync(path)
        yield WrittenFile(path, day, count)
        number += 1


def _finish(rows: pa.Table, schema: pa.Schema, now: datetime) -> pa.Table:
    count = rows.num_rows
    moment = pa.scalar(now.replace(tzinfo=None), pa.timestamp("us"))
    rows = rows.append_column("writer", pa.repeat("workers", count))
    rows = rows.append_column("ingestedat", pa.repeat(moment, count))
    return rows.select(schema.names).cast(schema)


def _slices(tables: Sequence[pa.Table], by: Sequence[str]) -> Iterator[pa.Table]:
    """The rows of all tables in order, at most about GROUP_ROWS or GROUP_BYTES at a time."""
    borders = _borders(tables, by)
    starts = [0] * len(tables)
    for border in [*borders, None]:
        stops = [t.num_rows if border is None else _position(t, by, border) for t in tables]
        parts = [t.slice(a, b - a) for t, a, b in zip(tables, starts, stops, strict=True) if b > a]
        starts = stops
        if parts:
            yield _merge(parts, by)


def _merge(parts: list[pa.Table], by: Sequence[str]) -> pa.Table:
    """Sorted tables as one; those that do not overlap are put one after the other without copying a row."""
    spans = sorted((_key(t, by, 0), _key(t, by, t.num_rows - 1), n) for n, t in enumerate(parts))
    rows = pa.concat_tables([parts[n] for _, _, n in spans])
    if all(before[1] <= after[0] for before, after in pairwise(spans)):
        return rows
    return rows.take(sorted_order(rows, by))


def _borders(tables: Sequence[pa.Table], by: Sequence[str]) -> list[tuple[Any, ...]]:
    total = sum(t.num_rows for t in tables)
    groups = max(total / GROUP_ROWS, sum(t.nbytes for t in tables) / GROUP_BYTES)
    if groups <= 1:
        return []
    sample = sorted(_key(t, by, i) for t in tables for i in range(0, t.num_rows, _SAMPLE))
    each = max(1, int(total / groups / _SAMPLE))
    return sorted(set(sample[each::each]))


def _key(table: pa.Table, by: Sequence[str], row: int) -> tuple[Any, ...]:
    # NULL sorts last, as in Arrow.
    values = [table.column(n)[row].as_py() for n in by]
    return tuple((value is None, value or "") for value in values)


def _position(table: pa.Table, by: Sequence[str], border: tuple[Any, ...]) -> int:
    return bisect_left(range(table.num_rows), border, key=lambda row: _key(table, by, row))
