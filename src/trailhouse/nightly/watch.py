"""What is delivered, noted as it passes by on its way to the plan: how fresh each region is, and who fell silent.

Of each account only its last days and its silences are kept, so memory grows with regions and not with days.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from trailhouse.core import rhythm
from trailhouse.core.layout import Kind
from trailhouse.core.problem import Problem, ProblemKind
from trailhouse.core.rhythm import EVERYWHERE, WINDOW_DAYS, Silence
from trailhouse.errors import AwsError
from trailhouse.nightly import findings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from trailhouse.catalog.aim import Surveyor
    from trailhouse.core.deliveries import AccountFolder, Delivery
    from trailhouse.core.record import Record

    Days = dict[str, set[date]]

RHYTHMIC = (Kind.CLOUDTRAIL, Kind.NETWORKACTIVITY, Kind.AGGREGATED)
"""Kinds whose silence says something: insights come only when something unusual happens."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen of one account.

    Attributes:
        latest: by region, the last day of delivery; the last known one where the window has none.
        silences: that are open.
    """

    latest: Mapping[str, date]
    silences: tuple[Problem, ...]


class Watch:
    """A surveyor that looks over another's shoulder; it fulfils `catalog.aim.Surveyor`.

    Attributes:
        observed: by account, what was seen so far.
    """

    def __init__(self, surveyor: Surveyor, now: datetime, before: Record | None) -> None:
        """Ask nobody yet.

        Args:
            surveyor: finds what is delivered.
            now: of the run, UTC.
            before: the run before this one, with the silences that are open.
        """
        self._surveyor = surveyor
        self._now = now
        self._first = now.date() - timedelta(days=WINDOW_DAYS)
        problems = before.problems if before else ()
        self._known = {one.subject: one for one in problems if one.kind is ProblemKind.SILENT}
        self._fresh = before.freshness if before else {}
        self.observed: dict[str, Observed] = {}

    def folders(self) -> Sequence[AccountFolder]:
        """All account folders of all sources."""
        return self._surveyor.folders()

    def deliveries(self, folders: Sequence[AccountFolder], since: date | None) -> tuple[Delivery, ...]:
        """What one account delivers."""
        found = self._surveyor.deliveries(folders, self._wide(since))
        if folders:
            self._note(folders[0].account, found)
        return _from_day(found, since)

    def each(
        self, folders: Collection[AccountFolder], since: date | None
    ) -> Iterator[tuple[str, tuple[Delivery, ...] | AwsError]]:
        """What each account delivers, or why that could not be found out; ordered by account."""
        for account, found in self._surveyor.each(folders, self._wide(since)):
            if isinstance(found, AwsError):
                yield account, found
            else:
                self._note(account, found)
                yield account, _from_day(found, since)

    def _wide(self, since: date | None) -> date | None:
        """A rhythm needs its whole window, also where the catalog is asked for fewer days."""
        return None if since is None else min(since, self._first)

    def _note(self, account: str, deliveries: Iterable[Delivery]) -> None:
        kinds: dict[Kind, Days] = {}
        for one in deliveries:
            kinds.setdefault(one.kind, {}).setdefault(one.region, set()).update(one.days)
        problems = [
            problem
            for kind in RHYTHMIC
            if kind in kinds
            for problem in self._silences(account, kind, kinds[kind])
        ]
        self.observed[account] = Observed(self._latest(account, kinds), tuple(problems))

    def _latest(self, account: str, kinds: Mapping[Kind, Days]) -> dict[str, date]:
        """Of the records themselves; of other kinds only where the account delivers nothing else."""
        if Kind.CLOUDTRAIL in kinds:
            regions = kinds[Kind.CLOUDTRAIL]
        else:
            regions = {}
            for days in kinds.values():
                for region, found in days.items():
                    regions.setdefault(region, set()).update(found)
        former = self._fresh.get(account, {})
        kept = {region: former[region] for region in regions if region in former}
        return kept | rhythm.latest(regions)

    def _silences(self, account: str, kind: Kind, regions: Days) -> Iterator[Problem]:
        subjects = {region: findings.delivering(account, kind, region) for region in (EVERYWHERE, *regions)}
        known = {
            region: Silence(self._known[subject].since.date())
            for region, subject in subjects.items()
            if subject in self._known
        }
        for region, found in rhythm.silences(regions, self._now, known).items():
            if known.get(region) == found:
                yield self._known[subjects[region]]
            else:
                yield findings.silent(account, kind, region, found, self._now)


def _from_day(deliveries: tuple[Delivery, ...], since: date | None) -> tuple[Delivery, ...]:
    """The deliveries as if only days from `since` on had been asked for."""
    if since is None or all(not one.days or one.days[0] >= since for one in deliveries):
        return deliveries
    return tuple(_trimmed(one, since) for one in deliveries)


def _trimmed(one: Delivery, since: date) -> Delivery:
    days = tuple(day for day in one.days if day >= since)
    archived = tuple(
        kept._replace(first=max(kept.first, since)) for kept in one.archived if kept.last >= since
    )
    return replace(one, days=days, archived=archived)
