"""Answers from the local lake with DuckDB: the names as views, nothing else in reach."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, TypeVar

import duckdb
import pyarrow as pa

from trailhouse.core.schema import Column, duckdb_type
from trailhouse.core.views import View, local_views
from trailhouse.dialect import Statement, explain_duckdb_error, install, install_macros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from trailhouse.core.layout import Kind
    from trailhouse.errors import SqlError

_T = TypeVar("_T")
_BATCH_ROWS = 10_000
_PATIENCE = 5.0


class DuckDB:
    """One state of a local lake, and connections to it."""

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
        self._idle = [self._connection]
        self._busy: list[duckdb.DuckDBPyConnection] = []

    def _accounts(self, paths: Sequence[str]) -> list[str]:
        twelve = "regexp_full_match(account, '[0-9]{12}')"
        rows = self._connection.execute(
            f"SELECT DISTINCT account FROM read_parquet($1) WHERE {twelve} ORDER BY 1",  # noqa: S608 - a constant
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
            SqlError: The engine refuses it; also while rows are taken.
            KeyboardInterrupt: It was stopped.
        """
        # A connection forgets what it still had to say when it is asked again: each answer has its own.
        connection = self._idle.pop() if self._idle else self._another()
        self._busy.append(connection)
        try:
            reader = _heard(
                connection, lambda: connection.execute(statement.duckdb).to_arrow_reader(_BATCH_ROWS)
            )
        except BaseException as error:
            self._release(connection)
            if isinstance(error, duckdb.Error):
                raise self._explained(error, statement) from error
            raise
        return pa.RecordBatchReader.from_batches(reader.schema, self._rows(reader, connection, statement))

    def _another(self) -> duckdb.DuckDBPyConnection:
        cursor = self._connection.cursor()
        install_macros(cursor)
        return cursor

    def _rows(
        self, reader: pa.RecordBatchReader, connection: duckdb.DuckDBPyConnection, statement: Statement
    ) -> Iterator[pa.RecordBatch]:
        try:
            while (batch := _heard(connection, lambda: next(reader, None))) is not None:
                yield batch
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise self._explained(error, statement) from error
        finally:
            self._release(connection)

    def _release(self, connection: duckdb.DuckDBPyConnection) -> None:
        if connection in self._busy:
            self._busy.remove(connection)
            self._idle.append(connection)

    def ask(self, sql: str, values: Sequence[object] = ()) -> pa.RecordBatchReader:
        """Run a statement of our own, in DuckDB's SQL, on a cursor of its own."""
        return self._connection.cursor().execute(sql, list(values)).to_arrow_reader(_BATCH_ROWS)

    def _explained(self, error: Exception, statement: Statement) -> SqlError:
        columns = {view.name: [c.name for c in view.columns] for view in self.views.values()}
        # Errors that come while rows are read carry DuckDB's class of them in the text alone.
        return explain_duckdb_error(str(error), statement.athena, columns)

    def interrupt(self) -> None:
        """Stop the running statements; safe from another thread."""
        for connection in tuple(self._busy):
            connection.interrupt()

    def close(self) -> None:
        """Let go of memory and files."""
        for connection in (*self._busy, *self._idle, self._connection):
            connection.close()
        self._busy, self._idle = [], []


def _heard(connection: duckdb.DuckDBPyConnection, work: Callable[[], _T]) -> _T:
    """Do what may take long where Ctrl-C is heard: DuckDB looks for signals between its tasks only."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    outcome: Future[_T] = Future()

    def attempt() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed over to the waiting thread
            outcome.set_exception(error)

    threading.Thread(target=attempt, daemon=True).start()
    try:
        return outcome.result()
    except KeyboardInterrupt:
        connection.interrupt()
        wait([outcome], _PATIENCE)
        raise


def _type(column: Column) -> str:
    return duckdb_type(column.type).lower()
