"""`trailhouse ingest`: take new files into the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from trailhouse.core.schema import RECORD_COLUMNS

if TYPE_CHECKING:
    from trailhouse.cli.call import Call


def run(ctx: typer.Context) -> int:
    """Take new files into the local lake.

    Commands that read do so by themselves; this does nothing else.
    """
    from trailhouse.cli.telling import tell_nothing_new, tell_report  # noqa: PLC0415 - with the session

    call: Call = ctx.obj
    call.refuse_output("ingest")
    with call.open() as house:
        call.say_window()
        report = house.ingest()
        tell_report(call.console, report)
        if not report.files:
            tell_nothing_new(call.console, report)
        return call.finish(house.evidence.gaps(list(RECORD_COLUMNS)))
