"""What a plan says about the sources: what is archived, and where they hold less than whoever names them expects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from trailhouse.core.sizes import count_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailhouse.core.deliveries import Archived, Delivery

NO_FOLDER = (
    "the sources hold no account's folder, such as AWSLogs/111122223333/: there is nothing to make tables for; look "
    "at their spelling (upper and lower case count), or wait until CloudTrail has delivered"
)


@dataclass(slots=True)
class Seen:
    """What was seen in all accounts.

    Attributes:
        accounts: looked at.
        deliveries: of them all.
        days: of the deliveries, those that were looked at.
        since: first day that was looked at in any account.
    """

    accounts: int = 0
    deliveries: int = 0
    days: int = 0
    since: date = date.max

    def add(self, deliveries: Sequence[Delivery], since: date) -> None:
        """One account was looked at, from a day on."""
        self.accounts += 1
        self.deliveries += len(deliveries)
        self.days += sum(len(one.days) for one in deliveries)
        self.since = min(self.since, since)

    def remarks(self) -> list[str]:
        """What is missing in all of them."""
        look = "`trailhouse inventory --quick` shows what is there"
        if self.accounts and not self.deliveries:
            return [f"no log of CloudTrail in {count_of(self.accounts, 'account folder')}: {look}"]
        if self.deliveries and not self.days and self.since > date.min:
            return [f"no log was delivered since {self.since}: --all plans for all days; {look}"]
        return []


def archived(account: str, deliveries: Sequence[Delivery]) -> list[str]:
    """What an account keeps in archives, a line for each storage class."""
    found: dict[str, list[Archived]] = {}
    for delivery in deliveries:
        for one in delivery.archived:
            if not one.restored:
                found.setdefault(one.storage_class, []).append(one)
    return [
        f"{account}: logs of {min(one.first for one in held)} .. {max(one.last for one in held)} are archived "
        f"({name}); Athena skips them until they are restored"
        for name, held in sorted(found.items())
    ]
