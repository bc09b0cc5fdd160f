"""From what a user wrote to the account folders in a bucket, whatever stands before and after AWSLogs.

    s3://bucket                      s3://bucket/prefix/AWSLogs/o-abc
    s3://bucket/prefix               s3://bucket/prefix/AWSLogs/o-abc/111122223333
    s3://bucket/prefix/AWSLogs/      s3://bucket/prefix/AWSLogs/111122223333/CloudTrail/eu-west-1

Account folders lie in AWSLogs or in an organization's folder there; elsewhere they count only directly below
what the source names (or below an organization's folder there), because copies that were written back are
nobody's deliveries unless somebody says so. AWSLogs itself is looked for a few folders deep, as Control Tower
puts the organization in front of it, and teams put their names there.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from typing import NamedTuple

from trailhouse.aws.access import Access
from trailhouse.core.deliveries import AccountFolder, Oddity, is_account, is_organization, is_reachable
from trailhouse.core.layout import Kind
from trailhouse.errors import AccessDeniedError, SourceError
from trailhouse.storage.access import Location
from trailhouse.storage.listing import Lister

AWSLOGS = "AWSLogs"
DEPTH = 4
"""Folders that may lie between what the source names and AWSLogs."""

_SEARCHED = 256  # folders of no known meaning, looked into for AWSLogs, a source
_CHILDREN = 10_000  # of such a folder
_BELOW = 5  # kind, region, year, month, day
_SCHEME = "s3://"
_KINDS = frozenset(kind.value for kind in Kind)

Note = Callable[[Oddity, str], None]


@dataclass(frozen=True, slots=True)
class LogSource:
    """A source in S3, read.

    Attributes:
        uri: as it was written.
        access: how to reach it.
        bucket: its name, or an access point's alias.
        path: the folders that it names.
        literal: the same as it was written, with slashes that `path` lacks, no slash at its end.
    """

    uri: str
    access: Access
    bucket: str
    path: tuple[str, ...]
    literal: str = ""

    @property
    def key(self) -> str:
        """The prefix that all of its keys have."""
        return key_of(self.path)


class Reached(NamedTuple):
    """An account folder, and the part of it that the source names: kind, region, year, month, day."""

    folder: AccountFolder
    below: tuple[str, ...] = ()


class _Place(Enum):
    INSIDE = auto()  # AWSLogs, or an organization in it
    NAMED = auto()  # what the source names
    ACCOUNT = auto()  # twelve digits outside AWSLogs: an account's folder or a trail's prefix
    ELSEWHERE = auto()


@dataclass(frozen=True, slots=True)
class _Spot:
    path: tuple[str, ...]
    place: _Place
    depth: int = 0

    def into(self, name: str, place: _Place, deeper: int = 1) -> "_Spot":
        return _Spot((*self.path, name), place, self.depth + deeper)


def parse_source(location: Location) -> LogSource:
    """Read `s3://bucket/prefix`, with any slashes.

    Raises:
        SourceError: it is not in S3, names no bucket, or an access point by its ARN.
    """
    uri = location.uri
    if not uri.startswith(_SCHEME):
        raise SourceError(
            f"source {uri} is not in S3: the catalog is made of sources such as s3://bucket/prefix"
        )
    bucket, _, path = uri.removeprefix(_SCHEME).partition("/")
    if bucket.startswith("arn:"):
        raise SourceError(
            f"source {uri} names an access point by its ARN, which Athena takes nowhere: give its alias, "
            "s3://NAME-...-s3alias/prefix (aws s3control get-access-point prints it)"
        )
    if not bucket:
        raise SourceError(f"source {uri} names no bucket: write s3://bucket/prefix")
    parts = tuple(part for part in path.split("/") if part)
    return LogSource(uri, location.access, bucket, parts, path.removesuffix("/"))


def key_of(path: tuple[str, ...]) -> str:
    """A path in a bucket as a prefix of keys."""
    return "".join(f"{part}/" for part in path)


class Search:
    """Finds the account folders of one source."""

    def __init__(self, source: LogSource, lister: Lister, note: Note, pool: ThreadPoolExecutor) -> None:
        """List nothing yet.

        Args:
            source: where.
            lister: how.
            note: is told what is odd.
            pool: in which folders of one depth are listed at once.
        """
        self._source, self._lister, self._note, self._pool = source, lister, note, pool
        self._searched = 0

    def run(self) -> Iterator[Reached]:
        """The account folders; each once. Raises AwsError when the source cannot be listed."""
        source = self._source
        if "//" in f"/{source.literal}" and self._lister.objects(source.bucket, f"{source.literal}/", 1):
            self._note(Oddity.UNREACHABLE, source.uri)
        if (named := _named_account(source)) is not None:
            if self._lister.objects(source.bucket, source.key, 1):
                yield from self._reachable(named)
            return
        spots = [_start(source.path)]
        while spots:
            following: list[_Spot] = []
            for spot, names in zip(spots, self._pool.map(self._names, spots), strict=True):
                for found in self._look(spot, names):
                    if isinstance(found, Reached):
                        yield found
                    else:
                        following.append(found)
            spots = [*self._affordable(following)]

    def _names(self, spot: _Spot) -> list[str]:
        """The folders at a spot. One elsewhere that may not be listed has none."""
        key = key_of(spot.path)
        try:
            children = self._lister.children(self._source.bucket, key)
            if spot.place is _Place.INSIDE:
                return [child.removesuffix("/") for child in children if self._is_folder(spot, child)]
            first = [*islice(children, _CHILDREN + 1)]
        except AccessDeniedError:
            if spot.place is _Place.INSIDE or not spot.depth:
                raise
            self._note(Oddity.CLOSED, self._address(spot))
            return []
        names = [child.removesuffix("/") for child in first[:_CHILDREN] if child.endswith("/")]
        if len(first) > _CHILDREN:
            self._note(Oddity.UNSEARCHED, self._address(spot))
            if AWSLOGS not in names and self._lister.objects(self._source.bucket, f"{key}{AWSLOGS}/", 1):
                names.append(AWSLOGS)
        return names

    def _is_folder(self, spot: _Spot, child: str) -> bool:
        if child and not child.endswith(("/", "_$folder$")):
            self._note(Oddity.FILE, self._address(spot) + child)
        return child.endswith("/")

    def _look(self, spot: _Spot, names: list[str]) -> Iterator[Reached | _Spot]:
        if spot.place is _Place.INSIDE:
            yield from self._inside(spot, names)
            return
        has_kinds = not _KINDS.isdisjoint(names) and bool(spot.path) and is_account(spot.path[-1])
        if has_kinds:
            yield from self._account(spot)
        for name in names:
            if name == AWSLOGS:
                yield spot.into(name, _Place.INSIDE, 0)
            elif not has_kinds or is_account(name):
                yield from self._outside(spot, name)

    def _inside(self, spot: _Spot, names: list[str]) -> Iterator[Reached | _Spot]:
        for name in names:
            if is_account(name):
                yield from self._account(spot.into(name, _Place.ACCOUNT))
            elif name == AWSLOGS or (is_organization(name) and spot.path[-1] == AWSLOGS):
                yield spot.into(name, _Place.INSIDE, 0)
            else:
                odd = Oddity.UNKNOWN if is_reachable(name) else Oddity.UNREACHABLE
                self._note(odd, f"{self._address(spot)}{name}/")

    def _outside(self, spot: _Spot, name: str) -> Iterator[_Spot]:
        named = spot.place is _Place.NAMED
        if is_account(name) and named:
            yield spot.into(name, _Place.ACCOUNT)
        elif is_organization(name) and named and not spot.depth:
            yield spot.into(name, _Place.NAMED)
        elif spot.depth < DEPTH:
            yield spot.into(name, _Place.ELSEWHERE)
        else:
            self._note(Oddity.UNSEARCHED, f"{self._address(spot)}{name}/")

    def _account(self, spot: _Spot) -> Iterator[Reached]:
        if not all(map(is_reachable, spot.path)):
            self._note(Oddity.UNREACHABLE, self._address(spot))
        elif spot.place is _Place.ELSEWHERE:
            self._note(Oddity.OUTSIDE, self._address(spot))
        else:
            *root, account = spot.path
            yield Reached(AccountFolder(self._source.bucket, "/".join(root), account))

    def _reachable(self, named: Reached) -> Iterator[Reached]:
        if all(map(is_reachable, self._source.path)):
            yield named
        else:
            self._note(Oddity.UNREACHABLE, self._source.uri)

    def _affordable(self, spots: list[_Spot]) -> Iterator[_Spot]:
        """All but folders of no known meaning beyond the limit."""
        for spot in spots:
            self._searched += spot.place is _Place.ELSEWHERE
            if spot.place is _Place.ELSEWHERE and self._searched > _SEARCHED:
                self._note(Oddity.UNSEARCHED, self._address(spot))
            else:
                yield spot

    def _address(self, spot: _Spot) -> str:
        return f"{_SCHEME}{self._source.bucket}/{key_of(spot.path)}"


def _named_account(source: LogSource) -> Reached | None:
    """What a source means that names a part of an account's folder. Raises SourceError below a day."""
    for at, part in enumerate(source.path):
        below = source.path[at + 1 :]
        if is_account(part) and (below[0] in _KINDS if below else _is_inside(source.path[:at])):
            if len(below) > _BELOW:
                raise SourceError(f"source {source.uri} lies below a day's folder: name that or one above it")
            return Reached(AccountFolder(source.bucket, "/".join(source.path[:at]), part), below)
    return None


def _is_inside(path: tuple[str, ...]) -> bool:
    return path[-1:] == (AWSLOGS,) or (path[-2:-1] == (AWSLOGS,) and is_organization(path[-1]))


def _start(path: tuple[str, ...]) -> _Spot:
    return _Spot(path, _Place.INSIDE if _is_inside(path) else _Place.NAMED)
