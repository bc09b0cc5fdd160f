from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from trailhouse.core.plan import (
    Action,
    Change,
    Part,
    Refusal,
    Tally,
    Target,
    diff_definition,
    diff_partitions,
    foreign,
    merged_parameters,
    too_many_deletes,
)
from trailhouse.core.state import ACCOUNT_KEYS, CLOUDTRAIL_FORMAT, MARK, Found, Partition, Table, View
from trailhouse.errors import AwsError

TODAY = date(2026, 3, 2)
OURS = ((MARK, "1"),)
TABLE = Table("t", ACCOUNT_KEYS, "s3://b/", (("a", "string"),), CLOUDTRAIL_FORMAT, OURS, ())
VIEW = View("t", "SELECT 1", (), OURS)


def sorts(found: list[Change] | Refusal) -> list[tuple[Action, Target, tuple[str, ...]]]:
    assert isinstance(found, list)
    return [(change.action, change.target, change.why) for change in found]


def test_nothing_there_or_all_as_it_should_be() -> None:
    indexed = replace(TABLE, indexes=(("year",),))
    assert sorts(diff_definition(indexed, None)) == [
        (Action.CREATE, Target.TABLE, ()), (Action.CREATE, Target.INDEX, ()),
    ]  # fmt: skip
    assert diff_definition(indexed, Found(indexed)) == []
    assert sorts(diff_definition(indexed, Found(TABLE))) == [(Action.CREATE, Target.INDEX, ())]
    assert diff_definition(TABLE, Found(indexed)) == []  # an index too many does no harm
    assert sorts(diff_definition(VIEW, None)) == [(Action.CREATE, Target.VIEW, ())]


def test_what_is_updated_and_what_has_to_be_made_anew() -> None:
    odd = replace(
        TABLE, columns=(), location="s3://c/", parameters=(*OURS, ("projection.enabled", "true"), ("z", "1"))
    )
    (change,) = diff_definition(TABLE, Found(odd, "7"))  # type: ignore[misc]  # no refusal
    assert (change.why, change.revision) == (("columns", "location", "projection.enabled"), "7")
    assert merged_parameters(TABLE, odd) == {MARK: "1", "z": "1"}
    keys = replace(TABLE, keys=("region",))
    assert sorts(diff_definition(TABLE, Found(keys))) == [(Action.REPLACE, Target.TABLE, ("partition keys",))]
    assert sorts(diff_definition(TABLE, Found(VIEW))) == [(Action.REPLACE, Target.TABLE, ("was a view",))]
    assert sorts(diff_definition(VIEW, Found(TABLE))) == [(Action.REPLACE, Target.VIEW, ("was a table",))]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ((), "t exists and was not made by trailhouse"),
        (((MARK, "2"),), "written by a newer trailhouse (format 2)"),
    ],
)
def test_what_must_not_be_touched(parameters: tuple[tuple[str, str], ...], reason: str) -> None:
    found = diff_definition(TABLE, Found(replace(TABLE, parameters=parameters)))
    assert isinstance(found, Refusal)
    assert reason in found.reason
    assert foreign(Found(TABLE)) is None


def partition(back: int, location: str = "s3://b/") -> Partition:
    day = TODAY - timedelta(days=back)
    return Partition(("eu", *day.strftime("%Y %m %d").split(), "b"), location, (), CLOUDTRAIL_FORMAT)


def by_values(*found: Partition) -> dict[tuple[str, ...], Partition]:
    return {one.values: one for one in found}


def test_partitions_that_are_new_other_and_empty() -> None:
    wanted = by_values(partition(0), partition(1), partition(2))
    actual = by_values(
        partition(1), partition(2, "s3://c/"), *(partition(back) for back in (31, 32, 33, 40, 41))
    )
    made = diff_partitions(TABLE, wanted, actual, today=TODAY, since=TODAY - timedelta(days=40))
    assert [(change.action, change.values, change.why) for change in made] == [
        (Action.DELETE, partition(40).values, ("no logs",)),
        (Action.DELETE, partition(33).values, ("no logs",)),
        (Action.UPDATE, partition(2).values, ("location",)),
        (Action.CREATE, partition(0).values, ()),
    ]
    everything = diff_partitions(TABLE, wanted, actual, today=TODAY, since=None)
    assert sum(change.action is Action.DELETE for change in everything) == 3
    odd = Partition(("eu", "2026", "xx", "01", "b"), "", (), CLOUDTRAIL_FORMAT)
    assert diff_partitions(TABLE, {}, by_values(odd), today=TODAY, since=None) == []


@pytest.mark.parametrize(
    ("deleted", "actual", "refused"), [(100, 100, False), (101, 500, True), (101, 505, False)]
)
def test_much_is_not_taken_away_unasked(deleted: int, actual: int, refused: bool) -> None:  # noqa: FBT001 - a row of the table
    changes = [Change(Action.DELETE, Target.PARTITION, "t")] * deleted
    assert (too_many_deletes("t", changes, actual) is not None) is refused


def test_counts() -> None:
    tally, error = Tally(), AwsError("no")
    tally.add(Part("a", (Change(Action.CREATE, Target.VIEW, "v"),), warnings=("w",)))
    tally.add(Part("b", refusals=(Refusal("x", "y"),), error=error))
    assert (tally.changes, tally.warnings, tally.errors, tally.refusals) == (
        1,
        ["w"],
        [("b", error)],
        [Refusal("x", "y")],
    )
