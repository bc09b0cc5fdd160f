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
    assert told("SELECT useridentity.arm FROM cloudtrail").startswith(
        'unknown column "arm" (line 1, column 21)'
    )


def test_a_column_that_its_table_lacks() -> None:
    text = told("SELECT c.eventnam\nFROM cloudtrail AS c")
    assert text.splitlines() == [
        'unknown column "eventnam" (line 1, column 10)',
        "  SELECT c.eventnam",
        "           ^",
        "nearest: eventname",
    ]


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
