"""A test of the alarm: sent through what is deployed, and what is said at each step that is broken."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bed.aws import REGION
from bed.buckets import ACCOUNT
from deploy.deployment import FIRST, STACK, Deployment, days_before
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.config import load
from trailhouse.deploy import rehearsal
from trailhouse.deploy.rehearsal import _failure, _message_id, rehearse
from trailhouse.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.aws import Aws
    from bed.cloud import Cloud

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:{STACK}-alarms"
EAST = "us-east-1"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MACHINE = '{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 60, "End": true}}}'


@pytest.fixture
def machine(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> str:
    """A stack whose state machine never ends by itself: moto's executions go on until they are stopped."""
    aws.restart()
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": f"{STACK}-alarms"}}
    aws.client("cloudformation").create_stack(
        StackName=STACK, TemplateBody=json.dumps({"Resources": {"Topic": topic}})
    )
    aws.client("iam").create_role(RoleName="x", AssumeRolePolicyDocument="{}")
    made = aws.client("stepfunctions").create_state_machine(
        name=STACK, definition=MACHINE, roleArn=f"arn:aws:iam::{ACCOUNT}:role/x"
    )
    return str(made["stateMachineArn"])


def rehearsed(wait: Callable[[float], None]) -> list[str]:
    """What is said while it is waited for."""
    said: list[str] = []
    rehearse(load({}, {}, None), Gate(Access()), NOW, said.append, wait)
    return said


@pytest.mark.parametrize(
    ("error", "step", "hint"),
    [
        ("SNS.KMSAccessDeniedException", "", "the topic's key must allow kms:Decrypt and kms:Generate"),
        ("SNS.AuthorizationErrorException", "", "the topic's policy must allow sns:Publish"),
        ("RunFailed", "lambda invoke: Lambda.Unknown: no", "its log group says why: /aws/lambda/mine"),
        ("", "lambda invoke: Lambda.ResourceNotFoundException", "the function is gone"),
        ("SNS.NotFoundException", "", "there is no such topic any more: `trailhouse deploy`"),
        (
            "",
            "",
            "the test is FAILED: Step Functions names no cause\nall steps: aws stepfunctions get-execution-h",
        ),
    ],
)
def test_what_fails_is_told_with_what_helps(error: str, step: str, hint: str) -> None:
    found = {"status": "FAILED", "error": error, "cause": "it broke"} if error else {"status": "FAILED"}
    assert hint in _failure(found, step, "arn:x", "mine")


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ('{"MessageId": "m1", "SdkHttpMetadata": {}}', "m1"),
        ('{"Payload": {"message": "x"}}', ""),
        ("[]", ""),
        ("cut off {", ""),
    ],
)
def test_the_step_that_published_has_the_message(output: str, message: str) -> None:
    assert _message_id(output) == message


@pytest.mark.emulator
@pytest.mark.usefixtures("machine")
def test_a_test_that_is_stopped_is_told(aws: Aws) -> None:
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{STACK}:test-alarm-20261122T120000"
    with pytest.raises(DeploymentError, match=f"the test is ABORTED(.|\n)*--execution-arn {arn}"):
        rehearsed(lambda _: aws.client("stepfunctions").stop_execution(executionArn=arn) and None)


@pytest.mark.emulator
@pytest.mark.usefixtures("machine")
def test_it_is_not_waited_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "LONGEST", 40.0)
    waits: list[float] = []
    with pytest.raises(DeploymentError, match="nothing was sent within 0:00:40, and the test goes on"):
        rehearsed(waits.append)
    assert sum(waits) == 40


# -- as it is deployed -------------------------------------------------------------------------------------------------


@pytest.fixture
def deployed(cloud: Cloud, tmp_path: Path) -> Deployment:
    """The run deployed, the first one done."""
    found = Deployment(cloud, tmp_path)
    found.deliver(days_before(cloud.now().date(), 3), (FIRST, EAST))
    found.run("deploy", "--yes")
    assert found.wait(1)["status"] == "SUCCEEDED"
    return found


@pytest.mark.cdk
@pytest.mark.emulator
@pytest.mark.slow
def test_a_test_goes_the_way_of_alarms_and_status_tells_how_it_stands(deployed: Deployment) -> None:
    said = deployed.run("status", "--test-alarm", code=3)
    assert "confirmed subscriptions: 0\n" in said
    assert f"nobody hears it. Subscribe: aws sns subscribe --topic-arn {TOPIC} " in said
    assert "nobody hears the alarms" in deployed.run("status", code=3)

    deployed.listen(TOPIC)
    said = deployed.run("status", "--test-alarm")
    found = re.match(
        rf"published as message (\S+) to {TOPIC}\nby (arn:\S+)\nconfirmed subscriptions: 1\n", said
    )
    assert found, said
    (message,) = [one for one in deployed.messages(5) if "test" in one["Subject"]]
    assert message["MessageId"] == found[1]
    assert "asked for with `trailhouse status --test-alarm`: nothing is wrong" in message["Message"]

    said = deployed.run("status")
    assert "CREATE_COMPLETE, trailhouse" in said
    assert "No open problems" in said
    assert f"{FIRST}  {EAST}" in said
    (record,) = deployed.records()
    assert record["run"] in deployed.run("runs", record["run"][:12])
    assert "deployment" in deployed.run("runs")

    deployed.cloud.client("lambda").delete_function(FunctionName=STACK)
    said = deployed.run("status", "--test-alarm", code=1)
    assert "the test is FAILED: " in said
    assert "the function is gone: `trailhouse deploy`; all steps: aws stepfunctions" in said


@pytest.mark.cdk
@pytest.mark.emulator
@pytest.mark.slow
def test_what_has_changed_since_the_deployment_is_told(deployed: Deployment) -> None:
    deployed.listen(TOPIC)
    deployed.configure(partition_days=7, schedule="cron(30 5 * * ? *)")
    said = " ".join(deployed.run("status").split())
    assert (
        "the configuration has changed since it was deployed: schedule (cron(0 6 * * ? *) is deployed)"
        in said
    )
    deployed.run("deploy", "--yes")
    assert deployed.wait(2)["status"] == "SUCCEEDED"
    assert "has changed" not in deployed.run("status")
    deployed.run("undeploy", "--yes")
    said = deployed.run("status", code=3)
    assert "trailhouse: not deployed" in said
    assert "Last runs" in said
    assert "there is no stack trailhouse" in deployed.run("status", "--test-alarm", code=1)
