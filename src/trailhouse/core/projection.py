"""Partitions that Athena computes from a table's properties (partition projection), the same way.

https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from trailhouse.core.conditions import equal_values, holds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trailhouse.core.conditions import Condition

_NOW = re.compile(r"\s*NOW\s*(?:([+-])\s*([0-9]+)\s*([A-Z]+?)S?\s*)?", re.IGNORECASE)
_FIELDS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_PIECE = re.compile("yyyy|MM|dd|HH|mm|ss|'[^']*'|[A-Za-z]|.")
_STEPS = {
    "SECOND": timedelta(seconds=1), "MINUTE": timedelta(minutes=1), "HOUR": timedelta(hours=1),
    "DAY": timedelta(days=1), "WEEK": timedelta(weeks=1),
}  # fmt: skip
_MONTHS = {"MONTH": 1, "YEAR": 12}


def is_projected(parameters: Mapping[str, str]) -> bool:
    """Whether Athena computes this table's partitions."""
    return parameters.get("projection.enabled", "").lower() == "true"


def projected(
    keys: Sequence[str], parameters: Mapping[str, str], condition: Condition, now: datetime
) -> Iterator[dict[str, str]]:
    """The values of every partition that may meet a condition.

    Args:
        keys: of the table, in order.
        parameters: the table's own.
        condition: on the keys.
        now: the present, UTC.

    Raises:
        ValueError: the properties are incomplete, or of a form that is not known; or an injected key
            is not compared with any value.
    """
    columns = {key: list(_values(key, parameters, condition, now)) for key in keys}
    yield from _combined(columns, {}, condition)


def location(
    parameters: Mapping[str, str], values: Mapping[str, str], place: str, keys: Sequence[str]
) -> str:
    """Where a computed partition lies: by the template, or below the table in Hive's way."""
    template = parameters.get("storage.location.template")
    if template is None:
        return place.rstrip("/") + "".join(f"/{key}={values[key]}" for key in keys) + "/"
    for key in keys:
        template = template.replace(f"${{{key}}}", values[key])
    return template


def _combined(
    columns: Mapping[str, Sequence[str]], chosen: dict[str, str], condition: Condition
) -> Iterator[dict[str, str]]:
    if holds(condition, chosen) is False:
        return
    key = next((one for one in columns if one not in chosen), None)
    if key is None:
        yield chosen
        return
    for value in columns[key]:
        yield from _combined(columns, {**chosen, key: value}, condition)


def _values(key: str, parameters: Mapping[str, str], condition: Condition, now: datetime) -> Iterator[str]:
    def said(name: str, default: str | None = None) -> str:
        value = parameters.get(f"projection.{key}.{name}", default)
        if value is None:
            raise ValueError(f"projection.{key}.{name} is not set")
        return value

    match said("type").lower():
        case "enum":
            found = iter(said("values").split(","))
        case "integer":
            found = _integers(said("range"), int(said("interval", "1")), int(said("digits", "0")))
        case "date":
            found = _dates(
                said("range"), said("format"), (said("interval", "1"), said("interval.unit", "")), now
            )
        case "injected":
            asked = equal_values(condition, key)
            if asked is None:
                raise ValueError(f"{key} is injected: compare it with a value, {key} = '...'")
            found = iter(sorted(asked))
        case other:
            raise ValueError(f"projection.{key}.type {other!r} is not known")
    yield from (value for value in found if holds(condition, {key: value}) is not False)


def _integers(ends: str, step: int, digits: int) -> Iterator[str]:
    first, last = (int(end) for end in ends.split(","))
    yield from (f"{number:0{digits}}" for number in range(first, last + 1, step))


def _dates(ends: str, form: str, interval: tuple[str, str], now: datetime) -> Iterator[str]:
    pattern = _pattern(form)
    first, last = (_moment(end, pattern, now) for end in ends.split(","))
    unit = interval[1].upper().removesuffix("S") or _default_unit(form)
    at, number = first, 0
    while at <= last:
        yield at.strftime(pattern)
        number += 1
        at = _later(first, number * int(interval[0]), unit)


def _default_unit(form: str) -> str:
    if "HH" in form or "dd" not in form:
        if "MM" in form and "dd" not in form:
            return "MONTH"
        raise ValueError(f"dates of the form {form} need an interval.unit")
    return "DAY"


def _pattern(form: str) -> str:
    pieces = []
    for piece in _PIECE.findall(form):
        if piece[0].isalpha() and piece not in _FIELDS:
            raise ValueError(f"the date format {form!r} is not known")
        pieces.append(_FIELDS.get(piece) or piece.strip("'").replace("%", "%%"))
    return "".join(pieces)


def _moment(text: str, pattern: str, now: datetime) -> datetime:
    found = _NOW.fullmatch(text)
    if found is None:
        return datetime.strptime(text.strip(), pattern)  # noqa: DTZ007 - all are UTC, none says so
    naive = now.replace(tzinfo=None)
    if not found[1]:
        return naive
    amount = int(found[2]) * (-1 if found[1] == "-" else 1)
    return _later(naive, amount, found[3].upper())


def _later(moment: datetime, amount: int, unit: str) -> datetime:
    if unit in _MONTHS:
        month = moment.year * 12 + moment.month - 1 + amount * _MONTHS[unit]
        return moment.replace(year=month // 12, month=month % 12 + 1, day=min(moment.day, 28))
    if unit not in _STEPS:
        raise ValueError(f"the unit {unit} is not known")
    return moment + amount * _STEPS[unit]
