"""Tar archives read in place, plain and compressed.

A plain tar is read at any place. A compressed one can only be read from its front: it is listed once, and
each call that reads goes through it once, however many members it wants.
"""

import io
import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from typing import Protocol

from isal import igzip

from trailhouse.errors import StorageError
from trailhouse.storage import archives, files
from trailhouse.storage.archives import ArchiveError, Contents, Member, clean
from trailhouse.storage.objects import READ_LIMIT

_PIECE = 1 << 20
_HEADER_LIMIT = 1 << 20  # long names and extended headers, not content
_BROKEN = (
    tarfile.TarError,
    OSError,
    EOFError,
    zlib.error,
    archives.INFLATE_ERROR,
    ValueError,
    OverflowError,
    RecursionError,
)


class _StreamError(StorageError):
    """What makes all that follows in a compressed archive unreadable too."""


class _Source(Protocol):
    """The unpacked tar, read forwards."""

    position: int

    def read(self, size: int) -> bytes: ...

    def skip_to(self, position: int) -> None: ...

    def status(self) -> os.stat_result: ...

    def close(self) -> None: ...


class _Plain:
    """A plain tar."""

    def __init__(self, pages: files.Pages) -> None:
        self._pages = pages
        self.position = 0

    def read(self, size: int) -> bytes:
        content = self._pages.at(self.position, size)
        self.position += len(content)
        return content

    def skip_to(self, position: int) -> None:
        self.position = position

    def status(self) -> os.stat_result:
        return self._pages.status()

    def close(self) -> None:
        """Nothing: the pages stay open for the next."""


class _Inflating:
    """A compressed tar: forwards only, and never more than a bomb's share."""

    def __init__(self, path: str) -> None:
        self._file = io.FileIO(files.descriptor(path), "r")
        self._inflated = igzip.IGzipFile(fileobj=self._file, mode="rb")  # type: ignore[no-untyped-call]  # C, without types
        self.position = 0

    def read(self, size: int) -> bytes:
        content: bytes = self._inflated.read(size)
        self.position += len(content)
        archives.check_bomb("", self.position, self._file.tell())
        return content

    def skip_to(self, position: int) -> None:
        if position < self.position:
            raise tarfile.ReadError("a step backwards")
        while self.position < position and self.read(min(_PIECE, position - self.position)):
            pass

    def status(self) -> os.stat_result:
        return os.fstat(self._file.fileno())

    def close(self) -> None:
        self._inflated.close()
        self._file.close()


class _Headers:
    """What tarfile may see of an archive: headers of a sane size, forwards."""

    def __init__(self, source: _Source) -> None:
        self._source = source
        self.latest = b""

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _HEADER_LIMIT:
            raise tarfile.ReadError("a header of an absurd size")
        self.latest = self._source.read(size)
        return self.latest

    def tell(self) -> int:
        return self._source.position

    def seek(self, position: int) -> None:
        self._source.skip_to(position)


class TarArchive:
    """A tar archive; it is listed when this is made.

    Raises:
        ArchiveError: nothing in it can be read, a bomb, too many members.
    """

    def __init__(self, path: str, *, compressed: bool, version: str) -> None:
        self._path = path
        self._version = version
        self._pages = files.Pages(path)
        self.sequential = compressed
        self.contents = Contents()
        source = self._source()
        try:
            self._list(_Headers(source))
            while compressed and source.read(_PIECE):  # on to the checksum, which stands at the very end
                pass
        except ArchiveError:
            raise
        except _BROKEN as error:
            self.contents.trouble = f"is a damaged or cut off tar archive ({error}): copy it again"
        finally:
            source.close()

    def chunks(self, member: Member) -> Iterator[bytes]:
        """A member's bytes, at most a MiB at a time. Raises StorageError."""
        if member.trouble:
            raise StorageError(f"{member.name} {member.trouble}")
        try:
            yield from self._pieces(member)
        except ArchiveError:
            raise
        except _BROKEN as error:
            raise _damaged(member, str(error)) from error

    def read_many(self, members: Iterable[Member]) -> Iterator[tuple[Member, bytes | StorageError]]:
        """Each member with its bytes or what went wrong; of a compressed tar in the archive's order."""
        if not self.sequential:
            for member in members:
                yield member, archives.outcome(self, member)
            return
        in_place = sorted(members, key=lambda member: member.offset)
        try:
            source = self._source()
        except (StorageError, OSError) as error:
            yield from ((member, _damaged(member, str(error))) for member in in_place)
            return
        try:
            yield from _one_pass(source, in_place)
        finally:
            source.close()

    def _source(self) -> _Source:
        source: _Source = _Inflating(self._path) if self.sequential else _Plain(self._pages)
        if files.version(source.status()) != self._version:
            source.close()
            raise ArchiveError("the archive changed after it was listed: run again when nothing writes to it")
        return source

    def _pieces(self, member: Member) -> Iterator[bytes]:
        source = self._source()
        try:
            source.skip_to(member.offset)
            yield from _read(source, member)
        finally:
            source.close()

    def _list(self, headers: _Headers) -> None:
        last = -1
        with tarfile.open(fileobj=headers, mode="r:", errors="surrogateescape", encoding="utf-8") as tar:  # type: ignore[call-overload]  # `read` is all
            while (info := tar.next()) is not None:
                tar.members.clear()  # it would keep an object for every member
                if info.size < 0 or info.offset <= last:
                    raise tarfile.ReadError("a header points backwards")
                last = info.offset
                self._add(info)
        if headers.latest.strip(b"\0"):
            raise tarfile.ReadError(f"no header at byte {headers.tell() - len(headers.latest):,}")

    def _add(self, info: tarfile.TarInfo) -> None:
        offset, size = info.offset_data, info.size
        trouble = "is a sparse file in its archive: unpack it elsewhere, and give the folder"
        if info.islnk() and (target := self.contents.members.get(clean(info.linkname))) is not None:
            offset, size, trouble = target.offset, target.size, target.trouble
        elif not info.isreg():
            if not info.isdir():
                self.contents.skipped.add(clean(info.name), "a link" if info.issym() else "a special file")
            return
        elif info.sparse is None:
            trouble = ""
        name = self.contents.unique_name(info.name)
        version = f"{self._version}-{info.mtime}-{offset}-{size}"
        self.contents.members[name] = Member(name, size, version, offset, size, trouble=trouble)


def _one_pass(source: _Source, members: list[Member]) -> Iterator[tuple[Member, bytes | StorageError]]:
    found: bytes | StorageError = b""
    place = (-1, -1)
    broken: StorageError | None = None
    for member in members:
        if place != (member.offset, member.size):  # hard links share their content
            found = broken or _outcome(source, member)
            place = (member.offset, member.size)
            broken = found if isinstance(found, _StreamError) else None
        yield member, found


def _outcome(source: _Source, member: Member) -> bytes | StorageError:
    if member.trouble:
        return StorageError(f"{member.name} {member.trouble}")
    if member.size > READ_LIMIT:
        return StorageError(f"{member.name} unpacks to {member.size:,} bytes: stream it instead")
    try:
        source.skip_to(member.offset)
        return b"".join(_read(source, member))
    except ArchiveError as error:
        return _StreamError(str(error))
    except _BROKEN as error:
        return _damaged(member, str(error))


def _read(source: _Source, member: Member) -> Iterator[bytes]:
    rest = member.size
    while rest:
        piece = source.read(min(_PIECE, rest))
        if not piece:
            raise EOFError("the archive ends early")
        rest -= len(piece)
        yield piece


def _damaged(member: Member, why: str) -> StorageError:
    return _StreamError(f"{member.name} is damaged in its archive ({why}): copy the archive again")
