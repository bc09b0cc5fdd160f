"""An account on the bed with logs in it, and the state machine's loop around the handler."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from catalog.layouts import Layout, Log
from trailhouse.core.record import Record, from_json
from trailhouse.nightly import handler
from trailhouse.nightly.run import Clock
from trailhouse.nightly.settings import NightlySettings, NightlySource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bed.aws import Aws

TODAY = date(2026, 3, 2)
OUTPUT, STACK, DATABASE = "output", "trailhouse", "security"
ARN = "arn:aws:states:us-east-1:123456789012:execution:trailhouse"
PLENTY = 900.0
MOST_PIECES = 50

Answer = dict[str, Any]


class Killed(BaseException):
    """The function is gone: out of time or memory."""


def allowance(parts: int) -> Callable[[], float]:
    """A clock that has time for so many accounts, and then for none."""
    asked = iter([PLENTY] * (parts - 1))
    return lambda: next(asked, 0.0)


@dataclass
class Stage:
    """An account with logs, a bucket for output and a configuration."""

    aws: Aws
    folder: Path
    settings: NightlySettings = field(
        default_factory=lambda: NightlySettings(
            (NightlySource("s3://logs"),), DATABASE, tables="single", region="us-east-1"
        )
    )
    told: list[tuple[str, str]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.aws.glue.heal()
        for log in (self.aws.s3.log, self.aws.other):
            log.clear()
        self.aws.buckets.all.clear()
        glue = self.aws.client("glue")
        for found in glue.get_databases()["DatabaseList"]:
            glue.delete_database(Name=found["Name"])
        self.aws.bucket("logs")
        self.aws.bucket(OUTPUT)
        self.aws.glue.counts.clear()

    def deliver(self, logs: Sequence[Log] | Layout) -> None:
        """Put logs into the bucket."""
        found = logs.logs if isinstance(logs, Layout) else logs
        self.aws.buckets.all["logs"].put_all((log.key, b"{}") for log in found)

    def environment(self) -> dict[str, str]:
        path = self.folder / "config.json"
        path.write_text(self.settings.to_json())
        return {
            "TRAILHOUSE_CONFIG": str(path),
            "TRAILHOUSE_OUTPUT": OUTPUT,
            "TRAILHOUSE_STACK": STACK,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        }

    def call(self, event: dict[str, Any], remaining: Callable[[], float] | None = None) -> Answer:
        """One invocation."""
        clock = Clock(
            now=lambda: datetime.fromisoformat(event["started"]) + timedelta(minutes=1),
            elapsed=lambda: 2.0,
            remaining=remaining or (lambda: PLENTY),
        )
        found = handler.answer(event, self.environment(), clock).as_json()
        self.answers.append(found)
        return found

    def run(
        self,
        day: date = TODAY,
        name: str = "",
        *,
        remaining: Callable[[int], Callable[[], float]] | None = None,
        reason: str = "schedule",
    ) -> Answer:
        """A whole execution, driven as the state machine does it: its loop, its message, its way out of a crash.

        Args:
            day: of the run.
            name: the execution's.
            remaining: for each piece, its clock.
            reason: of the run.
        """
        event = event_of(day, name or f"night-{day}", reason=reason)
        answer: Answer = {"outcome": "more", "cursor": None, "piece": 1}
        while answer["outcome"] == "more":
            assert answer["piece"] <= MOST_PIECES
            event |= {"piece": answer["piece"], "cursor": answer["cursor"]}
            try:
                answer = self.call(event, remaining(answer["piece"]) if remaining else None)
            except Killed:
                cause = '{"errorMessage": "Task timed out after 900.00 seconds", "stackTrace": ["secret.py"]}'
                answer = self.call(event | {"task": "explain", "error": "Sandbox.Timedout", "cause": cause})
        if answer["message"]:
            self.told.append((answer["subject"], answer["message"]))
        return answer

    def nights(self, first: date, last: date) -> Iterator[date]:
        """Days on which the run is made, each after it."""
        day = first
        while day <= last:
            self.run(day)
            yield day
            day += timedelta(days=1)

    def records(self) -> list[Record]:
        """The records that are kept, oldest first."""
        s3 = self.aws.client("s3")
        keys = [one["Key"] for one in s3.list_objects_v2(Bucket=OUTPUT).get("Contents", ())]
        return [from_json(s3.get_object(Bucket=OUTPUT, Key=key)["Body"].read(), key) for key in sorted(keys)]

    def metrics(self) -> int:
        """How often a success was counted."""
        return sum(count for name, count in self.aws.other.counts.items() if name.startswith("monitoring."))


def event_of(day: date, name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - members of JSON
    """What the state machine asks first."""
    started = datetime(day.year, day.month, day.day, 6, 0, 7, 123_000, tzinfo=UTC)
    return {
        "task": "piece",
        "run": name,
        "execution": f"{ARN}:{name}",
        "started": started.isoformat().replace("+00:00", "Z"),
        "reason": "schedule",
        "piece": 1,
        "cursor": None,
    } | more
