"""`trailhouse clean`: remove working data. Sources are never touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from trailhouse.cli.call import Call


def run(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Of all sources, not only those named.")] = False,
) -> int:
    """Remove the working data of the sources named (or, with --all, of every source)."""
    from trailhouse.core.sizes import format_size  # noqa: PLC0415
    from trailhouse.lake.workspace import workspaces  # noqa: PLC0415 - heavy
    from trailhouse.session import workdir  # noqa: PLC0415

    call: Call = ctx.obj
    found = workspaces(workdir(call.options))
    if not everything:
        with call.open() as house:
            found = [one for one in found if one[0] == house.expected_workspace]
    if not found:
        call.console.note("there is no working data to remove")
        return 0
    total = sum(workspace.size() for workspace, _ in found)
    names = ", ".join(", ".join(sources) or workspace.root.name for workspace, sources in found)
    if not call.confirm(
        f"Remove {format_size(total)} of working data for {names}? The sources stay as they are."
    ):
        return 1
    for workspace, _ in found:
        workspace.remove()
    call.console.note(f"removed {format_size(total)}")
    return 0
