"""Standard output as a pipe whose reader may leave (`| head`): quiet, and no failure."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def close() -> None:
    """Let everything that is still written go nowhere, without an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def flush() -> None:
    """Hand out what is written, if anybody still reads it."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        close()


def outlasting(write: Callable[[bytes], object]) -> Callable[[bytes], None]:
    """The same, but whoever leaves does not end the work: its exit code or another file is wanted as well.

    Args:
        write: to standard output.
    """

    def written(data: bytes) -> None:
        try:
            write(data)
        except BrokenPipeError:
            close()

    return written
