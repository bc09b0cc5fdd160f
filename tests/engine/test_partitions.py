"""Partitions as Glue has them: pages, days found by halving."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from engine import catalogs
from engine.catalogs import DATABASE, DAYS, NOW
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.core.conditions import ANYTHING, NOTHING, Compare, every
from trailhouse.engine.definitions import Definitions
from trailhouse.engine.partitions import registered_days, touched

if TYPE_CHECKING:
    from engine.catalogs import Elsewhere
    from trailhouse.core.conditions import Condition
    from trailhouse.engine.definitions import Definition

pytestmark = pytest.mark.emulator


def opened(name: str = "cloudtrail_111122223333") -> tuple[Gate, Definition]:
    gate = Gate(Access())
    found = Definitions(gate, DATABASE).find(DATABASE, name)
    assert found is not None
    return gate, found


def test_pages_are_followed(elsewhere: Elsewhere) -> None:
    elsewhere.aws.glue.partition_page = 2
    gate, table = opened()
    assert len(list(touched(gate, table, ANYTHING, NOW))) == 6
    assert elsewhere.counts()["GetPartitions"] >= 3


@pytest.mark.usefixtures("elsewhere")
def test_nothing_asks_nobody() -> None:
    gate, table = opened()
    assert list(touched(gate, table, NOTHING, NOW)) == []


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (ANYTHING, (date(2023, 7, 10), date(2023, 7, 12))),
        (Compare("day", "=", ("31",)), (date(2023, 7, 10), date(2023, 7, 12))),
        (Compare("region", "=", ("us-east-1",)), (date(2023, 7, 10), date(2023, 7, 12))),
        (Compare("region", "=", ("nowhere",)), None),
        (NOTHING, None),
    ],
)
def test_registered_days_are_found_by_halving(
    elsewhere: Elsewhere, condition: Condition, expected: tuple[date, date] | None
) -> None:
    gate, table = opened()
    assert registered_days(gate, table, condition, NOW) == expected
    assert elsewhere.counts().get("GetPartitions", 0) <= 30


def test_a_leap_day_and_a_new_year_are_found(elsewhere: Elsewhere) -> None:
    glue = elsewhere.aws.client("glue")
    catalogs.table(glue, "odd_111122223333", catalogs.KEYS, "s3://x/")
    inputs = [
        {"Values": ["r", *day.split("-"), "x"], "StorageDescriptor": catalogs.storage(f"s3://x/{day}/")}
        for day in ("2020-02-29", "2024-01-01")
    ]
    glue.batch_create_partition(
        DatabaseName=DATABASE, TableName="odd_111122223333", PartitionInputList=inputs
    )
    gate, table = opened("odd_111122223333")
    both = every(Compare("region", "=", ("r",)), Compare("region", "like", ("x%",)))
    assert registered_days(gate, table, both, NOW) == (date(2020, 2, 29), date(2024, 1, 1))
    assert len(DAYS) == 3
