"""The product as a library: open sources, take them in, ask.

import trailhouse

with trailhouse.open("evidence/", since="2023-07-01") as house:
    for row in house.query("SELECT eventname, count(*) AS n FROM cloudtrail_events GROUP BY 1"):
        print(row["eventname"], row["n"])
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from trailhouse.absence import Absence
from trailhouse.answer import Result
from trailhouse.core.inventory import Inventory, InventoryCount
from trailhouse.core.layout import Kind
from trailhouse.core.schema import RECORD_COLUMNS
from trailhouse.core.views import local_views
from trailhouse.dialect import Statement, translate
from trailhouse.engine.duckdb import DuckDB
from trailhouse.errors import LakeError, SourceError, SqlError
from trailhouse.evidence import Evidence
from trailhouse.lake.ingest import Progress, Report, ingest
from trailhouse.lake.survey import survey
from trailhouse.lake.tables import LEDGER, Tables, table_name
from trailhouse.lake.workspace import Workspace, workspace_for
from trailhouse.options import Options, When, duration, moment, texts
from trailhouse.output import Provenance, Window
from trailhouse.storage import Access, Location, Sources, open_sources
from trailhouse.versions import versions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import BinaryIO, Self

    from trailhouse.lake.pending import Listing, Needed

_ACCOUNT = re.compile(r"_([0-9]{12})$")


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


class Trailhouse:
    """Opened sources with their lake. Use it as a context manager, or close it."""

    def __init__(
        self, sources: Sources, options: Options, *, now: datetime, progress: Progress | None = None
    ) -> None:
        """Open what `trailhouse.open` found.

        Args:
            sources: Where the logs are.
            options: What of them is asked.
            now: The present, UTC; recorded with what is taken in.
            progress: Hears how far taking in is.
        """
        self.sources = sources
        self.options = options
        self.report: Report | None = None
        self.asked: list[Statement] = []
        self._progress = progress or Silence()
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
                f"the working folder {self.expected_workspace.root} lies in a source, and sources are never "
                "written to: name another with --workdir"
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
        with closing(Tables(self.workspace)) as tables:
            files = tables.files()
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
        prefix = self.options.table_prefix
        try:
            return translate(sql, params=params or {}, scope=self.options.scope, tables=names, prefix=prefix)
        except SqlError as error:
            unknown = re.search(rf'unknown table "({prefix}\w*_([0-9]{{12}}))"', str(error))
            if unknown is None:
                raise
            hint = f"no log of account {unknown[2]} is here: see trailhouse inventory"
            raise SqlError(f"{error}\n{hint}") from None

    def preview(self, sql: str, params: Mapping[str, Any] | None = None) -> tuple[Statement, Listing]:
        """A statement as it would run, and what would be taken in first; nothing is.

        Raises:
            SqlError: It is wrong, or outside of what is answered exactly as Athena does.
            StorageError: A source cannot be listed.
        """
        listing, inventory = survey(self.sources, self.expected_workspace, self.options.needed)
        if not listing.new:
            return self.translate(sql, params), listing
        accounts: dict[Kind, set[str]] = {}
        for place, _ in inventory.days:
            accounts.setdefault(place.kind, set()).add(place.account)
        prefix = self.options.table_prefix
        views = local_views(prefix, {}, (), {kind: sorted(found) for kind, found in accounts.items()})
        names = {view.name: [column.name for column in view.columns] for view in views}
        scope = self.options.scope
        return translate(sql, params=params or {}, scope=scope, tables=names, prefix=prefix), listing

    def query(self, sql: str, /, **params: str | float | bool | None) -> Result:
        """Answer a statement of Athena's SQL; `:name` in it stands for the parameter of that name.

        Raises:
            SqlError: It is wrong, or outside of what is answered exactly as Athena does.
        """
        statement = self.translate(sql, params)
        self.asked.append(statement)
        return Result(statement, self.engine.execute(statement))

    @property
    def evidence(self) -> Evidence:
        """What answers stand on, and what they lack."""
        return self._evidence(self.options.needed)

    def evidence_of(self, *statements: Statement) -> Evidence:
        """The same for what statements ask: names of single accounts stand on these accounts' files alone."""
        needed, prefix = self.options.needed, self.options.table_prefix
        accounts = {_account_of(name, prefix) for statement in statements for name in statement.tables}
        if accounts and "" not in accounts:
            needed = replace(needed, accounts=tuple(sorted(accounts)))
        return self._evidence(needed)

    def _evidence(self, needed: Needed) -> Evidence:
        engine = self.engine
        if self.report is None:
            raise LakeError("nothing was taken in yet: call ingest first")
        return Evidence(engine, self.options.table_prefix, needed, self.report)

    def explain(self, statement: Statement, rows: int) -> list[str]:
        """Why an answer with that many rows is empty, or cannot be meant; at most three lines, mostly none."""
        deferred = self.report.listing.deferred if self.report else 0
        kinds = (
            self.kinds_of(statement) if f"{self.options.table_prefix}_files" not in statement.tables else []
        )
        return Absence(self.engine, self.options.table_prefix, kinds, deferred).explain(statement, rows)

    def kinds_of(self, *statements: Statement) -> list[Kind]:
        """The delivery kinds that statements ask."""
        prefix = self.options.table_prefix
        asked = {name for statement in statements for name in statement.tables}
        if f"{prefix}_files" in asked:
            return list(RECORD_COLUMNS)
        return sorted({_kind_of(name, prefix) for name in asked})

    def provenance(self, statements: Sequence[Statement], now: datetime) -> Provenance:
        """Where an answer comes from, but for its inputs (`evidence.inputs`).

        Args:
            statements: What was asked; none, if an answer is from the names of objects alone.
            now: When the answer is written, UTC.
        """
        o = self.options
        return Provenance(
            sql=";\n".join(statement.athena for statement in statements),
            engine=self.engine.name if statements else "inventory",
            executed=";\n".join(statement.duckdb for statement in statements),
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


def _account_of(name: str, prefix: str) -> str:
    """The account that a name is limited to; empty: it is not."""
    found = _ACCOUNT.search(name.removeprefix(prefix))
    return found[1] if found else ""


def workdir(options: Options) -> Path:
    """The folder of all working folders."""
    return options.workdir or Path(platformdirs.user_data_dir("trailhouse", appauthor=False))


def open_storages(locations: Sequence[Location], options: Options, stdin: BinaryIO) -> Sources:
    """Open sources, each with its own access.

    Raises:
        SourceError: A source is missing, unreadable or overlaps another.
    """
    return open_sources(locations, stdin=stdin, spool=workdir(options) / "stdin")


def open_house(  # noqa: PLR0913 - keywords, each of them optional
    *sources: str | os.PathLike[str],
    since: When = None, until: When = None, accounts: Sequence[str] = (), regions: Sequence[str] = (),
    late: timedelta | str = timedelta(days=1), workdir: str | os.PathLike[str] | None = None,
    jobs: int | None = None, table_prefix: str = "cloudtrail",
    profile: str | None = None, role_arn: str | None = None, external_id: str | None = None,
    aws_region: str | None = None, endpoint_url: str | None = None,
) -> Trailhouse:  # fmt: skip
    """Open sources; nothing is read before it is needed.

    Args:
        sources: Folders, files, patterns, archives, `-` (standard input) or `s3://bucket/prefix`.
        since: Events from then on: a time (naive ones are UTC), a day (its midnight, UTC), their ISO 8601
            text, or `7d` for seven days ago.
        until: Events before then.
        accounts: Account folders; empty: all.
        regions: Region folders; empty: all.
        late: How long after an event its file may have been delivered: a duration or `36h`.
        workdir: Folder for working data; None: the platform's for user data.
        jobs: Processes that read logs; None: one a core.
        table_prefix: Beginning of every name.
        profile: Of the AWS configuration.
        role_arn: Role to assume.
        external_id: That the role asks for.
        aws_region: Of the AWS services.
        endpoint_url: An S3 compatible service instead of AWS.

    Raises:
        SourceError: A source is missing, unreadable or overlaps another.
        UsageError: The window is empty, or a time, duration or account is none.
    """
    now = datetime.now(UTC)  # noqa: TID251 - the library is called where the command line is not
    options = Options(
        moment(since, now), moment(until, now), texts(accounts), texts(regions), duration(late),
        None if workdir is None else Path(workdir).expanduser(), jobs, table_prefix,
    )  # fmt: skip
    access = Access(endpoint_url, profile, role_arn, external_id, aws_region)
    locations = [Location(os.fspath(source), access) for source in sources]
    return Trailhouse(open_storages(locations, options, sys.stdin.buffer), options, now=now)
