"""A plan's changes as statements of Athena: tables and partitions in Hive's DDL, views in Athena's SQL.

Names are quoted, and so is every literal: a region or a bucket can be called anything. Athena takes statements of
less than 262,144 bytes (https://docs.aws.amazon.com/athena/latest/ug/service-limits.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailhouse.core.plan import Action, Change, Target
from trailhouse.core.state import REACH_PARAMETER, SINCE_PARAMETER, Partition, Table, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trailhouse.core.plan import Part

LONGEST = 262_143
"""Bytes of the longest statement."""


def statements(part: Part, database: str, keys: Sequence[str]) -> Iterator[str]:
    """A part's changes as statements, each without the semicolon; comments where Athena has no statement.

    Args:
        part: everything in it is new: creations, and what says that an account is complete.
        database: of all tables and views.
        keys: the partition keys of all raw tables.
    """
    partitions: list[Change] = []
    for change in part.changes:
        if partitions and (change.target, change.name) != (Target.PARTITION, partitions[0].name):
            yield from add_partitions(database, partitions, keys)
            partitions = []
        if change.target is Target.PARTITION:
            partitions.append(change)
        else:
            yield _statement(change, database)
    if partitions:
        yield from add_partitions(database, partitions, keys)


def add_partitions(
    database: str, changes: Sequence[Change], keys: Sequence[str], longest: int = LONGEST
) -> Iterator[str]:
    """Statements that add the partitions of one table, as few as can be.

    Args:
        database: of the table.
        changes: creations of partitions, of one table.
        keys: the partition keys of all raw tables.
        longest: bytes that a statement may have.
    """
    name = changes[0].name
    head = f"ALTER TABLE {identifier(database)}.{identifier(name)} ADD IF NOT EXISTS"
    size, lines = len(head.encode()), [head]
    for change in changes:
        line = "\n  " + _partition(change, keys)
        more = len(line.encode())
        if len(lines) > 1 and size + more > longest:
            yield "".join(lines)
            size, lines = len(head.encode()), [head]
        lines.append(line)
        size += more
    yield "".join(lines)


def identifier(name: str) -> str:
    """A name in Hive's DDL."""
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    """A string in Hive's DDL: the backslash escapes there, doubled quotes would end one string and begin another."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _statement(change: Change, database: str) -> str:
    after = change.after
    if change.target is Target.DATABASE:
        return f"CREATE DATABASE IF NOT EXISTS {identifier(change.name)}"
    if change.target is Target.INDEX:
        return (
            f"-- Athena has no statement for the partition index ({', '.join(change.values)}) of {change.name}; "
            "`trailhouse apply` makes it"
        )
    if isinstance(after, View):
        # Athena's SQL quotes names in its own way.
        made = f'CREATE OR REPLACE VIEW "{database}"."{after.name}" AS {after.sql}'
        short = len(made.encode()) <= LONGEST
        return (
            made
            if short
            else f"-- view {after.name} is longer than Athena takes; `trailhouse apply` makes it"
        )
    if isinstance(after, Table):
        return _create(after, database) if change.action is Action.CREATE else _set_since(after, database)
    raise TypeError(f"{change.action} {change.target} is no part of a first plan")


def _create(table: Table, database: str) -> str:
    columns = ",\n".join(f"  {identifier(name)} {type_}" for name, type_ in table.columns)
    keys = ", ".join(f"{identifier(key)} string" for key in table.keys)
    properties = _properties((k, v) for k, v in table.parameters if k not in {"EXTERNAL", REACH_PARAMETER})
    reading = table.format.parameters
    serde = f"\nWITH SERDEPROPERTIES ({_properties(reading)})" if reading else ""
    return (
        f"CREATE EXTERNAL TABLE IF NOT EXISTS {identifier(database)}.{identifier(table.name)} (\n{columns}\n)\n"
        f"PARTITIONED BY ({keys})\n"
        f"ROW FORMAT SERDE {literal(table.format.serde)}{serde}\n"
        f"STORED AS INPUTFORMAT {literal(table.format.input_format)}\n"
        f"OUTPUTFORMAT {literal(table.format.output_format)}\n"
        f"LOCATION {literal(table.location)}\n"
        f"TBLPROPERTIES (\n  {properties}\n)"
    )


def _set_since(table: Table, database: str) -> str:
    since = _properties((k, v) for k, v in table.parameters if k == SINCE_PARAMETER)
    return f"ALTER TABLE {identifier(database)}.{identifier(table.name)} SET TBLPROPERTIES ({since})"


def _properties(pairs: Iterable[tuple[str, str]]) -> str:
    return ",\n  ".join(f"{literal(key)} = {literal(value)}" for key, value in pairs)


def _partition(change: Change, keys: Sequence[str]) -> str:
    if not isinstance(change.after, Partition):
        raise TypeError(f"a partition of {change.name} is not new")
    values = ", ".join(f"{identifier(k)} = {literal(v)}" for k, v in zip(keys, change.values, strict=True))
    return f"PARTITION ({values}) LOCATION {literal(change.after.location)}"
