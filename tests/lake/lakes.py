"""Buckets to take in, lakes over them, and what must hold of every lake."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from trailhouse.core.schema import RECORD_COLUMNS
from trailhouse.lake.ingest import Report, ingest
from trailhouse.lake.pending import Needed
from trailhouse.lake.tables import LEDGER, Tables, table_name
from trailhouse.lake.workspace import Workspace
from trailhouse.storage import Sources, open_sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
ACCOUNTS = ("111111111111", "222222222222")
REGIONS = ("us-east-1", "eu-west-1")
DAYS = ("2024-05-01", "2024-05-02", "2024-05-03")
CHILD = Path(__file__).with_name("child.py")
LAKES = tuple(table_name(kind) for kind in RECORD_COLUMNS)


def event(name: str, day: str = DAYS[0], **members: object) -> dict[str, Any]:
    """A record with this id."""
    return {
        "eventVersion": "1.08",
        "userIdentity": {"type": "IAMUser", "accountId": ACCOUNTS[0]},
        "eventTime": f"{day}T10:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "awsRegion": REGIONS[0],
        "recipientAccountId": ACCOUNTS[0],
        "eventID": name,
        **members,
    }


def key(day: str = DAYS[0], number: int = 0, account: str = ACCOUNTS[0], region: str = REGIONS[0], *,
        kind: str = "CloudTrail", root: str = "AWSLogs") -> str:  # fmt: skip
    """Where CloudTrail delivers a file."""
    path = day.replace("-", "/")
    stamp = f"{day.replace('-', '')}T1200Z"
    return f"{root}/{account}/{kind}/{region}/{path}/{account}_{kind}_{region}_{stamp}_{number:016}.json.gz"


def store(folder: Path, name: str, *records: object) -> Path:
    """Put a log file into a bucket."""
    return store_bytes(folder, name, pack({"Records": records}))


def pack(value: object) -> bytes:
    """JSON, compressed."""
    return gzip.compress(json.dumps(value).encode(), mtime=0)


def store_bytes(folder: Path, name: str, content: bytes) -> Path:
    """Put any object into a bucket."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def fill(folder: Path, records: int = 4) -> int:
    """A small organization: two accounts, two regions, three days, some events delivered again the next day.

    Returns:
        How many different events there are.
    """
    number = 0
    for a, account in enumerate(ACCOUNTS):
        for region in REGIONS:
            repeated: list[dict[str, Any]] = []
            for day in DAYS:
                own = [
                    event(f"{account}-{region}-{day}-{n}", day, awsRegion=region, recipientAccountId=account)
                    for n in range(records)
                ]
                store(folder, key(day, number, account, region), *own, *repeated)
                repeated = own[: 1 + a]
                number += 1
    return len(ACCOUNTS) * len(REGIONS) * len(DAYS) * records


class Recorder:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.points: list[str] = []
        self.started: list[tuple[int, int]] = []
        self.advanced: list[tuple[int, int, int]] = []
        self.ended = 0
        self.waited = 0

    def start(self, files: int, stored_bytes: int) -> None:
        self.started.append((files, stored_bytes))

    def advance(self, files: int, stored_bytes: int, records: int) -> None:
        self.advanced.append((files, stored_bytes, records))

    def reached(self, point: str) -> None:
        self.points.append(point)

    def waiting(self) -> None:
        self.waited += 1

    def done(self) -> None:
        self.ended += 1


@dataclass
class Lake:
    """A working folder over sources, taken in and asked without the product's views."""

    source: Path
    root: Path
    progress: Recorder = field(default_factory=Recorder)

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.root)

    def sources(self) -> Sources:
        return open_sources([os.fspath(self.source)], stdin=io.BytesIO(), spool=self.root.parent / "stdin")

    def ingest(self, *, needed: Needed | None = None, jobs: int = 1, **options: int) -> Report:
        self.workspace.prepare([os.fspath(self.source)])
        self.progress = Recorder()
        return ingest(
            self.sources(), self.workspace, needed=needed or Needed(), now=NOW, progress=self.progress, jobs=jobs,
            **options,
        )  # fmt: skip

    def files(self, table: str) -> tuple[str, ...]:
        tables = Tables(self.workspace)
        try:
            return tables.files()[table].paths
        finally:
            tables.close()

    def ask(
        self, sql: str, *values: object, table: str = table_name(next(iter(RECORD_COLUMNS)))
    ) -> list[Any]:
        """Rows of a statement; `t` in it is the table."""
        paths = list(self.files(table))
        if not paths:
            return []
        with duckdb.connect() as connection:
            connection.read_parquet(paths, hive_partitioning=False).create_view("t")
            return connection.execute(sql, list(values)).fetchall()

    def one(self, sql: str, table: str = "cloudtrail_lake") -> Any:  # noqa: ANN401 - any value
        """The first value of a statement."""
        return self.ask(sql, table=table)[0][0]

    def ledger(self) -> dict[str, tuple[Any, ...]]:
        """Status, records, misfits and reason by name."""
        rows = self.ask("SELECT logfile, status, records, misfits, reason FROM t", table=LEDGER)
        assert len({row[0] for row in rows}) == len(rows)
        return {row[0]: row[1:] for row in rows}

    def contents(self) -> dict[str, list[Any]]:
        """All that must not depend on how it came in."""
        found = {
            name: self.ask("SELECT md5(r::VARCHAR) FROM (SELECT * EXCLUDE (ingestedat, duplicate) FROM t) r ORDER BY 1",
                           table=name)
            for name in LAKES
        }  # fmt: skip
        found["events"] = self.ask(
            "SELECT eventid, eventtime, count(*) FROM t WHERE NOT duplicate GROUP BY ALL ORDER BY ALL"
        )
        found[LEDGER] = self.ask(
            "SELECT * EXCLUDE (batch, ingestedat) FROM t ORDER BY source, logfile", table=LEDGER
        )
        return found

    def snapshots(self) -> list[str]:
        """The metadata that the catalog names; a commit changes it."""
        return sorted(Tables(self.workspace).catalog.locations().values())

    def check(self) -> None:
        """What must hold whenever no run is on."""
        named = {path for table in (*LAKES, LEDGER) for path in self.files(table)}
        there = {os.fspath(path) for path in self.workspace.warehouse.rglob("*.parquet")}
        assert there == named
        assert not list(self.workspace.staging.iterdir())
        assert not list(self.workspace.intents.iterdir())
        assert not list(self.root.rglob("*.new"))
        by_ledger = self.ask(
            "SELECT logroot, logfile, records FROM t WHERE records > 0 ORDER BY ALL", table=LEDGER
        )
        sql = "SELECT logroot, logfile, count(*) FROM t GROUP BY ALL"
        by_lake = [row for name in LAKES for row in self.ask(sql, table=name)]
        assert sorted(by_lake) == by_ledger
        doubled = self.ask(
            "SELECT eventid, count(*) FILTER (NOT duplicate) AS n FROM t WHERE eventid IS NOT NULL "
            "GROUP BY eventid, eventtime, eventsource, eventname, recipientaccountid HAVING n <> 1"
        )
        assert doubled == []


def fingerprint(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Everything that must not change in a source."""
    return {
        os.fspath(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            path.stat().st_mode,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in folder.rglob("*")
    }


def start_child(lake: Lake, *arguments: object) -> subprocess.Popen[str]:
    """A process of its own that takes a source in; see child.py."""
    return subprocess.Popen(
        [sys.executable, os.fspath(CHILD), os.fspath(lake.source), os.fspath(lake.root), *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def names(items: Iterable[Sequence[Any]]) -> list[str]:
    """First values, sorted."""
    return sorted(item[0] for item in items)
