"""The real server on the bed: it reads CloudTrail, prunes, and commits only where the catalog lets it."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil
import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException

from bed import guard
from bed.faults import Fault
from bed.trino import TrinoError

if TYPE_CHECKING:
    from pathlib import Path

    from bed.trino import Trino

DATABASE = "bedtest"
ACCOUNT = "111122223333"
COLUMNS = [
    {"Name": name, "Type": kind}
    for name, kind in (
        ("eventname", "string"), ("useridentity", "struct<type:string,arn:string>"), ("requestparameters", "string"),
        ("resources", "array<struct<arn:string>>"), ("addendum", "struct<reason:string,updatedfields:string>"),
    )
]  # fmt: skip
trino_lane = pytest.mark.trino


def located(location: str) -> dict[str, Any]:
    return {
        "Columns": COLUMNS, "Location": location,
        "InputFormat": "com.amazon.emr.cloudtrail.CloudTrailInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hive.hcatalog.data.JsonSerDe", "Parameters": {}},
    }  # fmt: skip


@pytest.fixture(scope="module")
def logs(trino: Trino) -> str:
    """Three days of one account in two regions, a file each, in a partitioned table."""
    glue, root = trino.aws.client("glue"), f"s3://bed-logs/AWSLogs/{ACCOUNT}/CloudTrail/"
    bucket = trino.aws.bucket("bed-logs")
    glue.create_database(DatabaseInput={"Name": DATABASE})
    keys = [{"Name": key, "Type": "string"} for key in ("region", "year", "month", "day")]
    given = {
        "Name": "logs",
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": located(root),
        "PartitionKeys": keys,
    }
    glue.create_table(DatabaseName=DATABASE, TableInput={**given, "Parameters": {"EXTERNAL": "TRUE"}})
    partitions = []
    for region in ("eu-west-1", "us-east-1"):
        for day in ("01", "02", "03"):
            folder = f"AWSLogs/{ACCOUNT}/CloudTrail/{region}/2024/05/{day}/"
            record = {
                "eventName": f"Put{day}", "userIdentity": {"type": "Root", "arn": "arn"}, "resources": [{"ARN": "r"}],
                "requestParameters": {"n": 1.0}, "addendum": {"reason": "x", "updatedFields": ["a"]},
            }  # fmt: skip
            name = f"{ACCOUNT}_CloudTrail_{region}_202405{day}T0005Z_aaaaaaaaaaaaaaaa.json.gz"
            body = json.dumps({"Records": [record, record]}).encode()
            bucket.put(f"{folder}{name}", gzip.compress(body))
            partitions.append(
                {
                    "Values": [region, "2024", "05", day],
                    "StorageDescriptor": located(f"s3://bed-logs/{folder}"),
                }
            )
    glue.batch_create_partition(DatabaseName=DATABASE, TableName="logs", PartitionInputList=partitions)
    return f"{DATABASE}.logs"


@trino_lane
def test_trino_reads_cloudtrail(trino: Trino, logs: str) -> None:
    rows = trino.query(
        "SELECT eventname, useridentity.type, requestparameters, resources[1].arn, addendum.updatedfields, "
        f"\"$path\" FROM {logs} WHERE day = '02' AND region = 'eu-west-1' LIMIT 1"
    )
    [(name, kind, asked, resource, updated, path)] = rows
    assert (name, kind, asked, resource, updated) == ("Put02", "Root", '{"n": 1.0}', "r", '["a"]')
    assert path.startswith("s3://bed-logs/AWSLogs/") and path.endswith(".json.gz")  # noqa: PT018 - one path


@trino_lane
def test_statistics_show_what_was_read(trino: Trino, logs: str) -> None:
    narrow = trino.stats(
        f"SELECT count(*), count(eventname) FROM {logs} WHERE day = '02' AND region = 'eu-west-1'"
    )
    assert narrow.rows == [(2, 2)]
    assert [path.split("/")[6:10] for path in narrow.files] == [["eu-west-1", "2024", "05", "02"]]
    assert narrow.input_rows == 2
    assert len(narrow.folders) == 1
    wide = trino.stats(f"SELECT count(*), count(eventname) FROM {logs}")
    assert wide.rows == [(12, 12)]
    assert len(wide.files) == len(wide.folders) == 6
    assert wide.input_bytes > narrow.input_bytes > 0
    assert wide.requests["GetObject"] >= 6


@trino_lane
def test_refusals_have_trino_s_names(trino: Trino) -> None:
    with pytest.raises(TrinoError) as caught:
        trino.query("SELECT 1 / 0")
    assert caught.value.name == "DIVISION_BY_ZERO"
    asked = trino.query(
        "SHOW SESSION LIKE 'join_distribution_type'", session={"join_distribution_type": "BROADCAST"}
    )
    assert asked[0][1] == "BROADCAST"


def pyiceberg(trino: Trino) -> Any:
    keys = {"access-key-id": "testing", "secret-access-key": "testing", "region": "us-east-1"}
    options = {f"{kind}.{name}": value for kind in ("glue", "s3") for name, value in keys.items()}
    url = trino.aws.url
    # No retries of PyIceberg's own: a refused commit must be seen.
    return load_catalog("bed", **{"type": "glue", "glue.endpoint": url, "s3.endpoint": url, **options})


@pytest.fixture(scope="module")
def lake(trino: Trino, logs: str) -> str:
    trino.aws.bucket("bed-lake")
    trino.query(
        f"CREATE TABLE {DATABASE}.lake (name varchar, day varchar) "
        "WITH (location = 's3://bed-lake/lake', format = 'PARQUET', partitioning = ARRAY['day'])",
        catalog="iceberg",
    )
    trino.query(
        f"INSERT INTO {DATABASE}.lake SELECT eventname, day FROM awsdatacatalog.{logs}", catalog="iceberg"
    )
    return f"{DATABASE}.lake"


@trino_lane
def test_both_commit_and_read_each_other(trino: Trino, lake: str) -> None:
    table = pyiceberg(trino).load_table(lake)
    before = table.scan().to_arrow().num_rows
    assert before == 12
    table.append(pa.table({"name": ["ours"], "day": ["04"]}))
    # By either catalog: tables are redirected both ways.
    assert trino.query(f"SELECT count(*) FROM {lake}", catalog="iceberg") == [(13,)]
    assert trino.query(f"SELECT name FROM {lake} WHERE day = '04'") == [("ours",)]
    trino.query(f"DELETE FROM {lake} WHERE day = '04'", catalog="iceberg")
    assert pyiceberg(trino).load_table(lake).scan().to_arrow().num_rows == before
    assert trino.query(
        f"SELECT count(*) FROM iceberg.{DATABASE}.logs WHERE day = '01'", catalog="iceberg"
    ) == [(4,)]


@trino_lane
def test_a_stale_commit_of_pyiceberg_is_refused(trino: Trino, lake: str) -> None:
    """The catalog itself refuses, not the client's look before."""
    table = pyiceberg(trino).load_table(lake)
    held = trino.aws.glue
    stale = held.get_table({"DatabaseName": DATABASE, "Name": "lake"})["Table"]
    # What it is told of the table is old by the time that it writes.
    real, held.get_table = held.get_table, lambda _asked: {"Table": stale}  # type: ignore[method-assign]  # for this test only
    try:
        trino_side = {
            k: stale[k] for k in ("Name", "TableType", "Parameters", "StorageDescriptor", "PartitionKeys")
        }
        held.update_table(
            {"DatabaseName": DATABASE, "TableInput": {**trino_side, "Description": "someone else"}}
        )
        refused = len(held.log.refused)
        with pytest.raises(CommitFailedException, match="concurrent update"):
            table.append(pa.table({"name": ["lost"], "day": ["05"]}))
    finally:
        held.get_table = real  # type: ignore[method-assign]  # for this test only
    assert {(name, code) for name, code, _ in held.log.refused[refused:]} == {
        ("UpdateTable", "ConcurrentModificationException")
    }
    assert pyiceberg(trino).load_table(lake).scan(row_filter="day = '05'").to_arrow().num_rows == 0


@trino_lane
def test_a_stale_commit_of_trino_is_refused(trino: Trino, lake: str) -> None:
    """Trino's UpdateTable waits on the wire while PyIceberg commits."""
    trino.query(f"INSERT INTO {lake} VALUES ('base', '06')", catalog="iceberg")
    glue, arrived, committed = trino.aws.glue, threading.Event(), threading.Event()

    def first(_operation: str, _asked: dict[str, Any]) -> bool:
        fits = not arrived.is_set()
        arrived.set()
        return fits

    glue.inject(Fault("UpdateTable", when=first, until=committed))
    said: list[str] = []

    def delete() -> None:
        try:
            trino.query(f"DELETE FROM {lake} WHERE name = 'base'", catalog="iceberg")
            said.append("done")
        except TrinoError as error:
            said.append(f"{error.name}: {error.message}")

    statement = threading.Thread(target=delete)
    statement.start()
    assert arrived.wait(60)
    refused = len(glue.log.refused)
    table = pyiceberg(trino).load_table(lake)
    table.delete("day = '06'")
    table.append(pa.table({"name": ["ours"], "day": ["06"]}))
    committed.set()
    statement.join(60)
    assert ("UpdateTable", "ConcurrentModificationException") in {
        (n, c) for n, c, _ in glue.log.refused[refused:]
    }
    assert said[0].startswith("ICEBERG_COMMIT_ERROR"), said
    assert trino.query(f"SELECT name FROM {lake} WHERE day = '06'", catalog="iceberg") == [("ours",)]


@pytest.mark.corpus
@trino_lane
def test_the_corpus_is_loaded_once(trino: Trino, corpus: Path, trail_logs: str) -> None:
    assert trino.load(trail_logs, corpus, "AWSLogs/**/*") == trail_logs == "trail-logs"
    there = {
        path.relative_to(corpus).as_posix() for path in (corpus / "AWSLogs").rglob("*") if path.is_file()
    }
    assert set(trino.aws.buckets.all[trail_logs].objects) == there


@trino_lane
def test_the_demo_is_loaded_with_its_truth(trino: Trino, demo_logs: Path) -> None:
    assert json.loads((demo_logs / "truth.json").read_text())
    assert any(key.endswith(".json.gz") for key in trino.aws.buckets.all["demo-logs"].objects)


def test_the_server_goes_when_its_starter_is_killed(tmp_path: Path) -> None:
    """A killed session leaves no Java behind."""
    starter = (
        "import subprocess, sys, time\n"
        "g = subprocess.Popen([sys.executable, sys.argv[1], sys.executable, '-c',"
        ' \'import os, time; open("pid", "w").write(str(os.getpid())); time.sleep(600)\'],'
        " stdin=subprocess.PIPE, start_new_session=True)\n"
        "time.sleep(600)\n"
    )
    running = subprocess.Popen([sys.executable, "-c", starter, guard.__file__], cwd=tmp_path)
    written = tmp_path / "pid"
    _until(lambda: written.exists() and written.read_text().strip() != "")
    pid = int(written.read_text())
    assert psutil.pid_exists(pid)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    _until(lambda: not psutil.pid_exists(pid))


def _until(true: Any) -> None:
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)
