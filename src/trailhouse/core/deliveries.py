"""What is delivered where: account folders, and the days found in them. Discovery fills it, the state needs it.

[prefix/][AWSLogs/][o-id/]  ACCOUNT/KIND/REGION/YYYY/MM/DD/
`------- root ----------'
"""

import re
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from trailhouse.core.inventory import ARCHIVED_CLASSES
from trailhouse.core.layout import Kind

RECORD_KINDS = (Kind.CLOUDTRAIL, Kind.INSIGHT, Kind.NETWORKACTIVITY, Kind.AGGREGATED)
"""The deliveries that hold records; digests hold none."""

_DAY = timedelta(days=1)
_MONTHS = 12
_SHORTEST_MONTH = 28
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
_ORGANIZATION = re.compile(r"o-[a-z0-9]{6,40}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_SAMPLES = 10
_NAMES = 1000
_OTHERS = "others"


@dataclass(frozen=True, slots=True, order=True)
class AccountFolder:
    """The folder of one account below one root. An account can have several.

    Attributes:
        bucket: its name, or the alias of an access point.
        root: path of the folder that holds the account folders, `prefix/AWSLogs/o-abc`; no slash at either
            end; "" where they lie at the top of the bucket.
        account: twelve digits.
    """

    bucket: str
    root: str
    account: str

    @property
    def logroot(self) -> str:
        """Bucket and root: the partition key of that name. No scheme, no account, no trailing slash."""
        return f"{self.bucket}/{self.root}" if self.root else self.bucket

    @property
    def key(self) -> str:
        """The folder's path in the bucket, one slash at its end."""
        return f"{self.root}/{self.account}/" if self.root else f"{self.account}/"

    def location(self, kind: Kind | None = None, region: str = "", day: date | None = None) -> str:
        """The address of the folder or of one in it; one slash at its end, never two in a row.

        Args:
            kind: which delivery; None: the account's folder itself.
            region: any text; "": the kind's folder.
            day: the folder's, UTC; None: the region's folder.
        """
        return f"s3://{self.bucket}/{self.folder(kind, region, day)}"

    def folder(self, kind: Kind | None = None, region: str = "", day: date | None = None) -> str:
        """The same as a path in the bucket."""
        path = self.key
        if kind is not None:
            path += f"{kind}/"
        if region:
            path += f"{region}/"
        return path if day is None else f"{path}{day.year:04}/{day.month:02}/{day.day:02}/"


class Stored(NamedTuple):
    """How objects are kept.

    Attributes:
        storage_class: S3's, such as `STANDARD`.
        restored: archived, but a copy that can be read is there.
    """

    storage_class: str
    restored: bool = False

    @property
    def archived(self) -> bool:
        """Whether it cannot be read without being restored."""
        return self.storage_class in ARCHIVED_CLASSES


class Archived(NamedTuple):
    """Days whose objects cannot be read as they are.

    Attributes:
        storage_class: `GLACIER` or `DEEP_ARCHIVE`.
        first: the oldest such day, UTC.
        last: the newest.
        restored: a restored copy was there, wherever one looked.
    """

    storage_class: str
    first: date
    last: date
    restored: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one account delivers of one kind in one region.

    Attributes:
        folder: below which root.
        kind: which delivery.
        region: the folder's name, any text.
        days: those that have a folder, ascending, UTC; limited to what was asked, so perhaps none.
        archived: ascending; what was found in the archive.
    """

    folder: AccountFolder
    kind: Kind
    region: str
    days: tuple[date, ...]
    archived: tuple[Archived, ...] = ()

    def location(self, day: date | None = None) -> str:
        """The address of a day's folder, or of the region's."""
        return self.folder.location(self.kind, self.region, day)


class Oddity(StrEnum):
    """Why a folder or file is not among the deliveries."""

    SERVICE = "folders of another service"
    UNREACHABLE = "folders that Athena cannot reach: `//`, a dot or a control character is part of their name"
    OUTSIDE = "account folders outside AWSLogs; to include them, name the folder that holds them as source"
    UNKNOWN = "folders that are not understood"
    UNDATED = "folders that are no year, month or day"
    FILE = "files beside the folders of days"
    CLOSED = "folders that may not be listed"
    UNSEARCHED = "folders that were not searched; name theirs as source if logs lie in them"


@dataclass(frozen=True, slots=True)
class OddityCount:
    """How often an oddity was met.

    Attributes:
        oddity: which.
        count: how many folders or files.
        samples: addresses of the first of them by name; of services their names, each once.
    """

    oddity: Oddity
    count: int
    samples: tuple[str, ...]


@dataclass(slots=True)
class Oddities:
    """Counting in progress; memory is bounded. One thread at a time."""

    _counts: Counter[Oddity] = field(default_factory=Counter)
    _samples: dict[Oddity, list[str]] = field(default_factory=dict)
    _services: Counter[str] = field(default_factory=Counter)

    def add(self, oddity: Oddity, address: str) -> None:
        """Count one folder or file.

        Args:
            oddity: which.
            address: `s3://...`; any text.
        """
        self._counts[oddity] += 1
        samples = self._samples.setdefault(oddity, [])
        insort(samples, address)  # the same ones whatever the order in which they are met
        del samples[_SAMPLES:]

    def add_service(self, name: str) -> None:
        """Count a folder of another service beside CloudTrail's."""
        self._counts[Oddity.SERVICE] += 1
        self._services[name if name in self._services or len(self._services) < _NAMES else _OTHERS] += 1

    @property
    def services(self) -> tuple[tuple[str, int], ...]:
        """Folders by name of the service, sorted."""
        return tuple(sorted(self._services.items()))

    def found(self) -> tuple[OddityCount, ...]:
        """What was met so far, in the order of Oddity."""
        samples = {oddity: tuple(first) for oddity, first in self._samples.items()}
        samples[Oddity.SERVICE] = tuple(name for name, _ in self.services[:_SAMPLES])
        return tuple(OddityCount(one, self._counts[one], samples[one]) for one in Oddity if self._counts[one])


def is_account(name: str) -> bool:
    """Whether a folder's name is that of an account: twelve digits."""
    return _ACCOUNT.fullmatch(name) is not None


def is_organization(name: str) -> bool:
    """Whether a folder's name is that of an organization."""
    return _ORGANIZATION.fullmatch(name) is not None


def is_reachable(name: str) -> bool:
    """Whether Athena can read below a folder of that name.

    It makes one slash of two and resolves dots, so keys that really have them are never found; a control
    character cannot be part of a location.
    """
    return name not in {"", ".", ".."} and not _CONTROL.search(name)


def read_number(name: str, digits: int) -> int | None:
    """The number of a year's, month's or day's folder, zero-padded as CloudTrail writes it; else None."""
    return int(name) if len(name) == digits and _DIGITS.fullmatch(name) else None


@lru_cache(maxsize=16_384)
def read_day(year: str, month: str, day: str) -> date | None:
    """The day that three folders name, or None. The same object for the same day: millions are held."""
    parts = read_number(year, 4), read_number(month, 2), read_number(day, 2)
    try:
        return date(*[-1 if part is None else part for part in parts])
    except ValueError:
        return None


def months(first: date, last: date) -> Iterator[tuple[int, int]]:
    """Years and months from one day to another, both included."""
    start, end = first.year * _MONTHS + first.month - 1, last.year * _MONTHS + last.month - 1
    for number in range(start, end + 1):
        yield number // _MONTHS, number % _MONTHS + 1


def window_end(today: date) -> date:
    """The last day that can have a folder: stamps lie up to minutes ahead of the clock, over midnight too."""
    return today + _DAY


def list_budget(regions: int, days: int = 90) -> int:
    """How many LIST calls one account and kind may take where nothing is archived.

    Two for the account's and the kind's folder and one to spare for a second page; a region a call for each
    month that the window touches and one for the storage class of its oldest day.

    Args:
        regions: how many region folders there are.
        days: length of the window back from today; tomorrow is looked for as well.
    """
    touched = days // _SHORTEST_MONTH + 2
    return 3 + (touched + 1) * regions


def group_by_account(folders: Collection[AccountFolder]) -> dict[str, tuple[AccountFolder, ...]]:
    """The folders of each account; accounts and folders sorted."""
    grouped: dict[str, list[AccountFolder]] = {}
    for folder in sorted(set(folders), key=lambda folder: (folder.account, folder)):
        grouped.setdefault(folder.account, []).append(folder)
    return {account: tuple(found) for account, found in grouped.items()}


def find_archived(
    days: Sequence[date], look: Callable[[date], Stored], hints: Collection[date] = ()
) -> tuple[Archived, ...]:
    """Which days lie in the archive, looking at few of them.

    Lifecycle rules move objects by age, so the classes of a region's days change in one order: days older
    than some day are archived, and those older than another are archived deeper. So the oldest day is looked
    at; only where it is archived also the newest, and the range is halved between two that differ. What was
    put into the archive by hand, newer than what is not, is missed; and a copy restored between two days that
    were looked at is not seen.

    Args:
        days: ascending.
        look: how a day's objects are stored; asked once a day at most.
        hints: last days of such ranges elsewhere, probably the same here: tried before halving.

    Returns:
        Ranges, ascending; none where the oldest day is not archived.
    """
    seen: dict[int, Stored] = {}

    def stored(at: int) -> Stored:
        if at not in seen:
            seen[at] = look(days[at])
        return seen[at]

    if not days or not stored(0).archived:
        return ()
    guesses = sorted(
        {at for hint in hints for at in (bisect_right(days, hint) - 1, bisect_right(days, hint))}
    )
    waiting = [(0, len(days) - 1)]
    while waiting:
        low, high = waiting.pop()
        if high - low > 1 and stored(low).storage_class != stored(high).storage_class:
            middle = next((at for at in guesses if low < at < high), (low + high) // 2)
            waiting += [(low, middle), (middle, high)]
        else:
            stored(high)
    return _ranges(days, sorted(seen.items()))


def _ranges(days: Sequence[date], seen: Sequence[tuple[int, Stored]]) -> tuple[Archived, ...]:
    groups = [[*group] for _, group in groupby(seen, key=lambda one: one[1].storage_class)]
    ends = [group[0][0] for group in groups[1:]] + [len(days)]
    return tuple(
        Archived(
            group[0][1].storage_class,
            days[group[0][0]],
            days[end - 1],
            all(stored.restored for _, stored in group),
        )
        for group, end in zip(groups, ends, strict=True)
        if group[0][1].archived
    )
