"""The names that a user queries, and their SQL, once: on the local lake (DuckDB), on raw tables and lake (Athena).

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
    from datetime import date

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


def lake_name(prefix: str) -> str:
    """The name of the Iceberg table of the days that were taken in: `cloudtrail_lake`."""
    return f"{prefix}_lake"


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
    branches = _account_branches(database, prefix, kind, accounts)
    return View(kind_name(prefix, kind), view_columns(kind), " UNION ALL ".join(branches))


def _account_branches(database: str, prefix: str, kind: Kind, accounts: Sequence[str]) -> list[str]:
    return [
        _branch(database, account_name(prefix, kind, account), kind, f"CAST('{account}' AS varchar)")
        for account in accounts
    ]


def raw_events_view(database: str, prefix: str) -> View:
    """Each event once, from raw files (Athena's SQL).

    The days of delivery are part of the window, so that conditions on them still keep other days unread;
    a pair on two sides of midnight stays double therefore. So is the account's folder: copies of an event lie
    in the same one, which its recipient names. The region's is not, and cannot be: copies may lie in several.
    What has no id is never a duplicate.
    """
    return View(events_name(prefix), events_columns(), _once(_table(database, prefix)))


def hybrid_view(database: str, prefix: str, accounts: Sequence[str] | None, open_from: date) -> View:
    """All accounts' records, as delivered: sealed days from the lake, the others from raw files (Athena's SQL).

    Args:
        database: Of all tables.
        prefix: `table_prefix`.
        accounts: Those with a raw table of their own; None: one raw table holds all.
        open_from: The watermark: the first day of delivery that is not sealed.
    """
    kind = Kind.CLOUDTRAIL
    lake = f"{_lake(database, prefix)} WHERE {_before(open_from)}"
    raw = _open_branches(database, prefix, accounts, open_from)
    return View(kind_name(prefix, kind), view_columns(kind), " UNION ALL ".join([lake, *raw]))


def hybrid_events_view(database: str, prefix: str, accounts: Sequence[str] | None, open_from: date) -> View:
    """Each event once: sealed days by the lake's flags, the others as `raw_events_view` does.

    A pair on two sides of the watermark stays double until both days are sealed. It is not read from the view over all
    records, whose sealed days the engine would plan once more.

    Args:
        database: Of all tables.
        prefix: `table_prefix`.
        accounts: As for `hybrid_view`.
        open_from: As for `hybrid_view`.
    """
    columns = view_columns(Kind.CLOUDTRAIL)
    flagged = f"{_lake(database, prefix)} WHERE NOT duplicate AND {_before(open_from)}"
    sealed = f"SELECT {_names(columns)}, {_ATHENA_TIME} AS {EVENT_TIMESTAMP.name} FROM ({flagged})"  # noqa: S608 - checked names
    raw = " UNION ALL ".join(_open_branches(database, prefix, accounts, open_from))
    return View(events_name(prefix), events_columns(), f"{sealed} UNION ALL {_once(f'({raw})')}")


def _once(rows: str) -> str:
    columns = view_columns(Kind.CLOUDTRAIL)
    window = ", ".join((*_IDENTITY, "account", *_DAY))
    copies = (
        f"SELECT {_names(columns)}, row_number() OVER (PARTITION BY {window}) AS copy "  # noqa: S608 - checked names
        f"FROM {rows}"
    )
    return (
        f"SELECT {_names(columns)}, {_ATHENA_TIME} AS {EVENT_TIMESTAMP.name} "  # noqa: S608 - checked names
        f"FROM ({copies}) WHERE copy = 1 OR eventid IS NULL"
    )


def _lake(database: str, prefix: str) -> str:
    columns = ", ".join(_rendered(column) for column in view_columns(Kind.CLOUDTRAIL))
    return f"SELECT {columns} FROM {_table(database, lake_name(prefix))}"  # noqa: S608 - checked names


def _open_branches(database: str, prefix: str, accounts: Sequence[str] | None, first: date) -> list[str]:
    """The raw rows of the days that are not sealed; none for no accounts."""
    kind = Kind.CLOUDTRAIL
    if accounts is None:
        branches = [_branch(database, raw_name(prefix, kind), kind, "account")]
    else:
        branches = _account_branches(database, prefix, kind, accounts)
    return [f"{branch} WHERE {_since(first)}" for branch in branches]


def _before(day: date) -> str:
    """A condition on the delivery day that partitions are pruned by: in columns, not in what is made of them."""
    year, month, number = _texts(day)
    return f"(year < {year} OR (year = {year} AND (month < {month} OR (month = {month} AND day < {number}))))"


def _since(day: date) -> str:
    year, month, number = _texts(day)
    return (
        f"(year > {year} OR (year = {year} AND (month > {month} OR (month = {month} AND day >= {number}))))"
    )


def _texts(day: date) -> tuple[str, str, str]:
    return f"'{day.year:04}'", f"'{day.month:02}'", f"'{day.day:02}'"


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
