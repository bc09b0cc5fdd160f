"""Objects as stored -> the JSON text in them: gzip with any number of members, or plain."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isal import igzip_lib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GZIP_MAGIC = b"\x1f\x8b"
_ZLIB_GZIP = 31  # zlib's number for "expect a gzip header"
_PIECE = 1 << 20
_SALVAGE_STEP = 256
# Real files inflate 8 to 10 times, the most repetitive data events about 100 times; deflate's ceiling is 1,032.
_MOST_RATIO = 400
_BOMB_FLOOR = 256 << 20


class InflateError(Exception):
    """The data cannot be read on; the message says why. What came before it is good."""


@dataclass(frozen=True, slots=True)
class Inflated:
    """What an object holds: its text, whether there is more, and why the end is missing if it is."""

    data: bytes
    more: bool = False
    fault: str = ""


def inflate(blob: bytes, limit: int) -> Inflated:
    """Decompress a stored object.

    Args:
        blob: The object's bytes; plain text passes through.
        limit: Bytes of text after which to stop.

    Returns:
        The text. `more` is true when there is more of it than `limit` (read it with `inflate_stream`);
        `fault` says why the end is missing: truncated, damaged, followed by something else.
    """
    if not blob.startswith(GZIP_MAGIC):
        return Inflated(blob[:limit], more=len(blob) > limit)
    member = _member()
    try:
        data = member.decompress(blob, limit)
    except igzip_lib.error:
        return _salvage(blob, limit)
    if member.eof and not member.unused_data:
        return Inflated(data)
    if not member.eof and len(data) >= limit:
        return Inflated(data, more=True)
    return _inflate_members(blob, limit)


def inflate_stream(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress a stored object piece by piece, in bounded memory.

    Args:
        chunks: The object's bytes in order.

    Yields:
        Text of at most 1 MiB at a time (of plain objects the chunks as they are).

    Raises:
        InflateError: The data is truncated or damaged, something else follows it, or it is a bomb.
    """
    source = iter(chunks)
    first = _at_least(source, b"", len(GZIP_MAGIC))
    if first.startswith(GZIP_MAGIC):
        yield from _Members(source).read(first)
        return
    if first:
        yield first
    yield from source


def _member() -> igzip_lib.IgzipDecompressor:
    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


def _at_least(source: Iterator[bytes], have: bytes, size: int) -> bytes:
    while len(have) < size and (piece := next(source, None)) is not None:
        have += piece
    return have


def _inflate_members(blob: bytes, limit: int) -> Inflated:
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in inflate_stream([blob]):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                return Inflated(b"".join(pieces)[:limit], more=True)
    except InflateError as error:
        return Inflated(b"".join(pieces), fault=str(error))
    return Inflated(b"".join(pieces))


def _salvage(blob: bytes, limit: int) -> Inflated:
    """Take what comes before the damage, to the byte: the fast decompressor drops a whole call's output."""
    member = zlib.decompressobj(_ZLIB_GZIP)
    pieces: list[bytes] = []
    size = 0
    fault = "the gzip data is damaged"
    for at in range(0, len(blob), _SALVAGE_STEP):
        before = member.copy()
        try:
            pieces.append(member.decompress(blob[at : at + _SALVAGE_STEP]))
        except zlib.error as error:
            pieces.extend(_to_the_byte(before, blob[at : at + _SALVAGE_STEP]))
            fault = f"the gzip data is damaged ({error})"
            break
        if member.eof:
            rest = _inflate_members(member.unused_data + blob[at + _SALVAGE_STEP :], limit)
            return Inflated(b"".join(pieces) + rest.data, rest.more, rest.fault or fault)
        size += len(pieces[-1])
        if size > limit:
            return Inflated(b"".join(pieces)[:limit], more=True)
    return Inflated(b"".join(pieces), fault=fault)


def _to_the_byte(member: zlib._Decompress, step: bytes) -> Iterator[bytes]:
    for at in range(len(step)):
        try:
            yield member.decompress(step[at : at + 1])
        except zlib.error:
            return


class _Members:
    """The gzip members of one object, one after the other."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._taken = 0
        self._given = 0

    def read(self, pending: bytes) -> Iterator[bytes]:
        """Yield the text of every member, the first of which starts with `pending`."""
        self._taken = len(pending)
        while pending:
            member = _member()
            yield from self._read_one(member, pending)
            # Tape and block tools pad with zeros after the last member.
            pending = member.unused_data.lstrip(b"\0")
            while len(pending) < len(GZIP_MAGIC) and (piece := self._next()):
                pending = (pending + piece).lstrip(b"\0")
            if pending and not pending.startswith(GZIP_MAGIC):
                raise InflateError("bytes that are not gzip follow the compressed data")

    def _next(self) -> bytes:
        piece = next(self._source, b"")
        self._taken += len(piece)
        return piece

    def _read_one(self, member: igzip_lib.IgzipDecompressor, pending: bytes) -> Iterator[bytes]:
        while not member.eof:
            if not pending and member.needs_input and not (pending := self._next()):
                raise InflateError("the gzip data is truncated")
            try:
                text = member.decompress(pending, _PIECE)
            except igzip_lib.error as error:
                raise InflateError(f"the gzip data is damaged ({error})") from error
            pending = b""
            self._given += len(text)
            if self._given > max(_BOMB_FLOOR, self._taken * _MOST_RATIO):
                raise InflateError(f"it inflates to more than {_MOST_RATIO} times its size, as bombs do")
            if text:
                yield text
