"""The Iceberg tables of a lake: made, appended to, and which files they hold now.

Reading needs no Iceberg library: the files of the current snapshots are kept beside the catalog, under the name of the
metadata that they were read from, and are read again from that metadata whenever the names differ.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from trailhouse.core.layout import Kind
from trailhouse.core.schema import FILES_COLUMNS, Column, lake_columns
from trailhouse.errors import LakeError
from trailhouse.lake.columns import arrow_schema
from trailhouse.lake.days import day_ranges
from trailhouse.lake.workspace import write_durably

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    import pyarrow as pa
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Table

    from trailhouse.lake.workspace import Workspace

NAMESPACE = "default"
BATCH = "trailhouse.batch"
"""Snapshot property: which batch a commit belongs to."""

WATERMARK = "trailhouse.watermark"
"""Property of the ledger: the first day of delivery that is not sealed (`YYYY-MM-DD`)."""

LEDGER = "cloudtrail_files"
DAY_KEYS = ("year", "month", "day")
SORT_KEYS = ("account", "region", "eventtime")
_CACHE = "files.json"
PROPERTIES = {
    "commit.retry.num-retries": "0",  # a retried append that did go through would double its rows
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "write.parquet.compression-codec": "zstd",
}


def table_name(kind: Kind) -> str:
    """The lake table of a delivery kind."""
    return "cloudtrail_lake" if kind is Kind.CLOUDTRAIL else f"{kind.value.replace('-', '_').lower()}_lake"


def tables() -> dict[str, tuple[Column, ...]]:
    """Name and columns of every table of a lake."""
    lakes = {table_name(kind): lake_columns(kind) for kind in Kind if kind is not Kind.DIGEST}
    return {**lakes, LEDGER: FILES_COLUMNS}


@dataclass(frozen=True, slots=True)
class TableFiles:
    """The data files of a table's current snapshot (paths), and their rows."""

    paths: tuple[str, ...]
    rows: int


class Catalog(Protocol):
    """Iceberg tables, by the names that a lake gives them.

    Attributes:
        ledger_keys: What the ledger is partitioned by.
    """

    ledger_keys: tuple[str, ...]

    def load(self, name: str) -> Table | None:
        """A table as this run sees it; None if it is not there. Raises LakeError where it is damaged."""

    def create(self, name: str, definition: Definition) -> Table:
        """Make a table."""

    def locations(self) -> dict[str, str]:
        """Name and location of the current metadata of every table that is there."""

    def recall(self) -> Mapping[str, tuple[str, TableFiles]]:
        """What `remember` was told last, or an earlier part of it, or nothing."""

    def remember(self, known: Mapping[str, tuple[str, TableFiles]]) -> None:
        """Keep for each table the location of its metadata and the files that this names."""

    def damaged(self, reason: str) -> LakeError:
        """The error for tables that cannot be understood."""

    def close(self) -> None:
        """Let go of what is open."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a table is made from.

    Attributes:
        columns: All of them, in order.
        keys: What it is partitioned by.
    """

    columns: tuple[Column, ...]
    keys: tuple[str, ...]


class LakeTables:
    """The tables of one lake, wherever their catalog is."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def close(self) -> None:
        """Let go of what is open."""
        self.catalog.close()

    def definition(self, name: str) -> Definition:
        """What a table of this name is made from."""
        keys = self.catalog.ledger_keys if name == LEDGER else DAY_KEYS
        return Definition(tables()[name], keys)

    def batches(self, name: str) -> set[str]:
        """The batches whose commit to this table is in its history."""
        table = self._load(name)
        summaries = (s.summary.additional_properties for s in table.snapshots() if s.summary)
        return {properties[BATCH] for properties in summaries if BATCH in properties}

    def append(self, name: str, paths: Sequence[str], batch: str) -> None:
        """Add data files in one commit that carries the batch's name.

        Args:
            name: The table.
            paths: Parquet files with the table's field ids, each within one day.
            batch: The name; committing the same batch twice is the caller's to avoid.

        Raises:
            LakeError: The table is not as this run saw it any more.
        """
        table = self._load(name)
        with self._refused_if_changed(name):
            table.add_files(list(paths), snapshot_properties={BATCH: batch}, check_duplicate_files=False)

    def note(self, name: str, properties: Mapping[str, str]) -> None:
        """Keep properties of a table, in a commit of its own. Raises LakeError as `append`."""
        table = self._load(name)
        with self._refused_if_changed(name), table.transaction() as transaction:
            transaction.set_properties(dict(properties))

    def seal(self, day: date) -> None:
        """Keep the watermark, unless it is there or further on already. Raises LakeError as `append`."""
        sealed = self.watermark()
        if sealed is None or day > sealed:
            self.note(LEDGER, {WATERMARK: day.isoformat()})

    def watermark(self) -> date | None:
        """The first day of delivery that is not sealed; None if none is."""
        if LEDGER not in self.catalog.locations():
            return None
        found = self._load(LEDGER).properties.get(WATERMARK)
        try:
            return date.fromisoformat(found) if found else None
        except ValueError as error:
            raise self.catalog.damaged(f"{WATERMARK} of the ledger is {found!r}") from error

    @contextmanager
    def _refused_if_changed(self, name: str) -> Iterator[None]:
        from pyiceberg.exceptions import CommitFailedException  # noqa: PLC0415 - with the catalog

        try:
            yield
        except CommitFailedException as error:
            raise changed(name) from error

    def write_schema(self, name: str) -> pa.Schema:
        """The Arrow schema that a table's data files must have: Iceberg's field ids in its metadata."""
        from trailhouse.lake import iceberg  # noqa: PLC0415 - with the catalog

        return iceberg.with_field_ids(arrow_schema(tables()[name]), self._load(name).schema())

    def _load(self, name: str) -> Table:
        """A table, made if it is not there yet."""
        with self._told_if_damaged(name):
            return self.catalog.load(name) or self.catalog.create(name, self.definition(name))

    @contextmanager
    def _told_if_damaged(self, name: str) -> Iterator[None]:
        from pyiceberg.exceptions import ValidationError  # noqa: PLC0415 - with the catalog

        try:
            yield
        except (FileNotFoundError, ValueError, ValidationError) as error:
            raise self.catalog.damaged(f"table {name}: {str(error).partition(chr(10))[0]}") from error

    def files(self) -> dict[str, TableFiles]:
        """The data files of every table as of now."""
        locations = self.catalog.locations()
        cache = self.catalog.recall()
        fresh = {n: cache[n][1] for n, at in locations.items() if n in cache and cache[n][0] == at}
        missing = [n for n in locations if n not in fresh]
        if missing:
            fresh |= {n: self._plan(n) for n in missing}
            self.catalog.remember({n: (locations[n], files) for n, files in fresh.items()})
        return {n: fresh.get(n, TableFiles((), 0)) for n in tables()}

    def files_of_days(self, name: str, days: AbstractSet[str | None]) -> tuple[str, ...]:
        """The data files of a table that may hold events of these days, as its manifests tell.

        Args:
            name: A table with `eventtime`.
            days: First ten characters of event times; None for rows without.
        """
        from trailhouse.lake import iceberg  # noqa: PLC0415 - with the catalog

        table = self._load(name)
        with self._told_if_damaged(name):
            condition = iceberg.within("eventtime", day_ranges(days), nulls=None in days)
            return tuple(sorted(task.file.file_path for task in table.scan(condition).plan_files()))

    def _plan(self, name: str) -> TableFiles:
        table = self._load(name)
        with self._told_if_damaged(name):
            files = [task.file for task in table.scan().plan_files()]
        paths = sorted(f.file_path.removeprefix("file://") for f in files)
        return TableFiles(tuple(paths), sum(f.record_count for f in files))


class Tables(LakeTables):
    """The tables of one working folder."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(SqliteCatalog(workspace))


class SqliteCatalog:
    """The catalog of a working folder: a SQLite database. Reading file names does not open it as a catalog."""

    ledger_keys: tuple[str, ...] = ()

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @cached_property
    def _catalog(self) -> SqlCatalog:
        from pyiceberg.catalog.sql import SqlCatalog  # noqa: PLC0415 - takes a second; reading does without it
        from sqlalchemy import URL  # noqa: PLC0415 - with the catalog

        # The warehouse is a plain path: in a URI, Iceberg's library takes %20 for three characters of a name.
        database = URL.create(
            "sqlite", database=os.fspath(self._workspace.catalog.absolute())
        ).render_as_string()
        warehouse = os.fspath(self._workspace.warehouse.absolute())
        catalog = SqlCatalog("trailhouse", uri=database, warehouse=warehouse)
        catalog.create_namespace_if_not_exists(NAMESPACE)
        return catalog

    @property
    def opened(self) -> bool:
        """Whether the database is open as a catalog."""
        return "_catalog" in self.__dict__

    def close(self) -> None:
        """Let go of the database."""
        if self.opened:
            self._catalog.close()
            del self._catalog

    def load(self, name: str) -> Table | None:
        """The table as it is now."""
        from pyiceberg.exceptions import NoSuchTableError  # noqa: PLC0415 - with the catalog

        try:
            return self._catalog.load_table(f"{NAMESPACE}.{name}")
        except NoSuchTableError:
            return None

    def create(self, name: str, definition: Definition) -> Table:
        """Make a table below the warehouse."""
        from trailhouse.lake import iceberg  # noqa: PLC0415 - with the catalog

        schema = iceberg.iceberg_schema(definition.columns)
        return self._catalog.create_table(
            f"{NAMESPACE}.{name}",
            schema,
            partition_spec=iceberg.partition_spec(schema, definition.keys),
            sort_order=iceberg.sort_order(schema, SORT_KEYS),
            properties=PROPERTIES,
        )

    def locations(self) -> dict[str, str]:
        """Straight from the database."""
        if not self._workspace.catalog.exists():
            return {}
        uri = f"{self._workspace.catalog.absolute().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(uri, uri=True)) as database:
                rows = database.execute("SELECT table_name, metadata_location FROM iceberg_tables").fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return {}
            raise LakeError(
                f"the catalog {self._workspace.catalog} cannot be read ({error}): try again"
            ) from error
        except sqlite3.DatabaseError as error:
            raise self.damaged(str(error)) from error
        for _, location in rows:
            if not os.path.exists(location):  # noqa: PTH110 - before every command
                raise self.damaged(f"{location} is not there: the folder was moved, or a part is gone")
        return dict(rows)

    @property
    def _cache_path(self) -> Path:
        return self._workspace.root / _CACHE

    def recall(self) -> Mapping[str, tuple[str, TableFiles]]:
        """What is kept; nothing when it is missing or damaged, for it can be made anew."""
        try:
            kept = json.loads(self._cache_path.read_text()).items()
            return {n: (at, TableFiles(tuple(map(str, paths)), int(rows))) for n, (at, paths, rows) in kept}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def remember(self, known: Mapping[str, tuple[str, TableFiles]]) -> None:
        """Keep it beside the database."""
        kept = {n: [at, list(files.paths), files.rows] for n, (at, files) in known.items()}
        write_durably(self._cache_path, json.dumps(kept))

    def damaged(self, reason: str) -> LakeError:
        """Only starting anew can mend it."""
        return damaged(self._workspace, reason)


def damaged(workspace: Workspace, reason: str) -> LakeError:
    """The error for what only starting anew can mend."""
    return LakeError(
        f"the lake in {workspace.root} is damaged ({reason}): remove that folder (`trailhouse clean`), "
        "and the next command takes everything in anew"
    )


def changed(name: str) -> LakeError:
    """The error for a table that is not as this run saw it any more."""
    return LakeError(
        f"the table {name} of the lake was changed by somebody else during this run, which therefore stops; "
        "nothing is lost or double: run again"
    )
