"""Parquet: types kept where the format knows them, zstd, row groups of bounded size."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from trailhouse.errors import OutputError
from trailhouse.output.batches import pieces
from trailhouse.output.cells import TEXT, plain_text, unique_names

GROUP_ROWS = 131_072
GROUP_BYTES = 128_000_000


def write_parquet(batches: Iterable[pa.RecordBatch], schema: pa.Schema, stream: BinaryIO) -> int:
    """Write a Parquet file to a stream that need not seek; return how many rows.

    Repeated column names become `n`, `n_2`; lengths of time, which Parquet does not know, become text.

    Raises:
        OutputError: a column has a type that Parquet does not know.
    """
    fields = [pa.field(name, _stored(field.type)) for name, field in
              zip(unique_names(schema.names), schema, strict=True)]  # fmt: skip
    stored = pa.schema(fields)
    rows = 0
    with _explained(), pq.ParquetWriter(stream, stored, compression="zstd") as writer:
        for group in _groups(batches):
            columns = [
                _converted(column, field.type) for column, field in zip(group.columns, stored, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=stored), row_group_size=GROUP_ROWS)
            rows += group.num_rows
    return rows


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except pa.ArrowNotImplementedError as error:
        raise OutputError(f"parquet cannot hold this result: {error}: choose another format") from error


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in pieces(batches):
        waiting.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            yield pa.Table.from_batches(waiting)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield pa.Table.from_batches(waiting)


def _stored(kind: pa.DataType) -> pa.DataType:
    return TEXT if pa.types.is_interval(kind) or pa.types.is_duration(kind) else kind


def _converted(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if column.type == kind:
        return column
    return pa.chunked_array([plain_text(chunk) for chunk in column.chunks], kind)
