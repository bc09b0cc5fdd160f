"""Expectations: what they take, and what they say that they saw."""

from __future__ import annotations

import base64
import json

import pytest

from trailhouse.selftest.expect import (
    Answer,
    Both,
    Expectation,
    Known,
    ReadsAll,
    ReadsLess,
    Refused,
    Rows,
    Runs,
    Same,
    Says,
    Unthrottled,
    ViewKeys,
    Written,
)

KNOWN = Known({"both": (("a", 1), ("b", 2))}, lambda text: text.replace("{word}", "a"))
TWO = Answer((("b", 2), ("a", 1)))
FAILED = Answer(error="HIVE_BAD_DATA: x", code="HIVE_BAD_DATA")


def read(*scanned: int) -> list[Answer]:
    return [Answer((), one) for one in scanned]


def view(**keys: object) -> Answer:
    text = base64.b64encode(json.dumps(keys).encode()).decode()
    return Answer(raw=({"Table": {"ViewOriginalText": f"/* Presto View: {text} */"}},))


def retried(*times: int) -> Answer:
    return Answer(raw=tuple({"ResponseMetadata": {"RetryAttempts": one}} for one in times))


CASES: list[tuple[Expectation, list[Answer], str | None]] = [
    (Rows((("{word}", 1), ("b", 2))), [TWO], None),
    (Rows((("a", 1),)), [TWO], "2 rows, not 1; seen ('b', 2)"),
    (Rows((("a", 1), ("c", 3))), [TWO], "missing ('c', 3)"),
    (Rows(((1,),)), [Answer(((True,),))], "seen (True,)"),
    (Rows(()), [FAILED], "failed: HIVE_BAD_DATA"),
    (Written("both"), [TWO], None),
    (Written("both"), [Answer((("a", 1),))], "missing ('b', 2)"),
    (Written("both"), [FAILED, TWO], "failed: HIVE_BAD_DATA"),
    (Same(), [TWO, Answer((("a", 1), ("b", 2)))], None),
    (Same(), [TWO, Answer((("a", 1),))], "1 rows, not 2"),
    (Same(), [Answer(), Answer()], "no rows"),
    (Same(), [TWO, FAILED], "failed"),
    (Runs(), [TWO], None),
    (Runs(), [TWO, FAILED], "failed"),
    (Refused("bad_data"), [FAILED], None),
    (Refused("mismatch"), [FAILED], "another error: HIVE_BAD_DATA"),
    (Refused("mismatch"), [TWO], "no error: ('b', 2)"),
    (Refused("arity"), [Answer(raw=({"Errors": [{"ErrorDetail": {"ErrorMessage": "arity"}}]},))], None),
    (Refused("arity"), [Answer(raw=({"Errors": []},))], "no error"),
    (ReadsLess(), read(10, 5), None),
    (ReadsLess(), read(10, 10), "10 bytes against 10"),
    (ReadsLess(), [FAILED, *read(1)], "failed"),
    (ReadsLess(), read(0, 0), "0 bytes against 0"),
    (ReadsLess(strictly=False), read(10, 10), None),
    (ReadsLess(strictly=False), read(10, 11), "11 bytes against 10"),
    (ReadsAll(), read(10, 10), None),
    (ReadsAll(), read(10, 9), "9 bytes against 10"),
    (ReadsAll(), [*read(10), FAILED], "failed"),
    (Says('"x": 1'), [Answer(raw=({"x": 1},))], None),
    (Says('"x": 2'), [Answer(raw=({"x": 1},))], '[{"x": 1}]'),
    (Says('"x": 2', absent=True), [Answer(raw=({"x": 1},))], None),
    (Says("x"), [FAILED], "failed"),
    (ViewKeys(("b", "a")), [view(a=1, b=2)], None),
    (ViewKeys(("a",)), [view(a=1, b=2)], "the keys a, b"),
    (ViewKeys(("a",)), [Answer(raw=({"Table": {}},))], "no view"),
    (ViewKeys(("a",)), [FAILED], "failed"),
    (Unthrottled(), [retried(0, 0)], None),
    (Unthrottled(), [retried(0, 2, 1)], "3 calls were tried again"),
    (Unthrottled(), [FAILED], "failed"),
    (Both((Runs(), Refused("x"))), [TWO], "no error"),
    (Both((Runs(), Written("both"))), [TWO], None),
]


@pytest.mark.parametrize(("expectation", "answers", "seen"), CASES)
def test_what_is_seen_is_judged(expectation: Expectation, answers: list[Answer], seen: str | None) -> None:
    found = expectation.judge(answers, KNOWN)
    assert found is None if seen is None else seen in str(found)
    assert expectation.describe()


def test_what_is_shown_stays_short() -> None:
    many = Answer(tuple((n,) for n in range(1_000)))
    assert len(str(Rows(()).judge([many], KNOWN))) < 800
