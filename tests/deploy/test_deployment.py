"""What is said of a failure, and operations that are under way already."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.config import load
from trailhouse.deploy.deployment import Deployment, Proposal, failure, settled
from trailhouse.deploy.events import Event
from trailhouse.errors import AwsError, ConfigError, DeploymentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
STACK = "arn:aws:cloudformation:eu-west-1:111122223333:stack/trail/1"


def event(name: str, status: str, reason: str = "") -> Event:
    kind, physical = ("AWS::CloudFormation::Stack", STACK) if name == "trail" else ("AWS::IAM::Role", "")
    return Event(f"{name}-{status}", NOW, name, kind, physical, status, reason)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (
            "ROLLBACK_COMPLETE",
            "What was made is taken away again. Mend the cause and run `trailhouse deploy` again",
        ),
        (
            "UPDATE_ROLLBACK_COMPLETE",
            "All is as it was before. Mend the cause and run `trailhouse deploy` again",
        ),
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name trail"),
        ("DELETE_FAILED", "its removal failed half-way"),
        ("IMPORT_ROLLBACK_FAILED", "Mend it, and run the command again"),
    ],
)
def test_a_failure_says_first_cause_state_and_next_step(status: str, expected: str) -> None:
    events = (event("Role", "CREATE_FAILED", "no such boundary"), event("trail", status))
    text = failure(Gate(Access(region="eu-west-1")), "trail", events)
    assert text.startswith(
        f"the stack trail is in {status}. First cause: Role (AWS::IAM::Role): no such boundary\n"
    )
    assert expected in text


def test_a_failure_without_a_cause_is_told_as_such() -> None:
    text = failure(Gate(Access(region="eu-west-1")), "trail", (event("trail", "UPDATE_ROLLBACK_COMPLETE"),))
    assert "First cause: CloudFormation names none\n" in text


def test_what_cloudformation_only_says_when_asked_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def pages(_: Gate, _service: str, operation: str, /, **parameters: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - as the gate's
        assert (operation, parameters) == ("DescribeEvents", {"StackName": "trail"})
        yield {"OperationEvents": [{
            "ValidationStatus": "FAILED", "LogicalResourceId": "Output", "ResourceType": "AWS::S3::Bucket",
            "ValidationStatusReason": "it exists",
        }]}  # fmt: skip

    monkeypatch.setattr(Gate, "pages", pages)
    reason = "Validation failed with 1 error(s). Call DescribeEvents to retrieve the full list"
    events = (event("trail", "CREATE_FAILED", reason), event("trail", "ROLLBACK_COMPLETE"))
    text = failure(Gate(Access(region="eu-west-1")), "trail", events)
    assert "First cause: Output (AWS::S3::Bucket): it exists\n" in text


def test_an_operation_that_is_under_way_is_followed_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a `deploy` that was interrupted: no emulator is slow enough to be seen at it."""
    states = ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    made = {
        "LogicalResourceId": "Role",
        "ResourceType": "AWS::IAM::Role",
        "PhysicalResourceId": "r",
        "Timestamp": NOW,
    }
    first = {**made, "EventId": "1", "ResourceStatus": "UPDATE_IN_PROGRESS"}
    second = {**made, "EventId": "2", "ResourceStatus": "UPDATE_COMPLETE"}
    listed = [[first], [second, first], [second, first]]

    def call(_: Gate, _service: str, _operation: str, /, **_parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - as the gate's
        one = {"StackName": "trail", "StackId": STACK, "StackStatus": states.pop(0)}
        return {"Stacks": [{**one, "Description": "trailhouse 1.0: it"}]}

    def pages(_: Gate, _service: str, _operation: str, /, **_parameters: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - as the gate's
        yield {"StackEvents": listed.pop(0)}

    monkeypatch.setattr(Gate, "call", call)
    monkeypatch.setattr(Gate, "pages", pages)
    heard: list[str] = []
    waited: list[float] = []
    found = settled(
        Gate(Access(region="eu-west-1")), "trail", lambda one: heard.append(one.id), waited.append
    )
    assert found is not None
    assert found.status == "UPDATE_COMPLETE"
    assert heard == ["2"]
    assert len(waited) == 2


def test_a_stack_of_something_else_is_not_even_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    one = {
        "StackName": "trail", "StackId": STACK, "StackStatus": "UPDATE_IN_PROGRESS", "Description": "The shop",
    }  # fmt: skip

    def call(_: Gate, _service: str, operation: str, /, **_parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - as the gate's
        assert operation == "DescribeStacks"
        return {"Stacks": [one]}

    heard: list[Event] = []
    monkeypatch.setattr(Gate, "call", call)
    with pytest.raises(DeploymentError, match="was not made by trailhouse"):
        settled(Gate(Access(region="eu-west-1")), "trail", heard.append, lambda _: None)
    assert heard == []


def test_a_stack_of_a_template_in_yaml_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: dict[str, dict[str, Any]] = {
        "DescribeStacks": {
            "Stacks": [{"StackName": "trail", "StackId": STACK, "StackStatus": "CREATE_COMPLETE"}]
        },
        "GetTemplate": {"TemplateBody": "Resources:\n  Topic: {Type: AWS::SNS::Topic}\n"},
    }

    def call(_: Gate, _service: str, operation: str, /, **_parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - as the gate's
        return answers[operation]

    monkeypatch.setattr(Gate, "call", call)
    with pytest.raises(DeploymentError, match="was not made by trailhouse"):
        settled(Gate(Access(region="eu-west-1")), "trail", print, lambda _: None)


def test_a_stack_that_cannot_be_asked_for_is_no_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def call(_: Gate, _service: str, _operation: str, /, **_parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - as the gate's
        raise AwsError("the name is wrong", code="ValidationError")

    monkeypatch.setattr(Gate, "call", call)
    with pytest.raises(AwsError, match="the name is wrong"):
        settled(Gate(Access(region="eu-west-1")), "trail", print, lambda _: None)


def deployment(folder: Path, text: str) -> Deployment:
    path = folder / "trailhouse.yaml"
    path.write_text(text, "utf-8")
    return Deployment(load({"region": "eu-west-1"}, {}, path), NOW)


def test_what_is_no_nightly_run_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no source is given"):
        deployment(tmp_path, "stack: trail\n")
    with pytest.raises(ConfigError, match="is still 'MYBUCKET', not edited"):
        deployment(tmp_path, "s3_bucket_containing_logs: MYBUCKET\n")


def test_what_was_only_foreseen_is_not_carried_out(tmp_path: Path) -> None:
    made = deployment(tmp_path, "s3_bucket_containing_logs: my-logs\n")
    with pytest.raises(DeploymentError, match="without --dry-run"):
        made.carry_out(Proposal((), (), None, dry=True), print)
