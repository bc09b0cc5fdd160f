"""One call of the program: what was given on the command line, and what follows from it."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from trailhouse.core.sizes import count_of
from trailhouse.core.times import format_duration, format_time, parse_time
from trailhouse.errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from trailhouse.config import Settings
    from trailhouse.dialect import Statement
    from trailhouse.evidence import Gap
    from trailhouse.options import Options
    from trailhouse.output import Console, Format, Input, Missing, OutputFile
    from trailhouse.session import Trailhouse
    from trailhouse.storage import Location

INCOMPLETE = 3
_WIDTH = 80


@dataclass
class Call:
    """The global options, the clock, the environment, and where to talk."""

    flags: Mapping[str, Any]
    config: Path | None
    environ: Mapping[str, str]
    now: datetime
    since: str | None
    until: str | None
    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    format: str | None
    json: bool
    output: Path | None
    yes: bool
    no_input: bool
    console: Console

    @cached_property
    def settings(self) -> Settings:
        """The settings: flag, environment, file, default. Raises ConfigError."""
        from trailhouse.config import load  # noqa: PLC0415 - a tenth of a second that `version` does without

        settings = load(self.flags, self.environ, self.config)
        for note in settings.notes:
            self.console.warn(note)
        return settings

    @cached_property
    def options(self) -> Options:
        """How to open the sources. Raises UsageError."""
        from trailhouse.options import Options  # noqa: PLC0415 - heavy, and `version` does without

        settings = self.settings
        return Options(
            since=self._moment("--since", self.since), until=self._moment("--until", self.until),
            accounts=self.accounts, regions=self.regions, late=settings.late, workdir=settings.workdir,
            jobs=settings.jobs, table_prefix=settings.table_prefix,
        )  # fmt: skip

    def _moment(self, flag: str, text: str | None) -> datetime | None:
        try:
            return None if text is None else parse_time(text, self.now)
        except ValueError as error:
            raise UsageError(f"{flag}: {error}") from None

    def open(self, *, result: bool = True) -> Trailhouse:
        """Open the sources; refuse an output that cannot be written before anything is read.

        Args:
            result: Whether the output is a result, in one of the formats.

        Raises:
            SourceError: A source cannot be used.
            ConfigError: The settings are wrong.
            UsageError: Window or format are.
            OutputError: The output lies in a source.
        """
        from trailhouse.cli.telling import IngestTalk  # noqa: PLC0415 - with the session
        from trailhouse.output import progress_on  # noqa: PLC0415 - with the session
        from trailhouse.session import Trailhouse, open_storages  # noqa: PLC0415 - heavy

        options = self.options
        if self.output and result:
            _ = self.form
        sources = open_storages(self.locations(), options, sys.stdin.buffer)
        talk = IngestTalk(self.console, progress_on(self.console))
        house = Trailhouse(sources, options, now=self.now, progress=talk)
        if self.output:
            self.check_output(self.output, house.is_source)
        return house

    @staticmethod
    def check_output(path: Path, is_source: Callable[[Path], bool]) -> None:
        """Refuse a file that cannot be written, before the work. Raises OutputError."""
        from trailhouse.output.files import refuse_source  # noqa: PLC0415 - loads Arrow

        refuse_source(path, is_source)
        if not path.parent.is_dir():
            raise OutputError(f"{path}: not written: there is no folder {path.parent}: make it first")

    def locations(self) -> list[Location]:
        """The sources, each with its access. Raises ConfigError when there is none."""
        from trailhouse.storage.access import location  # noqa: PLC0415 - with the session

        return [location(self.settings, source) for source in self.settings.log_sources()]

    def refuse_output(self, command: str) -> None:
        """Refuse --output where there is nothing to write. Raises UsageError."""
        if self.output:
            raise UsageError(f"--output {self.output}: `{command}` has no result to write: leave it out")

    def refuse_window(self, command: str, instead: str) -> None:
        """Refuse what limits answers where it would limit nothing. Raises UsageError."""
        limits = {
            "--account": self.accounts, "--region": self.regions, "--since": self.since, "--until": self.until,
        }  # fmt: skip
        for flag, value in limits.items():
            if value:
                raise UsageError(f"{flag} limits answers, and not what `{command}` is about: {instead}")

    def say_window(self) -> None:
        """Say which deliveries a window of event times is looked for in."""
        since, until = self.options.since, self.options.until
        if since or until:
            first = f"from {format_time(since)}" if since else ""
            last = f"before {format_time(until)}" if until else ""
            between = " and " if first and last else ""
            late = format_duration(self.options.late)
            self.console.note(
                f"events {first}{between}{last}, in files delivered up to {late} later (--late)"
            )

    @cached_property
    def form(self) -> Format:
        """The format of the result. Raises UsageError."""
        from trailhouse.output import Format, format_of  # noqa: PLC0415 - loads Arrow

        if self.json and self.format not in {None, "json"}:
            raise UsageError(f"--json and --format {self.format} are two formats: give one")
        named = "json" if self.json else self.format
        try:
            if named is None:
                return format_of(self.output) if self.output else Format.TABLE
            return Format(named.lower())
        except ValueError:
            names = ", ".join(Format)
            raise UsageError(f"--format {named}: there is no such format; there are {names}") from None
        except OutputError as error:
            raise UsageError(str(error)) from None

    @property
    def width(self) -> int | None:
        """Cells of the terminal that results go to; None: it is none."""
        shown = not self.output and sys.stdout.isatty()
        return shutil.get_terminal_size((_WIDTH, 24)).columns if shown else None

    def show(self, reader: pa.RecordBatchReader) -> int:
        """Write a result to standard output; how many rows it had."""
        from trailhouse.output import write  # noqa: PLC0415 - loads Arrow

        colour = self.width is not None and self.console.colour
        written = write(reader, self.form, sys.stdout.buffer, width=self.width, colour=colour)
        if written.footer:
            self.console.note(written.footer)
        return written.rows

    def save(
        self,
        reader: pa.RecordBatchReader,
        path: Path,
        form: Format,
        house: Trailhouse,
        asked: Sequence[Statement],
    ) -> OutputFile:
        """Write a result to a file outside of every source and, beside it, where it comes from.

        Args:
            reader: The result.
            path: The file.
            form: Its format.
            house: What answered.
            asked: The statements that it answers; none: it is from the names of objects alone.

        Raises:
            OutputError: It cannot be written there.
        """
        from trailhouse.output import write_file  # noqa: PLC0415 - loads Arrow

        written = write_file(reader, path, form, is_source=house.is_source)
        self._save_provenance(written, house, asked)
        return written

    def save_text(self, text: bytes, path: Path, house: Trailhouse, rows: int) -> None:
        """Write the answer to all that was asked of a house, already laid out, and where it comes from."""
        import hashlib  # noqa: PLC0415 - rarely needed

        from trailhouse.output import OutputFile  # noqa: PLC0415 - loads Arrow
        from trailhouse.output.files import whole_file  # noqa: PLC0415 - loads Arrow

        self.check_output(path, house.is_source)
        with whole_file(path) as file:
            file.write(text)
        written = OutputFile(path, self.form, rows, len(text), hashlib.sha256(text).hexdigest())
        self._save_provenance(written, house, house.asked)

    def _save_provenance(self, written: OutputFile, house: Trailhouse, asked: Sequence[Statement]) -> None:
        from trailhouse.output import write_provenance  # noqa: PLC0415 - only with --output

        about = house.provenance(asked, self.now)
        inputs: Iterable[Input] = _listed(house)
        missing: Iterable[Missing] = ()
        if asked:
            evidence, kinds = house.evidence_of(*asked), house.kinds_of(*asked)
            inputs, missing = evidence.inputs(kinds), evidence.missing(kinds)
        path = write_provenance(written, about, inputs, missing, is_source=house.is_source)
        rows = count_of(written.rows, "row")
        self.console.note(f"{rows} in {written.path}; where they come from: {path.name}")

    def finish(self, gaps: Sequence[Gap]) -> int:
        """Say what is missing from an answer; the exit code."""
        from trailhouse.cli.telling import tell_gaps  # noqa: PLC0415 - with the session

        tell_gaps(self.console, gaps)
        return INCOMPLETE if gaps else 0

    def confirm(self, question: str) -> bool:
        """Ask, unless --yes. Raises UsageError with --no-input or where nobody can answer."""
        if self.yes:
            return True
        if self.no_input or not sys.stdin.isatty():
            raise UsageError(f"{question} Say --yes to do it without being asked")
        self.console.note(f"{question} [y/N]")
        return self._agreed(sys.stdin.readline().strip().lower() in {"y", "yes"})

    def confirm_count(self, question: str, count: int, what: str) -> bool:
        """Ask for a number to be typed, unless --yes. Raises UsageError as `confirm` does.

        Args:
            question: what is about to be done.
            count: the right answer.
            what: is counted.
        """
        if self.yes:
            return True
        if self.no_input or not sys.stdin.isatty():
            raise UsageError(f"{question} Say --yes to do it without being asked")
        self.console.note(f"{question} Type the number of {what} to go on:")
        return self._agreed(sys.stdin.readline().strip().replace(",", "") == str(count))

    def _agreed(self, agreed: bool) -> bool:
        if not agreed:
            self.console.note("nothing was done")
        return agreed


def _listed(house: Trailhouse) -> Iterable[Input]:
    """What an inventory stands on: names and sizes."""
    from trailhouse.output import Input  # noqa: PLC0415 - only with --output

    return (Input(item.source, item.name, item.size, None) for item in house.sources.list())
