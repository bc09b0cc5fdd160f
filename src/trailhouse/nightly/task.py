"""What the state machine asks, and what it is answered.

The shapes are fixed between the two: the state machine of the stack reads the answer's members.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from trailhouse.core.times import parse_time
from trailhouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_ARN_PARTS = 6


class Asked(StrEnum):
    """What is to be done.

    `piece` does as much of a run as there is time for; `explain` closes the record of a run whose piece ended
    without an answer, and only says so where that was a test; `test-alarm` gives a message to be sent, and does
    nothing.
    """

    PIECE = "piece"
    EXPLAIN = "explain"
    TEST_ALARM = "test-alarm"


@dataclass(frozen=True, slots=True)
class Task:
    """One question of the state machine.

    Attributes:
        asked: what is to be done.
        run: name of the execution.
        execution: its ARN.
        started: when it began, UTC, whole seconds: the present of the whole run.
        reason: `schedule`, `deployment` or `by hand`.
        piece: 1 for the first.
        after: the last account that is done already, or "".
        error: name of the error that ended a piece (`explain`).
        cause: what was said about it.
        ended: what the piece was asked for that the error ended (`explain`).
    """

    asked: Asked
    run: str
    execution: str
    started: datetime
    reason: str = "by hand"
    piece: int = 1
    after: str = ""
    error: str = ""
    cause: str = ""
    ended: Asked = Asked.PIECE

    @property
    def region(self) -> str:
        """Where the execution is; "" where its ARN does not say it."""
        return self._of_arn(3)

    @property
    def account(self) -> str:
        """Whose execution it is; "" where its ARN does not say it."""
        return self._of_arn(4)

    def _of_arn(self, at: int) -> str:
        parts = self.execution.split(":")
        return parts[at] if len(parts) >= _ARN_PARTS else ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the state machine is told.

    Attributes:
        outcome: `more` (ask again with `cursor` and `piece`), `done`, `incomplete` or `failed`.
        cursor: where the next piece goes on, or None.
        piece: number of the next piece.
        record: address of the run's record, or "".
        subject: of the message; "" when there is nothing to tell.
        message: to be published; "" when there is nothing to tell.
    """

    outcome: str
    cursor: dict[str, str] | None = None
    piece: int = 1
    record: str = ""
    subject: str = ""
    message: str = ""

    def as_json(self) -> dict[str, Any]:
        """As JSON's types."""
        return asdict(self)


def read(event: Mapping[str, Any]) -> Task:
    """The task of an event.

    Raises:
        UsageError: it is none; the message names what is wrong.
    """
    try:
        cursor = event.get("cursor") or {}
        return Task(
            Asked(event["task"]),
            str(event["run"]),
            str(event["execution"]),
            parse_time(event["started"], datetime.min).replace(microsecond=0),  # noqa: DTZ901 - absolute anyway
            str(event.get("reason") or "by hand"),
            int(event.get("piece") or 1),
            str(cursor.get("after") or ""),
            str(event.get("error") or ""),
            str(event.get("cause") or ""),
            Asked(event.get("asked") or Asked.PIECE),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(
            f"the event is no task of the nightly run ({error!r}): start it with its state machine"
        ) from error
