"""What the deployed run tells, and CloudWatch for it: once, with its end, and so that it can be acted on."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bed.buckets import ACCOUNT
from bed.faults import Fault, throttle
from deploy.deployment import (
    DATABASE,
    DAY,
    EAST,
    FIRST,
    LOGS,
    SECOND,
    STACK,
    TOPIC,
    WEST,
    Deployment,
    days_before,
    until,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.cdk, pytest.mark.emulator, pytest.mark.slow]


# --- what goes wrong -----------------------------------------------------------------------------------------------


def denied(deployment: Deployment) -> Callable[[], None]:
    """The bucket of the logs refuses one account's folder."""
    log = deployment.cloud.s3.log

    def its(_: str, asked: dict[str, Any]) -> bool:
        return SECOND in asked.get("Prefix", "")

    log.faults.append(Fault("ListObjectsV2", times=None, when=its, code="AccessDeniedException", status=403))
    return log.faults.clear


def throttled(deployment: Deployment) -> Callable[[], None]:
    """Glue takes no partition of one account."""
    glue = deployment.cloud.glue

    def its(_: str, asked: dict[str, Any]) -> bool:
        return str(asked["TableName"]).endswith(SECOND)

    glue.inject(throttle("BatchCreatePartition", times=None, when=its))
    return glue.heal


def forbidden(deployment: Deployment) -> Callable[[], None]:
    """The role has lost an action."""
    iam, role = deployment.cloud.client("iam"), deployment.role_of("FunctionRole")
    found = iam.get_role_policy(RoleName=role, PolicyName="all")["PolicyDocument"]
    whole = json.dumps(found)
    assert '"glue:BatchCreatePartition"' in whole
    less = whole.replace('"glue:BatchCreatePartition"', '"glue:GetTable"')
    iam.put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=less)
    return lambda: iam.put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=whole)


@dataclass(frozen=True)
class Trouble:
    """Something that goes wrong, with what is told of it.

    Attributes:
        begin: how it begins; it gives back how it ends.
        status: of the execution.
        accounts: that are left out.
        what, tried, command: patterns of the lines.
    """

    begin: Callable[[Deployment], Callable[[], None]]
    status: str
    accounts: tuple[str, ...]
    what: str
    tried: str
    command: str


TROUBLES = {
    "a bucket denies an account": Trouble(
        denied, "SUCCEEDED", (SECOND,),
        rf"access denied: s3:ListBucket on .*{LOGS}.*AccessDenied",
        "asked once: a refusal only comes again; the next run asks again",
        f"trailhouse policy bucket --principal arn:aws:iam::{ACCOUNT}:role/{STACK}-runner-us-east-1",
    ),
    "Glue throttles": Trouble(
        throttled, "SUCCEEDED", (SECOND,),
        rf"glue BatchCreatePartition on \S+:table/{DATABASE}/cloudtrail_{SECOND} failed \(ThrottlingException\)",
        r"each call was tried up to \d+ times, with growing pauses; the next run tries again",
        f"trailhouse apply --target {SECOND}",
    ),
    "an action is missing": Trouble(
        forbidden, "FAILED", (FIRST, SECOND),
        r"access denied: glue:BatchCreatePartition on arn:aws:glue:us-east-1:123456789012:\S+",
        "asked once: a refusal only comes again; the next run asks again",
        "trailhouse deploy",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TROUBLES)
def test_a_problem_is_told_once_and_its_end_too(deployed: Deployment, name: str) -> None:
    trouble = TROUBLES[name]
    places = (FIRST, EAST), (FIRST, WEST), (SECOND, EAST)
    first = deployed.today() + DAY
    mend = trouble.begin(deployed)
    deployed.deliver([first], *places)
    assert deployed.morning(first)["status"] == trouble.status
    (message,) = deployed.told()
    text = message["Message"]
    assert len(message["Subject"]) <= 100
    assert f"({STACK}, {ACCOUNT}, us-east-1)" in message["Subject"]
    assert text.splitlines()[0].endswith(
        f"started {first}T06:00:00Z (schedule): {'failed' if trouble.status == 'FAILED' else 'incomplete'}"
    )
    for account in trouble.accounts:
        assert f"{account}: left out of the run" in text
    count = len(trouble.accounts)
    assert len(re.findall(f"^ +What: {trouble.what}", text, re.MULTILINE)) == count, text
    assert text.count(f"   Since: {first}T06:00:00Z\n") == count
    assert len(re.findall(f"^ +Tried: {trouble.tried}$", text, re.MULTILINE)) == count, text
    assert len(re.findall(f"^ +Run: {trouble.command}$", text, re.MULTILINE)) == count, text
    record = deployed.records()[-1]
    assert {each["subject"] for each in record["begun"]} == set(trouble.accounts)

    second = first + DAY
    deployed.deliver([second], *places)
    assert deployed.morning(second)["status"] == trouble.status
    assert deployed.told(1) == []
    assert len(deployed.records()[-1]["problems"]) == count

    mend()
    third = second + DAY
    deployed.deliver([third], *places)
    assert deployed.morning(third)["status"] == "SUCCEEDED"
    (message,) = deployed.told()
    assert "over" in message["Subject"]
    for account in trouble.accounts:
        assert f"{account}: left out of the run" in message["Message"].partition("OVER")[2]
    assert {(EAST, day) for day in (first, second, third)} <= deployed.partitions(SECOND)
    assert deployed.records()[-1]["problems"] == []


def test_a_function_that_is_cut_off_says_so_when_it_is_asked_again(deployed: Deployment) -> None:
    deployed.cloud.client("lambda").update_function_configuration(FunctionName=STACK, Timeout=4)
    deployed.cloud.s3.log.faults.append(Fault("ListObjectsV2", seconds=8))
    assert deployed.start()["status"] == "FAILED"
    (message,) = deployed.told()
    assert message["Subject"] == f"trailhouse: run failed: Sandbox.Timedout ({STACK}, {ACCOUNT}, us-east-1)"
    text = message["Message"]
    assert "What: the function ended without an answer: Sandbox.Timedout: Task timed out" in text
    for word in ("Since: ", "Tried: ", "Run: trailhouse "):
        assert f"   {word}" in text
    assert deployed.records()[-1]["outcome"] == "failed"
    assert deployed.start()["status"] == "SUCCEEDED"
    (message,) = deployed.told()
    assert "Sandbox.Timedout" in message["Message"].partition("OVER")[2]


def test_the_machine_speaks_for_a_function_that_cannot(deployed: Deployment) -> None:
    broken = io.BytesIO()
    with zipfile.ZipFile(broken, "w") as file:
        file.writestr(
            "trailhouse/nightly/handler.py", "def handle(event, context): raise RuntimeError('broken')"
        )
    deployed.cloud.client("lambda").update_function_code(FunctionName=STACK, ZipFile=broken.getvalue())
    assert deployed.start()["status"] == "FAILED"
    (message,) = deployed.told()
    assert message["Subject"] == f"trailhouse: a run of {STACK} broke off"
    text = message["Message"]
    assert re.search(r"^What: run \S+ of the stack trailhouse broke off", text), text
    for word in ("Since: 2", "Error: ", "Cause: ", "Tried: ", f"Do: trailhouse status --stack {STACK}"):
        assert f"\n{word}" in text
    assert "broken" in text


def test_silence_is_told_once_and_its_end_too(here: Deployment) -> None:
    steady, quiet = (FIRST, EAST), (SECOND, EAST)
    first = here.today()
    here.deliver(days_before(first, 20), steady, quiet, (FIRST, WEST))
    here.run("deploy", "--yes")
    here.listen(TOPIC)
    here.wait(1)
    here.deliver(days_before(first + 7 * DAY, 7), steady)
    here.morning(first + 7 * DAY)
    (message,) = here.told()
    text = message["Message"]
    assert message["Subject"] == f"trailhouse: 2 new problems ({STACK}, {ACCOUNT}, us-east-1)"
    assert f"{SECOND}: delivers no logs any more" in text
    assert f"{FIRST}/{WEST}" in text
    assert f"{SECOND}/{EAST}" not in text  # the account, and not each of its regions
    assert len(re.findall(r"^ +(?:What|Since|Tried|Run): \S", text, re.MULTILINE)) == 8, text
    assert text.count(f"   Since: {first + DAY}T") == 2, text
    here.deliver([first + 8 * DAY], steady)
    here.morning(first + 8 * DAY)
    assert here.told(1) == []
    here.deliver([first + 9 * DAY], steady, quiet)
    here.morning(first + 9 * DAY)
    (message,) = here.told()
    assert f"{SECOND}: delivers no logs any more" in message["Message"].partition("OVER")[2]
    assert f"It delivers again: {first + 9 * DAY}" in message["Message"]


# --- alarms --------------------------------------------------------------------------------------------------------


def alarm(deployment: Deployment, name: str) -> dict[str, Any]:
    watch = deployment.cloud.client("cloudwatch")
    (found,) = watch.describe_alarms(AlarmNames=[f"{STACK}-{name}"])["MetricAlarms"]
    return dict(found)


def alarms(deployment: Deployment, seconds: float = 3) -> list[dict[str, Any]]:
    """What CloudWatch said of its alarms."""
    found = deployment.messages(seconds)
    return [json.loads(each["Message"]) for each in found if not each["Subject"].startswith("trailhouse")]


def test_a_run_that_never_happens_is_an_alarm(deployed: Deployment) -> None:
    found = alarm(deployed, "no-success")
    wanted = {
        "Namespace": "trailhouse", "MetricName": "RunsSucceeded", "Statistic": "Sum", "Period": 3600,
        "EvaluationPeriods": 26, "DatapointsToAlarm": 26, "Threshold": 1.0, "TreatMissingData": "breaching",
        "ComparisonOperator": "LessThanThreshold", "ActionsEnabled": True, "AlarmActions": [TOPIC],
        "Dimensions": [{"Name": "Stack", "Value": STACK}],
    }  # fmt: skip
    assert {name: found.get(name) for name in wanted} == wanted
    # The emulated alarm ignores missing data: that a run came is seen, that none came is put for AWS.
    assert found["StateValue"] == "OK"
    deployed.cloud.client("cloudwatch").set_alarm_state(
        AlarmName=found["AlarmName"], StateValue="ALARM", StateReason="no data"
    )
    (message,) = alarms(deployed)
    assert message["NewStateValue"] == "ALARM"
    for word in (
        "What: no nightly run",
        "first hours after a deployment",
        "Since: ",
        "Tried: ",
        "Do: trailhouse status",
    ):
        assert word in message["AlarmDescription"]


def test_what_the_schedule_cannot_begin_is_an_alarm(deployed: Deployment) -> None:
    deployed.cloud.client("stepfunctions").delete_state_machine(stateMachineArn=deployed.machine())
    day = deployed.today() + DAY
    deployed.cloud.move(datetime(day.year, day.month, day.day, 5, 59, 59, tzinfo=UTC))
    sqs = deployed.cloud.client("sqs")
    queue = sqs.get_queue_url(QueueName=f"{STACK}-undelivered")["QueueUrl"]
    asked = {"QueueUrl": queue, "MessageAttributeNames": ["All"]}
    (lost,) = until(lambda: sqs.receive_message(**asked).get("Messages"), what="the lost message")
    assert lost["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "StateMachineDoesNotExist"
    found = alarm(deployed, "undelivered")
    assert (found["Namespace"], found["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert found["Dimensions"] == [{"Name": "QueueName", "Value": f"{STACK}-undelivered"}]
    # SQS puts this metric on AWS.
    deployed.cloud.metric(
        "AWS/SQS", "ApproximateNumberOfMessagesVisible", 1, QueueName=f"{STACK}-undelivered"
    )
    (message,) = alarms(deployed)
    assert message["NewStateValue"] == "ALARM"
    assert "could not begin a run" in message["AlarmDescription"]


def test_a_query_that_reached_the_scan_limit_is_told(deployed: Deployment) -> None:
    cloud = deployed.cloud
    limit = "Query cancelled! : Bytes scanned limit was exceeded"
    for run, state, reason, workgroup in (
        ("q-limit", "CANCELLED", limit, STACK),
        ("q-user", "CANCELLED", "Query cancelled by user", STACK),
        ("q-failed", "FAILED", "SYNTAX_ERROR: line 1:8: Column 'x' cannot be resolved", STACK),
        ("q-other", "CANCELLED", limit, "primary"),
    ):
        # Athena runs no queries here, and puts no events on the bus.
        cloud.ask("query", run=run, workgroup=workgroup, state=state, reason=reason)
        cloud.event("aws.athena", "Athena Query State Change", {
            "versionId": "0", "currentState": state, "previousState": "RUNNING", "statementType": "DML",
            "queryExecutionId": run, "workgroupName": workgroup, "sequenceNumber": "3",
        })  # fmt: skip
    (message,) = deployed.told(10)
    assert message["Subject"] == f"trailhouse: a query in {STACK} reached the scan limit"
    text = message["Message"]
    assert f"What: Athena stopped query q-limit in the workgroup {STACK}: {limit}" in text
    assert re.search(r"^Since: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", text, re.MULTILINE), text
    assert "\nTried: " in text
    assert "\nDo: " in text
    assert deployed.told(2) == []


def test_a_test_alarm_arrives(deployed: Deployment) -> None:
    said = deployed.run("status", "--test-alarm")
    print(said)
    (message,) = deployed.told()
    assert message["Subject"] == f"trailhouse: test ({STACK}, {ACCOUNT}, us-east-1)"
    assert "nothing is wrong" in message["Message"]
    assert len(deployed.records()) == 1
