"""`trailhouse destroy`: take away from the catalog what is ours."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from trailhouse.cli.call import INCOMPLETE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailhouse.catalog.application import Report
    from trailhouse.catalog.opening import Opened
    from trailhouse.cli.call import Call
    from trailhouse.core.plan import Part, Tally

Stays = list[tuple[str, str]]


def run(ctx: typer.Context) -> int:
    """Remove our tables and views from the catalog, never a log.

    Partitions go with their tables. What goes is shown first, and the number of tables has to be typed. What stays is
    listed.
    """
    from trailhouse.cli import planning  # noqa: PLC0415 - heavy
    from trailhouse.core.plan_text import summary  # noqa: PLC0415 - with the rest

    call: Call = ctx.obj
    call.refuse_output("destroy")
    call.refuse_window("destroy", "leave it out, everything of ours goes")
    as_json = planning.is_json(call)
    doomed = foreseen(call)
    for line in doomed.lines:
        call.console.note(line)
    tally = doomed.tally
    question = f"{summary(tally)}, from {doomed.opened.database}; no log is touched."
    if tally.changes and not call.confirm_count(question, doomed.tables, "tables"):
        return 1
    return remove(call, doomed, as_json=as_json)


@dataclass(frozen=True, slots=True)
class Doomed:
    """What goes from the catalog.

    Attributes:
        opened: the catalog.
        parts: of the plan.
        tally: of its changes.
        tables: how many tables go.
        stays: what stays under the prefix, and why.
        lines: the plan as text.
    """

    opened: Opened
    parts: Sequence[Part]
    tally: Tally
    tables: int
    stays: Stays
    lines: Sequence[str]


def foreseen(call: Call) -> Doomed:
    """What would go. Raises PlanRefusedError, AwsError."""
    from trailhouse.catalog.application import refuse  # noqa: PLC0415 - boto3 is heavy
    from trailhouse.catalog.opening import open_catalog  # noqa: PLC0415 - likewise
    from trailhouse.catalog.removal import Removal  # noqa: PLC0415 - likewise
    from trailhouse.core.plan import Tally  # noqa: PLC0415 - likewise
    from trailhouse.core.plan_text import part_lines  # noqa: PLC0415 - likewise

    opened = open_catalog(call.settings)
    removal, tally = Removal(opened.catalog), Tally()
    parts = [*removal.parts()]
    for part in parts:
        tally.add(part)
    refuse(tally)
    lines = [line for part in parts for line in part_lines(part)]
    return Doomed(opened, parts, tally, removal.tables, removal.stays, lines)


def remove(call: Call, doomed: Doomed, *, as_json: bool) -> int:
    """Carry it out, then take the database away where it is ours and empty."""
    from trailhouse.catalog.application import Application, Failure  # noqa: PLC0415 - heavy
    from trailhouse.catalog.removal import remove_database  # noqa: PLC0415 - heavy
    from trailhouse.errors import AwsError  # noqa: PLC0415 - with the rest

    settings, opened, stays = call.settings, doomed.opened, [*doomed.stays]
    application = Application(opened.catalog, settings.database, settings.table_prefix)
    for part in doomed.parts:
        application.carry_out(part)
    report = application.report
    try:
        why = remove_database(opened.catalog, opened.database) if report.complete else "not all is removed"
    except AwsError as error:
        report.failed[opened.database] = Failure(error)
    else:
        stays += [(opened.database, why)] if why else []
    _tell(call, report, stays, as_json=as_json)
    return 0 if report.complete else INCOMPLETE


def _tell(call: Call, report: Report, stays: Stays, *, as_json: bool) -> None:
    from trailhouse.cli.apply import result  # noqa: PLC0415 - with the rest
    from trailhouse.cli.planning import printer  # noqa: PLC0415 - heavy
    from trailhouse.core.plan_text import done  # noqa: PLC0415 - with the rest

    if as_json:
        listed = [{"name": name, "reason": why} for name, why in stays]
        sys.stdout.write(json.dumps({**result(report), "stays": listed}, sort_keys=True) + "\n")
    else:
        printer()(f"Done: {done(report.done)}.")
    for name, why in stays:
        call.console.note(f"{name} stays: {why}")
    call.console.note("all logs stay, and so does what Athena wrote")
    for name, failure in report.failed.items():
        call.console.error(f"{name}: {failure.error}")
