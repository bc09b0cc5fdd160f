"""What lies in the sources: roots x accounts x kinds x regions x days, and what was not understood.

Memory grows with the days that hold logs, not with the files: a count for each account, kind, region, day.
"""

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from trailhouse.core.layout import Classified, Folder, Foreign, Kind, LogKey, classify

_SAMPLES = 10
_SERVICES = 1000
_OTHERS = "others"
# Classes that Athena passes over and that cannot be read before they are restored.
ARCHIVED_CLASSES = frozenset({"GLACIER", "DEEP_ARCHIVE"})


class Count(NamedTuple):
    """Files, and the bytes they take as stored."""

    files: int = 0
    bytes: int = 0

    def plus(self, size: int) -> "Count":
        """One more file of that size."""
        return Count(self.files + 1, self.bytes + size)


class Day(NamedTuple):
    """One day of one place, ready to print."""

    source: str
    root: str
    account: str
    kind: str
    region: str
    day: str
    files: int
    bytes: int


class Span(NamedTuple):
    """One place over all of its days, ready to print; days as `2023-07-10`, in UTC."""

    source: str
    root: str
    account: str
    kind: str
    region: str
    first_day: str
    last_day: str
    days: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where one stream of deliveries lands.

    Attributes:
        source: label of the source.
        root: path to the folder that holds the account folders.
        account: twelve digits.
        kind: which delivery.
        region: any text.
    """

    source: str
    root: str
    account: str
    kind: Kind
    region: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """Counts of everything that was listed; nothing is left out.

    Attributes:
        days: by place and day, sorted.
        foreign: by the name of the other service, sorted; the rarest under `others` where there are too many.
        archived: by storage class, those of the logs that must be restored before they can be read.
        folders: keys that only mark folders.
        unknown: names that say nothing, so that the content decides.
        samples: the first of those names.
    """

    days: tuple[tuple[Place, tuple[tuple[str, Count], ...]], ...]
    foreign: tuple[tuple[str, Count], ...]
    archived: tuple[tuple[str, Count], ...]
    folders: Count
    unknown: Count
    samples: tuple[str, ...]

    @property
    def logs(self) -> Count:
        """All files whose names are those of deliveries, digests among them."""
        return _sum(count for _, days in self.days for _, count in days)

    @property
    def listed(self) -> Count:
        """Everything."""
        return _sum([self.logs, self.folders, self.unknown, *(count for _, count in self.foreign)])

    @property
    def accounts(self) -> tuple[str, ...]:
        """All account folders."""
        return tuple(sorted({place.account for place, _ in self.days}))

    @property
    def regions(self) -> tuple[str, ...]:
        """All region folders."""
        return tuple(sorted({place.region for place, _ in self.days}))

    def as_rows(self) -> Iterator[Day]:
        """Every day of every place, sorted."""
        for place, days in self.days:
            for day, count in days:
                yield Day(place.source, place.root, place.account, str(place.kind), place.region, day, *count)

    def spans(self) -> Iterator[Span]:
        """Every place, sorted, with its first and last day."""
        for place, days in self.days:
            yield Span(
                place.source,
                place.root,
                place.account,
                str(place.kind),
                place.region,
                days[0][0],
                days[-1][0],
                len(days),
                *_sum(count for _, count in days),
            )


@dataclass(slots=True)
class InventoryCount:
    """Counting in progress: `add` what is listed, then `inventory`."""

    _days: dict[Place, dict[str, Count]] = field(default_factory=dict)
    _foreign: dict[str, Count] = field(default_factory=dict)
    _archived: dict[str, Count] = field(default_factory=dict)
    _folders: Count = field(default_factory=Count)
    _unknown: Count = field(default_factory=Count)
    _samples: list[str] = field(default_factory=list)

    def add(self, name: str, size: int, *, source: str = "", storage_class: str = "") -> Classified:
        """Count one object.

        Args:
            name: path below its source, any text.
            size: bytes.
            source: label of its source.
            storage_class: S3's, or "".

        Returns:
            What its name says, so that nobody needs to ask again.
        """
        found = classify(name)
        if isinstance(found, LogKey):
            self._add_log(found, size, source, storage_class)
        elif isinstance(found, Folder) and size == 0:
            self._folders = self._folders.plus(size)
        elif isinstance(found, Foreign):
            known = found.service in self._foreign or len(self._foreign) < _SERVICES
            _add(self._foreign, found.service if known else _OTHERS, size)
        else:
            self._unknown = self._unknown.plus(size)
            insort(self._samples, name)  # the same ones in whatever order a listing comes
            del self._samples[_SAMPLES:]
        return found

    def inventory(self) -> Inventory:
        """All counts so far, frozen."""
        return Inventory(
            tuple((place, _sorted(self._days[place])) for place in sorted(self._days)),
            _sorted(self._foreign),
            _sorted(self._archived),
            self._folders,
            self._unknown,
            tuple(self._samples),
        )

    def _add_log(self, log: LogKey, size: int, source: str, storage_class: str) -> None:
        place = Place(source, log.root, log.account, log.kind, log.region)
        _add(self._days.setdefault(place, {}), f"{log.year}-{log.month}-{log.day}", size)
        if storage_class in ARCHIVED_CLASSES:
            _add(self._archived, storage_class, size)


def take_inventory(listed: Iterable[tuple[str, int]]) -> Inventory:
    """Count names and sizes of one source, in one go."""
    counting = InventoryCount()
    for name, size in listed:
        counting.add(name, size)
    return counting.inventory()


def _add(counts: dict[str, Count], key: str, size: int) -> None:
    counts[key] = counts.get(key, Count()).plus(size)


def _sorted(counts: dict[str, Count]) -> tuple[tuple[str, Count], ...]:
    return tuple(sorted(counts.items()))


def _sum(counts: Iterable[Count]) -> Count:
    files = size = 0
    for count in counts:
        files += count.files
        size += count.bytes
    return Count(files, size)
