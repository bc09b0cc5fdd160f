"""`trailhouse selftest`: off by default, asked first, one report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

import pytest

from bed.athena import AwsWithAthena, StrictAthena, Table
from trailhouse.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bed.aws import Aws

    Program: TypeAlias = Callable[..., tuple[int, str, str]]

BUCKET = "my-scratch"
ACCOUNT = "123456789012"
RESULTS = f"aws-athena-query-results-{ACCOUNT}-us-east-1"


def answers(sql: str, _database: str) -> Table:
    if "ROW('x', 'y')" in sql:
        return Table([("a", "varchar")], [["x"]], scanned=1_000)
    return Table([("t", "varchar")], [["2026-03-02 10:11:12.000"], [None], [None]], scanned=1_000)


@pytest.fixture
def program(capfd: pytest.CaptureFixture[str]) -> Program:
    def call(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["selftest", *args])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return int(left.value.code or 0), out, err

    return call


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.setattr("trailhouse.engine.athena.FIRST_PAUSE", 0.001)
    with AwsWithAthena(StrictAthena(answers, looks=0)) as aws:
        for name, value in aws.environment().items():
            monkeypatch.setenv(name, value)
        aws.bucket(BUCKET)
        yield aws


def test_without_live_it_says_what_it_would_do_and_cost_and_does_nothing(program: Program) -> None:
    code, out, err = program("--bucket", "s3://my-scratch/")
    assert (code, err) == (0, "")
    assert "asks AWS 120 questions, at most $0.0" in out
    assert "s3://my-scratch/trailhouse-selftest/<random>/" in out
    assert "partitions.swapped: Does a partition with columns in another order fail?" in out
    again = "shapes.per_account_answer and 14 more: Is the README's question answered?"
    assert f"  {again}\n" in out
    asked = [line.partition(": ")[2] for line in out.splitlines() if line.startswith("  ")]
    assert len(asked) == len(set(asked)) < 120
    assert out.endswith("Nothing was done. Add --live to do it.\n")


def test_without_a_bucket_the_results_bucket_is_named(program: Program) -> None:
    _, out, _ = program("--check", "sql.time")
    assert "in\nthe bucket of Athena's results, refuses" in out
    assert "asks AWS 1 question," in out


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--bucket", "s3://b/some/prefix"), "give a bucket of yours"),
        (("--bucket", "Not_A_Bucket"), "give a bucket of yours"),
        (("--check", "nothing"), "there is no such check"),
        (("--live", "--bucket", BUCKET, "--no-input"), "Do it? Say --yes"),
        (("-o", "x.json"), "has no result to write"),
    ],
)
def test_a_wrong_call_is_refused(program: Program, aws: Aws, args: tuple[str, ...], told: str) -> None:
    code, out, err = program(*args)
    assert (code, out) == (64, "")
    assert told in err
    assert not aws.buckets.all[BUCKET].objects


@pytest.mark.emulator
def test_live_it_reports_removes_and_fails_where_something_is_refuted(program: Program, aws: Aws) -> None:
    code, out, err = program("--live", "--yes", "--bucket", BUCKET, "--check", "sql.struct_order")
    assert code == 1
    assert "1 confirmed, 1 refuted, 0 could not be run; 3 statements" in out
    assert "sql.struct_order: Do casts of rows go by position?\n    1 rows, not 1; seen ('x',)" in out
    assert "Everything that was made is removed." in out
    assert "2/2 sql.struct_order" in err
    assert not aws.buckets.all[BUCKET].objects
    assert aws.client("glue").get_databases()["DatabaseList"] == []


@pytest.mark.emulator
def test_live_it_works_in_the_callers_own_results_bucket_and_reports_as_json(
    program: Program, aws: Aws
) -> None:
    aws.bucket(RESULTS)
    code, out, _ = program("--live", "--yes", "--json", "--check", "sql.time")
    assert code == 0
    found = json.loads(out)
    assert found["counts"] == {"confirmed": 1, "refuted": 0, "could not be run": 0}
    assert found["assumptions"]["time-cast"] == "confirmed"
    assert ACCOUNT not in out
    assert "my-scratch" not in out


@pytest.mark.emulator
def test_a_bucket_that_is_not_there_is_an_error(program: Program, aws: Aws) -> None:
    code, _, err = program("--live", "--yes", "--bucket", "nobodys-bucket", "--check", "sql.time")
    assert code == 1
    assert "NoSuchBucket" in err
    assert aws.client("glue").get_databases()["DatabaseList"] == []
