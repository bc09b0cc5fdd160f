from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailhouse.core.rhythm import (
    EVERYWHERE,
    LEAST_DAYS,
    LEAST_SILENCE,
    WINDOW_DAYS,
    Silence,
    last_whole_day,
    latest,
    silence,
    silences,
)

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
DAY = timedelta(days=1)


def ago(*days: int) -> set[date]:
    return {TODAY - back * DAY for back in days}


def at(day: date, hour: int = 6) -> datetime:
    return datetime.combine(day, time(hour), UTC)


EVERY_DAY = ago(*range(41))


def test_who_delivers_every_day_is_silent_after_two_whole_days() -> None:
    assert silence(EVERY_DAY - ago(0), NOW) is None
    assert silence(EVERY_DAY - ago(0, 1), NOW) is None
    assert silence(EVERY_DAY - ago(0, 1, 2), NOW) == Silence(TODAY - 2 * DAY, 1)


def test_yesterday_does_not_count_in_the_first_hours() -> None:
    early = at(TODAY, 1)
    assert silence(EVERY_DAY - ago(0, 1, 2), early) is None
    assert silence(EVERY_DAY - ago(0, 1, 2, 3), early) == Silence(TODAY - 3 * DAY, 1)
    assert (last_whole_day(early), last_whole_day(at(TODAY, 2))) == (TODAY - 2 * DAY, TODAY - DAY)


def test_week_ends_are_no_silence() -> None:
    working = {day for day in EVERY_DAY if day.weekday() < 5 and day <= TODAY - 4 * DAY}
    assert max(working) == date(2026, 2, 26)  # a Thursday; the Friday is missing, too
    assert silence(working, NOW) is None
    assert silence(working, at(TODAY + 2 * DAY)) is None
    assert silence(working, at(TODAY + 3 * DAY)) == Silence(date(2026, 2, 27), 3)


def test_too_few_days_are_no_rhythm() -> None:
    assert silence(ago(*range(10, 16)), NOW) is None
    assert silence(ago(*range(10, 17)), NOW) == Silence(TODAY - 9 * DAY, 1)
    assert silence(set(), NOW) is None


def test_who_delivers_seldom_may_pause() -> None:
    seldom = ago(10, 15, 20, 25, 30, 35, 40)
    assert silence(seldom, NOW) is None
    assert silence(ago(11, 16, 21, 26, 30, 31, 36), NOW) == Silence(TODAY - 10 * DAY, 5)


def test_days_before_the_window_say_nothing() -> None:
    old = ago(*range(41, 90))
    assert silence(old, NOW) is None
    assert silence(old | ago(30), NOW) is None


def test_a_known_silence_stays_when_its_days_have_left_the_window() -> None:
    known = Silence(TODAY - 60 * DAY, 1)
    assert silence(set(), NOW, known) is known
    assert silence(ago(70), NOW, known) is known


def test_a_known_silence_ends_with_a_delivery() -> None:
    known = Silence(TODAY - 10 * DAY, 1)
    assert silence(ago(0, *range(11, 41)), NOW, known) is None
    assert silence(ago(*range(5, 41)), NOW, known) == Silence(TODAY - 4 * DAY, 1), "another one"


def test_an_account_is_told_and_not_its_regions() -> None:
    gone = EVERY_DAY - ago(0, 1, 2)
    whole = Silence(TODAY - 2 * DAY, 1)
    assert silences({"a": gone, "b": gone}, NOW, {}) == {EVERYWHERE: whole}
    assert silences({"a": gone, "b": EVERY_DAY}, NOW, {}) == {"a": whole}


def test_a_region_that_was_silent_before_its_account_stays() -> None:
    gone, known = EVERY_DAY - ago(0, 1, 2), Silence(TODAY - 20 * DAY, 1)
    regions = {"a": EVERY_DAY - ago(*range(21)), "b": gone, "c": gone}
    assert silences(regions, NOW, {"a": known}) == {EVERYWHERE: Silence(TODAY - 2 * DAY, 1), "a": known}


def test_what_has_no_folder_is_over() -> None:
    known = {EVERYWHERE: Silence(TODAY - 20 * DAY), "a": Silence(TODAY - 20 * DAY)}
    assert silences({}, NOW, known) == {}
    assert silences({"b": EVERY_DAY}, NOW, known) == {}


def test_last_days() -> None:
    assert latest({"b": ago(3, 1), "a": set(), "c": ago(-1)}) == {"b": TODAY - DAY, "c": TODAY + DAY}


# -- night after night -------------------------------------------------------------------------------------

LENGTH = 130
HISTORIES = st.lists(st.booleans(), min_size=LENGTH, max_size=LENGTH).flatmap(
    lambda coin: st.lists(
        st.tuples(st.sampled_from(["every day", "no day", "some days"]), st.integers(1, 60)),
        min_size=1,
        max_size=8,
    ).map(
        lambda spans: [
            mode == "every day" or (mode == "some days" and lucky) for (mode, lucky) in _spread(spans, coin)
        ]
    )
)


def _spread(spans: list[tuple[str, int]], coin: list[bool]) -> list[tuple[str, bool]]:
    modes = [mode for mode, length in spans for _ in range(length)]
    return list(zip((modes * LENGTH)[:LENGTH], coin, strict=True))


def nights(delivered: list[bool], missed: set[int]) -> list[tuple[int, Silence | None]]:
    """What each night's run says; a run sees the days up to its own morning."""
    first = TODAY - LENGTH * DAY
    days = [first + number * DAY for number, here in enumerate(delivered) if here]
    known: Silence | None = None
    said = []
    for number in range(LENGTH):
        if number in missed:
            continue
        today = first + number * DAY
        seen = [day for day in days if today - 90 * DAY <= day <= today]
        known = silence(seen, at(today), known)
        said.append((number, known))
    return said


@settings(max_examples=50)
@given(HISTORIES, st.sets(st.integers(0, LENGTH), max_size=30))
def test_each_silence_is_told_once_and_ends(delivered: list[bool], missed: set[int]) -> None:
    first = TODAY - LENGTH * DAY
    told: list[date] = []
    before: Silence | None = None
    for number, found in nights(delivered, missed):
        if found and (before is None or before.since != found.since):
            told.append(found.since)
        if found:
            since = (found.since - first).days
            assert not any(delivered[since : number + 1]), "nothing came since then"
            assert delivered[since - 1], "something came before"
            assert number - since >= LEAST_SILENCE
        before = found
    assert len(told) == len(set(told)), "one silence is told once"


@settings(max_examples=50)
@given(HISTORIES)
def test_who_keeps_the_rhythm_is_never_called_silent(delivered: list[bool]) -> None:
    for number, found in nights(delivered, set()):
        if any(delivered[max(0, number - LEAST_SILENCE) : number + 1]):
            assert found is None


@pytest.mark.parametrize("length", [LEAST_DAYS, 20, WINDOW_DAYS])
def test_who_stops_is_told_in_time(length: int) -> None:
    delivered = [False] * (LENGTH - length - 80) + [True] * length + [False] * 80
    said = [number for number, found in nights(delivered, set()) if found]
    assert said == list(range(LENGTH - 80 + LEAST_SILENCE, LENGTH))


@settings(max_examples=50)
@given(st.lists(HISTORIES, min_size=1, max_size=3))
def test_each_silence_of_an_account_and_its_regions_is_told_once_and_ends(
    histories: list[list[bool]],
) -> None:
    first, quiet = TODAY - LENGTH * DAY, LENGTH - 20
    names = [f"r{number}" for number in range(len(histories))]
    days = {
        name: [first + number * DAY for number in range(LENGTH) if number >= quiet or history[number]]
        for name, history in zip(names, histories, strict=True)
    }
    known: dict[str, Silence] = {}
    told: list[tuple[str, date]] = []
    for number in range(LENGTH):
        today = first + number * DAY
        seen = {
            name: [day for day in found if today - WINDOW_DAYS * DAY <= day <= today]
            for name, found in days.items()
            if any(day <= today for day in found)
        }
        found = silences(seen, at(today), known)
        told += [(name, one.since) for name, one in found.items() if known.get(name) != one]
        if EVERYWHERE in found:
            assert {name for name in found if name not in known} <= {EVERYWHERE}, "its regions are part of it"
        known = found
    assert len(told) == len(set(told)), "one silence is told once"
    assert known == {}, "all deliver again: every silence has ended"
