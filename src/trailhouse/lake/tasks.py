"""The two kinds of work that run in worker processes: objects -> sorted runs, and runs -> the files of a day."""

from __future__ import annotations

import gc
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from trailhouse.errors import StorageError
from trailhouse.lake.ledger import Item, taken_in, to_table
from trailhouse.lake.reader import Delivery, read
from trailhouse.lake.runs import Day, Run, place, read_run, write_run
from trailhouse.lake.writer import Piece, WrittenFile, write_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from trailhouse.core.layout import Kind
    from trailhouse.lake.reader import Verdict
    from trailhouse.storage import Sources

LARGE = 24 << 20
"""Stored bytes from which an object is streamed and not held whole."""

_CHUNK = 1 << 20
_RUN_BYTES = 24 << 20


@dataclass(frozen=True, slots=True)
class ReadTask:
    """Objects to turn into runs."""

    number: int
    items: tuple[Item, ...]
    sources: Sources
    folder: Path
    batch: str
    now: datetime


@dataclass(frozen=True, slots=True)
class ReadResult:
    """Runs, the ledger's rows, and what could not be read from the source (name and reason)."""

    number: int
    runs: tuple[Run, ...]
    ledger: pa.Table
    unread: tuple[tuple[str, str], ...]
    stored_bytes: int
    json_bytes: int
    records: int


@dataclass(frozen=True, slots=True)
class WriteTask:
    """Days to write, each with its pieces; all of one kind."""

    number: int
    kind: Kind
    days: tuple[tuple[Day, tuple[Piece, ...]], ...]
    schema: pa.Schema
    folder: Path
    now: datetime


def read_objects(task: ReadTask) -> ReadResult:
    """Read a task's objects and leave sorted runs in its folder."""
    unread: dict[int, str] = {}
    rows: dict[Kind, list[pa.Table]] = defaultdict(list)
    verdicts: list[Verdict] = []
    runs: list[Run] = []
    for reading in _without_collecting(read(_deliveries(task.items, task.sources, unread))):
        for kind, batch in reading.batches.items():
            rows[kind].append(place(batch, task.items))
        verdicts += reading.verdicts
        runs += _full_runs(rows, task, len(runs), _RUN_BYTES)
    runs += _full_runs(rows, task, len(runs), 0)
    if broken := [task.items[v.number] for v in verdicts if v.number in unread]:
        runs = [rest for run in runs if (rest := _without(run, broken)) is not None]
    whole = [v for v in verdicts if v.number not in unread]
    return ReadResult(
        task.number,
        tuple(runs),
        to_table(taken_in(task.items[v.number], v, task.batch, task.now) for v in whole),
        tuple((task.items[number].object.name, reason) for number, reason in sorted(unread.items())),
        sum(v.stored_bytes for v in whole),
        sum(v.json_bytes for v in whole),
        sum(v.records for v in whole),
    )


def _without(run: Run, broken: Sequence[Item]) -> Run | None:
    """A run without the rows of objects that ended before their end: the next run reads those again, whole."""
    table = read_run(run)
    roots, files = (table.column(name).cast(pa.string()) for name in ("logroot", "logfile"))
    names = pc.binary_join_element_wise(roots, files, "\0")
    gone = pa.array([f"{item.logroot}\0{item.logfile}" for item in broken])
    kept = table.filter(pc.invert(pc.is_in(names, gone)))
    if kept.num_rows == table.num_rows:
        return run
    return write_run(kept, run.kind, Path(run.path), _connection()) if kept.num_rows else None


def _full_runs(rows: dict[Kind, list[pa.Table]], task: ReadTask, number: int, least: int) -> list[Run]:
    """Write the kinds of which at least so many bytes are there as runs, and forget their rows."""
    runs: list[Run] = []
    for kind in [k for k, tables in rows.items() if sum(t.nbytes for t in tables) >= least]:
        path = task.folder / f"run-{task.number:06}-{number + len(runs):03}-{kind}.arrow"
        runs.append(write_run(pa.concat_tables(rows.pop(kind)), kind, path, _connection()))
    if runs:
        pa.default_memory_pool().release_unused()  # what a run took is not needed until the next one
    return runs


def write_days(task: WriteTask) -> tuple[WrittenFile, ...]:
    """Write a task's days into its folder."""
    files: list[WrittenFile] = []
    for number, (day, pieces) in enumerate(task.days):
        stem = task.folder / f"day-{task.kind}-{task.number:06}-{number:05}"
        files.extend(write_day(day, pieces, task.schema, stem, task.now))
    return tuple(files)


def _without_collecting(readings: Iterable[Any]) -> Iterator[Any]:
    """The cycle collector finds none in records and costs a third of the time of reading them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield from readings
    finally:
        if was_enabled:
            gc.enable()


def _deliveries(items: Sequence[Item], sources: Sources, unread: dict[int, str]) -> Iterator[Delivery]:
    """The objects as the reader takes them: small ones many at a time, large ones as streams."""
    numbers = {(i.object.source, i.object.name): n for n, i in enumerate(items)}
    small: list[Item] = []
    for item in items:
        if item.object.size < LARGE:
            small.append(item)
            continue
        yield from _small(small, numbers, items, sources, unread)
        small = []
        number = numbers[item.object.source, item.object.name]
        yield Delivery(number, item.kind, _stream(number, item, sources, unread))
    yield from _small(small, numbers, items, sources, unread)


def _small(
    some: Sequence[Item],
    numbers: dict[tuple[str, str], int],
    items: Sequence[Item],
    sources: Sources,
    unread: dict[int, str],
) -> Iterator[Delivery]:
    for stored, content in sources.read_many(i.object for i in some):
        number = numbers[stored.source, stored.name]
        if isinstance(content, StorageError):
            unread[number] = str(content)
        else:
            yield Delivery(number, items[number].kind, (content,))


def _stream(number: int, item: Item, sources: Sources, unread: dict[int, str]) -> Iterator[bytes]:
    try:
        with sources.open(item.object) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except StorageError as error:
        unread[number] = str(error)


@lru_cache(maxsize=1)
def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    return connection
