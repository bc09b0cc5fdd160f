"""When a schedule of EventBridge Scheduler begins next.

Expressions are AWS's own (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html): `cron(minutes
hours day-of-month month day-of-week year)` with Sunday as day 1, `rate(value unit)`, `at(time)`. All times are UTC.
What is written with `L`, `W` or `#` is not worked out here.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_EXPRESSION = re.compile(r"(cron|rate|at)\((.*)\)")
_RATE = re.compile(r"(\d+)\s+(minute|hour|day)s?")
_PART = re.compile(r"(\*|[0-9A-Z]+)(?:-([0-9A-Z]+))?(?:/(\d+))?")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# Lowest and highest of each field, and the names that stand for numbers from the lowest on.
_FIELDS: tuple[tuple[int, int, Sequence[str]], ...] = (
    (0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (1, 7, _WEEKDAYS), (1970, 2199, ()),
)  # fmt: skip
_DAY = timedelta(days=1)
_LOOK_AHEAD = 366 * 5


def next_time(expression: str, after: datetime, created: datetime | None = None) -> datetime | None:
    """When a schedule begins next.

    Args:
        expression: in EventBridge Scheduler's words, UTC.
        after: the present, UTC.
        created: when the schedule was made, which a rate counts from.

    Returns:
        The first time after `after`; None where it cannot be told, or it never begins again.
    """
    found = _EXPRESSION.fullmatch(expression.strip())
    if found is None:
        return None
    kind, text = found[1], found[2].strip()
    try:
        if kind == "cron":
            return next(_times(text, after), None)
        return _rate(text, after, created) if kind == "rate" else _at(text, after)
    except (ValueError, OverflowError):
        return None


def _rate(text: str, after: datetime, created: datetime | None) -> datetime | None:
    found = _RATE.fullmatch(text)
    if found is None or created is None:
        return None
    period = timedelta(**{f"{found[2]}s": int(found[1])})
    if not period:
        return None
    return created if created > after else created + ((after - created) // period + 1) * period


def _at(text: str, after: datetime) -> datetime | None:
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return moment if moment > after else None


def _times(text: str, after: datetime) -> Iterator[datetime]:
    """The times of a cron expression, in order."""
    fields = text.upper().split()
    if len(fields) != len(_FIELDS):
        return
    minutes, hours, days, months, weekdays, years = map(_numbers, fields, range(len(_FIELDS)))
    for ahead in range(_LOOK_AHEAD):
        day = after.date() + ahead * _DAY
        if day.year in years and day.month in months and day.day in days and _weekday(day) in weekdays:
            for hour in sorted(hours):
                for minute in sorted(minutes):
                    moment = datetime.combine(day, time(hour, minute), UTC)
                    if moment > after:
                        yield moment


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _numbers(field: str, at: int) -> set[int]:
    """The numbers that a field of a cron expression stands for. Raises ValueError for what is not worked out."""
    lowest, highest, names = _FIELDS[at]
    found: set[int] = set()
    for part in field.replace("?", "*").split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(part)
        first = lowest if match[1] == "*" else _number(match[1], lowest, names)
        open_ended = match[1] == "*" or match[3]
        last = _number(match[2], lowest, names) if match[2] else highest if open_ended else first
        found |= set(range(first, last + 1, int(match[3] or 1)))
    return found


def _number(text: str, lowest: int, names: Sequence[str]) -> int:
    return names.index(text) + lowest if text in names else int(text)
