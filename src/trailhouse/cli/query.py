"""`trailhouse query`: run SQL, or open a shell."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trailhouse.cli.call import Call
from trailhouse.core.sizes import count_of, format_size
from trailhouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from trailhouse.dialect import Statement
    from trailhouse.lake.pending import Listing
    from trailhouse.output import Format, OutputFile
    from trailhouse.session import Trailhouse

_DIALECTS = ("athena", "cloudtrail-lake")
_EXAMPLE = "give a statement, such as 'SELECT * FROM cloudtrail LIMIT 5'"
_WORD = re.compile(r"\s*[\w.-]+\s*;?\s*")

MaxScan = Annotated[
    str | None,
    typer.Option("--max-scan", metavar="SIZE", help="Do not run what would read more, such as 10GB."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show the statement, what it would read, and its price.")
]
Dialect = Annotated[
    str,
    typer.Option("--dialect", metavar="NAME", help="What the SQL is written for: athena or cloudtrail-lake."),
]
Store = Annotated[
    list[str] | None,
    typer.Option(
        "--store",
        metavar="ID=TABLE",
        help="Table that an event data store of CloudTrail Lake stands for; repeatable.",
    ),
]


def run(
    ctx: typer.Context,
    sql: Annotated[
        str | None, typer.Argument(help="SQL as in Athena; - reads it from standard input.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("-f", "--file", metavar="FILE", help="File that holds the SQL.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="NAME=VALUE", help="Value for :NAME in the SQL; repeatable."),
    ] = None,
    engine: Annotated[
        str | None, typer.Option("--engine", metavar="NAME", help="duckdb, athena or trino.")
    ] = None,
    workgroup: Annotated[
        str | None, typer.Option("--workgroup", metavar="NAME", help="Athena's workgroup.")
    ] = None,
    trino_url: Annotated[
        str | None, typer.Option("--trino-url", metavar="URL", help="Trino's server.")
    ] = None,
    max_scan: MaxScan = None,
    dry_run: DryRun = False,
    dialect: Dialect = "athena",
    store: Store = None,
) -> int:
    """Run SQL over the logs; without SQL, open a shell."""
    own = {"engine": engine, "workgroup": workgroup, "trino_url": trino_url, "max_scan": max_scan}
    call: Call = replace(ctx.obj, flags={**ctx.obj.flags, **own})
    params = _params(param or [])
    text = _statement(call, sql, file)
    if _lakes(dialect, store or []):
        text, params = _moved(call, text, params, store or []), {}
    answering = call.settings.answering()
    if answering != "duckdb":
        return _elsewhere(call, answering, text, params, dry=dry_run)
    with call.open() as house:
        call.say_window()
        if text is None:
            return _shell(call, house)
        if dry_run:
            return _dry_run(call, house, text, params)
        return _answer(call, house, text, params)


def _lakes(dialect: str, stores: list[str]) -> bool:
    """Whether the SQL is CloudTrail Lake's. Raises UsageError."""
    if dialect not in _DIALECTS:
        raise UsageError(f"--dialect {dialect}: there is no such dialect: it is {' or '.join(_DIALECTS)}")
    if stores and dialect == "athena":
        raise UsageError("--store is for CloudTrail Lake's SQL: add --dialect cloudtrail-lake")
    return dialect != "athena"


def _moved(call: Call, text: str | None, params: dict[str, str], stores: list[str]) -> str:
    """A statement of CloudTrail Lake's as one of Athena's, its parameters bound."""
    from trailhouse.dialect import from_cloudtrail_lake  # noqa: PLC0415 - with the dialect

    if text is None:
        raise UsageError(
            "the shell takes Athena's SQL: give the statement of CloudTrail Lake on the command line"
        )
    tables = {}
    for one in stores:
        name, equals, table = one.rpartition("=")
        if not equals or not name or not table:
            raise UsageError(f"--store {one}: give ID=TABLE, such as --store 3f85...=cloudtrail_events")
        tables[name] = table
    options = call.options
    moved = from_cloudtrail_lake(
        text, now=call.now, params=params, stores=tables, late=options.late, prefix=options.table_prefix
    )
    for note in moved.notes:
        call.console.note(note)
    return moved.sql


def _elsewhere(call: Call, engine: str, text: str | None, params: dict[str, str], *, dry: bool) -> int:
    from trailhouse.cli import elsewhere  # noqa: PLC0415 - boto3 is heavy

    with elsewhere.open_remote(call, engine) as house:
        call.say_window()
        if text is None:
            return elsewhere.shell(call, house)
        return elsewhere.run(call, house, text, params, dry=dry)


def _statement(call: Call, sql: str | None, file: Path | None) -> str | None:
    """The SQL; None: there is a person to ask for it."""
    from trailhouse.cli.statements import split_statements  # noqa: PLC0415 - with the dialect

    text = _given(call, sql, file)
    if text is None:
        if call.no_input:
            raise UsageError("no SQL is given, and --no-input forbids to ask for it")
        return None
    if split_statements(text) == ([], ""):
        raise UsageError(f"the statement is empty: {_EXAMPLE}")
    if _WORD.fullmatch(text):
        raise UsageError(f"{text.strip()!r} is no SQL: {_EXAMPLE}")
    return text


def _given(call: Call, sql: str | None, file: Path | None) -> str | None:
    if sql is not None and file is not None:
        raise UsageError("give SQL or --file, not both")
    if file is not None and file != Path("-"):
        return _text_of(file)
    if sql == "-" or file is not None or (sql is None and not sys.stdin.isatty()):
        if any(source.uri == "-" for source in call.settings.sources):
            raise UsageError("standard input is a source here: give the SQL as an argument or by --file")
        return sys.stdin.read()
    return sql


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise UsageError(f"--file {file}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise UsageError(f"--file {file}: is no text in UTF-8") from None


def _params(given: list[str]) -> dict[str, str]:
    params = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--param {text}: give NAME=VALUE, such as --param user=alice")
        if name in params:
            raise UsageError(f"--param {name} is given twice: give it once")
        params[name] = value
    return params


def _answer(call: Call, house: Trailhouse, text: str, params: dict[str, str]) -> int:
    from trailhouse.cli.telling import tell_report  # noqa: PLC0415 - with the session

    result = house.query(text, **params)
    if house.report:
        tell_report(call.console, house.report)
    if call.output:
        rows = call.save(result.reader, call.output, call.form, house, [result.statement]).rows
    else:
        rows = call.show(result.reader)
    for line in house.explain(result.statement, rows):
        call.console.note(line)
    return call.finish(house.evidence_of(result.statement).gaps(house.kinds_of(result.statement)))


def _dry_run(call: Call, house: Trailhouse, text: str, params: dict[str, Any]) -> int:
    call.refuse_output("query --dry-run")
    statement, listing = house.preview(text, params)
    count = size = 0
    if not listing.new:  # else only taking in tells which objects answer
        for one in house.evidence_of(statement).inputs(house.kinds_of(statement)):
            count, size = count + 1, size + one.size
    if call.json or call.format == "json":
        _write_json(statement, listing, None if listing.new else (count, size))
        return 0
    sys.stdout.write(statement.athena + "\n")
    if listing.new:
        first = f"{count_of(listing.new, 'object')} of {format_size(listing.new_bytes)}"
        call.console.note(f"would take in {first} first, and answer by the local lake, free of charge")
    else:
        objects = f"{count_of(count, 'object')} of {format_size(size)}"
        call.console.note(f"answered from {objects}, by the local lake, free of charge")
    call.console.detail(statement.duckdb)
    return 0


def _write_json(statement: Statement, listing: Listing, inputs: tuple[int, int] | None) -> None:
    """The same for programs; objects and bytes are null where they are not known yet."""
    import json  # noqa: PLC0415 - only with --json

    objects, size = inputs or (None, None)
    told = {
        "engine": "duckdb", "statement": statement.athena, "tables": list(statement.tables),
        "take_in_objects": listing.new, "take_in_bytes": listing.new_bytes,
        "objects": objects, "bytes": size, "cost_usd": "0",
    }  # fmt: skip
    sys.stdout.write(json.dumps(told, indent=2) + "\n")


def _shell(call: Call, house: Trailhouse) -> int:
    import shutil  # noqa: PLC0415 - for the shell only

    from trailhouse.cli.shell import Shell, Terminal  # noqa: PLC0415 - prompt_toolkit is heavy
    from trailhouse.cli.telling import tell_report  # noqa: PLC0415 - with the session
    from trailhouse.core.schema import RECORD_COLUMNS  # noqa: PLC0415 - likewise
    from trailhouse.dialect import FUNCTIONS  # noqa: PLC0415 - likewise

    call.refuse_output("query without SQL")
    tell_report(call.console, house.report or house.ingest())
    code = call.finish(house.evidence.gaps(list(RECORD_COLUMNS)))
    terminal = Terminal(sys.stdout.buffer, lambda: shutil.get_terminal_size().columns, call.console)
    history = house.workspace.root / "history"
    database = _Database(call, house)
    Shell(database, terminal, history, sorted(FUNCTIONS), database.save, call.form, database.explain).run()
    return code


class _Database:
    """The house as the shell asks it."""

    def __init__(self, call: Call, house: Trailhouse) -> None:
        self._call = call
        self._house = house
        self._last: Statement | None = None

    def execute(self, sql: str) -> pa.RecordBatchReader:
        result = self._house.query(sql)
        self._last = result.statement
        return result.reader

    def save(self, sql: str, path: Path, form: Format) -> OutputFile:
        self._call.check_output(path, self._house.is_source)
        reader = self.execute(sql)
        return self._call.save(reader, path, form, self._house, [self._last] if self._last else [])

    def explain(self, rows: int) -> Sequence[str]:
        return self._house.explain(self._last, rows) if self._last else ()

    def interrupt(self) -> None:
        self._house.engine.interrupt()

    def tables(self) -> dict[str, list[tuple[str, str]]]:
        return self._house.tables()
