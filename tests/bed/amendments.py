"""What AWS does and ministack leaves out, put into its modules."""
# ruff: noqa: PLC0415 - the clocks are moved before anything of ministack is loaded

from __future__ import annotations

import contextvars
import json
import stat
import sys
from datetime import UTC
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import clock  # beside this file: here is no package

if TYPE_CHECKING:
    from pathlib import Path

SWEEP = 0.2  # seconds between looks at the schedules; ministack's own are 10
# A Python as Lambda's: the standard library and what is uploaded, nothing of an environment, nothing of a checkout.
# Who brings no boto3 gets the runtime's.
PYTHON = """#!/bin/sh
[ -d boto3 ] && exec "{python}" -I -S -B "$@"
PYTHONPATH="{folder}/runtime" exec "{python}" -S -s -B "$@"
"""


calls: list[dict[str, Any]] = []
_role: contextvars.ContextVar[str] = contextvars.ContextVar("role", default="")


def amend(folder: Path) -> None:
    """Add what AWS does and ministack does not.

    - Python functions run on an interpreter without site packages.
    - Scheduler, rules and Step Functions act with their roles: trust and permissions are looked at.
    - Scheduler puts its own attributes into the input, and what it cannot deliver into the dead-letter queue.
    - A function whose reserved concurrency is used up is told to Step Functions by AWS's name for it.
    - Every decision about a permission is written down.
    - What a change set takes over is not said to be in the way of itself.
    - The age of a signature is not looked at, since only this process has another clock.
    - Policies that ask for TLS take it as given; those that name a metric's namespace are told it.
    """
    from ministack import app
    from ministack.core import iam_actions, iam_evaluator, sigv4
    from ministack.services import eventbridge, scheduler, stepfunctions

    _own_python(folder)
    _take_over()
    iam_evaluator._request_origin = contextvars.ContextVar("origin", default=("127.0.0.1", True))
    app.pin_request_origin = lambda source, _secure: iam_evaluator._request_origin.set((source, True))
    scheduler._SCHEDULE_TICK_INTERVAL = SWEEP
    sigv4.request_time_failure = lambda *_, **__: None
    sigv4.presigned_request_is_expired = lambda *_, **__: False

    tags = iam_actions.request_tag_context

    def context(service: str, action: str, body: bytes, params: Any) -> dict[str, Any]:
        found: dict[str, Any] = tags(service, action, body, params)
        return found | (
            {"cloudwatch:namespace": _namespace(body)} if action == "cloudwatch:PutMetricData" else {}
        )

    iam_actions.request_tag_context = context
    enforce, invoke = iam_evaluator.enforce, eventbridge._invoke_target
    task, resource = stepfunctions._execute_task, stepfunctions._invoke_resource
    function = stepfunctions._call_lambda

    def enforced(key: str, action: str, service: str, region: str, **more: Any) -> Any:
        found = enforce(key, action, service, region, **more)
        who = iam_evaluator.resolve_credential(key or "", None)
        _note(getattr(who, "principal_arn", ""), action, more.get("resource_arn", "*"), allowed=found is None)
        return found

    def delivered(
        target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None
    ) -> None:
        _deliver(invoke, target, event, rule, view)

    def tasked(state: Any, given: Any, execution: Any, ctx: Any) -> Any:
        _role.set(stepfunctions._state_machines[execution["stateMachineArn"]]["roleArn"])
        return task(state, given, execution, ctx)

    def called(name: str, given: dict[str, Any]) -> Any:
        refused = _refused(_role.get(), "states.amazonaws.com", *_need(name, given)) if _role.get() else ""
        if refused:
            code = {"lambda": "Lambda.AWSLambdaException", "sns": "SNS.AuthorizationErrorException"}
            kind = next((each for each in code if f":{each}:" in name), "")
            raise stepfunctions._ExecutionError(code.get(kind, "States.Runtime"), refused)
        return resource(name, given)

    def run(reference: str, given: Any) -> Any:
        try:
            return function(reference, given)
        except stepfunctions._ExecutionError as error:
            if "ReservedFunctionConcurrentInvocationLimitExceeded" in error.cause:
                raise stepfunctions._ExecutionError("Lambda.TooManyRequestsException", error.cause) from error
            raise

    stepfunctions._call_lambda = run
    iam_evaluator.enforce, eventbridge._invoke_target = enforced, delivered
    stepfunctions._execute_task, stepfunctions._invoke_resource = tasked, called


def _own_python(folder: Path) -> None:
    from ministack.core import lambda_runtime

    python = folder / "python"
    python.write_text(PYTHON.format(python=sys.executable, folder=folder))
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    detect = lambda_runtime._detect_runtime_binary

    def runtime(name: str) -> tuple[str, str]:
        _, script = detect(name)
        return str(python), script

    lambda_runtime._detect_runtime_binary = runtime


def _take_over() -> None:
    from ministack.services.cloudformation import _stacks, changesets

    deploy = changesets._deploy_stack_async

    def deployed(name: str, *given: Any, **more: Any) -> Any:
        if more.get("imports"):
            _stacks[name]["_disable_validation"] = True
        return deploy(name, *given, **more)

    changesets._deploy_stack_async = deployed


def _namespace(body: bytes) -> str:
    """Of metrics, in any of the protocols that boto3 may choose."""
    import cbor2

    if body[:1] == b"{":
        return str(json.loads(body).get("Namespace", ""))
    if b"Action=" in body:
        return parse_qs(body.decode()).get("Namespace", [""])[0]
    return str(cbor2.loads(body).get("Namespace", ""))


def _note(arn: str, action: str, resource: str, *, allowed: bool) -> None:
    calls.append({"principal": arn, "action": action, "resource": resource, "allowed": allowed})


def _need(name: str, given: dict[str, Any]) -> tuple[str, str]:
    """Action and resource that a task of Step Functions needs."""
    if "lambda:invoke" in name:
        named = given["FunctionName"]
        return "lambda:InvokeFunction", named if named.startswith("arn:") else _arn(
            "lambda", f"function:{named}"
        )
    if "sns:publish" in name:
        return "sns:Publish", given["TopicArn"]
    if "sqs:sendMessage" in name:
        return "sqs:SendMessage", _arn("sqs", given["QueueUrl"].rpartition("/")[2])
    if "aws-sdk:athena:getQueryExecution" in name:
        from ministack.services import athena

        found = athena._executions.get(given.get("QueryExecutionId", "")) or {}
        return "athena:GetQueryExecution", _arn("athena", f"workgroup/{found.get('WorkGroup', 'primary')}")
    service, action = name.removesuffix(".sync").split(":")[-2:]
    return f"{service}:{action[:1].upper()}{action[1:]}", "*"


def _arn(service: str, rest: str) -> str:
    from ministack.core.responses import get_account_id, get_region

    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{rest}"


def _refused(role: str, service: str, action: str, resource: str, source: str = "") -> str:
    """Why a role that a service takes may not do something; empty if it may."""
    from ministack.core import iam_evaluator as iam
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import iam as store

    account, name = get_account_id(), role.rpartition("/")[2]
    known = store._roles.get(name)
    arn = f"arn:aws:sts::{account}:assumed-role/{name}/{service.partition('.')[0]}"
    context = {"aws:sourceaccount": account} | ({"aws:sourcearn": source} if source else {})
    ctx = iam.EvalContext(
        arn, "AssumedRole", account, action, resource, get_region(), service_context=context
    )
    trusted = known and _trusts(known["AssumeRolePolicyDocument"], service, ctx)
    policies, limits = (
        iam._gather_role_policies(name, account),
        iam._permissions_boundary(store._roles, name, account),
    )
    allowed = bool(trusted) and iam.evaluate(ctx, policies, *limits).decision == "Allow"
    _note(arn, action, resource, allowed=allowed)
    if not trusted:
        return f"the role {role} does not exist or does not trust {service}"
    return "" if allowed else f"User: {arn} is not authorized to perform: {action} on resource: {resource}"


def _trusts(document: Any, service: str, ctx: Any) -> bool:
    from ministack.core import iam_evaluator as iam

    found = json.loads(document) if isinstance(document, str) else document
    statements = found["Statement"] if isinstance(found["Statement"], list) else [found["Statement"]]
    for each in statements:
        named = each.get("Principal", {}).get("Service", [])
        named = [named] if isinstance(named, str) else named
        if (
            each["Effect"] == "Allow"
            and service in named
            and iam._conditions_met(each.get("Condition", {}), ctx)
        ):
            return True
    return False


def _deliver(
    invoke: Any, target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any
) -> None:
    """A target of a rule or a schedule; only Step Functions take a role here."""
    from ministack.services import stepfunctions

    arn = target.get("Arn", "")
    scheduled = event.get("Source") == "aws.scheduler" and "ScheduleExpression" in rule
    if scheduled:
        target = {**target, "Input": _filled(target.get("Input", "{}"), event, rule)}
    failure = ("", "")
    if ":states:" in arn:
        service = "scheduler.amazonaws.com" if scheduled else "events.amazonaws.com"
        source = rule["Arn"].replace(f"/{rule['Name']}", "") if scheduled else rule.get("Arn", "")
        source = source.replace(":schedule/", ":schedule-group/") if scheduled else source
        refused = _refused(target.get("RoleArn", ""), service, "states:StartExecution", arn, source)
        if refused:
            failure = ("AccessDeniedException", refused)
        elif arn not in stepfunctions._state_machines:
            failure = ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
    if failure[0]:
        _bury(target, rule, *failure)
    else:
        invoke(target, event, rule, view)


def _filled(text: str, event: dict[str, Any], rule: dict[str, Any]) -> str:
    """Scheduler's own attributes in an input."""
    known = {
        "schedule-arn": rule["Arn"], "execution-id": event["EventId"], "attempt-number": "1",
        "scheduled-time": clock.Moved.fromtimestamp(event["Time"], UTC).strftime("%Y-%m-%dT%H:%M:00Z"),
    }  # fmt: skip
    for name, value in known.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _bury(target: dict[str, Any], rule: dict[str, Any], code: str, why: str) -> None:
    """What cannot be delivered goes to the dead-letter queue, if the role may; retries are not played."""
    from ministack.services import sqs

    queue = (target.get("DeadLetterConfig") or {}).get("Arn", "")
    if not queue or _refused(target["RoleArn"], "scheduler.amazonaws.com", "sqs:SendMessage", queue):
        return
    told = {"ERROR_CODE": code, "ERROR_MESSAGE": why, "SCHEDULE_ARN": rule["Arn"], "TARGET_ARN": target["Arn"],
            "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts"}  # fmt: skip
    url = f"http://127.0.0.1/{queue.split(':')[4]}/{queue.split(':')[5]}"
    body = json.dumps({"StateMachineArn": target["Arn"], "Input": target["Input"]})
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
    sqs._act_send_message({"QueueUrl": url, "MessageBody": body, "MessageAttributes": attributes}, url)
