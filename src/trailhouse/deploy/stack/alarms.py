"""The topic, and the alarms that CloudWatch sends there; what a run has to tell, its state machine publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns

from trailhouse.core.policy import METRICS
from trailhouse.deploy.stack.parts import (
    ACCOUNT_CONDITION,
    Choices,
    allow,
    conditioned,
    document,
    excuse,
    only_encrypted_transport,
)
from trailhouse.nightly.deployment import DIMENSION, SUCCEEDED

if TYPE_CHECKING:
    from trailhouse.deploy.values import Values

HOURS_WITHOUT_SUCCESS = 26
"""A day, and two hours for a run that is late or long."""

_HOUR = 3600
_FIVE_MINUTES = 300


def topic(scope: cdk.Stack, values: Values, chosen: Choices) -> None:
    """The stack's own topic, where none is given. Of that which is given nothing is changed."""
    if chosen.own_topic is False:
        return
    made = sns.CfnTopic(
        scope,
        "Topic",
        topic_name=f"{values.stack}-alarms",
        display_name="trailhouse",
        kms_master_key_id=chosen.stack_key,
    )
    without_key = (
        "alarms of CloudWatch cannot use the key that SNS brings; give stack_key, whose policy allows it"
    )
    excuse(made, checkov={"CKV_AWS_26": without_key}, nag={"AwsSolutions-SNS2": without_key})
    policy = sns.CfnTopicPolicy(
        scope,
        "TopicPolicy",
        topics=[made.ref],
        policy_document=document(
            {
                **allow("Alarms", "sns:Publish", made.ref, ACCOUNT_CONDITION),
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
            },
            only_encrypted_transport(made.ref, "sns:Publish"),
        ),
    )
    conditioned(chosen.own_topic, made, policy)


def no_success_alarm(scope: cdk.Stack, values: Values, chosen: Choices) -> cloudwatch.CfnAlarm:
    """Nothing went well for 26 hours; hours of which nothing is known count as such."""
    stack = values.stack
    return _alarm(
        scope,
        "NoSuccessAlarm",
        f"{stack}-no-success",
        f"What: no nightly run of the stack {stack} has succeeded for {HOURS_WITHOUT_SUCCESS} hours, or none has "
        "ended yet: in the first hours after a deployment this alarm goes off before the first run is done, and "
        "goes away with it. "
        "Since: the last run that succeeded. Nothing is lost: what is delivered "
        "stays in the bucket, and the tables show it up to the day after that run. "
        "Tried: a run every night, if any began. That runs fail is told to this topic once, when it begins, and not "
        f"every night; whether runs began at all, and how they ended, says trailhouse runs --stack {stack}. "
        f"Do: trailhouse status --stack {stack}",
        chosen,
        namespace=METRICS,
        metric_name=SUCCEEDED,
        dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name=DIMENSION, value=stack)],
        statistic="Sum",
        comparison_operator="LessThanThreshold",
        threshold=1,
        period=_HOUR,
        evaluation_periods=HOURS_WITHOUT_SUCCESS,
        datapoints_to_alarm=HOURS_WITHOUT_SUCCESS,
        treat_missing_data="breaching",
    )


def undelivered_alarm(scope: cdk.Stack, values: Values, queue: str, chosen: Choices) -> cloudwatch.CfnAlarm:
    """Something lies in the queue for what was not begun or not told. `queue`: its name."""
    stack = values.stack
    return _alarm(
        scope,
        "UndeliveredAlarm",
        f"{stack}-undelivered",
        f"What: the schedule of the stack {stack} could not begin a run, the word about a stopped query could not "
        "be passed on, or a message could not be published to this topic: its text is in the queue, too. "
        "Since: the oldest message in the queue. "
        "Tried: again and again, for hours; a message for minutes. "
        f"Do: trailhouse status --stack {stack}; read the messages, which have the reason in their attributes or are "
        "the text that was to be told: aws sqs receive-message "
        f"--queue-url $(aws sqs get-queue-url --queue-name {stack}-undelivered --query QueueUrl "
        "--output text) --message-attribute-names All. When it is mended, purge the queue, and the alarm ends.",
        chosen,
        namespace="AWS/SQS",
        metric_name="ApproximateNumberOfMessagesVisible",
        dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name="QueueName", value=queue)],
        statistic="Maximum",
        comparison_operator="GreaterThanOrEqualToThreshold",
        threshold=1,
        period=_FIVE_MINUTES,
        evaluation_periods=1,
        datapoints_to_alarm=1,
        treat_missing_data="notBreaching",
    )


def _alarm(
    scope: cdk.Stack,
    name: str,
    alarm_name: str,
    text: str,
    chosen: Choices,
    **properties: Any,  # noqa: ANN401 - what the CDK's alarm takes
) -> cloudwatch.CfnAlarm:
    return cloudwatch.CfnAlarm(
        scope,
        name,
        alarm_name=alarm_name,
        alarm_description=text,
        actions_enabled=True,
        alarm_actions=[chosen.topic],
        ok_actions=[chosen.topic],
        **properties,
    )
