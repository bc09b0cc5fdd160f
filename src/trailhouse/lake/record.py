"""One record's JSON text -> typed values: a fast decoder for what is expected, a slow one that loses nothing.

Both give the same class: text fields as `str`, opaque fields and top-level structs as their exact text
(`msgspec.Raw`). What has no column or not the type that its column expects comes out beside it, by path.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from trailhouse.core.schema import Array, Column, Struct, Text, TextMap, Type
from trailhouse.lake.scan import elements, members, skip_space

if TYPE_CHECKING:
    from collections.abc import Iterable

Unparsed = list[tuple[str, bytes]]
"""Pairs of path and exact JSON text."""

_NO_TEXT = msgspec.Raw()
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_MOST_EXTRAS = 64


class Record(NamedTuple):
    """A record's values in column order, and what did not fit them."""

    values: tuple[Any, ...]
    unparsed: Unparsed


def struct_class(
    columns: tuple[Column, ...], *, nested: bool, extras: tuple[str, ...] = ()
) -> type[msgspec.Struct]:
    """The msgspec class of a record (or of a struct in it) with these columns."""
    fields = [(c.name, _annotation(c.type, nested=nested), _default(c.type, nested=nested)) for c in columns]
    fields += [(f"extra{i}", msgspec.Raw, _NO_TEXT) for i in range(len(extras))]
    names = {c.name: c.json for c in columns} | {f"extra{i}": name for i, name in enumerate(extras)}
    return msgspec.defstruct("Record", fields, rename=names, forbid_unknown_fields=True, gc=nested)


def _annotation(type_: Type, *, nested: bool) -> Any:  # noqa: ANN401 - a type expression
    match type_:
        case Text(opaque=True):
            return msgspec.Raw
        case Text(boolean=True):
            return bool | str | None
        case Text():
            return str | None
        case _ if not nested:
            return msgspec.Raw
        case Struct(fields):
            return struct_class(fields, nested=True) | None  # type: ignore[operator]
        case Array(item):
            return list[_annotation(item, nested=True)] | None  # type: ignore[misc]
        case TextMap():
            return dict[str, str] | None
    raise TypeError(type_)


def _default(type_: Type, *, nested: bool) -> msgspec.Raw | None:
    opaque = isinstance(type_, Text) and type_.opaque
    return _NO_TEXT if opaque or not (nested or isinstance(type_, Text)) else None


class Expected:
    """The decoders for records of some columns; learns unknown top-level fields as it meets them."""

    _UNKNOWN = re.compile(
        r"^Object contains unknown field `(.*)` - at `\$(?:\.Records)?\[(?:\d+|\.\.\.)\]`$", re.DOTALL
    )

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self.columns = columns
        self.extras: tuple[str, ...] = ()
        self._build()

    def _build(self) -> None:
        record: Any = struct_class(self.columns, nested=False, extras=self.extras)
        delivered = msgspec.defstruct("Delivered", [("Records", list[record])])
        self._decoders = {
            "records": msgspec.json.Decoder(delivered),
            "array": msgspec.json.Decoder(list[record]),
        }
        self._lines = msgspec.json.Decoder(record)

    def decode(self, text: bytes, form: str) -> list[Any]:
        """Decode a whole object of one form: `records`, `array` or `lines`.

        Raises:
            msgspec.MsgspecError, RecursionError: Something in it needs the slow path.
        """
        while True:
            try:
                if form == "lines":
                    return self._lines.decode_lines(text)
                decoded = self._decoders[form].decode(text)
            except msgspec.ValidationError as error:
                if not self._learn(str(error)):
                    raise
            else:
                return decoded.Records if form == "records" else decoded

    def _learn(self, message: str) -> bool:
        match = self._UNKNOWN.match(message)
        if match is None or len(self.extras) >= _MOST_EXTRAS or match[1] in self.extras:
            return False
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
    """Whether a text with matching brackets is JSON. Lone surrogates are; nesting has no limit."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except RecursionError:
        return True  # msgspec's own limit; brackets and quotes were checked on the way here
    except msgspec.DecodeError:
        if b"\\u" not in text:
            return False
        try:
            msgspec.json.decode(_SURROGATE.sub(rb"\\u0000", text), type=msgspec.Raw)
        except RecursionError:
            return True
        except msgspec.DecodeError:
            return False
    return True


def decode_slowly(text: bytes, columns: tuple[Column, ...]) -> Record:
    """Decode one record that the fast decoder refuses.

    Args:
        text: The exact text of a JSON object (`is_valid`), in any encoding.
        columns: The columns to fill.

    Returns:
        Values in the classes that the fast decoder gives, and everything else by path. Of repeated fields the
        last is the value (as every JSON reader has it), the ones before it are in `unparsed`.
    """
    unparsed: Unparsed = []
    if not _is_utf8(text):
        unparsed.append(("$bytes", b'"' + b64encode(text) + b'"'))
        text = text.decode("utf-8", "replace").encode()
    fields = {c.json: (i, c) for i, c in enumerate(columns)}
    values: list[Any] = [_default(c.type, nested=False) for c in columns]
    seen: dict[str, tuple[str, bytes]] = {}
    for name, value in _named(text):
        if name not in fields:
            unparsed.append((name, value))
            continue
        if name in seen:
            unparsed.append(
                (f"{name}#{sum(p.startswith(name + '#') for p, _ in unparsed) + 1}", seen[name][1])
            )
        seen[name] = (name, value)
        index, column = fields[name]
        values[index] = _top_value(value, column, unparsed)
    return Record(tuple(values), unparsed)


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _named(text: bytes) -> Iterable[tuple[str, bytes]]:
    return ((_plain(name), text[start:end]) for name, start, end in members(text, skip_space(text, 0)))


def _top_value(text: bytes, column: Column, unparsed: Unparsed) -> Any:  # noqa: ANN401 - what the class holds
    if isinstance(column.type, Text) and not column.type.opaque:
        return _slow_value(text, column.type, column.json, unparsed)
    return msgspec.Raw(text)


def _slow_value(text: bytes, type_: Type, path: str, unparsed: Unparsed) -> Any:  # noqa: ANN401 - likewise
    if text == b"null":
        return _default(type_, nested=True)
    match type_:
        case Text(opaque=True):
            return msgspec.Raw(text)
        case Text(boolean=boolean):
            return _slow_text(text, path, unparsed, boolean=boolean)
        case Struct(fields) if text.startswith(b"{"):
            return _slow_struct(text, fields, path, unparsed)
        case Array(item) if text.startswith(b"["):
            return [
                _slow_value(text[s:e], item, f"{path}[{i}]", unparsed)
                for i, (s, e) in enumerate(elements(text, 0))
            ]
        case TextMap() if text.startswith(b"{"):
            return {name: scalar_text(value) for name, value in _named(text)}
    unparsed.append((path, text))
    return None


def _slow_struct(text: bytes, fields: tuple[Column, ...], path: str, unparsed: Unparsed) -> msgspec.Struct:
    known = {c.json: c for c in fields}
    values: dict[str, Any] = {}
    for name, value in _named(text):
        inner = f"{path}.{name}"
        if name not in known:
            unparsed.append((inner, value))
        else:
            values[known[name].name] = _slow_value(value, known[name].type, inner, unparsed)
    return _nested_class(fields)(**values)


def _slow_text(text: bytes, path: str, unparsed: Unparsed, *, boolean: bool) -> str | None:
    if text[:1] in (b"{", b"["):
        unparsed.append((path, text))
        return None
    value = scalar_text(text)
    expected = text.startswith(b'"') or (boolean and text in (b"true", b"false"))
    if not expected or "\ufffd" in value:
        unparsed.append((path, text))
    return value


def scalar_text(text: bytes) -> str:
    """A JSON value as a text column holds it: strings unquoted, everything else as it is written."""
    return _plain(text) if text.startswith(b'"') else text.decode("utf-8", "replace")


def _plain(token: bytes) -> str:
    """A JSON string token as text; half a surrogate pair becomes U+FFFD, for no UTF-8 can hold it."""
    value = json.loads(token.decode("utf-8", "replace"), strict=False)
    return str(value.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def unparsed_text(unparsed: Unparsed) -> str | None:
    """The `unparsed` column: one JSON object of path and exact value; None if there is nothing to say."""
    if not unparsed:
        return None
    pairs = (
        json.dumps(path, ensure_ascii=False).encode("utf-8", "replace") + b":" + text
        for path, text in unparsed
    )
    return (b"{" + b",".join(pairs) + b"}").decode("utf-8", "replace")
