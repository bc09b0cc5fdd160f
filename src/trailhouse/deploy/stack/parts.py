"""What several parts of the stack have in common: conditions, roles, groups of logs, exceptions from the linters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from trailhouse.deploy.template import is_symbol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trailhouse.deploy.values import Values

ACCOUNT_CONDITION = {"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}


Choice: TypeAlias = "bool | cdk.CfnCondition"
"""Whether something is there: decided, or by condition where a symbol stands for the value."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What is there or not, by configuration.

    Attributes:
        own_topic, own_bucket: the stack makes its own.
        keyed: there is a key of the stack.
        output_keyed: there is a key of output.
        boundary, stack_key, output_key: of roles, of the stack's parts, of output; or nothing at all.
        topic: ARN.
        bucket: name.
    """

    own_topic: Choice
    own_bucket: Choice
    keyed: Choice
    output_keyed: Choice
    boundary: str | None
    stack_key: str | None
    output_key: str | None
    topic: str
    bucket: str


def choices(scope: cdk.Stack, values: Values) -> Choices:
    """Decide, or make the conditions on what is not known yet."""
    own_topic = _missing(scope, "OwnTopic", values.topic)
    own_bucket = _missing(scope, "OwnBucket", values.output_bucket)
    bounded = _given(scope, "Bounded", values.permissions_boundary)
    keyed = _given(scope, "Keyed", values.stack_key)
    output_keyed = _given(scope, "OutputKeyed", values.output_key)
    return Choices(
        own_topic=own_topic,
        own_bucket=own_bucket,
        keyed=keyed,
        output_keyed=output_keyed,
        boundary=either(bounded, values.permissions_boundary),
        stack_key=either(keyed, values.stack_key),
        output_key=either(output_keyed, values.output_key),
        topic=either(own_topic, cdk.Fn.ref("Topic"), values.topic),
        bucket=either(own_bucket, cdk.Fn.ref("OutputBucket"), values.output_bucket),
    )


def _missing(scope: cdk.Stack, name: str, value: str) -> Choice:
    if not is_symbol(value):
        return not value
    return cdk.CfnCondition(scope, name, expression=cdk.Fn.condition_equals(value, ""))


def _given(scope: cdk.Stack, name: str, value: str) -> Choice:
    if not is_symbol(value):
        return bool(value)
    equal = cdk.Fn.condition_equals(value, "")
    return cdk.CfnCondition(scope, name, expression=cdk.Fn.condition_not(equal))


def either(choice: Choice, then: Any, otherwise: Any = None) -> Any:  # noqa: ANN401 - a value of any type, or its token
    """One or the other; None is nothing at all."""
    if isinstance(choice, bool):
        return then if choice else otherwise
    first, second = (cdk.Aws.NO_VALUE if each is None else each for each in (then, otherwise))
    return cdk.Token.as_string(cdk.Fn.condition_if(choice.logical_id, first, second))


def where(choice: Choice, part: Any) -> list[Any]:  # noqa: ANN401 - a value of any type
    """The part of a list that is there or not."""
    if isinstance(choice, bool):
        return [part] if choice else []
    return [either(choice, part)]


def conditioned(choice: Choice, *parts: cdk.CfnResource) -> None:
    """Make parts only where the choice is so; one that is decided is yes, or they would not be here."""
    if not isinstance(choice, bool):
        for each in parts:
            each.cfn_options.condition = choice


@dataclass(frozen=True, slots=True)
class Trust:
    """Who takes a role on.

    Attributes:
        service: a service's name before `.amazonaws.com`.
        of_account: it says for which account, and only ours will do.
    """

    service: str
    of_account: bool = True


def role(
    scope: cdk.Stack,
    name: str,
    trust: Trust,
    statements: Sequence[Any],
    *,
    boundary: str | None,
    role_name: str | None = None,
) -> iam.CfnRole:
    """A role for a service, with its permissions in it."""
    assumed: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": f"{trust.service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    if trust.of_account:
        assumed["Condition"] = ACCOUNT_CONDITION
    return iam.CfnRole(
        scope,
        name,
        role_name=role_name,
        assume_role_policy_document=document(assumed),
        permissions_boundary=boundary,
        policies=[iam.CfnRole.PolicyProperty(policy_name="all", policy_document=document(*statements))],
    )


def document(*statements: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON, conditions and tokens
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(sid: str, actions: str | Sequence[str], resources: Any, condition: Any = None) -> dict[str, Any]:  # noqa: ANN401 - JSON and tokens
    """A statement that allows."""
    found = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return found if condition is None else {**found, "Condition": condition}


def only_encrypted_transport(resources: Any, actions: str) -> dict[str, Any]:  # noqa: ANN401 - JSON and tokens
    """A statement of a resource's policy: nothing without TLS."""
    return {
        "Sid": "OnlyTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": resources,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def log_group(scope: cdk.Stack, name: str, group: str, values: Values, chosen: Choices) -> logs.CfnLogGroup:
    """A group of logs that ends with the stack and keeps as long as the configuration says."""
    made = logs.CfnLogGroup(
        scope,
        name,
        log_group_name=group,
        retention_in_days=cdk.Token.as_number(values.log_retention_days),
        kms_key_id=chosen.stack_key,
    )
    excuse(
        made, checkov={"CKV_AWS_158": "CloudWatch encrypts with keys of its own unless stack_key is given"}
    )
    made.cfn_options.deletion_policy = cdk.CfnDeletionPolicy.DELETE
    made.cfn_options.update_replace_policy = cdk.CfnDeletionPolicy.DELETE
    return made


def writes(group: logs.CfnLogGroup) -> dict[str, Any]:
    """What a function needs to write to its logs."""
    return allow("OwnLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], group.attr_arn)


def publishes(chosen: Choices) -> list[dict[str, Any]]:
    """What a role needs to publish to the topic, encrypted or not.

    The key of a topic that somebody else made is not known: any key in this account may be used, by way of SNS
    only, and only as far as the key's own policy allows it
    (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html).
    """
    return [
        allow("Tell", "sns:Publish", chosen.topic),
        allow(
            "KeyOfTopic",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            cdk.Fn.sub("arn:${AWS::Partition}:kms:${AWS::Region}:*:key/*"),
            {"StringLike": {"kms:ViaService": "sns.*"}},
        ),
    ]


def keeps(values: Values, queue: str, chosen: Choices) -> list[Any]:
    """What a role needs to put messages into the queue for what could not be delivered. `queue`: its ARN."""
    return [
        allow("Undelivered", "sqs:SendMessage", queue),
        *where(chosen.keyed, allow("KeyOfQueue", ["kms:Decrypt", "kms:GenerateDataKey"], values.stack_key)),
    ]


def excuse(
    resource: cdk.CfnResource,
    *,
    checkov: Mapping[str, str] | None = None,
    nag: Mapping[str, str] | None = None,
) -> None:
    """Say why findings of linters do not hold for a resource: checkov looks for it in the template."""
    if checkov:
        skip = [{"id": each, "comment": why} for each, why in checkov.items()]
        resource.add_metadata("checkov", {"skip": skip})
    acknowledge(resource, nag or {})


def acknowledge(scope: cdk.Stack | cdk.CfnResource, reasons: Mapping[str, str]) -> None:
    """Say why findings of the CDK's own checks and of cdk-nag do not hold, by the finding's name."""
    found = [cdk.Acknowledgment(id=each, reason=why) for each, why in reasons.items()]
    cdk.Validations.of(scope).acknowledge(*found)
