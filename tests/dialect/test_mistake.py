import duckdb
import pytest

from trailhouse.dialect import explain_duckdb_error, install, translate
from trailhouse.dialect.mistake import message, nearest, place_at
from trailhouse.errors import SqlError

TABLES = {"cloudtrail": ("eventname", "useridentity", "n")}


def told(sql: str) -> str:
    with duckdb.connect() as connection:
        install(connection)
        connection.execute(
            "CREATE TABLE cloudtrail AS SELECT 'a' AS eventname, {'arn': 'x'} AS useridentity, 1 AS n"
        )
        with pytest.raises(duckdb.Error) as caught:
            connection.execute(translate(sql, tables=TABLES).duckdb).fetchall()
    return str(explain_duckdb_error(str(caught.value), sql, TABLES))


def test_a_field_that_a_row_lacks() -> None:
    lines = told("SELECT useridentity.arm FROM cloudtrail").splitlines()
    assert (lines[0], lines[-1]) == ('unknown field "arm" (line 1, column 21)', "nearest: arn")


def test_a_field_of_what_is_no_struct() -> None:
    lines = told("SELECT useridentity.arn.user FROM cloudtrail").splitlines()
    assert lines[0] == 'what stands before "user" has no fields (line 1, column 25)'
    assert lines[-1] == "where it holds JSON: json_extract_scalar(column, '$.user')"


@pytest.mark.parametrize(
    ("where", "hinted"),
    [
        ("regexp_like(ip, '^[0-9.]+$')\nAND CAST(ip AS ipaddress) = IPADDRESS '10.0.0.1'", True),
        ("CAST(ip AS ipaddress) = IPADDRESS '10.0.0.1' and REGEXP_LIKE(ip, '^[0-9.]+$')", True),
        ("CAST(ip AS ipaddress) = IPADDRESS '10.0.0.1'", False),
    ],
)
def test_a_cast_that_another_condition_should_protect(where: str, hinted: bool) -> None:  # noqa: FBT001 - as above
    fault = (
        "Conversion Error: Could not convert string 'athena: Cannot cast value to IPADDRESS: abc' to INT64"
    )
    text = str(explain_duckdb_error(fault, f"SELECT 1 FROM cloudtrail WHERE {where}", TABLES))
    assert text.startswith("Cannot cast value to IPADDRESS: abc")
    assert ("use TRY_CAST" in text) == hinted


def test_a_column_that_its_table_lacks() -> None:
    text = told("SELECT c.eventnam\nFROM cloudtrail AS c")
    assert text.splitlines() == [
        'unknown column "eventnam" (line 1, column 10)',
        "  SELECT c.eventnam",
        "           ^",
        "nearest: eventname",
    ]


def test_a_text_in_double_quotes() -> None:
    with pytest.raises(SqlError) as caught:
        translate('SELECT 1 FROM cloudtrail WHERE eventname = "Login"', tables=TABLES)
    assert str(caught.value).endswith("a text stands in single quotes: 'Login'")
    text = told('SELECT * FROM cloudtrail, (VALUES (1)) AS v WHERE eventname = "Login"')
    assert text.endswith("a text stands in single quotes: 'Login'")


def test_a_text_in_quotes_of_a_word_processor() -> None:
    with pytest.raises(SqlError, match="plain single quotes"):
        translate("SELECT 1 FROM cloudtrail WHERE eventname = \u201cLogin\u201d", tables=TABLES)


def test_a_column_outside_group_by() -> None:
    text = told("SELECT eventname, count(*) FROM cloudtrail")
    assert '"eventname" must be an aggregate expression or appear in GROUP BY (line 1, column 8)' in text


def test_types_that_do_not_fit_are_told_without_our_names() -> None:
    text = told("SELECT lower(useridentity) FROM cloudtrail")
    assert "athena_" not in text
    assert "lower" in text


def test_the_error_is_ours() -> None:
    assert isinstance(explain_duckdb_error("Binder Error: odd", "SELECT 1", {}), SqlError)


def test_a_table_that_is_not_there() -> None:
    text = str(
        explain_duckdb_error(
            "Catalog Error: Table with name cloudtrial does not exist!", "SELECT 1 FROM cloudtrial", TABLES
        )
    )
    assert text.endswith("nearest: cloudtrail")


def test_control_sequences_of_a_statement_do_not_reach_a_terminal() -> None:
    assert "\x1b" not in message("x", "SELECT \x1b[31m", place_at("SELECT \x1b[31m", 7))


def test_nearest_ignores_case_and_keeps_the_real_spelling() -> None:
    assert nearest("EVENTNAM", ["EventName", "other"]) == ["EventName"]
