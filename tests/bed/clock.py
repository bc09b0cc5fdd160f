"""A clock for a whole process that can be set ahead; it has to be put in before anything else is loaded."""

from __future__ import annotations

import datetime as dt
import time

_TIME, _DATETIME = time.time, dt.datetime
_ahead = [0.0]


class _Kind(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _DATETIME)


class Moved(_DATETIME, metaclass=_Kind):
    """A datetime that knows the time that is played."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
        return cls.fromtimestamp(now(), tz)

    @classmethod
    def utcnow(cls) -> dt.datetime:
        return cls.now(dt.UTC).replace(tzinfo=None)


def now() -> float:
    """The time that is played, in seconds since 1970."""
    return _TIME() + _ahead[0]


def move(ahead: float) -> None:
    """Set it so many seconds ahead of the real time."""
    _ahead[0] = ahead


def install() -> None:
    """Let every module that is loaded from here on have this clock; waiting and timeouts stay real."""
    gmtime = time.gmtime
    time.time = now
    time.gmtime = lambda seconds=None: gmtime(now() if seconds is None else seconds)
    dt.datetime = Moved  # type: ignore[misc]  # this is the point
