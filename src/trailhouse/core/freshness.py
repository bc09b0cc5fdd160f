"""How fresh what is known of deliveries is, and which days the catalog may lack, by the records of runs."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trailhouse.core.record import Record

EVERYBODY = ""
"""Stands for all accounts."""
_ACCOUNT = re.compile(r"\d{12}")
_TABLES = "tables"  # the part of a plan that all accounts stand on, as `catalog.convergence` calls it


class Fresh(NamedTuple):
    """The last delivery of some regions of an account.

    Attributes:
        last: the day of delivery, UTC.
        account: whose logs.
        regions: that delivered last on that day, sorted.
    """

    last: date
    account: str
    regions: tuple[str, ...]


class Lack(NamedTuple):
    """Days that have no partitions in the catalog, as far as the records tell.

    Attributes:
        account: whose days; `EVERYBODY`: all.
        first: the first of them; None: it is not known that any day is there.
        last: the last of them: today.
    """

    account: str
    first: date | None
    last: date


def freshness(found: Mapping[str, Mapping[str, date]]) -> tuple[Fresh, ...]:
    """Regions of an account that delivered last on the same day, together; the oldest first.

    Args:
        found: by account and region, as a record has it.
    """
    rows = sorted((day, account, region) for account, days in found.items() for region, day in days.items())
    return tuple(
        Fresh(day, account, tuple(region for _, _, region in group))
        for (day, account), group in groupby(rows, lambda row: row[:2])
    )


def lacking(records: Iterable[Record], today: date) -> tuple[Lack, ...]:
    """Days that the catalog may lack.

    A run that carries an account out registers its days to the day after its own. So the last run that did tells
    how far an account's partitions reach; whoever was left out since then lacks what came later.

    Args:
        records: of one stack, newest first; no more are taken than it needs.
        today: the current day, UTC.
    """
    return tuple(_lacking((one for one in records if one.outcome.succeeded), today))


def _lacking(succeeded: Iterator[Record], today: date) -> Iterator[Lack]:
    newest = next(succeeded, None)
    if newest is None:
        yield Lack(EVERYBODY, None, today)
        return
    waiting = _left(newest)
    if EVERYBODY not in waiting:
        yield from _after(EVERYBODY, newest, today)
    while waiting:
        older = next(succeeded, None)
        if older is None:
            yield from (Lack(account, None, today) for account in sorted(waiting))
            return
        done = waiting - _left(older)
        for account in sorted(done):
            yield from _after(account, older, today)
        waiting -= done


def _after(account: str, record: Record, today: date) -> Iterator[Lack]:
    """What is missing where a run was the last that did its work."""
    first = record.started.date() + timedelta(days=2)  # a run registers tomorrow, too
    if first <= today:
        yield Lack(account, first, today)


def _left(record: Record) -> set[str]:
    """Whose days a run left out."""
    names = {*record.failed, *record.refused}
    return {EVERYBODY} if _TABLES in names else {name for name in names if _ACCOUNT.fullmatch(name)}
