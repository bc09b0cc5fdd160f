"""`trailhouse apply`: make the catalog what it should be."""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

import typer

from trailhouse.cli import adopting
from trailhouse.cli.call import INCOMPLETE
from trailhouse.cli.extent import Everything, Targets
from trailhouse.errors import CatalogError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from trailhouse.catalog.application import Report
    from trailhouse.catalog.opening import Opened
    from trailhouse.cli.call import Call
    from trailhouse.cli.planning import Flow
    from trailhouse.core.plan import Part, Tally
    from trailhouse.core.saved_plan import Header
    from trailhouse.storage.discovery import Discovery

    OpenFlow = Callable[[], AbstractContextManager[tuple[Flow, Discovery | None]]]


Adopt = Annotated[bool, typer.Option("--adopt", help="Take cloudtrail-partitioner's tables and view over.")]
AdoptCount = Annotated[
    int | None,
    typer.Option("--adopt-count", metavar="N", help="How many of its tables to replace; else it is asked."),
]
Undo = Annotated[
    bool, typer.Option("--undo", help="Put back what --adopt replaced, and remove what is trailhouse's.")
]


def run(
    ctx: typer.Context,
    plan: Annotated[
        Path | None, typer.Argument(metavar="[PLAN]", help="A file that `plan --out` wrote.")
    ] = None,
    target: Targets = None,
    everything: Everything = False,
    allow_deletes: Annotated[
        bool, typer.Option("--allow-deletes", help="Remove many partitions, too.")
    ] = False,
    adopt: Adopt = False,
    adopt_count: AdoptCount = None,
    undo: Undo = False,
) -> int:
    """Make the catalog what it should be: tables, partitions, views.

    Without PLAN a plan is made, shown, and carried out after a yes. With PLAN exactly that is done, or nothing
    where the catalog has changed since. It can be interrupted and run again at any time.
    """
    from trailhouse.catalog.opening import aim_of, known_regions, open_catalog  # noqa: PLC0415 - boto3 is heavy
    from trailhouse.cli import planning  # noqa: PLC0415 - likewise

    call: Call = ctx.obj
    call.refuse_output("apply")
    call.refuse_window("apply", planning.TARGETS)
    as_json = planning.is_json(call)
    if plan and (target or everything or allow_deletes or adopt or undo):
        raise UsageError(
            "a saved plan is carried out as it is: give --target, --all, --allow-deletes, --adopt to `plan`"
        )
    if undo and (target or everything or allow_deletes or adopt):
        raise UsageError("--undo puts everything back: it goes with no other option that says what to do")
    opened = open_catalog(call.settings)
    if plan:
        return _saved(call, opened, plan, adopt_count, as_json=as_json)
    aim = aim_of(
        call.settings, planning.today(call), known_regions(opened.gate), everything=everything,
        targets=target or (), allow_deletes=allow_deletes,
    )  # fmt: skip
    open_flow = partial(adopting.open_flow, call, opened, aim, "apply", adopt=adopt, undo=undo)
    return _planned(call, opened, open_flow, adopt_count, as_json=as_json)


def _planned(
    call: Call, opened: Opened, open_flow: OpenFlow, adopt_count: int | None, *, as_json: bool
) -> int:
    """Plan into a file of its own, ask, and carry out what was shown."""
    from trailhouse.cli import planning  # noqa: PLC0415 - heavy

    with tempfile.TemporaryFile() as file:
        with (
            open_flow() as (flow, discovery),
            gzip.GzipFile("", "wb", compresslevel=1, fileobj=file) as packed,
        ):
            tally, requests = planning.make(
                call, flow, opened.place, say=call.console.note, writes=[packed.write]
            )
        call.console.note(planning.headline(tally))
        planning.tell(call, tally, requests, discovery)
        if tally.refusals:
            call.console.note("nothing was done")
            return planning.exit_code(tally)
        if not adopting.agreed(call, tally, adopt_count):
            return 1
        if (
            tally.changes
            and not tally.taken_over
            and not call.confirm(f"Carry this out in {opened.database}?")
        ):
            return 1
        file.seek(0)
        with planning.read_plan(cast("BinaryIO", file), "the plan") as (_, parts):
            return _carry_out(call, opened, parts, tally, as_json=as_json)


def _saved(call: Call, opened: Opened, path: Path, adopt_count: int | None, *, as_json: bool) -> int:
    """Look whether everything is as it was when the plan was made, and carry it out."""
    from trailhouse.catalog.application import check  # noqa: PLC0415 - heavy
    from trailhouse.cli import planning  # noqa: PLC0415 - heavy

    with planning.open_plan(path) as (header, parts):
        _check_place(call, opened, header, path)
        tally = check(parts, opened.catalog, str(path), header.prefix)
    call.console.note(planning.headline(tally))
    if not adopting.agreed(call, tally, adopt_count):
        return 1
    with planning.open_plan(path) as (_, parts):
        return _carry_out(call, opened, parts, tally, as_json=as_json)


def _check_place(call: Call, opened: Opened, header: Header, path: Path) -> None:
    settings = call.settings
    here = f"{opened.place}, table_prefix {settings.table_prefix}"
    there = f"{header.place}, table_prefix {header.prefix}"
    if here != there:
        raise CatalogError(f"{path} is a plan for {there}, and this is {here}: make a new plan")


def _carry_out(call: Call, opened: Opened, parts: Iterable[Part], tally: Tally, *, as_json: bool) -> int:
    """Carry parts out, with progress; what became of them is the result."""
    from trailhouse.catalog.application import Application  # noqa: PLC0415 - heavy
    from trailhouse.output.steps import Steps  # noqa: PLC0415 - with the rest

    steps = Steps(call.console, "changes", tally.changes)
    settings = call.settings
    application = Application(opened.catalog, settings.database, settings.table_prefix, steps.advance)
    try:
        for part in parts:
            application.carry_out(part)
    except BaseException:
        steps.finish()
        call.console.note(
            f"{steps.done:,} of {tally.changes:,} changes were carried out; run `trailhouse apply` again, it goes "
            "on from there"
        )
        raise
    steps.finish()
    _tell(call, application.report, as_json=as_json)
    return 0 if application.report.complete else INCOMPLETE


def _tell(call: Call, report: Report, *, as_json: bool) -> None:
    """The result on standard output; what failed beside it."""
    from trailhouse.cli.planning import printer  # noqa: PLC0415 - heavy
    from trailhouse.core.plan_text import done  # noqa: PLC0415 - with the rest

    if as_json:
        sys.stdout.write(json.dumps(result(report), sort_keys=True) + "\n")
    else:
        printer()(f"Done: {done(report.done)}.")
    for name, failure in report.failed.items():
        left = f" ({failure.changes:,} changes are left)" if failure.changes else ""
        call.console.error(f"{name}{left}: {failure.error}")
    for name, why in report.left_out:
        call.console.warn(f"{name}: {why}")
    if not report.complete:
        call.console.note("run `trailhouse apply` again when that is mended; what is done stays")


def result(report: Report) -> dict[str, object]:
    """What became of a plan, as JSON's types."""
    counts: dict[str, dict[str, int]] = {}
    for (target, action), count in report.done.items():
        counts.setdefault(target, {})[action] = count
    failed = {
        name: {"changes": failure.changes, "error": str(failure.error)}
        for name, failure in report.failed.items()
    }
    left_out = [{"name": name, "reason": why} for name, why in report.left_out]
    return {"done": counts, "failed": failed, "leftOut": left_out}
