"""The names that a user queries, and their SQL on the local lake, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailhouse.core.layout import Kind
from trailhouse.core.schema import (
    EVENT_TIMESTAMP,
    FILES_COLUMNS,
    Column,
    duckdb_type,
    events_columns,
    lake_columns,
    view_columns,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SUFFIXES = {
    Kind.CLOUDTRAIL: "",
    Kind.INSIGHT: "_insight",
    Kind.NETWORKACTIVITY: "_networkactivity",
    Kind.AGGREGATED: "_aggregated",
}
_TIME = "CAST(try_strptime(eventtime, '%Y-%m-%dT%H:%M:%SZ') AS TIMESTAMP_MS)"


@dataclass(frozen=True, slots=True)
class View:
    """A name with its columns and its statement (DuckDB)."""

    name: str
    columns: tuple[Column, ...]
    sql: str


def kind_name(prefix: str, kind: Kind) -> str:
    """The name of all accounts' records of a kind: `cloudtrail`, `cloudtrail_insight`."""
    return prefix + _SUFFIXES[kind]


def local_views(
    prefix: str,
    files: Mapping[Kind, Sequence[str]],
    ledger: Sequence[str],
    accounts: Mapping[Kind, Sequence[str]],
) -> list[View]:
    """Every name over a local lake, in an order in which they can be made.

    Args:
        prefix: `table_prefix`.
        files: Paths of each kind's data files.
        ledger: Paths of the ledger's.
        accounts: For each kind the accounts that get a name of their own.
    """
    views = [_files_view(f"{prefix}_files", FILES_COLUMNS, ledger)]
    for kind, suffix in _SUFFIXES.items():
        lake = _files_view(f"{prefix}{suffix}_lake", lake_columns(kind), files.get(kind, ()))
        columns = view_columns(kind)
        every = f"SELECT {_names(columns)} FROM {lake.name}"  # noqa: S608 - a checked name
        delivered = View(prefix + suffix, columns, every)
        views += [lake, delivered]
        views += [_account_view(delivered, account) for account in accounts.get(kind, ())]
    events = f"{_names(view_columns(Kind.CLOUDTRAIL))}, {_TIME} AS {EVENT_TIMESTAMP.name}"
    once = f"SELECT {events} FROM {prefix}_lake WHERE NOT duplicate"  # noqa: S608 - a checked name
    return [*views, View(f"{prefix}_events", events_columns(), once)]


def _account_view(delivered: View, account: str) -> View:
    sql = f"SELECT {_names(delivered.columns)} FROM {delivered.name} WHERE account = '{account}'"  # noqa: S608 - digits
    return View(f"{delivered.name}_{account}", delivered.columns, sql)


def _files_view(name: str, columns: tuple[Column, ...], paths: Sequence[str]) -> View:
    if not paths:
        nothing = ", ".join(f'CAST(NULL AS {duckdb_type(c.type)}) AS "{c.name}"' for c in columns)
        return View(name, columns, f"SELECT {nothing} WHERE false")
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    files = f"read_parquet([{listed}], hive_partitioning = false)"
    return View(name, columns, f"SELECT {_names(columns)} FROM {files}")  # noqa: S608 - quoted above


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(f'"{c.name}"' for c in columns)
