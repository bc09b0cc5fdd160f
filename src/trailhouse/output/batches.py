"""Results in pieces of bounded size, whatever the engine hands over."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

ROWS = 16_384
BYTES = 32_000_000


def pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of `batches` in order, at most `ROWS` and about `BYTES` at a time; nothing is copied."""
    for batch in batches:
        for start in range(0, batch.num_rows, ROWS):
            yield from _halves(batch.slice(start, ROWS))


def _halves(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    half = batch.num_rows // 2
    if half and batch.get_total_buffer_size() > BYTES and batch.nbytes > BYTES:
        yield from _halves(batch.slice(0, half))
        yield from _halves(batch.slice(half))
    else:
        yield batch


def text_bytes(column: pa.Array) -> memoryview:
    """Return the values of a column of large text, without NULLs, one after the other as UTF-8."""
    _, offsets, values = column.buffers()
    if values is None or not len(column):
        return memoryview(b"")
    bounds = memoryview(offsets).cast("q")
    return memoryview(values)[bounds[column.offset] : bounds[column.offset + len(column)]]
