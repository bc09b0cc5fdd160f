"""The column contract as Iceberg writes it: schema, partitions, order, and data files' field ids."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
from pyiceberg import expressions
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import TableProperties
from pyiceberg.table.sorting import SortField, SortOrder
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import (
    BooleanType,
    IcebergType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
)

from trailhouse.core.schema import Array, Column, Count, Flag, Moment, Struct, Text, TextMap, Type

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyiceberg.expressions import BooleanExpression

NAME_MAPPING = TableProperties.DEFAULT_NAME_MAPPING
"""Property of a table: which field a name means in files without field ids."""

_FIRST_PARTITION_FIELD = 1000  # as the Iceberg specification numbers them
_LEAVES: dict[type, IcebergType] = {
    Text: StringType(),
    Flag: BooleanType(),
    Count: LongType(),
    Moment: TimestampType(),
}


def iceberg_schema(columns: Sequence[Column]) -> Schema:
    """The Iceberg schema of these columns, in order; every field is optional."""
    ids = count(1)
    return Schema(*_fields(columns, ids))


def _fields(columns: Sequence[Column], ids: Iterator[int]) -> list[NestedField]:
    return [NestedField(next(ids), c.name, _type(c.type, ids), required=False) for c in columns]


def _type(type_: Type, ids: Iterator[int]) -> IcebergType:
    match type_:
        case Struct(fields):
            return StructType(*_fields(fields, ids))
        case Array(item):
            return ListType(next(ids), _type(item, ids), element_required=False)
        case TextMap():
            return MapType(next(ids), StringType(), next(ids), StringType(), value_required=False)
    return _LEAVES[type(type_)]


def name_mapping(schema: Schema) -> str:
    """The value of NAME_MAPPING for a schema, JSON."""
    return schema.name_mapping.model_dump_json()


def partition_spec(schema: Schema, keys: Sequence[str]) -> PartitionSpec:
    """Partitions by the values of these columns."""
    return PartitionSpec(
        *(
            PartitionField(
                schema.find_field(key).field_id, _FIRST_PARTITION_FIELD + n, IdentityTransform(), key
            )
            for n, key in enumerate(keys)
        )
    )


def sort_order(schema: Schema, keys: Sequence[str]) -> SortOrder:
    """Rows by the values of these columns; those that the schema lacks are passed over."""
    known = [key for key in keys if key in schema.column_names]
    return SortOrder(*(SortField(schema.find_field(key).field_id, IdentityTransform()) for key in known))


def within(column: str, ranges: Sequence[tuple[str, str]], *, nulls: bool) -> BooleanExpression:
    """A condition: the column's text lies in one of these ranges (both ends belong to them), or is NULL.

    Args:
        column: Of text.
        ranges: First and last value of each.
        nulls: Whether rows without a value meet it.
    """
    e: Any = expressions  # its classes are declared as what they become once they are bound
    parts = [
        e.And(e.GreaterThanOrEqual(column, first), e.LessThanOrEqual(column, last)) for first, last in ranges
    ]
    nothing = [e.IsNull(column)] if nulls else []
    # Given all at once they become a flat tree: nested one in the other, they would be too deep to walk.
    return cast("BooleanExpression", e.Or(e.AlwaysFalse(), e.AlwaysFalse(), *nothing, *parts))


def with_field_ids(fields: pa.Schema, schema: Schema) -> pa.Schema:
    """An Arrow schema that carries the field ids of an Iceberg schema of the same names."""
    return pa.schema([_with_id(field, field.name, schema) for field in fields])


def _with_id(field: pa.Field, path: str, schema: Schema) -> pa.Field:
    kind = field.type
    if pa.types.is_struct(kind):
        kind = pa.struct([_with_id(inner, f"{path}.{inner.name}", schema) for inner in kind])
    elif pa.types.is_list(kind):
        kind = pa.list_(_with_id(kind.value_field, f"{path}.element", schema))
    elif pa.types.is_map(kind):
        key, item = (
            _with_id(kind.key_field, f"{path}.key", schema),
            _with_id(kind.item_field, f"{path}.value", schema),
        )
        kind = pa.map_(key, item)
    metadata: Any = {b"PARQUET:field_id": str(schema.find_field(path).field_id).encode()}
    return pa.field(field.name, kind, nullable=field.nullable, metadata=metadata)
