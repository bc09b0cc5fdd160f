"""The state a stack is in, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from trailhouse.errors import AwsError, DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trailhouse.aws.gate import Gate


class Next(StrEnum):
    """What can be done with a stack."""

    CREATE = "create"
    UPDATE = "update"
    WAIT = "wait"
    REMOVE = "remove"
    STUCK = "stuck"


_OURS = "trailhouse "  # how the description of the template begins
_REVIEW = "REVIEW_IN_PROGRESS"
_DEAD = {
    "ROLLBACK_COMPLETE": "it was never made: its first deployment failed and was rolled back",
    "ROLLBACK_FAILED": "its first deployment failed, and so did its rollback",
    "CREATE_FAILED": "its first deployment failed",
    "DELETE_FAILED": "its removal failed half-way",
}
_STUCK = {
    "UPDATE_ROLLBACK_FAILED": (
        "an update failed, and so did going back. Mend what the events name, then: "
        "aws cloudformation continue-update-rollback --stack-name {name}; then deploy again"
    ),
    "UPDATE_FAILED": (
        "an update failed and was told not to go back: aws cloudformation rollback-stack --stack-name {name}; "
        "then deploy again"
    ),
}


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack as CloudFormation has it.

    Attributes:
        name: of the stack.
        id: its ARN.
        status: such as `UPDATE_COMPLETE`.
        protected: it cannot be deleted before termination protection is taken off.
        outputs: by name.
        description: of its template, as far as it is told; "" of one that was only made for a change set.
    """

    name: str
    id: str
    status: str
    protected: bool
    outputs: Mapping[str, str]
    description: str = ""


def stack_of(found: Mapping[str, Any]) -> Stack:
    """A stack from CloudFormation's answer."""
    outputs = {each["OutputKey"]: each.get("OutputValue", "") for each in found.get("Outputs", ())}
    protected = bool(found.get("EnableTerminationProtection"))
    description = found.get("Description", "")
    return Stack(found["StackName"], found["StackId"], found["StackStatus"], protected, outputs, description)


def find(gate: Gate, name: str) -> Stack | None:
    """The stack of a name, or of an ARN; None where there is none (any more). Raises AwsError."""
    try:
        answer = gate.call("cloudformation", "DescribeStacks", StackName=name)
    except AwsError as error:
        if error.code == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    stack = stack_of(answer["Stacks"][0])
    return None if stack.status == "DELETE_COMPLETE" else stack


def refuse_other(stack: Stack, template: Callable[[], Mapping[str, Any]]) -> None:
    """Refuse a stack that only has the name in common with ours.

    Args:
        stack: as it is.
        template: gives its template; asked where no description is told with the stack.

    Raises:
        DeploymentError: it is a stack of something else.
        AwsError: the template cannot be read.
    """
    if stack.status == _REVIEW:
        return
    description = stack.description or str(template().get("Description", ""))
    if not description.startswith(_OURS):
        raise DeploymentError(
            f"the stack {stack.name} was not made by trailhouse: its description does not begin with "
            f"`{_OURS.strip()}`; it is left alone. Give another --stack, or `stack` in the configuration"
        )


def next_step(stack: Stack | None) -> Next:
    """What a deployment has to do first."""
    if stack is None or stack.status == _REVIEW:
        return Next.CREATE
    if stack.status in _DEAD:
        return Next.REMOVE
    if stack.status in _STUCK:
        return Next.STUCK
    return Next.WAIT if stack.status.endswith("_IN_PROGRESS") else Next.UPDATE


def explanation(stack: Stack) -> str:
    """Why a stack cannot be changed as it is, and what helps; "" where it can."""
    if stack.status in _DEAD:
        return f"the stack {stack.name} is in {stack.status}: {_DEAD[stack.status]}; it has to be removed and made anew"
    if stack.status in _STUCK:
        return f"the stack {stack.name} is in {stack.status}: {_STUCK[stack.status].format(name=stack.name)}"
    return ""
