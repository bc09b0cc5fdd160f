from datetime import UTC, datetime, timedelta, timezone

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailhouse.dialect import Scope, install, translate

COLUMNS = ("eventtime", "eventid", "account", "region", "year", "month", "day")
TABLES = {
    "cloudtrail": COLUMNS,
    "cloudtrail_events": COLUMNS,
    "cloudtrail_aggregated": ("eventid", "account", "region", "year", "month", "day"),
    "cloudtrail_files": ("name", "account", "region", "year", "month", "day"),
}
SINCE = datetime(2023, 7, 10, tzinfo=UTC)
UNTIL = datetime(2023, 8, 1, tzinfo=UTC)
CONNECTION = duckdb.connect()
SCOPE = Scope(SINCE, UNTIL, ("111111111111",), ("us-east-1", "eu-west-1"))


def count(sql: str, scope: Scope, rows: list[tuple[str | None, ...]], table: str = "cloudtrail") -> int:
    with CONNECTION.cursor() as connection:
        install(connection)
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} ({', '.join(f'{one} VARCHAR' for one in TABLES[table])})"
        )
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(TABLES[table]))})", rows)
        return int(connection.execute(translate(sql, scope=scope, tables=TABLES).duckdb).fetchall()[0][0])


def row(
    time: str, day: str, account: str = "111111111111", region: str = "us-east-1"
) -> tuple[str | None, ...]:
    return (time, "id", account, region, *day.split("-"))


@pytest.mark.parametrize(
    ("one", "seen"),
    [
        (row("2023-07-10T00:00:00Z", "2023-07-10"), 1),
        (row("2023-07-09T23:59:59Z", "2023-07-10"), 0),
        (row("2023-07-31T23:59:59Z", "2023-07-31"), 1),
        (row("2023-08-01T00:00:00Z", "2023-08-01"), 0),
        (row("2023-07-31T23:59:59Z", "2023-08-01"), 1),  # delivered late, within a day
        (row("2023-07-31T23:59:59Z", "2023-08-02"), 1),
        (row("2023-07-31T23:59:59Z", "2023-08-03"), 0),
        (row("2023-07-20T00:00:00Z", "2023-07-20", account="222222222222"), 0),
        (row("2023-07-20T00:00:00Z", "2023-07-20", region="ap-south-1"), 0),
        (row("2023-07-20T00:00:00Z", "2023-07-20", region="eu-west-1"), 1),
    ],
)
def test_a_record_is_seen_within_the_scope_only(one: tuple[str | None, ...], seen: int) -> None:
    assert count("SELECT count(*) FROM cloudtrail", SCOPE, [one]) == seen


def test_without_a_scope_the_statement_stays_as_it_is() -> None:
    assert (
        translate("SELECT eventid FROM cloudtrail", tables=TABLES).athena == "SELECT eventid FROM cloudtrail"
    )


def test_the_days_are_written_in_columns_so_that_partitions_prune() -> None:
    athena = translate("SELECT eventid FROM cloudtrail c", scope=Scope(since=SINCE), tables=TABLES).athena
    assert athena == (
        "SELECT eventid FROM (SELECT * FROM cloudtrail WHERE eventtime >= '2023-07-10T00:00:00Z' AND "
        "(year > '2023' OR (year = '2023' AND (month > '07' OR (month = '07' AND day >= '10'))))) AS c"
    )


def test_a_longer_lateness_looks_at_more_days() -> None:
    late = Scope(until=UNTIL, late=timedelta(days=30))
    assert "day <= '31'" in translate("SELECT eventid FROM cloudtrail", scope=late, tables=TABLES).duckdb


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM cloudtrail",
        "SELECT count(*) FROM default.cloudtrail AS c",
        "SELECT count(*) FROM (SELECT eventid FROM cloudtrail) AS x",
        "WITH a AS (SELECT eventid FROM cloudtrail) SELECT count(*) FROM a",
        "SELECT (SELECT count(*) FROM cloudtrail)",
        "SELECT count(*) FROM (SELECT 1 WHERE EXISTS (SELECT 1 FROM cloudtrail)) AS x",
        "SELECT sum(n) FROM (SELECT count(*) AS n FROM cloudtrail UNION ALL SELECT 0) AS x",
        "WITH cloudtrail AS (SELECT * FROM cloudtrail) SELECT count(*) FROM cloudtrail",
        "SELECT count(*) FROM cloudtrail AS a JOIN cloudtrail AS b ON a.eventid = b.eventid",
        "SELECT count(*) FROM cloudtrail, (VALUES 1) AS v(x)",
    ],
)
def test_no_reference_escapes_the_scope(sql: str) -> None:
    outside = row("2020-01-01T00:00:00Z", "2020-01-01")
    assert count(sql, SCOPE, [outside]) == 0


def test_a_with_name_is_not_the_table_of_that_name() -> None:
    sql = "WITH cloudtrail AS (SELECT '1' AS a) SELECT count(*) FROM cloudtrail"
    statement = translate(sql, scope=SCOPE, tables=TABLES)
    assert statement.tables == ()
    assert "eventtime" not in statement.duckdb


def test_a_with_name_inside_does_not_hide_the_table_outside() -> None:
    sql = "SELECT count(*) FROM (WITH cloudtrail AS (SELECT 1 AS a) SELECT a FROM cloudtrail) AS x, cloudtrail AS y"
    statement = translate(sql, scope=SCOPE, tables=TABLES)
    assert statement.tables == ("cloudtrail",)
    assert statement.duckdb.count("eventtime >=") == 1


@pytest.mark.parametrize("table", ["cloudtrail_files", "cloudtrail_aggregated"])
@pytest.mark.parametrize(
    ("account", "day", "seen"),
    [
        ("111111111111", ("2023", "07", "15"), 1),
        ("111111111111", ("2023", "06", "15"), 0),
        ("222222222222", ("2023", "07", "15"), 0),
        ("111111111111", (None, None, None), 1),  # of unknown day: it might belong here, so it is not hidden
        (None, (None, None, None), 1),
    ],
)
def test_without_event_times_the_days_decide_and_the_unknown_stays(
    table: str, account: str | None, day: tuple[str | None, ...], seen: int
) -> None:
    assert count(f"SELECT count(*) FROM {table}", SCOPE, [("x", account, "us-east-1", *day)], table) == seen


def test_a_bound_in_another_zone_is_moved_to_utc() -> None:
    since = datetime(2023, 7, 10, 5, tzinfo=timezone(timedelta(hours=9)))
    duck = translate("SELECT eventid FROM cloudtrail", scope=Scope(since=since), tables=TABLES).duckdb
    assert "'2023-07-09T20:00:00Z'" in duck
    assert "day >= '09'" in duck


MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1))  # noqa: DTZ001 - UTC is put on below


@pytest.mark.slow
@settings(max_examples=30, deadline=None)  # each makes a connection
@given(st.lists(MOMENTS, min_size=1, max_size=8), MOMENTS, MOMENTS)
def test_the_scope_is_half_open_for_any_bounds(
    moments: list[datetime], one: datetime, other: datetime
) -> None:
    since, until = sorted((one.replace(tzinfo=UTC), other.replace(tzinfo=UTC)))
    rows = []
    for moment in moments:
        time = moment.replace(microsecond=0)
        rows.append(row(time.strftime("%Y-%m-%dT%H:%M:%SZ"), time.strftime("%Y-%m-%d")))
    inside = sum(since <= moment.replace(microsecond=0, tzinfo=UTC) < until for moment in moments)
    assert count("SELECT count(*) FROM cloudtrail", Scope(since, until), rows) == inside
