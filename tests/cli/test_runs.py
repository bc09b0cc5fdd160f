"""`trailhouse runs`: the records of the nightly runs, read back."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from bed.faults import denied
from cli.kept_runs import OUTPUT, A, B, day, done, incomplete, keep, started
from cli.outcomes import Outcome, program
from trailhouse.core.record import Outcome as Ended
from trailhouse.core.record import from_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.aws import Aws

pytestmark = pytest.mark.emulator


@pytest.fixture
def runs(
    aws: Aws, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Outcome]:
    """`runs` in this process, in an account without a bucket."""
    monkeypatch.chdir(tmp_path)  # where no configuration is
    aws.buckets.all.clear()
    aws.s3.log.clear()
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)

    return program(capfd, "runs")


def test_the_newest_come_first_and_fit_into_80_cells(aws: Aws, runs: Callable[..., Outcome]) -> None:
    keep(aws, *(done(n) for n in range(2)), incomplete(2), done(3, outcome=Ended.FAILED, run="by-hand-1"))
    shown = runs()
    assert (shown.code, shown.err) == (0, "4 rows\n")
    head, rule, *rows = shown.out.splitlines()
    assert head.split() == ["started", "run", "outcome", "reason", "took", "changes", "failed"]
    assert len(rule) <= 80
    assert [row.split()[0][:10] for row in rows] == [str(day(n)) for n in range(4)]
    assert rows[0].split()[1:] == ["00000000", "done", "schedule", "43s", "34", "0"]
    assert rows[2].split()[2:3] + rows[2].split()[-1:] == ["incomplete", "1"]
    assert rows[3].split()[1] == "by-hand-"


def test_only_what_is_shown_is_read(aws: Aws, runs: Callable[..., Outcome]) -> None:
    keep(aws, *(done(n) for n in range(9)))
    shown = runs("--limit", "2")
    assert len(shown.out.splitlines()) == 2 + 2
    assert "the newest 2; --limit N shows more" in shown.err
    assert aws.s3.log.counts["GetObject"] == 3
    assert "shows more" not in runs("--limit", "9").err


def test_a_window_is_about_when_they_began(aws: Aws, runs: Callable[..., Outcome]) -> None:
    keep(aws, *(done(n) for n in range(6)))
    rows = json.loads(runs("--since", str(day(4)), "--until", str(day(2)), "--json").out)
    assert [row["started"][:10] for row in rows] == [str(day(3)), str(day(4))]
    empty = runs("--since", "2020-01-01", "--until", "2020-01-02")
    assert (empty.code, "no run of trailhouse has left a record in that time" in empty.err) == (0, True)


def test_other_formats_have_everything_that_fits_into_a_row(aws: Aws, runs: Callable[..., Outcome]) -> None:
    keep(aws, incomplete(0))
    (row,) = csv.DictReader(io.StringIO(runs("--format", "csv").out))
    assert row["run"] == incomplete(0).run
    assert (row["cost"], row["problems"], row["failed"], row["trailhouse"]) == ("0.0012", "1", "1", "0.1.0")


def test_one_run_whole_by_its_name_how_that_begins_or_when(aws: Aws, runs: Callable[..., Outcome]) -> None:
    keep(aws, done(0), incomplete(1))
    whole = incomplete(1)
    shown = runs(whole.run)
    assert shown.code == 0
    for wanted in (
        "outcome    incomplete",
        "caller     arn:aws:sts::",
        "$0.0012",
        "glue: BatchCreatePartition 2, GetTable 12",
        "Failed: 1",
    ):
        assert wanted in shown.out
    assert f"record     s3://{OUTPUT}/{whole.key}" in shown.out
    assert f"  1. {B}: left out of the run\n     Since: {day(3)}T00:00:00Z" in shown.out
    assert "     Run: trailhouse policy bucket\n" in shown.out
    for name in (whole.run[:10], f"{whole.started:%Y%m%dT}", str(day(1)), f"{day(1)}T00:00"):
        assert runs(name).out == shown.out
    assert from_json(runs(whole.run, "--json").out, "it") == whole


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("nobody",), "no run is called nobody, or begins so"),
        (("000",), "2 runs begin with 000: "),
        (("nobody", "--since", "7d"), "choose among runs, and one is named"),
        (("00000000", "--format", "csv"), "a run is text, or JSON"),
        (("--account", A), "a run is about all accounts"),
        (("-o", "a.csv"), "has no result to write"),
        (("--limit", "0"), "'--limit'"),
        (("--stack", "no_name"), "stack"),
    ],
)
def test_a_wrong_call_is_refused(
    aws: Aws, runs: Callable[..., Outcome], args: tuple[str, ...], told: str
) -> None:
    keep(aws, done(0), done(1))
    shown = runs(*args)
    assert (shown.code, shown.out) == (64, "")
    assert told in shown.err


def test_no_bucket_and_no_record_name_the_next_step(aws: Aws, runs: Callable[..., Outcome]) -> None:
    shown = runs()
    assert (shown.code, shown.out) == (1, "")
    for wanted in (OUTPUT, "NoSuchBucket", "`trailhouse status`", "output_s3_bucket", "--stack"):
        assert wanted in shown.err
    aws.bucket(OUTPUT)
    shown = runs()
    assert shown.code == 0
    assert "no run of trailhouse has left a record: `trailhouse status`" in shown.err


def test_a_bucket_and_a_stack_of_ones_own(
    aws: Aws, runs: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAILHOUSE_OUTPUT_S3_BUCKET", "my-output")
    keep(aws, done(0), done(0, stack="other", run="r2"), bucket="my-output")
    shown = runs("--stack", "other", "--json")
    assert [row["run"] for row in json.loads(shown.out)] == ["r2"]
    assert "runs of other stacks: trailhouse (--stack)" in shown.err


def test_what_is_no_record_is_said_and_left_out(aws: Aws, runs: Callable[..., Outcome]) -> None:
    keep(aws, done(0))
    newer = json.loads(aws.buckets.all[OUTPUT].objects[done(0).key].body) | {"version": 99}
    for name, body in (
        ("x.json", b"{"),
        (f"{started(0):%Y%m%dT%H%M%SZ}-new.json", json.dumps(newer).encode()),
    ):
        aws.buckets.all[OUTPUT].put(f"{done(0).key.rpartition('/')[0]}/{name}", body)
    shown = runs("--json")
    assert shown.code == 3
    assert len(json.loads(shown.out)) == 1
    assert "is no record of a run, or is damaged" in shown.err
    assert "newer trailhouse" in shown.err


def test_denied_is_said_with_the_permission(aws: Aws, runs: Callable[..., Outcome]) -> None:
    keep(aws, done(0))
    aws.s3.log.faults.append(denied("ListObjectsV2"))
    shown = runs()
    assert (shown.code, shown.out) == (1, "")
    assert f"access denied: s3:ListBucket on arn:aws:s3:::{OUTPUT}" in shown.err


def test_hostile_names_are_written_out(aws: Aws, runs: Callable[..., Outcome]) -> None:
    odd = "x\x1b[2J\u202e"
    keep(aws, done(0, warnings=(f"{odd}\nmore",), failed={odd: odd}, reason=odd, caller=odd))
    for shown in (runs(), runs("00000000")):
        assert shown.code == 0
        assert "x\\x1b[2J\\u202e" in shown.out
        assert "\x1b" not in shown.out
        assert "\u202e" not in shown.out
