"""The SQL shell: statements until `;`, a few commands with a dot, errors said and never thrown."""

import shlex
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa
from prompt_toolkit import PromptSession
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import Output

from trailhouse.cli.completion import NameCompleter, Names, Tables
from trailhouse.cli.statements import split_statements
from trailhouse.core.sizes import count_of
from trailhouse.errors import TrailhouseError, UsageError
from trailhouse.output import Console, Format, OutputFile, escape, format_of, write, write_file

COMMANDS = {
    ".tables": "names of the tables",
    ".schema [TABLE]": "columns of one table, or of all",
    ".mode [FORMAT]": "show results as table, line, csv, json or ndjson",
    ".output FILE|stdout": "write the next result to FILE, its format from the suffix",
    ".width [CELLS|auto]": "width that results may take",
    ".help": "this list",
    ".quit": "leave; so does Ctrl-D",
}
_NAMES = tuple(usage.split()[0] for usage in COMMANDS)
_WAIT = 0.2


class Database(Protocol):
    """What the shell asks."""

    def execute(self, sql: str) -> pa.RecordBatchReader:
        """Run one statement and return its rows; called from another thread than the rest."""

    def interrupt(self) -> None:
        """Make the statement that runs fail soon."""

    def tables(self) -> Tables:
        """Return the names of tables with their columns' names and types."""


@dataclass(slots=True)
class Terminal:
    """Where the shell reads and writes.

    Attributes:
        stream: takes results.
        width: returns the cells of a line.
        console: takes talk.
        input: the keyboard, None for the process's own.
        output: the screen, None for the process's own.
    """

    stream: BinaryIO
    width: Callable[[], int]
    console: Console
    input: Input | None = None
    output: Output | None = None


class _CancelledError(Exception):
    """The person pressed Ctrl-C."""


@dataclass(slots=True)
class Shell:
    """Reads statements and commands until it is left.

    Attributes:
        database: answers.
        terminal: where to read and write.
        history: file that remembers what was typed, None for none.
        functions: names of functions, to complete.
        save: writes the answer of a statement to a file, with its provenance; by default without.
        form: how results are shown.
        explain: says why an answer with so many rows is empty or odd, in few lines.
    """

    database: Database
    terminal: Terminal
    history: Path | None = None
    functions: Sequence[str] = ()
    save: Callable[[str, Path, Format], OutputFile] | None = None
    form: Format = Format.TABLE
    explain: Callable[[int], Sequence[str]] | None = None
    _target: Path | None = field(default=None, init=False)
    _width: int | None = field(default=None, init=False)
    _tables: Tables | None = field(default=None, init=False)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)

    def run(self) -> None:
        """Read and answer until `.quit` or Ctrl-D; nothing that is typed raises."""
        session: PromptSession[str] = PromptSession(
            message="trailhouse> ",
            prompt_continuation="       ...> ",
            multiline=True,
            key_bindings=_bindings(),
            completer=NameCompleter(Names(self._offered_tables, self.functions, _NAMES)),
            history=_history(self.history),
            input=self.terminal.input,
            output=self.terminal.output,
        )
        self.terminal.console.note("SQL as in Athena; end it with ; and see .help for more.")
        while True:
            try:
                text = session.prompt()
            except KeyboardInterrupt:
                continue
            except EOFError:
                return
            if not self.answer(text):
                return

    def answer(self, text: str) -> bool:
        """Do what `text` says, a command or statements; return False when it says to leave."""
        stripped = text.strip()
        try:
            if stripped.startswith("."):
                return self._command(stripped)
            statements, rest = split_statements(text)
            for statement in [*statements, rest] if rest else statements:
                self._guarded(partial(self._statement, statement))
        except (_CancelledError, KeyboardInterrupt):
            self.terminal.console.note("cancelled")
        except TrailhouseError as error:
            self.terminal.console.error(str(error))
        except Exception as error:  # noqa: BLE001 - whatever an engine raises is shown, the shell goes on
            self.terminal.console.error(f"{type(error).__name__}: {error}")
        return True

    def _guarded(self, work: Callable[[], None]) -> None:
        """Run `work` in a thread, so that Ctrl-C is heard while an engine computes; raise what it raises."""
        failures: list[BaseException] = []

        def attempt() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - handed over to the waiting thread
                failures.append(error)

        self._stop.clear()
        thread = threading.Thread(target=attempt, daemon=True)
        thread.start()
        while True:
            try:
                thread.join(_WAIT)
                if not thread.is_alive():
                    break
            except KeyboardInterrupt:
                self._stop.set()
                self.database.interrupt()
        self._tables = None
        if self._stop.is_set():
            raise _CancelledError
        if failures:
            raise failures[0]

    def _statement(self, sql: str) -> None:
        began = time.monotonic()
        if self._target is not None:
            output = self._save(sql, self._target)
            self._target = None
            self.terminal.console.note(
                f"{count_of(output.rows, 'row')} in {escape(str(output.path))}; output is stdout again"
            )
            return
        rows = self._stoppable(self.database.execute(sql))
        width = self._width or self.terminal.width()
        written = write(
            rows, self.form, self.terminal.stream, width=width, colour=self.terminal.console.colour
        )
        self.terminal.console.note(
            f"{written.footer or count_of(written.rows, 'row')} in {time.monotonic() - began:.2f} s"
        )
        for line in self.explain(written.rows) if self.explain else ():
            self.terminal.console.note(line)

    def _save(self, sql: str, path: Path) -> OutputFile:
        form = format_of(path)
        if self.save is not None:
            return self.save(sql, path, form)
        return write_file(self._stoppable(self.database.execute(sql)), path, form)

    def _stoppable(self, reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
        def batches() -> Iterator[pa.RecordBatch]:
            for batch in reader:
                if self._stop.is_set():
                    raise _CancelledError
                yield batch

        return pa.RecordBatchReader.from_batches(reader.schema, batches())

    def _known_tables(self) -> Tables:
        if self._tables is None:
            self._tables = self.database.tables()
        return self._tables

    def _offered_tables(self) -> Tables:
        """Return the tables for completion, none when they cannot be told: nobody asked to see an error."""
        try:
            return self._known_tables()
        except Exception:  # noqa: BLE001 - the library would show a traceback while somebody types
            return {}

    def _command(self, line: str) -> bool:
        try:
            name, *words = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"{line}: {error}") from error
        if name in {".quit", ".exit"}:
            return False
        known = {".tables": self._list, ".schema": self._schema, ".mode": self._mode, ".output": self._output,
                 ".width": self._set_width, ".help": self._help}  # fmt: skip
        if name not in known:
            near = get_close_matches(name, _NAMES, n=1)
            raise UsageError(
                f"{name}: no such command: {f'did you mean {near[0]}?' if near else 'see .help'}"
            )
        known[name](" ".join(words))
        return True

    def _list(self, _: str) -> None:
        self._print(*sorted(self._known_tables()))

    def _schema(self, name: str) -> None:
        tables = self._known_tables()
        if name and name not in tables:
            near = get_close_matches(name, list(tables), n=1)
            raise UsageError(
                f"{name}: no such table: {f'did you mean {near[0]}?' if near else 'see .tables'}"
            )
        for table in [name] if name else sorted(tables):
            widest = max((len(column) for column, _ in tables[table]), default=0)
            self._print(table, *(f"  {column:{widest}}  {kind}" for column, kind in tables[table]))

    def _mode(self, name: str) -> None:
        shown = [form.value for form in Format if form is not Format.PARQUET]
        if name and name not in shown:
            raise UsageError(f"{name}: no format to look at: give one of {', '.join(shown)}")
        self.form = Format(name) if name else self.form
        self.terminal.console.note(f"results are shown as {self.form}")

    def _output(self, name: str) -> None:
        self._target = Path(name).expanduser() if name not in {"", "stdout"} else None
        if self._target is None:
            self.terminal.console.note("results are shown here")
            return
        try:
            form = format_of(self._target)
        except TrailhouseError:
            self._target = None
            raise
        self.terminal.console.note(f"the next result goes to {name} as {form}")

    def _set_width(self, text: str) -> None:
        if text not in {"", "auto"} and not (text.isascii() and text.isdigit() and int(text)):
            raise UsageError(f"{text}: no width: give a number of cells, or auto")
        self._width = int(text) if text not in {"", "auto"} else None
        self.terminal.console.note(f"results may take {self._width or self.terminal.width()} cells")

    def _help(self, _: str) -> None:
        widest = max(map(len, COMMANDS))
        self._print(*(f"{usage:{widest}}  {meaning}" for usage, meaning in COMMANDS.items()))
        self._print(
            "A statement may take several lines and ends with ;. Ctrl-C cancels it, also while it runs."
        )

    def _print(self, *lines: str) -> None:
        self.terminal.stream.write("".join(f"{escape(line)}\n" for line in lines).encode())
        self.terminal.stream.flush()


def _bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.newline()

    return bindings


def is_complete(text: str) -> bool:
    """Return whether Enter hands `text` over: a command, nothing at all, or a statement that ended."""
    if text.strip().startswith("."):
        return True
    return not split_statements(text)[1]


def _history(path: Path | None) -> History:
    """Return what was typed before; the file is its owner's alone, for it may name clients."""
    if path is None:
        return InMemoryHistory()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))
