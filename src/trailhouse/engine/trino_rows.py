"""Trino's results, which come as JSON, as Arrow: rows, arrays and maps keep their shape."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from trailhouse.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_Read: TypeAlias = Callable[[Any], Any]
_MICROSECONDS = 6
_PIECE = re.compile(r'"(?:[^"]|"")*"|[(),]|[^"(),\s]+')


@dataclass(frozen=True, slots=True)
class Reading:
    """A type of Trino's: what it is in Arrow, and how its values are read."""

    type: pa.DataType
    read: _Read


_PLAIN: Mapping[str, Reading] = {
    "boolean": Reading(pa.bool_(), bool),
    "tinyint": Reading(pa.int8(), int),
    "smallint": Reading(pa.int16(), int),
    "integer": Reading(pa.int32(), int),
    "bigint": Reading(pa.int64(), int),
    "real": Reading(pa.float32(), float),
    "double": Reading(pa.float64(), float),
    "date": Reading(pa.date32(), date.fromisoformat),
}
_TEXT = Reading(pa.string(), str)


def reading(kind: str) -> Reading:
    """How values of a type, such as `array(row(arn varchar))`, are read; what is not known is text."""
    return _whole(_PIECE.findall(kind))


def batch_of(
    rows: Sequence[Sequence[Any]], names: Sequence[str], readings: Sequence[Reading]
) -> pa.RecordBatch:
    """Some rows.

    Raises:
        EngineError: a value is not of the type that Trino says.
    """
    arrays = []
    for number, (name, one) in enumerate(zip(names, readings, strict=True)):
        try:
            arrays.append(pa.array([_or_null(one, row[number]) for row in rows], one.type))
        except (ValueError, TypeError, InvalidOperation, pa.ArrowException) as error:
            raise EngineError(
                f"column {name}: Trino sends something else than {one.type} ({error}): cast it to varchar"
            ) from error
    schema = pa.schema([pa.field(name, one.type) for name, one in zip(names, readings, strict=True)])
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _or_null(one: Reading, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return None if value is None else one.read(value)


def _whole(pieces: list[str]) -> Reading:
    found, rest = _parsed(pieces)
    return _TEXT if rest else found  # such as `timestamp(3) with time zone`


def _parsed(pieces: list[str]) -> tuple[Reading, list[str]]:
    """The type at the front, and what stands behind it."""
    name, rest = pieces[0].lower(), pieces[1:]
    inside: list[str] = []
    if rest[:1] == ["("]:
        end = _closing(rest)
        inside, rest = rest[1:end], rest[end + 1 :]
    return _made(name, inside), rest


def _made(name: str, inside: list[str]) -> Reading:
    if name == "array":
        item = _whole(inside)
        return Reading(pa.list_(item.type), lambda value: [_or_null(item, one) for one in value])
    if name == "map":
        key, value = (_whole(part) for part in _parts(inside))
        return Reading(pa.map_(key.type, value.type), lambda found: _pairs(found, key, value))
    if name == "row":
        return _row([_field(part, number) for number, part in enumerate(_parts(inside))])
    if name == "decimal":
        precision, scale = (int(part[0]) for part in _parts(inside))
        return Reading(pa.decimal128(precision, scale), lambda value: Decimal(str(value)))
    if name == "timestamp":
        digits = int(inside[0]) if inside else 3
        if digits <= _MICROSECONDS:
            unit = "ms" if digits <= 3 else "us"  # noqa: PLR2004 - three digits are milliseconds
            return Reading(pa.timestamp(unit), datetime.fromisoformat)
    return _PLAIN.get(name, _TEXT)


def _row(fields: list[tuple[str, Reading]]) -> Reading:
    kind = pa.struct([pa.field(name, one.type) for name, one in fields])

    def read(values: Any) -> dict[str, Any]:  # noqa: ANN401 - a list, as JSON has it
        return {name: _or_null(one, value) for (name, one), value in zip(fields, values, strict=True)}

    return Reading(kind, read)


def _pairs(found: Mapping[str, Any], key: Reading, value: Reading) -> list[tuple[Any, Any]]:
    return [(key.read(k), _or_null(value, v)) for k, v in found.items()]


def _field(part: list[str], number: int) -> tuple[str, Reading]:
    """A row's field: `name type`, or the type alone."""
    if len(part) > 1 and part[1] != "(":
        return part[0].strip('"').replace('""', '"'), _whole(part[1:])
    return f"field{number}", _whole(part)


def _parts(inside: list[str]) -> Iterator[list[str]]:
    """The pieces between commas that stand in no inner parentheses."""
    part: list[str] = []
    depth = 0
    for piece in inside:
        depth += {"(": 1, ")": -1}.get(piece, 0)
        if piece == "," and not depth:
            yield part
            part = []
        else:
            part.append(piece)
    yield part


def _closing(pieces: list[str]) -> int:
    depth = 0
    for number, piece in enumerate(pieces):
        depth += {"(": 1, ")": -1}.get(piece, 0)
        if not depth:
            return number
    return len(pieces)
