"""Answers of two engines made comparable: one shape of value, opaque text by what it means, places by their tail.

Never imports trailhouse: which columns hold JSON is said here once more.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bed.trino import Result

Row = dict[str, Any]
IDENTITY = ("eventid", "eventtime", "eventsource", "eventname", "recipientaccountid")
DAY = ("year", "month", "day")
DELIVERY = ("account", "region", *DAY, "logroot", "logfile")
_JSON = {
    *("requestparameters", "responseelements", "additionaleventdata", "serviceeventdetails"),
    "edgedevicedetails",
}
# Struct columns with JSON in them, by its position.
_JSON_INSIDE = {"addendum": (1,), "insightdetails": (5,), "summary": (0, 1)}
_SHOWN = 3


def of_trino(result: Result) -> list[Row]:
    """What Trino answered: structs are lists, maps are objects."""
    return [_row(zip(result.columns, values, strict=True)) for values in result.rows]


def of_arrow(table: pa.Table) -> list[Row]:
    """What the local product answered: structs become lists, maps objects."""
    types = {field.name: field.type for field in table.schema}
    return [
        _row((name, _plain(value, types[name])) for name, value in row.items()) for row in table.to_pylist()
    ]


def counted(rows: Iterable[Row], leave: Iterable[str] = ()) -> Counter[str]:
    """Rows as a multiset, without some columns."""
    left = {*leave}
    return Counter(
        json.dumps({name: value for name, value in row.items() if name not in left}, sort_keys=True)
        for row in rows
    )


def identities(rows: Iterable[Row], *more: str) -> Counter[tuple[Any, ...]]:
    """How many rows each event has."""
    return Counter(tuple(row[name] for name in (*IDENTITY, *more)) for row in rows)


def differences(one: Counter[Any], other: Counter[Any]) -> list[str]:
    """What is in only one of two multisets: some of it, to be read; [] if they are equal."""
    only = [(one - other, "only the first"), (other - one, "only the second")]
    return [
        f"{said} ({found.total()}): {str(key)[:2000]}" for found, said in only for key in list(found)[:_SHOWN]
    ]


def midnight_pairs(delivered: Iterable[Row]) -> Counter[tuple[Any, ...]]:
    """Of events delivered on several days, on how many further ones."""
    days = identities({(*_of(row, IDENTITY), *_of(row, DAY)): row for row in delivered}.values())
    return Counter({event: count - 1 for event, count in days.items() if event[0] is not None and count > 1})


def _of(row: Row, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _row(cells: Iterable[tuple[str, Any]]) -> Row:
    return {name: _meant(name, value) for name, value in cells}


def _meant(name: str, value: Any) -> Any:  # noqa: ANN401 - any cell
    """A cell as it is compared."""
    if name in _JSON:
        return _parsed(value)
    if name in {"logfile", "logroot"} and isinstance(value, str):
        return value[value.index("AWSLogs") :]
    if name in _JSON_INSIDE and value is not None:
        return [_parsed(item) if at in _JSON_INSIDE[name] else item for at, item in enumerate(value)]
    return value


def _parsed(text: str | None) -> Any:  # noqa: ANN401 - any JSON
    """JSON by its meaning; a bare string is none and stays."""
    if text is None:
        return None
    try:
        return ["JSON", json.loads(text, parse_int=float)]
    except ValueError:
        return text


def _plain(value: Any, type_: pa.DataType) -> Any:  # noqa: ANN401 - any cell
    """A value of Arrow's as Trino's client shows it."""
    if value is None:
        return None
    if pa.types.is_struct(type_):
        return [_plain(value[field.name], field.type) for field in type_]
    if pa.types.is_map(type_):
        return dict(value)
    if pa.types.is_list(type_):
        return [_plain(item, type_.value_type) for item in value]
    return value.isoformat(" ", "milliseconds") if isinstance(value, datetime) else value
