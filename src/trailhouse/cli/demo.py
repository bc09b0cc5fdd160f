"""`trailhouse demo`: a believable organization's bucket, with its ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from trailhouse.cli.call import Call

EVENTS = 200_000


def run(
    ctx: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new or empty.")],
    events: Annotated[int, typer.Option("--events", min=1, help="About how many.")] = EVENTS,
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same bytes.")] = 1,
    no_stories: Annotated[bool, typer.Option("--no-stories", help="Plant no incidents.")] = False,
) -> int:
    """Make an organization's bucket, and what is true of it.

    The bucket is DIR/bucket, the truth DIR/truth.json.
    """
    from trailhouse.demo import generate  # noqa: PLC0415 - heavy

    call: Call = ctx.obj
    call.refuse_output("demo")
    truth = generate(directory, events=events, seed=seed, stories=not no_stories)
    call.console.note(
        f"{truth.delivered:,} records in {directory / 'bucket'}; the truth is in {directory / 'truth.json'}"
    )
    return 0
