"""What is in delivered CloudTrail files, found out with the standard library alone.

An independent second opinion for tests: nothing here imports the package, so that a bug in its reader cannot
agree with itself. It knows whole `{"Records": [...]}` files only, walks them with a tokenizer of its own, and
hands out the exact bytes of every value that must not be rewritten.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPAQUE = (
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "serviceEventDetails",
    "edgeDeviceDetails",
)
"""The members of a record whose JSON text is kept as it was written."""

_SPACE = " \t\r\n"
_ENDS = {"{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class OracleRecord:
    """One record: its parsed value, and the exact text of each of its members."""

    value: dict[str, object]
    exact: dict[str, str]

    @property
    def event_id(self) -> str:
        """The event's id, however it is written; empty if there is none."""
        return str(self.value.get("eventID") or self.value.get("eventId") or "")

    def opaque(self, name: str) -> str | None:
        """What a column of exact text must hold: NULL, a string's own text, or the bytes as they are."""
        text = self.exact.get(name)
        if text is None or text == "null":
            return None
        return str(json.loads(text)) if text.startswith('"') else text


def read_file(path: Path) -> list[OracleRecord]:
    """All records of one delivered file, in order."""
    raw = path.read_bytes()
    return read_text((gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig"))


def read_text(text: str) -> list[OracleRecord]:
    """All records of one file's text, in order."""
    records: list[OracleRecord] = []
    for name, value, _ in _members(text, _skip(text, 0)):
        if name != "Records":
            continue
        for item in _items(value):
            exact = {member: inner for member, inner, _ in _members(item, 0)}
            records.append(OracleRecord(json.loads(item), exact))
    return records


def delivered_files(folder: Path) -> Iterator[Path]:
    """The files below a folder that CloudTrail delivers records in, in order of their paths."""
    for path in sorted(folder.rglob("*.json.gz")):
        if any(part in ("CloudTrail", "CloudTrail-Insight") for part in path.parts):
            yield path


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _string_end(text: str, at: int) -> int:
    at += 1
    while text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at + 1


def _value_end(text: str, at: int) -> int:
    if text[at] == '"':
        return _string_end(text, at)
    if text[at] not in _ENDS:
        while at < len(text) and text[at] not in ",]}" + _SPACE:
            at += 1
        return at
    waiting = []
    while True:
        if text[at] == '"':
            at = _string_end(text, at)
            continue
        if text[at] in _ENDS:
            waiting.append(_ENDS[text[at]])
        elif waiting and text[at] == waiting[-1]:
            waiting.pop()
        at += 1
        if not waiting:
            return at


def _members(text: str, at: int) -> Iterator[tuple[str, str, int]]:
    """Name, exact text and offset of each member of the object at an offset."""
    at = _skip(text, at + 1)
    while text[at] != "}":
        end = _string_end(text, at)
        name = json.loads(text[at:end])
        at = _skip(text, _skip(text, end) + 1)
        end = _value_end(text, at)
        yield name, text[at:end], at
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _items(text: str) -> Iterator[str]:
    at = _skip(text, 1)
    while text[at] != "]":
        end = _value_end(text, at)
        yield text[at:end]
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
