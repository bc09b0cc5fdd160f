"""The names that a user queries, and their SQL, once: on the local lake (DuckDB), on raw tables (Athena).

Every statement names its columns, and in Athena casts every struct to its one type: Trino matches the fields
of structs by position and would swap them without a word, and what `SELECT *` means is fixed when a view is
made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailhouse.core.layout import Kind
from trailhouse.core.schema import (
    EVENT_TIMESTAMP,
    FILES_COLUMNS,
    RECORD_COLUMNS,
    Column,
    Text,
    duckdb_type,
    events_columns,
    lake_columns,
    trino_type,
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
_ATHENA_TIME = "CAST(try(date_parse(eventtime, '%Y-%m-%dT%H:%i:%sZ')) AS timestamp(3))"
_FROM = re.compile(r'FROM "[^"]*"\."([^"]*)"')
_IDENTITY = ("eventid", "eventtime", "eventsource", "eventname", "recipientaccountid")
_DAY = ("year", "month", "day")
_TIME = "CAST(try_strptime(eventtime, '%Y-%m-%dT%H:%M:%SZ') AS TIMESTAMP_MS)"


@dataclass(frozen=True, slots=True)
class View:
    """A name with its columns and its statement."""

    name: str
    columns: tuple[Column, ...]
    sql: str


def kind_name(prefix: str, kind: Kind) -> str:
    """The name of all accounts' records of a kind: `cloudtrail`, `cloudtrail_insight`."""
    return prefix + _SUFFIXES[kind]


def account_name(prefix: str, kind: Kind, account: str) -> str:
    """The name of one account's records of a kind: `cloudtrail_111122223333`."""
    return f"{kind_name(prefix, kind)}_{account}"


def raw_name(prefix: str, kind: Kind) -> str:
    """The name of the table that holds all accounts' raw files of a kind: `cloudtrail_raw`."""
    return f"{kind_name(prefix, kind)}_raw"


def events_name(prefix: str) -> str:
    """The name of the events without duplicates: `cloudtrail_events`."""
    return f"{prefix}_events"


def raw_view(database: str, prefix: str, kind: Kind) -> View:
    """All accounts' records, as delivered, from one raw table (Athena's SQL).

    Raises:
        KeyError: the kind holds no records (digests).
    """
    columns = view_columns(kind)
    return View(kind_name(prefix, kind), columns, _branch(database, raw_name(prefix, kind), kind, "account"))


def account_view(database: str, prefix: str, kind: Kind, account: str) -> View:
    """One account's records, as delivered, from the raw table of all (Athena's SQL)."""
    every = _branch(database, raw_name(prefix, kind), kind, "account")
    sql = f"{every} WHERE account = '{account}'"
    return View(account_name(prefix, kind, account), view_columns(kind), sql)


def union_view(database: str, prefix: str, kind: Kind, accounts: Sequence[str]) -> View:
    """All accounts' records, as delivered, from a raw table an account (Athena's SQL).

    The account is a constant of its branch, so that a condition on it leaves the other branches unread.
    """
    branches = [
        _branch(database, account_name(prefix, kind, account), kind, f"CAST('{account}' AS varchar)")
        for account in accounts
    ]
    return View(kind_name(prefix, kind), view_columns(kind), " UNION ALL ".join(branches))


def raw_events_view(database: str, prefix: str) -> View:
    """Each event once, from raw files (Athena's SQL).

    The days of delivery are part of the window, so that conditions on them still keep other days unread;
    a pair on two sides of midnight stays double therefore. So is the account's folder: copies of an event lie
    in the same one, which its recipient names. The region's is not, and cannot be: copies may lie in several.
    What has no id is never a duplicate.
    """
    columns = view_columns(Kind.CLOUDTRAIL)
    window = ", ".join((*_IDENTITY, "account", *_DAY))
    copies = (
        f"SELECT {_names(columns)}, row_number() OVER (PARTITION BY {window}) AS copy "  # noqa: S608 - checked names
        f"FROM {_table(database, prefix)}"
    )
    sql = (
        f"SELECT {_names(columns)}, {_ATHENA_TIME} AS {EVENT_TIMESTAMP.name} "  # noqa: S608 - checked names
        f"FROM ({copies}) WHERE copy = 1 OR eventid IS NULL"
    )
    return View(events_name(prefix), events_columns(), sql)


def named_tables(sql: str) -> frozenset[str]:
    """The tables and views that a statement of ours in Athena's SQL reads from, without their database."""
    return frozenset(_FROM.findall(sql))


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
    return [*views, View(events_name(prefix), events_columns(), once)]


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


def _branch(database: str, table: str, kind: Kind, account: str) -> str:
    record = ", ".join(_rendered(column) for column in RECORD_COLUMNS[kind])
    keys = "region, year, month, day, logroot"
    return (
        f'SELECT {record}, {account} AS account, {keys}, "$path" AS logfile '  # noqa: S608 - checked names
        f"FROM {_table(database, table)}"
    )


def _rendered(column: Column) -> str:
    if isinstance(column.type, Text):
        return f'"{column.name}"'
    return f'CAST("{column.name}" AS {trino_type(column.type)}) AS "{column.name}"'


def _table(database: str, name: str) -> str:
    return f'"{database}"."{name}"'


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(f'"{c.name}"' for c in columns)
