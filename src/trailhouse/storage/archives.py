"""Archives read in place: what they are by their first bytes, and the limits that hold for all of them."""

import io
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO, Protocol, cast

from isal import isal_zlib

from trailhouse.errors import StorageError
from trailhouse.storage import files
from trailhouse.storage.objects import READ_LIMIT, SkippedNames, printable

MEMBER_LIMIT = 2_000_000  # an index of that many takes about 1 GB
NAMES_LIMIT = 1 << 29  # characters of all names together
BOMB_RATIO = 250  # gzip reaches 1,032 at best, real logs 8 to 30
BOMB_SIZE = 1 << 30
INFLATE_ERROR = cast("type[Exception]", isal_zlib.IsalError)  # its stub calls it an instance
HEAD = 4096
_BLOCK = 512


class Form(StrEnum):
    """What a file is as an archive."""

    ZIP = "zip"
    TAR = "tar"
    TAR_GZ = "tar.gz"


_OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
}


class ArchiveError(StorageError):
    """A whole archive cannot be used; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive.

    Attributes:
        name: printable, unique within the archive.
        size: bytes when unpacked, as declared.
        version: another text when the content may have changed.
        offset: where it starts (zip: its local header; tar: its content, of the unpacked tar).
        stored: bytes that it takes in the archive.
        method: zip's compression method; tar: 0.
        crc: zip's checksum; tar: 0.
        trouble: "" or why it cannot be read.
    """

    name: str
    size: int
    version: str
    offset: int
    stored: int
    method: int = 0
    crc: int = 0
    trouble: str = ""


@dataclass(slots=True)
class Contents:
    """What an archive holds.

    Attributes:
        members: by their unique names.
        skipped: links and special files.
        encrypted: the first member that needs a password, or "".
        trouble: "" or why the archive could not be listed to its end.
    """

    members: dict[str, Member] = field(default_factory=dict)
    skipped: SkippedNames = field(default_factory=SkippedNames)
    encrypted: str = ""
    trouble: str = ""
    _copies: dict[str, int] = field(default_factory=dict)
    _characters: int = 0

    def unique_name(self, raw: str) -> str:
        """A printable name, with `#2` and so on where the archive holds it several times.

        Raises:
            ArchiveError: there are too many members.
        """
        self._characters += len(raw)
        if len(self.members) >= MEMBER_LIMIT or self._characters > NAMES_LIMIT:
            raise ArchiveError(
                f"holds more than {MEMBER_LIMIT:,} files, or endless names: unpack it, and give the folder"
            )
        name = clean(raw)
        copies = self._copies.get(name, 0) + 1
        found = name if copies == 1 else f"{name}#{copies}"
        while found in self.members:
            copies += 1
            found = f"{name}#{copies}"
        self._copies[name] = copies
        return found


def clean(raw: str) -> str:
    """A member's name as it is printed; `tar .` puts `./` before every one."""
    name = printable(raw)
    while name.startswith("./"):
        name = name[2:]
    return name


class Archive(Protocol):
    """An archive that has been listed."""

    sequential: bool
    contents: Contents

    def chunks(self, member: Member) -> Iterator[bytes]:
        """A member's bytes, at most a MiB at a time. Raises StorageError."""

    def read_many(self, members: Iterable[Member]) -> Iterator[tuple[Member, bytes | StorageError]]:
        """Each member with its bytes or what went wrong; in its own order if it is sequential."""


def recognise(path: str) -> Form | None:
    """What an archive a file is, by its content.

    Returns:
        Its form; None where it is none.

    Raises:
        ArchiveError: an archive of a form that cannot be read in place.
        OSError: the file cannot be read.
    """
    start = files.head(path, HEAD)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return Form.ZIP
    if start.startswith(b"\x1f\x8b"):
        return Form.TAR_GZ if _is_tar(_inflated(start)) else None
    if _is_tar(start[:_BLOCK]):
        return Form.TAR
    for magic, name in _OTHERS.items():
        if start.startswith(magic):
            raise ArchiveError(f"is {name}, which cannot be read in place: unpack it, and give the folder")
    return None


def check_bomb(name: str, unpacked: int, stored: int) -> None:
    """Refuse what unpacks to far more than logs ever do.

    Raises:
        ArchiveError: more than BOMB_SIZE bytes and more than BOMB_RATIO times what is stored.
    """
    if unpacked > BOMB_SIZE and unpacked > BOMB_RATIO * max(stored, 1):
        raise ArchiveError(
            f"{name}unpacks {stored:,} bytes to {unpacked:,} or more, as decompression bombs do: "
            "take it out, or unpack it elsewhere and give the folder"
        )


def _inflated(start: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(start, _BLOCK)
    except zlib.error:
        return b""


def _is_tar(block: bytes) -> bool:
    if len(block) < _BLOCK or not block[0]:
        return False
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


class Limited(io.RawIOBase):
    """A readable stream over chunks, ending in an error if they do."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill what fits from the chunks; zero at their end."""
        target = memoryview(buffer)  # type: ignore[arg-type]  # Buffer is new in 3.12
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def whole(archive: Archive, member: Member) -> bytes:
    """A member as one value. Raises StorageError, also when it is larger than READ_LIMIT."""
    if member.size > READ_LIMIT:
        raise StorageError(f"{member.name} unpacks to {member.size:,} bytes: stream it instead")
    return b"".join(archive.chunks(member))


def outcome(archive: Archive, member: Member) -> bytes | StorageError:
    """The same with the error as a value."""
    try:
        return whole(archive, member)
    except StorageError as error:
        return error


def stream(chunks: Iterator[bytes]) -> BinaryIO:
    """Chunks as a buffered stream."""
    return io.BufferedReader(Limited(chunks), 1 << 17)
