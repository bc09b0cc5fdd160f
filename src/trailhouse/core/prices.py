"""What a question costs: bytes, requests and money, exact where all was looked at, a stated range otherwise.

Money is in US dollars, sizes are in bytes. Athena rounds each statement's bytes up to whole megabytes and
counts at least ten (https://aws.amazon.com/athena/pricing/); with decimal units no estimate is too low.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import sqrt
from statistics import fmean, stdev
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEGABYTE = 10**6
TERABYTE = 10**12
LEAST = 10 * MEGABYTE
"""Bytes that a statement is charged for at least, unless it reads nothing at all."""

PRICE_PER_TB = Decimal(5)
PRICE_PER_GET = Decimal("0.0000004")
PRICE_PER_LIST = Decimal("0.000005")
MENTIONED = Decimal("0.01")
"""From here on the requests' own price is worth a word."""

CONFIDENCE = "95 % interval"
_Z = 1.96


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the range that it lies in; exact where both ends are the same."""

    value: int
    low: int
    high: int

    @property
    def exact(self) -> bool:
        """Whether it is counted and not estimated."""
        return self.low == self.high

    def __add__(self, other: Estimate) -> Estimate:
        """Return the sum; its range is wide enough for both to be off the same way."""
        return Estimate(self.value + other.value, self.low + other.low, self.high + other.high)


def counted(value: int) -> Estimate:
    """A number that is certain."""
    return Estimate(value, value, value)


NONE = counted(0)


def estimated(seen: Sequence[int], total: int) -> Estimate:
    """The sum over `total` folders of which a random few were looked at, with its 95 % interval.

    Args:
        seen: what each of the few holds; at least one.
        total: how many folders there are in all.
    """
    found = sum(seen)
    if len(seen) >= total:
        return counted(found)
    value = round(fmean(seen) * total)
    spread = stdev(seen) if len(seen) > 1 else float(max(seen))
    off = _Z * spread / sqrt(len(seen)) * total * sqrt(1 - len(seen) / total)
    # Where all that were seen are alike, three in that many may still differ (with the same confidence).
    off = max(off, 3 / len(seen) * total * fmean(seen)) if not spread else off
    return Estimate(value, max(found, round(value - off)), round(value + off))


def scan_cost(size: int, per_tb: Decimal = PRICE_PER_TB) -> Decimal:
    """What Athena charges for a statement that reads that many bytes."""
    if size <= 0:
        return Decimal(0)
    charged = max(LEAST, -(-size // MEGABYTE) * MEGABYTE)
    return per_tb * charged / TERABYTE


def request_cost(objects: int, folders: int) -> Decimal:
    """What S3 charges for a statement's requests: a GET an object, a LIST a folder at least."""
    return objects * PRICE_PER_GET + (folders + objects // 1_000) * PRICE_PER_LIST


def format_money(dollars: Decimal) -> str:
    """Return an amount for people: whole cents from one dollar on, two figures that count below."""
    if dollars == 0 or dollars >= 1:
        return f"${dollars:,.2f}"
    places = max(2, 1 - dollars.adjusted())
    return f"${dollars:.{places}f}"


# -- the nightly run ---------------------------------------------------------------------------------------

_PER_REQUEST = {
    # https://aws.amazon.com/s3/pricing/
    ("s3", "ListObjectsV2"): PRICE_PER_LIST,
    ("s3", "PutObject"): PRICE_PER_LIST,
    ("s3", "GetObject"): PRICE_PER_GET,
    # https://aws.amazon.com/cloudwatch/pricing/
    ("cloudwatch", "PutMetricData"): Decimal("0.00001"),
}
_PER_REQUEST_OF = {"glue": Decimal("0.000001")}  # https://aws.amazon.com/glue/pricing/
# https://aws.amazon.com/lambda/pricing/
_PER_INVOCATION = Decimal("0.0000002")
_PER_GB_SECOND = {"arm64": Decimal("0.0000133334"), "x86_64": Decimal("0.0000166667")}
_MB_PER_GB = 1024


def requests_cost(calls: Mapping[str, Mapping[str, int]]) -> Decimal:
    """What AWS charges for calls by service and operation, at list prices; those that cost nothing count for nothing.

    What is free for a while or up to a number (a million requests to Glue a month) is counted all the same.
    """
    return sum(
        (
            count * _PER_REQUEST.get((service, operation), _PER_REQUEST_OF.get(service, Decimal(0)))
            for service, made in calls.items()
            for operation, count in made.items()
        ),
        Decimal(0),
    )


def function_cost(seconds: float, invocations: int, memory_mb: int, architecture: str) -> Decimal:
    """What Lambda charges, at the list prices of us-east-1.

    Args:
        seconds: of all invocations.
        invocations: how many.
        memory_mb: of the function.
        architecture: `arm64` or `x86_64`.
    """
    price = _PER_GB_SECOND.get(architecture, max(_PER_GB_SECOND.values()))
    return Decimal(str(round(seconds, 3))) * memory_mb / _MB_PER_GB * price + invocations * _PER_INVOCATION
