"""The states of stacks, and what follows from them."""

from __future__ import annotations

from dataclasses import replace

import botocore.session
import pytest

from trailhouse.deploy.stack_status import Next, Stack, explanation, next_step, refuse_other, stack_of
from trailhouse.errors import DeploymentError


def stack(status: str) -> Stack:
    return Stack("trail", "arn:stack", status, protected=False, outputs={})


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("REVIEW_IN_PROGRESS", Next.CREATE),
        ("CREATE_COMPLETE", Next.UPDATE),
        ("UPDATE_COMPLETE", Next.UPDATE),
        ("UPDATE_ROLLBACK_COMPLETE", Next.UPDATE),
        ("IMPORT_ROLLBACK_COMPLETE", Next.UPDATE),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Next.WAIT),
        ("DELETE_IN_PROGRESS", Next.WAIT),
        ("ROLLBACK_COMPLETE", Next.REMOVE),
        ("ROLLBACK_FAILED", Next.REMOVE),
        ("CREATE_FAILED", Next.REMOVE),
        ("DELETE_FAILED", Next.REMOVE),
        ("UPDATE_ROLLBACK_FAILED", Next.STUCK),
        ("UPDATE_FAILED", Next.STUCK),
    ],
)
def test_what_comes_first(status: str, expected: Next) -> None:
    assert next_step(stack(status)) is expected
    assert bool(explanation(stack(status))) == (expected in {Next.REMOVE, Next.STUCK})


def test_no_stack_is_made() -> None:
    assert next_step(None) is Next.CREATE


def test_every_state_that_cloudformation_knows_leads_somewhere() -> None:
    model = botocore.session.Session().get_service_model("cloudformation")
    for status in model.shape_for("StackStatus").enum:
        step = next_step(stack(status))
        assert (step is Next.WAIT) == (status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS")
        assert "FAILED" not in status or step in {Next.REMOVE, Next.STUCK} or status.startswith("IMPORT_")


def test_what_helps_is_named() -> None:
    assert "removed and made anew" in explanation(stack("ROLLBACK_COMPLETE"))
    helps = "aws cloudformation continue-update-rollback --stack-name trail"
    assert helps in explanation(stack("UPDATE_ROLLBACK_FAILED"))


def test_a_stack_is_read_with_what_it_lacks() -> None:
    found = stack_of({"StackName": "trail", "StackId": "arn", "StackStatus": "CREATE_COMPLETE"})
    assert found == Stack("trail", "arn", "CREATE_COMPLETE", protected=False, outputs={})
    outputs = [{"OutputKey": "Topic", "OutputValue": "arn:topic"}]
    answer = {"StackName": "trail", "StackId": "arn", "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}
    protected = stack_of({**answer, "EnableTerminationProtection": True, "Description": "trailhouse 1: it"})
    assert (protected.protected, protected.outputs) == (True, {"Topic": "arn:topic"})
    assert protected.description == "trailhouse 1: it"


def described(status: str, description: str) -> Stack:
    return replace(stack(status), description=description)


def never() -> dict[str, str]:
    raise AssertionError("nobody asks for the template here")


@pytest.mark.parametrize(
    "description", ["The shop", "trailhouses of the Alps", "a trailhouse 1.0: not quite"]
)
@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS"])
def test_a_stack_of_something_else_is_refused(status: str, description: str) -> None:
    refusal = r"the stack trail was not made by trailhouse.*another --stack"
    with pytest.raises(DeploymentError, match=refusal):
        refuse_other(described(status, description), never)
    with pytest.raises(DeploymentError, match=refusal):
        refuse_other(described(status, ""), lambda: {"Description": description})


def test_a_stack_without_any_description_is_refused() -> None:
    with pytest.raises(DeploymentError, match="was not made by trailhouse"):
        refuse_other(described("CREATE_COMPLETE", ""), dict)


def test_our_own_stacks_are_not_refused() -> None:
    text = "trailhouse 1.2.3: logs as tables"
    for status in ("CREATE_COMPLETE", "DELETE_FAILED"):
        refuse_other(described(status, text), never)
        refuse_other(described(status, ""), lambda: {"Description": text})
    refuse_other(described("REVIEW_IN_PROGRESS", ""), never)  # made for a change set: it has no template yet
