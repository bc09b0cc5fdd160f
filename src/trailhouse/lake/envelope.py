"""Where the records are in a file, whatever they are wrapped in and however broken it is.

Recognised by content: `{"Records": [...]}` as delivered, arrays, one record or one a line, `lookup-events` output,
EventBridge envelopes, CloudWatch Logs exports (lines with a time in front, `logEvents`, `events`). After a place that
cannot be read, the search goes on at the next thing that starts like a record.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trailhouse.core.layout import Kind
from trailhouse.lake.record import is_valid
from trailhouse.lake.scan import ScanError, elements, members, skip_space, value_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BOM = b"\xef\xbb\xbf"
_RECORDS = re.compile(rb'"Records"\s*:\s*(?=\[)')
NOT_A_TRAIL = re.compile(rb'"eventSource"\s*:\s*"aws:')
"""Notifications of S3 have the names of a record; their sources are `aws:s3` and the like."""

RECORD_START = re.compile(
    rb'\{\s*"(?:eventVersion|userIdentity|eventTime|eventSource|eventName|awsRegion|sourceIPAddress|userAgent|requestID'
    rb"|eventID|eventType|recipientAccountId|requestParameters|responseElements|readOnly|managementEvent|eventCategory)"
    rb'"\s*:'
)
_EXPORT_LINE = re.compile(rb"\d{4}-\d\d-\d\dT[0-9:.]+Z?\s+(?=\{)")
_IDENTIFYING = (b"eventTime", b"eventName", b"eventSource", b"eventID", b"eventId", b"eventCategory")
_MESSAGES = (b"logEvents", b"events")


@dataclass(frozen=True, slots=True)
class Flaw:
    """A place that claims to be a record and cannot be read; `position` is a byte offset in the text."""

    reason: str
    position: int


@dataclass(frozen=True, slots=True)
class Found:
    """One record's exact text, and where it stands."""

    text: bytes
    position: int


@dataclass(slots=True)
class Contents:
    """What a file holds. `form` names the wrapping; empty: nothing in it claims to be CloudTrail."""

    form: str = ""
    found: list[Found] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)


def open_envelope(text: bytes, *, claimed: bool) -> Contents:
    """Find the records in a file.

    Args:
        text: The decompressed file.
        claimed: Its key says that CloudTrail delivered it; otherwise only what looks like CloudTrail counts.

    Returns:
        Records in order and the places that could not be read. Never raises.
    """
    contents = Contents()
    opener = _Opener(text, contents, claimed=claimed)
    opener.run()
    if claimed and not contents.form:
        contents.form = "records"
        contents.flaws = contents.flaws or [Flaw("there is no list of Records in it", 0)]
    if not claimed and not contents.found and contents.form != "records":
        return Contents()
    return contents


def looks_like_record(names: set[bytes]) -> bool:
    """Whether an object with these member names is a CloudTrail record (aggregated and old ones included)."""
    return b"eventVersion" in names and any(name in names for name in _IDENTIFYING)


def record_kind(text: bytes) -> Kind:
    """The delivery kind of a record that no key tells, from its own fields."""
    names = {}
    try:
        for name, start, end in members(text, skip_space(text, 0)):
            names[name[1:-1]] = text[start:end]
    except ScanError:
        pass
    category = names.get(b"eventCategory", b"").strip(b'"')
    if category == b"Insight" or b"insightDetails" in names:
        return Kind.INSIGHT
    if category == b"Aggregated":
        return Kind.AGGREGATED
    return Kind.NETWORKACTIVITY if category == b"NetworkActivity" else Kind.CLOUDTRAIL


def salvage(text: bytes, at: int, flaw: Callable[[Flaw], None]) -> Iterator[tuple[int, int]]:
    """Yield every readable object of the array at `at`, going on after broken ones."""
    resumed = False
    while True:
        try:
            for start, end in elements(text, at):
                if not is_valid(text[start:end]):
                    raise ScanError("this is no valid JSON", start)  # noqa: TRY301 - one way on for both
                resumed = False
                if text[start : start + 1] == b"{":
                    yield start, end
                else:
                    flaw(Flaw("a record is no object", start))
        except ScanError as error:
            if not resumed:
                flaw(Flaw(error.reason, error.position))
            start_again = RECORD_START.search(text, error.position + 1)
            if start_again is None:
                return
            at, resumed = start_again.start() - 1, True
        else:
            return


class _Opener:
    def __init__(self, text: bytes, contents: Contents, *, claimed: bool) -> None:
        self._text = text
        self._contents = contents
        self._claimed = claimed

    def run(self) -> None:
        """Go through the values at the top of the file, of which there may be one or one a line."""
        text = self._text
        at = skip_space(text, len(BOM) if text.startswith(BOM) else 0)
        while at < len(text):
            export = _EXPORT_LINE.match(text, at)
            at = export.end() if export else at
            end = self._top_value(at)
            at = skip_space(text, end)
            if text[at : at + 1] == b",":  # arrays that lost their brackets
                at = skip_space(text, at + 1)

    def _top_value(self, at: int) -> int:
        text = self._text
        try:
            end = value_end(text, at)
            if is_valid(text[at:end]):
                self._value(at, end, top=True)
                return end
            reason = "this is no valid JSON"
        except ScanError as error:
            reason = error.reason
        return self._broken(at, reason)

    def _broken(self, at: int, reason: str) -> int:
        """Take what can be read of a broken top value; the offset where the next one may start."""
        text = self._text
        records = _RECORDS.search(text, at) if text[at : at + 1] == b"{" else None
        line_end = text.find(b"\n", at)
        line_end = len(text) if line_end < 0 else line_end + 1
        if text[at : at + 1] == b"[" and RECORD_START.search(text, at):
            self._records_list(at, "array")
            return len(text)
        if records and not RECORD_START.match(text, at):
            self._records_list(records.end(), "records")
            return self._after_lists(records.end())
        if RECORD_START.match(text, at) or (self._claimed and not self._contents.form):
            self._flaw(Flaw(reason, at))
            next_start = RECORD_START.search(text, at + 1)
            return min(line_end, next_start.start()) if next_start else line_end
        return line_end

    def _after_lists(self, at: int) -> int:
        more = _RECORDS.search(self._text, at)
        while more:
            self._records_list(more.end(), "records")
            more = _RECORDS.search(self._text, more.end())
        return len(self._text)

    def _value(self, at: int, end: int, *, top: bool) -> None:
        first = self._text[at : at + 1]
        if first == b"{":
            self._object(at, end, top=top)
        elif first == b"[" and top:
            self._array(at)
        elif self._claimed and top:
            self._flaw(Flaw("there is no object in it", at))

    def _array(self, at: int) -> None:
        strangers = []
        for start, end in elements(self._text, at):
            before = len(self._contents.found)
            self._value(start, end, top=False)
            if len(self._contents.found) == before:
                strangers.append(start)
        if self._contents.found or self._claimed:
            self._name("array")
            for start in strangers:
                self._flaw(Flaw("a record is no object of CloudTrail's", start))

    def _object(self, at: int, end: int, *, top: bool) -> None:
        parts: dict[bytes, list[tuple[int, int]]] = {}
        for name, start, stop in members(self._text, at):
            parts.setdefault(name[1:-1], []).append((start, stop))
        names = set(parts)
        if b"Records" in names:
            self._records(parts[b"Records"])
        elif looks_like_record(names):
            self._name("lines")
            self._contents.found.append(Found(self._text[at:end], at))
        elif b"detail" in names and b"detail-type" in names:
            self._detail(*parts[b"detail"][-1])
        elif b"CloudTrailEvent" in names:
            self._embedded(*parts[b"CloudTrailEvent"][-1])
        elif b"Events" in names:
            self._each(*parts[b"Events"][-1], member=b"CloudTrailEvent", form="lookup-events")
        else:
            self._log_events(parts)
            if self._claimed and top and not self._contents.form:
                self._flaw(Flaw("there is no list of Records in it", at))

    def _log_events(self, parts: dict[bytes, list[tuple[int, int]]]) -> None:
        for name in _MESSAGES:
            if name in parts:
                self._each(*parts[name][-1], member=b"message", form="cloudwatch")

    def _records(self, lists: list[tuple[int, int]]) -> None:
        for start, end in lists:
            if self._text[start : start + 1] == b"[":
                self._records_list(start, "records")
            elif self._claimed:
                what = self._text[start : min(end, start + 20)].decode("utf-8", "replace")
                self._name("records")
                self._flaw(Flaw(f"Records is no list but {what}", start))

    def _records_list(self, at: int, form: str) -> None:
        flaws: list[Flaw] = []
        taken = 0
        for start, end in salvage(self._text, at, flaws.append):
            text = self._text[start:end]
            if self._claimed or _is_record(text):
                self._contents.found.append(Found(text, start))
                taken += 1
        if taken or self._claimed or (flaws and RECORD_START.search(self._text, at)):
            self._name(form)
            self._contents.flaws.extend(flaws)

    def _each(self, at: int, end: int, *, member: bytes, form: str) -> None:
        """Records that are held as strings in a member of each element."""
        if self._text[at:end][:1] != b"[":
            return
        for start, stop in elements(self._text, at):
            if self._text[start : start + 1] != b"{":
                continue
            for name, value, value_stop in members(self._text[:stop], start):
                if name[1:-1] == member and self._embedded(value, value_stop):
                    self._contents.form = form

    def _embedded(self, at: int, end: int) -> bool:
        if self._text[at : at + 1] != b'"':
            return False
        inner = json.loads(self._text[at:end].decode("utf-8", "replace"), strict=False)
        record = inner.encode("utf-8", "surrogatepass").strip() if isinstance(inner, str) else b""
        if not record.startswith(b"{"):
            return False
        if not is_valid(record) or not _is_record(record):
            if RECORD_START.match(record):
                self._flaw(Flaw("the record in this string cannot be read", at))
            return False
        self._name("lookup-events")
        self._contents.found.append(Found(record, at))
        return True

    def _detail(self, at: int, end: int) -> None:
        text = self._text[at:end]
        if text.startswith(b"{") and _is_record(text):
            self._name("eventbridge")
            self._contents.found.append(Found(text, at))

    def _name(self, form: str) -> None:
        self._contents.form = self._contents.form or form

    def _flaw(self, flaw: Flaw) -> None:
        self._contents.flaws.append(flaw)


def _is_record(text: bytes) -> bool:
    try:
        names = {name[1:-1]: text[start:end] for name, start, end in members(text, skip_space(text, 0))}
    except ScanError:
        return False
    return looks_like_record(set(names)) and not names.get(b"eventSource", b"").startswith(b'"aws:')
