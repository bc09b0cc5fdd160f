"""Cut a long file into windows that each hold whole records, so that any size is read in bounded memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from trailhouse.lake.envelope import BOM, EXPORT_LINE
from trailhouse.lake.record import is_valid
from trailhouse.lake.salvage import NO_JSON, OBJECT_START, RECORD_START, Flaw, looks_like_record
from trailhouse.lake.scan import ScanError, checked_end, elements, skip_space, value_end

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIST = b"["
_RECORDS = b'{"Records":['
_RECORDS_HEAD = re.compile(rb'\s*\{\s*"Records"\s*:\s*\[')
_ARRAY_HEAD = re.compile(rb"\s*\[(?=\s*\{)")
_FIRST_MEMBER = re.compile(rb'\s*(\{\s*"[^"\\]*"\s*:)')
# Between two lists: two documents, or a name twice.
_BORDER = re.compile(rb'\s*\]\s*(?:\}\s*\{|,)\s*"Records"\s*:\s*\[')
_TRIES = 4
_MOST_STARTS = 1000


@dataclass(frozen=True, slots=True)
class Window:
    """A text that stands on its own.

    Attributes:
        text: JSON of the given form.
        form: `records`, `array`, `lines`, or `other` (the whole file, for the envelope to look at).
        position: Offset in the file of the text's first byte, less what was put in front of it.
        added: Bytes in `text` that are not the file's.
    """

    text: bytes
    form: str
    position: int
    added: int


class RecordWindows:
    """Iterate over the windows of a file.

    Attributes:
        flaw: Why the rest of it was given up, afterwards, if it was.
        claims: Whether that rest looks like CloudTrail's.
    """

    def __init__(self, pieces: Iterator[bytes], *, size: int, most: int) -> None:
        self.flaw: Flaw | None = None
        self.claims = False
        self._pieces = pieces
        self._size = size
        self._most = most
        self._text = b""
        self._position = 0
        self._ended = False

    def __iter__(self) -> Iterator[Window]:
        self._fill(self._size)
        if self._text.startswith(BOM):
            self._drop(len(BOM))
        if head := _RECORDS_HEAD.match(self._text):
            self._drop(head.end())
            yield from self._list(_RECORDS, "records")
        elif head := _ARRAY_HEAD.match(self._text):
            self._drop(head.end())
            yield from self._list(_LIST, "array")
        elif _is_line(self._text):
            yield from self._lines()
        else:
            yield from self._other()

    def _fill(self, size: int) -> None:
        if len(self._text) >= size or self._ended:
            return
        parts, have = [self._text], len(self._text)
        while have < size:
            piece = next(self._pieces, None)
            if piece is None:
                self._ended = True
                break
            parts.append(piece)
            have += len(piece)
        self._text = b"".join(parts)

    def _drop(self, count: int) -> None:
        self._text = self._text[count:]
        self._position += count

    def _list(self, opening: bytes, form: str) -> Iterator[Window]:
        size = self._size
        while True:
            self._fill(size)
            if self._ended:
                yield Window(opening + self._text, form, self._position - len(opening), len(opening))
                return
            end, following = _cut(self._text) or _cut_slowly(self._text) or (0, 0)
            if following:
                yield Window(_LIST + self._text[:end] + b"]", "array", self._position - 1, 2)
                self._drop(following)
                size = self._size
            elif len(self._text) >= self._most:
                self.flaw = Flaw(f"a record of more than {self._most >> 20} MiB", self._position)
                yield from self._first()
                return
            else:
                size = len(self._text) * 2

    def _first(self) -> Iterator[Window]:
        """The record that stands first, if it is whole and only what should follow it is not in sight."""
        start = skip_space(self._text, 0)
        try:
            end = value_end(self._text, start)
        except ScanError:
            return
        yield Window(_LIST + self._text[:end] + b"]", "array", self._position - 1, 2)

    def _lines(self) -> Iterator[Window]:
        size = self._size
        while True:
            self._fill(size)
            cut = len(self._text) if self._ended else self._text.rfind(b"\n") + 1
            if cut:
                yield Window(self._text[:cut], "lines", self._position, 0)
                self._drop(cut)
                size = self._size
            elif len(self._text) >= self._most:
                self.flaw = Flaw(f"a line of more than {self._most >> 20} MiB", self._position)
                return
            size = max(size, len(self._text) * 2)
            if self._ended:
                return

    def _other(self) -> Iterator[Window]:
        self._fill(self._most)
        if self._ended:
            yield Window(self._text, "other", self._position, 0)
        else:
            self.claims = b'"eventVersion' in self._text or b'\\"eventVersion' in self._text
            self.flaw = Flaw(
                f"text wrapped in this way is read up to {self._most >> 20} MiB; split the file, or make it "
                "one record a line",
                0,
            )


def _is_line(text: bytes) -> bool:
    """Whether a file starts with one object on one line."""
    start = len(text) - len(text.lstrip())
    export = EXPORT_LINE.match(text, start)
    start = export.end() if export else start
    end = text.find(b"\n", start)
    try:
        return end > 0 and text.startswith(b"{", start) and value_end(text[:end], start) <= end
    except ScanError:
        return False


def _cut(text: bytes) -> tuple[int, int] | None:
    """Where to cut, found from the end by how the first record begins, and proved by a parse.

    Returns:
        Where the last whole record ends and where the next one starts; None if that is not in sight.
    """
    first = _FIRST_MEMBER.match(text)
    at = len(text)
    for _ in range(_TRIES if first else 0):
        at = text.rfind(first[1], 1, at) if first else -1
        if at < 0:
            return None
        body = text[:at].rstrip()
        if body.endswith(b",") and is_valid(_LIST + body[:-1] + b"]"):
            return len(body) - 1, at
    return None


def _cut_slowly(text: bytes) -> tuple[int, int] | None:
    """As `_cut`, after the last whole element; behind a broken first one, where the next record starts."""
    cut = 0
    try:
        for start, end in elements(_LIST + text, 0):
            if not is_valid(text[start - 1 : end - 1]):
                raise ScanError(NO_JSON, start)  # noqa: TRY301 - one way on for both
            cut = end - 1
    except ScanError as error:
        comma = skip_space(text, cut)
        if cut and text.startswith(b",", comma):
            return cut, comma + 1
        if error.noticed > len(text):
            return None
    else:
        if border := _BORDER.match(text, cut):
            return cut, border.end()
    following = _next_record(text, cut or 1)
    return (following, following) if following else None


def _next_record(text: bytes, at: int) -> int:
    """Where the next record starts that is whole, or not yet at its end (0: not in sight)."""
    for start in islice(OBJECT_START.finditer(text, at), _MOST_STARTS):
        try:
            end = checked_end(text, start.start())
        except ScanError as error:
            if error.noticed == len(text) and RECORD_START.match(text, start.start()):
                return start.start()
            continue
        if looks_like_record(text[start.start() : end]):
            return start.start()
    return 0
