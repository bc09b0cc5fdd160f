from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from trailhouse.dialect.event_data_store.times import Bounds, constant, literal, moment_of_text, span_of
from trailhouse.dialect.grammar import parse, to_athena

NOW = datetime(2026, 3, 31, 12, 34, 56, tzinfo=UTC)


def value(sql: str) -> datetime | None:
    tree = parse(f"SELECT {sql}")
    assert isinstance(tree, exp.Select)
    return constant(tree.expressions[0], NOW)


@pytest.mark.parametrize(
    ("sql", "moment"),
    [
        ("'2026-03-04'", datetime(2026, 3, 4, tzinfo=UTC)),
        ("'2026-3-4 5:06'", datetime(2026, 3, 4, 5, 6, tzinfo=UTC)),
        ("'2026-03-04 05:06:07.5'", datetime(2026, 3, 4, 5, 6, 7, 500_000, tzinfo=UTC)),
        ("'2026-03-04T05:06:07Z'", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("'2026-03-04 05:06:07 UTC'", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("'2026-03-04 05:06:07+02:00'", datetime(2026, 3, 4, 3, 6, 7, tzinfo=UTC)),
        ("'2026-03-04 05:06:07-0230'", datetime(2026, 3, 4, 7, 36, 7, tzinfo=UTC)),
        ("TIMESTAMP '2026-03-04 05:06:07'", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("DATE '2026-03-04'", datetime(2026, 3, 4, tzinfo=UTC)),
        ("CAST('2026-03-04 05:06:07' AS date)", datetime(2026, 3, 4, tzinfo=UTC)),
        ("from_iso8601_timestamp('2026-03-04T05:06:07Z')", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("(now())", NOW),
        ("current_timestamp", NOW),
        ("localtimestamp", NOW),
        ("current_date", datetime(2026, 3, 31, tzinfo=UTC)),
        ("date(now())", datetime(2026, 3, 31, tzinfo=UTC)),
        ("now() - INTERVAL '2' DAY", NOW - timedelta(days=2)),
        ("now() + INTERVAL '3' HOUR", NOW + timedelta(hours=3)),
        ("current_date - INTERVAL '1' MONTH", datetime(2026, 2, 28, tzinfo=UTC)),
        ("date_add('day', -7, now())", NOW - timedelta(days=7)),
        ("date_add('year', (-1), current_date)", datetime(2025, 3, 31, tzinfo=UTC)),
        ("date_trunc('month', now())", datetime(2026, 3, 1, tzinfo=UTC)),
        ("date_trunc('week', now())", datetime(2026, 3, 30, tzinfo=UTC)),
        ("date_trunc('second', now())", NOW),
    ],
)
def test_a_constant_is_worked_out(sql: str, moment: datetime) -> None:
    assert value(sql) == moment


@pytest.mark.parametrize(
    "sql",
    [
        "'yesterday'", "'2026-02-30'", "'2026-03-04 25:00:00'", "7", "eventtime", "now(1)", "upper('2026-03-04')",
        "date_add('day', x, now())", "date_add('fortnight', 1, now())", "date_trunc('decade', now())",
        "now() - INTERVAL '1' day * 2", "'2026-03-04' || 'x'", "date_add('year', 9999, now())", "date('x')",
        "CAST(now() AS varchar)", "date_add('day', 1)", "now() - x",
    ],
)  # fmt: skip
def test_what_is_no_constant_or_no_time(sql: str) -> None:
    assert value(sql) is None


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
def test_what_is_written_is_read_again(moment: datetime) -> None:
    written = literal(moment)
    assert value(to_athena(written)) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert moment_of_text(moment.isoformat()) == moment


def test_bounds_narrow_each_other() -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    assert Bounds(early).narrowed(Bounds(late)) == Bounds(late)
    assert Bounds(None, late).narrowed(Bounds(None, early)) == Bounds(None, early)
    assert Bounds().narrowed(Bounds()) == Bounds()


def test_a_span_is_known_where_it_is_always_the_same() -> None:
    assert span_of("hour") == timedelta(hours=1)
    assert span_of("month") is None
