"""Talk for people, on standard error: notes, warnings, errors. Data never goes this way."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TextIO

from trailhouse.output.escape import escape

_COLOURS = {"note": "", "warning": "\x1b[33m", "error": "\x1b[31m"}
_PLAIN = "\x1b[0m"


class Level(IntEnum):
    """How much is said."""

    QUIET = -1
    NORMAL = 0
    VERBOSE = 1


@dataclass(frozen=True, slots=True)
class Console:
    """Says things to people; everything is escaped, for names and values in it may be a stranger's.

    Attributes:
        stream: standard error.
        level: errors are said at any level, notes and warnings not when quiet, details when verbose.
        colour: whether colours may be used.
        terminal: whether the stream is one.
    """

    stream: TextIO
    level: Level = Level.NORMAL
    colour: bool = False
    terminal: bool = False

    @classmethod
    def on(cls, stream: TextIO, environ: Mapping[str, str], level: Level = Level.NORMAL) -> "Console":
        """Return a console on `stream`; colour only on a terminal that is not dumb, and without NO_COLOR."""
        terminal = stream.isatty()
        colour = terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        return cls(stream, level, colour, terminal)

    def detail(self, text: str) -> None:
        """Say something that only the curious want to know."""
        if self.level >= Level.VERBOSE:
            self._say("", text, "note")

    def note(self, text: str) -> None:
        """Say something worth knowing."""
        if self.level >= Level.NORMAL:
            self._say("", text, "note")

    def warn(self, text: str) -> None:
        """Say that something may be wrong."""
        if self.level >= Level.NORMAL:
            self._say("warning: ", text, "warning")

    def error(self, text: str) -> None:
        """Say that something failed."""
        self._say("error: ", text, "error")

    def _say(self, title: str, text: str, kind: str) -> None:
        # Line breaks are the message's own layout; whoever quotes a value has escaped those in it.
        lines = "\n".join(map(escape, text.split("\n")))
        head = f"{_COLOURS[kind]}{title}{_PLAIN}" if self.colour and title else title
        encoding = self.stream.encoding or "utf-8"
        message = f"{head}{lines}\n".encode(encoding, "backslashreplace").decode(encoding)
        try:
            self.stream.write(message)
            self.stream.flush()
        except BrokenPipeError:  # nobody listens any more; the work goes on (`apply --yes 2>&1 | head`)
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())
