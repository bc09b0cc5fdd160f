"""What `trailhouse query` does where Athena or Trino answers: price, run, and what is said of it."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from trailhouse.aws.gate import Gate
from trailhouse.cli.call import INCOMPLETE
from trailhouse.connection import opened
from trailhouse.core.prices import format_money, scan_cost
from trailhouse.core.sizes import count_of, format_size
from trailhouse.core.times import format_duration
from trailhouse.engine.trino import Server
from trailhouse.output import Status
from trailhouse.remote import AthenaDoor, TrinoDoor, athena_door, trino_door
from trailhouse.storage.access import general_access

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from trailhouse.cli.call import Call
    from trailhouse.config import Settings
    from trailhouse.dialect import Statement
    from trailhouse.engine.price import Price
    from trailhouse.output import Format, OutputFile
    from trailhouse.remote import Remote

_NAMES = {"athena": "Athena", "trino": "Trino"}


def open_remote(call: Call, engine: str) -> Remote:
    """The engine that answers; it is not called yet.

    Raises:
        ConfigError: the settings are wrong.
        UsageError: no Trino is named, or its client is not installed.
        CredentialsError: there is no such profile.
    """
    settings = call.settings
    gate = Gate(general_access(settings))
    watch = Status(call.console, _NAMES[engine])
    requests = _requests(settings)
    door: AthenaDoor | TrinoDoor
    if engine == "athena":
        door = athena_door(
            gate, database=settings.database, workgroup=settings.workgroup, now=call.now, watch=watch,
            output_bucket=settings.output_s3_bucket, per_tb=settings.price_per_tb, requests=requests,
        )  # fmt: skip
    else:
        server = settings.trino_url and Server(
            settings.trino_url, settings.trino_catalog, settings.trino_user
        )
        door = trino_door(
            server or None,
            database=settings.database,
            gate=gate,
            now=call.now,
            watch=watch,
            requests=requests,
        )
    sources = [source.uri for source in settings.sources]
    return opened(door, gate, call.options, now=call.now, max_scan=settings.max_scan, sources=sources)


def run(call: Call, house: Remote, text: str, params: Mapping[str, str], *, dry: bool) -> int:
    """Answer a statement, or say only what it would cost."""
    statement = house.translate(text, params)
    if dry:
        return _dry_run(call, house, statement)
    price = house.check(statement)
    _tell_price(call, house, price)
    try:
        rows = _rows(call, house, text, statement)
    except KeyboardInterrupt:
        call.console.note(f"the query was stopped in {_NAMES[house.door.engine.name]}")
        raise
    tell_run(call, house)
    for line in house.explain(statement, rows):
        call.console.note(line)
    return _finish(call, price)


def _rows(call: Call, house: Remote, text: str, statement: Statement) -> int:
    """Run a statement and write what it answers; how many rows that are."""
    if call.output:
        return save(call, house, text, call.output, call.form, statement).rows
    return call.show(house.answer(statement).reader)


def save(
    call: Call, house: Remote, text: str, path: Path, form: Format, statement: Statement | None = None
) -> OutputFile:
    """Write an answer to a file and, beside it, where it comes from. Raises OutputError."""
    from trailhouse.output import write_file, write_provenance  # noqa: PLC0415 - loads Arrow

    call.check_output(path, house.is_source)
    statement = statement or house.translate(text)
    written = write_file(house.answer(statement).reader, path, form, is_source=house.is_source)
    about = write_provenance(written, house.provenance(statement, call.now), (), is_source=house.is_source)
    call.console.note(f"{count_of(written.rows, 'row')} in {path}; where they come from: {about.name}")
    return written


def shell(call: Call, house: Remote) -> int:
    """Ask statement by statement."""
    import shutil  # noqa: PLC0415 - for the shell only

    from trailhouse.cli.shell import Shell, Terminal  # noqa: PLC0415 - prompt_toolkit is heavy
    from trailhouse.dialect import FUNCTIONS  # noqa: PLC0415 - with the shell
    from trailhouse.session import workdir  # noqa: PLC0415 - heavy

    call.refuse_output("query without SQL")
    history = workdir(call.options) / f"history-{house.door.engine.name}"
    history.parent.mkdir(parents=True, exist_ok=True)
    terminal = Terminal(sys.stdout.buffer, lambda: shutil.get_terminal_size().columns, call.console)
    database = _Database(call, house)
    Shell(database, terminal, history, sorted(FUNCTIONS), database.save, call.form, database.explain).run()
    return 0


class _Database:
    """The engine as the shell asks it."""

    def __init__(self, call: Call, house: Remote) -> None:
        self._call = call
        self._house = house
        self._last: Statement | None = None

    def execute(self, sql: str) -> pa.RecordBatchReader:
        statement = self._house.translate(sql)
        _tell_price(self._call, self._house, self._house.check(statement))
        self._last = statement
        return self._house.answer(statement).reader

    def save(self, sql: str, path: Path, form: Format) -> OutputFile:
        return save(self._call, self._house, sql, path, form)

    def explain(self, rows: int) -> Sequence[str]:
        if self._last is None:
            return ()
        tell_run(self._call, self._house)
        return self._house.explain(self._last, rows)

    def interrupt(self) -> None:
        self._house.door.engine.interrupt()

    def tables(self) -> dict[str, list[tuple[str, str]]]:
        return self._house.tables()


def tell_run(call: Call, house: Remote) -> None:
    """Say what the run took."""
    told = house.door.run()
    if not told.get("query_id"):
        return
    parts = []
    if told.get("bytes_scanned") is not None:
        parts.append(f"{format_size(told['bytes_scanned'])} read")
        if house.door.per_tb is not None:
            parts.append(format_money(scan_cost(told["bytes_scanned"], house.door.per_tb)))
    if told.get("milliseconds"):
        parts.append(format_duration(timedelta(seconds=max(1, round(told["milliseconds"] / 1_000)))))
    where = f", workgroup {told['workgroup']}" if told.get("workgroup") else ""
    call.console.note(f"{', '.join(parts)} (query {told['query_id']}{where})")
    nested = getattr(house.door.engine, "nested", [])
    if nested:
        call.console.detail(f"rows, arrays and maps come from Athena as text: {', '.join(nested)}")


def _dry_run(call: Call, house: Remote, statement: Statement) -> int:
    call.refuse_output("query --dry-run")
    price = house.price(statement)
    if call.json or call.format == "json":
        sys.stdout.write(json.dumps(_as_json(house, statement, price), indent=2) + "\n")
    else:
        sys.stdout.write(statement.athena + "\n")
        call.console.note(price.sentence(house.door.per_tb))
        if not price.unknown:  # else the sentence has the reasons
            call.console.note(price.how())
        for line in () if price.partitions else house.explain(statement, 0):
            call.console.note(line)
    house.check(statement)
    return _finish(call, price)


def _as_json(house: Remote, statement: Statement, price: Price) -> dict[str, Any]:
    return {
        "engine": house.door.engine.name,
        "statement": statement.athena,
        "tables": list(statement.tables),
        "max_scan": house.max_scan,
        **price.as_json(house.door.per_tb),
    }


def _tell_price(call: Call, house: Remote, price: Price) -> None:
    if price.partitions or price.unknown or price.size.value:
        call.console.note(price.sentence(house.door.per_tb))


def _finish(call: Call, price: Price) -> int:
    """Say what is missing from an answer; the exit code."""
    if not price.archived:
        return 0
    call.console.warn(
        f"{count_of(price.archived, 'object is', 'objects are')} archived, and left out of the answer: "
        "restore them first (aws s3api restore-object)"
    )
    return INCOMPLETE


def _requests(settings: Settings) -> dict[str, dict[str, str]]:
    """By bucket, what its listings have to carry."""
    found = {}
    for source in settings.sources:
        payer = {"RequestPayer": "requester"} if source.requester_pays else {}
        owner = source.expected_bucket_owner
        found[source.uri.removeprefix("s3://").partition("/")[0]] = {
            **payer,
            **({"ExpectedBucketOwner": owner} if owner else {}),
        }
    return found
