"""One record's JSON text -> typed values: a fast decoder for what is expected, a slow one that loses nothing.

Both give the same class: text fields as `str`, opaque fields and top-level structs as their exact text
(`msgspec.Raw`). What has no column or not the type that its column expects comes out beside it, by path.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

import msgspec

from trailhouse.core.schema import TEXT, Array, Column, Struct, Text, TextMap, Type
from trailhouse.lake.scan import ScanError, checked_end, elements, members, skip_space

if TYPE_CHECKING:
    from collections.abc import Iterable

Unparsed = list[tuple[str, bytes]]
"""Pairs of path and exact JSON text."""

EXACT_BYTES = "$bytes"
"""The path of a record's own bytes in base64, where they are not UTF-8."""

ABSENT = msgspec.Raw()
"""The exact text of a field that is not there."""

_HALF_PAIR = re.compile("[\ud800-\udfff]")
_HALF_PAIR_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_PLAIN_NAME = re.compile(r'[^.$"\[\]]+')
_PLAIN_TEXT = {False: str | None, True: bool | str | None}
_MOST_EXTRAS = 64
_LONGEST_EXTRA = 256


class Record(NamedTuple):
    """A record's values in column order, and what did not fit them."""

    values: tuple[Any, ...]
    unparsed: Unparsed


def struct_class(
    columns: tuple[Column, ...], *, nested: bool, extras: tuple[str, ...] = ()
) -> type[msgspec.Struct]:
    """The msgspec class of a record (or of a struct in it) with these columns."""
    fields = [(c.name, _annotation(c.type, nested=nested), _default(c.type, nested=nested)) for c in columns]
    fields += [(f"extra{i}", msgspec.Raw, ABSENT) for i in range(len(extras))]
    names = {c.name: c.json for c in columns} | {f"extra{i}": name for i, name in enumerate(extras)}
    return msgspec.defstruct("Record", fields, rename=names, forbid_unknown_fields=True, gc=nested)


def path_of(name: str, parent: str = "") -> str:
    """The path of a member: names joined by dots; a name that a path could not hold stands in quotes."""
    step = name if _PLAIN_NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)
    return f"{parent}.{step}" if parent else step


def _annotation(type_: Type, *, nested: bool) -> Any:  # noqa: ANN401 - a type expression
    match type_:
        case Text():
            return msgspec.Raw if type_.opaque else _PLAIN_TEXT[type_.boolean]
        case _ if not nested:
            return msgspec.Raw
        case Struct(fields):
            return Optional[struct_class(fields, nested=True)]  # noqa: UP045 - made at run time
        case Array(item):
            return Optional[list[_annotation(item, nested=True)]]  # type: ignore[misc]  # noqa: UP045 - likewise
        case TextMap():
            return dict[str, str] | None
    raise TypeError(type_)


def _default(type_: Type, *, nested: bool) -> msgspec.Raw | None:
    opaque = isinstance(type_, Text) and type_.opaque
    return ABSENT if opaque or not (nested or isinstance(type_, Text)) else None


class Expected:
    """The decoders for records of some columns; learns unknown top-level fields as it meets them."""

    _UNKNOWN = re.compile(
        r"^Object contains unknown field `(.*)` - at `\$(?:\.Records)?\[(?:\d+|\.\.\.)\]`$", re.DOTALL
    )

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self.columns = columns
        self.extras: tuple[str, ...] = ()
        self.record: Any = None
        self._build()

    def _build(self) -> None:
        record: Any = struct_class(self.columns, nested=False, extras=self.extras)
        self.record = record
        delivered: Any = msgspec.defstruct("Delivered", [("Records", list[record])])
        self._delivered: msgspec.json.Decoder[Any] = msgspec.json.Decoder(delivered)
        self._array: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[record])
        self._record: msgspec.json.Decoder[Any] = msgspec.json.Decoder(record)

    def decode(self, text: bytes, form: str) -> list[Any]:
        """Decode a whole object of one form: `records`, `array` or `lines`.

        Raises:
            msgspec.MsgspecError, RecursionError: Something in it needs the slow path.
        """
        while True:
            try:
                return self._decode(text, form)
            except msgspec.ValidationError as error:
                if not self._learn(str(error)):
                    raise

    def _decode(self, text: bytes, form: str) -> list[Any]:
        if form == "records":
            records: list[Any] = self._delivered.decode(text).Records
            return records
        return self._array.decode(text) if form == "array" else self._record.decode_lines(text)

    def _learn(self, message: str) -> bool:
        match = self._UNKNOWN.match(message)
        if match is None or len(self.extras) >= _MOST_EXTRAS or match[1] in self.extras:
            return False
        if len(match[1]) > _LONGEST_EXTRA or json.dumps(match[1], ensure_ascii=False) != f'"{match[1]}"':
            return False  # a class cannot have a field of that name
        self.extras = (*self.extras, match[1])
        self._build()
        return True


@cache
def _nested_decoder(type_: Type) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(_annotation(type_, nested=True))


@cache
def _nested_class(fields: tuple[Column, ...]) -> type[msgspec.Struct]:
    return struct_class(fields, nested=True)


def decode_value(text: bytes, column: Column) -> tuple[Any, Unparsed]:
    """Decode the exact text of a struct, array or map column (empty text: the field is absent)."""
    if not text or text == b"null":
        return None, []
    try:
        return _nested_decoder(column.type).decode(text), []
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        unparsed: Unparsed = []
        return _slow_value(text, column.type, column.json, unparsed), unparsed


def is_valid(text: bytes) -> bool:
    """Whether a text is one JSON value.

    Half surrogate pairs are taken, nesting has no limit, and nobody looks whether strings are UTF-8.
    """
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except RecursionError:
        return _is_valid_at_any_depth(text)
    except msgspec.DecodeError:
        # msgspec takes no halves of surrogate pairs; another escape of the same length changes nothing else.
        tamed = _HALF_PAIR_ESCAPE.sub(rb"\\u0020", text)
        return tamed != text and is_valid(tamed)
    return True


def _is_valid_at_any_depth(text: bytes) -> bool:
    try:
        return checked_end(text, 0) == len(text)
    except ScanError:
        return False


def decode_slowly(text: bytes, columns: tuple[Column, ...]) -> Record:
    """Decode one record that the fast decoder refuses.

    Args:
        text: The exact text of a JSON object (`is_valid`), in any encoding.
        columns: The columns to fill.

    Returns:
        Values in the classes that the fast decoder gives, and everything else by path. Of repeated fields
        the last one counts, as in the fast decoder and every other JSON reader.
    """
    unparsed: Unparsed = []
    if not is_utf8(text):
        unparsed.append((EXACT_BYTES, b'"' + b64encode(text) + b'"'))
        text = text.decode("utf-8", "replace").encode()
    values: list[Any] = [_default(c.type, nested=False) for c in columns]
    last = dict(_named(text))
    for i, column in enumerate(columns):
        value = last.pop(column.json, None)
        if value is not None and isinstance(column.type, Text):
            values[i] = _slow_value(value, column.type, path_of(column.json), unparsed, nested=False)
        elif value is not None:
            values[i] = msgspec.Raw(value)
    unparsed.extend((path_of(name), value) for name, value in last.items())
    return Record(tuple(values), unparsed)


def is_utf8(text: bytes) -> bool:
    """Whether the bytes are UTF-8."""
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _named(text: bytes) -> Iterable[tuple[str, bytes]]:
    return ((_string(name), text[start:end]) for name, start, end in members(text, skip_space(text, 0)))


def _slow_value(text: bytes, type_: Type, path: str, unparsed: Unparsed, *, nested: bool = True) -> Any:  # noqa: ANN401 - what the class holds
    if text == b"null":
        return _default(type_, nested=nested)
    match type_:
        case Text():
            return _slow_text(text, type_, path, unparsed)
        case Struct(fields) if text.startswith(b"{"):
            return _slow_struct(text, fields, path, unparsed)
        case Array(item) if text.startswith(b"["):
            return [
                _slow_value(text[s:e], item, f"{path}[{i}]", unparsed)
                for i, (s, e) in enumerate(elements(text, 0))
            ]
        case TextMap() if text.startswith(b"{"):
            return {
                name: _slow_value(value, TEXT, path_of(name, path), unparsed) for name, value in _named(text)
            }
    unparsed.append((path, text))
    return None


def _slow_struct(text: bytes, fields: tuple[Column, ...], path: str, unparsed: Unparsed) -> msgspec.Struct:
    known = {c.json: c for c in fields}
    values: dict[str, Any] = {}
    for name, value in _named(text):
        inner = path_of(name, path)
        if name not in known:
            unparsed.append((inner, value))
        else:
            values[known[name].name] = _slow_value(value, known[name].type, inner, unparsed)
    return _nested_class(fields)(**values)


def _slow_text(text: bytes, type_: Text, path: str, unparsed: Unparsed) -> str | msgspec.Raw | None:
    quoted = text.startswith(b'"')
    exact = not quoted or _HALF_PAIR.search(_string(text)) is None
    if type_.opaque:
        if not exact:
            unparsed.append((path, text))
        return msgspec.Raw(text)
    if not exact or not (quoted or (type_.boolean and text in (b"true", b"false"))):
        unparsed.append((path, text))
    return None if text[:1] in (b"{", b"[") else scalar_text(text)


def scalar_text(text: bytes) -> str:
    """A JSON value as a text column holds it: strings unquoted, everything else as it is written.

    Half a surrogate pair becomes U+FFFD, for no UTF-8 can hold it.
    """
    if not text.startswith(b'"'):
        return text.decode("utf-8", "replace")
    return _HALF_PAIR.sub("\ufffd", _string(text))


def _string(token: bytes) -> str:
    """A JSON string token as Python has it, halves of surrogate pairs as they are."""
    return str(json.loads(token.decode("utf-8", "replace"), strict=False))


def unparsed_text(unparsed: Unparsed) -> str | None:
    """The `unparsed` column: one JSON object of path and exact value, sorted; None if there is nothing."""
    if not unparsed:
        return None
    pairs = (_name_token(path) + b":" + text for path, text in sorted(unparsed, key=itemgetter(0)))
    return (b"{" + b",".join(pairs) + b"}").decode("utf-8", "replace")


def _name_token(path: str) -> bytes:
    token = json.dumps(path, ensure_ascii=False)
    return _HALF_PAIR.sub(lambda half: f"\\u{ord(half[0]):04x}", token).encode()
