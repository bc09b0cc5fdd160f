"""The product as a library: open sources, take them in, ask.

import trailhouse

with trailhouse.open("evidence/") as house:
    for row in house.query("SELECT eventname, count(*) AS n FROM cloudtrail_events GROUP BY 1"):
        print(row["eventname"], row["n"])
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from trailhouse.core.inventory import Inventory, InventoryCount
from trailhouse.core.layout import Kind
from trailhouse.core.schema import RECORD_COLUMNS
from trailhouse.dialect import Scope, Statement, translate
from trailhouse.engine.duckdb import DuckDB
from trailhouse.errors import LakeError, SourceError
from trailhouse.evidence import Evidence
from trailhouse.lake.ingest import Progress, Report, ingest
from trailhouse.lake.pending import Needed
from trailhouse.lake.tables import LEDGER, Tables, table_name
from trailhouse.lake.workspace import Workspace, workspace_for
from trailhouse.output import Provenance, Window
from trailhouse.storage import Access, Sources, open_sources
from trailhouse.versions import versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import BinaryIO, Self

    import pandas as pd
    import pyarrow as pa

    from trailhouse.config import Source

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Options:
    """How to open sources; the defaults take everything.

    Attributes:
        since: Events from this moment on, UTC.
        until: Events before this moment, UTC.
        accounts: Account folders; empty: all.
        regions: Region folders; empty: all.
        late: How long after an event its file may have been delivered.
        workdir: Folder of all working folders; None: the platform's for user data.
        jobs: Worker processes; None: one a core.
        table_prefix: Beginning of every name.
        access: How to reach S3.
    """

    since: datetime | None = None
    until: datetime | None = None
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    late: timedelta = DAY
    workdir: Path | None = None
    jobs: int | None = None
    table_prefix: str = "cloudtrail"
    access: Access = field(default_factory=Access)

    @property
    def scope(self) -> Scope:
        """What queries are limited to."""
        return Scope(self.since, self.until, self.accounts, self.regions, self.late)

    @property
    def needed(self) -> Needed:
        """Which objects have to be taken in for that."""
        last = None if self.until is None else (self.until + self.late).date()
        return Needed(self.since.date() if self.since else None, last, self.accounts, self.regions)


class Silence:
    """Progress that nobody wants to hear of."""

    def start(self, files: int, stored_bytes: int) -> None:
        """Say nothing."""

    def advance(self, files: int, stored_bytes: int, records: int) -> None:
        """Say nothing."""

    def reached(self, point: str) -> None:
        """Say nothing."""

    def waiting(self) -> None:
        """Say nothing."""

    def done(self) -> None:
        """Say nothing."""


class Result:
    """Rows of an answer: take them once, as Arrow, as pandas, or one by one."""

    def __init__(self, statement: Statement, reader: pa.RecordBatchReader) -> None:
        self.statement = statement
        self.reader = reader

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self.reader.schema.names)

    def arrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        return self.reader.read_all()

    def df(self) -> pd.DataFrame:
        """All rows as a pandas data frame (needs the extra `df`)."""
        frame: pd.DataFrame = self.arrow().to_pandas()
        return frame

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for batch in self.reader:
            yield from batch.to_pylist()


class Trailhouse:
    """Opened sources with their lake. Use it as a context manager, or close it."""

    def __init__(self, sources: Sources, options: Options, *, progress: Progress, now: datetime) -> None:
        self.sources = sources
        self.options = options
        self.report: Report | None = None
        self._progress = progress
        self._now = now

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of memory and files; working data stays for the next time."""
        if "engine" in self.__dict__:
            self.engine.close()
            del self.__dict__["engine"]

    @cached_property
    def workspace(self) -> Workspace:
        """The working folder of these sources, made if it is not there."""
        if self.is_source(self.expected_workspace.root.resolve()):
            raise SourceError(
                f"the working folder {self.expected_workspace.root} lies in a source, and sources are never written to: "
                "name another with --workdir"
            )
        self.expected_workspace.prepare([storage.uri for storage in self.sources.storages])
        return self.expected_workspace

    @property
    def expected_workspace(self) -> Workspace:
        """The working folder of these sources, whether it is there or not."""
        return workspace_for(workdir(self.options), self.sources.identity, self.sources.storages[0].label)

    def inventory(self) -> Inventory:
        """What lies in the sources, by their keys alone; nothing is read or taken in."""
        counting = InventoryCount()
        for item in self.sources.list():
            counting.add(item.name, item.size, source=item.source, storage_class=item.storage_class)
        return counting.inventory()

    def ingest(self) -> Report:
        """Take in what the window, accounts and regions need and the lake does not have yet.

        Raises:
            StorageError: A source cannot be listed.
            DiskError: There is not enough room for working data.
        """
        self.close()
        self.report = ingest(
            self.sources,
            self.workspace,
            needed=self.options.needed,
            now=self._now,
            progress=self._progress,
            jobs=self.options.jobs,
        )
        return self.report

    @cached_property
    def engine(self) -> DuckDB:
        """The lake as it is now, what is needed taken in first."""
        if self.report is None:
            self.ingest()
        files = Tables(self.workspace).files()
        kinds = {kind: files[table_name(kind)].paths for kind in RECORD_COLUMNS}
        return DuckDB(kinds, files[LEDGER].paths, self.options.table_prefix, self.workspace.root / "spill")

    def tables(self) -> dict[str, list[tuple[str, str]]]:
        """Every name that can be asked, with its columns and their types."""
        return self.engine.tables()

    def translate(self, sql: str, params: Mapping[str, Any] | None = None) -> Statement:
        """A statement of Athena's SQL, bound, limited to the window, and as DuckDB takes it.

        Raises:
            SqlError: It is wrong, or outside of what is answered exactly as Athena does.
        """
        names = {name: [column for column, _ in columns] for name, columns in self.tables().items()}
        return translate(
            sql, params=params or {}, scope=self.options.scope, tables=names, prefix=self.options.table_prefix
        )

    def query(self, sql: str, /, **params: str | float | bool | None) -> Result:
        """Answer a statement of Athena's SQL; `:name` in it stands for the parameter of that name.

        Raises:
            SqlError: It is wrong, or outside of what is answered exactly as Athena does.
        """
        statement = self.translate(sql, params)
        return Result(statement, self.engine.execute(statement))

    @property
    def evidence(self) -> Evidence:
        """What answers stand on, and what they lack."""
        engine = self.engine
        if self.report is None:
            raise LakeError("nothing was taken in yet: call ingest first")
        return Evidence(engine, self.options.table_prefix, self.options.needed, self.report)

    def kinds_of(self, statement: Statement) -> list[Kind]:
        """The delivery kinds that a statement asks."""
        prefix = self.options.table_prefix
        asked = [name for name in statement.tables if name != f"{prefix}_files"]
        return sorted({_kind_of(name, prefix) for name in asked}) if asked else list(RECORD_COLUMNS)

    def provenance(self, statement: Statement, now: datetime) -> Provenance:
        """Where an answer comes from, but for its inputs (`evidence.inputs`)."""
        o = self.options
        return Provenance(
            sql=statement.athena,
            engine=self.engine.name,
            executed=statement.duckdb,
            versions=versions(),
            window=Window(o.since, o.until, o.late, o.accounts, o.regions),
            created_at=now,
            sources=tuple(storage.uri for storage in self.sources.storages),
        )

    def is_source(self, path: Path) -> bool:
        """Whether a path lies in a source; nothing is ever written there."""
        return bool(self.sources.holding(path))


def _kind_of(name: str, prefix: str) -> Kind:
    rest = name.removeprefix(prefix).removeprefix("_")
    for kind in (Kind.INSIGHT, Kind.NETWORKACTIVITY, Kind.AGGREGATED):
        if rest.startswith(kind.value.removeprefix("CloudTrail-").lower()):
            return kind
    return Kind.CLOUDTRAIL


def workdir(options: Options) -> Path:
    """The folder of all working folders."""
    return options.workdir or Path(platformdirs.user_data_dir("trailhouse", appauthor=False))


def open_storages(places: Sequence[Source], options: Options, stdin: BinaryIO) -> Sources:
    """Open the sources of a configuration.

    Raises:
        SourceError: A source is missing, unreadable or overlaps another.
    """
    spool = workdir(options) / "stdin"
    return open_sources([place.uri for place in places], stdin=stdin, spool=spool, access=options.access)


def open_house(
    *uris: str,
    options: Options | None = None,
    now: datetime | None = None,
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
) -> Trailhouse:
    """Open sources.

    Args:
        uris: Folders, files, patterns, archives, `-` (standard input) or `s3://bucket/prefix`.
        options: Window, accounts, regions, places.
        now: The present, UTC; recorded with what is taken in. None: the clock's.
        progress: Hears how far taking in is.
        stdin: What `-` reads.

    Raises:
        SourceError: A source is missing, unreadable or overlaps another.
    """
    options = options or Options()
    spool = workdir(options) / "stdin"
    sources = open_sources(uris, stdin=stdin or sys.stdin.buffer, spool=spool, access=options.access)
    return Trailhouse(sources, options, progress=progress or Silence(), now=now or datetime.now(UTC))  # noqa: TID251
