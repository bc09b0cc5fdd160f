"""Lakes in AWS, over logs in S3; asked through PyIceberg as any other program has it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog import load_catalog

from bed.aws import REGION, Aws
from lake.lakes import NOW, Recorder
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Call, Gate
from trailhouse.lake.delivered import by_bucket
from trailhouse.lake.ingest import Report, take_in
from trailhouse.lake.pending import Needed
from trailhouse.lake.s3_lake import S3Lake
from trailhouse.lake.tables import LEDGER
from trailhouse.lake.workspace import Workspace
from trailhouse.storage import Sources, open_sources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import pytest
    from pyiceberg.table import Table

LOGS, LAKE, DATABASE = "org-logs", "my-lake", "security"
URI = f"s3://{LAKE}/cloudtrail"
CHILD = Path(__file__).with_name("cloud_child.py")


@dataclass
class Cloud:
    """A lake in an AWS of its own, and the logs that it is made from."""

    aws: Aws
    work: Path
    logs: str = LOGS
    uri: str = URI
    database: str = DATABASE
    calls: list[Call] = field(default_factory=list)
    progress: Recorder = field(default_factory=Recorder)
    runs: int = 0

    @cached_property
    def gate(self) -> Gate:
        return Gate(Access(endpoint_url=self.aws.url), record=self.calls.append)

    def lake(self, **options: Any) -> S3Lake:  # noqa: ANN401 - as the lake takes them
        """The lake as a run of its own sees it."""
        self.runs += 1
        workspace = Workspace(self.work / f"run-{self.runs}")
        workspace.prepare([self.uri])
        given = {"database": self.database, "holder": f"run-{self.runs}", **options}
        return S3Lake(self.gate, self.uri, workspace, **given)

    def sources(self, *prefixes: str) -> Sources:
        access = Access(endpoint_url=self.aws.url)
        named = [f"s3://{self.logs}/{prefix}" for prefix in prefixes or ("",)]
        return by_bucket(open_sources(named, stdin=io.BytesIO(), spool=self.work / "stdin", access=access))

    def ingest(
        self, *, needed: Needed | None = None, now: datetime = NOW, lake: S3Lake | None = None, **options: int
    ) -> Report:
        self.progress = Recorder()
        return take_in(
            self.sources(), lake or self.lake(), needed=needed or Needed(), now=now, progress=self.progress, jobs=1,
            **options,
        )  # fmt: skip

    def store(self, name: str, content: bytes) -> None:
        self.aws.bucket(self.logs).put(name, content)

    def objects(self) -> list[str]:
        """Keys of the lake's bucket."""
        return sorted(self.aws.buckets.all[LAKE].objects)

    def table(self, name: str) -> Table:
        """As any other program opens it."""
        said = {"access-key-id": "testing", "secret-access-key": "testing", "region": REGION}
        options = {f"{kind}.{name}": value for kind in ("glue", "s3") for name, value in said.items()}
        endpoints = {"type": "glue", "glue.endpoint": self.aws.url, "s3.endpoint": self.aws.url}
        return load_catalog("other", **{**endpoints, **options}).load_table((self.database, name))

    def rows(self, name: str = "cloudtrail_lake") -> pa.Table:
        """The rows of the files that the current snapshot names: PyIceberg itself reads NULL lists as empty ones."""
        files = [task.file.file_path for task in self.table(name).scan().plan_files()]
        found = [pq.read_table(io.BytesIO(self.object(path))) for path in files]
        return pa.concat_tables(found) if found else self.table(name).schema().as_arrow().empty_table()

    def object(self, location: str) -> bytes:
        """The content of an object of the lake's bucket."""
        return self.aws.buckets.all[LAKE].objects[location.removeprefix(f"s3://{LAKE}/")].body

    def ask(self, sql: str, name: str = "cloudtrail_lake") -> list[Any]:
        """Rows of a statement; `t` in it is the table, read by PyIceberg."""
        rows = self.rows(name)
        with duckdb.connect() as connection:
            connection.register("t", rows)
            return connection.execute(sql).fetchall()

    def contents(self) -> dict[str, list[Any]]:
        """All that must not depend on how it came in."""
        return {
            "lake": self.ask(
                "SELECT md5(r::VARCHAR) FROM (SELECT * EXCLUDE (ingestedat, duplicate) FROM t) r ORDER BY 1"
            ),
            "events": self.ask(
                "SELECT eventid, eventtime, count(*) FROM t WHERE NOT duplicate GROUP BY ALL ORDER BY ALL"
            ),
            "files": self.ask("SELECT * EXCLUDE (batch, ingestedat) FROM t ORDER BY source, logfile", LEDGER),
        }

    def check(self) -> None:
        """What must hold whenever no run is on."""
        named = {
            task.file.file_path
            for name in ("cloudtrail_lake", LEDGER)
            for task in self.table(name).scan().plan_files()
        }
        there = {f"s3://{LAKE}/{key}" for key in self.objects() if key.endswith(".parquet")}
        assert there == named
        assert not [key for key in self.objects() if "/intents/" in key]
        by_ledger = self.ask("SELECT logroot, logfile, records FROM t WHERE records > 0 ORDER BY ALL", LEDGER)
        assert self.ask("SELECT logroot, logfile, count(*) FROM t GROUP BY ALL ORDER BY ALL") == by_ledger
        assert self.ask("SELECT logfile FROM t GROUP BY ALL HAVING count(*) > 1", LEDGER) == []
        doubled = self.ask(
            "SELECT eventid, count(*) FILTER (NOT duplicate) AS n FROM t WHERE eventid IS NOT NULL "
            "GROUP BY eventid, eventtime, eventsource, eventname, recipientaccountid HAVING n <> 1"
        )
        assert doubled == []

    def lock_expires(self) -> None:
        """As if its holder had died long ago."""
        self.aws.buckets.all[LAKE].objects["cloudtrail/lock.json"].modified -= 3600

    def child(self, *arguments: object) -> subprocess.Popen[str]:
        """A process of its own that takes the logs in; see cloud_child.py."""
        self.runs += 1
        given = (
            self.aws.url,
            self.logs,
            self.uri,
            self.database,
            self.work / f"child-{self.runs}",
            *arguments,
        )
        environment = {**os.environ, **self.aws.environment(), "PYTHONPATH": os.fspath(CHILD.parent.parent)}
        return subprocess.Popen(
            [sys.executable, os.fspath(CHILD), *map(str, given)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip


@contextmanager
def started(work: Path, patch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An AWS with empty buckets and an empty database, and its credentials in the environment."""
    with Aws() as aws:
        for name, value in aws.environment().items():
            patch.setenv(name, value)
        aws.bucket(LOGS)
        aws.bucket(LAKE)
        aws.client("glue").create_database(DatabaseInput={"Name": DATABASE})
        yield Cloud(aws, work)
