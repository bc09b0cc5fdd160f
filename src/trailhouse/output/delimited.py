"""CSV: RFC 4180 quoting, line feeds between rows, and no cell that a spreadsheet would run."""

from collections.abc import Callable, Iterable
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from trailhouse.output.batches import pieces, text_bytes
from trailhouse.output.cells import TEXT, joined, plain_text

# Spreadsheets begin a formula at these, some also at their full-width forms.
_FORMULA = "^[=+\\-@\\t\\r\\n\\x{ff1d}\\x{ff0b}\\x{ff0d}\\x{ff20}]"
_SPECIAL = '[",\\r\\n]'


def write_csv(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    stream: BinaryIO,
    *,
    shown: Callable[[pa.Array], pa.Array] | None = None,
) -> int:
    """Write a header and all rows; return how many rows.

    NULL is an empty field, the empty text is `""`; in a single column NULL is `""`, too, for most
    readers skip empty lines. Text that begins like a formula gets an apostrophe in front.

    Args:
        batches: the rows.
        schema: their columns.
        stream: takes the bytes, UTF-8.
        shown: applied to all text first, to make it harmless where it goes to a terminal.
    """
    header = pa.array(schema.names, TEXT)
    stream.write((",".join(_fields(header, shown).to_pylist()) + "\n").encode())
    rows = 0
    lone = len(schema) == 1
    for batch in pieces(batches):
        fields = [_column(column, lone=lone, shown=shown) for column in batch.columns]
        parts = [part for field in fields for part in (",", field)][1:]
        stream.write(text_bytes(joined(*parts, "\n")))
        rows += batch.num_rows
    return rows


def _column(column: pa.Array, *, lone: bool, shown: Callable[[pa.Array], pa.Array] | None) -> pa.Array:
    text = plain_text(column)
    if _may_hold_anything(column.type):
        text = _fields(text, shown)
    return text.fill_null('""' if lone else "")


def _fields(text: pa.Array, shown: Callable[[pa.Array], pa.Array] | None) -> pa.Array:
    if shown is not None:
        text = shown(text)
    formula = pc.match_substring_regex(text, _FORMULA)
    if pc.any(formula).as_py():
        text = pc.if_else(formula, joined("'", text), text)
    special = pc.or_(pc.match_substring_regex(text, _SPECIAL), pc.equal(text, ""))
    if pc.any(special).as_py():
        text = pc.if_else(special, joined('"', pc.replace_substring(text, '"', '""'), '"'), text)
    return text


def _may_hold_anything(kind: pa.DataType) -> bool:
    numbers = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean,
               pa.types.is_temporal)  # fmt: skip
    return not any(test(kind) for test in numbers)
