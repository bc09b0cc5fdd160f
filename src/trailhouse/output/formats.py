"""The formats, and writing a result in one of them."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from io import UnsupportedOperation
from pathlib import PurePath
from typing import BinaryIO

import pyarrow as pa

from trailhouse.core.sizes import count_of
from trailhouse.errors import OutputError
from trailhouse.output.cells import visible
from trailhouse.output.columnar import write_parquet
from trailhouse.output.delimited import write_csv
from trailhouse.output.line import write_line
from trailhouse.output.objects import write_json, write_ndjson
from trailhouse.output.table import write_table


class Format(StrEnum):
    """How a result is written."""

    TABLE = "table"
    LINE = "line"
    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"
    PARQUET = "parquet"


SUFFIXES = {
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".parquet": Format.PARQUET,
    ".txt": Format.TABLE,
}

_WRITERS: dict[Format, Callable[..., int]] = {
    Format.TABLE: write_table,
    Format.LINE: write_line,
    Format.CSV: write_csv,
    Format.JSON: write_json,
    Format.NDJSON: write_ndjson,
    Format.PARQUET: write_parquet,
}


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a result.

    Attributes:
        rows: how many were written.
        footer: a line for people, such as `3 rows`; empty for formats that programs read.
        complete: False when the reader of a pipe went away before the end.
    """

    rows: int
    footer: str = ""
    complete: bool = True


def format_of(path: PurePath) -> Format:
    """Return the format that a file's suffix names; `.gz` after it is looked through.

    Raises:
        OutputError: the suffix names none.
    """
    suffix = PurePath(path.stem).suffix if path.suffix.lower() == ".gz" else path.suffix
    if suffix.lower() not in SUFFIXES:
        raise OutputError(f"{path}: no format for {suffix or 'a name without suffix'!r}: "
                          f"end it in {', '.join(SUFFIXES)}, or name one with --format")  # fmt: skip
    return SUFFIXES[suffix.lower()]


def write(
    batches: pa.RecordBatchReader,
    form: Format,
    stream: BinaryIO,
    *,
    width: int | None = None,
    colour: bool = False,
) -> Written:
    """Write a result to `stream`, piece by piece in bounded memory.

    Args:
        batches: the rows; read to the end, not closed.
        form: the format.
        stream: takes bytes; text is UTF-8.
        width: cells of the terminal that the stream is, None when it is none.
        colour: whether the terminal may be told to show colour.

    Raises:
        OutputError: the format is not for a terminal, or the stream takes no more, as on a full disk.
    """
    if form is Format.PARQUET and width is not None:
        raise OutputError("parquet is not for terminals: give --output FILE.parquet")
    options: dict[Format, dict[str, object]] = {
        Format.TABLE: {"width": width, "colour": colour and width is not None},
        Format.CSV: {"shown": visible if width is not None else None},
    }
    counted = _Counted(batches)
    try:
        rows = _WRITERS[form](counted, batches.schema, stream, **options.get(form, {}))
        stream.flush()
    except BrokenPipeError:
        _silence(stream)
        return Written(counted.rows, complete=False)
    except OSError as error:
        if error.errno is None:
            raise
        _silence(stream)
        raise OutputError(f"the result cannot be written: {error.strerror}: choose another place") from error
    footer = count_of(rows, "row") if form in {Format.TABLE, Format.LINE} else ""
    return Written(rows, footer)


class _Counted:
    """Counts the rows that pass, so that a broken pipe knows how far it got."""

    def __init__(self, batches: pa.RecordBatchReader) -> None:
        self._batches = iter(batches)
        self.rows = 0

    def __iter__(self) -> "_Counted":
        return self

    def __next__(self) -> pa.RecordBatch:
        batch = next(self._batches)
        self.rows += batch.num_rows
        return batch


def _silence(stream: BinaryIO) -> None:
    """Point a broken pipe at nothing: Python flushes it once more at exit, and would complain."""
    with suppress(OSError, UnsupportedOperation, AttributeError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
