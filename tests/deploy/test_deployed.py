"""The nightly run as it is deployed: nights, what it tells, and what it leaves."""

from __future__ import annotations

import io
import json
import os
import re
import threading
import zipfile
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bed.buckets import ACCOUNT
from bed.faults import Fault, throttle
from deploy.deployment import (
    CDK,
    DATABASE,
    FIRST,
    LOGS,
    OUTPUT,
    SECOND,
    STACK,
    THIRD,
    Deployment,
    checkout,
    days_before,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.cloud import Cloud

pytestmark = [pytest.mark.cdk, pytest.mark.emulator, pytest.mark.slow]
EAST, WEST, SOUTH = "us-east-1", "eu-west-1", "ap-southeast-2"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:{STACK}-alarms"
DAY = timedelta(days=1)


@pytest.fixture
def here(cloud: Cloud, tmp_path: Path) -> Deployment:
    """An account with four days of logs of two accounts, and a configuration."""
    found = Deployment(cloud, tmp_path)
    found.deliver(days_before(today(found), 4), (FIRST, EAST), (FIRST, WEST), (SECOND, EAST))
    return found


@pytest.fixture
def deployed(here: Deployment) -> Deployment:
    """The same with the run deployed, the first one done, and a queue that hears what the topic tells."""
    here.run("deploy", "--yes")
    here.listen(TOPIC)
    assert here.wait(1)["status"] == "SUCCEEDED"
    here.messages()
    return here


def today(deployment: Deployment) -> date:
    return deployment.cloud.now().date()


def told(deployment: Deployment, seconds: float = 3) -> list[dict[str, str]]:
    """What the runs told; not what CloudWatch says of its alarms."""
    return [each for each in deployment.messages(seconds) if each["Subject"].startswith("trailhouse")]


# --- nights --------------------------------------------------------------------------------------------------------


def test_days_accounts_and_regions_appear_night_after_night(deployed: Deployment) -> None:
    first = today(deployed)
    assert deployed.tables() == {
        "cloudtrail", "cloudtrail_events", f"cloudtrail_{FIRST}", f"cloudtrail_{SECOND}"
    }  # fmt: skip
    made = deployed.partitions(FIRST)
    assert {(region, day) for region in (EAST, WEST) for day in days_before(first, 4)} <= made
    assert {(SOUTH, first), (SOUTH, first + DAY), ("eu-north-1", first + DAY)} <= made
    (record,) = deployed.records()
    assert (record["outcome"], record["reason"]) == ("done", "deployment")

    second = first + DAY
    deployed.deliver([second], (FIRST, EAST), (FIRST, WEST), (SECOND, EAST))
    assert deployed.morning(second)["status"] == "SUCCEEDED"
    assert (EAST, second + DAY) in deployed.partitions(FIRST)

    # A night is missed; meanwhile an account and a region began to deliver.
    third, fourth = second + DAY, second + 2 * DAY
    places = (FIRST, EAST), (FIRST, WEST), (SECOND, EAST), (THIRD, EAST), (FIRST, "xx-new-1")
    deployed.deliver([third, fourth], *places)
    assert deployed.morning(fourth)["status"] == "SUCCEEDED"
    new = {("xx-new-1", third), ("xx-new-1", fourth), (WEST, third), (WEST, fourth), (EAST, fourth + DAY)}
    assert new <= deployed.partitions(FIRST)
    assert {(EAST, third), (EAST, fourth), (EAST, fourth + DAY)} <= deployed.partitions(THIRD)
    records = deployed.records()
    assert [each["outcome"] for each in records] == ["done"] * 3
    assert [each["reason"] for each in records[1:]] == ["schedule"] * 2
    assert [each["started"][:13] for each in records[1:]] == [f"{second}T06", f"{fourth}T06"]
    assert records[-1]["freshness"][FIRST]["xx-new-1"] == str(fourth)
    assert [len(each["problems"]) for each in records] == [0, 0, 0]
    assert told(deployed, 1) == []


def test_a_long_past_is_made_at_once(here: Deployment) -> None:
    here.configure(partition_days=90)
    here.deliver(days_before(today(here), 95), (FIRST, EAST))
    here.run("deploy", "--yes")
    assert here.wait(1)["status"] == "SUCCEEDED"
    days = {day for region, day in here.partitions(FIRST) if region == EAST}
    assert set(days_before(today(here), 90)) <= days


PROBE = b"""
import sys
from trailhouse.nightly import handler

def handle(event, context):
    import boto3, botocore, trailhouse
    files = {m.__file__ for m in list(sys.modules.values()) if getattr(m, "__file__", None)}
    return {"trailhouse": trailhouse.__file__, "boto3": boto3.__file__, "botocore": botocore.__file__,
            "path": sys.path, "files": sorted(files)}
"""


def test_the_function_runs_what_was_uploaded(deployed: Deployment) -> None:
    cloud, name = deployed.cloud, STACK
    function, s3 = cloud.client("lambda"), cloud.client("s3")
    bucket = f"trailhouse-deploy-{ACCOUNT}-us-east-1"
    (key,) = (
        each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"] if each["Key"].endswith(".zip")
    )
    package = io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    with zipfile.ZipFile(package, "a") as grown:
        names = grown.namelist()
        grown.writestr("probe.py", PROBE)
    function.update_function_code(FunctionName=name, ZipFile=package.getvalue())
    function.update_function_configuration(FunctionName=name, Handler="probe.handle")
    answer = function.invoke(FunctionName=name, Payload=b"{}")
    told = json.loads(answer["Payload"].read())
    code = told["trailhouse"].removesuffix("trailhouse/__init__.py")
    assert code.startswith(str(cloud.folder))
    assert told["boto3"] == f"{code}boto3/__init__.py"
    assert told["botocore"] == f"{code}botocore/__init__.py"
    brought = [each for each in told["files"] if each.startswith(code)]
    assert {each.removeprefix(code) for each in brought} <= {*names, "probe.py"}
    others = [each for each in told["files"] if not each.startswith(code) and "/lib/python3." not in each]
    assert [each for each in others if not each.endswith("_worker.py")] == []
    assert not [each for each in [*told["files"], *told["path"]] if "site-packages" in each]


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
        "trailhouse policy bucket",
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
        "trailhouse policy runner",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TROUBLES)
def test_a_problem_is_told_once_and_its_end_too(deployed: Deployment, name: str) -> None:
    trouble = TROUBLES[name]
    places = (FIRST, EAST), (FIRST, WEST), (SECOND, EAST)
    first = today(deployed) + DAY
    mend = trouble.begin(deployed)
    deployed.deliver([first], *places)
    assert deployed.morning(first)["status"] == trouble.status
    (message,) = told(deployed)
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
    assert told(deployed, 1) == []
    assert len(deployed.records()[-1]["problems"]) == count

    mend()
    third = second + DAY
    deployed.deliver([third], *places)
    assert deployed.morning(third)["status"] == "SUCCEEDED"
    (message,) = told(deployed)
    assert "over" in message["Subject"]
    for account in trouble.accounts:
        assert f"{account}: left out of the run" in message["Message"].partition("OVER")[2]
    assert {(EAST, day) for day in (first, second, third)} <= deployed.partitions(SECOND)
    assert deployed.records()[-1]["problems"] == []


def test_silence_is_told_once_and_its_end_too(here: Deployment) -> None:
    steady, quiet = (FIRST, EAST), (SECOND, EAST)
    first = today(here)
    here.deliver(days_before(first, 20), steady, quiet, (FIRST, WEST))
    here.run("deploy", "--yes")
    here.listen(TOPIC)
    here.wait(1)
    here.deliver(days_before(first + 7 * DAY, 7), steady)
    here.morning(first + 7 * DAY)
    (message,) = told(here)
    text = message["Message"]
    assert message["Subject"] == f"trailhouse: 2 new problems ({STACK}, {ACCOUNT}, us-east-1)"
    assert f"{SECOND}: delivers no logs any more" in text
    assert f"{FIRST}/{WEST}" in text
    assert f"{SECOND}/{EAST}" not in text  # the account, and not each of its regions
    assert len(re.findall(r"^ +(?:What|Since|Tried|Run): \S", text, re.MULTILINE)) == 8, text
    assert text.count(f"   Since: {first + DAY}T") == 2, text
    here.deliver([first + 8 * DAY], steady)
    here.morning(first + 8 * DAY)
    assert told(here, 1) == []
    here.deliver([first + 9 * DAY], steady, quiet)
    here.morning(first + 9 * DAY)
    (message,) = told(here)
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
    day = today(deployed) + DAY
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
    (message,) = told(deployed, 10)
    assert message["Subject"] == f"trailhouse: a query in {STACK} reached the scan limit"
    text = message["Message"]
    assert f"What: Athena stopped query q-limit in the workgroup {STACK}: {limit}" in text
    assert re.search(r"^Since: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", text, re.MULTILINE), text
    assert "\nTried: " in text
    assert "\nDo: " in text
    assert told(deployed, 2) == []


def test_a_test_alarm_arrives(deployed: Deployment) -> None:
    said = deployed.run("status", "--test-alarm")
    print(said)
    (message,) = told(deployed)
    assert message["Subject"] == f"trailhouse: test ({STACK}, {ACCOUNT}, us-east-1)"
    assert "nothing is wrong" in message["Message"]
    assert len(deployed.records()) == 1


# --- again, changed, and gone --------------------------------------------------------------------------------------


def what_is_there(cloud: Cloud) -> set[str]:
    """All that a stack can make, as type and name."""
    client, found = cloud.client, set[str]()
    roles = client("iam").list_roles()["Roles"]
    found |= {f"role {each['RoleName']}" for each in roles if STACK in each["RoleName"]}
    found |= {f"function {each['FunctionName']}" for each in client("lambda").list_functions()["Functions"]}
    found |= {
        f"machine {each['name']}" for each in client("stepfunctions").list_state_machines()["stateMachines"]
    }
    found |= {f"schedule {each['Name']}" for each in client("scheduler").list_schedules()["Schedules"]}
    found |= {f"rule {each['Name']}" for each in client("events").list_rules()["Rules"]}
    found |= {f"topic {each['TopicArn']}" for each in client("sns").list_topics()["Topics"]}
    found |= {f"queue {url.rpartition('/')[2]}" for url in client("sqs").list_queues().get("QueueUrls", [])}
    found |= {f"alarm {each['AlarmName']}" for each in client("cloudwatch").describe_alarms()["MetricAlarms"]}
    found |= {f"logs {each['logGroupName']}" for each in client("logs").describe_log_groups()["logGroups"]}
    found |= {f"workgroup {each['Name']}" for each in client("athena").list_work_groups()["WorkGroups"]}
    found |= {f"bucket {each['Name']}" for each in client("s3").list_buckets()["Buckets"]}
    return found | {f"bucket {name}" for name in cloud.buckets.all}


def test_again_changed_and_gone(here: Deployment) -> None:
    before = what_is_there(here.cloud)
    assert "bucket trail-logs" in before
    here.run("deploy", "--yes")
    here.wait(1)
    there = what_is_there(here.cloud)

    said = here.run("deploy", "--yes")
    assert re.search("(?i)no changes|nothing to (do|change)|up to date", said), said
    assert len(here.executions()) == 1
    assert what_is_there(here.cloud) == there

    here.configure(partition_days=9, memory_mb=1024, schedule="cron(30 4 * * ? *)")
    said = here.run("deploy", "--yes")
    assert "Function" in said
    assert "Schedule" in said
    here.wait(2)
    assert [each["reason"] for each in here.records()] == ["deployment"] * 2
    found = here.cloud.client("lambda").get_function_configuration(FunctionName=STACK)
    assert found["MemorySize"] == 1024
    assert (
        here.cloud.client("scheduler").get_schedule(Name=STACK)["ScheduleExpression"] == "cron(30 4 * * ? *)"
    )
    assert what_is_there(here.cloud) == there

    tables, logs = here.tables(), len(here.cloud.buckets.all[LOGS].objects)
    said = here.run("undeploy", "--yes")
    assert what_is_there(here.cloud) == before | {f"bucket {OUTPUT}"}
    assert here.tables() == tables
    assert len(here.records()) == 2
    assert len(here.cloud.buckets.all[LOGS].objects) == logs
    assert OUTPUT in said


def test_deployed_anew_it_takes_over_what_was_kept(here: Deployment) -> None:
    here.run("deploy", "--yes")
    here.wait(1)
    here.run("undeploy", "--yes")
    here.run("deploy", "--yes")
    until(lambda: len(here.records()) == 2, what="the second run's record")


def test_nothing_is_kept_where_the_configuration_says_so(here: Deployment) -> None:
    before = what_is_there(here.cloud)
    here.configure(keep=[])
    here.run("deploy", "--yes")
    here.wait(1)
    here.run("undeploy", "--yes")
    assert what_is_there(here.cloud) == before
    databases = here.cloud.client("glue").get_databases()["DatabaseList"]
    assert [each["Name"] for each in databases if each["Name"] == DATABASE] == [] or here.tables() == set()


# --- two at once ---------------------------------------------------------------------------------------------------


def test_an_apply_by_hand_during_the_nightly_run_does_no_harm(deployed: Deployment) -> None:
    cloud, first = deployed.cloud, today(deployed) + DAY
    places = (FIRST, EAST), (FIRST, WEST), (SECOND, EAST), (THIRD, EAST)
    deployed.deliver([first], *places)
    began = threading.Event()

    def starts(operation: str, _: dict[str, Any]) -> bool:
        began.set()
        return operation.startswith("Batch")

    cloud.glue.inject(Fault("*", times=None, when=starts, seconds=0.3))
    said: list[str] = []

    def by_hand() -> None:
        began.wait(60)
        said.append(deployed.run("apply", "--yes"))

    other = threading.Thread(target=by_hand)
    other.start()
    ended = deployed.morning(first)
    other.join(120)
    cloud.glue.heal()
    assert ended["status"] == "SUCCEEDED", ended
    assert said
    assert (EAST, first) in deployed.partitions(THIRD)
    # What is there is what is wanted: nothing is left to do.
    again = deployed.start()
    assert again["status"] == "SUCCEEDED"
    assert deployed.records()[-1]["planned"] == {}
    assert told(deployed, 1) == []


# --- both ways -----------------------------------------------------------------------------------------------------


def state(deployment: Deployment) -> dict[str, Any]:
    """What is deployed, as the services tell it; without times, and without where the code lies."""
    client = deployment.cloud.client
    iam, states, watch = client("iam"), client("stepfunctions"), client("cloudwatch")
    found: dict[str, Any] = {name: kind for name, (kind, _) in deployment.resources().items()}
    found = {name: kind for name, kind in found.items() if kind != "AWS::CDK::Metadata"}
    for name in [name for name, kind in found.items() if kind == "AWS::IAM::Role"]:
        role = deployment.resources()[name][1]
        policy = iam.get_role_policy(RoleName=role, PolicyName="all")["PolicyDocument"]
        found[name] = policy, iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    for each in states.list_state_machines()["stateMachines"]:
        described = states.describe_state_machine(stateMachineArn=each["stateMachineArn"])
        found[each["name"]] = json.loads(described["definition"]), described["roleArn"]
    for each in watch.describe_alarms()["MetricAlarms"]:
        found[each["AlarmName"]] = {
            name: value for name, value in each.items() if not name.startswith("State")
        }
        found[each["AlarmName"]].pop("AlarmConfigurationUpdatedTimestamp")
    function = client("lambda").get_function_configuration(FunctionName=STACK)
    told = ("Handler", "Runtime", "MemorySize", "Timeout", "Environment", "Architectures", "Role")
    found["function"] = {name: function.get(name) for name in told}
    scheduled = client("scheduler").get_schedule(Name=STACK)
    found["schedule"] = scheduled["ScheduleExpression"], scheduled["Target"]
    found["workgroup"] = client("athena").get_work_group(WorkGroup=STACK)["WorkGroup"]["Configuration"]
    return found


def test_the_cdk_deploys_the_same(cloud: Cloud, here: Deployment, tmp_path: Path) -> None:
    if not CDK.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            "node_modules has no aws-cdk: npm ci"
        )
    folder = checkout(tmp_path / "checkout")
    config = folder / "config" / "config.yaml"
    config.write_text((here.folder / "trailhouse.yaml").read_text("utf-8"), "utf-8")
    here.cdk("bootstrap", f"aws://{ACCOUNT}/us-east-1", folder=folder)
    here.cdk("deploy", "--require-approval", "never", folder=folder)
    here.listen(TOPIC)
    assert here.wait(1)["status"] == "SUCCEEDED"
    by_cdk, there = state(here), what_is_there(cloud)
    assert here.morning(today(here) + DAY)["status"] == "SUCCEEDED"
    assert [each["reason"] for each in here.records()] == ["deployment", "schedule"]
    here.cdk("destroy", "--force", folder=folder)
    here.run("deploy", "--yes")
    assert state(here) == by_cdk
    made = {f"bucket trailhouse-deploy-{ACCOUNT}-us-east-1"}
    assert what_is_there(cloud) - there == made
    assert there - what_is_there(cloud) == set()
