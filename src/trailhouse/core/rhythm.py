"""Whether somebody who used to deliver fell silent, judged by nothing but their own rhythm.

The rule. Of a series of days of delivery within a window:

- the rhythm is the longest gap between two deliveries that follow each other: 1 where there is one every day,
  3 where week-ends are empty;
- the series is silent when the days since its last delivery are more than twice that gap, and at least two whole
  days are without any;
- there has to be a rhythm: fewer than seven days of delivery in the window say nothing. Who delivers so seldom
  that twice the gap is longer than the window is never called silent;
- today never counts as missing, and yesterday only from 02:00 UTC on: what is delivered late in a day may not be
  there yet.

A silence that was told stays open as long as nothing new arrives, also when the days that spoke for a rhythm have
left the window. It ends with the next delivery, or when there is no folder of that name any more. (That an account's
folder goes while it still delivers is told by the run: `nightly.findings.gone`.)

All days are days of delivery, UTC: those that the folders are named after.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

WINDOW_DAYS = 40
"""Days back that every run lists, and that a rhythm is read from."""
LEAST_DAYS = 7
"""Days of delivery without which there is no rhythm."""
LEAST_SILENCE = 2
"""Whole days without a delivery before anybody is called silent."""
TIMES_THE_GAP = 2
SETTLED = time(2)
"""Time of day, UTC, from which on yesterday is complete."""
EVERYWHERE = ""
"""The region that stands for all regions of an account."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Silence:
    """Somebody who used to deliver and does not any more.

    Attributes:
        since: the first day without a delivery.
        gap: days, the longest between two deliveries before; 0 where the window does not show it any more.
    """

    since: date
    gap: int = 0

    @property
    def last(self) -> date:
        """The last day of delivery."""
        return self.since - _DAY


def last_whole_day(now: datetime) -> date:
    """The last day whose deliveries are all there.

    Args:
        now: of the run, UTC.
    """
    return now.date() - (_DAY if now.time() >= SETTLED else 2 * _DAY)


def silence(days: Collection[date], now: datetime, known: Silence | None = None) -> Silence | None:
    """Whether a series is silent, and since when.

    Args:
        days: of delivery, in any order; those before the window are left out.
        now: of the run, UTC.
        known: the silence that was open until now.
    """
    first = now.date() - timedelta(days=WINDOW_DAYS)
    delivered = sorted({day for day in days if day >= first})
    if known and not (delivered and delivered[-1] >= known.since):
        return known
    if len(delivered) < LEAST_DAYS:
        return None
    gap = max((later - earlier).days for earlier, later in pairwise(delivered))
    last = delivered[-1]
    missing = (last_whole_day(now) - last).days
    if missing < LEAST_SILENCE or missing + 1 <= TIMES_THE_GAP * gap:
        return None
    return Silence(last + _DAY, gap)


def silences(
    regions: Mapping[str, Collection[date]], now: datetime, known: Mapping[str, Silence]
) -> dict[str, Silence]:
    """The silences of one account and kind: by region, `EVERYWHERE` for the account as a whole.

    An account that is silent as a whole is said once: silences of its regions that were not known before are part
    of it. Known ones stay, so that each ends on its own.

    Args:
        regions: by region, the days of delivery; all regions that have a folder, whichever root it lies under.
        now: of the run, UTC.
        known: the silences that were open until now; those of regions without a folder end.
    """
    if not regions:
        return {}
    whole = silence(set().union(*regions.values()), now, known.get(EVERYWHERE))
    found = {EVERYWHERE: whole} if whole else {}
    for region, days in sorted(regions.items()):
        one = silence(days, now, known.get(region))
        if one and (whole is None or region in known):
            found[region] = one
    return found


def latest(regions: Mapping[str, Collection[date]]) -> dict[str, date]:
    """By region, the last day of delivery; regions without any are left out."""
    return dict(_latest(regions.items()))


def _latest(regions: Iterable[tuple[str, Collection[date]]]) -> Iterator[tuple[str, date]]:
    for region, days in sorted(regions, key=lambda one: one[0]):
        if days:
            yield region, max(days)
