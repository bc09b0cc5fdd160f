import io

from trailhouse.output import Console, Level, Silence, progress_on
from trailhouse.output.progress import Bar, Lines, Progress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def work(progress: Progress, clock: Clock, seconds: int) -> None:
    progress.start(seconds, seconds * 1_000_000)
    for _ in range(seconds):
        clock.now += 1
        progress.advance(1, 1_000_000, 500)
    progress.done()
    progress.done()


def test_a_line_every_ten_seconds() -> None:
    stream, clock = io.StringIO(), Clock()
    work(Lines(Console(stream), clock), clock, 25)
    assert stream.getvalue().splitlines() == [
        "10/25 files, 10.0 MB of 25.0 MB, 500 records/s, 15s left",
        "20/25 files, 20.0 MB of 25.0 MB, 500 records/s, 5s left",
    ]


def test_short_work_says_nothing() -> None:
    stream, clock = io.StringIO(), Clock()
    work(Lines(Console(stream), clock), clock, 5)
    assert stream.getvalue() == ""


def test_a_bar_on_a_terminal() -> None:
    stream, clock = io.StringIO(), Clock()
    work(Bar(Console(stream, terminal=True), clock), clock, 3)
    assert "3/3 files, 3.0 MB of 3.0 MB" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K")


def test_what_suits_a_console() -> None:
    stream = io.StringIO()
    assert isinstance(progress_on(Console(stream, Level.QUIET, terminal=True)), Silence)
    assert isinstance(progress_on(Console(stream, terminal=True)), Bar)
    assert isinstance(progress_on(Console(stream)), Lines)


def test_silence() -> None:
    clock = Clock()
    work(Silence(), clock, 3)
    assert clock.now == 103.0
