"""Files that are there whole or not at all."""

import errno
import gzip
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from trailhouse.errors import OutputError
from trailhouse.output.formats import Format, format_of, write

_NEXT_STEPS = {
    errno.ENOENT: "there is no folder {folder}: make it first",
    errno.ENOTDIR: "{folder} is no folder: choose another place",
    errno.EACCES: "not allowed to write there: choose another folder",
    errno.EPERM: "not allowed to write there: choose another folder",
    errno.EROFS: "{folder} cannot be written to: choose another folder",
    errno.ENOSPC: "the disk is full: make room, or choose another folder",
    errno.EDQUOT: "your quota is used up: make room, or choose another folder",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
}


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A result that was written to a file.

    Attributes:
        path: where it is.
        format: what it is.
        rows: how many rows it holds.
        size: bytes as stored.
        sha256: of the bytes as stored, in lower case hexadecimal.
    """

    path: Path
    format: Format
    rows: int
    size: int
    sha256: str


class Hashing:
    """The content of a file: passes bytes on and remembers their number and SHA-256."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream = stream
        self._path = path
        self._hash = hashlib.sha256()
        self.size = 0
        self.closed = False

    @property
    def sha256(self) -> str:
        """SHA-256 of all bytes so far, in lower case hexadecimal."""
        return self._hash.hexdigest()

    def write(self, content: bytes | memoryview) -> int:
        """Pass `content` on; return its length in bytes."""
        view = memoryview(content)
        with _explained(self._path):
            self._stream.write(view)
        self._hash.update(view)
        self.size += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self.size

    def flush(self) -> None:
        """Pass it on."""
        with _explained(self._path):
            self._stream.flush()

    def readable(self) -> bool:
        """Return False."""
        return False

    def writable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return False."""
        return False

    def close(self) -> None:
        """Take no more; the stream below stays open, for whoever opened it."""
        self.closed = True


@contextmanager
def whole_file(path: Path) -> Iterator[Hashing]:
    """Give a stream whose content becomes the file at `path` when the block ends without an error.

    The bytes go to a hidden file beside it, reach the disk, and take its name in one step; a file of
    that name is replaced. After an error, or a kill, there is no half file of that name.

    Raises:
        OutputError: the place cannot be written to; the message says why and what to do.
    """
    with _explained(path):
        target = path.resolve()
        if target.is_symlink() or (target.exists() and not target.is_file()):  # links in a circle stay links
            raise OutputError(f"{path}: is no plain file: choose another name, or leave --output out")
        partial = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.partial")
        stream = partial.open("xb")
    try:
        hashing = Hashing(stream, path)
        yield hashing
        with _explained(path):
            hashing.flush()
            os.fsync(stream.fileno())
            stream.close()
            partial.replace(target)
    finally:
        # After a full disk, closing fails once more.
        with suppress(OSError):
            stream.close()
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_file(
    batches: pa.RecordBatchReader,
    path: Path,
    form: Format | None = None,
    *,
    is_source: Callable[[Path], bool] = lambda _: False,
) -> OutputFile:
    """Write a result to the file at `path`, compressed when it ends in `.gz`.

    Args:
        batches: the rows; read to the end, not closed.
        path: the file; replaced when it exists.
        form: the format, by default the one that the suffix names.
        is_source: tells of a resolved path whether it lies in a source of logs.

    Raises:
        OutputError: no format, a place inside a source, or one that cannot be written to.
    """
    form = form or format_of(path)
    refuse_source(path, is_source)
    with whole_file(path) as stream:
        if path.suffix.lower() == ".gz" and form is not Format.PARQUET:
            with gzip.GzipFile("", "wb", fileobj=cast("BinaryIO", stream), mtime=0) as packed:
                written = write(batches, form, cast("BinaryIO", packed))
        else:
            written = write(batches, form, cast("BinaryIO", stream))
    return OutputFile(path, form, written.rows, stream.size, stream.sha256)


def refuse_source(path: Path, is_source: Callable[[Path], bool]) -> None:
    """Return when `path` lies outside of all sources.

    Raises:
        OutputError: it lies in one; evidence is never written to.
    """
    with _explained(path):
        resolved = path.resolve()
    if is_source(resolved):
        raise OutputError(
            f"{path}: lies in a source, and sources are never written to: choose another folder"
        )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # the latter: links that go round in circles
        known = _NEXT_STEPS.get(getattr(error, "errno", None) or 0)
        reason = known.format(folder=path.parent) if known else str(error)
        raise OutputError(f"{path}: not written: {reason}") from error
