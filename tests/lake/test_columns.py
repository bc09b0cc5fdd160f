import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.core.schema import (
    BOOLEAN,
    EVENT_COLUMNS,
    OPAQUE,
    RECORD_COLUMNS,
    TEXT,
    Array,
    Column,
    Count,
    Flag,
    Moment,
    Struct,
    TextMap,
)
from trailhouse.lake import columns as columns_module
from trailhouse.lake.columns import (
    Plain,
    Repeated,
    arrow_schema,
    arrow_type,
    nested_array,
    opaque_array,
    text_array,
)

IDENTITY = next(c for c in EVENT_COLUMNS if c.name == "useridentity")
RESOURCES = next(c for c in EVENT_COLUMNS if c.name == "resources")
TLS = next(c for c in EVENT_COLUMNS if c.name == "tlsdetails")


def test_arrow_types() -> None:
    assert arrow_type(Struct((Column("a", TEXT), Column("b", Array(TextMap()))))) == pa.struct(
        [("a", pa.string()), ("b", pa.list_(pa.field("element", pa.map_(pa.string(), pa.string()))))]
    )
    assert [arrow_type(t) for t in (Flag(), Count(), Moment())] == [
        pa.bool_(),
        pa.int64(),
        pa.timestamp("us"),
    ]
    for columns in RECORD_COLUMNS.values():
        assert arrow_schema(columns).names == [c.name for c in columns]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"", None),
        (b"null", None),
        (b"1.68890570862E9", "1.68890570862E9"),
        (b"0.0", "0.0"),
        (b"544", "544"),
        (b"123456789012345678901234567890", "123456789012345678901234567890"),
        (b'{"Tagging":1,"tagging":2}', '{"Tagging":1,"tagging":2}'),
        (b'{ "a" :\t[ ] }', '{ "a" :\t[ ] }'),
        (b'"text"', "text"),
        (b'""', ""),
        (b'"null"', "null"),
        (b'"\\u00fc\\"\\n"', 'ü"\n'),
        (b"true", "true"),
        (b"nul", "nul"),
        ('"é"'.encode(), "é"),
        (b'{"a":"\\ud800"}', '{"a":"\\ud800"}'),
    ],
)
def test_opaque_values(text: bytes, value: str | None) -> None:
    for values in ([text], [b"{}", text, b""], [b'"x"', text]):
        array = opaque_array([msgspec.Raw(v) for v in values])
        array.validate(full=True)
        assert array.to_pylist()[values.index(text)] == value


@given(st.lists(st.sampled_from([b"", b"null", b'"a\\"b"', b'""', b"{}", b"[1]", b"12"]), max_size=20))
def test_opaque_arrays_of_any_mixture(values: list[bytes]) -> None:
    array = opaque_array(values)
    array.validate(full=True)
    expected = {b"": None, b"null": None, b'"a\\"b"': 'a"b', b'""': ""}
    assert array.to_pylist() == [expected.get(v, v.decode()) for v in values]


def test_text_arrays() -> None:
    assert text_array(["a", None, ""], TEXT).to_pylist() == ["a", None, ""]
    assert text_array([True, "false", None, False, "x"], BOOLEAN).to_pylist() == [
        "true",
        "false",
        None,
        "false",
        "x",
    ]
    assert text_array([b"1", b""], OPAQUE).to_pylist() == ["1", None]
    assert Plain(TEXT).array(["a"]) == (pa.array(["a"]), [])


def test_a_repeated_column_tells_what_did_not_fit_by_row() -> None:
    texts = [
        b'{"type":"A"}',
        b"",
        b'{"type":"B","new":1}',
        b"null",
        b'{"type":"A"}',
        b'{"type":"B","new":1}',
        b"5",
    ]
    array, odd = Repeated(IDENTITY).array([msgspec.Raw(t) for t in texts])
    array.validate(full=True)
    assert array.type == arrow_type(IDENTITY.type)
    assert [v and v["type"] for v in array.to_pylist()] == ["A", None, "B", None, "A", "B", None]
    new = ("userIdentity.new", b"1")
    assert odd == [(2, [new]), (5, [new]), (6, [("userIdentity", b"5")])]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns_module, "_MOST_REMEMBERED", 3)
    column = Repeated(TLS)
    for start in range(0, 50, 5):
        texts = [b'{"tlsVersion":"%d"}' % (start + i) for i in range(5)]
        array, odd = column.array(texts)
        assert [v["tlsversion"] for v in array.to_pylist()] == [str(start + i) for i in range(5)]
        assert odd == []
        assert len(column._decoded) <= 4


def test_lists_and_maps() -> None:
    array, odd = Repeated(RESOURCES).array(
        [b'[{"ARN":"a"},{"accountId":"1"}]', b"", b"[]", b'[null,{"ARN":null}]', b'""']
    )
    array.validate(full=True)
    empty = {"arn": None, "accountid": None, "type": None}
    assert array.to_pylist() == [
        [empty | {"arn": "a"}, empty | {"accountid": "1"}],
        None,
        [],
        [None, empty],
        None,
    ]
    assert odd == [(4, [("resources", b'""')])]
    maps = nested_array([{"a": "1"}, None, {}, {"b": None}], TextMap())
    assert maps.to_pylist() == [[("a", "1")], None, [], [("b", None)]]


def test_own_columns_are_not_built_from_records() -> None:
    with pytest.raises(TypeError):
        nested_array([1], Count())


def test_no_rows() -> None:
    assert opaque_array([]).to_pylist() == []
    assert Repeated(IDENTITY).array([])[0].to_pylist() == []
