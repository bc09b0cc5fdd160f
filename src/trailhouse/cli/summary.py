"""`trailhouse summary`: a first look."""

from __future__ import annotations

import json
import shlex
import sys
from io import BytesIO
from typing import TYPE_CHECKING

import typer

from trailhouse.cli.call import INCOMPLETE
from trailhouse.core.schema import RECORD_COLUMNS
from trailhouse.errors import UsageError

if TYPE_CHECKING:
    from trailhouse.cli.call import Call
    from trailhouse.summary import Section


def run(ctx: typer.Context) -> int:
    """Take a first look, and name three commands to go on with.

    Span, accounts, records, duplicates, gaps, principals, networks, errors, logins, changes to logging.
    """
    from trailhouse.cli.telling import tell_gaps, tell_report  # noqa: PLC0415 - with the session
    from trailhouse.output import Format  # noqa: PLC0415 - loads Arrow
    from trailhouse.summary import summarize  # noqa: PLC0415 - heavy

    call: Call = ctx.obj
    if call.form not in {Format.TABLE, Format.LINE, Format.JSON}:
        raise UsageError(
            f"--format {call.form}: a summary is table, line or json; ask single questions by `query`"
        )
    with call.open() as house:
        call.say_window()
        sections = list(summarize(house))
        if house.report:
            tell_report(call.console, house.report)
        for line in house.explain(house.asked[0], rows=1):
            call.console.note(line)
        text = _as_json(sections) if call.form is Format.JSON else _as_text(call, sections)
        if call.output:
            call.save_text(text, call.output, house, sum(section.rows.num_rows for section in sections))
        else:
            sys.stdout.buffer.write(text)
            sys.stdout.buffer.flush()
        gaps = house.evidence.gaps(list(RECORD_COLUMNS))
        tell_gaps(call.console, gaps)
    for command in _next(call, sections):
        call.console.note(f"next: {command}")
    return INCOMPLETE if gaps else 0


def _as_text(call: Call, sections: list[Section]) -> bytes:
    from trailhouse.output import write  # noqa: PLC0415 - loads Arrow

    out = BytesIO()
    for section in sections:
        out.write(f"{section.title}\n".encode())
        if section.rows.num_rows:
            write(section.rows.to_reader(), call.form, out, width=call.width)
        else:
            out.write(b"(none)\n")
        out.write(b"\n")
    return out.getvalue()


def _as_json(sections: list[Section]) -> bytes:
    from trailhouse.output import Format, write  # noqa: PLC0415 - loads Arrow

    found = {}
    for section in sections:
        out = BytesIO()
        write(section.rows.to_reader(), Format.JSON, out)
        found[section.name] = json.loads(out.getvalue())
    return (json.dumps(found, indent=1) + "\n").encode()


_PRINCIPAL = (
    "coalesce(useridentity.arn, useridentity.invokedby, useridentity.principalid, useridentity.type) = :who"
)
"""Whoever the list of principals names: a service of AWS has no ARN."""


def _next(call: Call, sections: list[Section]) -> list[str]:
    """Three commands that go on from what was found."""
    by_name = {section.name: section.rows for section in sections}
    source = "".join(f" -s {shlex.quote(place.uri)}" for place in call.settings.log_sources())
    start = f"trailhouse{source} query"
    found = []
    for name, column, where in (
        ("logging", "principal", "useridentity.arn = :who"),
        ("errors", "errorcode", "errorcode = :who"),
        ("principals", "principal", _PRINCIPAL),
        ("networks", "address", "sourceipaddress = :who"),
    ):
        values = [v for v in by_name[name].column(column).to_pylist() if v and v != "(none)"]
        if values:
            sql = f"SELECT eventtime, eventname, eventsource, errorcode FROM cloudtrail_events WHERE {where} ORDER BY 1"  # noqa: S608 - a constant
            found.append(f"{start} {shlex.quote(sql)} --param {shlex.quote('who=' + values[0])}")
    return found[:3]
