"""When a run begins: EventBridge Scheduler; the queue for what it could not begin, and for what was not told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs

from trailhouse.deploy.stack.parts import (
    Choices,
    Trust,
    allow,
    document,
    either,
    excuse,
    keeps,
    only_encrypted_transport,
    role,
)

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam

    from trailhouse.deploy.values import Values

INPUT = '{"reason": "schedule"}'
_FORTNIGHT = 14 * 24 * 3600
_HOUR = 3600


def undelivered_queue(scope: cdk.Stack, values: Values, chosen: Choices) -> sqs.CfnQueue:
    """The queue for what schedule and rule could not begin and SNS did not take.

    Its policy lets the rule put messages there; the others have roles that do.
    """
    by_sqs = either(chosen.keyed, None, otherwise=True)
    queue = sqs.CfnQueue(
        scope,
        "Undelivered",
        queue_name=f"{values.stack}-undelivered",
        message_retention_period=_FORTNIGHT,
        kms_master_key_id=chosen.stack_key,
        sqs_managed_sse_enabled=None if chosen.keyed is True else cdk.Token.as_any(by_sqs),
    )
    rule = cdk.Fn.sub(
        f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:rule/{values.stack}-scan-limit"
    )
    sqs.CfnQueuePolicy(
        scope,
        "UndeliveredPolicy",
        queues=[queue.ref],
        policy_document=document(
            {
                **allow(
                    "ScanRule", "sqs:SendMessage", queue.attr_arn, {"ArnEquals": {"aws:SourceArn": rule}}
                ),
                "Principal": {"Service": "events.amazonaws.com"},
            },
            only_encrypted_transport(queue.attr_arn, "sqs:*"),
        ),
    )
    excuse(
        queue,
        checkov={"CKV_AWS_27": "SQS encrypts with keys of its own unless stack_key is given"},
        nag={"AwsSolutions-SQS3": "it is the dead-letter queue, of schedule and rule"},
    )
    return queue


def _starter(
    scope: cdk.Stack, values: Values, machine: str, undelivered: str, chosen: Choices
) -> iam.CfnRole:
    return role(
        scope,
        "ScheduleRole",
        Trust("scheduler"),
        [
            allow("Begin", "states:StartExecution", machine),
            *keeps(values, undelivered, chosen),
        ],
        boundary=chosen.boundary,
    )


def schedule(
    scope: cdk.Stack, values: Values, machine: str, undelivered: str, chosen: Choices
) -> scheduler.CfnSchedule:
    """The schedule and its role.

    Args:
        scope: the stack.
        values: of the configuration.
        machine: ARN of the one that it begins.
        undelivered: ARN of the queue for what could not be begun.
        chosen: by configuration.
    """
    return scheduler.CfnSchedule(
        scope,
        "Schedule",
        name=values.stack,
        description="The nightly run of trailhouse",
        schedule_expression=values.schedule,
        schedule_expression_timezone="UTC",
        flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
        kms_key_arn=chosen.stack_key,
        state="ENABLED",
        target=scheduler.CfnSchedule.TargetProperty(
            arn=machine,
            role_arn=_starter(scope, values, machine, undelivered, chosen).attr_arn,
            input=INPUT,
            retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                maximum_event_age_in_seconds=6 * _HOUR, maximum_retry_attempts=30
            ),
            dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=undelivered),
        ),
    )
