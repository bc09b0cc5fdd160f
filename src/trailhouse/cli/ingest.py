"""`trailhouse ingest`: take new files into the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from trailhouse.cli.call import INCOMPLETE
from trailhouse.core.schema import RECORD_COLUMNS

if TYPE_CHECKING:
    from trailhouse.cli.call import Call


def run(ctx: typer.Context) -> int:
    """Take new files into the local lake; reading commands do so by themselves."""
    from trailhouse.cli.telling import tell_gaps, tell_report  # noqa: PLC0415 - with the session

    call: Call = ctx.obj
    with call.open() as house:
        report = house.ingest()
        tell_report(call.console, report)
        if not report.files:
            call.console.note(f"nothing new: all {report.listing.known:,} files are in the lake already")
        gaps = house.evidence.gaps(list(RECORD_COLUMNS))
        tell_gaps(call.console, gaps)
    return INCOMPLETE if gaps else 0
