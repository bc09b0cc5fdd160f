"""Folders that exist are found from the top down, in few listings."""

from hypothesis import given
from hypothesis import strategies as st

from trailhouse.engine.folders import existing

PLACES = [
    f"s3://b/{a}/{r}/{m:02}/{d:02}/" for a in "xy" for r in "pq" for m in range(1, 4) for d in range(1, 4)
]


def look(there: set[str], folders: list[str], limit: int) -> tuple[list[str], list[int]]:
    """What is found where these exist, and how many folders were looked at on each level."""
    asked: list[int] = []

    def children(above: list[str]) -> list[set[str]]:
        asked.append(len(above))
        return [
            {one + place[len(one) :].split("/")[0] + "/" for place in there if place.startswith(one)}
            for one in above
        ]

    return existing(folders, children, limit), asked


@given(st.sets(st.sampled_from(PLACES)), st.integers(1, 40))
def test_none_that_exists_is_lost_and_few_are_looked_at(there: set[str], limit: int) -> None:
    found, asked = look(there, PLACES, limit)
    assert there <= set(found)
    assert all(number <= limit for number in asked)
    if limit >= 12:  # all months
        assert set(found) == there


def test_it_starts_as_deep_as_it_may() -> None:
    there = {PLACES[0]}
    assert look(there, PLACES, 12) == ([PLACES[0]], [12])
    assert look(there, PLACES, 4) == ([PLACES[0]], [4, 1])
    assert look(there, PLACES, 1) == ([PLACES[0]], [1, 1, 1, 1])


def test_of_several_buckets_each_counts() -> None:
    places = [f"s3://b{n}/x/" for n in range(5)]
    assert look({places[0]}, places, 5) == ([places[0]], [5])
    assert look({places[0]}, places, 4) == (places, [])


def test_places_of_different_depth() -> None:
    places = ["s3://b/x/", "s3://b/y/1/", "s3://b/y/2/"]
    assert look({"s3://b/x/", "s3://b/y/2/"}, places, 10)[0] == ["s3://b/x/", "s3://b/y/2/"]
