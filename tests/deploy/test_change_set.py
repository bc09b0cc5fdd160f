"""Changes as CloudFormation tells them, and as they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.deploy.change_set import (
    Act,
    Request,
    ResourceChange,
    additions,
    change_of,
    create,
    discard,
    execute,
    permission_lines,
    summary,
    template_of,
)
from trailhouse.deploy.code import CodeBucket
from trailhouse.deploy.events import follow, newest
from trailhouse.deploy.stack_status import find
from trailhouse.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Iterator

FUNCTION = {"LogicalResourceId": "Function", "ResourceType": "AWS::Lambda::Function"}


def role(*statements: dict[str, Any]) -> dict[str, Any]:
    policies = [
        {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}
    ]
    return {"Type": "AWS::IAM::Role", "Properties": {"Policies": policies}}


def allow(*actions: str, on: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on}


# --- pure


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"Action": "Add", "Scope": []}, "+ AWS::Lambda::Function Function"),
        (
            {
                "Action": "Modify", "Replacement": "False", "Scope": ["Properties", "Tags"],
                "Details": [
                    {"Target": {"Attribute": "Properties", "Name": "MemorySize"}}, {"Target": {"Attribute": "Tags"}}
                ],
            },
            "~ AWS::Lambda::Function Function: MemorySize, Tags",
        ),
        ({"Action": "Modify", "Replacement": "True"}, "-/+ AWS::Lambda::Function Function"),
        ({"Action": "Modify", "Replacement": "Conditional"}, "-/~ AWS::Lambda::Function Function"),
        ({"Action": "Remove", "PolicyAction": "Delete"}, "- AWS::Lambda::Function Function"),
        ({"Action": "Remove", "PolicyAction": "Retain"},
         "- AWS::Lambda::Function Function (it stays, outside of the stack)"),
        ({"Action": "Import"}, "= AWS::Lambda::Function Function"),
        ({"Action": "Dynamic"}, "? AWS::Lambda::Function Function"),
    ],
)  # fmt: skip
def test_a_change_is_a_line(found: dict[str, Any], expected: str) -> None:
    assert str(change_of({**FUNCTION, **found})) == expected


def test_the_whole_is_a_line() -> None:
    changes = [ResourceChange(act, "x", "t") for act in (Act.ADD, Act.ADD, Act.REPLACE, Act.REMOVE)]
    assert summary(changes) == "2 resources to add, 1 to replace, 1 to remove"
    assert summary(changes[2:3]) == "1 resource to replace"
    assert summary([]) == "only tags or outputs"


def test_what_a_template_adds_is_known_without_asking() -> None:
    template = {"Resources": {"B": {"Type": "AWS::SNS::Topic"}, "A": role(allow("s3:GetObject"))}}
    assert list(map(str, additions(template))) == ["+ AWS::IAM::Role A", "+ AWS::SNS::Topic B"]


def test_permissions_are_told_by_action() -> None:
    before = {
        "Resources": {
            "R": role(allow("s3:GetObject", "s3:PutObject", "glue:GetTable")),
            "Gone": role(allow("a:B")),
        }
    }
    denied = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    after = {
        "Resources": {
            "R": role(
                allow("s3:GetObject", "glue:GetTable"),
                allow("s3:PutObject", on="arn:one"),
                allow("glue:GetTables"),
            ),
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"PolicyDocument": {"Statement": denied}},
            },
        }
    }
    assert list(permission_lines(before, after)) == [
        "- Gone: a:B",
        "+ Policy: deny s3:*",
        "+ R: glue:GetTables",
        "~ R, on other resources or conditions: s3:PutObject",
    ]
    assert not list(permission_lines(after, after))
    assert list(permission_lines({}, {"Resources": {"R": role(allow("a:B"))}})) == ["+ R: a:B"]


# --- at CloudFormation


TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "trail-alarms"}}
QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "trail-queue"}}


@pytest.fixture
def gate(endpoint: str, keys: None) -> Iterator[Gate]:
    del keys
    gate = Gate(Access(), endpoint_url=endpoint)
    yield gate
    client = boto3.client("cloudformation", endpoint_url=endpoint)
    for each in client.describe_stacks()["Stacks"]:
        client.delete_stack(StackName=each["StackId"])


def request(resources: dict[str, Any], *, new: bool, name: str = "one") -> Request:
    return Request("trail", name, {"Resources": resources}, {"team": "security"}, new)


def never(seconds: float) -> None:
    raise AssertionError(f"nobody waits here, and not for {seconds} s")


def done(gate: Gate, wanted: Request) -> list[str]:
    """Carry a change set out; the lines of its events."""
    made = create(gate, wanted, CodeBucket(gate, "trail"))
    assert made is not None
    last = newest(gate, made.stack_id)
    execute(gate, made)
    heard: list[str] = []
    events = follow(
        gate, made.stack_id, last, lambda event: heard.append(f"{event.status} {event.name}"), never
    )
    assert [f"{event.status} {event.name}" for event in events] == heard
    return heard


@pytest.mark.emulator
def test_a_stack_is_made_changed_and_left_alone(gate: Gate) -> None:
    bucket = CodeBucket(gate, "trail")
    heard = done(gate, request({"Topic": TOPIC}, new=True))
    assert heard[-1] == "CREATE_COMPLETE trail"
    stack = find(gate, "trail")
    assert stack is not None
    assert stack.status == "CREATE_COMPLETE"
    assert template_of(gate, stack.id) == {"Resources": {"Topic": TOPIC}}
    assert create(gate, request({"Topic": TOPIC}, new=False, name="three"), bucket) is None
    second = create(gate, request({"Topic": TOPIC, "Queue": QUEUE}, new=False, name="four"), bucket)
    assert second is not None
    assert list(map(str, second.changes)) == ["+ AWS::SQS::Queue Queue"]
    discard(gate, second.id, second.stack_id)


@pytest.mark.emulator
def test_no_stack_is_none(gate: Gate) -> None:
    assert find(gate, "nothing-here") is None


def answers(monkeypatch: pytest.MonkeyPatch, **pages: list[dict[str, Any]]) -> list[str]:
    """CloudFormation's answers by operation, which no emulator gives; the calls that were made."""
    calls: list[str] = []

    def call(_: Gate, _service: str, operation: str, /, **_parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - as the gate's
        calls.append(operation)
        return {"Id": "arn:change-set", "StackId": "arn:stack"}

    def paged(_: Gate, _service: str, operation: str, /, **_parameters: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - as the gate's
        calls.append(operation)
        yield pages[operation].pop(0)

    monkeypatch.setattr(Gate, "call", call)
    monkeypatch.setattr(Gate, "pages", paged)
    return calls


def test_a_change_set_that_takes_its_time_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = {"Status": "CREATE_COMPLETE", "Changes": []}
    calls = answers(monkeypatch, DescribeChangeSet=[{"Status": "CREATE_IN_PROGRESS"}, ready])
    gate, waited = Gate(Access(region="eu-west-1")), [0.0]
    made = create(gate, request({}, new=False), CodeBucket(gate, "trail"), waited.append)
    assert made is not None
    assert made.changes == ()
    assert waited[1:] == [0.5]
    assert calls == ["CreateChangeSet", "DescribeChangeSet", "DescribeChangeSet"]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("Transform failed", "no change set for the stack trail: Transform failed"),
        (
            "Validation failed. Call DescribeEvents",
            r"for the stack trail: Bucket \(AWS::S3::Bucket\): exists",
        ),
    ],
)
def test_why_there_is_no_change_set_is_told(
    monkeypatch: pytest.MonkeyPatch, reason: str, expected: str
) -> None:
    fault = {
        "ValidationStatus": "FAILED", "LogicalResourceId": "Bucket", "ResourceType": "AWS::S3::Bucket",
        "ValidationStatusReason": "exists",
    }  # fmt: skip
    calls = answers(
        monkeypatch,
        DescribeChangeSet=[{"Status": "FAILED", "StatusReason": reason}],
        DescribeEvents=[{"OperationEvents": [{"EventType": "STACK_EVENT"}, fault]}],
    )
    gate = Gate(Access(region="eu-west-1"))
    with pytest.raises(DeploymentError, match=expected):
        create(gate, request({}, new=False), CodeBucket(gate, "trail"), never)
    assert calls[-1] == "DeleteChangeSet"


@pytest.mark.parametrize(
    "reason", ["No updates are to be performed.", "The submitted information didn't contain changes."]
)
def test_no_changes_are_none(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    calls = answers(monkeypatch, DescribeChangeSet=[{"Status": "FAILED", "StatusReason": reason}])
    gate = Gate(Access(region="eu-west-1"))
    assert create(gate, request({}, new=False), CodeBucket(gate, "trail"), never) is None
    assert calls[-1] == "DeleteChangeSet"
