"""Up to which day of delivery the lake is whole, so that nobody needs the raw files of the days before."""

from __future__ import annotations

from datetime import date, timedelta

OPEN_DAYS = 2
"""Whole days after its end for which a day stays open: what is delivered late as a rule is there by then."""


def sealable(today: date, *waiting: str) -> date:
    """The first day of delivery that must not be sealed.

    Args:
        today: The day of the run, UTC.
        waiting: Days (`YYYY-MM-DD`) of which something is not in the lake yet; "" for none.
    """
    oldest = today - timedelta(days=OPEN_DAYS)
    return min([oldest, *(date.fromisoformat(day) for day in waiting if day)])
