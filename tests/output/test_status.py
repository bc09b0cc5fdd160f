"""The line about a statement that runs elsewhere."""

import io

from trailhouse.output import Console, Level, Status


def test_on_a_terminal_the_line_changes_and_goes() -> None:
    stream = io.StringIO()
    status = Status(Console(stream, terminal=True), "Athena")
    status.running("RUNNING", 1_500_000, 61.7)
    status.done()
    status.done()
    assert stream.getvalue() == "\r\x1b[KAthena: running, 1.5 MB read, 1m1s (Ctrl-C stops it)\r\x1b[K"


def test_elsewhere_and_when_quiet_nothing_is_said() -> None:
    for console in (Console(io.StringIO()), Console(io.StringIO(), Level.QUIET, terminal=True)):
        status = Status(console, "Athena")
        status.running("RUNNING", 0, 0)
        status.done()
        assert console.stream.getvalue() == ""


def test_a_state_cannot_write_on_the_terminal() -> None:
    stream = io.StringIO()
    Status(Console(stream, terminal=True), "Athena").running("\x1b[31m", 0, 0)
    assert "\x1b[31m" not in stream.getvalue()
