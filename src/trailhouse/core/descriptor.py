"""Definitions and partitions as JSON and back, canonical: what is equal has the same bytes, and so one digest.

What many share, columns and format, is told by its digest: a million partitions have a handful of them.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from trailhouse.core.state import Format, Partition, Table, View, ViewColumn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trailhouse.core.state import Columns, Definition, Found


class Descriptor(NamedTuple):
    """How files are read: columns, and the format."""

    columns: Columns
    format: Format


class Digester:
    """Digests of descriptors, each computed once; of the same object without looking into it."""

    def __init__(self) -> None:
        """Know none."""
        self._same: dict[tuple[int, int], tuple[Descriptor, str]] = {}
        self._equal: dict[Descriptor, str] = {}

    def digest(self, columns: Columns, format_: Format) -> str:
        """SHA-256 of the descriptor's canonical JSON."""
        key = id(columns), id(format_)
        known = self._same.get(key)
        if known:
            return known[1]
        descriptor = Descriptor(columns, format_)
        if descriptor not in self._equal:
            self._equal[descriptor] = hashlib.sha256(canonical(encode_descriptor(descriptor))).hexdigest()
        found = self._equal[descriptor]
        if len(self._same) < _REMEMBERED:
            self._same[key] = descriptor, found  # holds the objects, so that their ids stay theirs
        return found


_REMEMBERED = 10_000


def canonical(value: object) -> bytes:
    """JSON with sorted keys, no white space, ASCII only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def encode_descriptor(descriptor: Descriptor) -> dict[str, Any]:
    """A descriptor as JSON's types."""
    form = descriptor.format
    return {
        "columns": [list(column) for column in descriptor.columns],
        "inputFormat": form.input_format,
        "outputFormat": form.output_format,
        "serde": form.serde,
        "serdeParameters": dict(form.parameters),
    }


def decode_descriptor(value: Mapping[str, Any]) -> Descriptor:
    """The descriptor. Raises KeyError, TypeError, ValueError where it is none."""
    parameters = tuple(sorted(value["serdeParameters"].items()))
    form = Format(value["inputFormat"], value["outputFormat"], value["serde"], parameters)
    return Descriptor(_pairs(value["columns"]), form)


def encode_definition(definition: Definition) -> dict[str, Any]:
    """A table or a view as JSON's types."""
    if isinstance(definition, View):
        columns = [[column.name, column.hive, column.trino] for column in definition.columns]
        return {
            "columns": columns,
            "name": definition.name,
            "parameters": dict(definition.parameters),
            "sql": definition.sql,
        }
    indexes = definition.indexes
    return {
        "descriptor": encode_descriptor(Descriptor(definition.columns, definition.format)),
        "indexes": None if indexes is None else [list(keys) for keys in indexes],
        "keys": list(definition.keys),
        "location": definition.location,
        "name": definition.name,
        "parameters": dict(definition.parameters),
    }


def decode_definition(value: Mapping[str, Any]) -> Definition:
    """The table or view. Raises KeyError, TypeError, ValueError where it is none."""
    parameters = tuple(sorted(value["parameters"].items()))
    if "sql" in value:
        columns = tuple(ViewColumn(*column) for column in value["columns"])
        return View(value["name"], value["sql"], columns, parameters)
    descriptor = decode_descriptor(value["descriptor"])
    indexes = value["indexes"]
    return Table(
        value["name"],
        tuple(value["keys"]),
        value["location"],
        descriptor.columns,
        descriptor.format,
        parameters,
        None if indexes is None else tuple(map(tuple, indexes)),
    )


class Fingerprint:
    """SHA-256 over what a part of a plan was made from, in the order in which it is given."""

    def __init__(self, digester: Digester) -> None:
        """Begin with nothing."""
        self._hash = hashlib.sha256()
        self._digester = digester

    def add_definitions(self, names: Iterable[str], found: Mapping[str, Found]) -> None:
        """Add what the catalog holds under names, their revisions with them; nothing counts, too."""
        for name in names:
            held = found.get(name)
            state = [encode_definition(held.definition), held.revision] if held else None
            self._hash.update(canonical([name, state]) + b"\n")

    def add_partitions(self, table: str, partitions: Mapping[tuple[str, ...], Partition]) -> None:
        """Add a table's partitions, sorted."""
        self._hash.update(canonical([table, len(partitions)]) + b"\n")
        for values in sorted(partitions):
            one = partitions[values]
            line = canonical([values, one.location, self._digester.digest(one.columns, one.format)])
            self._hash.update(line + b"\n")

    def hexdigest(self) -> str:
        """The digest so far."""
        return self._hash.hexdigest()


def _pairs(value: Iterable[Iterable[str]]) -> Columns:
    return tuple((str(name), str(type_)) for name, type_ in value)
