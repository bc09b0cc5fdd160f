"""One question, one answer on every engine: the program against a real Trino, alone and behind Athena's API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bed.athena import Front, StrictAthena, on_trino
from deliveries import small_source
from trailhouse.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bed.trino import Trino

pytestmark = [pytest.mark.trino, pytest.mark.emulator]

BUCKET = "one-question"
APPLIED: set[str] = set()
QUESTIONS = (
    "SELECT eventname, count(*) AS n FROM cloudtrail GROUP BY eventname ORDER BY 1",
    "SELECT eventid, eventname, account, region, year, month, day FROM cloudtrail_events ORDER BY eventid",
    "SELECT account, count(*) AS n FROM cloudtrail WHERE year = '2026' AND day = '02' GROUP BY 1 ORDER BY 1",
    "SELECT useridentity.type AS t, count(DISTINCT eventid) AS n FROM cloudtrail GROUP BY 1 ORDER BY 1",
    "SELECT eventid, eventtimestamp FROM cloudtrail_events WHERE eventname LIKE '%e%' ORDER BY 1 LIMIT 5",
    "SELECT eventid, sourceipaddress, useragent, requestparameters FROM cloudtrail ORDER BY eventid",
    "SELECT CAST(count(*) AS decimal(10,2)) AS d, 1e0 / 3 AS x, true AS b, CAST(NULL AS varchar) AS z FROM cloudtrail",
)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_source(tmp_path_factory.mktemp("one") / "logs")


@pytest.fixture(scope="module")
def athena(trino: Trino) -> Iterator[tuple[StrictAthena, Front]]:
    shim = StrictAthena(on_trino(trino.url), looks=1)
    with Front(trino.aws, shim) as front:
        yield shim, front


@pytest.fixture
def shape() -> str:
    return "per_account"


@pytest.fixture
def run(
    athena: tuple[StrictAthena, Front],
    trino: Trino,
    logs: Path,
    shape: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> Callable[..., tuple[str, str]]:
    """The program with the catalog applied; what it wrote and said."""
    for name, value in athena[1].environment(trino.aws).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAILHOUSE_WORKDIR", str(tmp_path / "work"))
    monkeypatch.setenv("TRAILHOUSE_DATABASE", f"one_{shape}")
    monkeypatch.setenv("TRAILHOUSE_TABLES", shape.replace("projected", "single"))
    monkeypatch.setenv("TRAILHOUSE_PARTITIONS", "projected" if shape == "projected" else "registered")
    monkeypatch.setenv("TRAILHOUSE_TRINO_URL", trino.url)

    def call(*args: str, code: int = 0) -> tuple[str, str]:
        with pytest.raises(SystemExit) as left:
            main(list(args))
        out, err = capfd.readouterr()
        assert (left.value.code or 0) == code, err
        return out, err

    if BUCKET not in trino.aws.buckets.all:
        trino.load(BUCKET, logs)
    if f"one_{shape}" not in APPLIED:
        APPLIED.add(f"one_{shape}")
        call("apply", "--all", "--yes", "-s", f"s3://{BUCKET}/")
    return call


def rows(run: Callable[..., tuple[str, str]], *args: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("query", "--json", *args)[0])
    return found


@pytest.mark.parametrize("sql", QUESTIONS)
def test_every_engine_answers_the_same(run: Callable[..., tuple[str, str]], logs: Path, sql: str) -> None:
    local = rows(run, "-s", str(logs), sql)
    assert local
    assert rows(run, "--engine", "athena", sql) == local
    assert rows(run, "--engine", "trino", sql) == local


def test_the_scope_is_the_same(run: Callable[..., tuple[str, str]], logs: Path) -> None:
    sql = "SELECT eventid FROM cloudtrail WHERE eventname = :name ORDER BY 1"
    flags = (
        "--since",
        "2026-01-02",
        "--until",
        "2026-01-03",
        "--region",
        "eu-west-1",
        "--param",
        "name=GetObject",
    )
    local = rows(run, "-s", str(logs), *flags, sql)
    assert local
    assert rows(run, "--engine", "athena", *flags, sql) == local
    assert rows(run, "--engine", "trino", *flags, sql) == local


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT max(eventname) AS n FROM cloudtrail WHERE year = '2026' AND month = '01' AND day = '02'",
        "SELECT max(eventname) AS n FROM cloudtrail_events WHERE year = '2026' AND month = '01' AND day = '05'",
        "SELECT max(eventname) AS n FROM cloudtrail_111122223333 WHERE day IN ('02', '07') AND region LIKE 'eu%'",
        "SELECT max(eventname) AS n FROM cloudtrail WHERE account = '444455556666'",
        "SELECT max(eventname) AS n FROM cloudtrail WHERE NOT (day < '05' OR region = 'us-east-1')",
        (
            "WITH d AS (SELECT eventname, day FROM cloudtrail WHERE month = '01') SELECT max(eventname) AS n FROM d "
            "WHERE day BETWEEN '03' AND '31'"
        ),
        (
            "SELECT count(*) AS n FROM cloudtrail a JOIN cloudtrail b ON a.eventid = b.eventid AND b.day = '05' "
            "WHERE a.day = '05' AND a.eventname <> b.eventname"
        ),
        (
            "SELECT max(eventname) AS n FROM (SELECT eventname, day AS d FROM cloudtrail UNION ALL "
            "SELECT eventname, day FROM cloudtrail_444455556666) WHERE d = '02'"
        ),
        "SELECT max(eventname) AS n FROM cloudtrail WHERE day = '03'",
        "SELECT max(eventname) AS n FROM cloudtrail",
    ],
)
def test_the_price_counts_what_trino_then_reads(
    run: Callable[..., tuple[str, str]], trino: Trino, sql: str
) -> None:
    told = json.loads(run("query", "--engine", "athena", "--dry-run", "--json", sql)[0])
    read = trino.stats(sql, schema="one_per_account")
    times = 2 if " JOIN " in sql else 1  # each side reads them
    assert told["objects"]["value"] == len(read.files) * times


@pytest.mark.parametrize("shape", ["single", "projected"])
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT max(eventname) AS n FROM cloudtrail WHERE year = '2026' AND month = '01' AND day = '02'",
        "SELECT max(eventname) AS n FROM cloudtrail_events WHERE year = '2026' AND month = '01' AND day = '05'",
        "SELECT max(eventname) AS n FROM cloudtrail_444455556666 WHERE year = '2026' AND month = '01'",
    ],
)
def test_the_price_of_other_shapes_is_as_right(
    run: Callable[..., tuple[str, str]], trino: Trino, shape: str, sql: str
) -> None:
    told = json.loads(run("query", "--engine", "athena", "--dry-run", "--json", sql)[0])
    read = trino.stats(sql, schema=f"one_{shape}")
    low, high = told["objects"]["low"], told["objects"]["high"]
    assert low <= len(read.files) <= high
    assert low == high or told["folders"] > 200
    assert rows(run, "--engine", "athena", sql) == [{"n": read.rows[0][0]}]


def test_a_trino_has_no_price_in_money(run: Callable[..., tuple[str, str]]) -> None:
    told = json.loads(run("query", "--engine", "trino", "--dry-run", "--json", "SELECT * FROM cloudtrail")[0])
    assert (told["objects"]["value"], told["cost_usd"]) == (3, None)


def test_structs_come_as_text_from_athena_and_as_themselves_from_trino(
    run: Callable[..., tuple[str, str]],
) -> None:
    sql = "SELECT useridentity FROM cloudtrail ORDER BY eventid LIMIT 1"
    assert rows(run, "--engine", "athena", sql)[0]["useridentity"].startswith("{type=")
    assert isinstance(rows(run, "--engine", "trino", sql)[0]["useridentity"], dict)


def test_a_wrong_statement_is_told_by_the_server(run: Callable[..., tuple[str, str]]) -> None:
    for engine, name in (("athena", "Athena"), ("trino", "Trino")):
        err = run("query", "--engine", engine, "SELECT nothing_like_it(eventid) FROM cloudtrail", code=1)[1]
        assert f"error: {name}: FUNCTION_NOT_FOUND" in err
        assert "\n         ^" in err


def test_an_empty_answer_explains_itself_on_both(run: Callable[..., tuple[str, str]]) -> None:
    for engine in ("athena", "trino"):
        err = run("query", "--engine", engine, "SELECT eventid FROM cloudtrail WHERE year = '2020'")[1]
        assert "no partition is of the days asked for; registered are days from 2026-01-0" in err
