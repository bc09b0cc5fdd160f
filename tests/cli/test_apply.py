"""`apply` as it is called, on a strict Glue and an emulated S3, and what the commands of the catalog share."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.faults import Fault, denied
from cli.outcomes import Outcome, writes
from trailhouse.cli.planning import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.aws import Aws

pytestmark = pytest.mark.emulator

A, B = "111122223333", "444455556666"
PROGRAM = Path(sys.executable).with_name("trailhouse")


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
