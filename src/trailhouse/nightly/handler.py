"""The door that Lambda calls: clock and environment come in here, and every error of ours becomes an answer."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import trailhouse
from trailhouse.core.problem import News, tell
from trailhouse.errors import TrailhouseError, UsageError
from trailhouse.nightly import findings, settings, task
from trailhouse.nightly.deployment import Deployment
from trailhouse.nightly.run import Clock, Run
from trailhouse.nightly.task import Answer, Asked

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG = "config.json"
"""Name of the settings' file, beside the package."""
_SECOND = 1_000


class Context(Protocol):
    """What of Lambda's context is used."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation is cut off."""
        ...


def handle(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Answer the state machine.

    Args:
        event: see `task.read`.
        context: Lambda's.

    Raises:
        UsageError: the event is no task.
    """
    began = time.monotonic()
    clock = Clock(
        now=lambda: datetime.now(UTC),  # noqa: TID251 - the clock enters here
        elapsed=lambda: time.monotonic() - began,
        remaining=lambda: context.get_remaining_time_in_millis() / _SECOND,
    )
    return answer(event, os.environ, clock).as_json()  # noqa: TID251 - the environment enters here


def answer(event: Mapping[str, Any], environment: Mapping[str, str], clock: Clock) -> Answer:
    """The same with clock and environment given."""
    asked = task.read(event)
    try:
        run = Run(open_deployment(environment), asked, clock)
    except TrailhouseError as error:
        return _closed_door(asked, error, environment.get("TRAILHOUSE_STACK", "trailhouse"))
    if asked.asked is Asked.TEST_ALARM:
        return run.test_alarm()
    return run.explain() if asked.asked is Asked.EXPLAIN else run.piece()


def open_deployment(environment: Mapping[str, str]) -> Deployment:
    """The deployment that the environment describes; makes no call.

    Args:
        environment: TRAILHOUSE_OUTPUT, the bucket; TRAILHOUSE_STACK; TRAILHOUSE_CONFIG, the settings' file where it
            is not beside the package; AWS_LAMBDA_FUNCTION_MEMORY_SIZE.

    Raises:
        ConfigError: the settings cannot be read.
        UsageError: something is missing.
    """
    beside = Path(trailhouse.__file__).resolve().parents[1] / CONFIG
    path = Path(environment.get("TRAILHOUSE_CONFIG") or beside)
    bucket = environment.get("TRAILHOUSE_OUTPUT")
    if not bucket:
        raise UsageError("TRAILHOUSE_OUTPUT names no bucket: deploy again")
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): deploy again") from error
    return Deployment(
        settings.from_json(text, path.name),
        environment.get("TRAILHOUSE_STACK") or "trailhouse",
        bucket,
        int(environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE") or 512),
    )


def _closed_door(asked: task.Task, error: TrailhouseError, stack: str) -> Answer:
    """The answer where nothing can be opened."""
    news = News((findings.failed(error, asked.started),), ())
    about = ", ".join(filter(None, (stack, asked.account, asked.region)))
    told = tell(news, about, f"Nightly run {asked.run} of stack {stack}: failed")
    return Answer("failed", None, asked.piece + 1, "", told.subject, told.message)
