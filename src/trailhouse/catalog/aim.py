"""What a plan is made for, and who finds what is delivered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

from trailhouse.core.plan import HEAL_DAYS, PRUNE_DAYS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from trailhouse.core.deliveries import AccountFolder, Delivery
    from trailhouse.errors import AwsError


class Surveyor(Protocol):
    """Who finds what is delivered: `storage.discovery.Discovery`."""

    def folders(self) -> Sequence[AccountFolder]:
        """All account folders of all sources."""
        ...

    def deliveries(self, folders: Sequence[AccountFolder], since: date | None) -> tuple[Delivery, ...]:
        """What one account delivers."""
        ...

    def each(
        self, folders: Collection[AccountFolder], since: date | None
    ) -> Iterator[tuple[str, tuple[Delivery, ...] | AwsError]]:
        """What each account delivers, or why that could not be found out; ordered by account."""
        ...


@dataclass(frozen=True, slots=True)
class Aim:
    """What the configuration and the command ask for.

    Attributes:
        database: of all tables and views.
        prefix: `table_prefix`.
        tables: `auto`, `per_account` or `single`.
        projected: let Athena compute the partitions.
        days: days back of which partitions are made at first; None: all.
        today: the day of the run, UTC.
        regions: regions that exist, besides those that deliver.
        targets: only these accounts (and `views`); none: everything.
        allow_deletes: carry out what removes many partitions.
        after: only accounts beyond this one, because the others are done: a run that goes on in pieces. What all
            share is planned all the same, from what the catalog holds.
    """

    database: str
    prefix: str
    today: date
    tables: str = "auto"
    projected: bool = False
    days: int | None = 90
    regions: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    allow_deletes: bool = False
    after: str = ""

    @property
    def first_day(self) -> date:
        """First day that has to have partitions; the first of all days where all are asked for."""
        return date.min if self.days is None else self.today - timedelta(days=self.days)

    @property
    def heal_from(self) -> date:
        """First day that every run looks at."""
        return self.today - timedelta(days=HEAL_DAYS + PRUNE_DAYS)


def open_ended(day: date) -> date | None:
    """The same day; None for the first of all days, from which on everything is meant."""
    return None if day == date.min else day
