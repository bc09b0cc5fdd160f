"""Money is rounded as Athena rounds it, and estimates carry a range that holds."""

import random
from decimal import Decimal

import pytest

from trailhouse.core.prices import (
    LEAST,
    MEGABYTE,
    TERABYTE,
    Estimate,
    counted,
    estimated,
    format_money,
    function_cost,
    request_cost,
    requests_cost,
    scan_cost,
)


@pytest.mark.parametrize(
    ("size", "dollars"),
    [
        (0, "0"), (1, "0.00005"), (LEAST, "0.00005"), (LEAST + 1, "0.000055"),
        (TERABYTE, "5"), (TERABYTE - MEGABYTE + 1, "5"),
    ],
)  # fmt: skip
def test_a_scan_costs_whole_megabytes_and_ten_at_least(size: int, dollars: str) -> None:
    assert scan_cost(size) == Decimal(dollars)


def test_the_price_of_a_terabyte_differs_by_region() -> None:
    assert scan_cost(TERABYTE, Decimal("6.75")) == Decimal("6.75")


def test_requests_are_a_get_an_object_and_a_list_a_folder() -> None:
    assert request_cost(1_000_000, 0) == Decimal("0.405")
    assert request_cost(0, 200) == Decimal("0.001")


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        ("0", "$0.00"), ("1234.5", "$1,234.50"), ("0.12", "$0.12"), ("0.5", "$0.50"), ("0.00005", "$0.000050"),
        ("0.0123", "$0.012"),
    ],
)  # fmt: skip
def test_money_for_people(dollars: str, text: str) -> None:
    assert format_money(Decimal(dollars)) == text


def test_all_folders_are_counted_exactly() -> None:
    assert estimated([1, 2, 3], 3) == counted(6)
    assert counted(6).exact


def test_a_single_folder_is_as_uncertain_as_it_is_large() -> None:
    one = estimated([100], 10)
    assert (one.value, one.low) == (1_000, 100)
    assert one.high > one.value


def test_alike_is_not_certain() -> None:
    one = estimated([5] * 200, 1_000)
    assert (one.value, one.low, one.high) == (5_000, 4_925, 5_075)


def test_the_interval_holds_about_as_often_as_it_says() -> None:
    dice = random.Random(1)
    folders = [dice.randrange(1_000) for _ in range(5_000)]
    held = 0
    for _ in range(400):
        one = estimated(dice.sample(folders, 200), len(folders))
        held += one.low <= sum(folders) <= one.high
    assert held >= 360


def test_ranges_add_up() -> None:
    assert Estimate(5, 4, 6) + counted(2) == Estimate(7, 6, 8)


def test_requests_are_priced_by_operation() -> None:
    calls = {
        "s3": {"ListObjectsV2": 1_000, "GetObject": 1_000, "HeadBucket": 5},
        "glue": {"GetPartitions": 1_000_000},
        "cloudwatch": {"PutMetricData": 1_000},
        "sts": {"GetCallerIdentity": 10**9},
    }
    assert requests_cost(calls) == Decimal("0.005") + Decimal("0.0004") + 1 + Decimal("0.01")
    assert requests_cost({}) == 0


def test_a_function_is_priced_by_memory_and_time() -> None:
    # 512 MB for 1,000 s are 500 GB-seconds.
    assert function_cost(1_000, 1, 512, "arm64") == 500 * Decimal("0.0000133334") + Decimal("0.0000002")
    assert function_cost(1_000, 1, 512, "x86_64") == 500 * Decimal("0.0000166667") + Decimal("0.0000002")
    assert function_cost(1, 0, 1024, "of tomorrow") == Decimal("0.0000166667"), "no estimate is too low"
