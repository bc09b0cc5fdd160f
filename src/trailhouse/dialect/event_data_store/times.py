"""Times in CloudTrail Lake's SQL: constants that `eventTime` is compared with, and the days that follow.

Lake compares a timestamp with text, which Athena refuses, and its store keeps no days. Here a constant
becomes a timestamp, and bounds of `eventTime` become bounds of the day of delivery, which keep files unread.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from sqlglot import exp

from trailhouse.dialect.trees import string_of

_TEXT = re.compile(
    r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"
    r"(?:[ T](?P<h>\d{1,2}):(?P<min>\d{1,2})(?::(?P<s>\d{1,2})(?:\.(?P<f>\d{1,9}))?)?)?"
    r"\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_SPANS: Mapping[str, timedelta] = MappingProxyType(
    {
        "millisecond": timedelta(milliseconds=1),
        "second": timedelta(seconds=1),
        "minute": timedelta(minutes=1),
        "hour": timedelta(hours=1),
        "day": timedelta(days=1),
        "week": timedelta(weeks=1),
    }
)
_MONTHS = MappingProxyType({"month": 1, "quarter": 3, "year": 12})
_TIMES = (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a condition demands of event times, UTC; None: nothing.

    Attributes:
        since: at or after.
        until: before, or at it.
    """

    since: datetime | None = None
    until: datetime | None = None

    def narrowed(self, other: "Bounds") -> "Bounds":
        """Return what both demand together."""
        since = max((one for one in (self.since, other.since) if one), default=None)
        until = min((one for one in (self.until, other.until) if one), default=None)
        return Bounds(since, until)


def moment_of_text(text: str) -> datetime | None:
    """Return the moment that a text names (UTC unless it says otherwise), None if it names none."""
    found = _TEXT.fullmatch(text.strip())
    if not found:
        return None
    fraction = int((found["f"] or "0")[:6].ljust(6, "0"))
    year, month, day, hour, minute, second = (
        int(found[one] or 0) for one in ("y", "m", "d", "h", "min", "s")
    )
    try:
        moment = datetime(year, month, day, hour, minute, second, fraction, tzinfo=UTC)
        return moment - _offset(found["zone"])
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> timedelta:
    if not zone or zone[0] not in "+-":
        return timedelta()
    span = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return -span if zone[0] == "-" else span


def constant(node: exp.Expr, now: datetime) -> datetime | None:
    """Return the moment that an expression without columns stands for; None: it is no such expression.

    Args:
        node: the expression.
        now: what `now()` and its like are, UTC.
    """
    try:
        return _constant(node, now)
    except (OverflowError, ValueError):
        return None


def _constant(node: exp.Expr, now: datetime) -> datetime | None:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.CurrentTimestamp | exp.Localtimestamp | exp.CurrentDate):
        return _midnight(now) if isinstance(node, exp.CurrentDate) else now
    if isinstance(node, exp.Literal):
        return moment_of_text(str(node.this)) if node.is_string else None
    if isinstance(node, exp.Cast):
        return _cast(node, now)
    if isinstance(node, exp.Add | exp.Sub) and isinstance(node.expression, exp.Interval):
        sign = 1 if isinstance(node, exp.Add) else -1
        return _moved(_constant(node.this, now), *_interval(node.expression, sign))
    return _called(node, now) if isinstance(node, exp.Anonymous) else None


def _cast(node: exp.Cast, now: datetime) -> datetime | None:
    inner = _constant(node.this, now)
    if node.to.this in _TIMES:
        return inner
    return _midnight(inner) if inner and node.to.this == exp.DType.DATE else None


def _called(node: exp.Anonymous, now: datetime) -> datetime | None:
    name, arguments = node.name.lower(), node.expressions
    if name == "now" and not arguments:
        return now
    if name in {"from_iso8601_timestamp", "timestamp"} and len(arguments) == 1:
        return _constant(arguments[0], now)
    if name in {"date", "from_iso8601_date"} and len(arguments) == 1:
        inner = _constant(arguments[0], now)
        return inner and _midnight(inner)
    if name == "date_add" and len(arguments) == 3:  # noqa: PLR2004 - unit, count, moment
        count = _whole(arguments[1])
        unit = string_of(arguments[0]) or ""
        return None if count is None else _moved(_constant(arguments[2], now), count, unit.lower())
    if name == "date_trunc" and len(arguments) == 2:  # noqa: PLR2004 - unit, moment
        return _truncated(_constant(arguments[1], now), (string_of(arguments[0]) or "").lower())
    return None


def _interval(node: exp.Interval, sign: int) -> tuple[int, str]:
    text = node.this.name if isinstance(node.this, exp.Literal) else ""
    unit = node.args.get("unit")
    if not re.fullmatch(r"[+-]?\d+", text) or not isinstance(unit, exp.Var):
        return 0, ""
    return sign * int(text), unit.name.lower()


def _whole(node: exp.Expr) -> int | None:
    if isinstance(node, exp.Neg):
        inner = _whole(node.this)
        return None if inner is None else -inner
    if isinstance(node, exp.Paren):
        return _whole(node.this)
    plain = isinstance(node, exp.Literal) and not node.is_string and str(node.this).isdecimal()
    return int(node.name) if plain else None


def _moved(moment: datetime | None, count: int, unit: str) -> datetime | None:
    if moment is None or not unit:
        return None
    if unit in _SPANS:
        return moment + count * _SPANS[unit]
    if unit not in _MONTHS:
        return None
    months = moment.year * 12 + moment.month - 1 + count * _MONTHS[unit]
    year, month = months // 12, months % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


_CUTS: Mapping[str, Callable[[datetime], datetime]] = MappingProxyType(
    {
        "second": lambda at: at.replace(microsecond=0),
        "minute": lambda at: at.replace(second=0, microsecond=0),
        "hour": lambda at: at.replace(minute=0, second=0, microsecond=0),
        "day": _midnight,
        "week": lambda at: _midnight(at) - timedelta(days=at.weekday()),
        "month": lambda at: _midnight(at).replace(day=1),
        "year": lambda at: _midnight(at).replace(month=1, day=1),
    }
)


def _truncated(moment: datetime | None, unit: str) -> datetime | None:
    return _CUTS[unit](moment) if moment and unit in _CUTS else None


def literal(moment: datetime, *, day: bool = False) -> exp.Expr:
    """Return a moment as Athena's timestamp, or as its date."""
    if day:
        return exp.Cast(this=exp.Literal.string(f"{moment:%Y-%m-%d}"), to=exp.DataType.build("date"))
    digits = f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"
    kind = exp.DataType(this=exp.DType.TIMESTAMP, expressions=[exp.DataTypeParam(this=exp.Literal.number(3))])
    return exp.Cast(this=exp.Literal.string(digits), to=kind)


def span_of(unit: str) -> timedelta | None:
    """Return how long a unit lasts; None: that differs, or it is no unit."""
    return _SPANS.get(unit)
