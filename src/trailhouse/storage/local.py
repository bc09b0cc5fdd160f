"""Folders, single files and glob patterns of this machine, with the archives that lie in them."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import BinaryIO

from trailhouse.errors import SourceError, StorageError
from trailhouse.storage import archives, files
from trailhouse.storage.archives import Archive, ArchiveError, Form, Member
from trailhouse.storage.objects import READ_LIMIT, SkippedNames, StoredObject, original, printable, too_large
from trailhouse.storage.tars import TarArchive
from trailhouse.storage.walk import Places, Walk
from trailhouse.storage.zips import ZipArchive

# Names that promise JSON are not looked into for archives: millions of them, and the reader looks anyway.
_PLAIN = re.compile(r"\.(?:json|jsonl|ndjson)(?:\.gz)?\Z", re.IGNORECASE)


@dataclass(slots=True)
class _Opened:
    """An archive as it was when listed, or why it cannot be used."""

    version: str
    archive: Archive | None = None
    trouble: str = ""


@dataclass
class LocalStorage:
    """Files below a folder; a single file is one in its own folder.

    Attributes:
        label: unique among the sources of one call.
        uri: `file://` and the real path.
        base: real path of the folder.
        places: real paths of all sources, where links are not followed to.
        single: the one file's name (printable), or "".
        pattern: matches the names wanted, or None for all.
        skipped: what the latest complete listing left out.
    """

    label: str
    uri: str
    base: str
    places: Places
    single: str = ""
    pattern: re.Pattern[str] | None = None
    skipped: SkippedNames = field(default_factory=SkippedNames)
    _archives: dict[str, _Opened] = field(default_factory=dict)

    def list(self) -> Iterator[StoredObject]:
        """Every file, and every member of an archive in its place, sorted by name."""
        skipped = SkippedNames()
        for name, status in self.files(skipped):
            version = files.version(status)
            opened = None if not self.single and _PLAIN.search(name) else self._archive(name, version)
            if opened is None:
                yield StoredObject(self.label, name, status.st_size, version)
            else:
                yield from self._members(name, status.st_size, opened, skipped)
        self.skipped = skipped

    def read(self, item: StoredObject) -> bytes:
        """The whole object. Raises StorageError."""
        found = self._find(item)
        if found is None:
            return files.read_file(self._path(item.name), item.version, item.name, self.uri)
        if item.size > READ_LIMIT:
            raise too_large(self.uri, item.name, item.size)
        return b"".join(self._chunks(item, *found))

    def open(self, item: StoredObject) -> BinaryIO:
        """The object as a stream; reading it raises StorageError."""
        found = self._find(item)
        if found is None:
            return files.open_file(self._path(item.name), item.version, item.name, self.uri)
        return archives.stream(self._chunks(item, *found))

    def read_many(self, items: Iterable[StoredObject]) -> Iterator[tuple[StoredObject, bytes | StorageError]]:
        """Each object with its bytes or what went wrong."""
        for together, group in groupby(items, key=lambda item: item.together):
            if together:
                yield from self._read_together(group)
                continue
            for item in group:
                try:
                    yield item, self.read(item)
                except StorageError as error:
                    yield item, error

    def check(self) -> None:
        """Refuse a single file that can never be read.

        Raises:
            SourceError: an archive that is damaged, encrypted, a bomb, or of an unknown form.
        """
        if not self.single:
            return
        for _ in self.list():
            break
        opened = self._archives.get(self.single)
        if opened is None:
            return
        shown = self.uri if self.uri.startswith("stdin:") else printable(self._path(self.single))
        if opened.archive is None:
            raise SourceError(f"source {shown} {opened.trouble}")
        if name := opened.archive.contents.encrypted:
            raise SourceError(
                f"source {shown} is encrypted ({name}): "
                "unpack it elsewhere with its password, and give that folder"
            )

    def files(self, skipped: SkippedNames) -> Iterator[tuple[str, os.stat_result]]:
        """Name and status of every file wanted, archives not opened. Raises StorageError."""
        if self.single:
            try:
                yield self.single, os.stat(self._path(self.single))  # noqa: PTH116 - bytes that are no UTF-8
            except OSError as error:
                raise files.unreadable(self.single, self.uri, error) from error
            return
        for name, status in Walk(self.base, self.places, skipped).files():
            if self.pattern is None or self.pattern.match(name):
                yield name, status

    def _path(self, name: str) -> str:
        return f"{self.base}/{original(name)}"

    def _archive(self, name: str, version: str) -> _Opened | None:
        known = self._archives.get(name)
        if known is not None and known.version == version:
            return known
        self._archives.pop(name, None)
        try:
            archive = _list_archive(self._path(name), version)
            opened = _Opened(version, archive) if archive is not None else None
        except OSError:
            return None  # an ordinary file until somebody reads it; then the error has its place
        except ArchiveError as error:
            opened = _Opened(version, trouble=str(error))
        if opened is not None:
            self._archives[name] = opened
        return opened

    def _members(
        self, name: str, size: int, opened: _Opened, skipped: SkippedNames
    ) -> Iterator[StoredObject]:
        if opened.archive is None or opened.archive.contents.trouble:
            yield StoredObject(self.label, name, size, opened.version)  # reading it says what is wrong
        if opened.archive is None:
            return
        contents = opened.archive.contents
        together = name if opened.archive.sequential else ""
        for member_name in sorted(contents.members):
            member = contents.members[member_name]
            yield StoredObject(
                self.label, f"{name}!{member_name}", member.size, member.version, together=together
            )
        for left_out in contents.skipped.first:
            skipped.add(f"{name}!{left_out.name}", left_out.reason)
        skipped.total += contents.skipped.total - len(contents.skipped.first)

    def _find(self, item: StoredObject) -> tuple[Archive, Member] | None:
        """The member that an object is; None for a file. Raises StorageError."""
        broken = self._archives.get(item.name)
        if broken is not None:
            raise StorageError(f"{item.name} in {self.uri} {_trouble(broken)}")
        at = item.name.find("!")
        while at >= 0:
            name, member_name = item.name[:at], item.name[at + 1 :]
            opened = self._archives.get(name) or self._opened_again(name, item.name)
            if opened is not None and opened.archive is not None:
                member = opened.archive.contents.members.get(member_name)
                if member is not None and member.version == item.version:
                    return opened.archive, member
                if member is not None:
                    raise files.changed(item.name, self.uri)
            at = item.name.find("!", at + 1)
        return None

    def _opened_again(self, name: str, whole: str) -> _Opened | None:
        """An archive that another process has listed."""
        path = self._path(name)
        if not os.path.isfile(path) or os.path.lexists(self._path(whole)):  # noqa: PTH113 - once an object, and Path is slow
            return None
        return self._archive(name, files.version(os.stat(path)))  # noqa: PTH116 - as above

    def _chunks(self, item: StoredObject, archive: Archive, member: Member) -> Iterator[bytes]:
        try:
            yield from archive.chunks(member)
        except StorageError as error:
            raise self._placed(item, error) from error

    def _read_together(
        self, items: Iterable[StoredObject]
    ) -> Iterator[tuple[StoredObject, bytes | StorageError]]:
        """Members of one compressed archive, in one pass."""
        wanted: dict[str, tuple[StoredObject, Member]] = {}
        archive: Archive | None = None
        for item in items:
            try:
                found = self._find(item)
            except StorageError as error:
                yield item, error
                continue
            if found is None:
                yield item, files.changed(item.name, self.uri)
                continue
            archive = found[0]
            wanted[found[1].name] = (item, found[1])
        if archive is None:
            return
        for member, outcome in archive.read_many(member for _, member in wanted.values()):
            item = wanted[member.name][0]
            yield item, self._placed(item, outcome) if isinstance(outcome, StorageError) else outcome

    def _placed(self, item: StoredObject, error: StorageError) -> StorageError:
        return StorageError(f"{item.name} in {self.uri}: {error}")


def _trouble(opened: _Opened) -> str:
    return opened.trouble or (opened.archive.contents.trouble if opened.archive else "")


def _list_archive(path: str, version: str) -> Archive | None:
    form = archives.recognise(path)
    if form is None:
        return None
    if form is Form.ZIP:
        return ZipArchive(path)
    return TarArchive(path, compressed=form is Form.TAR_GZ, version=version)
