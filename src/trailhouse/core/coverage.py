"""Whether every log that an old table reads is read by the new one, too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailhouse.core.deliveries import read_day
from trailhouse.core.layout import Kind
from trailhouse.core.plan import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date

    from trailhouse.core.deliveries import Delivery
    from trailhouse.core.state import Partition

_DAY_PLACE = re.compile(
    r"s3://([^/]+)/(?:(.*)/)?([0-9]{12})/CloudTrail/([^/]+)/([0-9]{4})/([0-9]{2})/([0-9]{2})/?", re.ASCII
)
_SLASHES = re.compile(r"(?<!:)/{2,}")
_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Coverage:
    """How the partitions of an old table are covered by new ones.

    Attributes:
        partitions: how many the old table has.
        with_logs: of these, how many have logs.
        missing: locations with logs that no new partition reads; the first few.
        outside: locations that no source of the configuration holds, or that are not understood; the first few.
    """

    partitions: int = 0
    with_logs: int = 0
    missing: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()

    def refusal(self, name: str) -> Refusal | None:
        """Why the name must not change hands; None if nothing would be lost."""
        if self.outside:
            return Refusal(
                name,
                f"{name} has partitions that no source of the configuration holds, such as "
                f"{', '.join(self.outside)}: add that place to `sources`, or drop these partitions",
            )
        if self.missing:
            return Refusal(
                name,
                f"{name} has partitions with logs that no new partition would read, such as "
                f"{', '.join(self.missing)}: run it again without --target, and report it if it stays so",
            )
        return None


def coverage(
    old: Iterable[Partition],
    delivered: Iterable[Delivery],
    logroots: Collection[str],
    places: Collection[str],
) -> Coverage:
    """Whether every location with logs of an old table is read by the new one.

    Args:
        old: the old table's partitions.
        delivered: what the account delivers.
        logroots: those of all sources.
        places: locations of the new partitions, each with one slash at its end.
    """
    days: dict[tuple[str, str, str], set[date]] = {}
    for one in delivered:
        if one.kind is Kind.CLOUDTRAIL:
            key = one.folder.logroot, one.folder.account, one.region
            days.setdefault(key, set()).update(one.days)
    count, held = 0, 0
    missing: list[str] = []
    outside: list[str] = []
    for partition in old:
        count += 1
        place = _SLASHES.sub("/", partition.location)
        read = _DAY_PLACE.fullmatch(place)
        logroot = "/".join(filter(None, read.group(1, 2))) if read else ""
        if read is None or logroot not in logroots:
            outside.append(partition.location)
        elif read_day(*read.group(5, 6, 7)) in days.get((logroot, read[3], read[4]), ()):
            held += 1
            if place.rstrip("/") + "/" not in places:
                missing.append(partition.location)
    return Coverage(count, held, tuple(sorted(missing)[:_SAMPLES]), tuple(sorted(outside)[:_SAMPLES]))
