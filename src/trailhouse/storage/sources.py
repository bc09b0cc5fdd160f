"""From what the user wrote to sources: found, named, and refused where two of them overlap."""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote

from trailhouse.aws.access import Access
from trailhouse.errors import SourceError, StorageError
from trailhouse.storage import patterns
from trailhouse.storage.access import Location, overlap
from trailhouse.storage.local import LocalStorage
from trailhouse.storage.objects import SkippedNames, Storage, StoredObject, printable
from trailhouse.storage.standard_input import spool_input
from trailhouse.storage.walk import Places, within

if TYPE_CHECKING:
    from trailhouse.storage.s3 import S3Storage

S3_SCHEME = "s3://"


@dataclass(frozen=True, slots=True)
class Sources:
    """All sources of a call as one.

    Attributes:
        storages: one a source, sorted by uri; so labels do not depend on the order on the command line.
        identity: hexadecimal digest of the uris; the same for the same places.
    """

    storages: tuple[Storage, ...]
    identity: str

    def list(self) -> Iterator[StoredObject]:
        """Every object of every source, sorted by name within a source. Raises StorageError."""
        for storage in self.storages:
            yield from storage.list()

    def read(self, item: StoredObject) -> bytes:
        """A whole object. Raises StorageError."""
        return self.storage(item.source).read(item)

    def open(self, item: StoredObject) -> BinaryIO:
        """An object as a stream; reading it raises StorageError."""
        return self.storage(item.source).open(item)

    def read_many(self, items: Iterable[StoredObject]) -> Iterator[tuple[StoredObject, bytes | StorageError]]:
        """Each object with its bytes or what went wrong, in order but for members of compressed tars."""
        for label, group in groupby(items, key=lambda item: item.source):
            yield from self.storage(label).read_many(group)

    def storage(self, label: str) -> Storage:
        """The source of that label. Raises StorageError when there is none."""
        for storage in self.storages:
            if storage.label == label:
                return storage
        raise StorageError(f"the source {label} is not open: give it by --source too")

    def holding(self, path: Path) -> Storage | None:
        """The source in whose folder a path lies, so that nothing is ever written there."""
        real = os.path.realpath(path)
        for storage in self.storages:
            if isinstance(storage, LocalStorage) and not storage.single and within(real, storage.base):
                return storage
        return None


@dataclass(frozen=True, slots=True)
class _Written:
    """A local source as the user wrote it, found."""

    text: str
    base: str
    single: str = ""
    pattern: str = ""
    uri: str = ""

    @property
    def path(self) -> str:
        """Real path of the file or folder."""
        return f"{self.base.rstrip('/')}/{self.single}" if self.single else self.base


def open_sources(
    sources: Sequence[str | Location], *, stdin: BinaryIO, spool: Path, access: Access | None = None
) -> Sources:
    """Find what the user named.

    Args:
        sources: folders, files, glob patterns, `s3://bucket/prefix`, and `-` for standard input; a
            Location where one needs an access of its own.
        stdin: read to its end when a source is `-`.
        spool: folder for standard input; never inside a source.
        access: how to reach S3 for those that do not say.

    Returns:
        The sources; nothing is listed yet but what the refusals need.

    Raises:
        SourceError: a source is missing, unreadable, empty, encrypted, a bomb, or overlaps another.
    """
    if not sources:
        raise SourceError(
            "no source is given: name a folder, a file, an archive or s3://bucket/prefix by --source"
        )
    locations = [one if isinstance(one, Location) else Location(one, access or Access()) for one in sources]
    texts = [location.uri for location in locations if not location.uri.startswith(S3_SCHEME)]
    if texts.count("-") > 1:
        raise overlap("-", "-")
    written = [_find(text) for text in texts if text != "-"]
    if "-" in texts:
        written.append(_standard_input(stdin, spool, written))
    _refuse_overlaps(written)
    places = Places(tuple(sorted({item.path for item in written})))
    opened: list[Storage] = [_local(item, places) for item in written]
    remote = _open_remote(locations)
    storages = _labelled([*opened, *remote])
    # The same name at another server is another place.
    told = [storage.uri for storage in opened]
    told += [" at ".join(filter(None, (one.uri, one.access.endpoint_url))) for one in remote]
    return Sources(storages, hashlib.sha256("\n".join(sorted(told)).encode()).hexdigest())


def _open_remote(locations: Sequence[Location]) -> "Sequence[S3Storage]":
    remote = [location for location in locations if location.uri.startswith(S3_SCHEME)]
    if not remote:
        return []
    # boto3 and obstore take longer to import than a folder to list.
    from trailhouse.storage.s3 import open_s3  # noqa: PLC0415 - as said

    return open_s3(remote)


def _standard_input(stdin: BinaryIO, spool: Path, others: Sequence[_Written]) -> _Written:
    real = os.path.realpath(spool)
    for other in others:
        if not other.single and within(real, other.base):
            raise SourceError(
                f"the working folder {spool} lies in the source {other.text}: set another --workdir"
            )
    digest = spool_input(stdin, spool)
    return _Written("-", real, single=digest, uri=f"stdin:{digest}")


def _find(text: str) -> _Written:
    shown = printable(text)
    try:
        mode = os.stat(text).st_mode  # noqa: PTH116 - names may be no UTF-8
    except (OSError, ValueError) as error:
        if patterns.is_pattern(text):
            return _find_pattern(text)
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceError(f"source {shown} cannot be used ({reason}): check the path") from error
    real = os.path.realpath(text)
    uri = f"file://{quote(os.fsencode(real))}"
    if stat.S_ISDIR(mode):
        if not os.access(real, os.R_OK | os.X_OK):
            raise SourceError(f"source {shown} is a folder that may not be read: check its permissions")
        return _Written(shown, real, uri=uri)
    if not stat.S_ISREG(mode):
        raise SourceError(f"source {shown} is neither a file nor a folder: to read a pipe, use `--source -`")
    # A name that a link gives is the user's; the content is the real file's.
    return _Written(shown, os.path.dirname(real), single=os.path.basename(real), uri=uri)  # noqa: PTH119, PTH120 - text, as given


def _find_pattern(text: str) -> _Written:
    folder, below = patterns.split(text)
    found = _find(folder)
    pattern = printable(below)
    source = replace(
        found, text=printable(text), pattern=pattern, uri=f"{found.uri}/{quote(pattern, safe='/*?[]!')}"
    )
    if next(_matches(source), None) is None:
        raise SourceError(f"source {source.text} matches no file: check the pattern (** crosses folders)")
    return source


def _matches(source: _Written) -> Iterator[str]:
    """Real paths of the files that a pattern means; printable."""
    storage = _local(source, Places((source.base,)), check=False)
    base = printable(source.base.rstrip("/"))
    return (f"{base}/{name}" for name, _ in storage.files(SkippedNames()))


def _local(source: _Written, places: Places, *, check: bool = True) -> LocalStorage:
    compiled = patterns.compile_pattern(source.pattern) if source.pattern else None
    name = "stdin" if source.text == "-" else source.path.rstrip("/").rpartition("/")[2]
    storage = LocalStorage(
        printable(name) or "root", source.uri, source.base, places, printable(source.single), compiled
    )
    if check:
        storage.check()
    return storage


def _labelled(opened: list[Storage]) -> tuple[Storage, ...]:
    """Unique labels, the same whatever the order on the command line."""
    storages = tuple(sorted(opened, key=lambda storage: storage.uri))
    taken: set[str] = set()
    for storage in storages:
        label, number = storage.label, 1
        while storage.label in taken:
            number += 1
            storage.label = f"{label}~{number}"
        taken.add(storage.label)
    return storages


def _refuse_overlaps(written: Sequence[_Written]) -> None:
    """Every file must come from one source only, or it would be counted twice."""
    whole = [source for source in written if not source.pattern]
    owners: dict[tuple[int, int], _Written] = {}
    for source in whole:
        place = _identity(source.path)
        if place in owners:
            raise overlap(owners[place].text, source.text)
        owners[place] = source
    for source in written:
        for folder in _ancestors(source.path if not source.pattern else f"{source.base}/*"):
            owner = owners.get(_identity(folder))
            if owner is not None and owner is not source:
                raise overlap(owner.text, source.text)
    globs = [source for source in written if source.pattern]
    for number, source in enumerate(globs):
        others = [*whole, *globs[:number]]
        _refuse_shared_match(
            source,
            [other for other in others if within(other.base, source.base) or within(source.base, other.base)],
        )


def _refuse_shared_match(source: _Written, others: Sequence[_Written]) -> None:
    if not others:
        return
    matched = {path: other for other in others if other.pattern for path in _matches(other)}
    places = {printable(other.path): other for other in others if not other.pattern}
    for path in _matches(source):
        if path in matched:
            raise overlap(matched[path].text, source.text)
        for folder in (path, *_ancestors(path)):
            if folder in places:
                raise overlap(places[folder].text, source.text)


def _identity(path: str) -> tuple[int, int]:
    """The same for the same place under any name: links, mounts, another case."""
    try:
        status = os.stat(path)  # noqa: PTH116 - text, as given
    except OSError as error:
        raise SourceError(
            f"source {printable(path)} cannot be used ({error.strerror}): check the path"
        ) from error
    return status.st_dev, status.st_ino


def _ancestors(path: str) -> Iterator[str]:
    while path not in ("/", ""):
        path = path.rpartition("/")[0] or "/"
        yield path
