"""Projected partitions are computed as Athena documents it."""

from datetime import UTC, datetime

import pytest

from trailhouse.core.conditions import ANYTHING, Compare, either, every
from trailhouse.core.projection import is_projected, location, projected

NOW = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)


def values(key: str, condition=ANYTHING, **said: str) -> list[str]:  # noqa: ANN001 - a condition
    parameters = {f"projection.{key}.{name.replace('__', '.')}": value for name, value in said.items()}
    return [found[key] for found in projected([key], parameters, condition, NOW)]


def test_white_space_in_an_enum_counts() -> None:
    assert values("region", type="enum", values="eu-west-1, us-east-1") == ["eu-west-1", " us-east-1"]


def test_integers_have_digits_and_steps() -> None:
    assert values("month", type="integer", range="8,12", digits="2", interval="2") == ["08", "10", "12"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"range": "2026/11/20,NOW", "format": "yyyy/MM/dd"}, ["2026/11/20", "2026/11/21", "2026/11/22"]),
        ({"range": "NOW-1DAYS,NOW", "format": "yyyy-MM-dd"}, ["2026-11-21", "2026-11-22"]),
        ({"range": "NOW-2MONTHS, NOW ", "format": "yyyyMM"}, ["202609", "202610", "202611"]),
        (
            {"range": "NOW-2HOURS,NOW", "format": "yyyy-MM-dd-HH", "interval__unit": "HOURS"},
            ["2026-11-22-11", "2026-11-22-12", "2026-11-22-13"],
        ),
        (
            {"range": "NOW-3YEARS,NOW", "format": "yyyy", "interval__unit": "YEARS"},
            ["2023", "2024", "2025", "2026"],
        ),
    ],
)
def test_dates(said: dict[str, str], expected: list[str]) -> None:
    assert values("day", type="date", **said) == expected


def test_injected_keys_take_what_is_asked_for() -> None:
    asked = either(Compare("account", "=", ("2",)), Compare("account", "in", ("1", "3")))
    assert values("account", asked, type="injected") == ["1", "2", "3"]
    with pytest.raises(ValueError, match="account is injected"):
        values("account", type="injected")


@pytest.mark.parametrize(
    "said",
    [
        {}, {"type": "enum"}, {"type": "other"}, {"type": "integer", "range": "a,b"},
        {"type": "date", "range": "NOW,NOW", "format": "EEE"},
        {"type": "date", "range": "NOW,NOW", "format": "yyyy"},
        {"type": "date", "range": "NOW-1FORTNIGHT,NOW", "format": "yyyy-MM-dd"},
    ],
)  # fmt: skip
def test_what_is_incomplete_or_unknown_is_said(said: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        values("key", **said)


def test_several_keys_are_combined_as_far_as_the_condition_goes() -> None:
    parameters = {
        "projection.enabled": "TRUE",
        "projection.year.type": "integer", "projection.year.range": "2000,2026",
        "projection.month.type": "integer", "projection.month.range": "1,12", "projection.month.digits": "2",
        "projection.day.type": "integer", "projection.day.range": "1,31", "projection.day.digits": "2",
        "storage.location.template": "s3://logs/${year}/${month}/${day}/",
    }  # fmt: skip
    keys = ["year", "month", "day"]
    last = every(
        Compare("year", "=", ("2026",)), Compare("month", ">=", ("12",)), Compare("day", "<", ("03",))
    )
    found = list(projected(keys, parameters, last, NOW))
    assert is_projected(parameters)
    assert [location(parameters, one, "s3://logs/", keys) for one in found] == [
        "s3://logs/2026/12/01/",
        "s3://logs/2026/12/02/",
    ]


def test_without_a_template_it_is_hives_way() -> None:
    assert location({}, {"a": "1", "b": "2"}, "s3://logs/x", ["a", "b"]) == "s3://logs/x/a=1/b=2/"
