"""CloudTrail as Trino must see it: no released Trino reads CloudTrailInputFormat, so here objects are JSON lines.

How JSON becomes text in a column is decided here, by the documented rule that the product states too; it is no
evidence about Athena.
"""

from __future__ import annotations

import re
import threading
import zlib
from collections import OrderedDict
from gzip import compress
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from bed.buckets import Stored

LOG_KEY = re.compile(r"(^|/)AWSLogs/.*/CloudTrail(-Insight|-NetworkActivity|-Aggregated)?/.*\.json(\.gz)?$")
TEXTS = (
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "serviceEventDetails",
    "edgeDeviceDetails",
)
NESTED = {
    "addendum": ("updatedFields",),
    "insightDetails": ("insightContext",),
    "summary": ("primaryDimension", "details"),
}
FORMATS = (
    (b"com.amazon.emr.cloudtrail.CloudTrailInputFormat", b"org.apache.hadoop.mapred.TextInputFormat"),
    (b"com.amazon.emr.hive.serde.CloudTrailSerde", b"org.apache.hive.hcatalog.data.JsonSerDe"),
)
KEEP = 64 << 20
_records = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list = msgspec.json.Decoder(list[msgspec.Raw])


class Shim:
    """Shows objects; remembers what it has shown, so that sizes in listings and bodies agree and come cheaply."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()

    def __call__(self, key: str, stored: Stored) -> bytes:
        """The body to show for an object."""
        if not LOG_KEY.search(key):
            return stored.body
        at = (key, stored.etag)
        with self._lock:
            if at in self._bodies:
                self._bodies.move_to_end(at)
                return self._bodies[at]
        body = as_lines(stored.body)
        with self._lock:
            if at not in self._bodies:
                self._bodies[at] = body
                self._held += len(body)
            while self._held > KEEP:
                self._held -= len(self._bodies.popitem(last=False)[1])
        return body


def as_lines(body: bytes) -> bytes:
    """One record a line, free-form members as JSON text. What cannot be read is shown as it is."""
    packed = body[:2] == b"\x1f\x8b"
    try:
        text = zlib.decompress(body, 47) if packed else body
        records = _list.decode(_records.decode(text)["Records"])
        lines = b"\n".join(_line(bytes(record)) for record in records)
    except (zlib.error, msgspec.DecodeError, KeyError, UnicodeDecodeError):
        return body
    return compress(lines, 1, mtime=0) if packed else lines


def names_for_trino(answer: bytes) -> bytes:
    """Glue's answers, with formats that Trino knows."""
    if b"com.amazon.emr" in answer:
        for given, shown in FORMATS:
            answer = answer.replace(given, shown)
    return answer


def _line(record: bytes) -> bytes:
    members = _records.decode(record)
    for name in TEXTS:
        if name in members:
            members[name] = _text(members[name])
    for name, inner in NESTED.items():
        if bytes(members.get(name, b""))[:1] == b"{":
            below = _records.decode(members[name])
            members[name] = msgspec.Raw(
                msgspec.json.encode({n: _text(raw) if n in inner else raw for n, raw in below.items()})
            )
    # A line break between tokens is white space; inside a string it is escaped already.
    return msgspec.json.encode(members).replace(b"\n", b" ").replace(b"\r", b" ")


def _text(raw: msgspec.Raw) -> msgspec.Raw:
    """Null and strings stay; anything else becomes a string of its exact text."""
    text = bytes(raw).strip()
    if text[:1] == b'"' or text == b"null":
        return msgspec.Raw(text)
    return msgspec.Raw(msgspec.json.encode(text.decode()))
