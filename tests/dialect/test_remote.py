"""Statements for engines elsewhere: the user's own text where it can be, the tree where values go in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from trailhouse.core.conditions import ANYTHING
from trailhouse.dialect import Scope
from trailhouse.dialect.remote import Names, prepare, readings
from trailhouse.dialect.scans import Name, Scan
from trailhouse.errors import SqlError, UnsupportedSqlError

COLUMNS = ("eventtime", "eventname", "region", "year", "month", "day")
KNOWN = {
    "cloudtrail": Name((*COLUMNS, "account")),
    "cloudtrail_111122223333": Name(COLUMNS),
    "plain": Name(("x",)),
}
NAMES = Names(
    "security",
    lambda database, name: KNOWN.get(name) if database == "security" else None,
    lambda _: list(KNOWN),
)
SINCE = Scope(since=datetime(2023, 7, 1, tzinfo=UTC))
DAYS = "(year > '2023' OR (year = '2023' AND (month > '07' OR (month = '07' AND day >= '01'))))"


def sent(sql: str, scope: Scope = Scope(), **params: str | float | bool | None) -> str:  # noqa: B008 - frozen
    return prepare(sql, NAMES, params=params, scope=scope).athena


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT  *  FROM cloudtrail -- mine\nWHERE eventname = 'x'",
        "/* a */ WITH a AS (TABLE cloudtrail) SELECT * FROM a",
        "SELECT * FROM cloudtrail TABLESAMPLE BERNOULLI (10)",
        "SELECT reduce_agg(x, 0, (a, b) -> a + b, (a, b) -> a + b) FROM plain",
        "SELECT * FROM cloudtrail MATCH_RECOGNIZE (whatever it is)",
        'SELECT * FROM "cloudtrail$partitions"',
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM other_catalog.db.unknown",
        "(SELECT 1)",
        "SHOW PARTITIONS cloudtrail",
        "describe cloudtrail",
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN (TYPE IO, FORMAT JSON) SELECT * FROM cloudtrail",
    ],
)
def test_without_values_the_text_is_sent_as_it_is(sql: str) -> None:
    assert sent(f"{sql} ; ") == sql


def test_values_are_literals() -> None:
    hostile = "it's\\ \n; DROP TABLE x --\u202e"
    assert sent("SELECT * FROM cloudtrail WHERE eventname = :n AND year = :y", n=hostile, y=None) == (
        "SELECT * FROM cloudtrail WHERE eventname = 'it''s\\ \n; DROP TABLE x --\u202e' AND year = NULL"
    )


def test_functions_keep_their_names() -> None:
    sql = "SELECT json_extract_scalar(x, '$.a'), approx_percentile(x, 0.5) FROM plain WHERE date_add('day', 1, x) = :v"
    assert sent(sql, v="1") == sql.replace(":v", "'1'")


def test_the_scope_goes_around_tables() -> None:
    assert sent("SELECT count(*) FROM cloudtrail c", SINCE) == (
        "SELECT count(*) FROM (SELECT * FROM cloudtrail WHERE eventtime >= '2023-07-01T00:00:00Z' AND "
        f"{DAYS}) AS c"
    )


@pytest.mark.parametrize(
    ("account", "inside"),
    [("111122223333", "region IN ('r')"), ("999999999999", "FALSE")],
)
def test_an_accounts_own_table_is_that_account(account: str, inside: str) -> None:
    scope = Scope(accounts=(account,), regions=("r",))
    assert sent("SELECT * FROM cloudtrail_111122223333", scope) == (
        f'SELECT * FROM (SELECT * FROM cloudtrail_111122223333 WHERE {inside}) AS "cloudtrail_111122223333"'
    )


@pytest.mark.parametrize(
    ("scope", "missing"),
    [(SINCE, "eventtime"), (Scope(regions=("r",)), "region"), (Scope(accounts=("111122223333",)), "account")],
)
def test_a_table_that_cannot_be_limited_is_refused(scope: Scope, missing: str) -> None:
    with pytest.raises(SqlError, match=f'"plain" has no {missing} to limit it by'):
        sent("SELECT * FROM plain", scope)
    with pytest.raises(SqlError, match="cannot limit this table"):
        sent("SELECT * FROM information_schema.tables", scope)


def test_an_explained_statement_is_scoped_too() -> None:
    text = sent("explain (type io) SELECT 1 FROM cloudtrail", SINCE)
    assert text.startswith("explain (type io) SELECT 1 FROM (SELECT * FROM cloudtrail WHERE eventtime")


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DROP TABLE cloudtrail", "DROP statements do not pass: this only reads"),
        ("EXPLAIN ANALYZE INSERT INTO plain SELECT 1", "INSERT statements do not pass"),
        ("EXPLAIN (TYPE IO) CREATE TABLE x AS SELECT 1", "CREATE statements do not pass"),
        ("UNLOAD (SELECT 1) TO 's3://x'", "UNLOAD statements do not pass"),
        ("SELEC 1", "nearest: SELECT"),
        ("SELECT 1; DROP TABLE x", "several statements in one"),
        ("", "there is no statement"),
        ("SELECT * FROM cloudtrial", "nearest: cloudtrail"),
        ("SELECT * FROM nowhere.cloudtrail", 'unknown table "nowhere.cloudtrail"'),
        ("SELECT * FROM wholly_other", " has none like it: `trailhouse apply` makes ours there"),
        ("SELECT eventnam FROM cloudtrail", "nearest: eventname"),
        ("SELECT :x FROM cloudtrail", 'parameter ":x" has no value'),
    ],
)
def test_what_does_not_pass(sql: str, words: str) -> None:
    with pytest.raises(SqlError, match=words.replace("(", r"\(")):
        sent(sql)


@pytest.mark.parametrize("sql", ["SHOW TABLES", "SELECT 1"])
def test_a_value_without_a_parameter_is_refused(sql: str) -> None:
    with pytest.raises(SqlError, match='no parameter ":x"'):
        sent(sql, x="1")


def test_what_we_cannot_write_anew_takes_no_values() -> None:
    with pytest.raises(UnsupportedSqlError, match="to send it as it is"):
        sent("SELECT * FROM cloudtrail TABLESAMPLE BERNOULLI (10)", SINCE)
    with pytest.raises(SqlError):
        sent("SELECT * FROM cloudtrail MATCH_RECOGNIZE (whatever)", SINCE)


def test_readings() -> None:
    def read(sql: str) -> tuple[Scan, ...] | None:
        return readings(prepare(sql, NAMES, params={}, scope=Scope()), NAMES)

    one = (Scan("security", "cloudtrail", ANYTHING),)
    assert read("SELECT * FROM cloudtrail") == one
    assert read("EXPLAIN ANALYZE VERBOSE SELECT * FROM cloudtrail") == one
    assert read("EXPLAIN SELECT * FROM cloudtrail") == ()
    assert read("SHOW TABLES") == ()
    assert read("SELECT * FROM cloudtrail MATCH_RECOGNIZE (whatever)") is None
