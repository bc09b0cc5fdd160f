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
    """Remove working data; the sources stay as they are.

    That of the sources named or configured, or, with --all, of every source.
    """
    from trailhouse.core.sizes import format_size  # noqa: PLC0415 - only here
    from trailhouse.lake.lock import writing  # noqa: PLC0415 - with the lake
    from trailhouse.lake.workspace import Workspace, workspaces  # noqa: PLC0415 - heavy
    from trailhouse.session import workdir  # noqa: PLC0415 - heavy

    call: Call = ctx.obj
    call.refuse_output("clean")
    place = workdir(call.options)
    found = workspaces(place)
    if everything:
        kept = Workspace(place / "any").spool  # standard input, kept for whoever names it again
        found += [(Workspace(kept), ("standard input",))] if kept.exists() else []
    else:
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
        with writing(workspace.lock, lambda: call.console.note("another run works there; waiting for it")):
            workspace.remove()
    call.console.note(f"removed {format_size(total)}")
    return 0
