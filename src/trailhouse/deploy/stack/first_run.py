"""The smallest function of the stack, inline in the template: a deployment begins a run at once.

CloudFormation calls it when the stack is made, and when the settings of the run or the version changed; it begins
an execution and answers without waiting for it. When the stack goes, it answers only.
"""

import json
import urllib.request
from typing import Any

import boto3


def handler(event: dict[str, Any], context: Any) -> None:  # noqa: ANN401 - Lambda's, which ships no type
    """Begin a run, and answer CloudFormation; never an exception, for it would wait an hour for an answer."""
    try:
        reason = "nothing to do" if event["RequestType"] == "Delete" else _begin(event)
        status = "SUCCESS"
    except Exception as error:  # noqa: BLE001 - CloudFormation has to hear of it, whatever it is
        status, reason = "FAILED", f"the first run could not be begun: {error}"
    _answer(event, status, f"{reason} (log stream {context.log_stream_name})")


def _begin(event: dict[str, Any]) -> str:
    """Begin the execution; asked again for the same deployment, there is still one."""
    client = boto3.client("stepfunctions")
    name = f"deployment-{event['RequestId']}"
    machine = event["ResourceProperties"]["Machine"]
    try:
        client.start_execution(stateMachineArn=machine, name=name, input='{"reason": "deployment"}')
    except client.exceptions.ExecutionAlreadyExists:
        return f"{name} has begun already"
    return f"{name} has begun"


def _answer(event: dict[str, Any], status: str, reason: str) -> None:
    """Put the answer where CloudFormation waits for it."""
    body = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": f"first-run-{event['StackId']}",
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }
    request = urllib.request.Request(  # noqa: S310 - the address is CloudFormation's own
        event["ResponseURL"], json.dumps(body).encode(), {"content-type": ""}, method="PUT"
    )
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - as above
        pass
