import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.samples import delivered, record, records
from trailhouse.lake.envelope import open_envelope
from trailhouse.lake.window import RecordWindows, Window

TRAP = 'a},{"eventVersion":"1.08"},{"eventVersion":'


def pieces(text: bytes, size: int = 333) -> Iterator[bytes]:
    return (text[i : i + size] for i in range(0, len(text), size))


def cut(text: bytes, size: int = 1000, most: int = 50_000) -> tuple[list[Window], RecordWindows]:
    windows = RecordWindows(pieces(text), size=size, most=most)
    return list(windows), windows


def ids(windows: list[Window]) -> list[str]:
    return [
        json.loads(found.text)["eventID"]
        for window in windows
        for found in open_envelope(window.text, claimed=True).found
    ]


def check_places(text: bytes, windows: list[Window]) -> None:
    for window in windows:
        if window.added:
            body = (
                window.text.removeprefix(b'{"Records":[') if window.form == "records" else window.text[1:-1]
            )
            at = window.position + (12 if window.form == "records" else 1)
            assert text[at:].startswith(body)
        else:
            assert text[window.position :].startswith(window.text)


MANY = records(60)
FORMS: dict[str, tuple[bytes, str]] = {
    "records": (delivered(*MANY), "array"),
    "records, pretty-printed": (json.dumps({"Records": MANY}, indent=4).encode(), "array"),
    "records behind a byte order mark": (b"\xef\xbb\xbf" + delivered(*MANY), "array"),
    "records, more members behind": (delivered(*MANY)[:-1] + b',"a":[1,{"b":2}],"c":"]}"}', "array"),
    "array": (json.dumps(MANY).encode(), "array"),
    "array, pretty-printed": (json.dumps(MANY, indent=1).encode(), "array"),
    "lines": ("\n".join(map(json.dumps, MANY)).encode(), "lines"),
    "lines behind a byte order mark": (("\ufeff" + "\n".join(map(json.dumps, MANY))).encode(), "lines"),
    "lines, CRLF": (("\r\n".join(map(json.dumps, MANY)) + "\r\n").encode(), "lines"),
    "export lines": ("\n".join(f"2024-05-06T07:08:09.1Z {json.dumps(o)}" for o in MANY).encode(), "lines"),
    "lines, pretty-printed": ("\n".join(json.dumps(o, indent=2) for o in MANY).encode(), "other"),
    "records not first": (json.dumps({"a": 1, "Records": MANY}).encode(), "other"),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("size", [1, 200, 1000, 5000])
def test_every_form_is_cut_into_whole_records(name: str, size: int) -> None:
    text, form = FORMS[name]
    windows, after = cut(text, size)
    assert ids(windows) == [one["eventID"] for one in MANY]
    assert after.flaw is None
    assert windows[0].form == form
    assert form == "other" or len(windows) > 2
    assert all(not open_envelope(w.text, claimed=True).flaws for w in windows[:-1])
    check_places(text, windows)


def test_strings_that_look_like_a_border_are_not_cut() -> None:
    items = [
        record(i, userAgent=TRAP * 3, requestParameters={"x": [TRAP, {"eventVersion": [TRAP]}]})
        for i in range(40)
    ]
    for text in (
        delivered(*items),
        json.dumps({"Records": items}, indent=2).encode(),
        json.dumps(items).encode(),
    ):
        for size in (300, 701, 2000):
            windows, _ = cut(text, size)
            assert ids(windows) == [one["eventID"] for one in items]
            assert len(windows) > 3
            check_places(text, windows)


def test_a_record_longer_than_a_window() -> None:
    items = [*records(5), record(5, userAgent=TRAP * 400), *records(3)]
    windows, after = cut(delivered(*items), 500)
    assert ids(windows) == [one["eventID"] for one in items]
    assert after.flaw is None
    assert max(len(w.text) for w in windows) < 80_000


def test_a_record_longer_than_can_be_held_is_a_fault() -> None:
    items = [*records(5), record(5, userAgent="x" * 60_000), *records(3)]
    for text in (delivered(*items), "\n".join(map(json.dumps, items)).encode()):
        windows, after = cut(text, 500, 20_000)
        assert ids(windows) == [f"id{i}" for i in range(5)]
        assert after.flaw is not None
        assert "more than" in after.flaw.reason
        assert text[after.flaw.position :].lstrip().startswith(b'{"eventVersion"')


def test_what_cannot_be_cut_has_an_end_and_says_whose_it_is() -> None:
    wrapped = json.dumps({"Events": [{"CloudTrailEvent": json.dumps(one)} for one in MANY]}).encode()
    assert ids(cut(wrapped)[0]) == [one["eventID"] for one in MANY]
    windows, after = cut(wrapped, most=2000)
    assert windows == []
    assert (after.claims, after.flaw and "read up to" in after.flaw.reason) == (True, True)
    windows, after = cut(bytes(5000), most=2000)
    assert (windows, after.claims) == ([], False)
    assert after.flaw is not None


BROKEN = {
    "a missing brace": json.dumps(record(99))[:-1],
    "an open string": json.dumps(record(99)).replace('"GetObject"', '"GetObject'),
    "cut in the middle": json.dumps(record(99))[:150],
    "a bare word": json.dumps(record(99)).replace('"GetObject"', "GetObject"),
    "a wrong escape": json.dumps(record(99)).replace("GetObject", "Get\\xObject"),
    "a missing comma": json.dumps(record(99)) + " " + json.dumps(record(99)),
    "a nested list of names": '{"eventVersion":"1","resources":[{"eventName":"x"},{"eventID":"y"}],"a":[1}',
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("position", [0, 1, 30, 59])
def test_one_bad_record_does_not_lose_its_neighbours(what: str, indent: int | None, position: int) -> None:
    items = [json.dumps(one, indent=indent) for one in MANY]
    items[position] = BROKEN[what]
    text = ('{"Records": [' + ",\n".join(items) + "]}").encode()
    for size in (300, 1000, 4000):
        windows, after = cut(text, size)
        found = [one for one in ids(windows) if one not in ("id99", "y")]
        assert found == [one["eventID"] for i, one in enumerate(MANY) if i != position]
        flaws = [f for w in windows for f in open_envelope(w.text, claimed=True).flaws]
        assert flaws or after.flaw or what == "a missing comma"


def test_a_cut_at_any_place_keeps_what_is_whole() -> None:
    text = delivered(*records(12))
    ends = [text.index(f'"id{i}"}}'.encode()) + len(f'"id{i}"}}') for i in range(12)]
    for at in range(13, len(text), 7):
        windows, _ = cut(text[:at], 400)
        assert ids(windows) == [f"id{i}" for i, end in enumerate(ends) if end <= at]


@given(st.integers(0, 2**32), st.integers(1, 3000), st.sampled_from([None, 1]), st.integers(1, 3000))
def test_any_window_size_gives_the_same(seed: int, size: int, indent: int | None, piece: int) -> None:
    dice = random.Random(seed)
    items: list[Any] = []
    for i in range(dice.randrange(1, 30)):
        text = "".join(
            dice.choice(['"', "\\", "{", "}", "[", "]", ",", "é", TRAP, " "])
            for _ in range(dice.randrange(40))
        )
        items.append(record(i, userAgent=text, requestParameters={text: [text, {"eventVersion": 1}]}))
    text_ = json.dumps({"Records": items}, indent=indent).encode()
    windows = RecordWindows(pieces(text_, piece), size=size, most=100_000)
    assert ids(list(windows)) == [one["eventID"] for one in items]


def test_nothing_at_all() -> None:
    windows, after = cut(b"")
    assert [w.text for w in windows] == [b""]
    assert after.flaw is None


def test_a_whole_record_before_endless_space_is_kept() -> None:
    text = b'{"Records":[' + json.dumps(record(3)).encode() + b" " * 9000
    windows, after = cut(text + b"]}", 500, 4000)
    assert ids(windows) == ["id3"]
    assert after.flaw is not None
    assert ids(cut(text + b"]}", 500, 20_000)[0]) == ["id3"]
