"""The settings, once: type, check, default, environment, flag and meaning of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from trailhouse.config import names
from trailhouse.core.sizes import parse_size
from trailhouse.core.times import parse_duration
from trailhouse.errors import ConfigError

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from.

    Attributes:
        kind: which of the four ranks it has.
        place: how a fault names it: `--jobs`, `TRAILHOUSE_JOBS (environment)`, `config.yaml:12`, `default`.
    """

    kind: Literal["flag", "environment", "file", "default"]
    place: str


DEFAULT = Origin("default", "default")


def _text_to(read: Callable[[str], Any]) -> BeforeValidator:
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


def _setting(
    default: Any,  # noqa: ANN401 - of the type of its field
    meaning: str,
    right: str,
    *,
    environment: str = "",
    flag: str = "",
    legacy: bool = False,
    ge: int | None = None,
    le: int | None = None,
) -> Any:  # noqa: ANN401 - as pydantic types its Field
    """Return a field; `right` completes the sentence "give ..." in faults."""
    extra: dict[str, JsonValue] = {"right": right, "environment": environment, "flag": flag, "legacy": legacy}
    return Field(default, description=meaning, json_schema_extra=extra, ge=ge, le=le)


def _number(text: str) -> int | str:
    """A number as an environment variable says it."""
    return int(text) if text.isdecimal() else text


def _listed(value: Any) -> Any:  # noqa: ANN401 - whatever was written; the type judges it
    """A list as an environment variable says it: with commas between."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _mapped(value: Any) -> Any:  # noqa: ANN401 - whatever was written; the type judges it
    """A mapping as an environment variable says it: `key=value,key=value`."""
    if not isinstance(value, str):
        return value
    pairs = (part.partition("=") for part in value.split(",") if part.strip())
    return {key.strip(): text.strip() for key, _, text in pairs}


LogRetention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
"""Days that CloudWatch Logs can keep
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html)."""


class Source(BaseModel):
    """One place to read logs from, with the access that it needs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: Annotated[str, AfterValidator(names.source_uri)] = Field(
        description="a folder, file, archive or glob, `-`, or `s3://bucket/path`"
    )
    endpoint_url: Annotated[str, AfterValidator(names.endpoint)] | None = Field(
        default=None, description="an S3 compatible service instead of AWS"
    )
    region: Annotated[str, AfterValidator(names.region)] | None = Field(
        default=None, description="the bucket's region"
    )
    profile: Annotated[str, AfterValidator(names.profile)] | None = Field(
        default=None, description="profile of the AWS configuration"
    )
    role_arn: Annotated[str, AfterValidator(names.role_arn)] | None = Field(
        default=None, description="role to assume for reading"
    )
    external_id: Annotated[str, AfterValidator(names.external_id)] | None = Field(
        default=None, description="external id that the role asks for"
    )
    expected_bucket_owner: Annotated[str, AfterValidator(names.account)] | None = Field(
        default=None, description="account that has to own the bucket, or nothing is read"
    )
    requester_pays: bool = Field(default=False, description="agree to pay for requests and transfer")


class Settings(BaseModel):
    """Everything that can be set. Made by `load`; immutable; times are UTC, sizes are bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    s3_bucket_containing_logs: Annotated[str, AfterValidator(names.bucket_or_placeholder)] | None = _setting(
        None, "Bucket that holds the logs; used when no `sources` are given.",
        "the bucket's name, such as my-logs", legacy=True)  # fmt: skip
    alarm_sns_arn: Annotated[str, AfterValidator(names.topic_arn)] | None = _setting(
        None, "SNS topic that hears of failures of the nightly run.",
        "an ARN such as arn:aws:sns:us-east-1:111122223333:alarm", legacy=True)  # fmt: skip
    cloudtrail_prefix: Annotated[str, AfterValidator(names.key_prefix)] = _setting(
        "", "What stands before `/AWSLogs` in the bucket, with or without slashes; empty for nothing.",
        'the path before /AWSLogs, such as my/prefix, or ""', legacy=True)  # fmt: skip
    partition_days: int = _setting(
        90, "Days back for which partitions are made at first.",
        "a whole number of days from 1 to 36500", legacy=True, ge=1, le=36_500)  # fmt: skip
    output_s3_bucket: Annotated[str, AfterValidator(names.bucket_or_default)] = _setting(
        "default", "Bucket for Athena's results; `default` is `aws-athena-query-results-ACCOUNT-REGION`.",
        "a bucket's name or the word default", legacy=True)  # fmt: skip
    database: Annotated[str, AfterValidator(names.database)] = _setting(
        "default", "Database (Glue, Athena) of the tables.",
        "lower case letters, digits and _, such as security_logs", legacy=True)  # fmt: skip
    table_prefix: Annotated[str, AfterValidator(names.table_prefix)] = _setting(
        "cloudtrail", "Name of the main table and beginning of all others.",
        "lower case letters, digits and _, such as cloudtrail", legacy=True)  # fmt: skip
    sources: tuple[Source, ...] = _setting(
        (), "Where the logs are: a list of addresses, or of mappings (see below).",
        "a list of folders, files, archives or s3:// addresses",
        environment="SOURCE", flag="--source")  # fmt: skip
    engine: Literal["duckdb", "athena", "trino"] = _setting(
        "duckdb", "What answers queries.", "duckdb, athena or trino",
        environment="ENGINE", flag="--engine")  # fmt: skip
    workgroup: Annotated[str, AfterValidator(names.workgroup)] = _setting(
        "primary", "Athena's workgroup.", "the name of an Athena workgroup, such as primary",
        environment="WORKGROUP", flag="--workgroup")  # fmt: skip
    lake: Annotated[str, AfterValidator(names.s3_uri)] | None = _setting(
        None, "Where the lake's tables lie in S3; left out, there is no lake in AWS.",
        "an address such as s3://my-lake/cloudtrail", environment="LAKE")  # fmt: skip
    retention_days: int | None = _setting(
        None, "Days that the lake keeps; left out, it keeps all.",
        "a whole number of days from 1 to 36500", environment="RETENTION_DAYS", ge=1, le=36_500)  # fmt: skip
    profile: Annotated[str, AfterValidator(names.profile)] | None = _setting(
        None, "Profile of the AWS configuration.", "the name of a profile",
        environment="PROFILE", flag="--profile")  # fmt: skip
    role_arn: Annotated[str, AfterValidator(names.role_arn)] | None = _setting(
        None, "Role to assume.", "an ARN such as arn:aws:iam::111122223333:role/reader",
        environment="ROLE_ARN", flag="--role-arn")  # fmt: skip
    external_id: Annotated[str, AfterValidator(names.external_id)] | None = _setting(
        None, "External id that the role asks for.", "2 to 1224 letters, digits and _+=,.@:/-",
        environment="EXTERNAL_ID", flag="--external-id")  # fmt: skip
    region: Annotated[str, AfterValidator(names.region)] | None = _setting(
        None, "Region of the AWS services; left out, the AWS configuration decides. (`--region` and "
        "`TRAILHOUSE_REGION` are something else: they choose the records' regions.)",
        "a region's name, such as eu-central-1", environment="AWS_REGION", flag="--aws-region")  # fmt: skip
    endpoint_url: Annotated[str, AfterValidator(names.endpoint)] | None = _setting(
        None, "An S3 compatible service instead of AWS, for sources that name none.",
        "an address such as http://127.0.0.1:9000",
        environment="ENDPOINT_URL", flag="--endpoint-url")  # fmt: skip
    workdir: Annotated[Path, AfterValidator(Path.expanduser)] | None = _setting(
        None, "Folder for working data; left out, the platform's folder for user data.",
        "a folder outside of every source", environment="WORKDIR", flag="--workdir")  # fmt: skip
    jobs: int | None = _setting(
        None, "Processes that read logs; left out, one a core.",
        "a whole number from 1 to 1024", environment="JOBS", flag="--jobs", ge=1, le=1024)  # fmt: skip
    late: Annotated[timedelta, _text_to(parse_duration)] = _setting(
        DAY, "How late a record may have been delivered: time windows are widened by it.",
        "a length of time such as 1d or 36h", environment="LATE", flag="--late")  # fmt: skip
    max_scan: Annotated[int, _text_to(parse_size)] | None = _setting(
        None, "Most bytes that one query may read; a query that would read more is not run.",
        "a size such as 10GB", environment="MAX_SCAN", flag="--max-scan", ge=1)  # fmt: skip
    price_per_tb: Annotated[Decimal, Field(allow_inf_nan=False)] = _setting(
        Decimal(5), "What Athena charges for a terabyte that a query reads, in US dollars.",
        "a number of dollars such as 5 or 6.75", environment="PRICE_PER_TB", ge=0)  # fmt: skip
    trino_url: Annotated[str, AfterValidator(names.endpoint)] | None = _setting(
        None, "Trino's server; `engine: trino` needs it.",
        "an address such as https://trino.example.com:8443",
        environment="TRINO_URL", flag="--trino-url")  # fmt: skip
    trino_catalog: Annotated[str, AfterValidator(names.trino_name)] = _setting(
        "awsdatacatalog", "Trino's catalog that holds the `database`.",
        "a catalog's name, such as hive", environment="TRINO_CATALOG")  # fmt: skip
    trino_user: Annotated[str, AfterValidator(names.trino_name)] = _setting(
        "trailhouse", "User that Trino is asked as.",
        "a user's name", environment="TRINO_USER")  # fmt: skip
    tables: Literal["auto", "per_account", "single"] = _setting(
        "auto", "A table an account, or one for all; `auto` takes the first up to 50 accounts.",
        "auto, per_account or single", environment="TABLES")  # fmt: skip
    partitions: Literal["registered", "projected"] = _setting(
        "registered", "Partitions listed in the catalog, or computed by Athena (for few accounts).",
        "registered or projected", environment="PARTITIONS")  # fmt: skip
    stack: Annotated[str, AfterValidator(names.stack)] = _setting(
        "trailhouse", "Name of the CloudFormation stack of the nightly run; its parts are named after it, the "
        "Athena workgroup among them.",
        "letters, digits and dashes, such as trailhouse", environment="STACK", flag="--stack")  # fmt: skip
    schedule: Annotated[str, AfterValidator(names.schedule)] = _setting(
        "cron(0 6 * * ? *)", "When the nightly run begins, UTC, in EventBridge Scheduler's words; at least once "
        "a day, or the alarm of 26 hours without a success goes off.",
        "an expression such as cron(0 6 * * ? *)", environment="SCHEDULE")  # fmt: skip
    architecture: Literal["arm64", "x86_64"] = _setting(
        "arm64", "Processor of the Lambda function.", "arm64 or x86_64", environment="ARCHITECTURE")  # fmt: skip
    memory_mb: int = _setting(
        512, "Memory of the Lambda function, MB.",
        "a whole number from 256 to 10240", environment="MEMORY_MB", ge=256, le=10_240)  # fmt: skip
    log_retention_days: Annotated[LogRetention, _text_to(_number)] = _setting(
        90, "Days that the logs of the nightly run are kept.",
        "a number that CloudWatch Logs knows, such as 30, 90 or 365", environment="LOG_RETENTION_DAYS")  # fmt: skip
    permissions_boundary: Annotated[str, AfterValidator(names.policy_arn)] | None = _setting(
        None, "Permissions boundary of every role that is deployed.",
        "an ARN such as arn:aws:iam::111122223333:policy/boundary",
        environment="PERMISSIONS_BOUNDARY")  # fmt: skip
    tags: Annotated[dict[str, str], AfterValidator(names.tags), BeforeValidator(_mapped)] = _setting(
        {}, "Tags of everything that is deployed.", "a mapping of at most 50 keys to values",
        environment="TAGS")  # fmt: skip
    log_keys: Annotated[tuple[Annotated[str, AfterValidator(names.key_arn)], ...], BeforeValidator(_listed)] = _setting(
        (), "KMS keys that the logs are encrypted with: who queries may decrypt with them.",
        "a list of ARNs of KMS keys", environment="LOG_KEYS")  # fmt: skip
    output_key: Annotated[str, AfterValidator(names.key_arn)] | None = _setting(
        None, "KMS key of Athena's results and of the records of runs; left out, S3 encrypts with its own.",
        "the ARN of a KMS key", environment="OUTPUT_KEY")  # fmt: skip
    catalog_keys: Annotated[
        tuple[Annotated[str, AfterValidator(names.key_arn)], ...], BeforeValidator(_listed)
    ] = _setting(
        (), "KMS keys that the Glue catalog is encrypted with.",
        "a list of ARNs of KMS keys", environment="CATALOG_KEYS")  # fmt: skip
    stack_key: Annotated[str, AfterValidator(names.key_arn)] | None = _setting(
        None, "KMS key of what is deployed: topic, queue, logs, settings of the function; left out, AWS's own.",
        "the ARN of a KMS key", environment="STACK_KEY")  # fmt: skip
    workgroup_limit: Annotated[int, _text_to(parse_size)] = _setting(
        10**12, "Most bytes that one query in the deployed workgroup may read; Athena stops what reads more.",
        "a size of at least 10MB, such as 500GB", environment="WORKGROUP_LIMIT", ge=10_000_000)  # fmt: skip
    termination_protection: bool = _setting(
        False, "Whether the stack is protected: neither `undeploy` nor anybody else deletes it then.",
        "true or false", environment="TERMINATION_PROTECTION")  # fmt: skip
    keep: Annotated[tuple[Literal["catalog", "output"], ...], BeforeValidator(_listed)] = _setting(
        ("catalog", "output"), "What `undeploy` leaves: the tables and views (`catalog`), Athena's results and the "
        "records of runs (`output`).",
        "a list of catalog and output, or []", environment="KEEP")  # fmt: skip

    origins: Mapping[str, Origin] = Field(default_factory=dict, exclude=True, repr=False)
    notes: tuple[str, ...] = Field(default=(), exclude=True, repr=False)

    @model_validator(mode="after")
    def _agree(self) -> "Settings":
        if self.external_id and not self.role_arn:
            raise ValueError("external_id: it is only used with a role; give role_arn too")
        if self.partitions == "projected" and self.tables == "per_account":
            raise ValueError("partitions: projected needs one table for all; give tables: single")
        return self

    def origin(self, key: str) -> Origin:
        """Return where the value of `key` came from."""
        return self.origins.get(key, DEFAULT)

    def log_sources(self) -> tuple[Source, ...]:
        """Return the sources to read: `sources`, or else the predecessor's bucket and prefix.

        Raises:
            ConfigError: neither is given, or the bucket is still the shipped placeholder.
        """
        if self.sources:
            return self.sources
        if self.s3_bucket_containing_logs is None:
            raise ConfigError("no source is given: name one with --source, TRAILHOUSE_SOURCE or `sources:`")
        path = "/".join(filter(None, (self.require("s3_bucket_containing_logs"), self.cloudtrail_prefix)))
        return (Source(uri=f"s3://{path}/AWSLogs/"),)

    def answering(self) -> Literal["duckdb", "athena", "trino"]:
        """Return what answers queries of these sources: Athena and Trino only know what is in S3.

        Raises:
            ConfigError: the command line asks for both, a local source and an engine elsewhere.
        """
        local = next((one.uri for one in self.sources if not one.uri.startswith("s3://")), None)
        if self.engine == "duckdb" or local is None:
            return self.engine
        if self.origin("engine").kind == "flag":
            raise ConfigError(
                f"--engine {self.engine} answers for logs in S3, and the source {local} is on this machine: "
                "leave out one of them"
            )
        return "duckdb"

    def require(self, key: Literal["s3_bucket_containing_logs", "alarm_sns_arn"]) -> str:
        """Return the value of a key that a step cannot do without.

        Raises:
            ConfigError: it is not set, or still the placeholder that the shipped file came with.
        """
        value: str | None = getattr(self, key)
        if value is None:
            raise ConfigError(f"{key} is not set: {right(key)}")
        if value == names.PLACEHOLDERS[key]:
            raise ConfigError(f"{self.origin(key).place}: {key} is still {value!r}, not edited: {right(key)}")
        return value


SETTINGS = {key: field for key, field in Settings.model_fields.items() if key not in {"origins", "notes"}}


def extra(key: str) -> dict[str, Any]:
    """Return what the table of settings says about `key` besides type and default."""
    found = SETTINGS[key].json_schema_extra
    return found if isinstance(found, dict) else {}


def right(key: str) -> str:
    """Return the sentence that says what to give for `key`."""
    return f"give {extra(key)['right']}"


def variables(key: str) -> tuple[str, ...]:
    """Return the environment variables of `key`, the strongest first."""
    if extra(key)["legacy"]:
        return f"TRAILHOUSE_{key.upper()}", key.upper()
    return (f"TRAILHOUSE_{extra(key)['environment']}",)
