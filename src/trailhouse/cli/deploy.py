"""`trailhouse deploy`: bring the nightly run to AWS, or up to date."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trailhouse.cli.plan import CHANGES, Detailed
from trailhouse.errors import DeploymentError

if TYPE_CHECKING:
    from trailhouse.cli.call import Call
    from trailhouse.deploy.deployment import Deployment, Proposal
    from trailhouse.deploy.stack_status import Stack

_FIRST_RUN = "FirstRun"  # the resource that begins a run when it is made or changed

StackName = Annotated[
    str | None, typer.Option("--stack", metavar="NAME", help="Name of the stack, such as trailhouse.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]


def run(
    ctx: typer.Context, stack: StackName = None, dry_run: DryRun = False, detailed_exitcode: Detailed = False
) -> int:
    """Deploy the nightly run to AWS, or bring it up to date.

    A change set of CloudFormation is made, shown, and carried out after a yes: + adds, ~ changes, -/+ replaces,
    - removes, = takes over. What is granted is shown, too. It can be interrupted and run again at any time.
    """
    from trailhouse.cli import planning  # noqa: PLC0415 - heavy
    from trailhouse.deploy.deployment import Deployment  # noqa: PLC0415 - boto3 is heavy

    call: Call = replace(ctx.obj, flags={**ctx.obj.flags, "stack": stack})
    call.refuse_output("deploy")
    call.refuse_window("deploy", "leave it out; the settings say what is deployed")
    as_json = planning.is_json(call)
    deployment = Deployment(call.settings, call.now)
    for warning in deployment.check():
        call.console.warn(warning)
    call.console.detail(deployment.package_line())
    found = deployment.stack(lambda event: call.console.note(str(event)))
    if found is not None and not _made_anew(call, deployment, found, dry=dry_run):
        return 1
    now = None if found is None or _dead(found) else found
    proposal = deployment.propose(now, dry=dry_run)
    _show(deployment, proposal, as_json=as_json)
    if proposal is None:
        deployment.finish(dry=dry_run)
        return 0
    if dry_run:
        return CHANGES if detailed_exitcode else 0
    return _carry_out(call, deployment, proposal, now)


def _dead(stack: Stack) -> bool:
    from trailhouse.deploy.stack_status import Next, next_step  # noqa: PLC0415 - boto3 is heavy

    return next_step(stack) is Next.REMOVE


def _made_anew(call: Call, deployment: Deployment, stack: Stack, *, dry: bool) -> bool:
    """Remove a stack that cannot be used any more, after a yes; whether there is a way on."""
    from trailhouse.deploy.stack_status import explanation  # noqa: PLC0415 - boto3 is heavy

    if not _dead(stack):
        return True
    call.console.note(explanation(stack))
    if dry:
        return True
    if not call.confirm(f"Remove the stack {stack.name} and make it anew?"):
        return False
    deployment.remove_dead(stack, lambda event: call.console.detail(str(event)))
    return True


def _show(deployment: Deployment, proposal: Proposal | None, *, as_json: bool) -> None:
    """The proposal on standard output."""
    from trailhouse.cli.planning import printer  # noqa: PLC0415 - heavy

    if as_json:
        sys.stdout.write(json.dumps(_document(deployment, proposal), sort_keys=True) + "\n")
        return
    say = printer()
    if proposal is None:
        say(f"Nothing to do: the stack {deployment.name} in {deployment.place} is as it should be.")
        return
    for change in proposal.changes:
        say(str(change))
    if proposal.protection is not None:
        say(f"~ termination protection: {'on' if proposal.protection else 'off'}")
    if proposal.permissions:
        say("Permissions that are granted (+), taken back (-):")
        for line in proposal.permissions:
            say(f"  {line}")
    say(f"Stack {deployment.name} in {deployment.place}: {_summary(proposal)}.")


def _summary(proposal: Proposal) -> str:
    from trailhouse.deploy.change_set import summary  # noqa: PLC0415 - boto3 is heavy

    if proposal.changes or proposal.change_set is not None:
        return summary(proposal.changes)
    return "only termination protection"


def _document(deployment: Deployment, proposal: Proposal | None) -> dict[str, Any]:
    changes = proposal.changes if proposal else ()
    return {
        "stack": deployment.name, "account": deployment.gate.account(), "region": deployment.gate.region,
        "package": {"bytes": len(deployment.package.body), "sha256": deployment.package.sha256},
        "changes": [
            {
                "action": one.act.name.lower(), "name": one.name, "type": one.kind, "what": list(one.what),
                "stays": one.stays,
            }
            for one in changes
        ],
        "permissions": list(proposal.permissions if proposal else ()),
        "termination_protection": proposal.protection if proposal else None,
    }  # fmt: skip


def _carry_out(call: Call, deployment: Deployment, proposal: Proposal, before: Stack | None) -> int:
    """Ask, do it, and say what comes next."""
    try:
        agreed = call.confirm("Carry this out?")
    except BaseException:
        deployment.decline(proposal, before)
        raise
    if not agreed:
        deployment.decline(proposal, before)
        return 1
    try:
        after = deployment.carry_out(proposal, lambda event: call.console.note(str(event)))
    except KeyboardInterrupt:
        call.console.note("CloudFormation goes on without us: `trailhouse deploy` again follows it")
        raise
    except DeploymentError:
        call.console.detail(deployment.package_line())
        raise
    note = call.console.note
    note(f"Deployed: the stack {after.name} is in {after.status}.")
    schedule = f"({call.settings.schedule}, UTC)"
    if any(change.name == _FIRST_RUN for change in proposal.changes):
        note(
            "The first run has started; it makes the tables and partitions, and then it comes as scheduled "
            f"{schedule}.\n  trailhouse status     how it goes\n  trailhouse runs       what it did"
        )
    else:
        note(f"The next run comes as scheduled {schedule}.")
    if not deployment.values.topic:
        note(
            "Nobody hears of alarms before somebody subscribes to the stack's topic: `trailhouse status` names it."
        )
    return 0
