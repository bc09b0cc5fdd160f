"""The declarations: complete, consistent, affordable."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from selftest.rig import BUCKET, TOKEN
from trailhouse.selftest import CHECKS, LIMIT, Place, bill
from trailhouse.selftest.assumptions import ASSUMPTIONS, Mark
from trailhouse.selftest.bucket import bucket
from trailhouse.selftest.check import Check, Make, Put, Sql
from trailhouse.selftest.page import statement
from trailhouse.selftest.runner import words_of
from trailhouse.selftest.scratch import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = Words(words_of(Place(BUCKET, TOKEN), "primary") | dict(bucket().words))


def test_every_assumption_has_a_check_that_settles_it() -> None:
    settled = {assumption for check in CHECKS for assumption in check.settles}
    assert {one.id for one in ASSUMPTIONS} == settled
    assert {one.mark for one in ASSUMPTIONS} == set(Mark)


def test_assumptions_and_checks_are_there_once_and_say_something() -> None:
    for counted in (Counter(one.id for one in ASSUMPTIONS), Counter(check.id for check in CHECKS)):
        assert max(counted.values()) == 1
    assert all(one.statement and one.used for one in ASSUMPTIONS)
    for check in CHECKS:
        assert check.question.endswith("?")
        assert check.settles
        assert check.steps
        assert check.expect.describe()
        assert re.fullmatch(r"[a-z]+\.[a-z0-9_]+", check.id)
        assert statement(check)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_every_word_of_a_check_is_known(check: Check) -> None:
    for text in texts(check):
        filled = WORDS(text)
        assert not re.search(r"(?<!\$)\{[a-z_]+\}", filled), filled


def texts(check: Check) -> Iterator[str]:
    for step in (*check.prepare, *check.steps):
        if isinstance(step, Sql):
            yield step.text
        if isinstance(step, Make):
            yield step.location
            yield from (piece.location for piece in step.pieces)
            yield from (value for _, value in step.parameters)


def test_words_of_athena_are_left_alone() -> None:
    assert WORDS("s3://${logroot}/{token}/") == f"s3://${{logroot}}/{TOKEN}/"
    with pytest.raises(KeyError):
        WORDS("{nobody}")


def test_every_table_of_a_check_is_made_in_its_theme() -> None:
    """Themes can be asked for alone."""
    made: dict[str, set[str]] = {}
    for check in CHECKS:
        own = made.setdefault(check.theme, {"lake"} if check.theme == "iceberg" else set())
        own |= {step.name for step in check.prepare if isinstance(step, Make)}
        asked = [step.text for step in check.steps if isinstance(step, Sql)]
        own |= {name for text in asked for name in re.findall(r"VIEW (\w+)", text)}
        read = {name for text in asked for name in re.findall(r"FROM ([a-z_]+)\b(?!\()", text)}
        assert read <= own, check.id


def test_no_object_is_written_twice() -> None:
    keys = [step.key for check in CHECKS for step in check.prepare if isinstance(step, Put)]
    assert len(keys) == len(set(keys))


def test_a_run_costs_less_than_its_limit() -> None:
    costs = bill(CHECKS)
    assert costs.statements == 1 + sum(check.statements for check in CHECKS)
    assert costs.total < LIMIT
    assert costs.scans == costs.statements * LIMIT / 2000
    assert "at most $0.0" in costs.sentence()
    assert 50 <= costs.objects <= 75


def test_the_bucket_is_small_and_has_all_kinds() -> None:
    made = bucket()
    assert 30 <= len(made.files) <= 50
    assert {file.kind for file in made.files} == {"cloudtrail", "insight", "network", "aggregated"}
    assert sum(len(file.body) for file in made.files) < 100_000
    truth = made.truth
    assert truth["delivered"] > truth["events"]
    assert truth["roots"] == ((2,),)
    for name in ("errors", "names", "recipients", "eventids", "accounts", "regions", "insight", "network"):
        assert truth[name], name
    assert sum(row[-1] for row in truth["accounts"]) == truth["delivered"][0][0]
    assert max(file.day for file in made.files) > min(file.day for file in made.files)
