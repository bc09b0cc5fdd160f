"""Records one below the other: a line `name = value` for each column."""

from collections.abc import Iterable
from typing import BinaryIO

import pyarrow as pa
from rich.cells import cell_len

from trailhouse.output.batches import pieces, text_bytes
from trailhouse.output.cells import joined, plain_text, visible
from trailhouse.output.escape import escape

NULL = "NULL"


def write_line(batches: Iterable[pa.RecordBatch], schema: pa.Schema, stream: BinaryIO) -> int:
    """Write all rows as blocks with an empty line between; return how many."""
    rows = 0
    for batch in pieces(batches):
        blocks = record_blocks(schema.names, [shown_text(column) for column in batch.columns])
        text = text_bytes(joined("\n", blocks))
        stream.write(text if rows else text[1:])
        rows += batch.num_rows
    return rows


def shown_text(column: pa.Array) -> pa.Array:
    """Return a column as text without NULLs in which everything can be seen."""
    return visible(plain_text(column)).fill_null(NULL)


def record_blocks(names: list[str], texts: list[pa.Array]) -> pa.Array:
    """Return a block a row: its names, right-aligned, and values; each line ends with a line feed."""
    shown = [escape(name) for name in names]
    width = max(map(cell_len, shown), default=0)
    parts: list[pa.Array | str] = []
    for name, text in zip(shown, texts, strict=True):
        parts += [" " * (width - cell_len(name)) + name + " = ", text, "\n"]
    return joined(*parts)
