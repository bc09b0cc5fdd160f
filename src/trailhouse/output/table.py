"""Columns side by side, as wide as the screen; a row that does not fit is shown as a record."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from rich.cells import cell_len

from trailhouse.output.batches import pieces, text_bytes
from trailhouse.output.cells import TEXT, joined
from trailhouse.output.escape import escape
from trailhouse.output.line import record_blocks, shown_text, write_line

SAMPLE_ROWS = 1_000
SAMPLE_BYTES = 8_000_000
GAP = "  "
PIPE_WIDTH = 2_000
"""Width where there is no terminal: one absurd value must not pad every row to its length."""

_MOST = 0.9
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def write_table(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    stream: BinaryIO,
    *,
    width: int | None = None,
    colour: bool = False,
) -> int:
    """Write a header and all rows; return how many.

    The layout is measured on the first thousand rows. When nine of ten of them fit the width, there
    are columns, and the others stand between them as records; otherwise all rows are records.

    Args:
        batches: the rows.
        schema: their columns.
        stream: takes the bytes, UTF-8.
        width: cells of the terminal, None where there is none (then 2,000).
        colour: whether the header may be bold.
    """
    small = pieces(batches)
    sample = _sample(small)
    names = [escape(name) for name in schema.names]
    widths = _layout(names, sample, width)
    if widths is None:
        return write_line(chain(sample, small), schema, stream)
    right = [_is_number(field.type) for field in schema]
    stream.write(_header(names, widths, right, colour=colour).encode())
    rows = 0
    for batch in chain(sample, small):
        texts = [shown_text(column) for column in batch.columns]
        stream.write(_rows(schema.names, texts, widths, right))
        rows += batch.num_rows
    return rows


def _sample(batches: Iterator[pa.RecordBatch]) -> list[pa.RecordBatch]:
    taken: list[pa.RecordBatch] = []
    rows = size = 0
    while rows < SAMPLE_ROWS and size < SAMPLE_BYTES and (batch := next(batches, None)) is not None:
        taken.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
    return taken


def _layout(names: list[str], sample: list[pa.RecordBatch], width: int | None) -> list[int] | None:
    """Return a width a column, None when the rows are better shown as records."""
    floor = [cell_len(name) for name in names]
    rows = _measured(sample)
    room = (width or PIPE_WIDTH) - len(GAP) * (len(names) - 1)
    widths = list(floor)
    # Short rows first: the widths grow until nothing more fits.
    rows.sort(key=sum)
    fitting = 0
    for row in rows:
        grown = [max(pair) for pair in zip(widths, row, strict=True)]
        if sum(grown) <= room:
            widths, fitting = grown, fitting + 1
    return widths if sum(widths) <= room and fitting >= _MOST * len(rows) else None


def _measured(sample: list[pa.RecordBatch]) -> list[tuple[int, ...]]:
    rows: list[tuple[int, ...]] = []
    for batch in sample:
        part = batch.slice(0, SAMPLE_ROWS - len(rows))
        lengths = [_cells(shown_text(column)).to_pylist() for column in part.columns]
        rows.extend(zip(*lengths, strict=True))
    return rows


def _cells(text: pa.Array) -> pa.Array:
    """Return how many cells of a terminal each value takes."""
    lengths = pc.utf8_length(text)
    ascii_only = pc.string_is_ascii(text)
    if pc.all(ascii_only).as_py() is not False:
        return lengths
    wide = pc.invert(ascii_only)
    exact = pa.array([cell_len(value) for value in text.filter(wide).to_pylist()], lengths.type)
    return pc.replace_with_mask(lengths, wide, exact)


def _header(names: list[str], widths: list[int], right: list[bool], *, colour: bool) -> str:
    cells = [_padded(pa.array([name], TEXT), width, right=number)[0].as_py()
             for name, width, number in zip(names, widths, right, strict=True)]  # fmt: skip
    line = GAP.join(cells).rstrip()
    rule = GAP.join("-" * width for width in widths)
    return f"{_BOLD}{line}{_PLAIN}\n{rule}\n" if colour else f"{line}\n{rule}\n"


def _rows(names: list[str], texts: list[pa.Array], widths: list[int], right: list[bool]) -> memoryview:
    padded = [_padded(*each) for each in zip(texts, widths, right, strict=True)]
    lines = joined(*[part for cells in padded for part in (GAP, cells)][1:])
    lines = joined(pc.utf8_rtrim_whitespace(lines), "\n")
    fits = None
    for text, width in zip(texts, widths, strict=True):
        narrow = pc.less_equal(_cells(text), width)
        fits = narrow if fits is None else pc.and_(fits, narrow)
    if pc.all(fits).as_py() is not False:
        return text_bytes(lines)
    blocks = joined("\n", record_blocks(names, texts), "\n")
    return text_bytes(pc.if_else(fits, lines, blocks))


def _padded(text: pa.Array, width: int, right: bool = False) -> pa.Array:  # noqa: FBT001, FBT002 - zipped
    pad = pc.utf8_lpad if right else pc.utf8_rpad
    if pc.all(pc.string_is_ascii(text)).as_py() is not False:
        return pad(text, width)
    # Wide characters take two cells, so the spaces to add are counted one by one.
    spaces = pa.array([" " * max(0, width - cells) for cells in _cells(text).to_pylist()], TEXT)
    return joined(spaces, text) if right else joined(text, spaces)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
