"""Decoded values -> Arrow arrays, column by column."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from trailhouse.core.schema import Array, Column, Count, Flag, Moment, Struct, Text, TextMap, Type
from trailhouse.lake.record import ABSENT, Unparsed, decode_value, scalar_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_VIEW: Any = memoryview  # of a raw text, the one way to its length
_QUOTE = ord('"')
_NULL = b"null"
_MOST_REMEMBERED = 50_000


_ARROW_TYPES: dict[type, pa.DataType] = {
    Text: pa.string(),
    Flag: pa.bool_(),
    Count: pa.int64(),
    Moment: pa.timestamp("us"),
    TextMap: pa.map_(pa.string(), pa.string()),
}


def arrow_type(type_: Type) -> pa.DataType:
    """The Arrow type of a column."""
    match type_:
        case Array(item):
            return pa.list_(pa.field("element", arrow_type(item)))
        case Struct(fields):
            return pa.struct([(f.name, arrow_type(f.type)) for f in fields])
    return _ARROW_TYPES[type(type_)]


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """The Arrow schema of these columns, in order."""
    return pa.schema([(c.name, arrow_type(c.type)) for c in columns])


def text_array(values: Sequence[Any], type_: Text) -> pa.Array:
    """Text as decoded: strings, booleans where they are expected, opaque text as exact slices."""
    if type_.opaque:
        return opaque_array(values)
    if _none_but(values, None):
        return pa.nulls(len(values), pa.string())
    if type_.boolean:
        return _boolean_array(values)
    return pa.array(values, pa.string())


def _none_but(values: Sequence[Any], nothing: Any) -> bool:  # noqa: ANN401 - None or ABSENT
    """Whether a field is in no record; told by the first one as a rule, for comparing all of them costs."""
    return not values or (values[0] is nothing and values.count(nothing) == len(values))


def _boolean_array(values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array(values, pa.bool_()).cast(pa.string())
    except pa.ArrowInvalid:  # some are strings
        return pa.array([str(v).lower() if isinstance(v, bool) else v for v in values], pa.string())


def opaque_array(values: Sequence[Any]) -> pa.Array:
    """Exact JSON texts: absent and null are NULL, a string is unquoted, the rest is as it was written."""
    if _none_but(values, ABSENT):
        return pa.nulls(len(values), pa.string())
    data, lengths, starts = _joined(values)
    buffer = np.frombuffer(data + b"\0", np.uint8)
    first = buffer[starts[:-1]]
    present = (lengths > 0) & ~((lengths == len(_NULL)) & (first == _NULL[0]))
    quoted = np.flatnonzero(present & (first == _QUOTE))
    if len(quoted):
        texts: list[Any] = list(values)
        for i in quoted.tolist():
            texts[i] = scalar_text(bytes(values[i])).encode()
        data, lengths, starts = _joined(texts)
    validity = pa.py_buffer(np.packbits(present, bitorder="little").tobytes())
    return pa.Array.from_buffers(
        pa.string(), len(values), [validity, pa.py_buffer(starts), pa.py_buffer(data)]
    )


def _joined(values: Sequence[Any]) -> tuple[bytes, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Exact texts end to end, their lengths, and where each starts (with the end of the last)."""
    lengths = np.array(list(map(len, map(_VIEW, values))), np.int32)
    starts = np.zeros(len(values) + 1, np.int32)
    np.cumsum(lengths, out=starts[1:])
    return b"".join(values), lengths, starts


def nested_array(values: Sequence[Any], type_: Type) -> pa.Array:
    """Values of nested msgspec classes (None: NULL) as an Arrow array of that type."""
    match type_:
        case Text(opaque=True):
            return opaque_array([b"" if v is None else v for v in values])
        case Text():
            return text_array(values, type_)
        case TextMap():
            return pa.array([None if v is None else list(v.items()) for v in values], arrow_type(type_))
        case Array(item):
            return _list_array(values, item, arrow_type(type_))
        case Struct(fields):
            return _struct_array(values, fields)
    raise TypeError(type_)


def _struct_array(values: Sequence[Any], fields: tuple[Column, ...]) -> pa.Array:
    missing = [v is None for v in values]
    arrays = []
    for f in fields:
        get = attrgetter(f.name)
        arrays.append(nested_array([None if v is None else get(v) for v in values], f.type))
    types = [pa.field(f.name, arrow_type(f.type)) for f in fields]
    return pa.StructArray.from_arrays(arrays, fields=types, mask=pa.array(missing, pa.bool_()))


def _list_array(values: Sequence[Any], item: Type, type_: pa.DataType) -> pa.Array:
    flat = [one for v in values if v is not None for one in v]
    lengths = np.fromiter((0 if v is None else len(v) for v in values), np.int32, len(values))
    offsets = pa.array(np.concatenate(([0], np.cumsum(lengths))).astype(np.int32))
    missing = pa.array([v is None for v in values], pa.bool_())
    return pa.ListArray.from_arrays(offsets, nested_array(flat, item), type=type_, mask=missing)


class Plain:
    """A text column."""

    def __init__(self, type_: Text) -> None:
        self._type = type_

    def array(self, values: Sequence[Any]) -> tuple[pa.Array, list[tuple[int, Unparsed]]]:
        """The Arrow array of these values; all of them fit."""
        return text_array(values, self._type), []


class Repeated:
    """A struct column whose exact text repeats (identities, TLS details): each text is decoded once."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self._decoded: dict[bytes, tuple[Any, Unparsed]] = {}

    def array(self, values: Sequence[Any]) -> tuple[pa.Array, list[tuple[int, Unparsed]]]:
        """The Arrow array of these exact texts, and what did not fit, by row."""
        if _none_but(values, ABSENT):
            return pa.nulls(len(values), arrow_type(self.column.type)), []
        data, _, starts = _joined(values)
        buffers = [None, pa.py_buffer(starts), pa.py_buffer(data)]
        encoded = pa.Array.from_buffers(pa.binary(), len(values), buffers).dictionary_encode()
        decoded = [self._decode(text) for text in encoded.dictionary.to_pylist()]
        distinct = nested_array([value for value, _ in decoded], self.column.type)
        odd = {place: unparsed for place, (_, unparsed) in enumerate(decoded) if unparsed}
        rows = encoded.indices.to_numpy() if odd else np.empty(0, np.int32)
        unparsed = [(int(i), odd[rows[i]]) for i in np.flatnonzero(np.isin(rows, list(odd)))] if odd else []
        return distinct.take(encoded.indices), unparsed

    def _decode(self, text: bytes) -> tuple[Any, Unparsed]:
        known = self._decoded.get(text)
        if known is None:
            if len(self._decoded) >= _MOST_REMEMBERED:
                self._decoded.clear()
            known = self._decoded[text] = decode_value(text, self.column)
        return known
