"""One call of the program: what was given on the command line, and what follows from it."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailhouse.config import Settings, Source, load
from trailhouse.core.times import format_duration, format_time, parse_time
from trailhouse.errors import UsageError
from trailhouse.output import Format, OutputFile, format_of, progress_on, write, write_file
from trailhouse.output.files import refuse_source, whole_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import pyarrow as pa

    from trailhouse.output import Console
    from trailhouse.session import Options, Trailhouse

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
    output: Path | None
    yes: bool
    no_input: bool
    console: Console

    @cached_property
    def settings(self) -> Settings:
        """The settings: flag, environment, file, default. Raises ConfigError."""
        settings = load(self.flags, self.environ, self.config)
        for note in settings.notes:
            self.console.warn(note)
        return settings

    @cached_property
    def options(self) -> Options:
        """How to open the sources. Raises UsageError."""
        from trailhouse.session import Options  # noqa: PLC0415 - heavy, and `version` does without

        since, until = self._moment("--since", self.since), self._moment("--until", self.until)
        if since and until and since >= until:
            raise UsageError(
                f"--since {self.since} is not before --until {self.until}: nothing lies between them"
            )
        return Options(
            since=since, until=until, accounts=self.accounts, regions=self.regions, late=self.settings.late,
            workdir=self.settings.workdir, jobs=self.settings.jobs, table_prefix=self.settings.table_prefix,
        )  # fmt: skip

    def _moment(self, flag: str, text: str | None) -> datetime | None:
        try:
            return None if text is None else parse_time(text, self.now)
        except ValueError as error:
            raise UsageError(f"{flag}: {error}") from None

    def open(self) -> Trailhouse:
        """Open the sources, and say what the window means. Raises SourceError, ConfigError."""
        from trailhouse.cli.telling import IngestTalk  # noqa: PLC0415 - with the session
        from trailhouse.session import Trailhouse, open_storages  # noqa: PLC0415 - heavy

        sources = open_storages(self._places(), self.options, sys.stdin.buffer)
        talk = IngestTalk(self.console, progress_on(self.console))
        return Trailhouse(sources, self.options, progress=talk, now=self.now)

    def _places(self) -> tuple[Source, ...]:
        return self.settings.log_sources()

    def say_window(self) -> None:
        """Say which deliveries a window of event times is looked for in."""
        since, until = self.options.since, self.options.until
        if since or until:
            first = f"from {format_time(since)}" if since else ""
            last = f"before {format_time(until)}" if until else ""
            late = format_duration(self.options.late)
            self.console.note(
                f"events {first}{' and ' if first and last else ''}{last}, in files delivered up to {late} later (--late)"
            )

    @cached_property
    def form(self) -> Format:
        """The format of the result. Raises UsageError."""
        if self.format is None:
            return format_of(self.output) if self.output else Format.TABLE
        try:
            return Format(self.format)
        except ValueError:
            names = ", ".join(Format)
            raise UsageError(f"--format {self.format}: there is no such format; there are {names}") from None

    @property
    def width(self) -> int | None:
        """Cells of the terminal that takes results; None when none does."""
        return shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else None

    def show(self, reader: pa.RecordBatchReader) -> int:
        """Write a result to standard output; how many rows it had."""
        written = write(reader, self.form, sys.stdout.buffer, width=self.width, colour=self.console.colour)
        if written.footer:
            self.console.note(written.footer)
        return written.rows

    def save(
        self, reader: pa.RecordBatchReader, path: Path, form: Format, house: Trailhouse | None
    ) -> OutputFile:
        """Write a result to a file outside of every source."""
        is_source = (lambda _: False) if house is None else house.is_source
        return write_file(reader, path, form, is_source=is_source)

    def save_text(self, text: bytes, path: Path, house: Trailhouse) -> None:
        """Write text to a file outside of every source."""
        refuse_source(path, house.is_source)
        with whole_file(path) as stream:
            stream.write(text)

    def confirm(self, question: str) -> bool:
        """Ask, unless --yes; with --no-input or without a terminal the answer is no."""
        if self.yes:
            return True
        if self.no_input or not sys.stdin.isatty():
            raise UsageError(f"{question} Say --yes to do it without being asked")
        self.console.note(f"{question} [y/N]")
        return sys.stdin.readline().strip().lower() in {"y", "yes"}
