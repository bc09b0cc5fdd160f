"""How far the work is: a bar on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from trailhouse.core.sizes import format_size
from trailhouse.core.times import format_duration
from trailhouse.output.console import Console, Level

INTERVAL = 10.0
"""Seconds between two lines where there is no terminal."""


class Progress(Protocol):
    """Hears how far the work is."""

    def start(self, total_files: int, total_bytes: int) -> None:
        """Begin; the totals are what there is to do."""

    def advance(self, files: int, size: int, records: int) -> None:
        """Add what was done since the last call."""

    def done(self) -> None:
        """End, whether all was done or not; may be called twice."""


class Silence:
    """Progress that nobody wants to see."""

    def start(self, total_files: int, total_bytes: int) -> None:
        """Do nothing."""

    def advance(self, files: int, size: int, records: int) -> None:
        """Do nothing."""

    def done(self) -> None:
        """Do nothing."""


@dataclass(slots=True)
class Tally:
    """Counts and rates.

    Attributes:
        clock: returns seconds from any beginning.
    """

    clock: Callable[[], float] = time.monotonic
    total_files: int = 0
    total_bytes: int = 0
    files: int = 0
    bytes: int = 0
    records: int = 0
    began: float = 0.0

    def start(self, total_files: int, total_bytes: int) -> None:
        """Begin at zero."""
        self.total_files, self.total_bytes = total_files, total_bytes
        self.files = self.bytes = self.records = 0
        self.began = self.clock()

    def add(self, files: int, size: int, records: int) -> None:
        """Add what was done."""
        self.files, self.bytes, self.records = self.files + files, self.bytes + size, self.records + records

    def text(self) -> str:
        """Return the counts, the rate and the time left, such as `12/40 files, 3.1 MB of 9.8 MB, ...`."""
        seconds = max(self.clock() - self.began, 1e-6)
        parts = [
            f"{self.files:,}/{self.total_files:,} files",
            f"{format_size(self.bytes)} of {format_size(self.total_bytes)}",
            f"{self.records / seconds:,.0f} records/s",
        ]
        share = self.bytes / self.total_bytes if self.total_bytes else 0
        if 0 < share < 1:
            parts.append(f"{format_duration(timedelta(seconds=round(seconds / share - seconds)))} left")
        return ", ".join(parts)


class Lines:
    """Progress as a line every ten seconds, for logs; short work says nothing."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._tally = Tally(clock)
        self._clock = clock
        self._said = 0.0

    def start(self, total_files: int, total_bytes: int) -> None:
        """Begin."""
        self._tally.start(total_files, total_bytes)
        self._said = self._clock()

    def advance(self, files: int, size: int, records: int) -> None:
        """Count, and say a line when it is time."""
        self._tally.add(files, size, records)
        if self._clock() - self._said >= INTERVAL:
            self._said = self._clock()
            self._console.note(self._tally.text())

    def done(self) -> None:
        """Say nothing more."""


class Bar:
    """Progress as a bar that is gone when the work is done."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        from rich import console as rich_console  # noqa: PLC0415 - slow to import, and seldom needed
        from rich import progress as rich_progress  # noqa: PLC0415 - likewise

        screen = rich_console.Console(
            file=console.stream, force_terminal=True, no_color=not console.colour, highlight=False
        )
        self._bar = rich_progress.Progress(
            rich_progress.BarColumn(bar_width=24),
            rich_progress.TextColumn("{task.description}"),
            console=screen,
            transient=True,
        )
        self._tally = Tally(clock)
        self._task = self._bar.add_task("", total=None, start=False)

    def start(self, total_files: int, total_bytes: int) -> None:
        """Show the bar."""
        self._tally.start(total_files, total_bytes)
        self._bar.update(self._task, total=max(total_bytes, 1), completed=0, description=self._tally.text())
        self._bar.start()
        self._bar.start_task(self._task)

    def advance(self, files: int, size: int, records: int) -> None:
        """Move the bar."""
        self._tally.add(files, size, records)
        self._bar.update(self._task, completed=self._tally.bytes, description=self._tally.text())

    def done(self) -> None:
        """Take the bar away."""
        self._bar.stop()


def progress_on(console: Console) -> Progress:
    """Return the progress that suits a console: a bar, lines, or nothing when quiet."""
    if console.level <= Level.QUIET:
        return Silence()
    return Bar(console) if console.terminal else Lines(console)
