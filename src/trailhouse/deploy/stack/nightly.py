"""The one stack of the nightly run; both `cdk deploy` and `deploy/template.json` come from here.

Heavy: it starts the CDK's own process. Nothing but `app` and the tool that writes the template imports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from trailhouse.deploy.stack import alarms, output
from trailhouse.deploy.stack.function import first_run, run_function
from trailhouse.deploy.stack.machines import run_machine, scan_machine, scan_rule
from trailhouse.deploy.stack.parts import choices
from trailhouse.deploy.stack.schedule import schedule, undelivered_queue

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct

    from trailhouse.deploy.template import Code
    from trailhouse.deploy.values import Values


class NightlyStack(cdk.Stack):
    """Everything that runs every night, and what tells when it does not."""

    def __init__(
        self,
        scope: Construct,
        values: Values,
        code: Code | Callable[[cdk.Stack], Code],
        *,
        stack_name: str | None = None,
        env: cdk.Environment | None = None,
        synthesizer: cdk.IStackSynthesizer | None = None,
        termination_protection: bool = False,
    ) -> None:
        """Build it.

        Args:
            scope: the app.
            values: of the configuration, or the symbols that stand for them.
            code: where the function's package lies, or what puts it there, given the stack.
            stack_name: where it is not that of the values.
            env: account and region, where they are decided; else those that it is deployed with.
            synthesizer: how it gets to CloudFormation, where not as usual.
            termination_protection: CloudFormation refuses to delete it.
        """
        super().__init__(
            scope,
            "trailhouse",
            stack_name=stack_name or values.stack,
            description=f"trailhouse {values.version}: CloudTrail's logs as tables of Athena, every night",
            tags=dict(values.tags),
            env=env,
            synthesizer=synthesizer,
            termination_protection=termination_protection,
            analytics_reporting=False,
        )
        self._build(values, code(self) if callable(code) else code)

    def _build(self, values: Values, code: Code) -> None:
        chosen = choices(self, values)
        alarms.topic(self, values, chosen)
        output.bucket(self, values, chosen)
        workgroup = output.workgroup(self, values, chosen)
        function = run_function(self, values, code, chosen)
        queue = undelivered_queue(self, values, chosen)
        machine = run_machine(self, values, function.attr_arn, queue, chosen)
        schedule(self, values, machine.ref, queue.attr_arn, chosen)
        scan = scan_machine(self, values, queue, chosen)
        scan_rule(self, values, scan.ref, queue.attr_arn, chosen)
        alarms.no_success_alarm(self, values, chosen)
        alarms.undelivered_alarm(self, values, queue.attr_queue_name, chosen)
        first_run(self, values, machine.ref, chosen)
        results = {
            "StateMachine": (machine.ref, "Runs: one execution each"),
            "Function": (function.ref, "Does the pieces of a run"),
            "RunnerRole": (cdk.Fn.get_att("FunctionRole", "Arn").to_string(), "Who the runs are, in AWS"),
            "Topic": (chosen.topic, "Hears of failures, silence and the scan limit"),
            "OutputBucket": (chosen.bucket, "Results of Athena and records of runs"),
            "Workgroup": (workgroup.ref, "Of Athena, for questions"),
            "Version": (values.version, "Of trailhouse"),
            "Config": (values.config, "SHA-256 of the settings of the run"),
        }
        for name, (value, meaning) in results.items():
            cdk.CfnOutput(self, name + "Output", value=value, description=meaning).override_logical_id(name)
