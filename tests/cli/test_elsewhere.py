"""`trailhouse query` through Athena: price, refusals, results, provenance, explanations. The runs are scripted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.athena import Failed, Table, Workgroup
from bed.faults import denied
from cli.outcomes import Outcome, program
from engine import catalogs
from engine.catalogs import BUCKET

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.catalogs import Elsewhere

pytestmark = pytest.mark.emulator

NOTHING = Table([("n", "bigint")], [])


@pytest.fixture
def query(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Outcome]:
    """`query` in this process, with Athena as configured engine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAILHOUSE_WORKDIR", str(tmp_path / "work"))
    monkeypatch.setenv("TRAILHOUSE_DATABASE", catalogs.DATABASE)
    monkeypatch.setenv("TRAILHOUSE_ENGINE", "athena")

    return program(capfd, "query")


def test_rows_go_out_and_the_price_is_told(elsewhere: Elsewhere, query: Callable[..., Outcome]) -> None:
    done = query("SELECT count(*) AS n FROM cloudtrail WHERE day = '10'", "--format", "csv")
    assert (done.code, done.out) == (0, "n\n1\n")
    first, last = done.err.splitlines()
    assert first == "4 partitions, 8 objects, 8.0 kB: $0.000050"
    assert last.startswith("24.0 kB read, $0.000050, 1s (query ")
    assert last.endswith(", workgroup primary)")
    assert elsewhere.asked == ["SELECT count(*) AS n FROM cloudtrail WHERE day = '10'"]


def test_values_and_window_are_bound(elsewhere: Elsewhere, query: Callable[..., Outcome]) -> None:
    done = query(
        "SELECT eventname FROM cloudtrail WHERE eventname = :who", "--param", "who=o'hara", "--since", "2023-07-11",
        "--until", "2023-07-12", "--late", "0s", "--account", "111122223333", "--region", "us-east-1",
    )  # fmt: skip
    assert done.code == 0
    (sent,) = elsewhere.asked
    assert "eventname = 'o''hara'" in sent
    assert "account IN ('111122223333') AND region IN ('us-east-1')" in sent
    assert "2 partitions, 4 objects" in done.err


def test_a_dry_run_runs_nothing(elsewhere: Elsewhere, query: Callable[..., Outcome]) -> None:
    done = query("--dry-run", "SELECT * FROM cloudtrail")
    assert (done.code, done.out) == (0, "SELECT * FROM cloudtrail\n")
    assert done.err.splitlines() == [
        "12 partitions, 24 objects, 24.0 kB: $0.000050",
        "all 12 folders listed",
    ]
    assert elsewhere.athena.runs == {}
    assert "GetObject" not in elsewhere.counts()


def test_a_dry_run_for_programs(elsewhere: Elsewhere, query: Callable[..., Outcome]) -> None:
    done = query("--dry-run", "--json", "SELECT * FROM cloudtrail WHERE account = '111122223333'")
    told = json.loads(done.out)
    assert (told["engine"], told["partitions"], told["objects"]["value"]) == ("athena", 6, 12)
    assert told["bytes"] == {"value": 12_000, "low": 12_000, "high": 12_000}
    assert told["cost_usd"]["value"] == "0.00005"
    assert told["spread"] == {"day": 3, "account": 1, "region": 2}
    assert elsewhere.athena.runs == {}


def test_the_price_of_a_terabyte_is_a_setting(
    elsewhere: Elsewhere, query: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAILHOUSE_PRICE_PER_TB", "6.75")
    assert query("--dry-run", "SELECT * FROM cloudtrail").err.startswith(
        "12 partitions, 24 objects, 24.0 kB: $0.000068"
    )
    monkeypatch.setenv("TRAILHOUSE_PRICE_PER_TB", "-1")
    assert query("--dry-run", "SELECT * FROM cloudtrail").code == 64
    assert elsewhere.athena.runs == {}


def test_too_much_is_refused_before_it_runs(elsewhere: Elsewhere, query: Callable[..., Outcome]) -> None:
    done = query("--max-scan", "10kB", "SELECT * FROM cloudtrail")
    assert (done.code, done.out) == (1, "")
    assert (
        "not run: it would read 24.0 kB, and --max-scan is 10.0 kB: narrow it by day (3 are touched)"
        in done.err
    )
    assert query("--max-scan", "10kB", "--dry-run", "SELECT * FROM cloudtrail").code == 1
    assert elsewhere.athena.runs == {}
    assert query("--max-scan", "10kB", "SELECT * FROM cloudtrail WHERE day = '10'").code == 0


def test_a_limit_of_the_workgroup_is_looked_at_first(
    elsewhere: Elsewhere, query: Callable[..., Outcome]
) -> None:
    elsewhere.athena.workgroups["small"] = Workgroup(location="s3://x/", cutoff=10_000_000)
    catalogs.table(elsewhere.aws.client("glue"), "big", (), f"s3://{BUCKET}/big/")
    elsewhere.aws.client("s3").put_object(Bucket=BUCKET, Key="big/x.json.gz", Body=b"x" * 10_000_001)
    done = query("--workgroup", "small", "SELECT * FROM big")
    assert done.code == 1
    assert "be stopped and charged at 10.0 MB, the limit of workgroup small" in done.err
    assert elsewhere.athena.runs == {}


def test_without_a_price_it_runs_unless_a_limit_is_set(
    elsewhere: Elsewhere, query: Callable[..., Outcome]
) -> None:
    elsewhere.aws.s3.log.faults.append(denied("ListObjectsV2", times=None, status=403))
    done = query("SELECT count(*) AS n FROM cloudtrail")
    assert done.code == 0
    assert "what this reads cannot be told before it runs: " in done.err
    assert "s3:ListBucket" in done.err
    assert query("--dry-run", "SELECT count(*) AS n FROM cloudtrail").err.count("s3:ListBucket") == 1
    refused = query("--max-scan", "1TB", "SELECT count(*) AS n FROM cloudtrail")
    assert (refused.code, len(elsewhere.athena.runs)) == (1, 1)
    assert "not run, for --max-scan is 1.0 TB" in refused.err


def test_a_file_says_where_it_comes_from(
    elsewhere: Elsewhere, query: Callable[..., Outcome], tmp_path: Path
) -> None:
    done = query("SELECT count(*) AS n FROM cloudtrail WHERE day = '10'", "-o", str(tmp_path / "n.csv"))
    assert done.code == 0
    assert (tmp_path / "n.csv").read_text() == "n\n1\n"
    about = json.loads((tmp_path / "n.csv.provenance.json").read_text())
    run = about["run"]
    assert (about["engine"], about["inputs"], about["output"]["rows"]) == ("athena", [], 1)
    assert run["query_id"] in elsewhere.athena.runs
    assert (run["workgroup"], run["bytes_scanned"], run["cost_usd"]) == ("primary", 24_000, "0.00005")
    assert run["caller"].startswith("arn:aws:")
    assert (run["partitions"], run["days"]) == (4, ["2023-07-10", "2023-07-10"])
    assert run["submitted"].endswith("Z")
    assert run["estimate"]["objects"]["value"] == 8


@pytest.mark.parametrize(
    ("sql", "flags", "said"),
    [
        ("SELECT n FROM cloudtrail WHERE year = '2024'", (), "registered are days from 2023-07-10 to 2023-07-12"),
        ("SELECT n FROM cloudtrail WHERE month = '7'", (), "months and days have two digits: month = '07'"),
        ("SELECT n FROM cloudtrail WHERE region = 'nowhere'", (),
         "no partition of cloudtrail_111122223333 with region = nowhere is registered: see trailhouse plan"),
        ("SELECT n FROM cloudtrail WHERE account = '000000000000'", (), "no table holds what is asked for"),
        ("SELECT n FROM cloudtrail WHERE eventname = 'x'", (),
         "no record in 24 objects of 12 partitions, 2023-07-10 to 2023-07-12 matches"),
        ("SELECT n FROM cloudtrail", ("--since", "2023-07-01", "--until", "2023-07-11"),
         "of the days asked for only 2023-07-10 to 2023-07-12 have partitions"),
    ],
)  # fmt: skip
def test_an_empty_answer_explains_itself(
    elsewhere: Elsewhere, query: Callable[..., Outcome], sql: str, flags: tuple[str, ...], said: str
) -> None:
    elsewhere.table = NOTHING
    done = query(sql.replace("SELECT n", "SELECT eventname AS n"), *flags)
    assert done.code == 0
    assert said in done.err
    explained = done.err.splitlines()[-3:]
    assert any(said in line for line in explained)
    assert "GetObject" not in elsewhere.counts()


def test_partitions_without_an_object_are_said(elsewhere: Elsewhere, query: Callable[..., Outcome]) -> None:
    elsewhere.table = NOTHING
    catalogs.register(elsewhere.aws.client("glue"), "111122223333", ["2023-07-19"])
    done = query("SELECT eventname FROM cloudtrail_111122223333 WHERE day = '19'")
    assert "there is no object to read in the 2 partitions, 2023-07-19 to 2023-07-19" in done.err


def test_archived_objects_make_an_answer_incomplete(
    elsewhere: Elsewhere, query: Callable[..., Outcome]
) -> None:
    place = catalogs.folder("111122223333", "us-east-1", "2023-07-10")
    elsewhere.aws.client("s3").put_object(
        Bucket=BUCKET, Key=f"{place}old.gz", Body=b"x", StorageClass="GLACIER"
    )
    done = query("SELECT count(*) AS n FROM cloudtrail WHERE day = '10'")
    assert done.code == 3
    assert "1 object is archived, and left out of the answer" in done.err


def test_a_failure_is_an_error_with_its_place(elsewhere: Elsewhere, query: Callable[..., Outcome]) -> None:
    def fails(*_: str) -> Table:
        raise Failed("SYNTAX_ERROR: line 1:8: Function 'coun' not registered")

    elsewhere.athena.answers = fails
    done = query("SELECT coun(*) FROM cloudtrail")
    assert done.code == 1
    assert "  SELECT coun(*) FROM cloudtrail\n         ^" in done.err


def test_ctrl_c_stops_the_query_first(elsewhere: Elsewhere, tmp_path: Path) -> None:
    elsewhere.athena.hold = True
    environ = {
        **os.environ, **elsewhere.aws.environment(), "TRAILHOUSE_DATABASE": catalogs.DATABASE,
        "TRAILHOUSE_ENGINE": "athena", "TRAILHOUSE_WORKDIR": str(tmp_path),
    }  # fmt: skip
    program = Path(sys.executable).with_name("trailhouse")
    command = [program, "query", "SELECT count(*) AS n FROM cloudtrail"]
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        until = time.monotonic() + 120
        while not elsewhere.athena.runs and child.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    (run,) = elsewhere.athena.runs.values()
    assert (child.returncode, run.state, out) == (130, "CANCELLED", "")
    assert "the query was stopped in Athena" in err
    assert "\r" not in err


def test_nearest_names_come_from_the_catalog(elsewhere: Elsewhere, query: Callable[..., Outcome]) -> None:
    assert "nearest: cloudtrail" in query("SELECT * FROM cloudtrial").err
    assert "nearest: eventname" in query("SELECT eventnam FROM cloudtrail").err
    assert elsewhere.athena.runs == {}


def test_a_local_source_and_an_engine_elsewhere_are_two_things(
    elsewhere: Elsewhere, query: Callable[..., Outcome], tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    done = query("--engine", "athena", "-s", str(tmp_path / "logs"), "SELECT 1")
    assert done.code == 64
    assert "is on this machine: leave out one of them" in done.err
    assert query("-s", str(tmp_path / "logs"), "SELECT 1 AS n", "--format", "csv").out == "n\n1\n"
    assert elsewhere.athena.runs == {}


def test_a_trino_has_to_be_named(query: Callable[..., Outcome]) -> None:
    done = query("--engine", "trino", "SELECT 1")
    assert done.code == 64
    assert "give --trino-url" in done.err


def test_without_a_region_it_is_said(query: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    done = query("SELECT * FROM cloudtrail")
    assert (done.code, "no AWS region is set" in done.err) == (64, True)
