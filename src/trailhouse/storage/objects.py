"""What every source of log files looks like: objects with a name, listed and read."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from trailhouse.errors import StorageError

READ_LIMIT = 1 << 30
"""Bytes. What is larger does not come as one `bytes` value: `open` streams it."""

_KEPT = 1000
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class StoredObject:
    r"""One object of a source, as listed.

    Attributes:
        source: the unique label of its source.
        name: path below the source with `/` between its parts; `archive!member` in archives. Bytes that are
            no UTF-8 stand as `\xff`, so the name can be printed and stored anywhere.
        size: bytes that reading it gives.
        version: another text when the content may have changed.
        storage_class: S3's, e.g. `GLACIER`; "" elsewhere.
        together: "" or the compressed archive it lies in, which can only be read from front to back: objects
            with the same value are cheap in one `read_many`, and dear one by one.
    """

    source: str
    name: str
    size: int
    version: str
    storage_class: str = ""
    together: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something in a source that is not listed: a pipe, a link into the source itself, a locked folder."""

    name: str
    reason: str


@dataclass(slots=True)
class SkippedNames:
    """What a listing left out: all of it counted, the first of it named."""

    total: int = 0
    first: list[Skipped] = field(default_factory=list)

    def add(self, name: str, reason: str) -> None:
        """Count one, and keep its name while there is room."""
        self.total += 1
        if len(self.first) < _KEPT:
            self.first.append(Skipped(name, reason))


class Storage(Protocol):
    """A source of objects. Reading never changes it.

    Attributes:
        label: unique among the sources of one call.
        uri: the same for the same place, however it was written.
        skipped: what the latest complete listing left out.
    """

    label: str
    uri: str
    skipped: SkippedNames

    def list(self) -> Iterator[StoredObject]:
        """Every object, sorted by name. Raises StorageError."""

    def read(self, item: StoredObject) -> bytes:
        """The whole object, at most READ_LIMIT bytes. Raises StorageError."""

    def open(self, item: StoredObject) -> BinaryIO:
        """The object as a stream in bounded memory; reading it raises StorageError."""

    def read_many(self, items: Iterable[StoredObject]) -> Iterator[tuple[StoredObject, bytes | StorageError]]:
        """Each object with its bytes or what went wrong, in the order given.

        Members of a compressed tar alone come in the order in which they lie in it.
        """


def printable(name: str) -> str:
    """A name from the operating system (surrogateescape) as text that any encoding can take.

    `original` gives it back, so nothing is lost.
    """
    if "\\x" in name:
        name = _ESCAPE.sub(r"\\x5cx\1", name)
    try:
        name.encode()
    except UnicodeEncodeError:
        # The system hands undecodable bytes over as U+DC80 to U+DCFF; no other lone surrogate can occur.
        return name.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return name


def original(name: str) -> str:
    """The inverse of `printable`."""
    if "\\x" not in name:
        return name
    return _ESCAPE.sub(_byte, name)


def _byte(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    if code == ord("\\"):
        return "\\"
    return chr(0xDC00 + code) if code > 0x7F else found[0]  # noqa: PLR2004 - ASCII always decodes


def too_large(uri: str, name: str, size: int) -> StorageError:
    """The error for reading as a whole what must be streamed."""
    return StorageError(
        f"{name} in {uri} holds {size:,} bytes, more than are read at once: stream it instead"
    )
