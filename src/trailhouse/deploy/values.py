"""What the template is filled with, from the settings: pure, no call to AWS is made."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from trailhouse.core.policy import (
    RECORDS_PREFIX,
    SCRATCH_PREFIX,
    Folder,
    Names,
    Role,
    own_output,
    role_policy,
)
from trailhouse.errors import ConfigError
from trailhouse.nightly.settings import NightlySettings, NightlySource
from trailhouse.versions import versions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trailhouse.config import Settings, Source

PARTITION, REGION, ACCOUNT = "${AWS::Partition}", "${AWS::Region}", "${AWS::AccountId}"
"""What CloudFormation puts in."""

INLINE_LIMIT = 10_240
"""Characters of all inline policies of a role together, white space apart
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""

_OTHERS = 400
"""Kept free for the statements of the template itself."""

RESULTS_PREFIX = "athena/"
"""Where in the bucket for output the workgroup writes results."""

_S3 = "s3://"
_ALIAS = "-s3alias"
_FIFO = ".fifo"


@dataclass(frozen=True, slots=True)
class Values:
    """What differs from one configuration to the next; empty text stands for "not given".

    Attributes:
        stack: its name, which its parts are named after.
        version: of trailhouse.
        config: digest of the settings of the run.
        schedule: in EventBridge Scheduler's words, UTC.
        architecture: of the function.
        memory_mb: of the function.
        log_retention_days: of every group of logs.
        topic: ARN of the topic for alarms; "": the stack's own.
        output_bucket: name of the bucket for output; "": the stack's own.
        own_bucket: name of the stack's own.
        output_key: ARN of the key of what is written there.
        stack_key: ARN of the key of topic, queue, logs and settings of the function.
        permissions_boundary: ARN of the policy.
        workgroup_limit: bytes that one query may read.
        requester_pays: queries pay for reading buckets of others.
        runner_statements: of the policy of the function's role.
        tags: of the stack, which passes them on to its parts.
    """

    stack: str
    version: str
    config: str
    schedule: str
    architecture: str
    memory_mb: int
    log_retention_days: int
    topic: str
    output_bucket: str
    own_bucket: str
    output_key: str
    stack_key: str
    permissions_boundary: str
    workgroup_limit: int
    requester_pays: bool
    runner_statements: tuple[Mapping[str, Any], ...]
    tags: tuple[tuple[str, str], ...]

    def as_mapping(self) -> dict[str, Any]:
        """By the name that the template has for each."""
        found = asdict(self)
        found["runner_statements"] = list(self.runner_statements)
        del found["tags"]
        return found


def values_of(settings: Settings) -> Values:
    """What the template is filled with for these settings.

    Raises:
        ConfigError: a setting is still the placeholder, or is nothing for a nightly run.
    """
    topic = "" if settings.alarm_sns_arn is None else settings.require("alarm_sns_arn")
    if topic.endswith(_FIFO):
        place = settings.origin("alarm_sns_arn").place
        raise ConfigError(
            f"{place}: alarm_sns_arn: alarms of CloudWatch cannot be sent to a FIFO topic: give a standard one"
        )
    nightly = nightly_settings(settings)
    named = settings.output_s3_bucket
    return Values(
        stack=settings.stack,
        version=versions()["trailhouse"],
        config=nightly.digest(),
        schedule=settings.schedule,
        architecture=settings.architecture,
        memory_mb=settings.memory_mb,
        log_retention_days=settings.log_retention_days,
        topic=topic,
        output_bucket="" if named == "default" else named,
        own_bucket=own_output(settings.stack, ACCOUNT, REGION),
        output_key=settings.output_key or "",
        stack_key=settings.stack_key or "",
        permissions_boundary=settings.permissions_boundary or "",
        workgroup_limit=settings.workgroup_limit,
        requester_pays=any(source.requester_pays for source in settings.log_sources()),
        runner_statements=runner_statements(settings),
        tags=tuple(sorted(settings.tags.items())),
    )


def refuse_topic_elsewhere(settings: Settings, values: Values, region: str) -> None:
    """Refuse a topic in another region than the stack's: neither alarms nor state machines reach it.

    Args:
        settings: of the deployment.
        values: from them.
        region: of the stack.

    Raises:
        ConfigError: it lies elsewhere.
    """
    if values.topic and values.topic.split(":")[3] != region:
        place = settings.origin("alarm_sns_arn").place
        raise ConfigError(
            f"{place}: the topic {values.topic} lies in another region, and alarms only reach one in {region}: "
            "give one there, or leave alarm_sns_arn out and the stack makes one"
        )


def nightly_settings(settings: Settings) -> NightlySettings:
    """What the deployed run needs of the settings.

    `profile`, `role_arn` and `region` of the configuration say how people get at AWS; the deployed run is its own
    role, in the region that it was deployed to. A source's own role is assumed.

    Raises:
        ConfigError: there is no source, one is not in S3, or one cannot be reached from Lambda.
    """
    return NightlySettings(
        sources=tuple(_nightly_source(settings, source) for source in settings.log_sources()),
        database=settings.database,
        table_prefix=settings.table_prefix,
        tables=settings.tables,
        partitions=settings.partitions,
        partition_days=settings.partition_days,
        architecture=settings.architecture,
    )


def _nightly_source(settings: Settings, source: Source) -> NightlySource:
    place = settings.origin("sources").place
    if not source.uri.startswith(_S3):
        raise ConfigError(
            f"{place}: the nightly run reads what is in S3, and {source.uri} is not: leave it out, or give "
            "the bucket, such as s3://my-logs/AWSLogs/"
        )
    if source.endpoint_url or settings.endpoint_url:
        raise ConfigError(
            f"{place}: {source.uri} is at {source.endpoint_url or settings.endpoint_url}, and the nightly run "
            "reads what Athena reads, which is S3 of AWS: leave endpoint_url out"
        )
    if source.profile:
        raise ConfigError(
            f"{place}: {source.uri} is read with the profile {source.profile}, which Lambda does not have: "
            "give role_arn instead, a role that the nightly run may assume"
        )
    return NightlySource(
        uri=source.uri,
        region=source.region,
        role_arn=source.role_arn,
        external_id=source.external_id,
        expected_bucket_owner=source.expected_bucket_owner,
        requester_pays=source.requester_pays,
    )


def names_of(settings: Settings) -> Names:
    """What the ARNs in the template are made of; CloudFormation puts partition, region and account in.

    Raises:
        ConfigError: there is no source, or one is the alias of an access point.
    """
    named = settings.output_s3_bucket
    bucket = own_output(settings.stack, ACCOUNT, REGION) if named == "default" else named
    lake = _folder(settings, settings.lake) if settings.lake else None
    return Names(
        partition=PARTITION,
        region=REGION,
        account=ACCOUNT,
        logs=tuple(_folder(settings, source.uri) for source in settings.log_sources()),
        results=Folder(bucket, RESULTS_PREFIX),
        scratch=Folder(bucket, RESULTS_PREFIX + SCRATCH_PREFIX),
        records=Folder(bucket, RECORDS_PREFIX),
        lake=lake,
        database=settings.database,
        table_prefix=settings.table_prefix,
        workgroup=settings.stack,
        stack=settings.stack,
        topic=settings.alarm_sns_arn or "",
        log_keys=settings.log_keys,
        result_keys=(settings.output_key,) if settings.output_key else (),
        catalog_keys=settings.catalog_keys,
        roles=tuple(sorted({source.role_arn for source in settings.log_sources() if source.role_arn})),
    )


def _folder(settings: Settings, uri: str) -> Folder:
    bucket, _, prefix = uri.removeprefix(_S3).partition("/")
    if bucket.endswith(_ALIAS):
        raise ConfigError(
            f"{settings.origin('sources').place}: {bucket} is the alias of an access point, and permissions "
            "name its ARN, which an alias does not tell: give the bucket itself"
        )
    return Folder(bucket, f"{prefix.rstrip('/')}/" if prefix.strip("/") else "")


def runner_statements(settings: Settings) -> tuple[Mapping[str, Any], ...]:
    """The statements of the function's role, as CloudFormation takes them.

    Raises:
        ConfigError: they are more than an inline policy takes.
    """
    found = [each.as_json() for each in role_policy(Role.RUNNER, names_of(settings))]
    size = len(json.dumps(found, separators=(",", ":"))) + _OTHERS
    if size > INLINE_LIMIT:
        raise ConfigError(
            f"{settings.origin('sources').place}: the permissions of the nightly run would be {size:,} characters, "
            f"and a role takes {INLINE_LIMIT:,}: give a folder that holds several sources instead of each, "
            "such as s3://my-logs/, or deploy a second stack (`stack:`, `table_prefix:`) for some of them"
        )
    return tuple(substituted(each) for each in found)


def substituted(value: Any) -> Any:  # noqa: ANN401 - JSON
    """JSON in which CloudFormation fills what stands for partition, region and account.

    `${*}` and the like are IAM's own and stay: in `Fn::Sub` they are written `${!*}`.
    """
    if isinstance(value, dict):
        return {key: substituted(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [substituted(one) for one in value]
    if isinstance(value, str) and any(one in value for one in (PARTITION, REGION, ACCOUNT)):
        return {"Fn::Sub": "${AWS::".join(part.replace("${", "${!") for part in value.split("${AWS::"))}
    return value
