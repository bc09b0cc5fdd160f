"""CloudTrail Lake's SQL as Athena's over our tables: the common forms, the rest refused by name.

Lake's SQL is Trino's, as Athena's is; what differs is the schema
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-limitations.html). Event data stores become
tables of ours, times and flags the texts that trails deliver, maps JSON, and bounds of `eventTime` become
bounds of the day of delivery besides, so that only these days are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlglot import exp

from trailhouse.core.times import format_duration
from trailhouse.core.views import events_name
from trailhouse.dialect.event_data_store.columns import LEFT_OUT, WHOLE, Stored
from trailhouse.dialect.event_data_store.ids import quote_stores, store_named
from trailhouse.dialect.event_data_store.query import Queries
from trailhouse.dialect.event_data_store.sources import Place, stored_as
from trailhouse.dialect.grammar import parse, to_athena
from trailhouse.dialect.mistake import place_of, place_of_word, unsupported, wrong
from trailhouse.dialect.parameters import bind, type_of_value
from trailhouse.dialect.tables import cte_names
from trailhouse.dialect.trees import Refusal
from trailhouse.errors import SqlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from trailhouse.dialect.event_data_store.times import Bounds

_NO_PARAMS: Mapping[str, type_of_value] = MappingProxyType({})
_NO_STORES: Mapping[str, str] = MappingProxyType({})
_QUERIES = (exp.Select, exp.Union, exp.Intersect, exp.Except, exp.Subquery)


@dataclass(frozen=True, slots=True)
class Moved:
    """A statement of CloudTrail Lake's as one of Athena's.

    Attributes:
        sql: the statement, its parameters bound.
        notes: what is to be said of it, a line each.
    """

    sql: str
    notes: tuple[str, ...]


def from_cloudtrail_lake(
    sql: str,
    *,
    now: datetime,
    params: Mapping[str, type_of_value] = _NO_PARAMS,
    stores: Mapping[str, str] = _NO_STORES,
    late: timedelta = timedelta(days=1),
    prefix: str = "cloudtrail",
) -> Moved:
    """Return a statement of CloudTrail Lake's as one of Athena's over our tables.

    Args:
        sql: one statement.
        now: what `now()` is where event times are compared with it, UTC.
        params: values of its `:name` parameters.
        stores: the tables that event data stores stand for, by id; one that is not named stands for
            `cloudtrail_events`.
        late: how long after an event its file may have been delivered.
        prefix: `table_prefix`.

    Raises:
        SqlError: the statement is wrong.
        UnsupportedSqlError: it has a form without a counterpart here.
        UsageError: a store stands for what is no table of ours.
    """
    text = quote_stores(sql)
    tree = parse(text)
    try:
        known = _stores(stores, prefix)
        _check(tree, known, prefix)
        tree = bind(tree, params, text)
        queries = Queries(known, prefix, now, late)
        queries.query(tree, Place())
        _refuse_whole_records(tree)
        return Moved(to_athena(tree), tuple(_notes(queries)))
    except Refusal as refusal:
        raise _told(refusal, text) from None
    except RecursionError:
        raise unsupported("the statement is nested too deeply", text, None) from None


def _stores(stores: Mapping[str, str], prefix: str) -> dict[str, Stored]:
    found = {}
    for name, table in stores.items():
        stored = stored_as(table, prefix)
        if stored is None:
            raise UsageError(
                f"--store {name}={table}: {table} cannot stand for an event data store: name {events_name(prefix)}, "
                f"{prefix}, {prefix}_<account>, {prefix}_networkactivity or {prefix}_insight"
            )
        found[(store_named(name) or name).lower()] = stored
    return found


def _check(tree: exp.Expr, known: Mapping[str, Stored], prefix: str) -> None:
    """Refuse what is no query, and several stores that nobody said the meaning of.

    One table would hold the events of all of them, so that UNION ALL would double each.
    """
    if not isinstance(tree, _QUERIES):
        raise Refusal("CloudTrail Lake has SELECT statements alone", tree)
    for one in tree.find_all(exp.Placeholder):
        if not one.name.isidentifier():
            raise Refusal("? is no parameter here", one, hint="write :name, and give --param name=VALUE")
    named: dict[str, exp.Expr] = {}
    for table in tree.find_all(exp.Table):
        if table.db or table.name.lower() not in cte_names(table):
            store = store_named(table.name)
            if store is not None:
                named.setdefault(store.lower(), table)
    if len(named) < 2 or named.keys() <= known.keys():  # noqa: PLR2004 - several
        return
    first = next(one for one in named if one not in known)
    raise Refusal(
        f"the statement asks {len(named)} event data stores",
        named[first],
        hint=f"say what each stands for: --store '{first}={events_name(prefix)}' and so on",
        unsupported=False,
    )


def _refuse_whole_records(tree: exp.Expr) -> None:
    for one in tree.find_all(exp.Column):
        if WHOLE in one.meta:
            hint = "name the columns, or take parts of it by json_extract(eventJson, '$...')"
            raise Refusal("eventJson is not here as a whole: the record is in columns", one, hint=hint)


def _notes(queries: Queries) -> list[str]:
    notes = [_days_read(bounds, queries.late) for bounds in dict.fromkeys(queries.bounds)]
    if queries.starred:
        notes.append(f"* leaves out what is not here: {', '.join(LEFT_OUT)}")
    return notes


def _days_read(bounds: Bounds, late: timedelta) -> str:
    """Which days of delivery a reading of a store opens."""
    if bounds.since is None and bounds.until is None:
        return "no condition of the statement bounds eventTime: every day of delivery is read"
    first = "from the first day" if bounds.since is None else f"from {bounds.since:%Y-%m-%d}"
    if bounds.until is None:
        return f"days of delivery that are read: {first} on"
    last = f"{bounds.until + late:%Y-%m-%d}"
    return f"days of delivery that are read: {first} to {last}, {format_duration(late)} beyond the events (--late)"


def _told(refusal: Refusal, sql: str) -> SqlError:
    word = re.search(r"[A-Za-z_][\w.]*", refusal.what)
    place = place_of(refusal.node, sql) or (place_of_word(sql, word.group()) if word else None)
    make = unsupported if refusal.unsupported else wrong
    return make(refusal.what, sql, place, (), refusal.hint)
