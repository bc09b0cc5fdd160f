"""Where the records are in a file, whatever they are wrapped in and however broken it is.

Recognised by content: `{"Records": [...]}` as delivered, arrays, one record or one a line, `lookup-events`
output, EventBridge envelopes, CloudWatch Logs exports (lines with a time in front, `logEvents`, `events`).
After a place that cannot be read, the search goes on at the next whole record.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from operator import attrgetter

from trailhouse.core.layout import Kind
from trailhouse.lake.record import is_valid
from trailhouse.lake.salvage import (
    GIVEN_UP,
    NO_JSON,
    RECORD_START,
    Flaw,
    Salvage,
    Search,
    is_record,
    looks_like_record,
    parts_of,
)
from trailhouse.lake.scan import ScanError, checked_end, elements, members, skip_space, value_end

BOM = b"\xef\xbb\xbf"
_RECORDS = re.compile(rb'"Records"\s*:\s*(?=\[)')
NOT_A_TRAIL = re.compile(rb'"eventSource"\s*:\s*"aws:')
"""Notifications of S3 have the names of a record; their sources are `aws:s3` and the like."""

EXPORT_LINE = re.compile(rb"\d{4}-\d\d-\d\dT[0-9:.]+Z?\s+(?=\{)")
_MESSAGES = ("logEvents", "events")
_CLAIMS = re.compile(rb'\{\s*"eventVersion"\s*:')
_NO_RECORD = "a record is no object of CloudTrail's"
_CLAIM_BYTES = 4096
_NO_LIST = "there is no list of Records in it"


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

    A record is good when its own JSON text is whole and well-formed: half surrogate pairs, any nesting and
    repeated names are, and so is what is no UTF-8 inside of strings. Where CloudTrail delivered the file,
    every object in `Records` is a record; elsewhere, and after a broken place, `looks_like_record` decides.

    Args:
        text: The decompressed file.
        claimed: Its key says that CloudTrail delivered it; otherwise only what looks like CloudTrail counts.

    Returns:
        Records in order and the places that could not be read. Never raises.
    """
    opener = _Opener(text, claimed=claimed)
    opener.run()
    contents = opener.contents
    if claimed and not contents.form:
        contents.form = "records"
        contents.flaws = contents.flaws or [Flaw(_NO_LIST, 0)]
    return contents if contents.form else Contents()


def record_kind(text: bytes) -> Kind:
    """The delivery kind of a record that no key tells, from its own fields."""
    try:
        parts = parts_of(text, skip_space(text, 0))
    except ScanError:
        return Kind.CLOUDTRAIL
    start, end = parts.get("eventCategory", [(0, 0)])[-1]
    category = text[start:end].strip(b'"')
    if category == b"Insight" or "insightDetails" in parts:
        return Kind.INSIGHT
    if category == b"Aggregated":
        return Kind.AGGREGATED
    return Kind.NETWORKACTIVITY if category == b"NetworkActivity" else Kind.CLOUDTRAIL


class _Opener:
    def __init__(self, text: bytes, *, claimed: bool) -> None:
        self.contents = Contents()
        self._text = text
        self._claimed = claimed
        self._search = Search(text)
        self._end_of = value_end
        self._line_form = "lines"

    def run(self) -> None:
        """Go through the values at the top of the file, of which there may be one or one a line."""
        text = self._text
        at = skip_space(text, len(BOM) if text.startswith(BOM) else 0)
        while at < len(text):
            export = EXPORT_LINE.match(text, at)
            at = export.end() if export else at
            self._line_form = "cloudwatch" if export else "lines"
            end = self._top_value(at)
            at = skip_space(text, end)
            if text[at : at + 1] == b",":  # arrays that lost their brackets
                at = skip_space(text, at + 1)

    def _top_value(self, at: int) -> int:
        text = self._text
        try:
            end = self._end_of(text, at)
            if not is_valid(text[at:end]):
                raise ScanError(NO_JSON, at, end)  # noqa: TRY301 - one way on for both
        except ScanError as error:
            self._end_of = checked_end  # which stops at the fault: to look for an end each time is quadratic
            self._search.spend(error.noticed - at)
            return self._broken(at, error.reason)
        self._value(at, end, top=True)
        return end

    def _broken(self, at: int, reason: str) -> int:
        """Take what can be read of a broken top value; the offset where the next one may start."""
        text = self._text
        if self._search.given_up:
            self._flaw(Flaw(GIVEN_UP, at))
            return len(text)
        if text.startswith(b"[", at) and (self._claimed or RECORD_START.search(text, at)):
            return self._records_list(at, "array")
        records = _RECORDS.search(text, at) if text.startswith(b"{", at) else None
        if records and not RECORD_START.match(text, at) and _at_the_top(text[at : records.start()]):
            flaws = len(self.contents.flaws)
            end = self._lists(records.end())
            if self.contents.form and len(self.contents.flaws) == flaws:
                self._flaw(Flaw(reason, at))
            return end
        head = text[at : at + _CLAIM_BYTES].partition(b"\n")[0]
        trail = b'"eventVersion"' in head and not NOT_A_TRAIL.search(head)
        if trail and _CLAIMS.match(head):
            self._name(self._line_form)
        among_records = bool(self.contents.found) and head.startswith(b"{")
        if self._claimed or trail or among_records or RECORD_START.match(head):
            self._flaw(Flaw(reason, at))
        return self._resume(at)

    def _resume(self, at: int) -> int:
        """After a broken value: at the next line, or at a whole record before it."""
        line_end = self._text.find(b"\n", at) + 1 or len(self._text)
        record = self._search.after(at + 1, line_end)
        return line_end if record < 0 else record

    def _lists(self, at: int) -> int:
        """Take the list at `at`, and whatever follows it."""
        while True:
            end = self._records_list(at, "records")
            more = _RECORDS.search(self._text, end)
            at = self._search.after(end)
            if at >= 0 and (more is None or at < more.start()):
                return self._records_list(at - 1, "records")
            if more is None:
                return len(self._text)
            at = more.end()

    def _value(self, at: int, end: int, *, top: bool) -> None:
        if self._text.startswith(b"{", at):
            self._object(at, end, top=top)
        elif self._text.startswith(b"[", at) and top:
            self._array(at)
        elif self._claimed and top:
            self._flaw(Flaw("there is no object in it", at))

    def _array(self, at: int) -> None:
        contents, strangers = self.contents, []
        for start, end in elements(self._text, at):
            before = len(contents.found) + len(contents.flaws)
            self._value(start, end, top=False)
            if len(contents.found) + len(contents.flaws) == before:
                strangers.append(start)
        if contents.found or self._claimed:
            self._name("array")
            for start in strangers:
                self._flaw(Flaw(_NO_RECORD, start))

    def _object(self, at: int, end: int, *, top: bool) -> None:
        parts = parts_of(self._text, at)
        if "Records" in parts:
            self._records(parts["Records"])
        elif is_record(self._text, parts):
            self._name(self._line_form if top else "array")
            self.contents.found.append(Found(self._text[at:end], at))
        elif "detail" in parts and "detail-type" in parts:
            self._detail(*parts["detail"][-1])
        elif "CloudTrailEvent" in parts:
            self._embedded(*parts["CloudTrailEvent"][-1], "lookup-events")
        elif "Events" in parts:
            self._each(parts["Events"][-1][0], member=b"CloudTrailEvent", form="lookup-events")
        else:
            for name in _MESSAGES:
                if name in parts:
                    self._each(parts[name][-1][0], member=b"message", form="cloudwatch")
            if self._claimed and top and not self.contents.form:
                self._flaw(Flaw(_NO_LIST, at))

    def _records(self, lists: list[tuple[int, int]]) -> None:
        for start, end in lists:
            if self._text.startswith(b"[", start):
                self._records_list(start, "records")
            elif self._claimed:
                what = self._text[start : min(end, start + 20)].decode("utf-8", "replace")
                self._name("records")
                self._flaw(Flaw(f"Records is no list but {what}", start))

    def _records_list(self, at: int, form: str) -> int:
        """Take the records of the list at `at`; the offset behind it."""
        flaws: list[Flaw] = []
        strangers: list[Flaw] = []
        before = len(self.contents.found)
        salvage = Salvage(self._text, at, self._search, flaws.append)
        for start, end in salvage:
            text = self._text[start:end]
            if (self._claimed and form == "records") or looks_like_record(text):
                self.contents.found.append(Found(text, start))
            else:
                strangers.append(Flaw(_NO_RECORD, start))
        claims = flaws and RECORD_START.search(self._text, at) and not NOT_A_TRAIL.search(self._text, at)
        if self._claimed or claims or len(self.contents.found) > before:
            self._name(form)
            self.contents.flaws.extend(sorted(flaws + strangers, key=attrgetter("position")))
        return salvage.end

    def _each(self, at: int, *, member: bytes, form: str) -> None:
        """Records that are held as strings in a member of each element."""
        if not self._text.startswith(b"[", at):
            return
        for start, _ in elements(self._text, at):
            if not self._text.startswith(b"{", start):
                continue
            for name, value, end in members(self._text, start):
                if name[1:-1] == member:
                    self._embedded(value, end, form)

    def _embedded(self, at: int, end: int, form: str) -> None:
        if not self._text.startswith(b'"', at):
            return
        inner = json.loads(self._text[at:end].decode("utf-8", "replace"), strict=False)
        record = inner.encode("utf-8", "surrogatepass").strip()
        if is_valid(record) and record.startswith(b"{"):
            if looks_like_record(record):
                self._name(form)
                self.contents.found.append(Found(record, at))
        elif RECORD_START.match(record):
            self._name(form)
            self._flaw(Flaw("the record in this string cannot be read", at))

    def _detail(self, at: int, end: int) -> None:
        text = self._text[at:end]
        if text.startswith(b"{") and looks_like_record(text):
            self._name("eventbridge")
            self.contents.found.append(Found(text, at))

    def _name(self, form: str) -> None:
        self.contents.form = self.contents.form or form

    def _flaw(self, flaw: Flaw) -> None:
        self.contents.flaws.append(flaw)


def _at_the_top(before: bytes) -> bool:
    """Whether a member that stands after this text is the first object's own, as near as broken text tells."""
    depth = before.count(b"{") + before.count(b"[") - before.count(b"}") - before.count(b"]")
    return depth == 1 and b"\n{" not in before
