from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from nightly.stage import event_of
from trailhouse.errors import UsageError
from trailhouse.nightly.task import Answer, Asked, Task, read

EVENT = event_of(date(2026, 3, 2), "night")
ARN = "arn:aws:states:us-east-1:123456789012:execution:trailhouse:night"
STARTED = datetime(2026, 3, 2, 6, 0, 7, tzinfo=UTC)


def test_the_first_question() -> None:
    task = read(EVENT)
    assert task == Task(Asked.PIECE, "night", ARN, STARTED, "schedule")
    assert (task.account, task.region) == ("123456789012", "us-east-1")


def test_a_later_question() -> None:
    task = read(EVENT | {"piece": 3, "cursor": {"after": "000000000007"}})
    assert (task.piece, task.after) == (3, "000000000007")


def test_after_a_crash() -> None:
    task = read(EVENT | {"task": "explain", "error": "Sandbox.Timedout", "cause": "{}"})
    assert (task.asked, task.error, task.cause) == (Asked.EXPLAIN, "Sandbox.Timedout", "{}")
    assert task.ended is Asked.PIECE


def test_after_a_test_that_crashed() -> None:
    event = EVENT | {"task": "explain", "asked": "test-alarm", "error": "Sandbox.Timedout", "cause": "{}"}
    assert read(event).ended is Asked.TEST_ALARM
    with pytest.raises(UsageError, match="no task of the nightly run"):
        read(event | {"asked": "nothing we know"})


@pytest.mark.parametrize("missing", ["task", "run", "execution", "started"])
def test_what_has_to_be_there(missing: str) -> None:
    event = {name: value for name, value in EVENT.items() if name != missing}
    with pytest.raises(UsageError, match=missing):
        read(event)


@pytest.mark.parametrize(
    "empty", [{"reason": None}, {"reason": ""}, {"piece": None}, {"cursor": {}}, {"execution": "x"}]
)
def test_what_may_be_empty(empty: dict[str, Any]) -> None:
    task = read(EVENT | empty)
    assert task.piece == 1
    assert task.after == ""
    assert task.reason in {"schedule", "by hand"}


def test_an_arn_that_says_nothing() -> None:
    assert (read(EVENT | {"execution": "x"}).account, read(EVENT | {"execution": "x"}).region) == ("", "")


def test_the_answer_has_the_members_that_the_state_machine_reads() -> None:
    assert Answer("done").as_json() == {
        "outcome": "done", "cursor": None, "piece": 1, "record": "", "subject": "", "message": ""
    }  # fmt: skip
