from collections.abc import Callable, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.core.deliveries import (
    AccountFolder,
    Archived,
    Oddities,
    Oddity,
    OddityCount,
    Stored,
    find_archived,
    group_by_account,
    is_account,
    is_organization,
    is_reachable,
    list_budget,
    months,
    read_day,
    read_number,
    window_end,
)
from trailhouse.core.layout import Kind

ACCOUNT = "111122223333"
DAY = timedelta(days=1)
START = date(2026, 1, 1)
Look = Callable[[date], Stored]


def test_locations_have_one_slash_at_their_end_and_never_two_in_a_row() -> None:
    folder = AccountFolder("logs", "p/AWSLogs/o-abcdefghij", ACCOUNT)
    assert folder.logroot == "logs/p/AWSLogs/o-abcdefghij"
    assert folder.location() == f"s3://logs/p/AWSLogs/o-abcdefghij/{ACCOUNT}/"
    place = f"s3://logs/p/AWSLogs/o-abcdefghij/{ACCOUNT}/CloudTrail-Insight/"
    assert folder.location(Kind.INSIGHT) == place
    assert folder.location(Kind.INSIGHT, "eu-west-1") == f"{place}eu-west-1/"
    assert folder.location(Kind.INSIGHT, "eu-west-1", date(2026, 3, 4)) == f"{place}eu-west-1/2026/03/04/"
    top = AccountFolder("logs", "", ACCOUNT)
    assert (top.logroot, top.location()) == ("logs", f"s3://logs/{ACCOUNT}/")


@pytest.mark.parametrize(
    ("name", "account"),
    [(ACCOUNT, True), ("AAAABBBBCCCC", False), ("aaaabbbbcccc", False), ("1" * 11, False), ("1" * 13, False),
     ("\u0661" * 12, False), ("1" * 12 + "\n", False), ("", False)],
)  # fmt: skip
def test_accounts_are_twelve_digits(name: str, account: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    assert is_account(name) is account
    assert not is_organization(name)
    assert is_organization("o-abcdefghij")


@pytest.mark.parametrize("name", ["", ".", "..", "a\nb", "\x7f", "\x9f", "tab\t"])
def test_what_athena_cannot_reach(name: str) -> None:
    assert not is_reachable(name)


@given(st.text("abcü -_.!€1", min_size=1).filter(lambda name: name not in {".", ".."}))
def test_everything_else_it_can(name: str) -> None:
    assert is_reachable(name)


@given(st.dates())
def test_days_are_read_as_they_are_written(day: date) -> None:
    text = AccountFolder("b", "", ACCOUNT).folder(Kind.CLOUDTRAIL, "r", day).split("/")[-4:-1]
    assert read_day(*text) == day


@pytest.mark.parametrize(
    "name", ["2026/1/02", "2026/02/30", "2026/13/01", "0000/01/01", "٢٠٢٦/01/01", "20 6/01/01", "2026/+1/01"]
)
def test_days_that_are_none(name: str) -> None:
    assert read_day(*name.split("/")) is None
    assert read_number("+7", 2) is None


@given(st.dates(date(1999, 1, 1), date(2040, 1, 1)), st.integers(0, 400))
def test_months_of_a_window(first: date, length: int) -> None:
    last = first + length * DAY
    expected = sorted({((first + n * DAY).year, (first + n * DAY).month) for n in range(length + 1)})
    assert [*months(first, last)] == expected
    assert [*months(last + 31 * DAY, first)] == []


@given(st.dates(date(1999, 1, 1), date(2040, 1, 1)), st.integers(1, 100), st.integers(0, 40))
def test_the_budget_covers_every_window(today: date, days: int, regions: int) -> None:
    touched = len([*months(today - days * DAY, window_end(today))])
    assert 2 + regions * (touched + 1) <= list_budget(regions, days)


def test_the_budget_of_ninety_days() -> None:
    assert [list_budget(regions) for regions in (0, 1, 20)] == [3, 9, 123]


def test_accounts_are_grouped() -> None:
    a, b = AccountFolder("x", "AWSLogs", "1" * 12), AccountFolder("x", "AWSLogs/o-abcdefghij", "1" * 12)
    c = AccountFolder("a", "AWSLogs", "2" * 12)
    assert [*group_by_account([c, b, a, c]).items()] == [("1" * 12, (a, b)), ("2" * 12, (c,))]


def test_oddities_are_counted_and_the_first_named() -> None:
    counting = Oddities()
    for number in reversed(range(2000)):
        counting.add(Oddity.FILE, f"s3://b/{number:04}")
        counting.add_service(f"Service{number}")
    counting.add_service("Service1999")
    services, files = counting.found()
    assert files == OddityCount(Oddity.FILE, 2000, tuple(f"s3://b/{number:04}" for number in range(10)))
    assert (services.oddity, services.count, len(services.samples)) == (Oddity.SERVICE, 2001, 10)
    assert dict(counting.services)["others"] == 1000
    assert dict(counting.services)["Service1999"] == 2


def look_at(classes: Sequence[str], seen: list[date], restored: Sequence[int] = ()) -> Look:
    def look(day: date) -> Stored:
        seen.append(day)
        number = (day - START).days
        return Stored(classes[number], number in restored)

    return look


@given(st.integers(1, 200), st.integers(0, 200), st.integers(0, 200), st.integers(-5, 5))
def test_archives_by_age_are_found_exactly(length: int, deep: int, cold: int, off: int) -> None:
    classes = (["DEEP_ARCHIVE"] * deep + ["GLACIER"] * cold + ["STANDARD"] * length)[:length]
    days = [START + number * DAY for number in range(length)]
    seen: list[date] = []
    found = find_archived(days, look_at(classes, seen))
    covered = {
        one.first + n * DAY: one.storage_class
        for one in found
        for n in range((one.last - one.first).days + 1)
    }
    assert covered == {day: kept for day, kept in zip(days, classes, strict=True) if kept != "STANDARD"}
    assert len(seen) == len(set(seen)) <= 2 + 2 * length.bit_length()
    if not found:
        assert seen == days[:1]
    hinted: list[date] = []
    hints = [one.last + off * DAY for one in found]
    assert find_archived(days, look_at(classes, hinted), hints) == found
    if not off and len(found) == 1:
        assert len(hinted) <= 4


def test_a_copy_counts_as_restored_where_all_are() -> None:
    days = [START + number * DAY for number in range(8)]
    classes = ["GLACIER"] * 8
    assert find_archived(days, look_at(classes, [], range(8))) == (
        Archived("GLACIER", days[0], days[-1], restored=True),
    )
    assert not find_archived(days, look_at(classes, [], [0]))[0].restored
    assert find_archived([], look_at([], [])) == ()
