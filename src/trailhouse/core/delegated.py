"""What AWS does with the permissions of its caller: nobody calls it, and all need it.

Athena, by kind of statement; CloudFormation, by type of what is in the stack; Glue and S3, where a key encrypts.
"""

from dataclasses import dataclass
from enum import StrEnum

from trailhouse.core.deployed import DEPLOYED
from trailhouse.core.operations import Resource, Use


class Kind(StrEnum):
    """A kind of statement, or of what is touched or deployed."""

    EVERY = "every statement"
    LOGS = "SELECT on tables over log files"
    VIEW = "SELECT on views"
    ICEBERG = "SELECT on Iceberg tables"
    CHANGE = "INSERT, MERGE, UPDATE, DELETE and OPTIMIZE on Iceberg tables"
    CREATE = "CREATE TABLE (Iceberg)"
    DROP = "DROP TABLE"
    VACUUM = "VACUUM"
    GOVERNED = "whatever touches tables that Lake Formation governs"
    ENCRYPTED_CATALOG = "every call of Glue, where the catalog is encrypted"
    WRITTEN_RECORD = "writing the record of a run, where a key encrypts it"
    READ_RECORD = "reading the record of a run, where a key encrypts it"
    STACK_KEY = "CloudFormation, for what a key encrypts"
    EMPTIED = "undeploy, where a bucket has old versions"
    ROLE = "CloudFormation, for AWS::IAM::Role"
    FUNCTION = "CloudFormation, for AWS::Lambda::Function"
    MACHINE = "CloudFormation, for AWS::StepFunctions::StateMachine"
    SCHEDULE = "CloudFormation, for AWS::Scheduler::Schedule"
    QUEUE = "CloudFormation, for AWS::SQS::Queue"
    TOPIC = "CloudFormation, for AWS::SNS::Topic"
    LOG_GROUP = "CloudFormation, for AWS::Logs::LogGroup"
    ALARM = "CloudFormation, for AWS::CloudWatch::Alarm"
    RULE = "CloudFormation, for AWS::Events::Rule"
    WORKGROUP = "CloudFormation, for AWS::Athena::WorkGroup"
    BUCKET = "CloudFormation, for AWS::S3::Bucket"


class Place(StrEnum):
    """Whose names a permission is about."""

    LOGS = "logs"
    RESULTS = "results"
    RECORDS = "records"
    CODE = "code"
    OUTPUT = "output"
    STACK = "stack"
    LAKE = "lake"
    SCRATCH = "scratch"
    TABLES = "tables"
    DEFAULT = "default"
    LOG_KEYS = "log keys"
    RESULT_KEYS = "result keys"
    STACK_KEYS = "stack keys"
    CATALOG_KEYS = "catalog keys"
    ANYWHERE = "anywhere"


@dataclass(frozen=True, slots=True)
class Delegated:
    """Actions that are taken for the caller.

    Attributes:
        kind: of statement.
        actions: of IAM.
        resource: what they are taken on.
        place: whose.
        page: of AWS, that says so.
    """

    kind: Kind
    actions: tuple[str, ...]
    resource: tuple[Resource, ...]
    place: Place
    page: str


def kinds(use: Use) -> frozenset[Kind]:
    """The kinds of statements that are run for a use."""
    return _KINDS.get(use, frozenset({Kind.ENCRYPTED_CATALOG}))


def delegated() -> tuple[Delegated, ...]:
    """The list."""
    return _LIST


_QUERY = frozenset({Kind.EVERY, Kind.LOGS, Kind.VIEW, Kind.ICEBERG, Kind.GOVERNED, Kind.ENCRYPTED_CATALOG})
_RECORD = frozenset({Kind.WRITTEN_RECORD, Kind.READ_RECORD})
_STACK = frozenset(kind for kind in Kind if kind.value.startswith("CloudFormation,")) | {Kind.EMPTIED}
OF_ATHENA = frozenset(Kind) - _RECORD - _STACK - {Kind.ENCRYPTED_CATALOG}
"""What Athena does."""

_KINDS = {
    Use.QUERY: _QUERY,
    Use.SELFTEST: OF_ATHENA | {Kind.ENCRYPTED_CATALOG},
    Use.NIGHTLY: _RECORD,
    Use.STATUS: frozenset({Kind.READ_RECORD}),
    Use.DEPLOY: _STACK,
}

_ATHENA = "https://docs.aws.amazon.com/athena/latest/ug/"
_MANAGED = f"{_ATHENA}security-iam-awsmanpol.html"
_GLUE = f"{_ATHENA}fine-grained-access-to-glue-resources.html"
_S3 = f"{_ATHENA}s3-permissions.html"
_KEYS = f"{_ATHENA}encryption.html"
_SSE_KMS = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html"
_LAKE_FORMATION = "https://docs.aws.amazon.com/lake-formation/latest/dg/access-control-underlying-data.html"

_BUCKET = (Resource.BUCKET,)
_OBJECT = (Resource.OBJECT,)
_KEY = (Resource.KEY,)
_DATABASE = (Resource.CATALOG, Resource.DATABASE)
_TABLE = (*_DATABASE, Resource.TABLE)
_READ_TABLE = ("glue:GetTable", "glue:GetPartition", "glue:GetPartitions", "glue:BatchGetPartition")
_SEE_BUCKET = ("s3:GetBucketLocation", "s3:ListBucket")
_WRITE = ("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")

_LIST = (
    Delegated(Kind.EVERY, ("glue:GetDatabase",), _DATABASE, Place.DEFAULT, _GLUE),
    Delegated(Kind.EVERY, ("glue:GetDatabase",), _DATABASE, Place.TABLES, _GLUE),
    Delegated(Kind.EVERY, (*_SEE_BUCKET, "s3:ListBucketMultipartUploads"), _BUCKET, Place.RESULTS, _MANAGED),
    Delegated(Kind.EVERY, _WRITE, _OBJECT, Place.RESULTS, _MANAGED),
    Delegated(Kind.EVERY, ("kms:Decrypt", "kms:GenerateDataKey"), _KEY, Place.RESULT_KEYS, _KEYS),
    Delegated(Kind.LOGS, _READ_TABLE, _TABLE, Place.TABLES, _GLUE),
    Delegated(Kind.LOGS, _SEE_BUCKET, _BUCKET, Place.LOGS, _S3),
    Delegated(Kind.LOGS, ("s3:GetObject",), _OBJECT, Place.LOGS, _S3),
    Delegated(Kind.LOGS, ("kms:Decrypt",), _KEY, Place.LOG_KEYS, _KEYS),
    Delegated(Kind.VIEW, ("glue:GetTable",), _TABLE, Place.TABLES, f"{_ATHENA}views.html"),
    Delegated(Kind.ICEBERG, ("glue:GetTable",), _TABLE, Place.TABLES, _GLUE),
    Delegated(Kind.ICEBERG, _SEE_BUCKET, _BUCKET, Place.LAKE, _S3),
    Delegated(Kind.ICEBERG, ("s3:GetObject",), _OBJECT, Place.LAKE, _S3),
    Delegated(Kind.CHANGE, ("glue:UpdateTable",), _TABLE, Place.TABLES, _GLUE),
    Delegated(Kind.CHANGE, _WRITE, _OBJECT, Place.LAKE, _S3),
    Delegated(Kind.CREATE, ("glue:CreateTable",), _TABLE, Place.TABLES, _GLUE),
    Delegated(Kind.DROP, ("glue:DeleteTable",), _TABLE, Place.TABLES, _GLUE),
    Delegated(Kind.DROP, ("s3:DeleteObject",), _OBJECT, Place.LAKE, f"{_ATHENA}querying-iceberg-drop-table.html"),
    Delegated(Kind.VACUUM, ("s3:DeleteObject",), _OBJECT, Place.LAKE, f"{_ATHENA}vacuum-statement.html"),
    Delegated(
        Kind.GOVERNED, ("lakeformation:GetDataAccess",), (Resource.ANY,), Place.ANYWHERE, _LAKE_FORMATION
    ),
    Delegated(
        Kind.ENCRYPTED_CATALOG, ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"), _KEY,
        Place.CATALOG_KEYS, f"{_ATHENA}access-encrypted-data-glue-data-catalog.html",
    ),
    Delegated(Kind.WRITTEN_RECORD, ("kms:GenerateDataKey",), _KEY, Place.RESULT_KEYS, _SSE_KMS),
    Delegated(Kind.READ_RECORD, ("kms:Decrypt",), _KEY, Place.RESULT_KEYS, _SSE_KMS),
    *(
        Delegated(Kind(f"CloudFormation, for {row.kind}"), row.actions, (row.resource,), Place(row.place), row.page)
        for row in DEPLOYED
    ),
    Delegated(
        Kind.STACK_KEY, ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"),
        _KEY, Place.STACK_KEYS, "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html",
    ),
    Delegated(
        Kind.EMPTIED, ("s3:DeleteObjectVersion",), _OBJECT, Place.OUTPUT,
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html",
    ),
)  # fmt: skip
