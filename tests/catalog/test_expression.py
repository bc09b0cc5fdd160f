from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bed import expression as oracle
from trailhouse.catalog.expression import names, partitions
from trailhouse.core.conditions import EXPRESSION_LIMIT
from trailhouse.core.state import ACCOUNT_KEYS, SINGLE_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable

DAYS = st.dates(date(1999, 1, 1), date(2101, 1, 1))


class Days:
    """Rows that the oracle filters."""

    def __init__(self, days: list[date]) -> None:
        self.days = days

    def __len__(self) -> int:
        return len(self.days)

    def mask(self, key: int, test: Callable[[str], bool]) -> object:
        texts = [("a", "r", f"{d.year:04}", f"{d.month:02}", f"{d.day:02}", "l")[key] for d in self.days]
        return np.array([test(text) for text in texts], dtype=bool)


@given(DAYS, st.lists(DAYS, min_size=1))
def test_the_filter_takes_that_day_and_later_ones(since: date, days: list[date]) -> None:
    days += [since, since - timedelta(days=1), since + timedelta(days=1)]
    node = oracle.parse(partitions(SINGLE_KEYS, None, since), [(key, "string") for key in SINGLE_KEYS])
    assert list(node(Days(days))) == [day >= since for day in days]  # type: ignore[arg-type]  # it asks for `mask` only


def test_the_filter_is_short_enough() -> None:
    assert len(partitions(SINGLE_KEYS, "111122223333", date(2026, 11, 22))) < EXPRESSION_LIMIT


def test_a_filter_needs_its_keys() -> None:
    assert partitions(ACCOUNT_KEYS, "111122223333", None) == ""
    assert partitions(("account", "timestamp"), None, date(2026, 1, 1)) == ""
    assert partitions(SINGLE_KEYS, "1'1", None) == "account = '1''1'"


@pytest.mark.parametrize("name", ["cloudtrail", "cloudtrail_111122223333", "cloudtrailer"])
def test_the_pattern_of_names_works_as_a_regular_expression_and_with_wildcards(name: str) -> None:
    pattern = names("cloudtrail")
    assert re.fullmatch(pattern, name)
    assert re.fullmatch(pattern.replace("*", ".*"), name)
    assert not re.fullmatch(pattern, "other")
