"""Records in text that is broken: what one looks like, and where the next whole one starts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailhouse.lake.record import is_valid, scalar_text
from trailhouse.lake.scan import ScanError, checked_end, elements, members, skip_space

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OBJECT_START = re.compile(rb'\{(?=\s*")')
RECORD_START = re.compile(
    rb'\{\s*"(?:eventVersion|userIdentity|eventTime|eventSource|eventName|awsRegion|sourceIPAddress|userAgent|requestID'
    rb"|eventID|eventType|recipientAccountId|requestParameters|responseElements|readOnly|managementEvent|eventCategory)"
    rb'"\s*:'
)
NO_JSON = "this is no valid JSON"
_IDENTIFYING = ("eventTime", "eventName", "eventSource", "eventID", "eventId", "eventCategory")
GIVEN_UP = "too much is broken to look any further"
_PATIENCE = 16
_MOST_PATIENCE = 64 << 20

Parts = dict[str, list[tuple[int, int]]]
"""Where the values of an object's members stand, by name; a repeated name has several."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A place that claims to be a record and cannot be read; `position` is a byte offset in the text."""

    reason: str
    position: int


def looks_like_record(text: bytes) -> bool:
    """Whether an object (its exact text) is a CloudTrail record, old and aggregated ones included."""
    try:
        parts = parts_of(text, skip_space(text, 0))
    except ScanError:
        return False
    return is_record(text, parts)


def is_record(text: bytes, parts: Parts) -> bool:
    """Whether an object with these members is a CloudTrail record."""
    if "eventVersion" not in parts or not any(name in parts for name in _IDENTIFYING):
        return False
    source = parts.get("eventSource")
    return source is None or not text.startswith(b'"aws:', source[-1][0])


def parts_of(text: bytes, at: int) -> Parts:
    """Where the values of an object's members stand, by name."""
    parts: Parts = {}
    for name, start, end in members(text, at):
        plain = name[1:-1].decode("utf-8", "replace") if b"\\" not in name else scalar_text(name)
        parts.setdefault(plain, []).append((start, end))
    return parts


class Search:
    """Looks for the next whole record in text that is broken, with a bound on the work."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._patience = min(_PATIENCE * len(text), len(text) + _MOST_PATIENCE)

    @property
    def given_up(self) -> bool:
        """Whether so much is broken that the search has been ended."""
        return self._patience <= 0

    def spend(self, count: int) -> None:
        """Count bytes that were looked at in vain."""
        self._patience -= count

    def after(self, at: int, before: int | None = None) -> int:
        """The offset of the next whole record that starts at or after `at`; -1 if there is none."""
        before = len(self._text) if before is None else before
        for start in OBJECT_START.finditer(self._text, at, before):
            if self.given_up:
                return -1
            try:
                end = checked_end(self._text, start.start())
            except ScanError as error:
                self.spend(error.noticed - start.start())
                continue
            if looks_like_record(self._text[start.start() : end]):
                return start.start()
            self.spend(end - start.start())
        return -1


class Salvage:
    """Iterate over the readable objects of the array at `at`, going on after broken ones.

    Attributes:
        end: Where it stopped, afterwards: behind the array, or at the text's end if anything was broken.
    """

    def __init__(self, text: bytes, at: int, search: Search, flaw: Callable[[Flaw], None]) -> None:
        self._text = text
        self._search = search
        self._flaw = flaw
        self.end = at

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield start and end of each object; of other elements, and of what is broken, tell the flaw."""
        resume = self.end
        try:
            for start, end in elements(self._text, self.end):
                if not is_valid(self._text[start:end]):
                    raise ScanError(NO_JSON, start)  # noqa: TRY301 - one way on for both
                self.end = end
                resume = _after(self._text, start, end)
                if self._text.startswith(b"{", start):
                    yield start, end
                else:
                    self._flaw(Flaw("a record is no object", start))
        except ScanError as error:
            self._flaw(Flaw(error.reason, error.position))
            yield from self.rest(min(error.position, resume))
        else:
            self.end = self._text.find(b"]", self.end) + 1

    def rest(self, at: int) -> Iterator[tuple[int, int]]:
        """Yield what looks like a record after a broken place: other objects may be the inside of one."""
        while (at := self._search.after(at)) >= 0:
            taken = False
            try:
                for start, end in elements(self._text, at - 1, checked_end):
                    at = _after(self._text, start, end)
                    if looks_like_record(self._text[start:end]):
                        taken = True
                        yield start, end
            except ScanError as broken:
                self._search.spend(broken.noticed - broken.position)
                if taken:
                    self._flaw(Flaw(broken.reason, broken.position))
        if self._search.given_up:
            self._flaw(Flaw(GIVEN_UP, self.end))
        self.end = len(self._text)


def _after(text: bytes, start: int, end: int) -> int:
    """Where to go on behind an element: what is no object may be a stray quote and the start of a record."""
    return end if text.startswith(b"{", start) else start + 1
