"""Bytes of one file, read without leaving a trace."""

import os
import stat
from typing import BinaryIO

from trailhouse.errors import StorageError
from trailhouse.storage.objects import READ_LIMIT, too_large

_NO_TRACE = getattr(os, "O_NOATIME", 0)
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe put in a file's place must not hang us


def version(status: os.stat_result) -> str:
    """Another text when the file may have changed."""
    return f"{status.st_mtime_ns}-{status.st_size}"


def descriptor(path: str) -> int:
    """Open for reading, keeping the time of last access where the system lets us. Raises OSError."""
    try:
        return os.open(path, _FLAGS | _NO_TRACE)
    except PermissionError:  # only the owner may ask for that
        return os.open(path, _FLAGS)


def read_file(path: str, expected: str, name: str, uri: str) -> bytes:
    """The whole file.

    Args:
        path: where it is.
        expected: the version that was listed.
        name: what errors call it.
        uri: the source, for errors.

    Raises:
        StorageError: it cannot be read, is too large, or changed since it was listed.
    """
    try:
        handle = descriptor(path)
    except OSError as error:
        raise unreadable(name, uri, error) from error
    try:
        size = _check(os.fstat(handle), expected, name, uri)
        if size > READ_LIMIT:
            raise too_large(uri, name, size)
        content = os.read(handle, size)
        while len(content) < size and (more := os.read(handle, size - len(content))):
            content += more
    except OSError as error:
        raise unreadable(name, uri, error) from error
    finally:
        os.close(handle)
    if len(content) < size:
        raise changed(name, uri)
    return content


def open_file(path: str, expected: str, name: str, uri: str) -> BinaryIO:
    """The file as a stream; arguments and errors as for `read_file`."""
    try:
        handle = descriptor(path)
    except OSError as error:
        raise unreadable(name, uri, error) from error
    try:
        _check(os.fstat(handle), expected, name, uri)
    except StorageError:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def head(path: str, size: int) -> bytes:
    """The first bytes of a file. Raises OSError."""
    handle = descriptor(path)
    try:
        return os.read(handle, size)
    finally:
        os.close(handle)


def _check(status: os.stat_result, expected: str, name: str, uri: str) -> int:
    if not stat.S_ISREG(status.st_mode) or version(status) != expected:
        raise changed(name, uri)
    return status.st_size


def changed(name: str, uri: str) -> StorageError:
    """The error for an object that is not the one listed."""
    return StorageError(f"{name} in {uri} changed after it was listed: run again when nothing writes to it")


def unreadable(name: str, uri: str, error: OSError) -> StorageError:
    """The error for what the operating system refuses."""
    reason = error.strerror or str(error)
    return StorageError(
        f"{name} in {uri} cannot be read ({reason}): check that it is there and its permissions"
    )


class Pages:
    """A file read at any place by any thread; survives pickling and forking. Opened when first needed."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._handle: int | None = None

    def at(self, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset` on, fewer only at the end. Raises OSError."""
        if self._handle is None:
            self._handle = descriptor(self.path)
        content = os.pread(self._handle, size, offset)
        while 0 < len(content) < size and (
            more := os.pread(self._handle, size - len(content), offset + len(content))
        ):
            content += more
        return content

    def status(self) -> os.stat_result:
        """The open file's status. Raises OSError."""
        if self._handle is None:
            self._handle = descriptor(self.path)
        return os.fstat(self._handle)

    def __getstate__(self) -> dict[str, str | None]:
        return {"path": self.path, "_handle": None}

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            os.close(self._handle)  # type: ignore[arg-type]  # getattr narrows nothing
            self._handle = None
