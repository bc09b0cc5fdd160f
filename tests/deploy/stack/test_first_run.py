"""The inline function: it begins a run, once, and CloudFormation always gets its answer."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from trailhouse.deploy.stack import first_run

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTEXT = SimpleNamespace(log_stream_name="2026/11/22/[$LATEST]abc")
INLINE_LIMIT = 4_096  # the limit for years, which older tools still check


class Waiting:
    """CloudFormation, waiting for answers."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        waiting = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                waiting.answers.append(json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/answer"

    def event(self, kind: str, machine: str, request: str) -> dict[str, Any]:
        return {
            "RequestType": kind,
            "RequestId": request,
            "ResponseURL": self.url,
            "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/trailhouse/1",
            "LogicalResourceId": "FirstRun",
            "ResourceProperties": {"Machine": machine},
        }


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    found = Waiting()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@pytest.mark.emulator
@pytest.mark.usefixtures("keys")
def test_a_deployment_begins_one_run(
    waiting: Waiting, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    client = boto3.client("stepfunctions")
    machine = client.create_state_machine(
        name="trailhouse",
        definition=json.dumps({"StartAt": "a", "States": {"a": {"Type": "Succeed"}}}),
        roleArn="arn:aws:iam::123456789012:role/r",
    )["stateMachineArn"]

    def begun() -> list[str]:
        found = client.list_executions(stateMachineArn=machine)["executions"]
        return sorted(each["name"] for each in found)

    first_run.handler(waiting.event("Create", machine, "1"), CONTEXT)
    assert begun() == ["deployment-1"]
    (execution,) = client.list_executions(stateMachineArn=machine)["executions"]
    given = client.describe_execution(executionArn=execution["executionArn"])["input"]
    assert json.loads(given) == {"reason": "deployment"}

    # Lambda may be asked twice for the same deployment.
    first_run.handler(waiting.event("Create", machine, "1"), CONTEXT)
    assert begun() == ["deployment-1"]
    first_run.handler(waiting.event("Update", machine, "2"), CONTEXT)
    assert begun() == ["deployment-1", "deployment-2"]
    first_run.handler(waiting.event("Delete", machine, "3"), CONTEXT)
    assert begun() == ["deployment-1", "deployment-2"]

    assert [each["Status"] for each in waiting.answers] == ["SUCCESS"] * 4
    # Another physical id would make CloudFormation delete the old one after an update.
    assert len({each["PhysicalResourceId"] for each in waiting.answers}) == 1
    assert waiting.answers[1]["Reason"].startswith("deployment-1 has begun")


@pytest.mark.emulator
@pytest.mark.usefixtures("keys")
def test_a_run_that_cannot_begin_fails_the_deployment_and_says_why(
    waiting: Waiting, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:gone"
    first_run.handler(waiting.event("Create", machine, "1"), CONTEXT)
    (answer,) = waiting.answers
    assert answer["Status"] == "FAILED"
    assert re.match("the first run could not be begun: .*StateMachineDoesNotExist", answer["Reason"])
    assert CONTEXT.log_stream_name in answer["Reason"]


def test_it_fits_inline() -> None:
    assert len(Path(first_run.__file__).read_bytes()) < INLINE_LIMIT
