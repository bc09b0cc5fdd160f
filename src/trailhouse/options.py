"""What of the sources is asked: window, accounts, regions; and how people write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from trailhouse.core.times import format_time, parse_duration, parse_time
from trailhouse.dialect import Scope
from trailhouse.errors import UsageError
from trailhouse.lake.pending import Needed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

When: TypeAlias = datetime | date | str | None
"""A time, a day, ISO 8601 text of either, a length of time back from now such as `7d`, or no limit."""

DAY = timedelta(days=1)
_ACCOUNT = re.compile(r"[0-9]{12}")


@dataclass(frozen=True, slots=True)
class Options:
    """How to open sources; the defaults take everything.

    Attributes:
        since: Events from this moment on, UTC.
        until: Events before this moment, UTC.
        accounts: Account folders; empty: all.
        regions: Region folders; empty: all.
        late: How long after an event its file may have been delivered.
        workdir: Folder of all working folders; None: the platform's for user data.
        jobs: Worker processes; None: one a core.
        table_prefix: Beginning of every name.
    """

    since: datetime | None = None
    until: datetime | None = None
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    late: timedelta = DAY
    workdir: Path | None = None
    jobs: int | None = None
    table_prefix: str = "cloudtrail"

    def __post_init__(self) -> None:
        """Refuse what cannot be meant. Raises UsageError."""
        if self.since and self.until and self.since >= self.until:
            raise UsageError(
                f"nothing lies between {format_time(self.since)} and {format_time(self.until)}: "
                "the window begins at the first and ends before the second"
            )
        for account in self.accounts:
            if not _ACCOUNT.fullmatch(account):
                raise UsageError(f"account {account!r}: account ids have 12 digits, such as 012345678901")

    @property
    def scope(self) -> Scope:
        """What queries are limited to."""
        return Scope(self.since, self.until, self.accounts, self.regions, self.late)

    @property
    def needed(self) -> Needed:
        """Which objects have to be taken in for that."""
        last = None if self.until is None else (self.until + self.late).date()
        return Needed(self.since.date() if self.since else None, last, self.accounts, self.regions)


def moment(given: When, now: datetime) -> datetime | None:
    """A point in time, UTC: naive times are UTC, a day is its midnight. Raises UsageError."""
    if isinstance(given, str):
        try:
            return parse_time(given, now)
        except ValueError as error:
            raise UsageError(str(error)) from None
    if isinstance(given, datetime):
        return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
    return None if given is None else datetime(given.year, given.month, given.day, tzinfo=UTC)


def duration(given: timedelta | str) -> timedelta:
    """A length of time. Raises UsageError."""
    try:
        return parse_duration(given) if isinstance(given, str) else given
    except ValueError as error:
        raise UsageError(str(error)) from None


def texts(given: Sequence[str]) -> tuple[str, ...]:
    """Several texts; one alone is meant as one, not as its letters."""
    return (given,) if isinstance(given, str) else tuple(given)
