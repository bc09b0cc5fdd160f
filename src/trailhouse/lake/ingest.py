"""Take what is new in the sources into the lake. Crash anywhere, run again, same rows.

The story of a run: lock; settle what an earlier one left; list, and subtract the ledger; then batch by batch read the
objects into sorted runs, flag duplicates, write the days, and commit them with their ledger rows.
"""

from __future__ import annotations

import errno
import os
import uuid
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trailhouse.core.layout import LogKey, classify
from trailhouse.core.schema import RECORD_COLUMNS
from trailhouse.errors import DiskError, LakeError, StorageError
from trailhouse.lake.commit import Committer, Staged, day_folder, staged
from trailhouse.lake.days import by_day, day_shares, same_days
from trailhouse.lake.duplicates import IDENTITY, Keys, flag, keys_sql, to_keys
from trailhouse.lake.ledger import Item, passed_over, to_table
from trailhouse.lake.pending import Listing, Needed, Pending, json_estimate
from trailhouse.lake.place import Lake, LocalLake
from trailhouse.lake.pool import OwnProcess, Pool, Processes
from trailhouse.lake.runs import Run, run_keys, save_flags
from trailhouse.lake.tables import LEDGER, table_name
from trailhouse.lake.tasks import ReadResult, ReadTask, WriteTask, read_objects, write_days
from trailhouse.lake.watermark import sealable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from trailhouse.core.layout import Kind
    from trailhouse.lake.workspace import Workspace
    from trailhouse.lake.writer import WrittenFile
    from trailhouse.storage import Sources, StoredObject

BATCH_JSON = 4 << 30
"""Estimated JSON of a batch: what a crash costs at most, and what the staging folder holds."""

TASK_JSON = 48 << 20
_INLINE_JSON = 96 << 20
_NAMED = 1_000
# Data files and staging together took at most half of the JSON in every source measured.
_DISK_SHARE = 0.5


class Progress(Protocol):
    """Hears how far a run is."""

    def start(self, files: int, stored_bytes: int) -> None:
        """There is something to do."""

    def advance(self, files: int, stored_bytes: int, records: int) -> None:
        """This much more is read."""

    def reached(self, point: str) -> None:
        """A commit point (`commit.COMMIT_POINTS`) is passed."""

    def waiting(self) -> None:
        """Another run holds the lock."""

    def done(self) -> None:
        """It is over, well or not."""


@dataclass(slots=True)
class Report:
    """What a run did.

    Attributes:
        listing: The listing against the ledger.
        files: Objects taken in (with a row in the ledger).
        records: Records in them.
        duplicates: Records that the lake had already.
        misfits: Places that could not be read, in objects taken in.
        damaged: Objects taken in that claim to be CloudTrail and could not be read whole; first names and reasons.
        damaged_total: How many.
        unread: Objects that the source would not give; first names and reasons. They are tried again.
        unread_total: How many.
        first_unread: The first day of delivery of any of them (`YYYY-MM-DD`), "" if no key tells it.
    """

    listing: Listing
    files: int = 0
    records: int = 0
    duplicates: int = 0
    misfits: int = 0
    damaged: list[tuple[str, str]] = field(default_factory=list)
    damaged_total: int = 0
    unread: list[tuple[str, str]] = field(default_factory=list)
    unread_total: int = 0
    first_unread: str = ""

    @property
    def complete(self) -> bool:
        """Whether every object that claims to be CloudTrail was read to its end."""
        listing = self.listing
        return not (self.damaged_total or self.unread_total or listing.changed_total or listing.skipped_total)


def ingest(
    sources: Sources,
    workspace: Workspace,
    *,
    needed: Needed,
    now: datetime,
    progress: Progress,
    jobs: int | None = None,
    batch_json: int = BATCH_JSON,
) -> Report:
    """Take the objects that are needed and not yet taken in into the lake.

    Args:
        sources: Where the objects are; nothing is written there.
        workspace: The prepared working folder of these sources.
        needed: Which objects the caller needs.
        now: The present, UTC, for the ledger.
        progress: Hears how far it is.
        jobs: Worker processes; None: one a core.
        batch_json: Estimated bytes of JSON that are committed at once.

    Raises:
        StorageError: A source cannot be listed.
        DiskError: There is not enough room.
        LakeError: The working folder is damaged.
    """
    lake = LocalLake(workspace)
    return take_in(sources, lake, needed=needed, now=now, progress=progress, jobs=jobs, batch_json=batch_json)


def take_in(
    sources: Sources,
    lake: Lake,
    *,
    needed: Needed,
    now: datetime,
    progress: Progress,
    jobs: int | None = None,
    batch_json: int = BATCH_JSON,
) -> Report:
    """As `ingest`, into any lake; its tables are let go of at the end.

    Raises:
        AwsError: The lake is in AWS, which refuses.
        LakeError: Besides, another run has taken the lock or committed in between; run again.
    """
    try:
        with lake.writing(progress.waiting):
            return _Ingest(sources, lake, now, progress).run(needed, jobs, batch_json)
    except OSError as error:
        raise _refused(lake.workspace, error) from error
    except duckdb.Error as error:
        raise lake.tables.catalog.damaged(str(error).partition("\n")[0]) from error
    finally:
        lake.tables.close()
        progress.done()


def _refused(workspace: Workspace, error: OSError) -> DiskError | LakeError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskError(
            f"no room is left in {workspace.root}; what was committed stays, and the next command goes on from there: "
            "make room, or name another folder with --workdir"
        )
    return LakeError(
        f"the working folder {workspace.root} cannot be used: {error}; name another with --workdir"
    )


class _Ingest:
    def __init__(self, sources: Sources, lake: Lake, now: datetime, progress: Progress) -> None:
        self._sources = sources
        self._lake = lake
        self._workspace = lake.workspace
        self._now = now
        self._progress = progress
        self._committer = Committer(lake, progress.reached)

    def run(self, needed: Needed, jobs: int | None, batch_json: int) -> Report:
        self._committer.settle()
        with self._database() as connection:
            lake = self._lake
            ledger = lake.tables.files()[LEDGER].paths
            pending = Pending(
                connection, ledger, self._checksum, show=lake.files.show, scheme=lake.scheme, kinds=lake.kinds
            )
            report = Report(pending.collect(self._sources.list(), needed))
            for storage in self._sources.storages:
                report.listing.skipped_total += storage.skipped.total
                report.listing.skipped += [(one.name, one.reason) for one in storage.skipped.first]
            if report.listing.new:
                self._take_in(pending, report, jobs, batch_json)
        lake.seal(sealable(self._now.date(), report.listing.first_deferred, report.first_unread))
        return report

    def _checksum(self, stored: StoredObject) -> str | None:
        try:
            with self._sources.open(stored) as stream:
                digest = sha256()
                while chunk := stream.read(1 << 20):
                    digest.update(chunk)
                return digest.hexdigest()
        except StorageError:
            return None

    def _database(self) -> duckdb.DuckDBPyConnection:
        spill = self._workspace.staging / "spill"
        return duckdb.connect(config={"memory_limit": "512MB", "temp_directory": os.fspath(spill)})

    def _take_in(self, pending: Pending, report: Report, jobs: int | None, batch_json: int) -> None:
        listing = report.listing
        self._workspace.check_disk(int(listing.json_bytes * _DISK_SHARE))
        self._progress.reached("listed")
        self._progress.start(listing.new, listing.new_bytes)
        pool = _pool(listing.json_bytes, jobs)
        try:
            for items in pending.batches(batch_json):
                _Batch(self._sources, self._lake, self._committer, self._now).run(
                    items, pool, report, self._progress
                )
        except BaseException:
            pool.close()
            self._committer.abandon()
            raise
        pool.close()
        self._committer.clear_staging()


def _pool(json_bytes: int, jobs: int | None) -> Pool:
    count = jobs or os.cpu_count() or 1
    return OwnProcess() if count == 1 or json_bytes < _INLINE_JSON else Processes(count)


class _Batch:
    """One batch: from objects to rows in the tables."""

    def __init__(self, sources: Sources, lake: Lake, committer: Committer, now: datetime) -> None:
        self._sources = sources
        self._lake = lake
        self._tables = lake.tables
        self._committer = committer
        self._now = now
        # Names sort by time, which makes an unfinished batch easy to find.
        self._name = f"{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:12]}"
        self._folder = lake.workspace.staging / self._name
        self._folder.mkdir()

    def run(self, items: Sequence[Item], pool: Pool, report: Report, progress: Progress) -> None:
        over = to_table(passed_over(item, self._name, self._now) for item in items if item.passed_over)
        if over:
            progress.advance(len(over), 0, 0)
        results = self._read([i for i in items if not i.passed_over], pool, report, progress)
        runs = [run for result in results for run in result.runs]
        progress.reached("read")
        for kind in RECORD_COLUMNS:
            report.duplicates += self._flag(kind, [r for r in runs if r.kind is kind])
        progress.reached("flagged")
        files = self._write(runs, pool)
        ledger = pa.concat_tables([over, *(result.ledger for result in results)])
        if ledger:
            files.extend(self._write_ledger(ledger))
        progress.reached("written")
        if files:
            self._committer.commit(self._name, files)
        report.files += len(ledger)

    def _read(
        self, items: Sequence[Item], pool: Pool, report: Report, progress: Progress
    ) -> list[ReadResult]:
        tasks = (
            ReadTask(n, tuple(some), self._sources, self._folder, self._name, self._now)
            for n, some in enumerate(_shares(items))
        )
        results: list[ReadResult] = []
        for result in pool.map(read_objects, tasks):
            results.append(result)
            progress.advance(len(result.ledger) + len(result.unread), result.stored_bytes, result.records)
            _note(report, result)
        return sorted(results, key=lambda r: r.number)

    def _flag(self, kind: Kind, runs: Sequence[Run]) -> int:
        if not runs:
            return 0
        flags = flag(self._known(kind, runs), np.concatenate([run_keys(run) for run in runs]))
        for run, own in zip(runs, np.split(flags, np.cumsum([run.rows for run in runs])[:-1]), strict=True):
            save_flags(run, own)
        return int(flags.sum())

    def _known(self, kind: Kind, runs: Sequence[Run]) -> Keys:
        """Keys of the lake's own rows of the same event days."""
        names = [name for name in IDENTITY if name in {column.name for column in RECORD_COLUMNS[kind]}]
        days = frozenset[str | None]().union(*(run.times for run in runs))
        where, values = same_days(days) if "eventtime" in names else ("true", [])
        name = table_name(kind)
        paths = self._tables.files()[name].paths
        if paths and "eventtime" in names and not self._lake.files.near:
            paths = self._tables.files_of_days(name, days)
        if not paths:
            return np.empty((0, 2), np.uint64)
        with duckdb.connect() as connection:
            self._lake.files.show(connection, "held", paths, [*names, "duplicate"])
            found = connection.execute(keys_sql(names, f"held WHERE NOT duplicate AND ({where})"), values)
            return to_keys(found.to_arrow_table())

    def _write(self, runs: Sequence[Run], pool: Pool) -> list[Staged]:
        files: list[Staged] = []
        tasks = list(self._write_tasks(runs))
        kinds = {task.number: task.kind for task in tasks}
        for number, written in pool.map(_numbered, tasks):
            files.extend(staged(kinds[number], one) for one in written)
        return sorted(files, key=lambda f: f.file)

    def _write_tasks(self, runs: Sequence[Run]) -> Iterator[WriteTask]:
        number = 0
        for kind in RECORD_COLUMNS:
            schema = None
            for days in day_shares([r for r in runs if r.kind is kind]):
                schema = schema or self._tables.write_schema(table_name(kind))
                yield WriteTask(number, kind, days, schema, self._folder, self._now)
                number += 1

    def _write_ledger(self, ledger: pa.Table) -> Iterator[Staged]:
        """The ledger's files, one for each value of what it is partitioned by."""
        schema = self._tables.write_schema(LEDGER)
        keys = self._tables.definition(LEDGER).keys
        for number, (day, rows) in enumerate(by_day(ledger) if keys else [(None, ledger)]):
            path = self._folder / f"ledger-{number:05}.parquet"
            with path.open("wb") as file:
                pq.write_table(rows.cast(schema), file, compression="zstd", store_schema=False)
                file.flush()
                os.fsync(file.fileno())
            yield Staged(LEDGER, os.fspath(path), day_folder(day) if day else ".")


def _numbered(task: WriteTask) -> tuple[int, tuple[WrittenFile, ...]]:
    return task.number, write_days(task)


def _note(report: Report, result: ReadResult) -> None:
    report.records += result.records
    report.unread_total += len(result.unread)
    report.unread.extend(result.unread[: _NAMED - len(report.unread)])
    for name, _ in result.unread:
        if isinstance(key := classify(name), LogKey):
            day = f"{key.year}-{key.month}-{key.day}"
            report.first_unread = min(report.first_unread or day, day)
    damaged = (
        result.ledger.filter(pc.field("misfits") > 0).select(["logfile", "reason", "misfits"]).to_pylist()
    )
    report.damaged_total += len(damaged)
    room = max(0, _NAMED - len(report.damaged))
    report.damaged.extend((str(row["logfile"]), str(row["reason"])) for row in damaged[:room])
    report.misfits += sum(int(row["misfits"]) for row in damaged)


def _shares(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Items in shares of about TASK_JSON; what can only be read in one go stays together."""
    share: list[Item] = []
    size = 0
    for item in items:
        apart = bool(share) and item.object.together != share[-1].object.together
        full = size + json_estimate(item.object) > TASK_JSON and not item.object.together
        if share and (apart or full):
            yield share
            share, size = [], 0
        share.append(item)
        size += json_estimate(item.object)
    if share:
        yield share
