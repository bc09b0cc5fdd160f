"""Sorted runs: what one task has read, kept in the staging folder until its days are written.

A run is an Arrow file without compression, so that merging maps it into memory and copies nothing it does not need.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trailhouse.core.layout import Kind, LogKey
from trailhouse.lake.duplicates import keys_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb

    from trailhouse.lake.ledger import Item

Day = tuple[str | None, str | None, str | None]
"""Year, month and day of delivery; None where nothing tells it."""

DAY_COLUMNS = ("year", "month", "day")
ORDER = ("account", "region", "eventtime")
_ACCOUNTS = ("recipientaccountid", "accountid")
_TIMES = r"^\d{4}-\d\d-\d\dT"


@dataclass(frozen=True, slots=True)
class Run:
    """A sorted run of rows of one kind.

    Attributes:
        path: The Arrow file; `path + ".keys.npy"` holds the rows' keys, `path + ".flags.npy"` the duplicates.
        kind: The rows' kind.
        rows: How many.
        days: For each day in it, first row and the row after the last.
        times: The first ten characters (`YYYY-MM-DD`) of its event times, to look up what the lake has of them
            already; None for rows without.
    """

    path: str
    kind: Kind
    rows: int
    days: tuple[tuple[Day, int, int], ...]
    times: frozenset[str | None]


def place(batch: pa.RecordBatch, items: Sequence[Item]) -> pa.Table:
    """A reading's rows with their delivery columns; what no key tells comes from the record itself.

    Args:
        batch: As `reader.read` gives it; `object` is an index into `items`.
        items: The objects.
    """
    numbers = batch.column("object")
    keys = [i.place if isinstance(i.place, LogKey) else None for i in items]
    own = _own_delivery(batch) if None in keys else {}
    table = pa.Table.from_batches([batch]).drop_columns(["object", "logrecord", "unparsed"])
    for name in ("account", "region", *DAY_COLUMNS):
        told = _repeated([getattr(key, name) if key else None for key in keys], numbers)
        if told.null_count:
            told = pc.coalesce(told.cast(pa.string()), own[name]).dictionary_encode()
        table = table.append_column(name, told)
    table = table.append_column("logroot", _repeated([i.logroot for i in items], numbers))
    table = table.append_column("logfile", _repeated([i.logfile for i in items], numbers))
    for name in ("logrecord", "unparsed"):
        table = table.append_column(name, batch.column(name))
    return table


def _repeated(values: list[str | None], numbers: pa.Array) -> pa.DictionaryArray:
    """A value of each object for its rows; kept encoded until the rows are written, for it is the same in most."""
    return pa.array(values, pa.string()).dictionary_encode().take(numbers)


def sorted_order(table: pa.Table, by: Sequence[str]) -> pa.Array:
    """The indices that sort a table's rows by these columns, ascending, NULL last."""
    plain = table.select(by).cast(pa.schema([(name, pa.string()) for name in by]))
    return pc.sort_indices(plain, [(name, "ascending") for name in by])


def _own_delivery(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    names = batch.schema.names
    accounts = [batch.column(n) for n in _ACCOUNTS if n in names]
    if "useridentity" in names:
        accounts.append(pc.struct_field(batch.column("useridentity"), "accountid"))
    if "eventtime" in names:
        time = batch.column("eventtime")
    else:
        time = pc.struct_field(batch.column("timewindow"), "windowstart")
    time = pc.if_else(pc.match_substring_regex(time, _TIMES), time, pa.scalar(None, pa.string()))
    spans = {"year": (0, 4), "month": (5, 7), "day": (8, 10)}
    days = {name: pc.utf8_slice_codeunits(time, *span) for name, span in spans.items()}
    return {"account": pc.coalesce(*accounts), "region": batch.column("awsregion"), **days}


def write_run(table: pa.Table, kind: Kind, path: Path, connection: duckdb.DuckDBPyConnection) -> Run:
    """Sort rows by day, account, region and event time, and keep them at `path`."""
    by = [name for name in (*DAY_COLUMNS, *ORDER) if name in table.schema.names]
    table = table.take(sorted_order(table, by)).combine_chunks()
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    np.save(f"{path}.keys.npy", keys_of(connection, table))
    return Run(str(path), kind, table.num_rows, _days(table), _event_days(table))


def _days(table: pa.Table) -> tuple[tuple[Day, int, int], ...]:
    columns = [table.column(name).combine_chunks() for name in DAY_COLUMNS]
    codes = [c.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False) for c in columns]
    changed = np.zeros(table.num_rows, bool)
    for code in codes:
        changed[1:] |= code[1:] != code[:-1]
    starts = [0, *map(int, np.flatnonzero(changed))]
    ends = [*starts[1:], table.num_rows]
    return tuple(
        ((columns[0][s].as_py(), columns[1][s].as_py(), columns[2][s].as_py()), s, e)
        for s, e in zip(starts, ends, strict=True)
    )


def _event_days(table: pa.Table) -> frozenset[str | None]:
    if "eventtime" not in table.schema.names:
        return frozenset()
    return frozenset(pc.utf8_slice_codeunits(table.column("eventtime"), 0, 10).unique().to_pylist())


def read_run(run: Run) -> pa.Table:
    """The rows of a run, read into memory."""
    with pa.OSFile(run.path) as file, pa.ipc.open_file(file) as reader:
        return reader.read_all()


@lru_cache(maxsize=256)
def open_run(run: Run) -> pa.Table:
    """The rows of a run, mapped into memory, with the column `duplicate`."""
    table = pa.ipc.open_file(pa.memory_map(run.path)).read_all()
    flags = np.load(f"{run.path}.flags.npy", mmap_mode="r")
    return table.append_column("duplicate", pa.array(np.asarray(flags), pa.bool_()))


def run_keys(run: Run) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """The keys of a run's rows."""
    return np.asarray(np.load(f"{run.path}.keys.npy"), np.uint64)


def save_flags(run: Run, flags: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
    """Keep which rows of a run are duplicates."""
    np.save(f"{run.path}.flags.npy", flags)
