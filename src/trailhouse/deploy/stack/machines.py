"""The state machines as parts of the stack, each with its role; the rule that hears of stopped queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_stepfunctions as states

from trailhouse.deploy.stack.machine import run_definition, scan_definition
from trailhouse.deploy.stack.parts import Choices, Trust, allow, excuse, keeps, log_group, publishes, role
from trailhouse.deploy.values import substituted

if TYPE_CHECKING:
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_sqs as sqs

    from trailhouse.deploy.values import Values

_DELIVERY = (
    "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
)  # fmt: skip
"""What a state machine needs to log; none of it can be narrowed to a group
(https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html)."""

_NAG_MACHINE = {
    "AwsSolutions-SF1": "errors are logged; what a run did stands in its record, and each step in the history",
    "AwsSolutions-SF2": "a run is one chain of calls to one function, and its record tells each call",
}
_NAG_ROLE = {
    "AwsSolutions-IAM5[Resource::*]": "log delivery has no ARN",
    "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:kms:<AWS::Region>:*:key/*]": "the key of a topic that was "
    "given is not known; keys may be used by way of SNS, as far as their own policies allow",
}


def run_machine(
    scope: cdk.Stack, values: Values, function: str, undelivered: sqs.CfnQueue, chosen: Choices
) -> states.CfnStateMachine:
    """The machine of the run. `function`: its ARN; `undelivered`: the queue for what was not told."""
    return _machine(
        scope,
        "Machine",
        values.stack,
        run_definition(),
        {"Function": function, "Undelivered": undelivered.ref},
        [allow("Work", "lambda:InvokeFunction", function), *keeps(values, undelivered.attr_arn, chosen)],
        values,
        chosen,
    )


def scan_machine(
    scope: cdk.Stack, values: Values, undelivered: sqs.CfnQueue, chosen: Choices
) -> states.CfnStateMachine:
    """The machine that tells of the scan limit. `undelivered`: the queue for what was not told."""
    workgroup = cdk.Fn.sub(
        f"arn:${{AWS::Partition}}:athena:${{AWS::Region}}:${{AWS::AccountId}}:workgroup/{values.stack}"
    )
    return _machine(
        scope,
        "ScanMachine",
        f"{values.stack}-scan-limit",
        scan_definition(),
        {"Undelivered": undelivered.ref},
        [allow("Ask", "athena:GetQueryExecution", workgroup), *keeps(values, undelivered.attr_arn, chosen)],
        values,
        chosen,
    )


def _machine(
    scope: cdk.Stack,
    name: str,
    machine_name: str,
    definition: dict[str, Any],
    substitutions: dict[str, str],
    statements: list[dict[str, Any]],
    values: Values,
    chosen: Choices,
) -> states.CfnStateMachine:
    # This prefix keeps the resource policy of CloudWatch Logs from growing over its limit.
    group = log_group(scope, f"{name}Logs", f"/aws/vendedlogs/states/{machine_name}", values, chosen)
    taken = role(
        scope,
        f"{name}Role",
        Trust("states"),
        [*statements, *publishes(chosen), allow("LogDelivery", list(_DELIVERY), "*")],
        boundary=chosen.boundary,
    )
    excuse(taken, nag=_NAG_ROLE)
    made = states.CfnStateMachine(
        scope,
        name,
        state_machine_name=machine_name,
        state_machine_type="STANDARD",
        role_arn=taken.attr_arn,
        # As an object, which linters and change sets read. It has no null: neither CDK nor CloudFormation keeps one.
        definition=substituted(definition),
        definition_substitutions={
            "Stack": values.stack,
            "Topic": chosen.topic,
            **substitutions,
        },
        logging_configuration=_errors_to(group),
    )
    excuse(made, nag=_NAG_MACHINE)
    return made


def _errors_to(group: logs.CfnLogGroup) -> states.CfnStateMachine.LoggingConfigurationProperty:
    where = states.CfnStateMachine.CloudWatchLogsLogGroupProperty(log_group_arn=group.attr_arn)
    return states.CfnStateMachine.LoggingConfigurationProperty(
        level="ERROR",
        include_execution_data=True,
        destinations=[states.CfnStateMachine.LogDestinationProperty(cloud_watch_logs_log_group=where)],
    )


def scan_rule(
    scope: cdk.Stack, values: Values, machine: str, undelivered: str, chosen: Choices
) -> events.CfnRule:
    """What hears that a query in the workgroup was stopped or failed.

    Args:
        scope: the stack.
        values: of the configuration.
        machine: ARN of the one that tells of the scan limit.
        undelivered: ARN of the queue for what could not be begun.
        chosen: by configuration.
    """
    starter = role(
        scope,
        "ScanRuleRole",
        Trust("events"),
        [allow("Begin", "states:StartExecution", machine)],
        boundary=chosen.boundary,
    )
    target = events.CfnRule.TargetProperty(
        id="machine",
        arn=machine,
        role_arn=starter.attr_arn,
        retry_policy=events.CfnRule.RetryPolicyProperty(
            maximum_event_age_in_seconds=3600, maximum_retry_attempts=20
        ),
        dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered),
    )
    return events.CfnRule(
        scope,
        "ScanRule",
        name=f"{values.stack}-scan-limit",
        description="Queries of Athena that were stopped or failed",
        event_pattern={
            "source": ["aws.athena"],
            "detail-type": ["Athena Query State Change"],
            "detail": {"workgroupName": [values.stack], "currentState": ["CANCELLED", "FAILED"]},
        },
        targets=[target],
    )
