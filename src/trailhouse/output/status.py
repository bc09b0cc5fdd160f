"""How a statement fares that runs elsewhere: one line that changes, on a terminal; nothing anywhere else."""

from dataclasses import dataclass, field
from datetime import timedelta

from trailhouse.core.sizes import format_size
from trailhouse.core.times import format_duration
from trailhouse.output.console import Console, Level
from trailhouse.output.escape import escape

_CLEAR = "\r\x1b[K"


@dataclass(slots=True)
class Status:
    """The line.

    Attributes:
        console: where it stands, if that is a terminal that is not told to be quiet.
        engine: what runs the statement, as people call it.
    """

    console: Console
    engine: str
    _shown: bool = field(default=False, init=False)

    def running(self, state: str, scanned: int, seconds: float) -> None:
        """Show state, bytes read, and the time since it was sent."""
        if not self.console.terminal or self.console.level <= Level.QUIET:
            return
        elapsed = format_duration(timedelta(seconds=int(seconds)))
        text = f"{self.engine}: {state.lower()}, {format_size(scanned)} read, {elapsed} (Ctrl-C stops it)"
        self._write(_CLEAR + escape(text))
        self._shown = True

    def done(self) -> None:
        """Take the line away."""
        if self._shown:
            self._write(_CLEAR)
            self._shown = False

    def _write(self, text: str) -> None:
        self.console.stream.write(text)
        self.console.stream.flush()
