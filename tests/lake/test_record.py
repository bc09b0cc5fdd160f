import json
from base64 import b64decode
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.core.layout import Kind
from trailhouse.core.schema import (
    AGGREGATED_COLUMNS,
    EVENT_COLUMNS,
    INSIGHT_COLUMNS,
    RECORD_COLUMNS,
    Column,
    Text,
)
from trailhouse.lake.record import (
    Expected,
    decode_slowly,
    decode_value,
    is_valid,
    path_of,
    scalar_text,
    unparsed_text,
)

BY_NAME = {column.name: i for i, column in enumerate(EVENT_COLUMNS)}
COLUMN = {column.name: column for column in EVENT_COLUMNS}


def slow(text: str | bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    found = decode_slowly(text if isinstance(text, bytes) else text.encode(), EVENT_COLUMNS)
    values = {c.name: v for c, v in zip(EVENT_COLUMNS, found.values, strict=True)}
    return values, dict(found.unparsed)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        (b"{}", True),
        (b'"\\ud800"', True),
        (b'"\\ud83d\\ude00"', True),
        (b'"\\\\ud800"', True),
        (b'{"\\udead":["\\ud800"]}', True),
        (b'"\xff\xc3"', True),
        (b"[" * 100_000 + b"]" * 100_000, True),
        (b"[" * 100_000 + b'"\\ud800"' + b"]" * 100_000, True),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, True),
        (b"[" * 100_000 + b"1 2" + b"]" * 100_000, False),
        (b"[" * 100_000 + b"]" * 99_999, False),
        (b'{"a":\xff}', False),
        (b'{"a":1,}', False),
        (b'{"a":"\\x"}', False),
        (b'"\\ud800" 1', False),
        (b'["\\ud800" 1]', False),
        (b"", False),
        (b'"\x01"', False),
        (b"NaN", False),
        (b"01", False),
    ],
)
def test_what_is_json(text: bytes, valid: bool) -> None:  # noqa: FBT001 - a table's column
    assert is_valid(text) is valid


@pytest.mark.parametrize("kind", RECORD_COLUMNS)
def test_both_decoders_agree_on_every_column(kind: Kind) -> None:
    columns = RECORD_COLUMNS[kind]
    members = [f'"{c.json}":' + ('"text"' if isinstance(c.type, Text) else "{}") for c in columns]
    text = ("{" + ",".join(members).replace('"resources":{}', '"resources":[]') + "}").encode()
    (fast,) = Expected(columns).decode(text, "lines")
    found = decode_slowly(text, columns)
    assert found.values == msgspec.structs.astuple(fast)
    assert found.unparsed == []


@pytest.mark.parametrize("columns", [EVENT_COLUMNS, INSIGHT_COLUMNS, AGGREGATED_COLUMNS])
def test_an_empty_record_has_no_values(columns: tuple[Column, ...]) -> None:
    (fast,) = Expected(columns).decode(b"{}", "lines")
    assert decode_slowly(b"{}", columns).values == msgspec.structs.astuple(fast)


@pytest.mark.parametrize(
    ("value", "text", "kept"),
    [
        ('"a"', "a", False),
        ('""', "", False),
        ("null", None, False),
        ("12", "12", True),
        ("1.50", "1.50", True),
        ("true", "true", True),
        ('{"a": 1}', None, True),
        ("[1]", None, True),
        ('"\\u00fc\\n"', "ü\n", False),
        ('"\\ud83d\\ude00"', "😀", False),
        ('"a\\ud800b"', "a\ufffdb", True),
        ('"\\udfff\\ud800"', "\ufffd\ufffd", True),
        ('"\ufffd"', "\ufffd", False),
        ('"\\ufffd"', "\ufffd", False),
    ],
)
def test_text_columns(value: str, text: str | None, kept: bool) -> None:  # noqa: FBT001 - a table's column
    values, unparsed = slow(f'{{"eventName" : {value}}}')
    assert values["eventname"] == text
    assert unparsed == ({"eventName": value.encode()} if kept else {})


@pytest.mark.parametrize(
    ("value", "text", "kept"),
    [("true", "true", False), ("false", "false", False), ('"true"', "true", False), ("1", "1", True)],
)
def test_columns_that_may_be_booleans(value: str, text: str, kept: bool) -> None:  # noqa: FBT001 - from the list above
    values, unparsed = slow(f'{{"readOnly":{value}}}')
    assert values["readonly"] == text
    assert bool(unparsed) is kept


def test_opaque_columns_keep_their_text() -> None:
    values, unparsed = slow('{"requestParameters": { "a" : 1.0E9 } ,"responseElements":"a\\ud800"}')
    assert bytes(values["requestparameters"]) == b'{ "a" : 1.0E9 }'
    assert bytes(values["responseelements"]) == b'"a\\ud800"'
    assert unparsed == {"responseElements": b'"a\\ud800"'}


def test_of_repeated_members_the_last_counts_as_in_the_fast_decoder() -> None:
    text = '{"eventName":"a","zzz":1,"eventName":"b","zzz":2}'
    values, unparsed = slow(text)
    expected = Expected(EVENT_COLUMNS)
    (fast,) = expected.decode(text.encode(), "lines")
    assert fast.eventname == values["eventname"] == "b"
    assert bytes(fast.extra0) == unparsed["zzz"] == b"2"


def test_what_is_no_utf8_is_kept_as_bytes() -> None:
    text = b'{"userAgent":"a\xffb","x":"\xfe","requestParameters":{"k":"\xc3"}}'
    values, unparsed = slow(text)
    assert values["useragent"] == "a\ufffdb"
    assert b64decode(unparsed["$bytes"]) == text
    assert json.loads(unparsed["x"]) == "\ufffd"


def test_struct_columns() -> None:
    column = COLUMN["useridentity"]
    text = b'{"type":"Root","sessionContext":{"attributes":{"mfaAuthenticated":true,"new":[1]}},"userName":5}'
    value, unparsed = decode_value(text, column)
    assert (value.type, value.username, value.sessioncontext.attributes.mfaauthenticated) == (
        "Root",
        "5",
        "true",
    )
    assert dict(unparsed) == {
        "userIdentity.sessionContext.attributes.new": b"[1]",
        "userIdentity.userName": b"5",
    }


@pytest.mark.parametrize("text", [b'"root"', b"[]", b"7", b"true", b'""', b"[" * 100_000 + b"]" * 100_000])
def test_a_struct_column_that_holds_something_else(text: bytes) -> None:
    value, unparsed = decode_value(text, COLUMN["useridentity"])
    assert value is None
    assert unparsed == [("userIdentity", text)]


@pytest.mark.parametrize("text", [b"", b"null"])
def test_a_struct_column_without_a_value(text: bytes) -> None:
    assert decode_value(text, COLUMN["useridentity"]) == (None, [])


def test_arrays_and_maps() -> None:
    value, unparsed = decode_value(b'[{"ARN":"x"},5,null,{"ARN":{"a":1},"z":0}]', COLUMN["resources"])
    assert [v and v.arn for v in value] == ["x", None, None, None]
    assert dict(unparsed) == {"resources[1]": b"5", "resources[3].ARN": b'{"a":1}', "resources[3].z": b"0"}
    assert decode_value(b'""', COLUMN["resources"]) == (None, [("resources", b'""')])
    text = b'{"sessionContext":{"webIdFederationData":{"attributes":{"a.b":1,"c":null,"d":"x","e":{}}}}}'
    value, unparsed = decode_value(text, COLUMN["useridentity"])
    found = value.sessioncontext.webidfederationdata.attributes
    assert found == {"a.b": "1", "c": None, "d": "x", "e": None}
    path = "userIdentity.sessionContext.webIdFederationData.attributes"
    assert dict(unparsed) == {f'{path}."a.b"': b"1", f"{path}.e": b"{}"}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a", "a"),
        ("x-amz-id-2", "x-amz-id-2"),
        ("a b", "a b"),
        ("ü", "ü"),
        ("a.b", '"a.b"'),
        ("", '""'),
        ("$bytes", '"$bytes"'),
        ('"', '"\\""'),
        ("a[0]", '"a[0]"'),
    ],
)
def test_paths(name: str, path: str) -> None:
    assert path_of(name) == path
    assert path_of(name, "p") == f"p.{path}"


@pytest.mark.parametrize(
    "name",
    [
        "a`b",
        'a"b',
        "a\\b",
        "a\nb",
        "\x00",
        "ü",
        "",
        " ",
        "x" * 100_000,
        "extra0",
        "extra1",
        "eventversion",
        "`",
        "$",
        "` - at `$[0]`",
        "\u202e",
        "self",
        "__init__",
        "Records",
        "\ud800",
    ],
)
def test_unknown_fields_of_any_name_come_through(name: str) -> None:
    expected = Expected(EVENT_COLUMNS)
    text = f'{{"eventName":"n",{json.dumps(name)}:{{"a": 1.0}},"zzz":0}}'.encode()
    values, unparsed = slow(text)
    assert values["eventname"] == "n"
    assert unparsed == {path_of(name): b'{"a": 1.0}', "zzz": b"0"}
    assert json.loads(unparsed_text(list(unparsed.items())) or "") == {path_of(name): {"a": 1.0}, "zzz": 0}
    for _ in range(2):
        try:
            (fast,) = expected.decode(text, "lines")
        except msgspec.MsgspecError:
            continue
        found = msgspec.structs.astuple(fast)[len(EVENT_COLUMNS) :]
        assert {path_of(n): bytes(v) for n, v in zip(expected.extras, found, strict=True)} == unparsed
    (after,) = expected.decode(b'{"eventName":"later"}', "lines")
    assert after.eventname == "later"


def test_so_many_unknown_fields_are_learnt_and_no_more() -> None:
    expected = Expected(EVENT_COLUMNS)
    text = json.dumps({f"f{i}": i for i in range(65)}).encode()
    with pytest.raises(msgspec.ValidationError):
        expected.decode(text, "lines")
    assert len(expected.extras) == 64
    assert len(expected.decode(b'{"eventName":"x","f3":1}', "lines")) == 1


def test_scalar_text() -> None:
    assert [scalar_text(t) for t in (b'"a"', b"1e5", b"null", b'"\xff"')] == ["a", "1e5", "null", "\ufffd"]


def test_unparsed_is_one_sorted_object() -> None:
    assert unparsed_text([]) is None
    assert unparsed_text([("b", b"[ 1]"), ("a\ud800", b"2")]) == '{"a\\ud800":2,"b":[ 1]}'


NAMES = st.sampled_from([c.json for c in EVENT_COLUMNS if isinstance(c.type, Text)] + ["new", "a.b"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(NAMES, VALUES, max_size=8))
def test_nothing_of_a_record_is_lost(record: dict[str, Any]) -> None:
    values, unparsed = slow(json.dumps(record))
    for name, value in record.items():
        column = COLUMN.get(name.lower())
        if column is None:
            assert json.loads(unparsed[path_of(name)]) == value
            continue
        found = values[column.name]
        if isinstance(column.type, Text) and column.type.opaque:
            assert json.loads(bytes(found) or b"null") == value
        elif name not in unparsed:
            assert found == (str(value).lower() if isinstance(value, bool) else value)
        else:
            assert json.loads(unparsed[name]) == value
