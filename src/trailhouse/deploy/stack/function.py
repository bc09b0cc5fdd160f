"""The function that does a piece of a run, and the one that begins a run with each deployment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from trailhouse.deploy.stack.machine import PIECE_SECONDS
from trailhouse.deploy.stack.parts import Choices, Trust, allow, excuse, log_group, role, writes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_logs as logs

    from trailhouse.deploy.template import Code
    from trailhouse.deploy.values import Values

RUNTIME = "python3.13"
HANDLER = "trailhouse.nightly.handler.handle"
VARIABLES = ("TRAILHOUSE_STACK", "TRAILHOUSE_OUTPUT")
"""What the function is told by its environment: the name of its stack, the bucket for output."""

_EXCUSED = {
    "CKV_AWS_117": "it calls services of AWS only, and has no business in a VPC",
    "CKV_AWS_116": "it is called by Step Functions or CloudFormation, which see each failure themselves",
}
_FIXED_RUNTIME = {"AwsSolutions-L1": "one runtime, that the package was tested on"}


def run_function(scope: cdk.Stack, values: Values, code: Code, chosen: Choices) -> lambda_.CfnFunction:
    """The function, its role with the permissions of a run, and its logs."""
    group = log_group(scope, "FunctionLogs", f"/aws/lambda/{values.stack}", values, chosen)
    runner = _runner_role(scope, values, group, chosen)
    made = lambda_.CfnFunction(
        scope,
        "Function",
        function_name=values.stack,
        description=f"trailhouse {values.version}: one piece of a run",
        runtime=RUNTIME,
        handler=HANDLER,
        architectures=[values.architecture],
        memory_size=cdk.Token.as_number(values.memory_mb),
        timeout=PIECE_SECONDS,
        # Two runs at once do no harm, and cost twice.
        reserved_concurrent_executions=1,
        role=runner.attr_arn,
        code=lambda_.CfnFunction.CodeProperty(s3_bucket=code.bucket, s3_key=code.key),
        kms_key_arn=chosen.stack_key,
        environment=lambda_.CfnFunction.EnvironmentProperty(
            variables=dict(zip(VARIABLES, (values.stack, chosen.bucket), strict=True))
        ),
        logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_group=group.ref),
    )
    excuse(
        made,
        checkov={
            **_EXCUSED,
            "CKV_AWS_173": "the variables are two names, and Lambda encrypts them; stack_key may do it instead",
        },
        nag=_FIXED_RUNTIME,
    )
    return made


def _runner_role(scope: cdk.Stack, values: Values, group: logs.CfnLogGroup, chosen: Choices) -> iam.CfnRole:
    made = role(
        scope,
        "FunctionRole",
        Trust("lambda", of_account=False),
        [*values.runner_statements, writes(group)],
        boundary=chosen.boundary,
        # A name that is known beforehand, for policies of buckets and keys in other accounts.
        role_name=cdk.Fn.sub(f"{values.stack}-runner-${{AWS::Region}}"),
    )
    excuse(made, nag=wildcards(values.runner_statements))
    return made


def wildcards(statements: Iterable[Any]) -> dict[str, str]:
    """Why `*` stands in the permissions of a run, by the finding of cdk-nag."""
    resources = [each for one in statements if isinstance(one, dict) for each in one["Resource"]]
    texts = [each["Fn::Sub"] if isinstance(each, dict) else each for each in resources]
    named = [text.replace("${", "<").replace("}", ">") for text in texts if "*" in text]
    return {f"AwsSolutions-IAM5[Resource::{each}]": _WILDCARD for each in named}


_WILDCARD = (
    "each permission is one that a call needs, and `trailhouse policy runner --format table` says which; "
    "* is what has no ARN, the objects below a folder, or the tables of a prefix"
)


def first_run(scope: cdk.Stack, values: Values, machine: str, chosen: Choices) -> cdk.CfnCustomResource:
    """What begins a run when the stack is made or changed. `machine`: ARN of the state machine.

    All that a run needs is there before it: the machine names the function, and that its role, logs and bucket.
    """
    group = log_group(scope, "FirstRunLogs", f"/aws/lambda/{values.stack}-first-run", values, chosen)
    starter = role(
        scope,
        "FirstRunRole",
        Trust("lambda", of_account=False),
        [allow("Begin", "states:StartExecution", machine), writes(group)],
        boundary=chosen.boundary,
    )
    function = lambda_.CfnFunction(
        scope,
        "FirstRunFunction",
        function_name=f"{values.stack}-first-run",
        description="Begins a run of trailhouse when its stack is deployed",
        runtime=RUNTIME,
        handler="index.handler",
        architectures=[values.architecture],
        memory_size=256,
        timeout=60,
        role=starter.attr_arn,
        code=lambda_.CfnFunction.CodeProperty(
            zip_file=Path(__file__).with_name("first_run.py").read_text("utf-8")
        ),
        logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_group=group.ref),
    )
    excuse(
        function,
        checkov={**_EXCUSED, "CKV_AWS_115": "it runs once a deployment"},
        nag=_FIXED_RUNTIME,
    )
    made = cdk.CfnCustomResource(scope, "FirstRun", service_token=function.attr_arn, service_timeout=120)
    # Another value of one of these is what CloudFormation calls an update.
    for name, value in {"Machine": machine, "Config": values.config, "Version": values.version}.items():
        made.add_property_override(name, value)
    return made
