"""Tables, views and partitions as Glue keeps them, and back. Pure: nothing is asked or sent here.

Whatever a catalog holds is read without an error, as far as we understand it; what we do not understand
(comments, keys of a view's JSON, descriptions) goes back as it came when a definition is written.

Views are in Athena's encoding: JSON in base64 in a comment, Athena's types in it, Hive's beside it
(https://docs.aws.amazon.com/athena/latest/ug/views.html).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from trailhouse.core.plan import merged_parameters
from trailhouse.core.state import (
    CLOUDTRAIL_FORMAT,
    Columns,
    Definition,
    Format,
    Found,
    Partition,
    Table,
    View,
    ViewColumn,
    hive_columns,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

from trailhouse.core.deliveries import RECORD_KINDS

DATA_CATALOG = "awsdatacatalog"
"""Athena's name of the catalog that views look names up in."""

_VIEW = "VIRTUAL_VIEW"
_TABLE = "EXTERNAL_TABLE"
_OWNER = "hadoop"  # as Athena itself writes it; Trino refuses views without an owner
_PRESTO = re.compile(r"\s*/\* Presto View: ([A-Za-z0-9+/=\s]*?)\s*\*/\s*")
_EXPANDED = "/* Presto View */"
_VIEW_PARAMETERS = {"presto_view": "true", "comment": "Presto View"}


def found(raw: Mapping[str, Any]) -> Found:
    """A table or a view from Glue's `Table`. Partition indexes are not in it, see `Table.indexes`."""
    parameters = tuple(sorted((raw.get("Parameters") or {}).items()))
    view = raw.get("TableType") == _VIEW
    definition = _view(raw, parameters) if view else _table(raw, parameters)
    return Found(definition, raw.get("VersionId") or "", raw)


def encoded(wanted: Definition, database: str, raw: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Glue's `TableInput` of a table or a view.

    Args:
        wanted: what is to be there.
        database: in which a view looks up names without a database.
        raw: what is there, as far as `TableInput` takes it: the rest of it stays.
    """
    raw = raw or {}
    parameters = merged_parameters(wanted, found(raw).definition)
    common = {"Owner": _OWNER, **raw, "Name": wanted.name}
    if isinstance(wanted, View):
        return {
            **common,
            "Parameters": {**_VIEW_PARAMETERS, **parameters},
            **_view_members(wanted, database, raw),
        }
    descriptor = _described(raw, wanted.location, wanted.columns, wanted.format)
    keys = [_column(raw.get("PartitionKeys"), key, "string") for key in wanted.keys]
    return {
        **common,
        "TableType": _TABLE,
        "Parameters": parameters,
        "PartitionKeys": keys,
        "StorageDescriptor": descriptor,
    }


def partition(raw: Mapping[str, Any]) -> Partition:
    """A partition from Glue's `Partition`."""
    descriptor = raw.get("StorageDescriptor") or {}
    columns = known_columns(_columns(descriptor.get("Columns")))
    return Partition(
        tuple(raw.get("Values") or ()), descriptor.get("Location") or "", columns, _format(descriptor)
    )


def encoded_partition(wanted: Partition, raw: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Glue's `PartitionInput` of a partition; of `raw`, as far as `PartitionInput` takes it, the rest stays."""
    raw = raw or {}
    descriptor = _described(raw, wanted.location, wanted.columns, wanted.format)
    return {**raw, "Values": list(wanted.values), "StorageDescriptor": descriptor}


def view_body(text: str) -> dict[str, Any]:
    """The JSON in a view's text; {} where it is another kind of view, or cannot be read."""
    match = _PRESTO.fullmatch(text)
    try:
        body = json.loads(base64.b64decode(match[1])) if match else {}
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def known_columns(columns: Columns) -> Columns:
    """The same columns; those of our own as the one object that is compared by being itself."""
    return _known().get(columns, columns)


@lru_cache(maxsize=256)
def known_format(read: str, write: str, serde: str, parameters: tuple[tuple[str, str], ...]) -> Format:
    """The format; millions of partitions share a few."""
    made = Format(read, write, serde, parameters)
    return CLOUDTRAIL_FORMAT if made == CLOUDTRAIL_FORMAT else made


@lru_cache(maxsize=1)
def _known() -> dict[Columns, Columns]:
    return {columns: columns for columns in map(hive_columns, reversed(RECORD_KINDS))}


def _table(raw: Mapping[str, Any], parameters: tuple[tuple[str, str], ...]) -> Table:
    descriptor = raw.get("StorageDescriptor") or {}
    return Table(
        raw.get("Name") or "",
        tuple(name for name, _ in _columns(raw.get("PartitionKeys"))),
        descriptor.get("Location") or "",
        _columns(descriptor.get("Columns")),
        _format(descriptor),
        parameters,
    )


def _view(raw: Mapping[str, Any], parameters: tuple[tuple[str, str], ...]) -> View:
    text = raw.get("ViewOriginalText") or ""
    body = view_body(text)
    hive = _columns((raw.get("StorageDescriptor") or {}).get("Columns"))
    sql = body.get("originalSql", text)
    trino = [(one["name"], one["type"]) for one in _typed(body.get("columns"))]
    paired = zip_longest(trino, hive, fillvalue=("", ""))
    columns = tuple(
        ViewColumn(name or other, type_ if name in {other, ""} else "", sql_type)
        for (name, sql_type), (other, type_) in paired
    )
    return View(raw.get("Name") or "", sql if isinstance(sql, str) else text, columns, parameters)


def _typed(columns: object) -> Iterable[dict[str, str]]:
    """Those entries of a view's columns that have a name and a type."""
    listed = columns if isinstance(columns, list) else []
    for one in listed:
        if isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get("type"), str):
            yield one


def _view_members(wanted: View, database: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    body = view_body(raw.get("ViewOriginalText") or "")
    before = {one["name"]: one for one in _typed(body.get("columns"))}
    columns = [
        {**before.get(column.name, {}), "name": column.name, "type": column.trino}
        for column in wanted.columns
    ]
    body |= {"originalSql": wanted.sql, "catalog": DATA_CATALOG, "schema": database, "columns": columns}
    text = base64.b64encode(json.dumps(body, separators=(",", ":")).encode()).decode()
    held = raw.get("StorageDescriptor") or {}
    hive = [_column(held.get("Columns"), column.name, column.hive) for column in wanted.columns]
    return {
        "TableType": _VIEW,
        "PartitionKeys": [],  # the API answers "null" without it, and Athena cannot read the view
        "ViewOriginalText": f"/* Presto View: {text} */",
        "ViewExpandedText": _EXPANDED,
        "StorageDescriptor": {"Location": "", "SerdeInfo": {}, **held, "Columns": hive},
    }


def _described(raw: Mapping[str, Any], location: str, columns: Columns, kept: Format) -> dict[str, Any]:
    held = raw.get("StorageDescriptor") or {}
    return {
        **held,
        "Location": location,
        "Columns": _listed(held.get("Columns"), columns),
        "InputFormat": kept.input_format,
        "OutputFormat": kept.output_format,
        "SerdeInfo": {
            **(held.get("SerdeInfo") or {}),
            **({"SerializationLibrary": kept.serde} if kept.serde else {}),  # Glue takes no empty name
            "Parameters": dict(kept.parameters),
        },
    }


def _listed(held: Sequence[Mapping[str, Any]] | None, columns: Columns) -> list[dict[str, Any]]:
    if held:
        return [_column(held, name, type_) for name, type_ in columns]
    return [{"Name": name, "Type": type_} for name, type_ in columns]


def _column(held: Sequence[Mapping[str, Any]] | None, name: str, type_: str) -> dict[str, Any]:
    """A column with what else (a comment) is kept of it."""
    before = next((one for one in held or () if one.get("Name") == name), {})
    return {**before, "Name": name, "Type": type_}


def _columns(columns: Sequence[Mapping[str, Any]] | None) -> Columns:
    return tuple((one.get("Name") or "", one.get("Type") or "") for one in columns or ())


def _format(descriptor: Mapping[str, Any]) -> Format:
    serde = descriptor.get("SerdeInfo") or {}
    return known_format(
        descriptor.get("InputFormat") or "",
        descriptor.get("OutputFormat") or "",
        serde.get("SerializationLibrary") or "",
        tuple(sorted((serde.get("Parameters") or {}).items())),
    )
