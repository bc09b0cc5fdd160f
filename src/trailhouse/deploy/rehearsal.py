"""A test of the alarm, end to end: the deployed state machine sends a message, and who hears it is counted."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from trailhouse.aws.access import partition_of
from trailhouse.deploy.stack_status import find
from trailhouse.deploy.standing import audience, topic_arn
from trailhouse.errors import AwsError, DeploymentError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from trailhouse.aws.gate import Gate
    from trailhouse.config import Settings
    from trailhouse.core.standing import Audience

LONGEST = 1_000.0
"""Seconds until it is not waited any longer: a piece of a run, which has the function's only place, takes 900."""
PAUSE = 2.0
_PATIENCE = 30.0
_STEPS = 200
_RUNNING = "RUNNING"
_HINTS = (
    ("Lambda.ResourceNotFound", "the function is gone: `trailhouse deploy`"),
    ("Lambda", "the function does not answer: its log group says why: /aws/lambda/{stack}"),
    (
        "KMS",
        "the topic's key must allow kms:Decrypt and kms:GenerateDataKey to the role of the state machine",
    ),
    ("AuthorizationError", "the topic's policy must allow sns:Publish to the role of the state machine"),
    ("AccessDenied", "the topic's policy must allow sns:Publish to the role of the state machine"),
    ("NotFound", "there is no such topic any more: `trailhouse deploy`"),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was published.

    Attributes:
        execution: ARN of what sent it.
        topic: ARN of where it went.
        message: SNS's id of it, "" where it cannot be read.
        audience: who hears it; None where that may not be looked at.
    """

    execution: str
    topic: str
    message: str
    audience: Audience | None


def rehearse(
    settings: Settings,
    gate: Gate,
    now: datetime,
    say: Callable[[str], None],
    wait: Callable[[float], None] = time.sleep,
) -> Sent:
    """Have the state machine send a test message, and wait for it.

    Args:
        settings: of the stack that is meant.
        gate: calls leave through it.
        now: the present, UTC: names the execution.
        say: hears of what is waited for.
        wait: sleeps that many seconds.

    Raises:
        DeploymentError: there is no stack, or it could not send; says which step failed.
        AwsError: a call is refused.
    """
    name = settings.stack
    stack = find(gate, name)
    if stack is None:
        raise DeploymentError(
            f"there is no stack {name} in account {gate.account()}, {gate.region}, so there is no alarm to test: "
            "`trailhouse deploy` makes it; --stack names another"
        )
    usual = f"arn:{partition_of(gate.region)}:states:{gate.region}:{gate.account()}:stateMachine:{name}"
    arn = _started(gate, stack.outputs.get("StateMachine", usual), f"test-alarm-{now:%Y%m%dT%H%M%S}", name)
    found = _ended(gate, arn, say, wait)
    message, failed = _last_steps(gate, arn)
    if found["status"] != "SUCCEEDED":
        raise DeploymentError(_failure(found, failed, arn, name))
    topic = stack.outputs.get("Topic") or topic_arn(settings, gate)
    try:
        heard = audience(gate, topic)
    except AwsError as error:
        say(f"who hears the topic could not be looked at: {error}")
        heard = None
    return Sent(arn, topic, message, heard)


def _started(gate: Gate, machine: str, name: str, stack: str) -> str:
    asked = json.dumps({"task": "test-alarm", "reason": "by hand"})
    try:
        answer = gate.call("stepfunctions", "StartExecution", stateMachineArn=machine, name=name, input=asked)
    except NotFoundError as error:
        raise DeploymentError(
            f"the stack {stack} is there and its state machine is not ({error}): `trailhouse deploy`"
        ) from error
    return str(answer["executionArn"])


def _ended(
    gate: Gate, arn: str, say: Callable[[str], None], wait: Callable[[float], None]
) -> Mapping[str, Any]:
    """The execution once it is over. Raises DeploymentError, AwsError."""
    waited, said = 0.0, False
    while (found := gate.call("stepfunctions", "DescribeExecution", executionArn=arn))["status"] == _RUNNING:
        if waited >= LONGEST:
            raise DeploymentError(
                f"nothing was sent within {timedelta(seconds=int(waited))}, and the test goes on: a run may have the "
                f"function's only place. See: aws stepfunctions describe-execution --execution-arn {arn}"
            )
        if waited >= _PATIENCE and not said:
            say("still waiting: a run may have the function's only place, which takes up to 15 minutes")
            said = True
        wait(PAUSE)
        waited += PAUSE
    return found


def _failure(found: Mapping[str, Any], step: str, arn: str, stack: str) -> str:
    """Which step failed, and what helps."""
    error, cause = str(found.get("error", "")), str(found.get("cause", ""))
    said = step or ": ".join(filter(None, (error, cause))) or "Step Functions names no cause"
    hint = next((f"{text.format(stack=stack)}; " for word, text in _HINTS if word in said), "")
    see = f"aws stepfunctions get-execution-history --reverse-order --execution-arn {arn}"
    return f"the test is {found['status']}: {said}\n{hint}all steps: {see}"


def _last_steps(gate: Gate, arn: str) -> tuple[str, str]:
    """SNS's id of what was published, and the first call that failed; each "" where there is none."""
    try:
        found = gate.call("stepfunctions", "GetExecutionHistory", executionArn=arn, maxResults=_STEPS)
    except AwsError:
        return "", ""  # what is known without it is told
    message = failed = ""
    for event in found["events"]:
        done, not_done = event.get("taskSucceededEventDetails"), event.get("taskFailedEventDetails")
        if done and not message:
            message = _message_id(done.get("output", "{}"))
        if not_done and not failed:
            step = f"{not_done.get('resourceType', '')} {not_done.get('resource', '')}".strip()
            failed = ": ".join(filter(None, (step, not_done.get("error", ""), not_done.get("cause", ""))))
    return message, failed


def _message_id(output: str) -> str:
    """SNS's id of a message in what a step put out; "" where it is another step's."""
    try:
        return str(json.loads(output)["MessageId"])
    except (ValueError, KeyError, TypeError):
        return ""
