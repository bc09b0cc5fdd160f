from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.catalog.convergence import TABLES
from trailhouse.core.freshness import _TABLES, EVERYBODY, Fresh, Lack, freshness, lacking
from trailhouse.core.record import Outcome, Record

A, B = "111122223333", "444455556666"
TODAY = date(2026, 11, 22)


def ran(days_ago: int, outcome: Outcome = Outcome.DONE, **left: str) -> Record:
    """A run so many days ago; `failed` and `refused` name what it left out."""
    given_ = {name: {account: "why"} for name, account in left.items()}
    begun = datetime(2026, 11, 22, 6, tzinfo=UTC) - timedelta(days=days_ago)
    return Record("r", "trailhouse", "schedule", begun, outcome=outcome, **given_)  # type: ignore[arg-type]  # as named


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_regions_of_a_day_stand_together_the_oldest_first() -> None:
    found = {A: {"us-east-1": ago(0), "eu-west-1": ago(0), "sa-east-1": ago(9)}, B: {"eu-west-1": ago(0)}}
    assert freshness(found) == (
        Fresh(ago(9), A, ("sa-east-1",)),
        Fresh(ago(0), A, ("eu-west-1", "us-east-1")),
        Fresh(ago(0), B, ("eu-west-1",)),
    )
    assert freshness({}) == ()


@given(
    st.dictionaries(
        st.sampled_from((A, B, "x")),
        st.dictionaries(st.sampled_from("abcdef"), st.dates(date(2026, 1, 1), TODAY)),
    )
)
def test_no_region_is_lost_or_doubled(found: dict[str, dict[str, date]]) -> None:
    rows = freshness(found)
    assert list(rows) == sorted(rows)
    again = [(row.account, region, row.last) for row in rows for region in row.regions]
    assert sorted(again) == sorted((a, r, d) for a, days in found.items() for r, d in days.items())


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], [Lack(EVERYBODY, None, TODAY)]),
        ([ran(0)], []),
        ([ran(1)], []),  # yesterday's run registered today
        ([ran(2)], [Lack(EVERYBODY, ago(0), TODAY)]),
        ([ran(0, Outcome.FAILED), ran(4)], [Lack(EVERYBODY, ago(2), TODAY)]),
        ([ran(0, Outcome.RUNNING), ran(0, Outcome.FAILED)], [Lack(EVERYBODY, None, TODAY)]),
        ([ran(0, failed=B), ran(1)], []),
        ([ran(0, failed=B), ran(1, refused=B), ran(5)], [Lack(B, ago(3), TODAY)]),
        ([ran(0, failed=B)], [Lack(B, None, TODAY)]),
        ([ran(3, failed=B), ran(5)], [Lack(EVERYBODY, ago(1), TODAY), Lack(B, ago(3), TODAY)]),
        ([ran(0, failed="tables"), ran(3)], [Lack(EVERYBODY, ago(1), TODAY)]),
        ([ran(0, failed="views")], []),
        ([ran(0, failed=B), ran(1, failed=A), ran(6, refused=B), ran(7)], []),
    ],
)
def test_days_that_the_catalog_may_lack(records: list[Record], expected: list[Lack]) -> None:
    assert list(lacking(records, TODAY)) == expected


def test_the_part_that_all_stand_on_is_called_so() -> None:
    assert _TABLES == TABLES


def test_no_more_records_are_taken_than_needed() -> None:
    records = iter([ran(0, failed=B), ran(1), ran(2)])
    lacking(records, TODAY)
    assert next(records).started.day == 20
