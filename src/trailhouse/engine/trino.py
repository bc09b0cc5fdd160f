"""Answers from any Trino: statements as they are, watched, stopped with Ctrl-C, streamed. Needs the extra `trino`."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from trailhouse.core.prices import Estimate
from trailhouse.dialect.remote import Names
from trailhouse.dialect.scans import Name
from trailhouse.engine import Unwatched, Watch
from trailhouse.engine.failures import failure
from trailhouse.engine.trino_rows import batch_of, reading
from trailhouse.errors import EngineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trailhouse.dialect import Statement
    from trailhouse.errors import TrailhouseError

_ROWS = 1_000
_LOOK = 0.2
_COLUMNS = "FROM information_schema.columns WHERE table_schema"
_PORTS = {"http": 8080, "https": 443}


@dataclass(frozen=True, slots=True)
class Server:
    """How to reach a Trino.

    Attributes:
        url: `http://` or `https://`; with `user:password@` in it, these are sent (https only).
        catalog: that holds the database.
        user: who asks, where the address names nobody.
    """

    url: str
    catalog: str
    user: str

    @property
    def shown(self) -> str:
        """The address without secrets."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"


class Trino:
    """A connection to a Trino."""

    name = "trino"

    def __init__(
        self,
        server: Server,
        database: str,
        *,
        watch: Watch | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet.

        Args:
            server: how to reach it.
            database: Trino's schema that holds the tables.
            watch: hears how far a statement is.
            clock: returns seconds from any beginning.

        Raises:
            UsageError: the client is not installed, or a password would travel unencrypted.
        """
        self.server = server
        self.database = database
        self._watch = watch or Unwatched()
        self._clock = clock
        self._stop = threading.Event()
        self._connection = _connect(server, database)
        self._known: dict[str, dict[str, list[tuple[str, str]]]] = {}
        self.last: dict[str, Any] = {}

    def tables(self) -> dict[str, list[tuple[str, str]]]:
        """Every name of the database with its columns and their types. Raises EngineError."""
        return self._tables(self.database)

    @property
    def names(self) -> Names:
        """The same for the dialect."""
        return Names(self.database, self._name, lambda database: list(self._tables(database)))

    def execute(self, statement: Statement) -> pa.RecordBatchReader:
        """Run a statement; rows come as they are computed.

        Raises:
            SqlError: Trino says that the statement is wrong; also while rows are taken.
            EngineError: it failed for another reason, or cannot be reached.
            KeyboardInterrupt: it was stopped, there, too.
        """
        self.last = {}
        self._stop.clear()
        cursor = self._connection.cursor(legacy_primitive_types=True)
        try:
            self._heard(cursor, lambda: cursor.execute(statement.athena), statement.athena)
        finally:
            self._watch.done()
        columns = cursor.description or ()
        names = [column.name for column in columns]
        readings = [reading(column.type_code) for column in columns]
        schema = batch_of([], names, readings).schema

        def batches() -> Iterator[pa.RecordBatch]:
            try:
                while rows := self._heard(cursor, lambda: cursor.fetchmany(_ROWS), statement.athena):
                    yield batch_of(rows, names, readings)
                self._remember(cursor)
            finally:
                cursor.close()

        return pa.RecordBatchReader.from_batches(schema, batches())

    def interrupt(self) -> None:
        """Stop the running statement; safe from another thread."""
        self._stop.set()

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def estimate(self, statement: Statement) -> Estimate | None:
        """The bytes that Trino itself expects to read; None where it cannot tell, as for raw files.

        Raises:
            SqlError: the statement is wrong.
            EngineError: Trino cannot be reached.
        """
        rows = self._rows(f"EXPLAIN (TYPE IO, FORMAT JSON)\n{statement.athena}")
        tables = json.loads(rows[0][0]).get("inputTableColumnInfos", [])
        sizes = [table.get("estimate", {}).get("outputSizeInBytes") for table in tables]
        if not all(isinstance(size, int | float) and size == size for size in sizes):  # noqa: PLR0124 - NaN
            return None
        total = round(sum(sizes))
        return Estimate(total, total, total)

    def _tables(self, database: str) -> dict[str, list[tuple[str, str]]]:
        if database not in self._known:
            quoted = database.replace("'", "''")
            sql = f"SELECT table_name, column_name, data_type {_COLUMNS} = '{quoted}' ORDER BY 1, ordinal_position"
            rows = self._rows(sql)
            found: dict[str, list[tuple[str, str]]] = {}
            for table, column, kind in rows:
                found.setdefault(table, []).append((column, kind))
            self._known[database] = found
        return self._known[database]

    def _name(self, database: str, name: str) -> Name | None:
        columns = self._tables(database).get(name)
        return None if columns is None else Name(tuple(column for column, _ in columns))

    def _rows(self, sql: str) -> Sequence[Sequence[Any]]:
        cursor = self._connection.cursor()
        try:
            self._heard(cursor, lambda: cursor.execute(sql), sql)
            rows: Sequence[Sequence[Any]] = self._heard(cursor, cursor.fetchall, sql)
            return rows
        finally:
            cursor.close()

    def _heard(self, cursor: Any, work: Callable[[], Any], sql: str) -> Any:  # noqa: ANN401 - of the client
        """Do what may take long where Ctrl-C is heard, and tell how far it is."""
        outcome: list[Any] = []
        over = threading.Event()

        def attempt() -> None:
            try:
                outcome.append(work())
            except BaseException as error:  # noqa: BLE001 - handed over to the waiting thread
                outcome.append(error)
            over.set()

        began = self._clock()
        threading.Thread(target=attempt, daemon=True).start()
        try:
            while not over.wait(_LOOK):
                if self._stop.is_set():
                    raise KeyboardInterrupt  # noqa: TRY301 - the same end as Ctrl-C
                stats = cursor.stats or {}
                scanned = stats.get("physicalInputBytes") or stats.get("processedBytes") or 0
                self._watch.running(str(stats.get("state", "QUEUED")), scanned, self._clock() - began)
        except KeyboardInterrupt:
            cursor.cancel()
            raise
        if isinstance(outcome[0], Exception):
            raise self._explained(outcome[0], cursor, sql) from outcome[0]
        return outcome[0]

    def _remember(self, cursor: Any) -> None:  # noqa: ANN401 - of the client
        stats = cursor.stats or {}
        self.last = {
            "query_id": cursor.query_id,
            "bytes_scanned": stats.get("physicalInputBytes"),
            "milliseconds": stats.get("elapsedTimeMillis"),
        }

    def _explained(self, error: Exception, cursor: Any, sql: str) -> TrailhouseError:  # noqa: ANN401 - of the client
        from trino.exceptions import TrinoQueryError  # noqa: PLC0415 - an extra

        if isinstance(error, TrinoQueryError):
            reason = f"{error.error_name}: {error.message}"
            return failure("Trino", "FAILED", reason, sql, str(error.query_id or cursor.query_id or ""))
        text = f"Trino at {self.server.shown}: {error}: check --trino-url, the user and the network"
        return EngineError(text)


def _connect(server: Server, database: str) -> Any:  # noqa: ANN401 - of the client
    try:
        from trino.auth import BasicAuthentication  # noqa: PLC0415 - an extra
        from trino.dbapi import connect  # noqa: PLC0415 - an extra
    except ImportError:
        raise UsageError("the client of Trino is not installed: pip install 'trailhouse[trino]'") from None
    parts = urlsplit(server.url)
    user = unquote(parts.username) if parts.username else server.user
    if parts.password and parts.scheme != "https":
        raise UsageError(f"{server.shown}: a password goes with https only")
    auth = BasicAuthentication(user, unquote(parts.password)) if parts.password else None
    return connect(  # type: ignore[no-untyped-call]  # of the client
        host=parts.hostname, port=parts.port or _PORTS[parts.scheme], http_scheme=parts.scheme, user=user,
        catalog=server.catalog, schema=database, source="trailhouse", auth=auth,
    )  # fmt: skip
