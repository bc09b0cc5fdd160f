"""The nightly run as it is deployed: its nights, its deployments, and what it leaves."""

from __future__ import annotations

import io
import json
import os
import re
import threading
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from bed.buckets import ACCOUNT
from bed.faults import Fault
from deploy.deployment import (
    CDK,
    DATABASE,
    DAY,
    EAST,
    FIRST,
    LOGS,
    OUTPUT,
    SECOND,
    SOUTH,
    STACK,
    THIRD,
    TOPIC,
    WEST,
    Deployment,
    checkout,
    days_before,
    until,
)  # fmt: skip

if TYPE_CHECKING:
    from pathlib import Path

    from bed.cloud import Cloud

pytestmark = [pytest.mark.cdk, pytest.mark.emulator, pytest.mark.slow]


# --- nights --------------------------------------------------------------------------------------------------------


def test_days_accounts_and_regions_appear_night_after_night(deployed: Deployment) -> None:
    first = deployed.today()
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
    assert deployed.told(1) == []


def test_a_long_past_is_made_at_once(here: Deployment) -> None:
    here.configure(partition_days=90)
    here.deliver(days_before(here.today(), 95), (FIRST, EAST))
    here.run("deploy", "--yes")
    assert here.wait(1)["status"] == "SUCCEEDED"
    days = {day for region, day in here.partitions(FIRST) if region == EAST}
    assert set(days_before(here.today(), 90)) <= days


def test_a_run_that_is_longer_than_the_function_may_be_goes_on_in_pieces(deployed: Deployment) -> None:
    """A piece stops before the next account when 180 s are left; here that is at once."""
    function = deployed.cloud.client("lambda")
    names = function.get_function_configuration(FunctionName=STACK)["Environment"]["Variables"]
    names |= {"FRESH": "yes"}  # a warm function of the emulator keeps the time that it was made with
    function.update_function_configuration(FunctionName=STACK, Timeout=179, Environment={"Variables": names})
    accounts = [f"{number:012}" for number in range(900000000001, 900000000007)]
    day = deployed.today() + DAY
    deployed.deliver(
        [day], (FIRST, EAST), (FIRST, WEST), (SECOND, EAST), *((each, EAST) for each in accounts)
    )
    assert deployed.morning(day)["status"] == "SUCCEEDED"
    record = deployed.records()[-1]
    assert record["outcome"] == "done"
    assert record["pieces"] >= len(accounts)
    assert record["started"] == f"{day}T06:00:00Z"
    assert {f"cloudtrail_{each}" for each in accounts} < deployed.tables()
    assert all((EAST, day) in deployed.partitions(each) for each in accounts)
    assert deployed.start()["status"] == "SUCCEEDED"
    assert deployed.records()[-1]["planned"] == {}
    assert deployed.told(1) == []


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


@pytest.mark.parametrize("held", ["the nightly run", "the apply by hand"])
def test_an_apply_by_hand_during_the_nightly_run_does_no_harm(deployed: Deployment, held: str) -> None:
    """Whoever is held at the first partitions finds later that all was done meanwhile."""
    today, on = deployed.today(), threading.Event()
    deployed.deliver([today], (THIRD, EAST), (FIRST, "xx-new-1"))
    strict = deployed.cloud.glue
    strict.inject(Fault("BatchCreatePartition", until=on))
    ends: dict[str, object] = {}

    def nightly() -> None:
        ends["run"] = deployed.start()["status"]

    def by_hand() -> None:
        ends["said"] = deployed.run("apply", "--yes")

    first, second = (nightly, by_hand) if held == "the nightly run" else (by_hand, nightly)
    before = strict.counts["BatchCreatePartition"]
    other = threading.Thread(target=first)
    other.start()
    until(lambda: strict.counts["BatchCreatePartition"] > before, what="the first partitions")
    second()
    on.set()
    other.join(120)
    assert ends["run"] == "SUCCEEDED"
    assert "said" in ends
    assert (EAST, today) in deployed.partitions(THIRD)
    assert ("xx-new-1", today) in deployed.partitions(FIRST)
    # What is there is what is wanted: nothing is left to do, and nothing was a problem.
    assert deployed.start()["status"] == "SUCCEEDED"
    assert deployed.records()[-1]["planned"] == {}
    assert [each["outcome"] for each in deployed.records()] == ["done"] * 3
    assert deployed.told(1) == []


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
    assert here.morning(here.today() + DAY)["status"] == "SUCCEEDED"
    assert [each["reason"] for each in here.records()] == ["deployment", "schedule"]
    here.cdk("destroy", "--force", folder=folder)
    here.run("deploy", "--yes")
    assert state(here) == by_cdk
    made = {f"bucket trailhouse-deploy-{ACCOUNT}-us-east-1"}
    assert what_is_there(cloud) - there == made
    assert there - what_is_there(cloud) == set()
