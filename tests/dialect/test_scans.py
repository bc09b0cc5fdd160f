"""Which partitions a statement can touch: through everything that may stand between WHERE and the table."""

import pytest

from trailhouse.core.conditions import NOTHING, expression
from trailhouse.dialect.grammar import parse
from trailhouse.dialect.scans import Name, scans

KEYS = ("region", "year", "month", "day", "logroot")
COLUMNS = ("eventname", "eventtime", *KEYS)
UNION = " UNION ALL ".join(
    f"SELECT eventname, eventtime, CAST('{account}' AS varchar) AS account, {', '.join(KEYS)} FROM db.t{number}"
    for number, account in enumerate(("111111111111", "222222222222"), 1)
)
EVENTS = (
    "SELECT eventname, account, region, year, month, day FROM (SELECT eventname, account, region, year, month, day, "
    "row_number() OVER (PARTITION BY eventid, year, month, day) AS copy FROM db.cloudtrail) WHERE copy = 1"
)
NAMES = {
    "t1": Name(COLUMNS),
    "t2": Name(COLUMNS),
    "cloudtrail": Name((*COLUMNS, "account"), UNION, "db"),
    "cloudtrail_events": Name((*COLUMNS, "account"), EVENTS, "db"),
    "circle": Name(COLUMNS, "SELECT * FROM circle", "db"),
}


def read(sql: str) -> dict[str, str]:
    """What each table has to meet, in Glue's words; `no` for a table that is not read."""
    found = scans(parse(sql), lambda _, name: NAMES.get(name), "db")
    return {one.name: "no" if one.condition == NOTHING else expression(one.condition) for one in found}


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ("year = '2023' AND month IN ('06', '07')", "year = '2023' AND month IN ('06', '07')"),
        ("'07' <= month", "month >= '07'"),
        ("day BETWEEN '01' AND '05'", "day >= '01' AND day <= '05'"),
        ("NOT (day BETWEEN '01' AND '05')", "(day < '01' OR day > '05')"),
        ("NOT (year = '2023' OR region IN ('a'))", "year <> '2023' AND region NOT IN ('a')"),
        ("region = CAST('a' AS varchar) AND (year) = '1'", "region = 'a'"),
        ("year = '2023' OR lower(eventname) = 'x'", ""),
        ("concat(year, month) = '202307'", ""),
        ("year = 2023", ""),
        ("day IN (SELECT '01')", ""),
        ("t1.day = '01' AND useridentity.type = 'x'", "day = '01'"),
        ("true AND day = '01'", "day = '01'"),
        ("false", "no"),
    ],
)
def test_where(where: str, left: str) -> None:
    assert read(f"SELECT * FROM t1 WHERE {where}") == {"t1": left}


def test_a_constant_account_leaves_other_branches_unread() -> None:
    assert read("SELECT * FROM cloudtrail WHERE account = '222222222222' AND day = '01'") == {
        "t1": "no",
        "t2": "day = '01'",
    }
    assert read("SELECT * FROM cloudtrail WHERE account LIKE '1%'") == {"t1": "", "t2": "no"}


def test_conditions_pass_a_window_by_its_own_keys_only() -> None:
    both = read("SELECT * FROM cloudtrail_events WHERE year = '2023' AND region = 'a'")
    assert both == {"t1": "year = '2023'", "t2": "year = '2023'"}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM (SELECT day AS d FROM t1 WHERE year = '1') WHERE d = '2'", {"t1": "day = '2' AND year = '1'"}),
        ("SELECT * FROM (SELECT * FROM t1) x WHERE x.day = '2'", {"t1": "day = '2'"}),
        ("SELECT * FROM (SELECT * FROM t1 LIMIT 5) WHERE day = '2'", {"t1": ""}),
        ("SELECT * FROM (SELECT day, count(*) AS n FROM t1 GROUP BY day) WHERE day = '2' AND n > 1",
         {"t1": "day = '2'"}),
        ("WITH a(x) AS (SELECT day FROM t1) SELECT * FROM a WHERE x = '3'", {"t1": "day = '3'"}),
        ("WITH a AS (SELECT day FROM t1), b AS (SELECT * FROM a) SELECT * FROM b WHERE day = '3'", {"t1": "day = '3'"}),
        ("WITH t1 AS (SELECT * FROM t1) SELECT * FROM t1 WHERE day = '3'", {"t1": "day = '3'"}),
        ("SELECT day FROM t1 UNION SELECT month FROM t2", {"t1": "", "t2": ""}),
        ("SELECT * FROM (SELECT day AS d FROM t1 UNION ALL SELECT month FROM t2) WHERE d = '1'",
         {"t1": "day = '1'", "t2": "month = '1'"}),
        ("SELECT * FROM t1 x JOIN t2 y ON x.day = y.day AND y.month = '1' WHERE x.year = '2'",
         {"t1": "year = '2'", "t2": "month = '1'"}),
        ("SELECT * FROM t1 x LEFT JOIN t2 y ON x.day = '1' AND y.day = '2'", {"t1": "", "t2": "day = '2'"}),
        ("SELECT * FROM t1 x FULL JOIN t2 y ON y.day = '2'", {"t1": "", "t2": ""}),
        ("SELECT * FROM t1 CROSS JOIN UNNEST(resources) AS r(arn) WHERE t1.day = '1' AND month = '2' AND arn = 'x'",
         {"t1": "day = '1' AND month = '2'"}),
        ("SELECT * FROM t1 WHERE day = (SELECT max(day) FROM t2 WHERE year = '9')", {"t1": "", "t2": "year = '9'"}),
        ("SELECT * FROM t1 x(a, b, r, y) WHERE r = 'eu'", {"t1": "region = 'eu'"}),
        ("SELECT * FROM other WHERE day = '1'", {"other": "day = '1'"}),
        ("VALUES 1", {}),
        ("SELECT * FROM circle", {}),
    ],
)  # fmt: skip
def test_what_stands_between(sql: str, expected: dict[str, str]) -> None:
    found = read(sql)
    assert found.keys() == expected.keys()
    assert {name: set(text.split(" AND ")) for name, text in found.items()} == {
        name: set(text.split(" AND ")) for name, text in expected.items()
    }


def test_recursion_ends() -> None:
    sql = "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a) SELECT * FROM a, t1 WHERE t1.day = '1'"
    assert read(sql) == {"t1": "day = '1'"}
