"""Registers on a DuckDB connection what translated statements call."""

import logging
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from trailhouse.dialect.natives import NATIVES

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
    """Return a function over whole columns from one over values; a null argument gives null."""

    def column(*columns: pa.ChunkedArray) -> pa.Array:
        rows = zip(*(one.to_pylist() for one in columns), strict=True)
        return pa.array([None if None in row else function(*row) for row in rows], _ARROW[returns])

    # DuckDB counts the parameters of the signature.
    if takes == 1:
        return lambda one: column(one)  # noqa: PLW0108
    if takes == 2:  # noqa: PLR2004
        return lambda one, two: column(one, two)  # noqa: PLW0108
    return lambda one, two, three: column(one, two, three)  # noqa: PLW0108


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Make a connection ready for translated statements: UTC, nulls last, our functions and macros.

    The macros are temporary: they live with the connection and touch no database file.
    """
    for scope in ("", "GLOBAL "):  # this connection, and the cursors that it will have
        for setting in _SETTINGS:
            connection.execute(f"SET {scope}{setting}")
    query = "SELECT function_name FROM duckdb_functions() WHERE starts_with(function_name, 'native_')"
    present = {name for (name,) in connection.execute(query).fetchall()}
    for name, (function, takes, returns) in NATIVES.items():
        if f"native_{name}" in present:  # cursors of one database share its functions
            continue
        column = _by_column(function, len(takes), returns)
        kinds: list[Any] = [duckdb.type(one) for one in takes]
        connection.create_function(
            f"native_{name}",
            column,
            kinds,
            duckdb.type(returns),
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )
    install_macros(connection)


def install_macros(cursor: duckdb.DuckDBPyConnection) -> None:
    """Make a cursor of an installed connection ready, also where its configuration is locked."""
    cursor.execute(_macros())
