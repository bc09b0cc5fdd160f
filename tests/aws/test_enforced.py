"""The generated policies, enforced.

Each call and each flow works under its role's policy, and each permission that is taken away gives an error that
names the action and the resource. A flow of the product is a line in FLOWS.
"""

from __future__ import annotations

from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from aws.iam import ACCOUNT, Door, Policy
from bed.aws import Aws
from bed.transport import JSON, Answer, Request, Server
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Call, Gate
from trailhouse.core.operations import Operation, Use, operations
from trailhouse.core.policy import USES, Folder, Names, Role, document, role_policy
from trailhouse.errors import AccessDeniedError
from trailhouse.storage.access import Location
from trailhouse.storage.discovery import Discovery
from trailhouse.storage.listing import S3Lister

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REGION = "eu-west-1"
READER = f"arn:aws:iam::{ACCOUNT}:role/reader"
RESULTS = f"aws-athena-query-results-{ACCOUNT}-{REGION}"
NAMES = Names(
    "aws", REGION, ACCOUNT, (Folder("my-logs", "AWSLogs/"),), Folder(RESULTS),
    Folder(RESULTS, "trailhouse-selftest/"), database="security", roles=(READER,),
)  # fmt: skip


def policy(role: Role, *without: str) -> Policy:
    """The policy of a role; without some actions."""
    found = deepcopy(document(role_policy(role, NAMES)))
    for statement in found["Statement"]:
        statement["Action"] = [each for each in statement["Action"] if each not in without] or ["none:None"]
    return found


# --- every operation -----------------------------------------------------------------------------------------------

TABLE = {"DatabaseName": "security", "TableName": "cloudtrail_111122223333"}
NAMED = {"DatabaseName": "security", "Name": "cloudtrail"}
VALUES = {"PartitionValueList": [{"Values": ["a"]}]}
CALLS: dict[str, dict[str, Any]] = {
    "sts GetCallerIdentity": {},
    "sts AssumeRole": {"RoleArn": READER, "RoleSessionName": "tested"},
    "s3 ListObjectsV2": {"Bucket": "my-logs", "Prefix": "AWSLogs/"},
    "s3 HeadBucket": {"Bucket": "my-logs"},
    "s3 GetBucketLocation": {"Bucket": "my-logs"},
    "s3 GetObject": {"Bucket": "my-logs", "Key": "AWSLogs/1"},
    "s3 HeadObject": {"Bucket": "my-logs", "Key": "AWSLogs/1"},
    "s3 PutObject": {"Bucket": RESULTS, "Key": "trailhouse-selftest/x", "Body": b""},
    "s3 DeleteObject": {"Bucket": RESULTS, "Key": "trailhouse-selftest/x"},
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
    "glue GetPartitions": TABLE,
    "glue BatchGetPartition": TABLE | {"PartitionsToGet": [{"Values": ["a"]}]},
    "glue BatchCreatePartition": TABLE | {"PartitionInputList": []},
    "glue BatchUpdatePartition": TABLE
    | {"Entries": [{"PartitionValueList": ["a"], "PartitionInput": {"Values": ["a"]}}]},
    "glue BatchDeletePartition": TABLE | {"PartitionsToDelete": []},
    "glue CreatePartitionIndex": TABLE | {"PartitionIndex": {"Keys": ["year"], "IndexName": "days"}},
    "glue GetPartitionIndexes": TABLE,
    "glue GetDataCatalogEncryptionSettings": {},
    "athena GetWorkGroup": {"WorkGroup": "primary"},
    "athena StartQueryExecution": {"QueryString": "SELECT 1", "WorkGroup": "primary"},
    "athena GetQueryExecution": {"QueryExecutionId": "q"},
    "athena GetQueryResults": {"QueryExecutionId": "q"},
    "athena StopQueryExecution": {"QueryExecutionId": "q"},
    "athena GetQueryRuntimeStatistics": {"QueryExecutionId": "q"},
    "lakeformation GetDataLakeSettings": {},
    "lakeformation ListPermissions": {},
}
SCRATCH = {"security": "trailhouse_selftest", "my-logs": RESULTS, "AWSLogs/": "trailhouse-selftest/"}


def parameters(operation: Operation, use: Use) -> dict[str, Any]:
    """Those of a call; `selftest` calls for what is its own."""
    given = deepcopy(CALLS[str(operation)])
    if use is not Use.SELFTEST:
        return given
    found: Any = _renamed(given)
    return dict(found)


def _renamed(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _renamed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each) for each in value]
    if isinstance(value, str):
        for old, new in SCRATCH.items():
            value = value.replace(old, new)
    return value


def silent(request: Request) -> Answer:
    """A service that says yes to everything."""
    if request.operation or request.credential[3] == "lakeformation":
        return Answer(200, b"{}", {"Content-Type": JSON})
    if request.credential[3] == "sts":
        return Answer(
            200, b"<R><GetCallerIdentityResult/><AssumeRoleResult/></R>", {"Content-Type": "text/xml"}
        )
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


def _discover(endpoint: Access) -> None:
    source = Location("s3://my-logs/AWSLogs/", endpoint)
    with Discovery([source], today=date(2024, 5, 2), lister=S3Lister) as discovery:
        folders = discovery.folders()
        (found,) = discovery.deliveries(folders, date(2024, 4, 1))
        assert found.days == (date(2024, 5, 1),)


@dataclass(frozen=True)
class Flow:
    """What a role does, from its beginning to its end.

    Attributes:
        role: whose policy has to be enough.
        run: raises where something is missing; has the same result when run twice.
        calls: operations that it is seen to call.
    """

    role: Role
    run: Callable[[Access], None]
    calls: frozenset[str]


FLOWS = {
    "discovery": Flow(Role.RUNNER, _discover, frozenset({"s3:ListBucket"})),
}


@pytest.fixture(scope="module")
def account() -> Iterator[Guarded]:
    """An AWS with logs of one account."""
    key = (
        f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2024/05/01/"
        f"{ACCOUNT}_CloudTrail_{REGION}_20240501T0000Z_abcdefghijklmnop.json.gz"
    )
    with Aws() as aws, guarded(aws._answer) as found:
        aws.bucket("my-logs", [(key, b"{}")])
        yield found


@pytest.mark.emulator
@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_works_under_its_policy_and_calls_what_is_said(account: Guarded, name: str) -> None:
    flow = FLOWS[name]
    account.set(policy(flow.role))
    account.door.used.clear()
    flow.run(account.gate.access)
    assert account.door.used == flow.calls


@pytest.mark.emulator
@pytest.mark.parametrize(
    ("name", "action"), [(n, action) for n, f in FLOWS.items() for action in sorted(f.calls)]
)
def test_a_flow_without_a_permission_says_which(account: Guarded, name: str, action: str) -> None:
    flow = FLOWS[name]
    account.set(policy(flow.role, action))
    with pytest.raises(AccessDeniedError, match=f"access denied: {action} on arn:"):
        flow.run(account.gate.access)
    account.set(policy(flow.role))
    flow.run(account.gate.access)
