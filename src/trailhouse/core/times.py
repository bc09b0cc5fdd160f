"""Points in time and lengths of time as people write them; everything inside is UTC."""

import re
from datetime import UTC, datetime, timedelta

_DURATION = re.compile(r"(\d{1,9})\s*([smhdw])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CLOCK = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?\s?(Z|[+-]\d{2}(:?\d{2})?)?",
    re.ASCII | re.IGNORECASE,
)
_TIME_FORMS = "2023-07-10, 2023-07-10T11:00:00Z, 2023-07-10T13:00+02:00, or 7d for seven days ago"
_DURATION_FORMS = "a number and s, m, h, d or w, such as 36h or 1d"


def parse_duration(text: str) -> timedelta:
    """Return the length of time that `text` names, such as `90m`, `36h`, `1d`, `2w` or `1d12h`.

    Raises:
        ValueError: the text is no such length; the message says what would be.
    """
    compact = text.strip().lower()
    parts = _DURATION.findall(compact)
    if not parts or _DURATION.sub("", compact).strip():
        raise ValueError(f"{text!r} is no length of time: give {_DURATION_FORMS}")
    try:
        return timedelta(seconds=sum(int(number) * _SECONDS[unit] for number, unit in parts))
    except OverflowError:
        raise ValueError(f"{text!r} is too long a time") from None


def format_duration(length: timedelta) -> str:
    """Return `length` as `parse_duration` reads it, in the largest units that keep it exact to the second."""
    rest = int(length.total_seconds())
    parts = []
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_time(text: str, now: datetime) -> datetime:
    """Return the point in time that `text` names, zone-aware and in UTC.

    A day means its midnight. A time without a zone is UTC, with an offset it is converted.
    A length of time (`7d`, `36h`) counts back from `now`.

    Args:
        text: an ISO 8601 day or time, or a length of time.
        now: the present, zone-aware.

    Raises:
        ValueError: the text is neither; the message says what would be.
    """
    stripped = text.strip()
    if _DATE.fullmatch(stripped) or _CLOCK.fullmatch(stripped):
        return _absolute(stripped)
    try:
        return now.astimezone(UTC) - parse_duration(stripped)
    except ValueError:
        raise ValueError(f"{text!r} is no time: give {_TIME_FORMS}") from None
    except OverflowError:
        raise ValueError(f"{text!r} lies before the year 1") from None


def _absolute(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(re.sub(r"\s(?=[Zz+-])", "", text).upper())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no time of the calendar: {error}") from None


def format_time(moment: datetime) -> str:
    """Return `moment` as ISO 8601 in UTC: whole seconds where it has no smaller part, `Z` at the end."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="microseconds" if utc.microsecond else "seconds") + "Z"
