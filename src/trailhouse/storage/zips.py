"""Zip archives read in place.

The central directory is read as a stream and members are found by their offsets: no object per member but
ours, one or two reads a member, and no size that an archive declares is trusted.
"""

import bz2
import stat
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from isal import isal_zlib

from trailhouse.errors import StorageError
from trailhouse.storage import archives, files
from trailhouse.storage.archives import ArchiveError, Contents, Member

_PIECE = 1 << 20
_END: Final = struct.Struct("<4s4H2IH")
_END64: Final = struct.Struct("<4sQ2H2I4Q")
_LOCATOR: Final = struct.Struct("<4sIQI")
_ENTRY: Final = struct.Struct("<4s4B4H3I5H2I")
_LOCAL: Final = struct.Struct("<4s5H3I2H")
_LONGEST = _ENTRY.size + 3 * 0xFFFF  # an entry with name, extra field and comment at their limits
_MAX32 = 0xFFFFFFFF
_MAX16 = 0xFFFF
_UTF8 = 0x800
_ENCRYPTED = 0x1
_AES = 99
_STORED, _DEFLATED, _BZIP2 = 0, 8, 12
_DAMAGED = "is a damaged zip archive ({}): copy it again, or repair it elsewhere"


class ZipArchive:
    """A zip archive; it is listed when this is made.

    Raises:
        ArchiveError: damaged, in several parts, a bomb, too many members.
    """

    sequential = False

    def __init__(self, path: str) -> None:
        self._pages = files.Pages(path)
        self.contents = Contents()
        try:
            status = self._pages.status()
            self._list(status.st_size)
        except OSError as error:
            raise ArchiveError(f"cannot be read ({error.strerror}): check its permissions") from error
        except struct.error as error:
            raise ArchiveError(_DAMAGED.format("its directory ends early")) from error
        archives.check_bomb("", sum(member.size for member in self.contents.members.values()), status.st_size)

    def chunks(self, member: Member) -> Iterator[bytes]:
        """A member's bytes, at most a MiB at a time. Raises StorageError."""
        if member.trouble:
            raise StorageError(f"{member.name} {member.trouble}")
        try:
            yield from self._checked(member)
        except (OSError, EOFError, zlib.error, archives.INFLATE_ERROR, struct.error, ValueError) as error:
            raise _damaged(member, str(error)) from error

    def read_many(self, members: Iterable[Member]) -> Iterator[tuple[Member, bytes | StorageError]]:
        """Each member with its bytes or what went wrong, in the order given."""
        for member in members:
            yield member, archives.outcome(self, member)

    def _list(self, size: int) -> None:
        start, length, shift = self._directory(size)
        buffer, at, done = b"", 0, 0
        while done < length:
            rest = len(buffer) - at
            if rest < _LONGEST and done + rest < length:
                buffer, at = self._pages.at(start + done, min(_PIECE, length - done)), 0
            used = self._entry(buffer, at, shift)
            at += used
            done += used

    def _directory(self, size: int) -> tuple[int, int, int]:
        """Start and length of the central directory, and how far everything lies behind its stated place."""
        tail_start = max(0, size - _END.size - _MAX16)
        tail = self._pages.at(tail_start, size - tail_start)
        at = tail.rfind(b"PK\x05\x06")
        if at < 0:
            raise ArchiveError(_DAMAGED.format("its directory is missing"))
        _, disk, _, _, _, length, offset, _ = _END.unpack_from(tail, at)
        end = tail_start + at
        locator = self._pages.at(max(0, end - _LOCATOR.size), _LOCATOR.size)
        if locator.startswith(b"PK\x06\x07"):
            length, offset, end = self._directory64(locator, end)
        elif disk:
            raise ArchiveError(
                "is one part of a split zip archive: join the parts elsewhere and give the whole"
            )
        shift = end - length - offset
        if shift < 0:
            raise ArchiveError(_DAMAGED.format("its directory lies outside"))
        return offset + shift, length, shift

    def _directory64(self, locator: bytes, end: int) -> tuple[int, int, int]:
        """Length, stated place and end of a directory that may be larger than 4 GiB."""
        _, _, place, _ = _LOCATOR.unpack(locator)
        for at in (place, end - _LOCATOR.size - _END64.size):  # the second where something stands in front
            found = self._pages.at(at, _END64.size)
            if found.startswith(b"PK\x06\x06"):
                fields = _END64.unpack(found)
                return fields[8], fields[9], at
        raise ArchiveError(_DAMAGED.format("its large directory is missing"))

    def _entry(self, buffer: bytes, at: int, shift: int) -> int:
        """Take one entry of the directory in; its length."""
        fields = _ENTRY.unpack_from(buffer, at)
        magic, _, system, _, _, flags, method, _, _, crc, stored, size = fields[:12]
        name_length, extra_length, comment_length, _, _, mode, offset = fields[12:]
        if magic != b"PK\x01\x02":
            raise ArchiveError(_DAMAGED.format("its directory makes no sense"))
        name_at = at + _ENTRY.size
        extra_at = name_at + name_length
        end = extra_at + extra_length + comment_length
        if end > len(buffer):
            raise ArchiveError(_DAMAGED.format("its directory ends early"))
        raw, extra = buffer[name_at:extra_at], buffer[extra_at : extra_at + extra_length]
        size, stored, offset = _wide(extra, size, stored, offset)
        name = _decoded(raw, flags)
        if system == 3 and stat.S_ISLNK(mode >> 16):  # noqa: PLR2004 - 3 is Unix
            self.contents.skipped.add(archives.clean(name), "a link")
        elif not (name.endswith("/") and size == 0):
            self._add(name, Member("", size, f"{crc:08x}-{size}", offset + shift, stored, method, crc), flags)
        return int(end - at)

    def _add(self, raw: str, member: Member, flags: int) -> None:
        name = self.contents.unique_name(raw)
        trouble = ""
        if flags & _ENCRYPTED or member.method == _AES:
            self.contents.encrypted = self.contents.encrypted or name
            trouble = "is encrypted: unpack the archive elsewhere with its password, and give the folder"
        elif member.method not in (_STORED, _DEFLATED, _BZIP2):
            trouble = (
                f"is packed by zip method {member.method}: unpack the archive elsewhere, and give the folder"
            )
        self.contents.members[name] = replace(member, name=name, trouble=trouble)

    def _checked(self, member: Member) -> Iterator[bytes]:
        archives.check_bomb(f"{member.name} ", member.size, member.stored)
        total = crc = 0
        unpack = {_STORED: _plain, _DEFLATED: _inflate, _BZIP2: _bunzip}[member.method]
        for chunk in unpack(self._packed(member)):
            total += len(chunk)
            if total > member.size:
                raise _damaged(member, f"it holds more than the {member.size:,} bytes declared")
            crc = isal_zlib.crc32(chunk, crc)
            yield chunk
        if total != member.size or crc != member.crc:
            raise _damaged(member, "its checksum or size is wrong")

    def _packed(self, member: Member) -> Iterator[bytes]:
        magic, *_, name_length, extra_length = _LOCAL.unpack(self._pages.at(member.offset, _LOCAL.size))
        if magic != b"PK\x03\x04":
            raise _damaged(member, "it is not where the directory says")
        position = member.offset + _LOCAL.size + name_length + extra_length
        rest = member.stored
        while rest:
            piece = self._pages.at(position, min(_PIECE, rest))
            if not piece:
                raise _damaged(member, "the archive ends early")
            yield piece
            position += len(piece)
            rest -= len(piece)


def _wide(extra: bytes, size: int, stored: int, offset: int) -> tuple[int, int, int]:
    """Sizes and offset, from the 64 bit field where the directory has no room for them."""
    if _MAX32 not in (size, stored, offset):
        return size, stored, offset
    at = 0
    while at + 4 <= len(extra):
        field, length = struct.unpack_from("<2H", extra, at)
        if field == 1:
            values = iter(
                struct.unpack(f"<{min(length, 24) // 8}Q", extra[at + 4 : at + 4 + min(length, 24) // 8 * 8])
            )
            taken = [next(values, value) if value == _MAX32 else value for value in (size, stored, offset)]
            return taken[0], taken[1], taken[2]
        at += 4 + length
    return size, stored, offset


def _decoded(raw: bytes, flags: int) -> str:
    """A member's name: UTF-8 even where the flag forgot to say so, else the old code page."""
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        name = raw.decode(errors="surrogateescape") if flags & _UTF8 else raw.decode("cp437")
    # Old Windows tools write their own separator.
    return name.replace("\\", "/") if "/" not in name else name


def _plain(packed: Iterator[bytes]) -> Iterator[bytes]:
    return packed


def _inflate(packed: Iterator[bytes]) -> Iterator[bytes]:
    inflate = isal_zlib.decompressobj(-15)
    for piece in packed:
        rest = piece
        while rest:
            yield inflate.decompress(rest, _PIECE)
            rest = inflate.unconsumed_tail
    yield inflate.flush()


def _bunzip(packed: Iterator[bytes]) -> Iterator[bytes]:
    bunzip = bz2.BZ2Decompressor()
    for piece in packed:
        rest = piece
        while not bunzip.eof and (rest or not bunzip.needs_input):
            yield bunzip.decompress(rest, _PIECE)
            rest = b""


def _damaged(member: Member, why: str) -> StorageError:
    return StorageError(f"{member.name} is damaged in its archive ({why}): copy the archive again")
