"""What is decided about a run without AWS; whole runs are in `test_handler`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from trailhouse.core.problem import Problem, ProblemKind
from trailhouse.core.record import Outcome, Record
from trailhouse.errors import AwsError
from trailhouse.nightly.run import _carried, _few, _gone, _outcome, _over

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
DAY = timedelta(days=1)
ONE, TWO = "000000000001", "000000000002"
FRESH = {"eu-west-1": date(2026, 3, 2)}
RUN = Record("run", "trailhouse", "schedule", NOW, config="same", sources="here", freshness={ONE: FRESH})


def problem(kind: ProblemKind, subject: str) -> Problem:
    return Problem(kind, subject, NOW - 5 * DAY, "what", "tried", "command")


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, Outcome.DONE),
        ({"freshness": {}}, Outcome.DONE),
        ({"failed": {TWO: "no"}}, Outcome.INCOMPLETE),
        ({"refused": {TWO: "foreign"}}, Outcome.INCOMPLETE),
        ({"left_out": {"cloudtrail": "without one"}}, Outcome.INCOMPLETE),
        ({"failed": {"views": "no"}}, Outcome.INCOMPLETE),
        ({"failed": {ONE: "no"}}, Outcome.FAILED),
        ({"freshness": {}, "failed": {ONE: "no"}, "refused": {TWO: "foreign"}}, Outcome.FAILED),
    ],
)
def test_outcomes(changes: dict[str, dict[str, str]], outcome: Outcome) -> None:
    assert _outcome(replace(RUN, **changes), None) is outcome  # type: ignore[arg-type]  # a mixed mapping
    assert _outcome(RUN, AwsError("broken")) is Outcome.FAILED


@pytest.mark.parametrize(
    ("failed", "outcome", "kept"),
    [
        ({}, Outcome.DONE, []),
        ({TWO: "no"}, Outcome.INCOMPLETE, [TWO, f"{TWO}/r"]),
        ({}, Outcome.FAILED, [TWO, f"{TWO}/r", "views"]),
    ],
)
def test_what_a_run_cannot_judge_stays_open(
    failed: dict[str, str], outcome: Outcome, kept: list[str]
) -> None:
    former = [
        problem(ProblemKind.SILENT, ONE),
        problem(ProblemKind.SILENT, TWO),
        problem(ProblemKind.SILENT, f"{TWO}/r"),
        problem(ProblemKind.VIEW, "views"),
    ]
    assert [one.subject for one in _carried(replace(RUN, failed=failed), former, outcome)] == kept


def test_who_is_gone() -> None:
    before = replace(RUN, freshness={ONE: FRESH, TWO: FRESH})
    assert _gone(RUN, before) == {TWO: FRESH}
    assert _gone(RUN, None) == {}
    assert _gone(replace(RUN, failed={TWO: "no"}), before) == {}, "it could not be looked at"
    assert _gone(replace(RUN, sources="there"), before) == {}, "other sources"
    assert _gone(replace(RUN, config="other"), before) == {TWO: FRESH}, "the same sources"
    older = replace(before, sources="")
    assert _gone(RUN, older) == {TWO: FRESH}
    assert _gone(replace(RUN, config="other"), older) == {}, "perhaps other sources"
    assert _gone(replace(RUN, started=NOW + 41 * DAY), before) == {}, "it was long silent"
    assert _gone(RUN, replace(RUN, freshness={TWO: {}})) == {}, "it never delivered"


def test_how_a_silence_ended() -> None:
    account, region = problem(ProblemKind.SILENT, ONE), problem(ProblemKind.SILENT, f"{ONE}/eu-west-1")
    for one in (account, region):
        assert _over(one, {ONE: FRESH}).what == "It delivers again: 2026-03-02."
        assert _over(one, {}).what == "Its folder is gone, or it delivers again."
    other = problem(ProblemKind.VIEW, "views")
    assert _over(other, {}) == replace(other, what="It was: what")


def test_many_warnings_are_few() -> None:
    assert list(_few(dict.fromkeys(["a", "b"]))) == ["a", "b"]
    many = list(_few({f"w{number}": None for number in range(5_000)}))
    assert (len(many), many[-1]) == (201, "and more, 5,000 in all")
