"""The deployed roles suffice, and what they are granted beyond what is seen to be used has its reason here.

Every permission is enforced in these runs, so what is printed as used was needed; JUSTIFIED only shrinks.
"""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bed.buckets import ACCOUNT
from bed.cloud import Cloud
from deploy.deployment import DATABASE, FIRST, LOGS, SECOND, STACK, Deployment, days_before, until

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

pytestmark = [pytest.mark.cdk, pytest.mark.emulator, pytest.mark.slow]
DAY = timedelta(days=1)

_LOGS = "the service Lambda writes the function's log with it; the emulator writes its log without asking"
_DELIVERY = (
    "Step Functions sets up the machine's log with it, AWS cannot narrow it; the emulator does not ask"
)
_KEY = "only where the topic is encrypted with a key of KMS (`stack_key`, or the topic that was given)"
_UNTOLD = "only where SNS takes no message: test_machine has such a run"
JUSTIFIED = {
    ("FunctionRole", "logs:CreateLogStream"): _LOGS,
    ("FunctionRole", "logs:PutLogEvents"): _LOGS,
    ("FirstRunRole", "logs:CreateLogStream"): _LOGS,
    ("FirstRunRole", "logs:PutLogEvents"): _LOGS,
    **{
        (role, f"logs:{action}"): _DELIVERY
        for role in ("MachineRole", "ScanMachineRole")
        for action in (
            "CreateLogDelivery", "DeleteLogDelivery", "DescribeLogGroups", "DescribeResourcePolicies",
            "GetLogDelivery", "ListLogDeliveries", "PutResourcePolicy", "UpdateLogDelivery",
        )
    },
    **{
        (role, f"kms:{action}"): _KEY
        for role in ("MachineRole", "ScanMachineRole")
        for action in ("Decrypt", "GenerateDataKey")
    },
    **{(role, "sqs:SendMessage"): _UNTOLD for role in ("MachineRole", "ScanMachineRole")},
}  # fmt: skip


def granted(deployment: Deployment) -> dict[str, set[str]]:
    """The actions of each role of the stack, by its name in the template, as IAM has them."""
    iam, found = deployment.cloud.client("iam"), {}
    for name, physical in roles(deployment).items():
        actions = set[str]()
        for policy in iam.list_role_policies(RoleName=physical)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=physical, PolicyName=policy)["PolicyDocument"]
            for statement in document["Statement"]:
                given = statement["Action"]
                actions |= {given} if isinstance(given, str) else set(given)
        assert iam.list_attached_role_policies(RoleName=physical)["AttachedPolicies"] == []
        found[name] = actions
    return found


def roles(deployment: Deployment) -> dict[str, str]:
    """The names of the stack's roles, by their names in the template."""
    return {
        name: physical
        for name, (kind, physical) in deployment.resources().items()
        if kind == "AWS::IAM::Role"
    }


def used(deployment: Deployment) -> dict[str, set[str]]:
    """The actions that the stack's roles asked for; none was refused."""
    known = {physical: name for name, physical in roles(deployment).items()}
    found: dict[str, set[str]] = defaultdict(set)
    for each in deployment.cloud.used:
        if each.role in known:
            assert each.allowed, each
            found[known[each.role]].add(each.action)
    return found


# --- nights that use much ------------------------------------------------------------------------------------------


def damage(glue: Any, day: date) -> None:  # noqa: ANN401 - botocore has no types
    """A partition of another format, one of a day without logs, and a table in the place of a view."""
    table = {"DatabaseName": DATABASE, "TableName": f"cloudtrail_{FIRST}"}
    listed = glue.get_partitions(**table)["Partitions"]
    first = next(each for each in listed if each["Values"][:4] == ["us-east-1", *f"{day:%Y %m %d}".split()])
    kept = {name: first[name] for name in ("Values", "StorageDescriptor")}
    odd = deepcopy(kept)
    odd["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"] = (
        "com.amazon.emr.hive.serde.CloudTrailSerde"
    )
    glue.batch_update_partition(
        **table, Entries=[{"PartitionValueList": odd["Values"], "PartitionInput": odd}]
    )
    gone = [kept["Values"][0], *f"{day - 36 * DAY:%Y %m %d}".split(), *kept["Values"][4:]]
    glue.batch_create_partition(**table, PartitionInputList=[kept | {"Values": gone}])
    glue.delete_table(DatabaseName=DATABASE, Name="cloudtrail")
    made = {"Name": "cloudtrail", "TableType": "EXTERNAL_TABLE", "Parameters": {"trailhouse.version": "1"}}
    glue.create_table(DatabaseName=DATABASE, TableInput=made)


def a_table_for_each_account(here: Deployment) -> None:
    """First run, a night, a night of repairs, a night where Lake Formation has its say; all alarms."""
    places = (FIRST, "us-east-1"), (SECOND, "eu-west-1")
    today = here.cloud.now().date()
    here.configure(partition_days=60)
    here.deliver(days_before(today, 4), *places)
    here.run("deploy", "--yes")
    here.wait(1)
    glue = here.cloud.client("glue")
    damage(glue, today)
    here.deliver([today + DAY], *places)
    assert here.morning(today + DAY)["status"] == "SUCCEEDED"
    glue.update_database(Name=DATABASE, DatabaseInput={"Name": DATABASE, "CreateTableDefaultPermissions": []})
    here.deliver([today + 2 * DAY], *places)
    assert here.morning(today + 2 * DAY)["status"] == "SUCCEEDED"
    here.start(task="test-alarm")
    limit(here)
    lost(here, today + 3 * DAY)


def limit(here: Deployment) -> None:
    """A query reaches the scan limit."""
    cloud, states = here.cloud, here.cloud.client("stepfunctions")
    reason = "Query cancelled! : Bytes scanned limit was exceeded"
    cloud.ask("query", run="q-1", workgroup=STACK, state="CANCELLED", reason=reason)
    cloud.event(
        "aws.athena",
        "Athena Query State Change",
        {"currentState": "CANCELLED", "queryExecutionId": "q-1", "workgroupName": STACK},
    )
    machine = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:{STACK}-scan-limit"
    asked = {"stateMachineArn": machine, "statusFilter": "SUCCEEDED"}
    until(lambda: states.list_executions(**asked)["executions"], what="the word about the limit")


def lost(here: Deployment, day: date) -> None:
    """The schedule finds no machine."""
    here.cloud.client("stepfunctions").delete_state_machine(stateMachineArn=here.machine())
    here.cloud.move(datetime(day.year, day.month, day.day, 5, 59, 59, tzinfo=UTC))
    sqs = here.cloud.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{STACK}-undelivered")["QueueUrl"]
    until(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), what="the message in the queue")


def one_table(here: Deployment) -> None:
    """All accounts in one table, which loses its indexes."""
    here.configure(tables="single")
    today = here.cloud.now().date()
    here.deliver(days_before(today, 4), (FIRST, "us-east-1"), (SECOND, "eu-west-1"))
    here.run("deploy", "--yes")
    here.wait(1)
    glue, raw = here.cloud.client("glue"), {"DatabaseName": DATABASE, "TableName": "cloudtrail_raw"}
    for index in glue.get_partition_indexes(**raw)["PartitionIndexDescriptorList"]:
        glue.delete_partition_index(**raw, IndexName=index["IndexName"])
    here.deliver([today + DAY], (FIRST, "us-east-1"), (SECOND, "eu-west-1"))
    assert here.morning(today + DAY)["status"] == "SUCCEEDED"


def table(given: dict[str, set[str]], seen: dict[str, set[str]]) -> Iterable[str]:
    """What is granted and what was used, a line each."""
    for role in sorted(given):
        for action in sorted(given[role]):
            why = "used" if action in seen[role] else JUSTIFIED.get((role, action), "UNJUSTIFIED")
            yield f"{role:<16} {action:<40} {why}"


def test_what_is_granted_is_used_or_justified(tmp_path: Path) -> None:
    given: dict[str, set[str]] = defaultdict(set)
    seen: dict[str, set[str]] = defaultdict(set)
    for nights in (a_table_for_each_account, one_table):
        folder = tmp_path / nights.__name__
        (folder / "cloud").mkdir(parents=True)
        with Cloud(folder / "cloud") as cloud:
            here = Deployment(cloud, folder)
            nights(here)
            for role, actions in granted(here).items():
                given[role] |= actions
            for role, actions in used(here).items():
                seen[role] |= actions
    print("granted against used", *table(given, seen), sep="\n")
    granted_all = {(role, action) for role, actions in given.items() for action in actions}
    used_all = {(role, action) for role, actions in seen.items() for action in actions}
    assert used_all <= granted_all
    assert granted_all - used_all - set(JUSTIFIED) == set()
    assert set(JUSTIFIED) & used_all == set(), "used after all: it needs no reason any more"
    assert set(JUSTIFIED) <= granted_all, "not granted any more"


def test_the_deployers_policy_suffices_for_the_commands(cloud: Cloud, tmp_path: Path) -> None:
    """For what the commands call; what CloudFormation does on the deployer's behalf, the emulator does not ask for."""
    here = Deployment(cloud, tmp_path)
    here.deliver(days_before(cloud.now().date(), 4), (FIRST, "us-east-1"))
    document = here.run("policy", "deployer", "--account-id", ACCOUNT)
    iam = cloud.client("iam")
    iam.create_user(UserName="deployer")
    iam.put_user_policy(UserName="deployer", PolicyName="all", PolicyDocument=document)
    made = iam.create_access_key(UserName="deployer")["AccessKey"]
    keys = {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}
    here.run("deploy", "--yes", **keys)
    here.wait(1)
    here.configure(partition_days=7)
    here.run("deploy", "--yes", **keys)
    here.wait(2)
    here.run("undeploy", "--yes", **keys)
    asked = [each for each in cloud.used if each.principal.endswith("user/deployer")]
    # Whether logs lie in the bucket is looked at, and a refusal is a remark: it is another role that reads them.
    assert {(each.action, each.resource) for each in asked if not each.allowed} == {
        ("s3:ListBucket", f"arn:aws:s3:::{LOGS}")
    }
    print("asked for by the commands:", *sorted({each.action for each in asked}), sep="\n")
