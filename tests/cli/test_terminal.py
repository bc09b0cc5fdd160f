"""The shell on a real terminal."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deliveries import small_source

PROGRAM = Path(sys.executable).with_name("trailhouse")
_CODES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")


class Terminal:
    """A person at the keyboard."""

    def __init__(self, source: Path, work: Path) -> None:
        self.master, slave = pty.openpty()
        environment = {
            **os.environ,
            "TERM": "xterm",
            "TRAILHOUSE_WORKDIR": str(work),
            "COLUMNS": "80",
            "LINES": "24",
        }
        self.process = subprocess.Popen(
            [PROGRAM, "-s", source, "query"], stdin=slave, stdout=slave, stderr=slave, env=environment,
            start_new_session=True, preexec_fn=lambda: _take(slave),  # noqa: PLW1509 - no threads here
        )  # fmt: skip
        os.close(slave)
        self.seen = b""

    def expect(self, text: str, seconds: float = 20) -> str:
        """Wait until the screen was told `text`; what was told until then, without codes."""
        until = time.monotonic() + seconds
        while text.encode() not in _CODES.sub(b"", self.seen):
            ready, _, _ = select.select([self.master], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise AssertionError(f"{text!r} did not come: {_CODES.sub(b'', self.seen).decode()}")
            piece = os.read(self.master, 65536)
            self.seen += piece
            if b"\x1b[6n" in piece:  # where is the cursor?
                os.write(self.master, b"\x1b[1;1R")
        told, _, rest = _CODES.sub(b"", self.seen).partition(text.encode())
        self.seen = rest
        return told.decode()

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())


def _take(slave: int) -> None:
    import fcntl  # noqa: PLC0415 - in the child only
    import termios  # noqa: PLC0415 - likewise

    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(small_source(tmp_path / "logs"), tmp_path / "work")
    yield opened
    opened.process.kill()
    opened.process.wait()
    os.close(opened.master)


@pytest.mark.slow
def test_a_session(terminal: Terminal, tmp_path: Path) -> None:
    terminal.expect("trailhouse>")
    terminal.type("SELECT count(*) AS n FROM cloudtrail;\r")
    assert "10" in terminal.expect("1 row in ")
    terminal.type("SELECT evntname FROM cloudtrail;\r")
    terminal.expect("nearest: eventname")
    terminal.type("SELECT * FROM cloudtrail WHERE eventid = 'id1';\r")
    assert "eventversion" in terminal.expect("1 row in ")
    terminal.type("SELECT 1 FROM cloudtrail WHERE region = 'eu-wset-1';\r")
    terminal.expect("such as eu-west-1")
    terminal.type(f".output {tmp_path}/a.csv\rSELECT 1 AS one;\r")
    terminal.expect("output is stdout again")
    assert (tmp_path / "a.csv.provenance.json").exists()
    terminal.type(".quit\r")
    assert terminal.process.wait(20) == 0


@pytest.mark.slow
def test_ctrl_c_stops_the_statement_and_not_the_shell(terminal: Terminal) -> None:
    terminal.expect("trailhouse>")
    tables = ", ".join(f"cloudtrail {name}" for name in "abcdefghijklmn")
    terminal.type(f"SELECT count(*) FROM {tables} WHERE a.eventid || b.eventid < n.eventid || m.eventid;\r")
    time.sleep(2)
    terminal.type("\x03")
    terminal.expect("cancelled")
    terminal.type("SELECT 41 + 1 AS n;\r")
    assert "42" in terminal.expect("1 row in ")
    terminal.expect("trailhouse>")
    terminal.type("\x04")
    assert terminal.process.wait(20) == 0
