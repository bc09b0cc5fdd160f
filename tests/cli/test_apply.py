"""`plan`, `apply`, `ddl` and `destroy` as they are called, on a strict Glue and an emulated S3."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.faults import Fault, denied
from trailhouse.cli import main
from trailhouse.cli.planning import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.aws import Aws

pytestmark = pytest.mark.emulator

A, B = "111122223333", "444455556666"
PROGRAM = Path(sys.executable).with_name("trailhouse")


@dataclass
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def run(
    aws: Aws, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Outcome]:
    """The program in this process, on two accounts with three days each and a database of the test's own."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TRAILHOUSE_SOURCE", "s3://logs")
    monkeypatch.setenv("TRAILHOUSE_DATABASE", tmp_path.name.replace("-", "_")[:60])
    monkeypatch.chdir(tmp_path)
    aws.glue.heal()
    today = datetime.now(UTC).date()
    places = [
        f"{account}/CloudTrail/eu-west-1/{today - timedelta(days=n):%Y/%m/%d}"
        for account in (A, B)
        for n in range(3)
    ]
    aws.buckets.make("logs").put_all((f"AWSLogs/{place}/x.json.gz", b"{}") for place in places)

    def call(*args: str) -> Outcome:
        with pytest.raises(SystemExit) as left:
            main(list(args))
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return Outcome(int(left.value.code or 0), out, err)

    return call


def writes(aws: Aws) -> list[str]:
    return [name for name in aws.glue.counts if not name.startswith("Get")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--detailed-exitcode",), 2),
        (("--detailed-exitcode", "--json"), 2),
        (("--out", "a.plan"), 0),
        ((), 0),
    ],
)
@pytest.mark.usefixtures("run")
def test_whoever_reads_the_beginning_of_a_plan_has_its_exit_code_and_file(
    options: tuple[str, ...], code: int
) -> None:
    for verbose in ((), ("-v",)):  # little is written at the end only, much before it
        command = [PROGRAM, "plan", *options, *verbose]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
            assert started.stdout is not None
            started.stdout.close()
            assert started.wait(60) == code
            assert started.stderr is not None
            assert not re.search("pipe|Traceback", started.stderr.read(), re.IGNORECASE)
    if "--out" in options:
        assert json.loads(Path("a.plan").read_text())["parts"]


def test_a_plan_is_shown_carried_out_and_then_empty(aws: Aws, run: Callable[..., Outcome]) -> None:
    aws.glue.counts.clear()
    done = run("plan", "--detailed-exitcode")
    assert done.code == 2
    lines = done.out.splitlines()
    assert lines[0].startswith("+ database ")
    assert lines[1] == f"+ table cloudtrail_{A}"
    assert re.fullmatch(rf"\+ \d+ partitions of cloudtrail_{A}, \d{{4}}-.* \.\. .*, \d+ regions", lines[2])
    assert not any(line.startswith("~") for line in lines)  # a table that is made is not updated as well
    assert lines[-3:-1] == ["+ view cloudtrail", "+ view cloudtrail_events"]
    assert re.fullmatch(
        r"Plan: 1 database, 2 tables, \d+ partitions, 2 views to create; 2 tables to update\.", lines[-1]
    )
    assert re.search(r"about \d+ requests to Glue", done.err)
    assert writes(aws) == []
    assert f"    + eu-west-1/{datetime.now(UTC):%Y/%m/%d}/logs/AWSLogs" in run("plan", "-v").out.splitlines()

    done = run("apply", "--yes")
    assert (done.code, done.out.split(" ")[0]) == (0, "Done:")
    assert "2 tables, " in done.out
    assert f"+ table cloudtrail_{A}" in done.err

    aws.glue.counts.clear()
    assert run("plan", "--detailed-exitcode") == Outcome(
        0, "Nothing to do: the catalog is as it should be.\n", ""
    )
    assert run("apply", "--no-input").code == 0  # nothing is asked where nothing is to be done
    assert writes(aws) == []


def test_nothing_is_done_unasked(aws: Aws, run: Callable[..., Outcome]) -> None:
    aws.glue.counts.clear()
    done = run("apply", "--no-input")
    assert done.code == 64
    assert "Carry this out in " in done.err.splitlines()[-1]
    assert writes(aws) == []


def test_a_saved_plan(aws: Aws, run: Callable[..., Outcome]) -> None:
    for name in ("p.json", "q.json", "p.json.gz"):
        assert run("plan", "--out", name).code == 0
    assert (
        Path("p.json").read_bytes()
        == Path("q.json").read_bytes()
        == gzip.decompress(Path("p.json.gz").read_bytes())
    )
    assert run("plan", "--json").out.encode() == Path("p.json").read_bytes() + b"\n"
    found = json.loads(Path("p.json").read_text())
    assert [part["name"] for part in found["parts"]] == ["tables", A, B, "views", "former"]
    assert found["totals"]["table"] == {"create": 2, "update": 2}

    done = run("apply", "p.json.gz", "--json")
    assert done.code == 0
    assert json.loads(done.out) == {"done": found["totals"], "failed": {}, "leftOut": []}
    aws.glue.counts.clear()
    done = run("apply", "p.json")
    assert done.code == 1
    assert (
        f"p.json is stale: since it was made, the catalog changed in {A}, {B}, views. Nothing was done"
        in done.err
    )
    assert writes(aws) == []


def test_plans_that_cannot_be_used(run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("plan", "--out", "p.json").code == 0
    Path("cut.json").write_bytes(Path("p.json").read_bytes()[:-20])
    Path("cut.gz").write_bytes(gzip.compress(Path("p.json").read_bytes())[:-20])
    Path("text.json").write_text("hello\u202e")
    for name in ("cut.json", "cut.gz", "text.json"):
        done = run("apply", name)
        assert (done.code, done.out) == (1, "")
        assert f"{name} is no plan" in done.err
    assert run("apply", "none.json").code == 64
    assert run("apply", "p.json", "--target", A).code == 64
    monkeypatch.setenv("TRAILHOUSE_DATABASE", "another")
    done = run("apply", "p.json")
    assert done.code == 1
    assert "p.json is a plan for arn:aws:glue:us-east-1:" in done.err
    assert run("plan", "--out", "nowhere/p.json").code == 1


def test_what_is_not_ours_is_refused_by_name(aws: Aws, run: Callable[..., Outcome]) -> None:
    database = os.environ["TRAILHOUSE_DATABASE"]
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": database})
    glue.create_table(DatabaseName=database, TableInput={"Name": "cloudtrail"})
    aws.glue.counts.clear()
    for args in (("plan", "--out", "p.json"), ("apply", "--yes"), ("apply", "p.json")):
        done = run(*args)
        assert done.code == 1
        assert done.err.count("cloudtrail exists and was not made by trailhouse") == 1
    assert writes(aws) == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("plan", "--account", A), f"--account limits answers, and not what `plan` is about: {TARGETS}"),
        (("apply", "--yes", "--account", A), "--target ACCOUNT"),
        (("apply", "--yes", "--region", "eu-west-1"), "--region limits answers"),
        (("ddl", "--since", "7d"), "--all for days"),
        (("destroy", "--yes", "--account", A), "`destroy` is about: leave it out, everything of ours goes"),
        (("policy", "runner", "--account", A), "--account-id"),
    ],
)
def test_what_limits_answers_is_no_limit_of_the_catalog(
    aws: Aws, run: Callable[..., Outcome], args: tuple[str, ...], said: str
) -> None:
    aws.glue.counts.clear()
    done = run(*args)
    assert (done.code, done.out, writes(aws)) == (64, "", [])
    assert said in done.err


def test_where_nothing_can_be_planned_nothing_is_called_right(aws: Aws, run: Callable[..., Outcome]) -> None:
    assert run("apply", "--yes").code == 0
    undo = run("apply", "--undo", "--yes")
    assert undo.code == 1
    assert undo.err.count("there is nothing to put back") == 1
    assert "as it should be" not in undo.err
    aws.s3.log.faults.append(
        denied("ListObjectsV2", status=403, when=lambda _, asked: "CloudTrail" in str(asked))
    )
    failed = run("plan")
    aws.s3.log.faults.clear()
    lines = failed.out.splitlines()
    assert (failed.code, lines) == (
        3,
        [f"! {A}: not planned", f"! {B}: not planned", "No change is planned."],
    )


def test_one_account_that_fails(aws: Aws, run: Callable[..., Outcome]) -> None:
    aws.glue.inject(denied("CreateTable", when=lambda _, given: B in given["TableInput"]["Name"]))
    done = run("apply", "--yes", "--json")
    assert done.code == 3
    found = json.loads(done.out)
    assert list(found["failed"]) == [B]
    assert found["leftOut"] == [{"name": "cloudtrail", "reason": f"it is written without cloudtrail_{B}"}]
    assert re.search(rf"error: {B} \(\d+ changes are left\): .*glue:CreateTable", done.err)
    aws.glue.heal()
    assert run("apply", "--yes").code == 0
    assert run("plan", "--detailed-exitcode").code == 0


def test_some_of_it(run: Callable[..., Outcome]) -> None:
    done = run("plan", "--target", A, "--detailed-exitcode")
    assert done.code == 2
    assert B not in done.out
    assert "view" not in done.out
    assert run("plan", "--target", "123").code == 64
    done = run("plan", "--format", "csv")
    assert (done.code, "--format csv: a plan is text, or JSON" in done.err) == (64, True)
    assert run("plan", "-o", "x.json").code == 64


@pytest.mark.parametrize("command", ["plan", "apply", "ddl"])
def test_local_sources_need_no_catalog(run: Callable[..., Outcome], tmp_path: Path, command: str) -> None:
    done = run(command, "-s", str(tmp_path))
    assert (done.code, done.out) == (64, "")
    assert "`trailhouse query` reads them as they are" in done.err


def test_a_run_is_interrupted_and_run_again(aws: Aws, run: Callable[..., Outcome]) -> None:
    aws.glue.counts.clear()
    aws.glue.inject(Fault("BatchCreatePartition", skip=1, seconds=20))
    process = subprocess.Popen(
        [PROGRAM, "apply", "--yes"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while aws.glue.counts["BatchCreatePartition"] < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.search(r"\d+ of \d+ changes were carried out; run `trailhouse apply` again", err)
    assert "Traceback" not in err
    aws.glue.heal()
    assert run("apply", "--yes").code == 0
    assert run("plan", "--detailed-exitcode").code == 0


# -- ddl -------------------------------------------------------------------------------------------------


def test_the_catalog_as_statements(aws: Aws, run: Callable[..., Outcome]) -> None:
    aws.glue.counts.clear()
    done = run("ddl")
    assert done.code == 0
    statements = [text.strip() for text in done.out.split(";\n") if text.strip()]
    assert statements[0] == f"CREATE DATABASE IF NOT EXISTS `{os.environ['TRAILHOUSE_DATABASE']}`"
    assert sum(text.startswith("CREATE EXTERNAL TABLE") for text in statements) == 2
    assert sum(text.startswith("CREATE OR REPLACE VIEW") for text in statements) == 2
    assert aws.glue.counts == {}
    assert run("ddl", "--target", A, "-o", "x.sql").out == ""
    assert B not in Path("x.sql").read_text()
    assert run("ddl", "--json").code == 64


# -- destroy ---------------------------------------------------------------------------------------------


def test_what_is_ours_goes_and_nothing_else(aws: Aws, run: Callable[..., Outcome]) -> None:
    run("apply", "--yes")
    database, glue = os.environ["TRAILHOUSE_DATABASE"], aws.client("glue")
    glue.create_table(DatabaseName=database, TableInput={"Name": "cloudtrail_mine"})
    assert run("destroy").code == 64
    done = run("destroy", "--yes", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert found["done"] == {"table": {"delete": 2}, "view": {"delete": 2}}
    assert [one["name"] for one in found["stays"]] == ["cloudtrail_mine", database]
    assert "all logs stay" in done.err
    assert [table["Name"] for table in glue.get_tables(DatabaseName=database)["TableList"]] == [
        "cloudtrail_mine"
    ]
    glue.delete_table(DatabaseName=database, Name="cloudtrail_mine")
    assert run("destroy", "--yes").out == "Done: nothing.\n"
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_database(Name=database)
    assert run("destroy").out == "Done: nothing.\n"
    assert len(aws.buckets.find("logs").objects) == 6
