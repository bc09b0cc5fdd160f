"""Every account's deliveries by delimiter listings: no object is listed but a few of the oldest days.

Per account and kind: one call for the account's folder, one for the kind's, and for each region one a month of
the window and one for the storage class of its oldest day. Calls run side by side; accounts come out in order,
one after the other, so memory does not grow with the organization.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from functools import partial
from threading import Lock
from types import TracebackType
from typing import NamedTuple, Self

from trailhouse.aws.access import Access
from trailhouse.core.deliveries import (
    RECORD_KINDS,
    AccountFolder,
    Archived,
    Delivery,
    Oddities,
    Oddity,
    OddityCount,
    Stored,
    find_archived,
    group_by_account,
    is_reachable,
    months,
    read_day,
    read_number,
    window_end,
)
from trailhouse.core.layout import Kind
from trailhouse.errors import AwsError, CredentialsError, SourceError
from trailhouse.storage.access import Location
from trailhouse.storage.listing import Lister, S3Lister
from trailhouse.storage.search import Search, parse_source

_LISTING = 24  # together with the accounts as many threads as a client has connections
_ACCOUNTS = 8
_AHEAD = 32
_LOOKED_AT = 100  # small files stay where they are while large ones of the same day are archived
_KINDS = {kind.value: kind for kind in Kind}
_RANGES = {2: range(1, 10_000), 3: range(1, 13), 4: range(1, 32)}  # by depth below the account

Outcome = tuple[Delivery, ...] | AwsError


class Survey(NamedTuple):
    """The account folders of all sources.

    Attributes:
        folders: sorted, each once.
        failed: sources that could not be listed, by their address; what lies in them is not known.
    """

    folders: tuple[AccountFolder, ...]
    failed: tuple[tuple[str, AwsError], ...]


@dataclass(frozen=True, slots=True)
class _Reach:
    """How to get at an account folder, and which part of it is meant."""

    lister: Lister
    below: tuple[str, ...] = ()

    def wants(self, depth: int, name: str) -> bool:
        return len(self.below) <= depth or self.below[depth] == name


class _Region(NamedTuple):
    reach: _Reach
    folder: AccountFolder
    kind: Kind
    name: str


class Discovery(AbstractContextManager["Discovery"]):
    """What lies in several sources in S3. Use it in a `with` statement: it holds threads."""

    def __init__(
        self,
        sources: Iterable[Location],
        *,
        today: date,
        lister: Callable[[Access], Lister] = S3Lister,
        kinds: Collection[Kind] = RECORD_KINDS,
        archive: bool = True,
        ends: bool = False,
    ) -> None:
        """List nothing yet.

        Args:
            sources: each with its access; where two name the same folder, it counts once.
            today: the current day in UTC; tomorrow's folders are looked for as well.
            lister: makes what lists; called once for each access.
            kinds: that are wanted.
            archive: look for storage classes; a call or more for each region.
            ends: where every day is asked for, find each region's first and last, and few between: seven
                calls or less a region instead of one a month.

        Raises:
            SourceError: a source that is not in S3, or is an access point's ARN.
            CredentialsError: a source's profile does not exist.
        """
        self._sources = tuple(map(parse_source, sources))
        self._listers = {access: lister(access) for access in {one.access for one in self._sources}}
        self._end = window_end(today)
        self._wanted, self._archive, self._ends = frozenset(kinds), archive, ends
        self._reaches: dict[AccountFolder, list[_Reach]] = {}
        self._oddities, self._lock = Oddities(), Lock()
        self._listing = ThreadPoolExecutor(_LISTING, thread_name_prefix="list")
        self._accounts = ThreadPoolExecutor(_ACCOUNTS, thread_name_prefix="account")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listing.shutdown(cancel_futures=True)
        self._accounts.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    @property
    def oddities(self) -> tuple[OddityCount, ...]:
        """What was met so far and is no delivery: counted, the first of it named."""
        with self._lock:
            return self._oddities.found()

    @property
    def services(self) -> tuple[tuple[str, int], ...]:
        """Folders of other services beside CloudTrail's met so far, by name."""
        with self._lock:
            return self._oddities.services

    def folders(self) -> tuple[AccountFolder, ...]:
        """The account folders of all sources, sorted.

        Raises:
            AwsError: a source cannot be listed; `survey` goes on without it.
        """
        found = self.survey()
        for _, error in found.failed:
            raise error
        return found.folders

    def survey(self) -> Survey:
        """The account folders of all sources, and the sources that failed."""
        failed: list[tuple[str, AwsError]] = []
        self._reaches = {}
        for source in self._sources:
            lister = self._listers[source.access]
            try:
                for folder, below in Search(source, lister, self._note, self._listing).run():
                    self._reaches.setdefault(folder, []).append(_Reach(lister, below))
            except AwsError as error:
                failed.append((source.uri, error))
        return Survey(tuple(sorted(self._reaches)), tuple(failed))

    def each(self, folders: Collection[AccountFolder], since: date | None) -> Iterator[tuple[str, Outcome]]:
        """Each account with its deliveries or with what went wrong, ordered by account.

        Args:
            folders: of any accounts.
            since: as in `deliveries`.

        Raises:
            CredentialsError: no call can succeed any more.
            SourceError: a folder lies in no source.
        """
        waiting: deque[tuple[str, Future[Outcome]]] = deque()
        try:
            for account, own in group_by_account(folders).items():
                if len(waiting) >= _AHEAD:
                    first, outcome = waiting.popleft()
                    yield first, outcome.result()
                waiting.append((account, self._accounts.submit(self._outcome, own, since)))
            while waiting:
                first, outcome = waiting.popleft()
                yield first, outcome.result()
        finally:
            for _, outcome in waiting:
                outcome.cancel()

    def deliveries(self, folders: Iterable[AccountFolder], since: date | None) -> tuple[Delivery, ...]:
        """What is delivered into the folders of one account, sorted.

        Args:
            folders: of one account.
            since: the first day wanted, UTC; up to tomorrow. None: every day there is. A region that has no
                folder of those days is there without any.

        Raises:
            AwsError: a folder cannot be listed.
            SourceError: a folder lies in no source.
        """
        found: dict[tuple[AccountFolder, Kind, str], Delivery] = {}
        for folder in folders:
            for reach in self._reach(folder):
                for one in self._of_folder(folder, reach, since):
                    place = one.folder, one.kind, one.region
                    found[place] = _joined(found[place], one) if place in found else one
        return tuple(found[place] for place in sorted(found))

    def _outcome(self, folders: Sequence[AccountFolder], since: date | None) -> Outcome:
        try:
            return self.deliveries(folders, since)
        except CredentialsError:
            raise
        except AwsError as error:
            return error

    def _reach(self, folder: AccountFolder) -> Sequence[_Reach]:
        if folder in self._reaches:
            return self._reaches[folder]
        for source in self._sources:  # one that an earlier run found
            if source.bucket == folder.bucket and folder.key.startswith(source.key):
                return [_Reach(self._listers[source.access])]
        raise SourceError(f"{folder.location()} lies in no source: add it to `sources`")

    def _of_folder(self, folder: AccountFolder, reach: _Reach, since: date | None) -> Iterator[Delivery]:
        for kind in self._kinds(folder, reach):
            names = self._names(reach, folder, folder.folder(kind), 1)
            regions = [_Region(reach, folder, kind, name) for name in names]
            hints: set[date] = set()
            days = self._listing.map(partial(self._days, since=since), regions)
            for region, (present, oldest) in zip(regions, days, strict=True):
                archived = self._archived(region, present, oldest, hints)
                hints |= {one.last for one in archived}
                yield Delivery(folder, kind, region.name, present, archived)

    def _kinds(self, folder: AccountFolder, reach: _Reach) -> list[Kind]:
        found = []
        for name in self._names(reach, folder, folder.key, 0):
            if name in _KINDS:
                found += [_KINDS[name]] * (_KINDS[name] in self._wanted)
            elif "cloudtrail" in name.lower():
                self._note(Oddity.UNKNOWN, f"{folder.location()}{name}/")
            else:
                with self._lock:
                    self._oddities.add_service(name)
        return found

    def _days(self, region: _Region, since: date | None) -> tuple[tuple[date, ...], Stored | None]:
        """The region's days, and how the oldest is stored: in the same thread, because nearly all need it."""
        found = self._every_day(region) if since is None else self._days_since(region, since)
        days = tuple(sorted(found))
        return days, self._stored(region, days[0]) if days and self._archive else None

    def _days_since(self, region: _Region, since: date) -> Iterator[date]:
        for year, month in months(since, self._end):
            name = f"{year:04}", f"{month:02}"
            if all(region.reach.wants(depth, part) for depth, part in enumerate(name, 2)):
                yield from (day for day in self._of_month(region, *name) if since <= day <= self._end)

    def _every_day(self, region: _Region) -> Iterator[date]:
        place = region.folder.folder(region.kind, region.name)
        for year in self._some(self._numbers(region, place, 2, 4)):
            for month in self._some(self._numbers(region, f"{place}{year}/", 3, 2)):
                yield from self._of_month(region, year, month)

    def _some(self, names: Iterable[str]) -> Iterable[str]:
        if not self._ends:
            return names
        ordered = sorted(names)
        return dict.fromkeys([*ordered[:1], *ordered[-1:]])

    def _of_month(self, region: _Region, year: str, month: str) -> Iterator[date]:
        place = f"{region.folder.folder(region.kind, region.name)}{year}/{month}/"
        for name in self._numbers(region, place, 4, 2):
            if day := read_day(year, month, name):
                yield day
            else:
                self._note(Oddity.UNDATED, f"s3://{region.folder.bucket}/{place}{name}/")

    def _numbers(self, region: _Region, prefix: str, depth: int, digits: int) -> Iterator[str]:
        """Names of folders for years (at depth 2), months or days."""
        for name in self._names(region.reach, region.folder, prefix, depth):
            if read_number(name, digits) not in _RANGES[depth]:
                self._note(Oddity.UNDATED, f"s3://{region.folder.bucket}/{prefix}{name}/")
            else:
                yield name

    def _names(self, reach: _Reach, folder: AccountFolder, prefix: str, depth: int) -> Iterator[str]:
        """Folders directly below a prefix that are wanted and can be reached."""
        for child in reach.lister.children(folder.bucket, prefix):
            name = child.removesuffix("/")
            if not child or child.endswith("_$folder$") or not reach.wants(depth, name):
                continue
            if not child.endswith("/"):
                self._note(Oddity.FILE, f"s3://{folder.bucket}/{prefix}{child}")
            elif not is_reachable(name):
                self._note(Oddity.UNREACHABLE, f"s3://{folder.bucket}/{prefix}{child}")
            else:
                yield name

    def _archived(
        self, region: _Region, days: Sequence[date], oldest: Stored | None, hints: Collection[date]
    ) -> tuple[Archived, ...]:
        def look(day: date) -> Stored:
            return oldest if oldest and day == days[0] else self._stored(region, day)

        return find_archived(days, look, hints) if oldest and oldest.archived else ()

    def _stored(self, region: _Region, day: date) -> Stored:
        """How a day is stored: as the archived among its first objects, because reading it lacks those."""
        bucket, place = region.folder.bucket, region.folder.folder(region.kind, region.name, day)
        kept = region.reach.lister.objects(bucket, place, _LOOKED_AT)
        archived = [one for one in kept if one.archived]
        if not archived:
            return Stored("")
        return Stored(archived[0].storage_class, all(one.restored for one in archived))

    def _note(self, oddity: Oddity, address: str) -> None:
        with self._lock:
            self._oddities.add(oddity, address)


def _joined(one: Delivery, other: Delivery) -> Delivery:
    """What two sources say of the same region, each of a part of it."""
    days = tuple(sorted({*one.days, *other.days}))
    archived = tuple(sorted({*one.archived, *other.archived}))
    return Delivery(one.folder, one.kind, one.region, days, archived)
