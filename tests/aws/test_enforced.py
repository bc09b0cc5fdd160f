"""The generated policies, enforced.

Each call and each flow works under its role's policy, and each permission that is taken away gives an error that
names the action and the resource. A flow of the product is a line in FLOWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import boto3
import pytest

from aws.iam import ACCOUNT, Door, Policy
from bed.athena import AwsWithAthena, StrictAthena, Table
from bed.transport import JSON, Answer, Request, Server
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Call, Gate
from trailhouse.cli import main
from trailhouse.core.operations import Operation, Use, operations
from trailhouse.core.policy import USES, Folder, Names, Role, document, role_policy
from trailhouse.errors import AccessDeniedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


REGION = "eu-west-1"
READER = f"arn:aws:iam::{ACCOUNT}:role/reader"
RESULTS = f"aws-athena-query-results-{ACCOUNT}-{REGION}"
OUTPUT = f"trailhouse-output-{ACCOUNT}-{REGION}"
CODE = f"trailhouse-deploy-{ACCOUNT}-{REGION}"
NAMES = Names(
    "aws", REGION, ACCOUNT, (Folder("my-logs", "AWSLogs/"),), Folder(RESULTS),
    Folder(RESULTS, "trailhouse-selftest/"), Folder(OUTPUT, "trailhouse/"), Folder(CODE), Folder(OUTPUT),
    database="security", roles=(READER,),
)  # fmt: skip


def policy(role: Role, *without: str) -> Policy:
    """The policy of a role; without some actions."""
    found = deepcopy(document(role_policy(role, NAMES)))
    for statement in found["Statement"]:
        statement["Action"] = [each for each in statement["Action"] if each not in without] or ["none:None"]
    return found


# --- every operation -----------------------------------------------------------------------------------------------

HERE = f"arn:aws:{{}}:{REGION}:{ACCOUNT}:"
PARTS = {"DatabaseName": "security", "TableName": "cloudtrail_111122223333"}
NAMED = {"DatabaseName": "security", "Name": "cloudtrail"}
VALUES = {"PartitionValueList": [{"Values": ["a"]}]}
CALLS: dict[str, dict[str, Any]] = {
    "sts GetCallerIdentity": {},
    "sts AssumeRole": {"RoleArn": READER, "RoleSessionName": "tested"},
    "s3 ListObjectsV2": {"Bucket": "my-logs", "Prefix": "AWSLogs/"},
    "s3 HeadBucket": {"Bucket": "my-logs"},
    "s3 GetObject": {"Bucket": "my-logs", "Key": "AWSLogs/1"},
    "s3 PutObject": {"Bucket": RESULTS, "Key": "trailhouse-selftest/x", "Body": b""},
    "s3 DeleteObjects": {"Bucket": RESULTS, "Delete": {"Objects": [{"Key": "trailhouse-selftest/x"}]}},
    "glue GetDatabase": {"Name": "security"},
    "glue CreateDatabase": {"DatabaseInput": {"Name": "security"}},
    "glue DeleteDatabase": {"Name": "security"},
    "glue GetTable": NAMED,
    "glue GetTables": {"DatabaseName": "security"},
    "glue CreateTable": {"DatabaseName": "security", "TableInput": {"Name": "cloudtrail"}},
    "glue UpdateTable": {"DatabaseName": "security", "TableInput": {"Name": "cloudtrail"}},
    "glue DeleteTable": NAMED,
    "glue BatchDeleteTable": {"DatabaseName": "security", "TablesToDelete": ["cloudtrail", "cloudtrail_raw"]},
    "glue GetPartitions": PARTS,
    "glue BatchGetPartition": PARTS | {"PartitionsToGet": [{"Values": ["a"]}]},
    "glue BatchCreatePartition": PARTS | {"PartitionInputList": []},
    "glue BatchUpdatePartition": PARTS
    | {"Entries": [{"PartitionValueList": ["a"], "PartitionInput": {"Values": ["a"]}}]},
    "glue BatchDeletePartition": PARTS | {"PartitionsToDelete": []},
    "glue CreatePartitionIndex": PARTS | {"PartitionIndex": {"Keys": ["year"], "IndexName": "days"}},
    "glue GetPartitionIndexes": PARTS,
    "glue GetDataCatalogEncryptionSettings": {},
    "athena GetWorkGroup": {"WorkGroup": "primary"},
    "athena StartQueryExecution": {"QueryString": "SELECT 1", "WorkGroup": "primary"},
    "athena GetQueryExecution": {"QueryExecutionId": "q"},
    "athena GetQueryResults": {"QueryExecutionId": "q"},
    "athena StopQueryExecution": {"QueryExecutionId": "q"},
    "lakeformation GetDataLakeSettings": {},
    "lakeformation ListPermissions": {},
    "service-quotas ListServiceQuotas": {"ServiceCode": "glue"},
    "cloudtrail ListPublicKeys": {},
    "cloudwatch PutMetricData": {
        "Namespace": "trailhouse",
        "MetricData": [{"MetricName": "x", "Value": 1.0}],
    },
    "cloudformation DescribeStacks": {"StackName": "trailhouse"},
    "cloudformation DescribeStackEvents": {"StackName": "trailhouse"},
    "cloudformation DescribeEvents": {"StackName": "trailhouse"},
    "cloudformation DescribeStackResources": {"StackName": "trailhouse"},
    "cloudformation GetTemplate": {"StackName": "trailhouse"},
    "cloudformation CreateChangeSet": {"StackName": "trailhouse", "ChangeSetName": "one"},
    "cloudformation DescribeChangeSet": {"StackName": "trailhouse", "ChangeSetName": "one"},
    "cloudformation ExecuteChangeSet": {"StackName": "trailhouse", "ChangeSetName": "one"},
    "cloudformation DeleteChangeSet": {"StackName": "trailhouse", "ChangeSetName": "one"},
    "cloudformation UpdateTerminationProtection": {
        "StackName": "trailhouse",
        "EnableTerminationProtection": False,
    },
    "cloudformation DeleteStack": {"StackName": "trailhouse"},
    "s3 ListObjectVersions": {"Bucket": CODE},
    "s3 CreateBucket": {"Bucket": CODE},
    "s3 DeleteBucket": {"Bucket": CODE},
    "s3 PutBucketEncryption": {"Bucket": CODE, "ServerSideEncryptionConfiguration": {"Rules": []}},
    "s3 PutPublicAccessBlock": {"Bucket": CODE, "PublicAccessBlockConfiguration": {}},
    "s3 PutBucketPolicy": {"Bucket": CODE, "Policy": "{}"},
    "s3 PutBucketTagging": {"Bucket": CODE, "Tagging": {"TagSet": []}},
    "stepfunctions GetExecutionHistory": {"executionArn": f"{HERE.format('states')}execution:trailhouse:1"},
    "stepfunctions StartExecution": {"stateMachineArn": f"{HERE.format('states')}stateMachine:trailhouse"},
    "stepfunctions DescribeExecution": {"executionArn": f"{HERE.format('states')}execution:trailhouse:1"},
    "scheduler GetSchedule": {"Name": "trailhouse"},
    "sns GetTopicAttributes": {"TopicArn": f"{HERE.format('sns')}trailhouse-alarms"},
}
RECORDS = {
    "my-logs": OUTPUT,
    "AWSLogs/": "trailhouse/",
    RESULTS: OUTPUT,
    "trailhouse-selftest/": "trailhouse/",
}
UPLOADS = {"my-logs": CODE, "AWSLogs/": "", RESULTS: CODE, "trailhouse-selftest/": ""}
SCRATCH = {"security": "trailhouse_selftest", "my-logs": RESULTS, "AWSLogs/": "trailhouse-selftest/"}


def parameters(operation: Operation, use: Use) -> dict[str, Any]:
    """Those of a call; `selftest` calls for what is its own, and the nightly run's objects are its records."""
    names = {Use.SELFTEST: SCRATCH, Use.NIGHTLY: RECORDS, Use.STATUS: RECORDS, Use.DEPLOY: UPLOADS}.get(
        use, {}
    )
    other = use is not Use.SELFTEST and operation.service != "s3"
    found: Any = deepcopy(CALLS[str(operation)]) if other else _renamed(CALLS[str(operation)], names)
    return dict(found)


def _renamed(value: Any, names: dict[str, str]) -> Any:  # noqa: ANN401 - as JSON
    if isinstance(value, dict):
        return {key: _renamed(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    if isinstance(value, str):
        for old, new in names.items():
            value = value.replace(old, new)
    return value


def silent(request: Request) -> Answer:
    """A service that says yes to everything."""
    if request.operation or request.credential[3] in {"lakeformation", "scheduler"}:
        return Answer(200, b"{}", {"Content-Type": JSON})
    if request.credential[3] in {"sts", "sns", "cloudformation"}:
        action = parse_qs(request.body.decode())["Action"][0]
        return Answer(200, f"<R><{action}Result/></R>".encode(), {"Content-Type": "text/xml"})
    return Answer(200, b"<Empty/>", {"Content-Type": "application/xml"})


@dataclass
class Guarded:
    """A gate to a door, signed with the key of conftest.py, whose policy can be changed."""

    door: Door
    gate: Gate
    calls: list[Call]

    def set(self, found: Policy) -> None:
        self.door.policies["AKIAEXAMPLE"] = found


@contextmanager
def guarded(inner: Callable[[Request], Answer]) -> Iterator[Guarded]:
    with Server(door := Door(inner)) as server:
        calls: list[Call] = []
        yield Guarded(door, Gate(Access(endpoint_url=server.url, region=REGION), record=calls.append), calls)


@pytest.fixture(scope="module")
def yes() -> Iterator[Guarded]:
    with guarded(silent) as found:
        yield found


def uses(role: Role) -> list[tuple[Operation, Use]]:
    return [(each, use) for each in operations() for use in USES[role] if use in each.uses]


def test_every_operation_has_a_call() -> None:
    assert {str(each) for each in operations()} == set(CALLS)


@pytest.mark.emulator
@pytest.mark.parametrize("role", Role)
def test_a_role_may_call_what_it_is_for_and_nothing_else(yes: Guarded, role: Role) -> None:
    yes.set(policy(role))
    for operation, use in uses(role):
        yes.gate.call(operation.service, operation.name, **parameters(operation, use))
    granted = {action for statement in policy(role)["Statement"] for action in statement["Action"]}
    for operation in operations():
        if not granted & set(operation.actions):
            with pytest.raises(AccessDeniedError):
                yes.gate.call(operation.service, operation.name, **parameters(operation, Use.PLAN))


REMOVED = sorted({(role, str(each)) for role in Role for each, _ in uses(role)})


@pytest.mark.emulator
@pytest.mark.parametrize(("role", "name"), REMOVED)
def test_a_permission_taken_away_is_named_with_its_resource(yes: Guarded, role: Role, name: str) -> None:
    for operation, use in uses(role):
        if str(operation) != name:
            continue
        yes.set(policy(role, *operation.actions))
        with pytest.raises(AccessDeniedError) as found:
            yes.gate.call(operation.service, operation.name, **parameters(operation, use))
        assert found.value.operation == name
        assert f"access denied: {operation.actions[0]} on {found.value.resource} ({name}, " in str(
            found.value
        )
        assert found.value.resource == "*" or found.value.resource.startswith("arn:aws:")
        told = "trust policy" if name == "sts AssumeRole" else "`trailhouse policy"
        assert told in str(found.value)


# --- flows of the product ------------------------------------------------------------------------------------------

FIND = {"s3:ListBucket", "sts:GetCallerIdentity", "glue:GetDatabase"}
READ = {"glue:GetTables", "glue:GetPartitions"}
MAKE = {"glue:CreateDatabase", "glue:CreateTable", "glue:BatchCreatePartition"}
MEND = {"glue:BatchGetPartition", "glue:BatchUpdatePartition", "glue:BatchDeletePartition"}
MARK = {"glue:GetTable", "glue:UpdateTable"}
ASK = {
    f"athena:{name}"
    for name in ("GetWorkGroup", "StartQueryExecution", "GetQueryExecution", "GetQueryResults")
}
GOVERN = {"glue:GetDataCatalogEncryptionSettings", "lakeformation:GetDataLakeSettings"}
SQL = "SELECT count(*) AS n FROM cloudtrail"


UNSEEN: dict[Role, set[str]] = {Role.RUNNER: set()}
"""Permissions for calls of our own that no flow here leads to. The list only shrinks."""


@dataclass(frozen=True)
class Flow:
    """A command, as a role gives it.

    Attributes:
        role: whose policy has to be enough.
        args: of the command.
        calls: permissions that it is seen to use.
        before: commands that somebody who may do everything has given.
        spare: permissions of `calls` without which it goes on all the same.
        warned: permissions of `calls` without which it goes on, but says so.
        settings: lines of the configuration.
        damage: what somebody else did with Glue before.
    """

    role: Role
    args: tuple[str, ...]
    calls: set[str]
    before: tuple[tuple[str, ...], ...] = ()
    spare: set[str] = field(default_factory=set)
    warned: set[str] = field(default_factory=set)
    settings: str = ""
    damage: Callable[[Any], None] | None = None


APPLY = ("apply", "--yes")


def damaged(glue: Any) -> None:  # noqa: ANN401 - botocore has no types
    """One partition is of another format, and one is of a day long gone, without logs."""
    table = {"DatabaseName": "security", "TableName": f"cloudtrail_{ACCOUNT}"}
    first = glue.get_partitions(**table)["Partitions"][0]
    kept = {name: first[name] for name in ("Values", "StorageDescriptor")}
    odd = deepcopy(kept)
    odd["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"] = (
        "com.amazon.emr.hive.serde.CloudTrailSerde"
    )
    glue.batch_update_partition(
        **table, Entries=[{"PartitionValueList": odd["Values"], "PartitionInput": odd}]
    )
    old = f"{datetime.now(UTC) - timedelta(days=50):%Y %m %d}".split()
    values = [kept["Values"][0], *old, *kept["Values"][4:]]
    glue.batch_create_partition(**table, PartitionInputList=[kept | {"Values": values}])


def turned(glue: Any) -> None:  # noqa: ANN401 - botocore has no types
    """The view of all accounts has become a table that carries our mark."""
    glue.delete_table(DatabaseName="security", Name="cloudtrail")
    made = {"Name": "cloudtrail", "TableType": "EXTERNAL_TABLE", "Parameters": {"trailhouse.version": "1"}}
    glue.create_table(DatabaseName="security", TableInput=made)


def slowed(glue: Any) -> None:  # noqa: ANN401 - botocore has no types
    """The table of all accounts has lost its indexes."""
    raw = {"DatabaseName": "security", "TableName": "cloudtrail_raw"}
    for index in glue.get_partition_indexes(**raw)["PartitionIndexDescriptorList"]:
        glue.delete_partition_index(**raw, IndexName=index["IndexName"])


def governed(glue: Any) -> None:  # noqa: ANN401 - botocore has no types
    """Lake Formation decides about the database."""
    given = {"Name": "security", "CreateTableDefaultPermissions": []}
    glue.update_database(Name="security", DatabaseInput=given)


ONE = "tables: single\n"
INDEX = {"glue:GetPartitionIndexes"}
FLOWS = {
    "plan": Flow(Role.RUNNER, ("plan",), FIND | GOVERN, warned=GOVERN),
    "first apply": Flow(Role.RUNNER, APPLY, FIND | GOVERN | MAKE | MARK, warned=GOVERN),
    "later apply": Flow(Role.RUNNER, APPLY, FIND | GOVERN | READ, before=(APPLY,), warned=GOVERN),
    "plan one table": Flow(Role.RUNNER, ("plan",), FIND | GOVERN, settings=ONE, warned=GOVERN),
    "first apply of one table": Flow(
        Role.RUNNER, APPLY, FIND | GOVERN | MAKE | INDEX, settings=ONE, warned=GOVERN
    ),
    "later apply of one table": Flow(
        Role.RUNNER, APPLY, FIND | GOVERN | READ | INDEX, before=(APPLY,), settings=ONE, warned=GOVERN
    ),
    "repair": Flow(
        Role.RUNNER, (*APPLY, "--all", "--allow-deletes"), FIND | GOVERN | READ | MEND | MARK, before=(APPLY,),
        warned=GOVERN, damage=damaged
    ),
    "repair of a view": Flow(
        Role.RUNNER, APPLY, FIND | GOVERN | READ | {"glue:GetTable", "glue:DeleteTable", "glue:CreateTable"},
        before=(APPLY,), warned=GOVERN, damage=turned
    ),
    "repair of indexes": Flow(
        Role.RUNNER, APPLY, FIND | GOVERN | READ | INDEX | {"glue:CreatePartitionIndex"},
        before=(APPLY,), settings=ONE, warned=GOVERN, damage=slowed
    ),
    "where Lake Formation governs": Flow(
        Role.RUNNER, ("plan",), FIND | GOVERN | READ | {"lakeformation:ListPermissions"},
        before=(APPLY,), warned=GOVERN | {"lakeformation:ListPermissions"}, damage=governed
    ),
    "a source by a role": Flow(
        Role.RUNNER, ("plan",), FIND | GOVERN | {"sts:AssumeRole"},
        settings=f"sources: [{{uri: 's3://my-logs/AWSLogs/', role_arn: '{READER}'}}]\n",
        spare={"s3:ListBucket"}, warned=GOVERN,  # it is the role that lists
    ),
    "query": Flow(
        Role.ANALYST, ("query", "--engine", "athena", SQL),
        ASK | {"glue:GetTable", "glue:GetPartitions", "s3:ListBucket", "sts:GetCallerIdentity"}, before=(APPLY,),
        spare={"athena:GetWorkGroup"}, warned={"glue:GetPartitions", "s3:ListBucket"},
    ),
}  # fmt: skip


def removals() -> list[tuple[str, str]]:
    """A flow and a permission of it, each permission once for each command that uses it."""
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for name, flow in FLOWS.items():
        for action in sorted(flow.calls - flow.spare):
            first.setdefault((flow.args[0], action), (name, action))
    return list(first.values())


EVERYTHING: Policy = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass
class World:
    """An AWS with a day of logs of one account, behind a door."""

    door: Door
    url: str
    ready: bool = False


@contextmanager
def world() -> Iterator[World]:
    rows = Table([("n", "bigint")], [[1]])
    today = datetime.now(UTC)
    place = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{today:%Y/%m/%d}/"
    name = f"{ACCOUNT}_CloudTrail_{REGION}_{today:%Y%m%dT%H%MZ}_abcdefghijklmnop.json.gz"
    with AwsWithAthena(StrictAthena(lambda _sql, _database: rows, looks=0)) as aws:
        aws.glue.index_seconds = 0  # what is made or removed is so at once
        aws.bucket("my-logs", [(place + name, b"{}")])
        with Server(door := Door(aws._answer)) as server:
            yield World(door, server.url)


@pytest.fixture(scope="module")
def worlds() -> Iterator[Callable[[Flow], World]]:
    """A world for a flow: the same one for flows that go on from what was made before, which change nothing."""
    made: dict[object, World] = {}
    with ExitStack() as stack:

        def find(flow: Flow) -> World:
            if flow.damage or not flow.before:
                return stack.enter_context(world())
            key = flow.before, flow.settings
            if key not in made:
                made[key] = stack.enter_context(world())
            return made[key]

        yield find


Ask = Callable[[Flow, Policy], tuple[int, str, set[str]]]


@pytest.fixture
def ask(
    worlds: Callable[[Flow], World],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Ask:
    """Give a flow's command under a policy: exit code, all that was said, the permissions that were used."""
    monkeypatch.chdir(tmp_path)

    def run(here: World, found: Policy, args: tuple[str, ...]) -> tuple[int, str]:
        here.door.policies |= {"AKIAEXAMPLE": found, "*": EVERYTHING}
        here.door.used.clear()
        with pytest.raises(SystemExit) as left:
            main([*args])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return int(left.value.code or 0), out + err

    def asked(flow: Flow, found: Policy) -> tuple[int, str, set[str]]:
        (tmp_path / "trailhouse.yaml").write_text(
            f"s3_bucket_containing_logs: my-logs\ndatabase: security\nregion: {REGION}\npartition_days: 3\n"
            f"workdir: {tmp_path}/work\n{flow.settings}",
            "utf-8",
        )
        here = worlds(flow)
        monkeypatch.setenv("AWS_ENDPOINT_URL", here.url)
        for args in () if here.ready else flow.before:
            code, said = run(here, EVERYTHING, args)
            assert code == 0, said
        here.ready = True
        if flow.damage:
            here.door.policies["AKIAEXAMPLE"] = EVERYTHING
            flow.damage(boto3.client("glue", endpoint_url=here.url, region_name=REGION))
        code, said = run(here, found, flow.args)
        return code, said, set(here.door.used)

    return asked


@pytest.mark.emulator
@pytest.mark.slow
@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_works_under_its_policy_and_uses_what_is_said(ask: Ask, name: str) -> None:
    flow = FLOWS[name]
    code, said, used = ask(flow, policy(flow.role))
    assert code == 0, said
    assert "access denied" not in said
    assert used == flow.calls, " ".join(sorted(used))


@pytest.mark.emulator
@pytest.mark.slow
@pytest.mark.parametrize(("name", "action"), removals())
def test_a_flow_without_a_permission_says_which(ask: Ask, name: str, action: str) -> None:
    flow = FLOWS[name]
    code, said, _ = ask(flow, policy(flow.role, action))
    assert (code != 0) == (action not in flow.warned), said
    assert re.search(rf"access denied: {action} on (arn:aws:\S+|\*) ", said), said


@pytest.mark.emulator
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "action"), [(name, action) for name, flow in FLOWS.items() for action in sorted(flow.spare)]
)
def test_a_flow_goes_on_without_what_it_can_spare(ask: Ask, name: str, action: str) -> None:
    flow = FLOWS[name]
    code, said, _ = ask(flow, policy(flow.role, action))
    assert code == 0, said


def test_what_is_granted_and_what_flows_use_agree() -> None:
    for role, unseen in UNSEEN.items():
        own = {Use.NIGHTLY}  # no command's: tests/deploy sees what the deployed run uses
        granted = {action for operation, use in uses(role) for action in operation.actions if use not in own}
        used = {action for flow in FLOWS.values() if flow.role is role for action in flow.calls}
        assert granted - used == unseen
        assert used <= granted
