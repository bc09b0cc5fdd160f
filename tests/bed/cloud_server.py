"""The deployment services of an emulated AWS: ministack in a process of its own, whose clock can be set ahead.

    python cloud_server.py FOLDER

It runs in the environment of `requirements/cloud.txt`, writes its port to `FOLDER/port`, and answers what AWS answers;
below `/_bed/` it does what `bed.cloud` asks of it. What AWS does and ministack leaves out is added by `amendments.py`.
"""
# ruff: noqa: PLC0415 - the clocks are moved before anything of ministack is loaded

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

import amendments  # beside this file: here is no package
import clock

# --- what the bed asks for -----------------------------------------------------------------------------------------


def move(ahead: float) -> dict[str, Any]:
    """Set the clock ahead by that many seconds; what was due in between is missed."""
    from ministack.services import scheduler

    scheduler._tick_schedules()  # the first look at a schedule only notes the time
    clock.move(ahead)
    for each in scheduler._schedule_last_fired:
        scheduler._schedule_last_fired[each] = clock.now()
    return {"now": clock.now()}


def who(key: str) -> dict[str, Any]:
    """Whose key it is, with the policies of role or user as deployed; none for the account itself."""
    from ministack.core import iam_evaluator as iam
    from ministack.services import iam as store

    found = iam.resolve_credential(key, None)
    arn = getattr(found, "principal_arn", "")
    if not arn or arn.endswith(":root"):
        return {"arn": arn, "policies": None if arn else []}
    account = found.account_id
    if found.principal_type == "AssumedRole":
        entity = store._roles.get(arn.split("/")[1]) or {}
        documents = list((entity.get("InlinePolicies") or {}).values())
    else:
        entity = store._users.get(found.principal_name) or {}
        documents = list((store._user_inline_policies.get(found.principal_name) or {}).values())
    attached = entity.get("AttachedPolicies", [])
    documents += [iam._resolve_managed_policy_document(each, account) for each in attached]
    boundary = entity.get("PermissionsBoundary")
    limit = [iam._resolve_managed_policy_document(boundary, account)] if boundary else []
    return {
        "arn": arn,
        "policies": [_parsed(each) for each in documents],
        "limits": [_parsed(each) for each in limit],
    }


def _parsed(document: Any) -> Any:
    return json.loads(document) if isinstance(document, str) else document


def calls(since: int) -> dict[str, Any]:
    """Decisions about permissions."""
    return {"calls": amendments.calls[since:]}


def metric(namespace: str, name: str, value: float, dimensions: dict[str, str]) -> dict[str, Any]:
    """A metric that a service of AWS would put."""
    from ministack.services import cloudwatch

    cloudwatch.record_metric(namespace, name, value, "Count", dimensions)
    cloudwatch._evaluate_all_alarms()
    return {}


def event(entry: dict[str, Any]) -> dict[str, Any]:
    """An event that a service of AWS would put on the bus."""
    from ministack.services import eventbridge

    status, _, body = eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    return {"status": status, "body": body.decode()}


def query(run: str, workgroup: str, state: str, reason: str) -> dict[str, Any]:
    """A query of Athena that ended in some way."""
    from ministack.services import athena

    status = {
        "State": state,
        "StateChangeReason": reason,
        "SubmissionDateTime": clock.now(),
        "CompletionDateTime": clock.now(),
    }
    athena._executions[run] = {
        "QueryExecutionId": run, "Query": "SELECT 1", "StatementType": "DML", "WorkGroup": workgroup, "Status": status,
        "Statistics": {"DataScannedInBytes": 1}, "ResultConfiguration": {}, "QueryExecutionContext": {},
    }  # fmt: skip
    return {}


VERBS = {each.__name__: each for each in (move, who, calls, metric, event, query)}


async def _control(scope: dict[str, Any], receive: Any, send: Any) -> None:
    from ministack.core.responses import set_request_account_id, set_request_region

    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break

    def act() -> tuple[int, dict[str, Any]]:
        set_request_account_id(os.environ["MINISTACK_ACCOUNT_ID"])
        set_request_region(os.environ["MINISTACK_REGION"])
        try:
            return 200, VERBS[scope["path"].rpartition("/")[2]](**json.loads(body or b"{}"))
        except Exception:  # noqa: BLE001 - whoever asked is told
            return 500, {"error": traceback.format_exc()}

    status, answer = await asyncio.to_thread(act)
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer, default=str).encode()})


def main() -> None:
    """Serve until the process is ended."""
    folder = Path(sys.argv[1])
    clock.install()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app as ministack

    amendments.amend(folder)

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/_bed/"):
            await _control(scope, receive, send)
        else:
            await ministack.app(scope, receive, send)

    config = Config()
    config.bind = [f"fd://{listening.fileno()}"]
    config.keep_alive_timeout = 600
    config.loglevel = "WARNING"
    (folder / "port.new").write_text(str(listening.getsockname()[1]))
    (folder / "port.new").rename(folder / "port")
    asyncio.run(serve(app, config))


if __name__ == "__main__":
    main()
