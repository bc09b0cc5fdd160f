"""Answers from the local lake with DuckDB: the names as views, nothing else in reach."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import duckdb

from trailhouse.core.layout import Kind
from trailhouse.core.schema import Column, duckdb_type
from trailhouse.core.views import View, local_views
from trailhouse.dialect import Statement, explain_duckdb_error, install
from trailhouse.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa


_BATCH_ROWS = 10_000


class DuckDB:
    """A connection to one state of a local lake."""

    name = "duckdb"

    def __init__(
        self, files: Mapping[Kind, Sequence[str]], ledger: Sequence[str], prefix: str, spill: Path
    ) -> None:
        """Make the names.

        Args:
            files: Paths of each kind's data files.
            ledger: Paths of the ledger's.
            prefix: `table_prefix`.
            spill: Folder for what does not fit into memory.
        """
        self._connection = duckdb.connect(config={"temp_directory": os.fspath(spill)})
        install(self._connection)
        accounts = {kind: self._accounts(paths) for kind, paths in files.items() if paths}
        self.views: dict[str, View] = {v.name: v for v in local_views(prefix, files, ledger, accounts)}
        for view in self.views.values():
            self._connection.execute(f'CREATE VIEW "{view.name}" AS {view.sql}')
        self._lock([path for paths in (*files.values(), ledger) for path in paths])

    def _accounts(self, paths: Sequence[str]) -> list[str]:
        rows = self._connection.execute(
            "SELECT DISTINCT account FROM read_parquet($1) WHERE regexp_full_match(account, '[0-9]{12}') ORDER BY 1",
            [list(paths)],
        )
        return [row[0] for row in rows.fetchall()]

    def _lock(self, paths: list[str]) -> None:
        """Leave nothing in reach of a statement but the lake's own files."""
        self._connection.execute("SET allowed_paths = $1", [paths])
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def tables(self) -> dict[str, list[tuple[str, str]]]:
        """Every name with its columns and their types."""
        return {view.name: [(c.name, _type(c)) for c in view.columns] for view in self.views.values()}

    def execute(self, statement: Statement) -> pa.RecordBatchReader:
        """Run a translated statement; rows come as they are computed.

        Raises:
            SqlError: The engine refuses it.
        """
        try:
            return self._connection.execute(statement.duckdb).to_arrow_reader(_BATCH_ROWS)
        except duckdb.Error as error:
            raise self._explained(error, statement) from error

    def ask(self, sql: str, values: Sequence[object] = ()) -> pa.RecordBatchReader:
        """Run a statement of our own, in DuckDB's SQL, on a cursor of its own."""
        return self._connection.cursor().execute(sql, list(values)).to_arrow_reader(_BATCH_ROWS)

    def _explained(self, error: duckdb.Error, statement: Statement) -> SqlError:
        columns = {view.name: [c.name for c in view.columns] for view in self.views.values()}
        return explain_duckdb_error(str(error), statement.athena, columns)

    def interrupt(self) -> None:
        """Stop the running statement; safe from another thread."""
        self._connection.interrupt()

    def close(self) -> None:
        """Let go of memory and files."""
        self._connection.close()


def _type(column: Column) -> str:
    return duckdb_type(column.type).lower()
