"""The tables of docs/costs.md, computed from prices and sizes that stand here and in the page itself.

`tools/docs.py` writes them; its `--check` fails when the page says something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from trailhouse.core.prices import (
    PRICE_PER_GET,
    PRICE_PER_LIST,
    PRICE_PER_TB,
    format_money,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

D = Decimal
_PART = re.compile(r"(<!-- costs: (\w+) -->\n).*?(<!-- end of costs -->)", re.DOTALL)
_NIGHTS = D("30.4")
_REGIONS, _ALL_REGIONS = 17, 34
_KEPT_DAYS, _HEALED_DAYS = 365, 34
_MONTHS_OF_A_WINDOW = D("2.3")
_MEMORY_GB = D("0.5")
_EXPANDS = 10
_GB_OF_A_TB = 1000


@dataclass(frozen=True, slots=True)
class Price:
    """A price of us-east-1 in US dollars, and AWS's page of it."""

    what: str
    amount: Decimal
    unit: str
    page: str


S3, GLUE, ATHENA = "s3/pricing", "glue/pricing", "athena/pricing"
LAMBDA, STEPS, WATCH = "lambda/pricing", "step-functions/pricing", "cloudwatch/pricing"
TRAIL, SECURITY = "cloudtrail/pricing", "security-lake/pricing"

PRICES = {
    "list": Price("S3, listing", PRICE_PER_LIST * 10**6, "a million LIST", S3),
    "get": Price("S3, reading", PRICE_PER_GET * 10**6, "a million GET", S3),
    "store": Price("S3 Standard", D("0.023"), "a GB and month, first 50 TB", S3),
    "object": Price("Glue, tables and partitions beyond the first million", D(1), "100,000 and month", GLUE),
    "call": Price("Glue, requests beyond the first million of a month", D(1), "a million", GLUE),
    "scan": Price("Athena, bytes read, as stored", PRICE_PER_TB, "a TB", ATHENA),
    "second": Price("Lambda, arm64", D("0.0000133334"), "a GB-second", LAMBDA),
    "step": Price("Step Functions, Standard", D("0.025"), "1,000 transitions", STEPS),
    "alarm": Price("CloudWatch, alarms", D("0.10"), "an alarm and month", WATCH),
    "metric": Price("CloudWatch, metrics of one's own", D("0.30"), "a metric and month", WATCH),
    "lake": Price(
        "CloudTrail Lake, one-year extendable: ingestion with a year's retention", D("0.75"), "a GB of JSON", TRAIL
    ),
    "lake_scan": Price("CloudTrail Lake, questions", D("0.005"), "a GB read, as Lake stores it", TRAIL),
    "security": Price("Security Lake, management events of CloudTrail", D("0.75"), "a GB", SECURITY),
    "ocsf": Price("Security Lake, normalization to OCSF", D("0.035"), "a GB", SECURITY),
    "watch": Price("CloudWatch Logs, ingestion, Standard class", D("0.50"), "a GB of JSON", WATCH),
    "watch_store": Price("CloudWatch Logs, storage", D("0.03"), "a GB and month, compressed", WATCH),
    "insights": Price("CloudWatch Logs Insights", D("0.005"), "a GB of JSON read", WATCH),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Customer:
    """A size of customer: what is delivered and asked in a month.

    Attributes:
        name: of the column.
        accounts: that deliver.
        gigabytes: delivered, as stored (gzip).
        objects: delivered.
        seconds: that a nightly run takes, an assumption.
        broad: questions about a week of all accounts.
        narrow: questions about a month of one account.
    """

    name: str
    accounts: int
    gigabytes: int
    objects: int
    seconds: int
    broad: int
    narrow: int

    @property
    def json_gigabytes(self) -> int:
        """What is delivered, decompressed."""
        return self.gigabytes * _EXPANDS

    @property
    def partitions(self) -> int:
        """In the catalog when a year of days is there."""
        empty = (_ALL_REGIONS - _REGIONS) * _HEALED_DAYS
        return self.accounts * (_REGIONS * _KEPT_DAYS + empty)

    @property
    def lists(self) -> Decimal:
        """Requests that list folders, in a month."""
        return self.accounts * (2 + _REGIONS * (_MONTHS_OF_A_WINDOW + 1)) * _NIGHTS

    @property
    def glue_calls(self) -> Decimal:
        """Requests to Glue, in a month: what is there, what is new, what stayed empty."""
        return self.accounts * 5 * _NIGHTS


CUSTOMERS = (
    Customer("small", 3, 2, 100_000, 20, 10, 40),
    Customer("middle", 60, 150, 2_500_000, 90, 40, 160),
    Customer("large", 1_000, 5_000, 40_000_000, 1_200, 100, 400),
)


def _price(name: str) -> Decimal:
    return PRICES[name].amount


def _question(one: Customer, share: Decimal) -> Decimal:
    """What a question costs that reads that share of a month's deliveries."""
    scan = one.gigabytes * share / _GB_OF_A_TB * _price("scan")
    return scan + one.objects * share / 10**6 * _price("get")


def _broad(one: Customer) -> Decimal:
    return _question(one, 7 / _NIGHTS)


def _narrow(one: Customer) -> Decimal:
    return _question(one, D(1) / one.accounts)


def _run(one: Customer) -> dict[str, Decimal]:
    beyond = max(0, one.partitions - 10**6)
    calls = max(D(0), one.glue_calls - 10**6)
    return {
        "S3: folders listed": one.lists / 10**6 * _price("list"),
        "Glue: partitions": beyond / D(100_000) * _price("object"),
        "Glue: requests": calls / 10**6 * _price("call"),
        "Lambda": one.seconds * _NIGHTS * _MEMORY_GB * _price("second"),
        "Step Functions": (8 + 4 * (one.seconds // 700)) * _NIGHTS / 1000 * _price("step"),
        "CloudWatch: two alarms, one metric": 2 * _price("alarm") + _price("metric"),
    }


def _asked(one: Customer) -> Decimal:
    return one.broad * _broad(one) + one.narrow * _narrow(one)


def _per_month(one: Customer) -> Decimal:
    return sum(_run(one).values(), D(0)) + _asked(one)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---", *("--:" for _ in head[1:])), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _money(amount: Decimal) -> str:
    if 0 < amount < D("0.01"):
        return "< $0.01"
    whole = amount.quantize(D(1) if amount >= 100 else D("0.01"), ROUND_HALF_UP)  # noqa: PLR2004 - no cents then
    return f"${whole:,}"


def _sizes() -> str:
    rows = [
        ("accounts", *(f"{one.accounts:,}" for one in CUSTOMERS)),
        ("delivered in a month, as stored", *(f"{one.gigabytes:,} GB" for one in CUSTOMERS)),
        ("the same as JSON (ten times)", *(f"{one.json_gigabytes:,} GB" for one in CUSTOMERS)),
        ("objects in a month", *(f"{one.objects:,}" for one in CUSTOMERS)),
        ("partitions after a year", *(f"{one.partitions:,}" for one in CUSTOMERS)),
        ("questions about a week of all accounts", *(f"{one.broad}" for one in CUSTOMERS)),
        ("questions about a month of one account", *(f"{one.narrow}" for one in CUSTOMERS)),
        ("seconds of a nightly run", *(f"{one.seconds:,}" for one in CUSTOMERS)),
    ]
    return _table(("", *(one.name for one in CUSTOMERS)), rows)


def _month() -> str:
    parts = [_run(one) for one in CUSTOMERS]
    rows = [(name, *(_money(part[name]) for part in parts)) for name in parts[0]]
    rows.append(("**the nightly run**", *(f"**{_money(sum(part.values(), D(0)))}**" for part in parts)))
    rows.append(("one question: a week of all accounts", *(format_money(_broad(one)) for one in CUSTOMERS)))
    rows.append(("one question: a month of one account", *(format_money(_narrow(one)) for one in CUSTOMERS)))
    rows.append(("Athena and S3: all questions", *(_money(_asked(one)) for one in CUSTOMERS)))
    rows.append(("**in all**", *(f"**{_money(_per_month(one))}**" for one in CUSTOMERS)))
    return _table(("in a month", *(one.name for one in CUSTOMERS)), rows)


def _others() -> str:
    stored = {one.name: one.gigabytes * 12 * _price("store") for one in CUSTOMERS}
    lake = [one.json_gigabytes * _price("lake") for one in CUSTOMERS]
    security = [one.json_gigabytes * (_price("security") + _price("ocsf")) for one in CUSTOMERS]
    watch = [
        one.json_gigabytes * _price("watch") + one.gigabytes * 12 * _price("watch_store") for one in CUSTOMERS
    ]
    rows = [
        ("trailhouse on raw logs, questions included", *(_money(_per_month(one)) for one in CUSTOMERS)),
        (
            "+ a year of logs in S3, if nobody else needs them",
            *(_money(stored[one.name]) for one in CUSTOMERS),
        ),
        ("CloudTrail Lake, one-year extendable: ingestion (no new customers)", *map(_money, lake)),
        ("Security Lake, management events: ingestion, normalization", *map(_money, security)),
        ("CloudWatch Logs, Standard: ingestion, a year's storage", *map(_money, watch)),
    ]
    return _table(("in a month, us-east-1", *(one.name for one in CUSTOMERS)), rows)


def _prices() -> str:
    rows = [
        (
            one.what,
            f"${one.amount.normalize():f}",
            one.unit,
            f"[{one.page}](https://aws.amazon.com/{one.page}/)",
        )
        for one in PRICES.values()
    ]
    return _table(("what", "US dollars", "for", "AWS's page"), rows).replace(
        "--: | --: | --:", "--: | --- | ---"
    )


_PARTS = {"sizes": _sizes, "month": _month, "others": _others, "prices": _prices}


def costs_page(page: str) -> str:
    """The page with its tables as they are computed."""
    found = [part[2] for part in _PART.finditer(page)]
    if sorted(found) != sorted(_PARTS):
        raise SystemExit(f"docs/costs.md should have the parts {', '.join(sorted(_PARTS))}, and has {found}")
    return _PART.sub(lambda part: f"{part[1]}\n{_PARTS[part[2]]()}\n{part[3]}", page)
