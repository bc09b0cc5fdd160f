"""Objects as stored -> the JSON text in them: gzip with any number of members, or plain."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import deflate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GZIP_MAGIC = b"\x1f\x8b"
_MEMBER_MAGIC = GZIP_MAGIC + b"\x08"
_LIKELY_RATIO = 100
_ZLIB_GZIP = 31  # zlib's number for "expect a gzip header"
_STEP = 1 << 12  # deflate makes at most 4 MiB of it
_ZEROS = re.compile(rb"\0*")
# Real files inflate 8 to 10 times, the most repetitive data events about 100 times; deflate cannot do more
# than 1,032.
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
        The text. `more` is true when there may be more of it than `limit` (read it with `inflate_stream`);
        `fault` says why the end is missing: truncated, damaged, followed by something else.
    """
    if not blob.startswith(GZIP_MAGIC):
        return Inflated(blob[:limit], more=len(blob) > limit)
    whole = _single_member(blob, limit)
    return _inflate_carefully(blob, limit) if whole is None else Inflated(whole)


def _single_member(blob: bytes, limit: int) -> bytes | None:
    """The text of an object of one whole member, as all are that CloudTrail writes; None: look carefully.

    libdeflate stops after a member without a word, so a second header anywhere means to look carefully, and the size
    in the last four bytes is believed only where it is likely and comes true.
    """
    size = int.from_bytes(blob[-4:], "little")
    if (
        not 0 < size <= min(limit, len(blob) * _LIKELY_RATIO)
        or blob.find(_MEMBER_MAGIC, len(GZIP_MAGIC)) >= 0
    ):
        return None
    try:
        text = bytes(deflate.gzip_decompress(blob))
    except deflate.DeflateError:
        return None
    return text if len(text) == size else None


def inflate_stream(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress a stored object piece by piece, in bounded memory.

    Args:
        chunks: The object's bytes in order.

    Yields:
        Text of at most about 4 MiB at a time (of plain objects the chunks as they are), to the last byte
        before any damage.

    Raises:
        InflateError: The data is truncated or damaged, something else follows it, or it is a bomb.
    """
    source = (chunk for chunk in chunks if chunk)
    first = next(source, b"")
    if len(first) < len(GZIP_MAGIC):
        first += next(source, b"")
    if first.startswith(GZIP_MAGIC):
        yield from _Members(source).read(first)
        return
    if first:
        yield first
    yield from source


def _inflate_carefully(blob: bytes, limit: int) -> Inflated:
    pieces: list[bytes] = []
    size = 0
    fault = ""
    try:
        for piece in inflate_stream([blob]):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                return Inflated(b"".join(pieces)[:limit], more=True)
    except InflateError as error:
        fault = str(error)
    return Inflated(b"".join(pieces), fault=fault)


class _Members:
    """The gzip members of one object, one after the other.

    zlib, not the faster isal: only zlib's state can be copied, and going on from a copy, byte by byte, is how
    everything before a damaged place is saved.
    """

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._chunk = b""
        self._at = 0
        self._taken = 0
        self._given = 0

    def read(self, first: bytes) -> Iterator[bytes]:
        """Yield the text of every member, the first of which starts with `first`."""
        self._chunk = first
        self._taken = len(first)
        while self._at < len(self._chunk):
            yield from self._member()
            self._skip_padding()
            if self._at < len(self._chunk) and not self._chunk.startswith(GZIP_MAGIC, self._at):
                raise InflateError("bytes that are not gzip follow the compressed data")

    def _next_chunk(self) -> bool:
        chunk = next(self._source, b"")
        self._taken += len(chunk)
        self._chunk, self._at = self._chunk[self._at :] + chunk, 0
        return bool(chunk)

    def _skip_padding(self) -> None:
        """Go past zeros after a member (tape and block tools pad with them), to two bytes if there are."""
        while True:
            zeros = _ZEROS.match(self._chunk, self._at)
            self._at = zeros.end() if zeros else self._at
            if len(self._chunk) - self._at >= len(GZIP_MAGIC) or not self._next_chunk():
                return

    def _member(self) -> Iterator[bytes]:
        inflater = zlib.decompressobj(_ZLIB_GZIP)
        while not inflater.eof:
            if self._at == len(self._chunk) and not self._next_chunk():
                raise InflateError("the gzip data is truncated")
            step = self._chunk[self._at : self._at + _STEP]
            self._at += len(step)
            before = inflater.copy()
            try:
                text = inflater.decompress(step)
            except zlib.error as error:
                yield b"".join(_to_the_byte(before, step))
                raise InflateError(f"the gzip data is damaged ({error})") from error
            self._given += len(text)
            if self._given > max(_BOMB_FLOOR, self._taken * _MOST_RATIO):
                raise InflateError(f"it inflates to more than {_MOST_RATIO} times its size, as bombs do")
            if text:
                yield text
        self._at -= len(inflater.unused_data)


def _to_the_byte(inflater: zlib._Decompress, step: bytes) -> Iterator[bytes]:
    for at in range(len(step)):
        try:
            yield inflater.decompress(step[at : at + 1])
        except zlib.error:
            return
