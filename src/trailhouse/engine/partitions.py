"""The partitions that a reading of a table touches: from Glue, or computed where Athena computes them. Read-only."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from trailhouse.core import projection
from trailhouse.core.conditions import (
    ANYTHING,
    NOTHING,
    Condition,
    every,
    expression,
    from_day,
    holds,
    mapped,
    on_keys,
    until_day,
)
from trailhouse.core.state import DATE_KEYS
from trailhouse.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from typing import TypeAlias

    from trailhouse.aws.gate import Gate
    from trailhouse.engine.definitions import Definition

    _Between: TypeAlias = Callable[[date, date], bool]

_FIRST = date(2013, 11, 1)  # CloudTrail delivers since then
_NULL = "__HIVE_DEFAULT_PARTITION__"


class Touched(NamedTuple):
    """One partition that is read: its values, in the order of the keys, and its place."""

    values: tuple[str, ...]
    location: str


def touched(gate: Gate, table: Definition, condition: Condition, now: datetime) -> Iterator[Touched]:
    """Every partition that may meet a condition; the table itself where it has none.

    Args:
        gate: to Glue.
        table: whose they are.
        condition: on any of its columns; those that are no keys, or no texts, demand nothing.
        now: the present, UTC; `NOW` in projected ranges.

    Raises:
        SqlError: the table's projection cannot be computed.
        AwsError: Glue refuses.
    """
    wanted = on_keys(condition, table.text_keys)
    if wanted == NOTHING:
        return
    if not table.keys:
        yield Touched((), table.location)
    elif projection.is_projected(table.parameters):
        yield from _projected(table, wanted, now)
    else:
        yield from _registered(gate, table, wanted)


def _registered(gate: Gate, table: Definition, wanted: Condition) -> Iterator[Touched]:
    keys = [name for name, _ in table.keys]
    for values, place in _partitions(gate, table, wanted):
        known = {key: value for key, value in zip(keys, values, strict=False) if value != _NULL}
        if holds(wanted, known) is not False:
            yield Touched(values, place)


def _partitions(
    gate: Gate, table: Definition, wanted: Condition, **more: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    filters = expression(wanted)
    pages = gate.pages(
        "glue", "GetPartitions", DatabaseName=table.database, TableName=table.name, ExcludeColumnSchema=True,
        **({"Expression": filters} if filters else {}), **more,
    )  # fmt: skip
    for page in pages:
        for one in page.get("Partitions", ()):
            place = one.get("StorageDescriptor", {}).get("Location", "")
            yield tuple(one["Values"]), place


def _projected(table: Definition, wanted: Condition, now: datetime) -> Iterator[Touched]:
    keys = [name for name, _ in table.keys]
    try:
        for values in projection.projected(keys, table.parameters, wanted, now):
            place = projection.location(table.parameters, values, table.location, keys)
            yield Touched(tuple(values[key] for key in keys), place)
    except (ValueError, OverflowError) as error:
        raise SqlError(f"{table.name}: its partitions cannot be computed: {error}") from None


def registered_days(
    gate: Gate, table: Definition, condition: Condition, now: datetime
) -> tuple[date, date] | None:
    """The first and the last day that a table has partitions of, whatever days are asked for.

    A dozen small calls by halving, for the partitions may be a million. None where there is no partition,
    or the table is not by day. What the condition demands of other keys (account, region) stays.

    Raises:
        AwsError: Glue refuses.
    """
    if not set(DATE_KEYS) <= set(table.text_keys) or projection.is_projected(table.parameters):
        return None
    others = on_keys(condition, [key for key in table.text_keys if key not in DATE_KEYS])
    others = mapped(others, lambda leaf: ANYTHING if "like" in leaf.op else leaf)

    def any_between(first: date, last: date) -> bool:
        days = every(others, from_day(first), until_day(last))
        return next(_partitions(gate, table, days, MaxResults=1), None) is not None

    low, high = _FIRST, now.date() + timedelta(days=366)
    if others == NOTHING or not any_between(low, high):
        return None
    return _first_day(low, high, any_between), _last_day(low, high, any_between)


def _first_day(low: date, high: date, any_between: _Between) -> date:
    while low < high:
        middle = low + (high - low) // 2
        if any_between(low, middle):
            high = middle
        else:
            low = middle + timedelta(days=1)
    return low


def _last_day(low: date, high: date, any_between: _Between) -> date:
    while low < high:
        middle = high - (high - low) // 2
        if any_between(middle, high):
            low = middle
        else:
            high = middle - timedelta(days=1)
    return low
