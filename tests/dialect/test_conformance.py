"""conformance.json holds one fact a line: SQL with the types and values of a real Trino server."""

import base64
import json
import math
import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from trailhouse.dialect import FUNCTIONS, explain_duckdb_error, install, translate
from trailhouse.errors import SqlError

FACTS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("conformance.json").read_text("utf-8"))


@pytest.fixture(scope="module", params=["optimized", "as written"])
def connection(request: pytest.FixtureRequest) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that folds constants when it plans, and one that works everything out row by row."""
    with duckdb.connect() as made:
        install(made)
        if request.param == "as written":
            made.execute("PRAGMA disable_optimizer")
        yield made


def statement(sql: str) -> str:
    return sql if sql.split(maxsplit=1)[0].lower() in ("select", "with", "values") else f"select {sql}"


def values(array: pa.Array) -> list[Any]:
    """Return a column's values; structs as lists, since their fields may have no names."""
    if isinstance(array, pa.ChunkedArray):
        return [value for chunk in array.chunks for value in values(chunk)]
    valid = array.is_valid().to_pylist()
    if pa.types.is_struct(array.type):
        fields = [values(array.field(place)) for place in range(array.type.num_fields)]
        found: list[Any] = [list(row) for row in zip(*fields, strict=True)]
    elif pa.types.is_map(array.type):
        keys, items = values(array.keys), values(array.items)
        spans = array.offsets.to_pylist()
        found = [dict(zip(map(str, keys[a:b]), items[a:b], strict=True)) for a, b in pairwise(spans)]
    elif pa.types.is_list(array.type):
        items, spans = values(array.values), array.offsets.to_pylist()
        found = [items[a:b] for a, b in pairwise(spans)]
    else:
        found = array.to_pylist()
    return [value if there else None for value, there in zip(found, valid, strict=True)]


def inner(kind: str) -> list[str]:
    """Return the types between the outer parentheses of a type's name, field names dropped."""
    parts, depth, start = [], 0, kind.index("(") + 1
    for at, letter in enumerate(kind):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if (letter == "," and depth == 1) or (letter == ")" and depth == 0):
            parts.append(re.sub(r"^\"?\w+\"? (?=\w)(?!with)", "", kind[start:at].strip()))
            start = at + 1
    return parts


def same(kind: str, told: Any, got: Any) -> bool:  # noqa: ANN401 - values of any type
    """Tell whether DuckDB's value is Trino's, by value and family of type."""
    family = re.split(r"[ (]", kind, maxsplit=1)[0]
    if told is None or got is None:
        return told is None and got is None
    if family == "array":
        return len(told) == len(got) and all(
            same(inner(kind)[0], a, b) for a, b in zip(told, got, strict=True)
        )
    if family == "map":
        return told.keys() == got.keys() and all(same(inner(kind)[1], told[key], got[key]) for key in told)
    if family == "row":
        return all(same(one, a, b) for one, a, b in zip(inner(kind), told, got, strict=True))
    return scalar(family, told, got)


def scalar(family: str, told: Any, got: Any) -> bool:  # noqa: ANN401, PLR0911 - a line a type
    if family in ("tinyint", "smallint", "integer", "bigint"):
        return type(got) is int and got == told
    if family == "decimal":
        return type(got) is Decimal and got == Decimal(told)
    if family in ("double", "real"):
        number = float(told)
        return type(got) is float and (
            math.isclose(got, number, rel_tol=1e-14) or (math.isnan(got) and math.isnan(number))
        )
    if family == "varbinary":
        return got == base64.b64decode(told)
    if family == "date":
        return type(got) is date and got.isoformat() == told
    if family == "timestamp":
        zoned = told.endswith(" UTC")
        return got == datetime.fromisoformat(told.removesuffix(" UTC") + ("+00:00" if zoned else ""))
    return type(got) in (str, bool) and got == told


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact["sql"][:60])
def test_a_fact_of_trino(fact: dict[str, Any], connection: duckdb.DuckDBPyConnection) -> None:
    if "error" in fact:
        with pytest.raises((SqlError, duckdb.Error)) as caught:
            connection.execute(translate(statement(fact["sql"]), tables={}).duckdb).fetchall()
        assert str(caught.value)
        return
    table = connection.execute(translate(statement(fact["sql"]), tables={}).duckdb).to_arrow_table()
    rows = [list(row) for row in zip(*(values(column) for column in table.columns), strict=True)]
    told = fact["rows"]
    if "order by" not in fact["sql"] and len(rows) > 1:
        told, rows = sorted(told, key=repr), sorted(rows, key=repr)
    assert len(rows) == len(told), rows
    for one, row in zip(told, rows, strict=True):
        assert all(same(kind, a, b) for kind, a, b in zip(fact["types"], one, row, strict=True)), (
            f"{row} is not {one}"
        )


@pytest.mark.parametrize(
    "fact",
    [one for one in FACTS if "error" in one and not one["sql"].startswith("select ")],
    ids=lambda fact: fact["sql"][:60],
)
def test_an_error_that_no_row_reaches_is_none(
    fact: dict[str, Any], connection: duckdb.DuckDBPyConnection
) -> None:
    sql = f"select if(k > 1, {fact['sql']}) is null, try({fact['sql']}) is null from (values 1) t(k)"
    try:
        statement = translate(sql, tables={})
    except SqlError:
        assert "json_extract_scalar" in fact["sql"]  # a wrong literal path is told before anything runs
        return
    assert connection.execute(statement.duckdb).fetchall() == [(True, True)]


def test_every_fact_stands_once() -> None:
    assert len({fact["sql"] for fact in FACTS}) == len(FACTS) >= 220


def test_every_function_of_the_allow_list_has_a_fact() -> None:
    words = {word for fact in FACTS for word in re.findall(r"\w+(?=\s*\()", fact["sql"].lower())}
    assert set(FUNCTIONS) - words == set()


@pytest.mark.parametrize(
    "fact", [fact for fact in FACTS if "error" not in fact], ids=lambda fact: fact["sql"][:60]
)
def test_what_is_written_for_athena_reads_the_same_again(fact: dict[str, Any]) -> None:
    athena = translate(statement(fact["sql"]), tables={}).athena
    assert translate(athena, tables={}).athena == athena


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("1 / 0", "Division by zero"),
        ("cast('x' as bigint)", "Cannot cast 'x' to BIGINT"),
        ("array[1][2]", "Array subscript must be between 1"),
        ("map(array['a'], array[1])['b']", "Key not present in map: b"),
        ("json_parse('nope')", "Cannot convert value to JSON"),
    ],
)
def test_an_error_of_a_value_is_told_in_athenas_words(
    sql: str, words: str, connection: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(duckdb.Error) as caught:
        connection.execute(translate(statement(sql), tables={}).duckdb).fetchall()
    told = str(explain_duckdb_error(str(caught.value), sql, {}))
    assert words in told
    assert "athena" not in told
    assert "native" not in told
