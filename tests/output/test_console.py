import io
import os

import pytest

from trailhouse.output import Console, Level


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (Level.QUIET, "error: e\n"),
        (Level.NORMAL, "n\nwarning: w\nerror: e\n"),
        (Level.VERBOSE, "d\nn\nwarning: w\nerror: e\n"),
    ],
)
def test_levels(level: Level, expected: str) -> None:
    stream = io.StringIO()
    console = Console(stream, level)
    console.detail("d")
    console.note("n")
    console.warn("w")
    console.error("e")
    assert stream.getvalue() == expected


def test_hostile_text_is_harmless_and_lines_stay() -> None:
    stream = io.StringIO()
    Console(stream).error("no table \x1b[2J\u202e\n  SELECT x\n         ^")
    assert stream.getvalue() == "error: no table \\x1b[2J\\u202e\n  SELECT x\n         ^\n"


@pytest.mark.parametrize(
    ("stream", "environ", "colour"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colour(stream: io.StringIO, environ: dict[str, str], colour: bool) -> None:  # noqa: FBT001 - from the list above
    console = Console.on(stream, environ)
    console.warn("w")
    assert console.colour is colour
    assert ("\x1b[33m" in stream.getvalue()) is colour


def test_a_terminal_without_unicode_gets_escapes() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Console(stream).note("é")
    assert raw.getvalue() == b"\\xe9\n"


def test_work_goes_on_when_nobody_listens_any_more() -> None:
    reads, writes = os.pipe()
    with os.fdopen(writes, "w") as stream:
        console = Console(stream)
        console.note("first")
        assert os.read(reads, 100) == b"first\n"
        os.close(reads)
        console.note("second")
        console.error("third")
