"""`trailhouse undeploy`: take the nightly run away from AWS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from trailhouse.cli import destroy
from trailhouse.cli.deploy import StackName
from trailhouse.core.sizes import count_of
from trailhouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailhouse.cli.call import Call
    from trailhouse.cli.destroy import Doomed
    from trailhouse.deploy.removal import Outlook, Removal


def run(ctx: typer.Context, stack: StackName = None) -> int:
    """Remove the nightly run from AWS, never a log.

    What goes and what stays is shown first. `keep` in the configuration says whether the tables and the bucket for
    output stay, too. It can be interrupted and run again at any time.
    """
    from trailhouse.deploy.removal import CATALOG, Removal  # noqa: PLC0415 - boto3 is heavy

    call: Call = replace(ctx.obj, flags={**ctx.obj.flags, "stack": stack})
    call.refuse_output("undeploy")
    call.refuse_window("undeploy", "leave it out; `keep` in the configuration says what stays")
    if call.json or call.format:
        raise UsageError("`undeploy` says what it does in text: leave --json and --format out")
    removal = Removal(call.settings)
    outlook = removal.look(lambda event: call.console.note(str(event)))
    keeps = CATALOG in call.settings.keep
    doomed = None if keeps else destroy.foreseen(call)
    if outlook.stack is None:
        call.console.note(
            f"There is no stack {removal.name} in {removal.gate.account()}, {removal.gate.region}."
        )
    if outlook.empty and (doomed is None or not doomed.tally.changes):
        call.console.note("Nothing to do: nothing of it is left.")
        return 0
    for line in _lines(outlook, doomed):
        call.console.note(line)
    if not call.confirm("Remove this?"):
        return 1
    return _remove(call, removal, outlook, doomed)


def _lines(outlook: Outlook, doomed: Doomed | None) -> Iterator[str]:
    """What goes and what stays."""
    if outlook.stack is not None:
        yield f"- stack {outlook.stack.name}: {count_of(len(outlook.resources), 'resource')}"
        yield from (f"    - {kind} {name}" for kind, name in outlook.resources)
    if outlook.code:
        yield f"- {count_of(outlook.code, 'object')} of code"
    if outlook.output:
        yield f"- bucket {outlook.output} with everything in it: Athena's results, records of runs"
    yield from doomed.lines if doomed else ()
    yield "What stays:"
    yield "    all logs, the lake, and buckets that the configuration names"
    if outlook.keeps:
        yield f"    bucket {outlook.keeps} (keep: output)"
    if doomed is None:
        yield "    tables and views (keep: catalog)"
    yield from (
        f"    {kind} {name}" for kind, name in outlook.retained if name not in {outlook.output, outlook.keeps}
    )


def _remove(call: Call, removal: Removal, outlook: Outlook, doomed: Doomed | None) -> int:
    """Carry it out; every step can be done again."""
    note = call.console.note
    try:
        if outlook.stack is not None:
            removal.remove_stack(outlook.stack, lambda event: note(str(event)))
        if not removal.remove_code():
            note(f"bucket {removal.bucket.name} stays: the code of other stacks is in it")
        if outlook.output:
            count = removal.remove_output(outlook.output)
            note(f"bucket {outlook.output} is removed, with {count_of(count, 'object')}")
        code = destroy.remove(call, doomed, as_json=False) if doomed and doomed.tally.changes else 0
    except BaseException:
        note("run `trailhouse undeploy` again, it goes on from there")
        raise
    note(f"Removed: the nightly run {removal.name}.")
    return code
