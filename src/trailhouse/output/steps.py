"""How many of so many steps are done: a line that is written over on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from trailhouse.core.times import format_duration
from trailhouse.output.console import Level

if TYPE_CHECKING:
    from collections.abc import Callable

    from trailhouse.output.console import Console

_CLEAR = "\r\x1b[K"
_ON_TERMINAL, _ELSEWHERE = 0.2, 10.0


@dataclass(slots=True)
class Steps:
    """The line.

    Attributes:
        console: where it stands, unless that is told to be quiet.
        what: what is counted, in the plural.
        total: how many there are.
        clock: seconds from any beginning.
    """

    console: Console
    what: str
    total: int
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    _began: float = field(init=False)
    _said: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self._said = self.clock()

    def advance(self, count: int) -> None:
        """So many more are done."""
        self.done += count
        now, wait = self.clock(), _ON_TERMINAL if self.console.terminal else _ELSEWHERE
        if now - self._said < wait or self.console.level <= Level.QUIET:
            return
        self._said = now
        if self.console.terminal:
            self.console.stream.write(_CLEAR + self._text(now - self._began))
            self.console.stream.flush()
        else:
            self.console.note(self._text(now - self._began))

    def finish(self) -> None:
        """Take the line away."""
        if self.console.terminal and self.console.level > Level.QUIET:
            self.console.stream.write(_CLEAR)
            self.console.stream.flush()

    def _text(self, seconds: float) -> str:
        text = f"{self.done:,}/{self.total:,} {self.what}, {self.done / max(seconds, 1e-6):,.0f}/s"
        left = (self.total - self.done) * seconds / max(self.done, 1)
        return f"{text}, {format_duration(timedelta(seconds=round(left)))} left" if left >= 1 else text
