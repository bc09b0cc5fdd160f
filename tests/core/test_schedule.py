from __future__ import annotations

from datetime import UTC, datetime

import pytest

from trailhouse.core.schedule import next_time

NOW = datetime(2026, 11, 22, 22, 4, 30, tzinfo=UTC)  # a Sunday
CREATED = datetime(2026, 11, 20, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 6 * * ? *)", "2026-11-23T06:00"),
        ("cron(0 23 * * ? *)", "2026-11-22T23:00"),
        ("cron(4 22 * * ? *)", "2026-11-23T22:04"),  # this minute has begun
        ("cron(5 22 * * ? *)", "2026-11-22T22:05"),
        ("cron(0/15 * * * ? *)", "2026-11-22T22:15"),
        ("cron(*/20 1,3 * * ? *)", "2026-11-23T01:00"),
        ("cron(30 8 ? * MON-FRI *)", "2026-11-23T08:30"),
        ("cron(30 8 ? * 7 *)", "2026-11-28T08:30"),
        ("cron(0 6 31 * ? *)", "2026-12-31T06:00"),
        ("cron(0 6 29 FEB ? *)", "2028-02-29T06:00"),
        ("cron(0 6 1 1 ? 2028)", "2028-01-01T06:00"),
        ("rate(1 day)", "2026-11-23T09:15"),
        ("rate(12 hours)", "2026-11-23T09:15"),
        ("rate(5 minutes)", "2026-11-22T22:05"),
        ("at(2026-12-01T06:00:00)", "2026-12-01T06:00"),
    ],
)
def test_the_next_time(expression: str, expected: str) -> None:
    assert next_time(expression, NOW, CREATED) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 6 L * ? *)",
        "cron(0 6 ? * MON#1 *)",
        "cron(0 6 15W * ? *)",
        "cron(0 6 * *)",
        "cron(0 6 * * ? 2020)",
        "cron(0 99 * * ? *)",
        "cron(0 6 31 FEB ? *)",
        "rate(0 days)",
        "rate(often)",
        "at(2020-01-01T00:00:00)",
        "at(soon)",
        "every day",
        "",
    ],
)
def test_what_never_begins_again_or_cannot_be_told(expression: str) -> None:
    assert next_time(expression, NOW, CREATED) is None


def test_a_rate_counts_from_when_the_schedule_was_made() -> None:
    assert next_time("rate(1 day)", NOW) is None
    assert next_time("rate(1 day)", CREATED.replace(day=19), CREATED) == CREATED
