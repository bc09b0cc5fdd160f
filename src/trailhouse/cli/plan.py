"""`trailhouse plan`: what would have to change in the catalog."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trailhouse.cli import pipe
from trailhouse.cli.extent import Everything, Targets

if TYPE_CHECKING:
    from trailhouse.cli.call import Call

CHANGES = 2


Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Save the plan, for `trailhouse apply FILE`.")
]
AllowDeletes = Annotated[bool, typer.Option("--allow-deletes", help="Plan to remove many partitions, too.")]
Adopt = Annotated[
    bool, typer.Option("--adopt", help="Plan to take cloudtrail-partitioner's tables and view over.")
]
Detailed = Annotated[
    bool,
    typer.Option("--detailed-exitcode", help="0: nothing to do, 2: changes, 1: failed, 3: incomplete."),
]


def run(
    ctx: typer.Context,
    out: Out = None,
    target: Targets = None,
    everything: Everything = False,
    allow_deletes: AllowDeletes = False,
    adopt: Adopt = False,
    detailed_exitcode: Detailed = False,
) -> int:
    """Show what would change in the catalog, and change nothing.

    + creates, ~ updates, -/+ replaces, - deletes, ? reads back, ! is not planned. With -v each partition is shown.
    """
    from trailhouse.catalog.opening import aim_of, known_regions, open_catalog  # noqa: PLC0415 - boto3 is heavy
    from trailhouse.cli import adopting, planning  # noqa: PLC0415 - likewise

    call: Call = ctx.obj
    call.refuse_output("plan")
    call.refuse_window("plan", planning.TARGETS)
    write = sys.stdout.buffer.write
    if out or detailed_exitcode:  # which are wanted even where nobody reads the text to its end
        write = pipe.outlasting(write)
    say = None if planning.is_json(call) else planning.printer(write)
    if out:
        call.check_output(out, lambda _: False)
    opened, today = open_catalog(call.settings), planning.today(call)
    aim = aim_of(
        call.settings, today, known_regions(opened.gate), everything=everything, targets=target or (),
        allow_deletes=allow_deletes,
    )  # fmt: skip
    with (
        adopting.open_flow(call, opened, aim, "plan", adopt=adopt) as (flow, discovery),
        planning.plan_file(out) as writes,
    ):
        to_stdout = () if say else (write,)
        tally, requests = planning.make(call, flow, opened.place, say=say, writes=(*writes, *to_stdout))
    if say:
        say(planning.headline(tally))
    else:
        write(b"\n")
    planning.tell(call, tally, requests, discovery)
    if out:
        call.console.note(f"saved; next: trailhouse apply {out}")
    return planning.exit_code(tally) or (CHANGES if detailed_exitcode and tally.changes else 0)
