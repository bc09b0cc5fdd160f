"""Text for people: labelled entries and numbered lists, in lines of the terminal's width, every value escaped."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from trailhouse.core.times import format_time
from trailhouse.errors import UsageError
from trailhouse.output import escape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from trailhouse.cli.call import Call

WIDTH = 80
"""Where standard output is no terminal."""
_LABEL = 10
_LEAST = 40


def width_of(call: Call) -> int:
    """Cells of a line."""
    return max(call.width or WIDTH, _LEAST)


def wants_json(call: Call, what: str) -> bool:
    """Whether JSON is asked for and not text. Raises UsageError for any other format."""
    if call.json or call.format == "json":
        return True
    if call.format not in {None, "table"}:
        raise UsageError(f"--format {call.format}: {what} is text, or JSON with --json")
    return False


def entry(label: str, text: str, width: int) -> Iterator[str]:
    """A label and what it has, indented beside it; nothing where there is nothing to say."""
    for line in text.split("\n"):
        begin = f"{label:<{_LABEL}} "
        yield from folded(line, width, begin, " " * len(begin))
        label = ""


def folded(text: str, width: int, begin: str = "", rest: str = "") -> Iterator[str]:
    """A text in lines; what has no spaces is not broken, so that it can be copied."""
    if text:
        yield from textwrap.wrap(
            escape(text), width, initial_indent=begin, subsequent_indent=rest,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip


def numbered(number: int, title: str, parts: list[tuple[str, str]], width: int) -> Iterator[str]:
    """A numbered title and its parts, each with its name; empty ones are left out."""
    begin = f"{number:>3}. "
    rest = " " * len(begin)
    yield from folded(title, width, begin, rest)
    for name, text in parts:
        for line in filter(None, text.split("\n")):
            yield from folded(f"{name}: {line}", width, rest, rest)


def since(moment: datetime | None) -> str:
    """A time, or nothing."""
    return format_time(moment) if moment else ""
