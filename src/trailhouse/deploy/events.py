"""What CloudFormation is doing: a stack's events as they come, and the first cause of a failure."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from trailhouse.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from trailhouse.aws.gate import Gate

ASK = "DescribeEvents"
"""How CloudFormation says that it would say more: what is wrong before anything is made."""

_STACK = "AWS::CloudFormation::Stack"
_RUNNING = "_IN_PROGRESS"
_SHORTEST, _LONGEST = 0.25, 3.0
_CANCELLED = re.compile(r"(?i)\bcancell?ed\b")
_TOKEN = re.compile(r"\s*\(RequestToken: [^)]*\)\s*$")


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stack.

    Attributes:
        id: CloudFormation's.
        at: when, UTC.
        name: of the resource in the template.
        kind: its type, such as `AWS::Lambda::Function`.
        physical: its name or ARN, "" before there is one.
        status: such as `CREATE_FAILED`.
        reason: why, or "".
    """

    id: str
    at: datetime
    name: str
    kind: str
    physical: str
    status: str
    reason: str

    @property
    def failed(self) -> bool:
        """Whether something went wrong here, and not only in its wake."""
        return self.status.endswith("_FAILED") and not _CANCELLED.search(self.reason)

    def __str__(self) -> str:
        why = f": {self.reason}" if self.reason else ""
        return f"{self.at:%H:%M:%S} {self.status:<20} {self.name} ({self.kind}){why}"


def event_of(found: Mapping[str, Any]) -> Event:
    """An event from CloudFormation's answer."""
    return Event(
        found["EventId"], found["Timestamp"].astimezone(UTC), found.get("LogicalResourceId", ""),
        found.get("ResourceType", ""), found.get("PhysicalResourceId", ""), found["ResourceStatus"],
        _TOKEN.sub("", found.get("ResourceStatusReason", "")).strip(),
    )  # fmt: skip


def cause(events: Iterable[Event]) -> Event | None:
    """What failed first and not in the wake of something else.

    Args:
        events: of one operation, oldest first.
    """
    failed = sorted((event for event in events if event.failed), key=lambda event: event.kind == _STACK)
    return next(iter(failed), None)


def validations(gate: Gate, **where: str) -> list[str]:
    """What CloudFormation found wrong before it made anything; nothing where it cannot be asked.

    Args:
        gate: calls leave through it.
        **where: `StackName` or `ChangeSetName`.
    """
    try:
        pages = list(gate.pages("cloudformation", "DescribeEvents", **where))
    except AwsError:  # what is told of the failure does without
        return []
    return [
        f"{each.get('LogicalResourceId')} ({each.get('ResourceType')}): {each.get('ValidationStatusReason')}"
        for page in pages
        for each in page["OperationEvents"]
        if each.get("ValidationStatus") == "FAILED"
    ]


def ends(event: Event, stack_id: str) -> bool:
    """Whether an event says that the operation on the stack is over."""
    whole = event.kind == _STACK and event.physical == stack_id
    return whole and not event.status.endswith(_RUNNING)


def newest(gate: Gate, stack: str) -> str:
    """Id of the last event of a stack, "" where there is none. Raises AwsError."""
    pages = gate.pages("cloudformation", "DescribeStackEvents", StackName=stack)
    return next((each["EventId"] for page in pages for each in page["StackEvents"]), "")


def follow(
    gate: Gate,
    stack_id: str,
    after: str,
    say: Callable[[Event], object],
    wait: Callable[[float], None] = time.sleep,
) -> tuple[Event, ...]:
    """Follow an operation to its end; its events, oldest first.

    Args:
        gate: calls leave through it.
        stack_id: ARN of the stack, under which it is found also when it is deleted.
        after: id of the last event before the operation began.
        say: hears of each event.
        wait: sleeps that many seconds.

    Raises:
        AwsError: the events cannot be read.
    """
    seen: list[Event] = []
    pause = _SHORTEST
    while True:
        for event in since(gate, stack_id, seen[-1].id if seen else after):
            seen.append(event)
            say(event)
        if seen and ends(seen[-1], stack_id):
            return tuple(seen)
        wait(pause)
        pause = min(pause * 1.2, _LONGEST)


def since(gate: Gate, stack_id: str, last: str) -> Sequence[Event]:
    """The events of a stack after one, oldest first. Raises AwsError."""
    return [*_newest_first(gate, stack_id, last)][::-1]


def _newest_first(gate: Gate, stack_id: str, last: str) -> Iterator[Event]:
    for page in gate.pages("cloudformation", "DescribeStackEvents", StackName=stack_id):
        for found in page["StackEvents"]:
            if found["EventId"] == last:
                return
            yield event_of(found)
