from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from trailhouse.core.deliveries import RECORD_KINDS
from trailhouse.core.layout import Kind
from trailhouse.core.schema import RECORD_COLUMNS
from trailhouse.core.state import (
    BACKUP_PARAMETER,
    CLOUDTRAIL_FORMAT,
    MARK,
    SHAPE_PARAMETER,
    Found,
    Shape,
    Table,
    hive_columns,
    mark,
    partition_day,
    recorded_shape,
    with_reach,
    with_since,
)

TABLE = Table("t", ("region",), "s3://b/", (), CLOUDTRAIL_FORMAT, (("x", "1"),))
DAY = date(2026, 3, 2)


def found(**parameters: str) -> Found:
    return Found(replace(TABLE, parameters=tuple(sorted(parameters.items()))))


@pytest.mark.parametrize(
    ("value", "version"), [("1", 1), ("17", 17), ("", 2), ("-1", 2), ("1.0", 2), ("²", 2), ("0", 0)]
)
def test_an_odd_mark_is_one_that_is_not_touched(value: str, version: int) -> None:
    assert found(**{MARK: value}).version == version
    assert found().version is None


def test_how_far_back_something_reaches() -> None:
    marked, reaching = with_since(TABLE, DAY), with_reach(TABLE, DAY)
    assert (Found(marked).since, Found(marked).reach) == (DAY, DAY)
    assert (Found(reaching).since, Found(reaching).reach) == (None, DAY)
    assert with_since(reaching, None) == with_since(marked, None) == TABLE
    assert with_since(reaching, DAY) == marked
    assert found(**{"trailhouse.since": "yesterday"}).since is None
    assert Found(with_since(TABLE, date.min)).since == date.min


def test_the_shape_that_was_decided() -> None:
    kept = found(**{SHAPE_PARAMETER: "single", BACKUP_PARAMETER: "t"})
    assert recorded_shape([found(), kept, found(**{SHAPE_PARAMETER: "round"})]) is None
    assert recorded_shape([kept, found(**mark(None, Shape.PER_ACCOUNT))]) is Shape.PER_ACCOUNT
    assert mark(Kind.INSIGHT, Shape.SINGLE) == {
        "trailhouse.version": "1", "trailhouse.shape": "single", "trailhouse.kind": "CloudTrail-Insight",
    }  # fmt: skip


def test_days_of_partitions() -> None:
    keys = Shape.SINGLE.keys
    assert partition_day(keys, ("1", "eu", "2026", "03", "02", "b")) == DAY
    for values in (
        (),
        ("1", "eu", "2026", "02", "30", "b"),
        ("1", "eu", "2026", "x", "30", "b"),
        ("1", "eu", "2026"),
    ):
        assert partition_day(keys, values) is None


def test_columns_are_those_of_the_record() -> None:
    for kind in RECORD_KINDS:
        assert [name for name, _ in hive_columns(kind)] == [column.name for column in RECORD_COLUMNS[kind]]


def test_projection_is_a_parameter() -> None:
    assert not TABLE.projected
    assert replace(TABLE, parameters=(("projection.enabled", "TRUE"),)).projected
