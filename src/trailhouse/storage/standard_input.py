"""Standard input as a file: it can be read once only, and a question may need it twice."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

from trailhouse.errors import DiskError, SourceError

_PIECE = 1 << 20


def spool_input(stdin: BinaryIO, spool: Path) -> str:
    """Copy a stream to a file that bears its SHA-256 as name, without holding it in memory.

    Args:
        stdin: read to its end.
        spool: folder, made if it is missing.

    Returns:
        The file's name.

    Raises:
        SourceError: nothing arrived.
        DiskError: it cannot be written.
    """
    try:
        spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, part = tempfile.mkstemp(prefix="arriving-", dir=spool)
    except OSError as error:
        raise DiskError(
            f"standard input cannot be kept in {spool} ({error.strerror}): see --workdir"
        ) from error
    try:
        digest = _copy(stdin, handle)
        os.utime(part, ns=(0, 0))  # the name says it all: the same content is no newer version
        Path(part).replace(spool / digest)
    except OSError as error:
        raise DiskError(
            f"standard input cannot be kept in {spool} ({error.strerror}): see --workdir"
        ) from error
    finally:
        os.close(handle)
        with contextlib.suppress(FileNotFoundError):
            Path(part).unlink()
    return digest


def _copy(stdin: BinaryIO, handle: int) -> str:
    digest = hashlib.sha256()
    empty = True
    while piece := stdin.read(_PIECE):
        empty = False
        digest.update(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(handle, rest) :]
    if empty:
        raise SourceError("nothing arrived on standard input: pipe a file or an archive into it")
    return digest.hexdigest()
