"""A plan on its way out: shown, counted and written while it is made."""

from __future__ import annotations

import gzip
import io
import sys
from contextlib import contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from trailhouse.catalog.requests import FREE_OBJECTS, Requests
from trailhouse.core.plan import Tally
from trailhouse.core.plan_text import part_lines, summary
from trailhouse.core.saved_plan import Header, Writer, read
from trailhouse.core.sizes import count_of
from trailhouse.errors import CatalogError, UsageError
from trailhouse.output import escape
from trailhouse.output.console import Level
from trailhouse.output.files import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trailhouse.cli.call import Call
    from trailhouse.core.plan import Part
    from trailhouse.core.state import Shape
    from trailhouse.storage.discovery import Discovery

    Say = Callable[[str], object]

TARGETS = "leave it out; --target ACCOUNT is for one account, `partition_days` or --all for days"
"""What to say instead of what limits answers."""
_SHOWN = 20
_GZIP = b"\x1f\x8b"


class Flow(Protocol):
    """What makes a plan: `Convergence`, `Adoption`."""

    @property
    def shape(self) -> Shape:
        """How raw tables are cut; known once `parts` has begun."""
        ...

    def parts(self) -> Iterator[Part]:
        """The plan."""
        ...


def make(
    call: Call, flow: Flow, place: str, *, say: Say | None, writes: Sequence[Callable[[bytes], object]]
) -> tuple[Tally, Requests]:
    """Make a plan part by part; none is kept.

    Args:
        call: level of talk, settings, clock.
        flow: makes the parts.
        place: the catalog's, for the file.
        say: takes the lines of the text; None: nobody wants them.
        writes: each takes the bytes of the file.
    """
    tally, requests = Tally(), Requests()
    writers: list[Writer] = []
    verbose = call.console.level >= Level.VERBOSE
    for part in flow.parts():
        if not writers:  # the shape is known now
            settings = call.settings
            header = Header(place, settings.database, settings.table_prefix, str(flow.shape), today(call))
            writers = [Writer(header, write) for write in writes]
        for writer in writers:
            writer.add(part)
        for line in part_lines(part, verbose=verbose) if say else ():
            say(line)  # type: ignore[misc]  # there are no lines without it
        tally.add(part)
        requests.add(part)
    for writer in writers:
        writer.close()
    return tally, requests


def tell(call: Call, tally: Tally, requests: Requests | None, discovery: Discovery | None = None) -> None:
    """Say what goes with a plan: what was found, warnings, failures, refusals, what it costs."""
    console = call.console
    for found in discovery.oddities if discovery else ():
        console.detail(f"{found.oddity} ({found.count:,}): {', '.join(map(escape, found.samples))}")
    _tell_some(console.warn, tally.warnings)
    if requests and requests.count:
        console.note(f"carrying it out takes about {count_of(requests.count, 'request')} to Glue")
    if requests and requests.objects > FREE_OBJECTS:
        console.warn(
            f"{requests.objects:,} more tables and partitions: Glue keeps {FREE_OBJECTS:,} without a charge"
        )
    _tell_some(console.error, [f"{name} is left out: {error}" for name, error in tally.errors])
    _tell_some(console.error, [f"refused: {refusal.reason}" for refusal in tally.refusals])


def headline(tally: Tally) -> str:
    """The whole in a line."""
    if tally.changes:
        return f"Plan: {summary(tally)}."
    if tally.refusals or tally.errors:
        return "No change is planned."
    return "Nothing to do: the catalog is as it should be."


def _tell_some(say: Say, lines: Sequence[str]) -> None:
    for line in lines[:_SHOWN]:
        say(line)
    if len(lines) > _SHOWN:
        say(f"and {len(lines) - _SHOWN:,} more like these; --json has them all")


def printer(write: Callable[[bytes], object] | None = None) -> Say:
    """Prints lines of text, escaped, in what the terminal can show.

    Args:
        write: takes the bytes; None: standard output does.
    """
    encoding = sys.stdout.encoding or "utf-8"
    to = write or sys.stdout.buffer.write

    def say(line: str) -> None:
        to(escape(line).encode(encoding, "backslashreplace") + b"\n")

    sys.stdout.flush()
    return say


def is_json(call: Call) -> bool:
    """Whether JSON is asked for and not text. Raises UsageError for any other format."""
    if call.json or call.format == "json":
        return True
    if call.format not in {None, "table"}:
        raise UsageError(f"--format {call.format}: a plan is text, or JSON with --json")
    return False


def text_only(call: Call, command: str) -> None:
    """Refuse formats where the result is statements. Raises UsageError."""
    if call.json or call.format:
        raise UsageError(f"`{command}` writes SQL and nothing else: leave --json and --format out")


def today(call: Call) -> date:
    """The day of the call, UTC."""
    return call.now.date()


@contextmanager
def plan_file(path: Path | None) -> Iterator[Sequence[Callable[[bytes], object]]]:
    """Where the bytes of a plan go; the file is there whole or not at all. Packed when it ends in `.gz`.

    Raises:
        OutputError: it cannot be written.
    """
    if path is None:
        yield ()
        return
    with whole_file(path) as stream:
        if path.suffix.lower() != ".gz":
            yield (stream.write,)
            return
        with gzip.GzipFile("", "wb", fileobj=cast("BinaryIO", stream), mtime=0) as packed:
            yield (packed.write,)


@contextmanager
def open_plan(path: Path) -> Iterator[tuple[Header, Iterator[Part]]]:
    """A saved plan, packed or not.

    Raises:
        UsageError: there is no such file.
        CatalogError: it is no plan; also while its parts are read.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: not read: {error.strerror}") from error
    with stream, read_plan(stream, str(path)) as opened:
        yield opened


@contextmanager
def read_plan(stream: BinaryIO, name: str) -> Iterator[tuple[Header, Iterator[Part]]]:
    """A saved plan from a stream that can be sought in; see `open_plan`."""
    begin = stream.read(len(_GZIP))
    stream.seek(0)
    packed = begin == _GZIP
    with gzip.GzipFile("", "rb", fileobj=stream) if packed else nullcontext(stream) as plain:
        text = io.TextIOWrapper(cast("BinaryIO", plain), "ascii")
        try:
            header, parts = read(text.read, name)
            yield header, parts
        except (UnicodeDecodeError, gzip.BadGzipFile, EOFError) as error:
            raise CatalogError(f"{name} is no plan, or is damaged: make a new one") from error
        finally:
            text.detach()


def exit_code(tally: Tally) -> int:
    """1: refused, 3: something could not be planned, 0: neither."""
    if tally.refusals:
        return 1
    return 3 if tally.errors else 0
