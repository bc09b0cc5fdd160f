"""Whether every log is still covered when another table takes over."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from predecessor import tables as old
from trailhouse.catalog.encoding import partition
from trailhouse.core.coverage import coverage
from trailhouse.core.deliveries import AccountFolder, Delivery
from trailhouse.core.layout import Kind

ACCOUNT = "111122223333"
PLACE = old.folder("logs", ACCOUNT)
DAY = date(2026, 3, 2)


def read(location: str, day: str = "2026/03/02", region: str = "eu-west-1") -> Any:  # noqa: ANN401 - a partition
    values = [region, *day.split("/")]
    return partition({"Values": values, "StorageDescriptor": {"Location": f"{location}{region}/{day}"}})


def delivery(*days: date, root: str = "AWSLogs") -> Delivery:
    return Delivery(AccountFolder("logs", root, ACCOUNT), Kind.CLOUDTRAIL, "eu-west-1", days)


def test_places_with_logs_have_to_be_read_again() -> None:
    one = delivery(DAY)
    covered = coverage([read(PLACE)], [one], {"logs/AWSLogs"}, {one.location(DAY)})
    assert (covered.partitions, covered.with_logs) == (1, 1)
    assert covered.refusal("cloudtrail_1") is None
    lost = coverage([read(PLACE)], [one], {"logs/AWSLogs"}, set())
    refusal = lost.refusal("cloudtrail_1")
    assert refusal is not None
    assert f"{PLACE}eu-west-1/2026/03/02" in refusal.reason


def test_places_without_logs_need_not_be_read() -> None:
    covered = coverage(
        [read(PLACE, "2026/03/01"), read(PLACE, region="me-south-1")], [delivery(DAY)], {"logs/AWSLogs"}, ()
    )
    assert (covered.partitions, covered.with_logs) == (2, 0)
    assert covered.refusal("cloudtrail_1") is None


@pytest.mark.parametrize(
    "place",
    [
        "s3://other/AWSLogs/111122223333//CloudTrail/",
        "s3://logs/x/AWSLogs/111122223333//CloudTrail/",
        "s3://logs/odd/",
    ],
)
def test_places_that_no_source_holds_are_named(place: str) -> None:
    refusal = coverage([read(place)], [delivery(DAY)], {"logs/AWSLogs"}, ()).refusal("cloudtrail_1")
    assert refusal is not None
    assert place in refusal.reason
    assert "sources" in refusal.reason
