"""What a run costs, said beforehand and held to."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from trailhouse.core.prices import LEAST, PRICE_PER_GET, PRICE_PER_LIST, PRICE_PER_TB, format_money, scan_cost
from trailhouse.selftest.bucket import bucket
from trailhouse.selftest.check import Put, Sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailhouse.selftest.check import Check

FIRST = Sql("SELECT 1")
"""What every run asks before its checks: whether Athena answers at all."""
LIMIT = Decimal("0.10")
"""Dollars that a run never exceeds."""
PRICE_PER_PUT = Decimal("0.000005")
"""Of S3, as for LIST (https://aws.amazon.com/s3/pricing/)."""
ARCHIVING = Decimal("0.00003")
"""A PUT into Glacier."""
_RESULTS = 2  # objects that Athena writes for a statement: the answer and its description
_OWN_LISTS = 2_000  # by discovery and by the clean-up, at most


@dataclass(frozen=True, slots=True)
class Bill:
    """What a run costs at most, by what it does.

    Attributes:
        statements: for Athena, each at least 10 MB.
        scans: dollars for these.
        requests: dollars for S3: Athena's and ours.
        ours: dollars of these for what is written, listed and removed here.
        objects: that are written.
    """

    statements: int
    scans: Decimal
    requests: Decimal
    ours: Decimal
    objects: int

    @property
    def total(self) -> Decimal:
        """Dollars in all."""
        return self.scans + self.requests

    def sentence(self) -> str:
        """The bill in one line."""
        return (
            f"at most {format_money(self.total)}: {self.statements} statements of 10 MB each "
            f"({format_money(self.scans)}), requests to S3 ({format_money(self.requests)}); "
            f"it stops before {format_money(LIMIT)}"
        )


def statement_cost(folders: int, per_tb: Decimal = PRICE_PER_TB) -> Decimal:
    """Dollars that one statement of ours costs at most: the least that is charged, and Athena's requests to S3."""
    gets = len(bucket().files) * PRICE_PER_GET
    return scan_cost(LEAST, per_tb) + _RESULTS * PRICE_PER_PUT + folders * PRICE_PER_LIST + gets


def bill(checks: Sequence[Check], per_tb: Decimal = PRICE_PER_TB) -> Bill:
    """What a run of these checks costs at most.

    Args:
        checks: all that are to be made.
        per_tb: dollars for a terabyte.
    """
    statements = 1 + sum(check.statements for check in checks)
    puts = [step for check in checks for step in (*check.prepare, *check.steps) if isinstance(step, Put)]
    objects = len(bucket().files) + len(puts) + 1
    first = statement_cost(0, per_tb)
    scans = statements * scan_cost(LEAST, per_tb)
    everything = sum(
        (check.statements * statement_cost(check.folders, per_tb) for check in checks), Decimal()
    )
    archived = sum(one.storage_class != "STANDARD" for one in puts) * ARCHIVING
    ours = objects * PRICE_PER_PUT + _OWN_LISTS * PRICE_PER_LIST + archived
    return Bill(statements, scans, first + everything - scans + ours, ours, objects)


class CostStop(Exception):  # noqa: N818 - no fault: what was promised is kept
    """The next statement could exceed the limit."""


@dataclass(slots=True)
class Purse:
    """What is spent so far.

    Attributes:
        per_tb: dollars for a terabyte.
        limit: dollars never to be exceeded.
        spent: dollars.
        statements: that were sent.
    """

    per_tb: Decimal = PRICE_PER_TB
    limit: Decimal = LIMIT
    spent: Decimal = Decimal()
    statements: int = 0

    def ask(self, folders: int) -> None:
        """Whether one more statement is paid for. Raises CostStop."""
        if self.spent + statement_cost(folders, self.per_tb) > self.limit:
            raise CostStop(
                f"{format_money(self.spent)} are spent, and the limit is {format_money(self.limit)}"
            )

    def watch(self, scanned: int) -> None:
        """Whether a running statement that has read so many bytes may go on. Raises CostStop."""
        if self.spent + scan_cost(scanned, self.per_tb) > self.limit:
            raise CostStop(f"a statement read {scanned:,} bytes, and the limit is {format_money(self.limit)}")

    def pay(self, scanned: int, folders: int) -> None:
        """Count a statement that ended."""
        least = scan_cost(LEAST, self.per_tb)
        self.statements += 1
        self.spent += max(scan_cost(scanned, self.per_tb) - least, Decimal()) + statement_cost(
            folders, self.per_tb
        )
