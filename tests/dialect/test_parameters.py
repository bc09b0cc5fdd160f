from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.dialect import install, translate
from trailhouse.errors import SqlError

VALUES = st.one_of(
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    install(made)
    return made


@given(VALUES)
def test_a_value_comes_back_as_it_went_in(connection: duckdb.DuckDBPyConnection, value: Any) -> None:  # noqa: ANN401 - of any type
    statement = translate("SELECT :value", params={"value": value}, tables={})
    rows = connection.execute(statement.duckdb).fetchall()
    assert rows == [(value,)]
    assert translate(statement.athena, tables={}).athena == statement.athena


@pytest.mark.parametrize(
    "value", ["' OR 1=1 --", "'; DROP TABLE cloudtrail; --", "\\'", "\\", "''", ":value", "$1", "{}", "%s"]
)
def test_a_hostile_value_stays_a_value(connection: duckdb.DuckDBPyConnection, value: str) -> None:
    statement = translate(
        "SELECT count(*) FROM (VALUES 'a') t(x) WHERE x = :value", params={"value": value}, tables={}
    )
    assert connection.execute(statement.duckdb).fetchall() == [(0,)]


def test_a_parameter_without_a_value_is_named_with_the_nearest() -> None:
    with pytest.raises(
        SqlError, match=r'parameter ":account" has no value \(line 1, column 8\)\n.*\n.*\nnearest: acount'
    ):
        translate("SELECT :account", params={"acount": "1"}, tables={})


def test_a_value_without_a_parameter_is_named() -> None:
    with pytest.raises(SqlError, match='no parameter ":user"'):
        translate("SELECT 1", params={"user": "x"}, tables={})


def test_a_question_mark_is_no_parameter() -> None:
    with pytest.raises(SqlError, match="a parameter has no name"):
        translate("SELECT ?", tables={})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "a\x00b"])
def test_what_sql_cannot_write_is_refused(value: float | str) -> None:
    with pytest.raises(SqlError, match='parameter ":value"'):
        translate("SELECT :value", params={"value": value}, tables={})


def test_a_parameter_inside_a_literal_is_text() -> None:
    statement = translate("SELECT ':value', :value", params={"value": "x"}, tables={})
    assert "':value'" in statement.duckdb
