"""Registers on a DuckDB connection what translated statements call."""

import logging
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from trailhouse.dialect.json_text import JsonError
from trailhouse.dialect.natives import NATIVES, NativeError

_log = logging.getLogger(__name__)
_SETTINGS = ("TimeZone = 'UTC'", "default_null_order = 'nulls_last'", "ieee_floating_point_ops = true")
_ARROW = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "DOUBLE": pa.float64(),
    "BLOB": pa.binary(),
    "VARCHAR[]": pa.list_(pa.string()),
    "STRUCT(key VARCHAR, value VARCHAR)[]": pa.list_(
        pa.struct([("key", pa.string()), ("value", pa.string())])
    ),
}


@cache
def _macros() -> str:
    return resources.files("trailhouse.dialect").joinpath("macros.sql").read_text("utf-8")


def _by_column(function: Callable[..., Any], takes: int, returns: str) -> Callable[..., pa.Array]:
    """Return a function over whole columns from one over values; a null argument gives null.

    A row is a value and what is wrong with it. Nothing is raised: where a statement has TRY, DuckDB drops
    exceptions of Python in threads of its own, and sooner or later the process dies of it.
    """
    rows_of = pa.struct([("value", _ARROW[returns]), ("fault", pa.string())])

    def answer(row: tuple[Any, ...]) -> tuple[Any, str | None]:
        try:
            return (None if None in row else function(*row)), None
        except (NativeError, JsonError) as fault:
            return None, str(fault)

    def column(*columns: pa.ChunkedArray) -> pa.Array:
        rows = zip(*(one.to_pylist() for one in columns), strict=True)
        return pa.array([answer(row) for row in rows], rows_of)

    # DuckDB counts the parameters of the signature.
    if takes == 1:
        return lambda one: column(one)  # noqa: PLW0108 - for its signature
    if takes == 2:  # noqa: PLR2004 - the number of names below
        return lambda one, two: column(one, two)  # noqa: PLW0108 - likewise
    return lambda one, two, three: column(one, two, three)  # noqa: PLW0108 - likewise


@cache
def _raising() -> str:
    """Return the macros `native_*`: the value of `answer_*`, or its fault as an error that TRY catches."""
    return "".join(
        f"CREATE OR REPLACE TEMP MACRO native_{name}({names}) AS list_transform([answer_{name}({names})], "
        "lambda answer_: CASE WHEN answer_.fault IS NULL THEN answer_.value "
        "ELSE athena_raise(answer_.fault, answer_.value) END)[1];\n"
        for name, (_, takes, _) in NATIVES.items()
        for names in [", ".join(f"given{i}" for i in range(len(takes)))]
    )


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Make a connection ready for translated statements: UTC, nulls last, our functions and macros.

    The macros are temporary: they live with the connection and touch no database file.
    """
    for scope in ("", "GLOBAL "):  # this connection, and the cursors that it will have
        for setting in _SETTINGS:
            connection.execute(f"SET {scope}{setting}")
    query = "SELECT function_name FROM duckdb_functions() WHERE starts_with(function_name, 'answer_')"
    present = {name for (name,) in connection.execute(query).fetchall()}
    for name, (function, takes, returns) in NATIVES.items():
        if f"answer_{name}" in present:  # cursors of one database share its functions
            continue
        column = _by_column(function, len(takes), returns)
        kinds: list[Any] = [duckdb.type(one) for one in takes]
        connection.create_function(
            f"answer_{name}",
            column,
            kinds,
            duckdb.type(f"STRUCT(value {returns}, fault VARCHAR)"),
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )
    install_macros(connection)


def install_macros(cursor: duckdb.DuckDBPyConnection) -> None:
    """Make a cursor of an installed connection ready, also where its configuration is locked."""
    first, mark, rest = _macros().partition("-- Arithmetic\n")
    cursor.execute(first + _raising() + mark + rest)
