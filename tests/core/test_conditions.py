"""Conditions are three-valued, never narrower than meant, and never too long for Glue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.core.conditions import (
    ANYTHING,
    EXPRESSION_LIMIT,
    NOTHING,
    Compare,
    Condition,
    either,
    equal_values,
    every,
    expression,
    holds,
    keys_of,
    negated,
    on_keys,
)

KEYS = ("year", "month", "day")
VALUES = ("01", "02", "2023", "it's")

leaves = st.builds(
    lambda key, op, value: Compare(key, op, (value,)),
    st.sampled_from(KEYS),
    st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
    st.sampled_from(VALUES),
) | st.builds(
    lambda key, op, values: Compare(key, op, tuple(values)),
    st.sampled_from(KEYS),
    st.sampled_from(["in", "not in"]),
    st.lists(st.sampled_from(VALUES), min_size=1, max_size=3),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    leaves,
    lambda inner: (
        st.builds(lambda parts: every(*parts), st.lists(inner, max_size=3))
        | st.builds(lambda parts: either(*parts), st.lists(inner, max_size=3))
    ),
    max_leaves=12,
)
rows = st.fixed_dictionaries({key: st.sampled_from(VALUES) for key in KEYS})


@given(conditions, rows, st.sets(st.sampled_from(KEYS)))
def test_what_some_keys_decide_the_others_do_not_change(
    condition: Condition, row: dict[str, str], known: set[str]
) -> None:
    partly = holds(condition, {key: row[key] for key in known})
    assert partly is None or partly is holds(condition, row)


@given(conditions, rows, st.sets(st.sampled_from(KEYS)))
def test_fewer_keys_never_demand_more(condition: Condition, row: dict[str, str], keys: set[str]) -> None:
    wider = on_keys(condition, keys)
    assert keys_of(wider) <= keys
    assert holds(wider, row) or not holds(condition, row)


@given(leaves, rows)
def test_the_opposite_holds_where_it_does_not(leaf: Compare, row: dict[str, str]) -> None:
    assert holds(negated(leaf), row) is not holds(leaf, row)


@given(conditions, rows, st.sampled_from(KEYS))
def test_a_row_that_holds_has_one_of_the_equal_values(
    condition: Condition, row: dict[str, str], key: str
) -> None:
    values = equal_values(condition, key)
    assert values is None or row[key] in values or not holds(condition, row)


@given(conditions)
def test_expressions_fit(condition: Condition) -> None:
    if condition != NOTHING:
        assert len(expression(condition)) <= EXPRESSION_LIMIT


def test_expressions_are_sql() -> None:
    day = either(
        Compare("month", ">", ("07",)), every(Compare("month", "=", ("07",)), Compare("day", ">=", ("10",)))
    )
    both = every(Compare("year", "in", ("2022", "it's")), day)
    assert (
        expression(both) == "year IN ('2022', 'it''s') AND (month > '07' OR (month = '07' AND day >= '10'))"
    )
    assert expression(ANYTHING) == ""


def test_what_does_not_fit_is_left_to_us() -> None:
    long = Compare("account", "in", tuple(f"{n:012}" for n in range(500)))
    assert expression(every(Compare("year", "=", ("2023",)), long)) == "year = '2023'"
    assert expression(every(Compare("region", "like", ("us-%",)), long)) == ""


def test_nothing_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="no partition is meant"):
        expression(NOTHING)


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [("us-%", "us-east-1", True), ("us_east-1", "us-east-1", True), ("us.%", "us-east-1", False)],
)
def test_like_is_sql(pattern: str, value: str, fits: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert holds(Compare("region", "like", (pattern,)), {"region": value}) is fits
    assert holds(Compare("region", "not like", (pattern,)), {"region": value}) is not fits
