"""`trailhouse query`: run SQL, or open a shell."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trailhouse.cli.call import INCOMPLETE, Call
from trailhouse.core.schema import RECORD_COLUMNS
from trailhouse.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from trailhouse.output import Format, OutputFile
    from trailhouse.session import Result, Trailhouse


def run(
    ctx: typer.Context,
    sql: Annotated[
        str | None, typer.Argument(help="SQL as in Athena; - reads it from standard input.")
    ] = None,
    file: Annotated[Path | None, typer.Option("-f", "--file", help="File that holds the SQL.")] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", help="NAME=VALUE for :NAME; repeatable.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the statement and what it would read.")
    ] = False,
) -> int:
    """Run SQL over the logs; without SQL, on a terminal, open a shell."""
    call: Call = ctx.obj
    params = _params(param or [])
    text = _statement(sql, file)
    with call.open() as house:
        call.say_window()
        if text is None:
            return _shell(call, house)
        if dry_run:
            return _dry_run(call, house, text, params)
        return _answer(call, house, text, params)


def _statement(sql: str | None, file: Path | None) -> str | None:
    if sql is not None and file is not None:
        raise UsageError("give SQL or --file, not both")
    if file is not None and file != Path("-"):
        try:
            return file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--file {file}: cannot be read ({error})") from None
    if sql == "-" or file is not None or (sql is None and not sys.stdin.isatty()):
        return sys.stdin.read()
    return sql


def _params(given: list[str]) -> dict[str, str]:
    params = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--param {text}: give NAME=VALUE, such as --param user=alice")
        params[name] = value
    return params


def _answer(call: Call, house: Trailhouse, text: str, params: dict[str, str]) -> int:
    from trailhouse.cli.telling import tell_gaps, tell_report  # noqa: PLC0415 - with the session

    result = house.query(text, **params)
    if house.report:
        tell_report(call.console, house.report)
    if call.output:
        written = save_with_provenance(call, house, result, call.output, call.form)
        rows = written.rows
        call.console.note(
            f"{rows:,} rows in {call.output}, where they come from in {call.output}.provenance.json"
        )
    else:
        rows = call.show(result.reader)
    gaps = house.evidence.gaps(house.kinds_of(result.statement))
    tell_gaps(call.console, gaps)
    return INCOMPLETE if gaps else 0


def save_with_provenance(
    call: Call, house: Trailhouse, result: Result, path: Path, form: Format
) -> OutputFile:
    """Write a result and, beside it, where it comes from."""
    from trailhouse.output import write_provenance  # noqa: PLC0415 - only with --output

    written = call.save(result.reader, path, form, house)
    kinds, evidence = house.kinds_of(result.statement), house.evidence
    write_provenance(
        written, house.provenance(result.statement, call.now), evidence.inputs(kinds), evidence.missing(kinds),
        is_source=house.is_source,
    )  # fmt: skip
    return written


def _dry_run(call: Call, house: Trailhouse, text: str, params: dict[str, Any]) -> int:
    from trailhouse.core.sizes import format_size  # noqa: PLC0415

    statement = house.translate(text, params)
    sys.stdout.write(statement.athena + "\n")
    count = size = 0
    for one in house.evidence.inputs(house.kinds_of(statement)):
        count, size = count + 1, size + one.size
    call.console.note(
        f"answered from {count:,} objects of {format_size(size)}, by the local lake, free of charge"
    )
    call.console.detail(statement.duckdb)
    return 0


def _shell(call: Call, house: Trailhouse) -> int:
    import shutil  # noqa: PLC0415

    from trailhouse.cli.shell import Shell, Terminal  # noqa: PLC0415 - prompt_toolkit is heavy
    from trailhouse.cli.telling import tell_gaps, tell_report  # noqa: PLC0415
    from trailhouse.dialect import FUNCTIONS  # noqa: PLC0415

    tell_report(call.console, house.report or house.ingest())
    tell_gaps(call.console, house.evidence.gaps(list(RECORD_COLUMNS)))
    terminal = Terminal(sys.stdout.buffer, lambda: shutil.get_terminal_size().columns, call.console)

    def save(sql: str, path: Path, form: Format) -> OutputFile:
        return save_with_provenance(call, house, house.query(sql), path, form)

    Shell(
        _Database(house), terminal, house.workspace.root / "history", sorted(FUNCTIONS), save, call.form
    ).run()
    return 0


class _Database:
    """The house as the shell asks it."""

    def __init__(self, house: Trailhouse) -> None:
        self._house = house

    def execute(self, sql: str) -> pa.RecordBatchReader:
        return self._house.query(sql).reader

    def interrupt(self) -> None:
        self._house.engine.interrupt()

    def tables(self) -> dict[str, list[tuple[str, str]]]:
        return self._house.tables()
