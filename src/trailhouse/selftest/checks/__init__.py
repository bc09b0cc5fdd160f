"""The checks, by theme."""

from trailhouse.selftest.check import Check
from trailhouse.selftest.checks import iceberg, limits, partitions, projection, reading, shapes, sql

CHECKS: tuple[Check, ...] = (
    *shapes.CHECKS,
    *reading.CHECKS,
    *partitions.CHECKS,
    *projection.CHECKS,
    *sql.CHECKS,
    *iceberg.CHECKS,
    *limits.CHECKS,
)
"""All of them, in the order in which they are made."""
