"""JSON: one array, or one object a line. Decoded values are exactly the data."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

import pyarrow as pa

from trailhouse.output.batches import pieces, text_bytes
from trailhouse.output.cells import joined, json_text, object_text, unique_names


def write_ndjson(batches: Iterable[pa.RecordBatch], schema: pa.Schema, stream: BinaryIO) -> int:
    """Write one object a line; return how many. Repeated column names become `n`, `n_2`."""
    rows = 0
    for objects in _objects(batches, schema):
        stream.write(text_bytes(joined(objects, "\n")))
        rows += len(objects)
    return rows


def write_json(batches: Iterable[pa.RecordBatch], schema: pa.Schema, stream: BinaryIO) -> int:
    """Write one array of objects, an object a line; return how many."""
    rows = 0
    stream.write(b"[")
    for objects in _objects(batches, schema):
        # The first object has no comma before it, so it is taken off again.
        lines = text_bytes(joined(",\n", objects))
        stream.write(lines if rows else lines[1:])
        rows += len(objects)
    stream.write(b"\n]\n" if rows else b"]\n")
    return rows


def _objects(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Array]:
    names = unique_names(schema.names)
    for batch in pieces(batches):
        yield object_text(names, [json_text(column) for column in batch.columns])
