from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.test_problem import PROBLEMS
from trailhouse.core.record import Outcome, Record, from_json, to_json
from trailhouse.errors import CatalogError

TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as Hypothesis wants
WORDS = st.text(max_size=10)
COUNTS = st.dictionaries(WORDS, st.integers(0, 10**9), max_size=3)
SAID = st.dictionaries(WORDS, WORDS, max_size=3)
LISTED = st.lists(PROBLEMS, max_size=3).map(tuple)
RECORDS = st.builds(
    Record,
    run=WORDS, stack=WORDS, reason=WORDS, started=TIMES, ended=st.none() | TIMES, outcome=st.sampled_from(Outcome),
    caller=WORDS, place=WORDS, config=WORDS, sources=WORDS, versions=SAID, pieces=st.integers(0, 99),
    planned=COUNTS, done=COUNTS, failed=SAID, refused=SAID, left_out=SAID,
    warnings=st.lists(WORDS, max_size=3).map(tuple),
    calls=st.dictionaries(WORDS, COUNTS, max_size=3),
    seconds=st.integers(0, 10**9).map(lambda ms: ms / 1000), cost=WORDS,
    freshness=st.dictionaries(WORDS, st.dictionaries(WORDS, st.dates()), max_size=3),
    problems=LISTED, begun=LISTED, ended_problems=LISTED,
)  # fmt: skip
ONE = Record("night", "trailhouse", "schedule", datetime(2026, 3, 2, 6, 0, 7, tzinfo=UTC))


@given(RECORDS)
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    assert from_json(to_json(record), "it") == record


def test_the_key_sorts_by_time() -> None:
    assert ONE.key == "trailhouse/runs/2026/03/02/20260302T060007Z-night.json"


def test_what_a_newer_version_adds_is_ignored() -> None:
    raw = json.loads(to_json(ONE)) | {"weather": {"rain": True}}
    assert from_json(json.dumps(raw), "it") == ONE


def test_what_an_older_version_lacks_is_left_out() -> None:
    raw = {
        "version": 1,
        "run": "n",
        "stack": "s",
        "reason": "r",
        "started": "2026-03-02T06:00:00Z",
        "outcome": "done",
    }
    found = from_json(json.dumps(raw), "it")
    assert found == Record("n", "s", "r", datetime(2026, 3, 2, 6, tzinfo=UTC), outcome=Outcome.DONE)


def test_a_newer_version_is_named() -> None:
    text = json.dumps(json.loads(to_json(ONE)) | {"version": 2})
    with pytest.raises(
        CatalogError, match=r"s3://o/r\.json was written by a newer trailhouse \(format 2, known here: 1\)"
    ):
        from_json(text, "s3://o/r.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1}', '{"version": "x"}', b"\xff", "null"])
def test_what_is_no_record_is_named(text: str) -> None:
    with pytest.raises(CatalogError, match="it is no record"):
        from_json(text, "it")


@pytest.mark.parametrize(
    "changed",
    [{"outcome": "?"}, {"started": "soon"}, {"freshness": {"1": 3}}, {"problems": [{}]}, {"planned": []}],
)
def test_a_damaged_record_is_named(changed: dict[str, object]) -> None:
    with pytest.raises(CatalogError, match="it is no record of a run, or is damaged"):
        from_json(json.dumps(json.loads(to_json(ONE)) | changed), "it")


def test_outcomes() -> None:
    assert [one for one in Outcome if one.succeeded] == [Outcome.DONE, Outcome.INCOMPLETE]
    assert ONE.complete
    assert not Record("n", "s", "r", ONE.started, failed={"1": "x"}).complete
    assert from_json(to_json(ONE), "it").freshness == {}
    fresh = Record("n", "s", "r", ONE.started, freshness={"1": {"eu-west-1": date(2026, 3, 2)}})
    assert json.loads(to_json(fresh))["freshness"] == {"1": {"eu-west-1": "2026-03-02"}}
