"""`trailhouse query` with SQL that was written for CloudTrail Lake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from deliveries import small_source
from trailhouse.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EDS = "3f852e4a-4e8f-8bd1-bcf6-c1234567890a"
LAKE = ("query", "--dialect", "cloudtrail-lake")


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """The program on a small source: its exit code, what it wrote, what it said."""
    monkeypatch.setenv("TRAILHOUSE_WORKDIR", str(tmp_path / "work"))
    monkeypatch.setenv("TRAILHOUSE_SOURCE", str(small_source(tmp_path / "logs")))
    monkeypatch.chdir(tmp_path)

    def call(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(list(args))
        out, err = capfd.readouterr()
        code = left.value.code
        return (code if isinstance(code, int) else 0), out, err

    return call


def test_a_statement_of_lake_s_is_answered(run: Callable[..., tuple[int, str, str]]) -> None:
    sql = f"SELECT eventName, count(*) AS n FROM {EDS} GROUP BY eventName ORDER BY 1"
    code, out, err = run(*LAKE, "--json", sql)
    assert code == 0, err
    ours = run("query", "--json", sql.replace(EDS, "cloudtrail_events"))[1]
    assert json.loads(out) == json.loads(ours)
    assert json.loads(out)
    assert "every day of delivery is read" in err


def test_a_dry_run_shows_what_it_becomes(run: Callable[..., tuple[int, str, str]]) -> None:
    sql = f"SELECT eventName FROM {EDS} WHERE eventTime > :since AND readOnly = false"
    code, out, err = run(*LAKE, "--dry-run", "--param", "since=2026-01-02", "--late", "3d", sql)
    assert code == 0, err
    assert out == (
        "SELECT eventname FROM cloudtrail_events WHERE eventtimestamp > CAST('2026-01-02 00:00:00.000' AS"
        " TIMESTAMP(3)) AND readonly = 'false' AND (year > '2026' OR (year = '2026' AND (month > '01' OR"
        " (month = '01' AND day >= '02'))))\n"
    )
    assert "days of delivery that are read: from 2026-01-02 on" in err


def test_stores_are_tables(run: Callable[..., tuple[int, str, str]]) -> None:
    sql = f"SELECT eventID FROM {EDS} UNION ALL SELECT eventID FROM eds2"
    stores = ("--store", f"{EDS}=cloudtrail_events", "--store", "eds2=cloudtrail_111122223333")
    code, out, err = run(*LAKE, "--dry-run", *stores, sql)
    assert code == 0, err
    assert (
        out == "SELECT eventid FROM cloudtrail_events UNION ALL SELECT eventid FROM cloudtrail_111122223333\n"
    )


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("query", "--dialect", "presto", "SELECT 1"), 64, "--dialect presto: there is no such dialect"),
        (("query", "--store", "a=b", "SELECT 1"), 64, "add --dialect cloudtrail-lake"),
        ((*LAKE, "--store", "eds1", f"SELECT 1 FROM {EDS}"), 64, "give ID=TABLE"),
        (
            (*LAKE, "--store", "eds1=logs", "SELECT 1 FROM eds1"),
            64,
            "logs cannot stand for an event data store",
        ),
        ((*LAKE, f"SELECT annotation FROM {EDS}"), 1, 'there is no column "annotation" here'),
        ((*LAKE, "SELECT 1 FROM eds1"), 1, "--store 'eds1=cloudtrail_events'"),
        ((*LAKE, f"SELECT checksum(eventName) FROM {EDS}"), 1, "checksum"),
    ],
)
def test_what_is_wrong_is_said(
    run: Callable[..., tuple[int, str, str]], args: tuple[str, ...], code: int, said: str
) -> None:
    found, out, err = run(*args)
    assert (found, out) == (code, "")
    assert said in err
