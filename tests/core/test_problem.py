from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.core.problem import (
    LONGEST_MESSAGE,
    LONGEST_SUBJECT,
    MOST_TOLD,
    NOTHING,
    News,
    Problem,
    ProblemKind,
    compare,
    from_json,
    lasting,
    subject_line,
    tell,
    visible,
)

THEN, NOW = datetime(2026, 3, 1, 6, tzinfo=UTC), datetime(2026, 3, 2, 6, tzinfo=UTC)

PROBLEMS = st.builds(
    Problem,
    st.sampled_from(ProblemKind),
    st.text(max_size=20),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - as Hypothesis wants
    st.text(),
    st.text(),
    st.text(),
)


def problem(
    subject: str = "111122223333", kind: ProblemKind = ProblemKind.ACCOUNT, since: datetime = NOW
) -> Problem:
    return Problem(kind, subject, since, "access denied", "asked once", "trailhouse policy bucket")


@given(PROBLEMS)
def test_a_problem_is_read_as_it_was_written(one: Problem) -> None:
    assert from_json(one.as_json() | {"severity": "of a newer version"}) == one


def test_a_kind_that_is_not_known_is_an_error() -> None:
    with pytest.raises(ValueError, match="earthquake"):
        from_json(problem().as_json() | {"kind": "earthquake"})


def test_identity_is_kind_and_subject() -> None:
    same = Problem(ProblemKind.ACCOUNT, "111122223333", THEN, "other", "words", "here")
    assert compare([same], [problem()]) == News((), ())
    assert compare([], [problem()]) == News((problem(),), ())
    assert compare([same], [problem("2")]) == News((problem("2"),), (same,))
    assert compare([same], [problem(kind=ProblemKind.SILENT)]).begun == (problem(kind=ProblemKind.SILENT),)


def test_what_lasts_is_as_old_as_it_was() -> None:
    (found,) = lasting([problem(since=THEN)], [problem()])
    assert found == problem(since=THEN)
    silent = problem(kind=ProblemKind.SILENT)
    assert lasting([problem(kind=ProblemKind.SILENT, since=THEN)], [silent]) == (silent,), "another silence"


def test_what_lasts_is_there_once_and_sorted() -> None:
    assert lasting([], [problem("b"), problem("a"), problem("b")]) == (problem("a"), problem("b"))


@given(st.lists(PROBLEMS), st.lists(PROBLEMS))
def test_nothing_is_told_twice(before: list[Problem], now: list[Problem]) -> None:
    open_now = lasting(before, now)
    assert compare(open_now, lasting(open_now, now)) == News((), ())
    again = compare(before, open_now)
    assert {one.identity for one in again.begun}.isdisjoint(one.identity for one in before)


def test_without_news_nothing_is_told() -> None:
    assert tell(News((), ()), "trailhouse", "run") == NOTHING


def test_a_message_says_what_since_when_tried_and_what_to_run() -> None:
    told = tell(
        News((problem(),), ()),
        "trailhouse, 123456789012, eu-west-1",
        "Run x: incomplete",
        ending="Record: s3://r",
    )
    assert (
        told.subject == "trailhouse: 111122223333: left out of the run (trailhouse, 123456789012, eu-west-1)"
    )
    assert told.message.splitlines() == [
        "Run x: incomplete",
        "",
        "NEW (1)",
        "1. 111122223333: left out of the run",
        "   What: access denied",
        "   Since: 2026-03-02T06:00:00Z",
        "   Tried: asked once",
        "   Run: trailhouse policy bucket",
        "",
        "Record: s3://r",
    ]


def test_an_end_is_told() -> None:
    told = tell(News((), (problem(since=THEN),)), "trailhouse", "Run x: done")
    assert told.subject == "trailhouse: over: 111122223333: left out of the run (trailhouse)"
    assert told.message.splitlines()[2:] == [
        "OVER (1)",
        "1. 111122223333: left out of the run",
        "   Since: 2026-03-01T06:00:00Z, over now",
        "   access denied",
    ]


def test_a_run_that_failed_is_said_first() -> None:
    failed = problem("glue GetTables ThrottlingException", ProblemKind.RUN)
    told = tell(News((failed,), ()), "trailhouse, 123456789012, eu-west-1", "opening")
    assert told.subject == (
        "trailhouse: run failed: glue GetTables ThrottlingException (trailhouse, 123456789012, eu-west-1)"
    )


@pytest.mark.parametrize(
    ("begun", "ended", "said"),
    [
        (2, 0, "2 new problems"),
        (1, 1, "0: left out of the run, 1 over"),
        (0, 2, "2 problems over"),
        (3, 2, "3 new problems, 2 over"),
    ],
)
def test_subjects(begun: int, ended: int, said: str) -> None:
    news = News(tuple(problem(str(n)) for n in range(begun)), tuple(problem(str(n)) for n in range(ended)))
    assert tell(news, "s", "").subject == f"trailhouse: {said} (s)"


def test_many_problems_are_few_lines() -> None:
    many = tuple(problem(f"{number:012}") for number in range(1_000))
    told = tell(News(many, many), "s", "opening")
    assert told.message.count("left out") == 2 * MOST_TOLD
    assert told.message.count(f"and {1_000 - MOST_TOLD} more: `trailhouse status` has them all") == 2
    assert len(told.message) < 20_000


def test_a_message_is_never_too_long_to_be_sent() -> None:
    long = Problem(ProblemKind.REFUSED, "a" * 5_000, NOW, "reason\n" * 100_000, "t" * 9_000, "c" * 9_000)
    told = tell(News((long,) * 30, (long,) * 30), "s", "opening", ending="Record: s3://r")
    assert len(told.message) <= LONGEST_MESSAGE + 1
    assert told.message.endswith("\n... cut off here: `trailhouse status` has everything\n\nRecord: s3://r\n")


@given(st.text(), st.text(), st.text())
def test_no_message_carries_what_cannot_be_seen(subject: str, what: str, command: str) -> None:
    hostile = Problem(ProblemKind.SILENT, subject, NOW, what, "tried", command)
    told = tell(News((hostile,), ()), subject, "opening")
    assert told.subject.isascii()
    assert told.subject.isprintable()
    assert 0 < len(told.subject) <= LONGEST_SUBJECT
    assert all(line.isprintable() for line in told.message.splitlines())
    # Lines of ours begin as ours do: nobody writes a line of their own.
    assert {line.split(":")[0].strip() for line in told.message.splitlines() if line.startswith("   ")} <= {
        "What", "Since", "Tried", "Run"
    }  # fmt: skip


def test_texts_are_cut() -> None:
    assert len(subject_line("x" * 300)) == LONGEST_SUBJECT
    assert subject_line("ü\n") == "??"
    assert visible("a\x1b[31m\u202eb\n") == "a\\x1b[31m\\u202eb\\n"
    assert len(visible("\x00" * 5_000)) <= 1_500
    assert problem(since=NOW - timedelta(days=1)).title == "111122223333: left out of the run"
