import io

from trailhouse.output.console import Console, Level
from trailhouse.output.steps import Steps


class Clock:
    """Seconds that a test decides about."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def steps(level: Level = Level.NORMAL, *, terminal: bool = False) -> tuple[Steps, Clock, io.StringIO]:
    clock, stream = Clock(), io.StringIO()
    return Steps(Console(stream, level, terminal=terminal), "changes", 1000, clock), clock, stream


def test_a_line_now_and_then() -> None:
    progress, clock, stream = steps()
    for clock.now in (1, 9, 10, 15):
        progress.advance(50)
    progress.finish()
    assert stream.getvalue() == "150/1,000 changes, 15/s, 57s left\n"


def test_a_line_that_is_written_over_and_gone_in_the_end() -> None:
    progress, clock, stream = steps(terminal=True)
    for clock.now in (0.1, 1, 2):
        progress.advance(500 if clock.now == 2 else 250)
    progress.finish()
    assert (
        stream.getvalue()
        == "\r\x1b[K500/1,000 changes, 500/s, 1s left\r\x1b[K1,000/1,000 changes, 500/s\r\x1b[K"
    )


def test_quiet_is_quiet() -> None:
    for terminal in (False, True):
        progress, clock, stream = steps(Level.QUIET, terminal=terminal)
        clock.now = 60
        progress.advance(1)
        progress.finish()
        assert (stream.getvalue(), progress.done) == ("", 1)
