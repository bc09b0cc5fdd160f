"""The state machines: their shape, and what they do on the emulated AWS with a function that says what a test wants."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from bed.buckets import ACCOUNT
from deploy.stacks import CONFIGS
from trailhouse.config.settings import Settings
from trailhouse.deploy.stack.machine import MOST_PIECES, SUBSTITUTED, run_definition, scan_definition
from trailhouse.deploy.template import Code, fill
from trailhouse.deploy.values import values_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed.cloud import Cloud

DEFINITIONS = {"run": run_definition(), "scan": scan_definition()}
HISTORY = 25_000  # https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
REGION = "us-east-1"


def following(state: dict[str, Any]) -> set[str]:
    """The states that may come after one."""
    found = {state.get("Next"), state.get("Default")}
    found |= {each["Next"] for name in ("Choices", "Catch") for each in state.get(name, ())}
    return {name for name in found if name}


def tasks() -> Iterator[tuple[str, dict[str, Any]]]:
    for definition in DEFINITIONS.values():
        for name, state in definition["States"].items():
            if state["Type"] == "Task":
                yield name, state


@pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=DEFINITIONS)
def test_every_state_is_reached_and_every_way_ends(definition: dict[str, Any]) -> None:
    states = definition["States"]
    reached, ahead = set(), [definition["StartAt"]]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += following(states[name])
    assert reached == set(states)
    for name, state in states.items():
        ends = state["Type"] in {"Succeed", "Fail"} or state.get("End", False)
        assert ends != bool(following(state)), name


def test_variables_are_those_that_the_stack_fills() -> None:
    for definition in DEFINITIONS.values():
        assert set(re.findall(r"\$\{(\w+)\}", json.dumps(definition))) <= set(SUBSTITUTED)


def test_each_task_is_tried_again_and_only_sure_failures_are_not_waited_for() -> None:
    for name, state in tasks():
        assert state["Retry"], name
        errors = {error for rule in state["Retry"] for error in rule["ErrorEquals"]}
        if ":lambda:" in state["Resource"]:
            # What the function itself does wrong comes again, and costs a quarter of an hour each time.
            assert not errors & {"States.ALL", "States.Timeout", "Lambda.Unknown", "Sandbox.Timedout"}
            assert "Lambda.TooManyRequestsException" in errors


def test_messages_are_what_sns_takes_and_can_be_acted_on() -> None:
    told = [state["Parameters"] for _, state in tasks() if ":sns:" in state["Resource"]]
    written = [each for each in told if "Subject" in each]
    assert len(written) == 2
    for each in written:
        # 28 characters are the longest name of a stack.
        subject = each["Subject"].replace("${Stack}", "s" * 28)
        assert subject.isascii()
        assert len(subject) <= 100
        for word in ("What: ", "Since: ", "Tried: ", "Do: "):
            assert word in each["Message.$"]


def test_what_is_not_published_is_kept_and_the_machine_goes_on_as_if_it_were() -> None:
    for definition in DEFINITIONS.values():
        states = definition["States"]
        for name, state in states.items():
            if ":sns:" not in state.get("Resource", ""):
                continue
            (caught,) = state["Catch"]
            assert caught["ErrorEquals"] == ["States.ALL"]
            keep = states[f"Keep the {name.removeprefix('Tell the ')}"]
            following_it = states[caught["Next"]]
            assert (
                following_it is keep
                or following_it["Default"] == f"Keep the {name.removeprefix('Tell the ')}"
            )
            assert keep["Resource"].endswith(":sqs:sendMessage")
            text = state["Parameters"]["Message.$"]
            assert keep["Parameters"] == {"QueueUrl": "${Undelivered}", "MessageBody.$": text}
            written = {each["ResultPath"] for each in (state, caught, keep)}
            assert not [path for path in written if path in text]
            kept = "Not told" if definition is DEFINITIONS["scan"] else state["Next"]
            assert keep["Next"] == kept
    assert DEFINITIONS["scan"]["States"]["Not told"]["Type"] == "Fail"


def test_the_longest_run_fits_in_a_history() -> None:
    piece = 1 + 3 * 2 + 5 + 3  # entered and left: three choices or passes; a task; publishing now and then
    waits = 720 * 3
    assert MOST_PIECES * piece * 2 + waits < HISTORY


def test_no_null() -> None:
    assert "null" not in json.dumps(DEFINITIONS).replace("StringToJson('null')", "")


# --- on the emulated AWS -------------------------------------------------------------------------------------------

STUB = """
def handle(event, context):
    n, task = event["piece"], event["task"]
    answer = dict(outcome="done", cursor=None, piece=n + 1, record="s3://b/k", subject="subject", message="")
{body}
"""


class Stub:
    """A deployed stack whose function does what a test says; what was told, from a subscribed queue."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.lambda_, self.states, self.sqs = map(cloud.client, ("lambda", "stepfunctions", "sqs"))
        cloud.bucket("code-of-stub")
        cloud.client("s3").put_object(
            Bucket="code-of-stub", Key="stub.zip", Body=package("    return answer")
        )
        template = fill(values_of(Settings(**CONFIGS["least"])), Code("code-of-stub", "stub.zip"))
        formation = cloud.client("cloudformation")
        formation.create_stack(
            StackName="trailhouse", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        formation.get_waiter("stack_create_complete").wait(
            StackName="trailhouse", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        (stack,) = formation.describe_stacks(StackName="trailhouse")["Stacks"]
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        self.queue = ear(cloud, self.outputs["Topic"])
        self.until_ended()

    def function(self, body: str) -> None:
        self.lambda_.update_function_code(FunctionName=self.outputs["Function"], ZipFile=package(body))

    def run(self, given: str = "{}", machine: str = "") -> tuple[str, list[str]]:
        """Run it; how it ended, and what was told."""
        arn = machine or self.outputs["StateMachine"]
        started = self.states.start_execution(stateMachineArn=arn, input=given)["executionArn"]
        self.until_ended(arn)
        return self.states.describe_execution(executionArn=started)["status"], self.told()

    def until_ended(self, machine: str = "") -> None:
        arn = machine or self.outputs["StateMachine"]
        for _ in range(600):
            if not self.states.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]:
                return
            time.sleep(0.1)
        raise AssertionError("it runs for more than a minute")

    def told(self, queue: str = "") -> list[str]:
        """What has come into a queue: that which hears the topic, if no other is named."""
        url, found = queue or self.queue, list[str]()
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [each["Body"] for each in messages]
            for each in messages:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return found


def ear(cloud: Cloud, topic: str) -> str:
    """A queue that hears a topic."""
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:ear"
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    made = cloud.client("sqs").create_queue(QueueName="ear", Attributes={"Policy": policy})
    cloud.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    queue: str = made["QueueUrl"]
    return queue


def package(body: str) -> bytes:
    files = {
        "trailhouse/__init__.py": "",
        "trailhouse/nightly/__init__.py": "",
        "trailhouse/nightly/handler.py": STUB.format(body=body),
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return stream.getvalue()


@pytest.fixture
def stub(cloud: Cloud) -> Stub:
    return Stub(cloud)


@pytest.mark.cdk
@pytest.mark.emulator
@pytest.mark.slow
def test_pieces_news_and_endings(stub: Stub) -> None:
    stub.function("""
    answer["message"] = f"{n} {event['cursor']} {event['reason']}" if n in (2, 3) else ""
    if n < 3:
        answer |= {"outcome": "more", "cursor": {"after": str(n)}}
    return answer
""")
    status, told = stub.run('{"reason": "schedule"}')
    assert status == "SUCCEEDED"
    assert sorted(told) == ["2 {'after': '1'} schedule", "3 {'after': '2'} schedule"]

    for outcome, ended in (("incomplete", "SUCCEEDED"), ("failed", "FAILED")):
        stub.function(f'    return answer | {{"outcome": "{outcome}"}}')
        assert stub.run() == (ended, [])

    # Where it begins is not for the input to say.
    stub.function("    return answer | {\"message\": f\"{n} {event['cursor']} {event['reason']} {task}\"}")
    status, told = stub.run('{"piece": 7, "cursor": {"after": "1"}, "task": "test-alarm"}')
    assert (status, told) == ("SUCCEEDED", ["1 None by hand test-alarm"])


@pytest.mark.cdk
@pytest.mark.emulator
@pytest.mark.slow
def test_what_breaks_off_is_explained_and_told(stub: Stub) -> None:
    stub.function("""
    if task != "explain":
        raise ValueError("broken")
    return answer | {"outcome": "failed", "message": f"explained {event['asked']}: {event['cause']}"}
""")
    status, told = stub.run()
    assert status == "FAILED"
    assert len(told) == 1
    assert told[0].startswith("explained piece: ")
    assert "broken" in told[0]
    status, told = stub.run('{"task": "test-alarm"}')
    assert status == "FAILED"
    assert told[0].startswith("explained test-alarm: ")

    # A problem that is known is not told again.
    stub.function("""
    if task != "explain":
        raise ValueError("broken")
    return answer | {"outcome": "failed"}
""")
    assert stub.run() == ("FAILED", [])

    stub.function('    raise ValueError("broken for good")')
    status, told = stub.run()
    assert status == "FAILED"
    (message,) = told
    assert "could not say why" in message
    assert "broken for good" in message
    assert "Do: trailhouse status --stack trailhouse" in message

    stub.function(f"""
    if task == "explain":
        return answer | {{"outcome": "failed", "message": event["error"]}}
    return answer | {{"outcome": "more", "piece": n + {MOST_PIECES - 1}}}
""")
    assert stub.run() == ("FAILED", ["TooManyPieces"])


@pytest.mark.cdk
@pytest.mark.emulator
@pytest.mark.slow
def test_what_sns_refuses_lies_in_the_queue(stub: Stub) -> None:
    iam = stub.cloud.client("iam")
    resources = stub.cloud.client("cloudformation").describe_stack_resources(StackName="trailhouse")
    (role,) = (
        each["PhysicalResourceId"]
        for each in resources["StackResources"]
        if each["LogicalResourceId"] == "MachineRole"
    )
    policy = json.dumps(iam.get_role_policy(RoleName=role, PolicyName="all")["PolicyDocument"])
    assert '"sns:Publish"' in policy
    iam.put_role_policy(
        RoleName=role,
        PolicyName="all",
        PolicyDocument=policy.replace('"sns:Publish"', '"sns:GetTopicAttributes"'),
    )
    queue = stub.sqs.get_queue_url(QueueName="trailhouse-undelivered")["QueueUrl"]

    # The run goes on, and ends as it ends.
    stub.function("""
    return answer | ({"outcome": "more", "message": "the first"} if n == 1 else {"message": "the second"})
""")
    assert stub.run() == ("SUCCEEDED", [])
    assert sorted(stub.told(queue)) == ["the first", "the second"]

    stub.function("""
    if task != "explain":
        raise ValueError("broken")
    return answer | {"outcome": "failed", "message": "explained"}
""")
    assert stub.run() == ("FAILED", [])
    assert stub.told(queue) == ["explained"]

    stub.function('    raise ValueError("broken for good")')
    assert stub.run() == ("FAILED", [])
    (message,) = stub.told(queue)
    assert "could not say why" in message
    assert "broken for good" in message

    # A test finds that nobody would be told, and there is nothing to keep.
    stub.function('    return answer | {"message": "a test"}')
    assert stub.run('{"task": "test-alarm"}') == ("FAILED", [])
    assert stub.told(queue) == []


@pytest.mark.cdk
@pytest.mark.emulator
@pytest.mark.slow
@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("Bytes scanned limit was exceeded", True),
        ("Query cancelled by user", False),
        (None, False),
    ],
)
def test_the_scan_limit_is_told_and_nothing_else_is(cloud: Cloud, reason: str | None, told: bool) -> None:  # noqa: FBT001 - a case
    """The emulated Athena stops no query: its answer is put in its place, the rest is the machine as it is."""
    status = {"State": "CANCELLED"} | ({"StateChangeReason": reason} if reason else {})
    definition = scan_definition()
    definition["States"]["Ask why it ended"] = {
        "Type": "Pass",
        "Result": {"status": status},
        "ResultPath": "$.asked",
        "Next": "Was it the scan limit",
    }
    sns, sqs, states = map(cloud.client, ("sns", "sqs", "stepfunctions"))
    topic = sns.create_topic(Name="t")["TopicArn"]
    queue = ear(cloud, topic)
    text = json.dumps(definition).replace("${AWS::Partition}", "aws")
    text = text.replace("${Topic}", topic).replace("${Stack}", "trailhouse")
    machine = states.create_state_machine(name="scan", definition=text, roleArn=role(cloud))[
        "stateMachineArn"
    ]
    event = {
        "time": "2026-11-22T06:00:00Z",
        "detail": {"queryExecutionId": "1234", "workgroupName": "trailhouse", "currentState": "CANCELLED"},
    }
    started = states.start_execution(stateMachineArn=machine, input=json.dumps(event))["executionArn"]
    while (ended := states.describe_execution(executionArn=started)["status"]) == "RUNNING":
        time.sleep(0.1)
    assert ended == "SUCCEEDED"
    found = [each["Body"] for each in sqs.receive_message(QueueUrl=queue).get("Messages", ())]
    if not told:
        assert not found
        return
    (message,) = found
    assert (
        "Athena stopped query 1234 in the workgroup trailhouse: Bytes scanned limit was exceeded" in message
    )
    assert "Since: 2026-11-22T06:00:00Z" in message
    assert "workgroup_limit" in message


def role(cloud: Cloud) -> str:
    """A role that may publish."""
    iam = cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    made = iam.create_role(
        RoleName="scan",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    publish = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}
    iam.put_role_policy(
        RoleName="scan",
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [publish]}),
    )
    arn: str = made["Role"]["Arn"]
    return arn
