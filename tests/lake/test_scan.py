import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.lake.scan import ScanError, checked_end, elements, members, skip_space, value_end

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
LAYOUTS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{"separators": (",", ":")}, {"indent": 2}, {"ensure_ascii": False}, {"indent": "\t"}]
)


@given(VALUES, LAYOUTS, st.sampled_from(["", " ", ",", "]", "}", '"', "[1"]))
def test_both_find_the_end_of_any_value(value: object, layout: dict[str, Any], behind: str) -> None:
    text = json.dumps(value, **layout).encode()
    assert value_end(text + behind.encode(), 0) == len(text)
    assert checked_end(text + behind.encode(), 0) == len(text)


@given(st.lists(VALUES, max_size=6), LAYOUTS)
def test_elements_are_sliced_exactly(values: list[object], layout: dict[str, Any]) -> None:
    text = json.dumps(values, **layout).encode()
    for end_of in (value_end, checked_end):
        assert [json.loads(text[s:e]) for s, e in elements(text, 0, end_of)] == values


@given(st.dictionaries(st.text(), VALUES, max_size=6), LAYOUTS)
def test_members_are_sliced_exactly(value: dict[str, object], layout: dict[str, Any]) -> None:
    text = json.dumps(value, **layout).encode()
    assert {json.loads(name): json.loads(text[s:e]) for name, s, e in members(text, 0)} == value


@given(VALUES, st.data())
def test_checked_end_takes_what_json_takes_and_nothing_else(value: object, data: st.DataObject) -> None:
    text = bytearray(json.dumps(value).encode())
    at = data.draw(st.integers(0, len(text) - 1))
    text[at] = data.draw(st.sampled_from(b'{}[]",:\\ 0-e.tx\x01\x0b'))
    changed = bytes(text)
    try:
        json.loads(changed, parse_constant=lambda name: pytest.fail(name) if name == "" else int("x"))
        valid = not changed[:1].isspace() and changed == changed.strip()
    except ValueError:
        valid = False
    try:
        whole = checked_end(changed, 0) == len(changed)
    except ScanError:
        whole = False
    assert whole == valid


@pytest.mark.parametrize(
    "text",
    [
        b'"\\ud800"', b'{"\\udfff":1}', b"-0.5e+10", b"[]", b"{}", b"[ ]", b'{ "a" : [ { } , null ] }',
        b'"\xff\xfe"', b'"\\\\"', b'"\\""', b'{"a":1,"a":2}', b"[" * 100_000 + b"]" * 100_000,
    ],
)  # fmt: skip
def test_good_values(text: bytes) -> None:
    assert value_end(text, 0) == len(text)
    assert checked_end(text, 0) == len(text)


@pytest.mark.parametrize(
    "text",
    [
        b"", b"[", b'{"a"', b'{"a":', b'{"a":1', b'{"a":1,', b'{"a":1,}', b"[1,]", b"[,1]", b"[1 2]",
        b"{1:2}",        b'{"a" 1}', b'{"a":}', b"nul", b'"', b'"abc', b'"\n"', b'"\\x"', b'"\\u12g4"',
        b'["a]', b"[1}",        b'{"a":1]', b"+1", b".5", b"'a'", b"NaN", b"}", b"]", b"[}", b'{"a":"b\\"}',
    ],
)  # fmt: skip
def test_broken_values(text: bytes) -> None:
    with pytest.raises(ScanError):
        checked_end(text, 0)


@pytest.mark.parametrize("text", [b"01", b"1.", b"1e", b"truex", b"1x"])
def test_the_end_is_where_the_value_stops_to_be_one(text: bytes) -> None:
    assert checked_end(text, 0) < len(text)


def test_errors_tell_where() -> None:
    with pytest.raises(ScanError) as caught:
        list(elements(b'[1,{"a":2},{"a":nul},3]', 0, checked_end))
    assert (caught.value.position, caught.value.noticed) == (11, 16)
    with pytest.raises(ScanError) as caught:
        list(elements(b'[1,{"a":"x', 0))
    assert (caught.value.position, caught.value.noticed) == (3, 10)


@given(VALUES.filter(lambda value: isinstance(value, dict | list)), st.data())
def test_a_cut_is_noticed_at_the_end_of_the_text(value: object, data: st.DataObject) -> None:
    text = json.dumps(value).encode()
    cut = text[: data.draw(st.integers(1, len(text) - 1))]
    with pytest.raises(ScanError) as caught:
        value_end(cut, 0)
    assert caught.value.noticed == len(cut)
    with pytest.raises(ScanError) as caught:
        checked_end(cut, 0)
    assert caught.value.noticed == len(cut)


def test_what_was_yielded_before_a_fault_is_good() -> None:
    found: list[tuple[int, int]] = []
    with pytest.raises(ScanError):
        found.extend(elements(b"[1, 2, }", 0))
    assert found == [(1, 2), (4, 5)]


@pytest.mark.parametrize("text", [b'{"a":1 "b":2}', b'{"a":1', b'{"a" 1}', b"{a:1}", b'{"a":1,}', b'{"a":}'])
def test_broken_objects(text: bytes) -> None:
    with pytest.raises(ScanError):
        list(members(text, 0))


def test_white_space_is_jsons_own() -> None:
    assert skip_space(b" \t\r\n\x0bx", 0) == 4
    assert skip_space(b"", 0) == 0


def test_a_megabyte_of_backslashes_takes_no_time() -> None:
    text = b'{"a":"' + b"\\\\" * 500_000
    began = time.process_time()
    for end_of in (value_end, checked_end):
        with pytest.raises(ScanError):
            end_of(text, 0)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("text", "end"), [(b"[[1]]]]", 5), (b"{}}}", 2), (b'[{"a":[{}]}]]', 12), (b"[[],[[]]]}", 9)]
)
def test_runs_of_brackets(text: bytes, end: int) -> None:
    assert value_end(text, 0) == end
    assert checked_end(text, 0) == end


@pytest.mark.parametrize("text", [b"[[{]]}", b'{"a":[}}', b"[[]}", b'{"a":{]]'])
def test_runs_of_brackets_that_do_not_match(text: bytes) -> None:
    with pytest.raises(ScanError, match="do not match"):
        value_end(text, 0)
