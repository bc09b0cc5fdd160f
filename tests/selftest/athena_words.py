"""Athena's own statements for a Trino: those that have a Trino form are turned, the others are said not to be there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bed.athena import Failed, Table, on_trino
from bed.trino import TrinoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.trino import Trino

MISSING = "INTERNAL_ERROR: the stand-in has no"
_ABSENT = re.compile(
    r"\s*(OPTIMIZE|VACUUM|SHOW PARTITIONS|CREATE EXTERNAL|MSCK|UNLOAD|DESCRIBE|SHOW TABLES '|SHOW CREATE)"
)
_QUESTION = re.compile(r"\s*(SELECT|WITH|VALUES|SHOW)\b")
_ICEBERG = re.compile(
    r"CREATE TABLE (\w+) \((.*)\) PARTITIONED BY \((.*?)\) LOCATION '(.*?)' TBLPROPERTIES \(.*'ICEBERG'.*\)"
)


def spoken(trino: Trino) -> Callable[[str, str], Table]:
    """The answers of a Trino to Athena's statements."""
    asked = on_trino(trino.url)

    def answer(sql: str, database: str) -> Table:
        if absent := _ABSENT.match(sql):
            raise Failed(f"{MISSING} {absent[1]}")
        if _QUESTION.match(sql):
            return asked(sql, database)
        try:
            trino.ask(turned(sql, database), schema=database)
        except TrinoError as error:
            raise Failed(str(error)) from error
        return Table([], [], kind="DDL")

    return answer


def turned(sql: str, database: str) -> str:
    """A statement with Trino's way of making an Iceberg table."""
    found = _ICEBERG.fullmatch(sql)
    if not found:
        return sql
    name, columns, keys, location = found.groups()
    columns = columns.replace("struct<type:string,arn:string>", "row(type varchar, arn varchar)")
    columns = columns.replace(" string", " varchar").replace(" timestamp", " timestamp(6)")
    partitioning = ", ".join(f"'{key.strip()}'" for key in keys.split(","))
    return (
        f'CREATE TABLE iceberg."{database}".{name} ({columns}) WITH '
        f"(partitioning = ARRAY[{partitioning}], location = '{location.rstrip('/')}', format = 'PARQUET')"
    )
