from functools import cache

import duckdb
import pytest
from sqlglot import exp

from trailhouse.dialect import install, translate
from trailhouse.dialect.event_data_store.maps import element, native, scalar_of
from trailhouse.dialect.grammar import to_athena

HELD = '{"s": "x", "n": 1.50, "b": true, "z": null, "o": {"k": [1, 2]}, "a b": "q", "q\\"t": "r"}'


@cache
def prepared() -> duckdb.DuckDBPyConnection:
    """A connection that knows Athena's functions."""
    connection = duckdb.connect()
    install(connection)
    return connection


def answer(expression: exp.Expr, held: str = HELD) -> object:
    """The value of an expression over one map that is held as text."""
    sql = f"SELECT {to_athena(expression)} FROM (VALUES (:held)) AS t(p)"
    statement = translate(sql, params={"held": held}, tables={})
    return prepared().execute(statement.duckdb).fetchall()[0][0]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("s", "x"), ("n", "1.50"), ("b", "true"), ("z", None), ("o", '{"k":[1,2]}'), ("a b", "q"), ('q"t', "r"),
        ("none", None), ("S", None),
    ],
)  # fmt: skip
def test_a_value_is_a_text(key: str, value: str | None) -> None:
    assert answer(element(exp.column("p"), key)) == value


def test_a_value_knows_its_shorter_form() -> None:
    scalar = scalar_of(element(exp.column("p"), "s"))
    assert scalar is not None
    assert to_athena(scalar) == "json_extract_scalar(p, '$.s')"
    assert scalar_of(exp.column("p")) is None


def test_a_whole_map() -> None:
    assert answer(native(exp.column("p"))) == {
        "s": "x", "n": "1.5", "b": "true", "z": None, "o": '{"k":[1,2]}', "a b": "q", 'q"t': "r",
    }  # fmt: skip


@pytest.mark.parametrize("held", ["a string", "[1]", ""])
def test_what_is_no_map_is_null(held: str) -> None:
    assert answer(native(exp.column("p")), held) is None
