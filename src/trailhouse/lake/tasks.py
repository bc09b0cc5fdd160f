"""The two kinds of work that run in worker processes: objects -> sorted runs, and runs -> the files of a day."""

from __future__ import annotations

import gc
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from trailhouse.errors import StorageError
from trailhouse.lake.ledger import Item, taken_in
from trailhouse.lake.reader import Delivery, read
from trailhouse.lake.runs import Day, Run, place, write_run
from trailhouse.lake.writer import Piece, WrittenFile, write_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from trailhouse.core.layout import Kind
    from trailhouse.storage import Sources

LARGE = 24 << 20
"""Stored bytes from which an object is streamed and not held whole."""

_CHUNK = 1 << 20
_RUN_BYTES = 48 << 20


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
    ledger: tuple[dict[str, Any], ...]
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
    unread: list[tuple[str, str]] = []
    rows: dict[Kind, list[pa.Table]] = defaultdict(list)
    ledger: list[dict[str, Any]] = []
    runs: list[Run] = []
    sizes = [0, 0, 0]
    for reading in _without_collecting(read(_deliveries(task.items, task.sources, unread))):
        for kind, batch in reading.batches.items():
            rows[kind].append(place(batch, task.items))
        failed = {name for name, _ in unread}
        for verdict in reading.verdicts:
            item = task.items[verdict.number]
            if item.object.name not in failed:
                ledger.append(taken_in(item, verdict, task.batch, task.now))
            sizes = [sizes[0] + verdict.stored_bytes, sizes[1] + verdict.json_bytes, sizes[2] + verdict.records]
        runs += _full_runs(rows, task, len(runs), _RUN_BYTES)
    runs += _full_runs(rows, task, len(runs), 0)
    return ReadResult(task.number, tuple(runs), tuple(ledger), tuple(unread), *sizes)


def _full_runs(rows: dict[Kind, list[pa.Table]], task: ReadTask, number: int, least: int) -> list[Run]:
    """Write the kinds of which at least so many bytes are there as runs, and forget their rows."""
    runs = []
    for kind in [k for k, tables in rows.items() if sum(t.nbytes for t in tables) >= least]:
        path = task.folder / f"run-{task.number:06}-{number + len(runs):03}-{kind}.arrow"
        runs.append(write_run(pa.concat_tables(rows.pop(kind)), kind, path, _connection()))
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


def _deliveries(items: Sequence[Item], sources: Sources, unread: list[tuple[str, str]]) -> Iterator[Delivery]:
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
        yield Delivery(number, item.kind, _stream(item, sources, unread))
    yield from _small(small, numbers, items, sources, unread)


def _small(
    some: Sequence[Item],
    numbers: dict[tuple[str, str], int],
    items: Sequence[Item],
    sources: Sources,
    unread: list[tuple[str, str]],
) -> Iterator[Delivery]:
    for stored, content in sources.read_many(i.object for i in some):
        if isinstance(content, StorageError):
            unread.append((stored.name, str(content)))
            continue
        number = numbers[stored.source, stored.name]
        yield Delivery(number, items[number].kind, (content,))


def _stream(item: Item, sources: Sources, unread: list[tuple[str, str]]) -> Iterator[bytes]:
    try:
        with sources.open(item.object) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except StorageError as error:
        unread.append((item.object.name, str(error)))


@lru_cache(maxsize=1)
def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    return connection
