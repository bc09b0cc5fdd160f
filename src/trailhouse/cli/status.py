"""`trailhouse status`: how the nightly run stands, and whether its alarm reaches anybody."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

import typer

from trailhouse.cli.call import INCOMPLETE
from trailhouse.cli.entries import wants_json, width_of
from trailhouse.cli.runs import StackName

if TYPE_CHECKING:
    from trailhouse.aws.gate import Gate
    from trailhouse.cli.call import Call
    from trailhouse.core.standing import Standing
    from trailhouse.deploy.rehearsal import Sent

RUNS = 5

TestAlarm = Annotated[
    bool, typer.Option("--test-alarm", help="Send a message the way alarms go, and say who is told.")
]


def run(ctx: typer.Context, test_alarm: TestAlarm = False, stack: StackName = None) -> int:
    """Show how the nightly run stands: deployment, last runs, problems, freshness.

    Exit code 0: all is well, 3: there are open problems, 1: that cannot be told.
    """
    from trailhouse.aws.gate import Gate  # noqa: PLC0415 - boto3 is heavy
    from trailhouse.storage.access import general_access  # noqa: PLC0415 - likewise

    call: Call = replace(ctx.obj, flags={**ctx.obj.flags, "stack": stack})
    call.refuse_output("status")
    call.refuse_window("status", "leave it out; `trailhouse runs` takes --since and --until")
    as_json = wants_json(call, "a status")
    gate = Gate(general_access(call.settings))
    return _rehearsed(call, gate, as_json=as_json) if test_alarm else _shown(call, gate, as_json=as_json)


def _shown(call: Call, gate: Gate, *, as_json: bool) -> int:
    from trailhouse.cli.standing import lines  # noqa: PLC0415 - with the rest
    from trailhouse.core.standing import as_json as as_document  # noqa: PLC0415 - with the rest
    from trailhouse.deploy.standing import Look  # noqa: PLC0415 - heavy

    found = Look(call.settings, gate, call.now, RUNS).standing()
    if as_json:
        sys.stdout.write(json.dumps(as_document(found), indent=1) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines(found, width_of(call)))
    return exit_code(found)


def exit_code(found: Standing) -> int:
    """3: there is something to do; 1: nobody can tell; 0: all is well."""
    if found.concerns:
        return INCOMPLETE
    return 1 if found.doubts else 0


def _rehearsed(call: Call, gate: Gate, *, as_json: bool) -> int:
    from trailhouse.deploy.rehearsal import rehearse  # noqa: PLC0415 - heavy

    sent = rehearse(call.settings, gate, call.now, call.console.note)
    if as_json:
        sys.stdout.write(json.dumps(asdict(sent), indent=1) + "\n")
    else:
        _tell(call, sent)
    heard = sent.audience
    return INCOMPLETE if heard and heard.confirmed == 0 else 0


def _tell(call: Call, sent: Sent) -> None:
    message = f" as message {sent.message}" if sent.message else ""
    sys.stdout.write(f"published{message} to {sent.topic}\nby {sent.execution}\n")
    heard = sent.audience
    if heard is None or heard.confirmed is None:
        return
    sys.stdout.write(f"confirmed subscriptions: {heard.confirmed:,}\n")
    if heard.pending:
        call.console.note(
            f"{heard.pending:,} more are not confirmed: each was sent a link to follow, and hears nothing until then"
        )
    if not heard.confirmed:
        call.console.warn(
            f"nobody hears it. Subscribe: aws sns subscribe --topic-arn {heard.topic} --protocol email "
            "--notification-endpoint YOU@EXAMPLE.COM"
        )
