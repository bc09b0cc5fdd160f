"""Every operation of AWS that we call, once: gate, permissions and error texts all come from this list.

Actions and resources are those of AWS's Service Authorization Reference; `page` is where it says so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any


class Use(StrEnum):
    """What an operation is called for."""

    PLAN = "plan"
    APPLY = "apply"
    ADOPT = "adopt"
    DESTROY = "destroy"
    QUERY = "query"
    SELFTEST = "selftest"
    NIGHTLY = "nightly"
    STATUS = "status"
    DEPLOY = "deploy"


class Resource(StrEnum):
    """What a permission is about. The value is how its ARN ends; which names go in, `policy` decides by use."""

    BUCKET = "s3:::{bucket}"
    OBJECT = "s3:::{bucket}/{key}"
    CATALOG = "glue:{region}:{account}:catalog"
    DATABASE = "glue:{region}:{account}:database/{database}"
    TABLE = "glue:{region}:{account}:table/{database}/{table}"
    FUNCTION = "glue:{region}:{account}:userDefinedFunction/{database}/{function}"
    WORKGROUP = "athena:{region}:{account}:workgroup/{workgroup}"
    DATA_CATALOG = "athena:{region}:{account}:datacatalog/{data_catalog}"
    KEY = "kms:{region}:{account}:key/{key}"
    ROLE = "iam::{account}:role/{role}"
    STACK = "cloudformation:{region}:{account}:stack/{stack}/*"
    MACHINE = "states:{region}:{account}:stateMachine:{stack}"
    EXECUTION = "states:{region}:{account}:execution:{stack}:*"
    SCHEDULE = "scheduler:{region}:{account}:schedule/default/{stack}"
    TOPIC = "sns:{region}:{account}:{topic}"
    STACK_ROLE = "iam::{account}:role/{stack}-*"
    STACK_FUNCTION = "lambda:{region}:{account}:function:{stack}*"
    STACK_MACHINE = "states:{region}:{account}:stateMachine:{stack}*"
    STACK_QUEUE = "sqs:{region}:{account}:{stack}-*"
    STACK_TOPIC = "sns:{region}:{account}:{stack}-*"
    STACK_LOGS = "logs:{region}:{account}:log-group:/aws/*/{stack}*"
    STACK_ALARM = "cloudwatch:{region}:{account}:alarm:{stack}-*"
    STACK_RULE = "events:{region}:{account}:rule/{stack}-*"
    STACK_WORKGROUP = "athena:{region}:{account}:workgroup/{stack}"
    ANY = "*"


PAGES = "https://docs.aws.amazon.com/service-authorization/latest/reference/"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a service's API.

    Attributes:
        service: the client's name, such as `glue`.
        name: as the service's model spells it, such as `GetTable`.
        actions: what IAM calls the permission; the first is the operation's own.
        resource: everything that the actions have to be allowed on; what the call is about last.
        uses: what it is called for; empty where a refusal does no harm.
        page: of AWS, on actions and resources.
    """

    service: str
    name: str
    actions: tuple[str, ...]
    resource: tuple[Resource, ...]
    uses: frozenset[Use]
    page: str

    def __str__(self) -> str:
        return f"{self.service} {self.name}"


def operations() -> tuple[Operation, ...]:
    """The list, by service."""
    return tuple(_index().values())


def find(service: str, name: str) -> Operation:
    """The operation. Raises LookupError for one that is not listed: nobody would be granted it."""
    try:
        return _index()[service, name]
    except KeyError:
        raise LookupError(
            f"{service} {name} is not in core/operations.py: list it before calling it"
        ) from None


def target(operation: Operation, parameters: Mapping[str, Any]) -> str:
    """What a call is about, as its ARN ends; names that the call does not say are `*`.

    Args:
        operation: from the list.
        parameters: those of the call.
    """
    names = dict.fromkeys(
        ("region", "account", "database", "table", "function", "key", "role", "bucket"), "*"
    )
    names |= dict.fromkeys(("workgroup", "data_catalog", "stack", "topic"), "*")
    names |= {name: found for name, found in _named(operation, parameters) if found}
    kind = operation.resource[-1]
    if kind is Resource.ROLE and str(parameters.get("RoleArn", "")).count(":") >= _ARN_COLONS:
        return str(parameters["RoleArn"]).split(":", 2)[2]
    return kind.value.format(**names)


_ARN_COLONS = 5


def _named(operation: Operation, parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    def given(*path: str) -> str:
        value: Any = parameters
        for name in path:
            value = value.get(name, "") if isinstance(value, Mapping) else ""
        return str(value)

    yield "bucket", given("Bucket")
    yield "key", given("Key")
    yield "workgroup", given("WorkGroup")
    yield "stack", given("StackName").rpartition(":stack/")[2].partition("/")[0]
    yield "topic", given("TopicArn").rpartition(":")[2]
    yield "database", given("DatabaseName") or given("DatabaseInput", "Name")
    yield "table", given("TableName") or given("TableInput", "Name")
    yield ("table" if operation.resource[-1] is Resource.TABLE else "database"), given("Name")


_ALL = frozenset(Use)
_CATALOG = frozenset({Use.PLAN, Use.APPLY, Use.ADOPT, Use.DESTROY, Use.SELFTEST})
_GLUE = _CATALOG | {Use.QUERY}
_WRITE = frozenset({Use.APPLY, Use.ADOPT, Use.SELFTEST})
_REMOVE = _WRITE | {Use.DESTROY}
_LOOK = frozenset({Use.PLAN, Use.APPLY, Use.ADOPT, Use.QUERY, Use.SELFTEST})
_SETTINGS = frozenset({Use.PLAN, Use.APPLY, Use.ADOPT, Use.SELFTEST})
_QUERY = frozenset({Use.QUERY, Use.SELFTEST})
_END = frozenset({Use.DESTROY, Use.SELFTEST})
_SCRATCH = frozenset({Use.SELFTEST})
_NIGHTLY = frozenset({Use.NIGHTLY})
_STATUS = frozenset({Use.STATUS})
_DEPLOY = frozenset({Use.DEPLOY})

_IN_DATABASE = (Resource.CATALOG, Resource.DATABASE)
_IN_TABLE = (*_IN_DATABASE, Resource.TABLE)

# service: its page, then operation: its actions where they are called otherwise, resource, uses.
_Row = tuple[str, tuple[str, ...], tuple[Resource, ...], frozenset[Use]]
_TABLE: Mapping[str, tuple[str, tuple[_Row, ...]]] = {
    "sts": ("list_awssecuritytokenservice.html", (
        ("GetCallerIdentity", (), (Resource.ANY,), _ALL),
        ("AssumeRole", (), (Resource.ROLE,), _ALL),
    )),
    "s3": ("list_amazons3.html", (
        ("ListObjectsV2", ("s3:ListBucket",), (Resource.BUCKET,), _LOOK | _NIGHTLY | _STATUS | _DEPLOY),
        # Asked for the header that names the bucket's region, which comes with a refusal, too.
        ("HeadBucket", ("s3:ListBucket",), (Resource.BUCKET,), frozenset()),
        ("GetObject", (), (Resource.OBJECT,), _QUERY | _NIGHTLY | _STATUS),
        ("PutObject", (), (Resource.OBJECT,), _SCRATCH | _NIGHTLY | _DEPLOY),
        ("DeleteObjects", ("s3:DeleteObject",), (Resource.OBJECT,), _SCRATCH | _DEPLOY),
        ("ListObjectVersions", ("s3:ListBucketVersions",), (Resource.BUCKET,), _DEPLOY),
        ("CreateBucket", (), (Resource.BUCKET,), _DEPLOY),
        ("DeleteBucket", (), (Resource.BUCKET,), _DEPLOY),
        ("PutBucketEncryption", ("s3:PutEncryptionConfiguration",), (Resource.BUCKET,), _DEPLOY),
        ("PutPublicAccessBlock", ("s3:PutBucketPublicAccessBlock",), (Resource.BUCKET,), _DEPLOY),
        ("PutBucketPolicy", (), (Resource.BUCKET,), _DEPLOY),
        ("PutBucketTagging", (), (Resource.BUCKET,), _DEPLOY),
    )),
    "glue": ("list_awsglue.html", (
        ("GetDatabase", (), _IN_DATABASE, _CATALOG),
        ("CreateDatabase", (), _IN_DATABASE, _WRITE),
        ("DeleteDatabase", (), (Resource.CATALOG, Resource.TABLE, Resource.FUNCTION, Resource.DATABASE), _END),
        ("GetTable", (), _IN_TABLE, _GLUE),
        ("GetTables", (), _IN_TABLE, _GLUE),
        ("CreateTable", (), _IN_TABLE, _WRITE),
        ("UpdateTable", (), _IN_TABLE, _WRITE),
        ("DeleteTable", (), _IN_TABLE, _REMOVE),
        ("BatchDeleteTable", (), _IN_TABLE, _SCRATCH),
        ("GetPartitions", (), _IN_TABLE, _GLUE),
        ("BatchGetPartition", (), _IN_TABLE, _WRITE),
        ("BatchCreatePartition", (), _IN_TABLE, _WRITE),
        ("BatchUpdatePartition", (), _IN_TABLE, _WRITE),
        ("BatchDeletePartition", (), _IN_TABLE, _REMOVE),
        ("CreatePartitionIndex", (), _IN_TABLE, _WRITE),
        ("GetPartitionIndexes", (), _IN_TABLE, _CATALOG),
        ("GetDataCatalogEncryptionSettings", (), (Resource.CATALOG,), _SETTINGS),
    )),
    "athena": ("list_amazonathena.html", (
        ("GetWorkGroup", (), (Resource.WORKGROUP,), _QUERY),
        ("StartQueryExecution", (), (Resource.WORKGROUP,), _QUERY),
        ("GetQueryExecution", (), (Resource.WORKGROUP,), _QUERY),
        ("GetQueryResults", (), (Resource.WORKGROUP,), _QUERY),
        ("StopQueryExecution", (), (Resource.WORKGROUP,), _QUERY),
    )),
    "lakeformation": ("list_awslakeformation.html", (
        ("GetDataLakeSettings", (), (Resource.ANY,), _SETTINGS),
        ("ListPermissions", (), (Resource.ANY,), _SETTINGS),
    )),
    "cloudwatch": ("list_amazoncloudwatch.html", (
        ("PutMetricData", (), (Resource.ANY,), _NIGHTLY),
    )),
    "cloudformation": ("list_awscloudformation.html", (
        ("DescribeStacks", (), (Resource.STACK,), _STATUS | _DEPLOY),
        ("DescribeStackEvents", (), (Resource.STACK,), _DEPLOY),
        ("DescribeEvents", (), (Resource.STACK,), _DEPLOY),
        ("DescribeStackResources", (), (Resource.STACK,), _DEPLOY),
        ("GetTemplate", (), (Resource.STACK,), _DEPLOY),
        ("CreateChangeSet", (), (Resource.STACK,), _DEPLOY),
        ("DescribeChangeSet", (), (Resource.STACK,), _DEPLOY),
        ("ExecuteChangeSet", (), (Resource.STACK,), _DEPLOY),
        ("DeleteChangeSet", (), (Resource.STACK,), _DEPLOY),
        ("UpdateTerminationProtection", (), (Resource.STACK,), _DEPLOY),
        ("DeleteStack", (), (Resource.STACK,), _DEPLOY),
    )),
    "stepfunctions": ("list_awsstepfunctions.html", (
        ("StartExecution", ("states:StartExecution",), (Resource.MACHINE,), _STATUS),
        ("DescribeExecution", ("states:DescribeExecution",), (Resource.EXECUTION,), _STATUS),
        ("GetExecutionHistory", ("states:GetExecutionHistory",), (Resource.EXECUTION,), _STATUS),
    )),
    "scheduler": ("list_amazoneventbridgescheduler.html", (
        ("GetSchedule", (), (Resource.SCHEDULE,), _STATUS),
    )),
    "sns": ("list_amazonsns.html", (
        ("GetTopicAttributes", (), (Resource.TOPIC,), _STATUS | _DEPLOY),
    )),
    "service-quotas": ("list_servicequotas.html", (
        ("ListServiceQuotas", ("servicequotas:ListServiceQuotas",), (Resource.ANY,), _SCRATCH),
    )),
    "cloudtrail": ("list_awscloudtrail.html", (
        ("ListPublicKeys", (), (Resource.ANY,), _SCRATCH),
    )),
}  # fmt: skip


@cache
def _index() -> dict[tuple[str, str], Operation]:
    return {
        (service, name): Operation(
            service, name, actions or (f"{service}:{name}",), resource, uses, PAGES + page
        )
        for service, (page, rows) in _TABLE.items()
        for name, actions, resource, uses in rows
    }
