"""Athena's results, which come as text, as Arrow: plain types as themselves, rows, arrays and maps as their text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from trailhouse.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_Read: TypeAlias = Callable[[str], Any]
_TRUTH = {"true": True, "false": False}
_NESTED = ("row", "struct", "array", "map")


def _timestamp(text: str) -> datetime:
    return datetime.fromisoformat(text)  # without a zone: Athena's timestamps have none


_READS: Mapping[str, tuple[pa.DataType, _Read]] = {
    "boolean": (pa.bool_(), _TRUTH.__getitem__),
    "tinyint": (pa.int8(), int),
    "smallint": (pa.int16(), int),
    "integer": (pa.int32(), int),
    "int": (pa.int32(), int),
    "bigint": (pa.int64(), int),
    "float": (pa.float32(), float),
    "real": (pa.float32(), float),
    "double": (pa.float64(), float),
    "date": (pa.date32(), date.fromisoformat),
    "timestamp": (pa.timestamp("ms"), _timestamp),
}
_TEXT: tuple[pa.DataType, _Read] = (pa.string(), str)


def schema_of(columns: Sequence[Mapping[str, Any]]) -> pa.Schema:
    """The schema of a result, from the ColumnInfo of its metadata."""
    return pa.schema([pa.field(_name(column), _reading(column)[0]) for column in columns])


def batch_of(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[Mapping[str, Any]], schema: pa.Schema
) -> pa.RecordBatch:
    """Rows of one page; a value that is not there is NULL.

    Raises:
        AwsError: a value is not of the type that Athena says.
    """
    arrays = []
    for number, (column, field) in enumerate(zip(columns, schema, strict=True)):
        read = _reading(column)[1]
        texts = [_text(row["Data"], number) for row in rows]
        try:
            values = [None if text is None else read(text) for text in texts]
            arrays.append(pa.array(values, field.type))
        except (ValueError, KeyError, InvalidOperation, pa.ArrowException) as error:
            raise AwsError(
                f"column {field.name}: Athena says {column.get('Type')}, and sends something else ({error}): "
                "cast it to varchar",
                operation="athena GetQueryResults",
            ) from error
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def nested_columns(columns: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the columns that are text here, and are rows, arrays or maps in Athena."""
    return [_name(column) for column in columns if str(column.get("Type", "")).startswith(_NESTED)]


def _name(column: Mapping[str, Any]) -> str:
    return str(column.get("Label") or column.get("Name") or "")


def _reading(column: Mapping[str, Any]) -> tuple[pa.DataType, _Read]:
    kind = str(column.get("Type", "varchar")).lower()
    if kind.startswith("decimal"):
        return pa.decimal128(int(column.get("Precision") or 38), int(column.get("Scale") or 0)), Decimal
    if kind.startswith("timestamp") and "zone" not in kind:
        kind = "timestamp"
    return _READS.get(kind, _TEXT)


def _text(cells: Sequence[Mapping[str, str]], number: int) -> str | None:
    # Rows of SHOW and DESCRIBE may be shorter than their metadata.
    return cells[number].get("VarCharValue") if number < len(cells) else None
