from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.core.times import format_duration, format_time, parse_duration, parse_time

NOW = datetime(2023, 7, 17, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-07-10", datetime(2023, 7, 10, tzinfo=UTC)),
        ("2023-07-10T11:00:00Z", datetime(2023, 7, 10, 11, tzinfo=UTC)),
        ("2023-07-10t11:00z", datetime(2023, 7, 10, 11, tzinfo=UTC)),
        ("2023-07-10 11:00:00", datetime(2023, 7, 10, 11, tzinfo=UTC)),
        ("2023-07-10T11:00:00.25Z", datetime(2023, 7, 10, 11, 0, 0, 250_000, tzinfo=UTC)),
        ("2023-07-10T13:00+02:00", datetime(2023, 7, 10, 11, tzinfo=UTC)),
        ("2023-07-10 13:00 +0200", datetime(2023, 7, 10, 11, tzinfo=UTC)),
        (" 7d ", datetime(2023, 7, 10, 12, tzinfo=UTC)),
        ("36h", datetime(2023, 7, 16, tzinfo=UTC)),
        ("1d12h", datetime(2023, 7, 16, tzinfo=UTC)),
    ],
)
def test_parse_time(text: str, expected: datetime) -> None:
    moment = parse_time(text, NOW)
    assert moment == expected
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2023-7-1", "2023-02-30", "2023-07-10T25:00", "7", "d", "-7d", "7d!", "999999999w",
     "0001-01-01T00:00+02:00", "2023-07-10T11:00:00 CEST", "\u0667d", "20230710"],
)  # fmt: skip
def test_parse_time_names_what_it_could_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no |lies before"):
        parse_time(text, NOW)


def test_now_may_be_in_any_zone() -> None:
    local = NOW.astimezone(timezone(timedelta(hours=9)))
    assert parse_time("1d", local) == NOW - timedelta(days=1)


def test_duration_faults_say_what_would_be_right() -> None:
    with pytest.raises(ValueError, match="such as 36h or 1d"):
        parse_duration("a day")


@given(st.integers(min_value=0, max_value=10**9))
def test_durations_round_trip(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert parse_duration(format_duration(length)) == length


@given(st.datetimes(min_value=datetime(1000, 1, 1), max_value=datetime(9998, 1, 1)))  # noqa: DTZ001 - UTC is put on below
def test_times_round_trip(naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC)
    assert parse_time(format_time(moment), NOW) == moment


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert parse_time(text, NOW).tzinfo is UTC
