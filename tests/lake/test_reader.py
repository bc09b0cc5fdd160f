import gc
import hashlib
import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.samples import SMALL, Result, delivered, gz, read_one, record, records, with_member
from trailhouse.core.layout import Kind
from trailhouse.core.schema import EVENT_COLUMNS, INSIGHT_COLUMNS, Column, Struct
from trailhouse.lake import reader as reader_module
from trailhouse.lake.inflate import Inflated
from trailhouse.lake.reader import Delivery, Limits, Reading, batch_schema, read

LINES = b"\n".join(json.dumps(one).encode() for one in records(3))


@pytest.fixture(params=["fast", "slow"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "slow":
        go_slowly(monkeypatch)
    return str(request.param)


def go_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module._Reader, "_fast", lambda *_: False)


def one_row(text: str) -> Result:
    result = read_one(delivered(text))
    assert result.verdict.records == 1
    assert result.verdict.flaws == ()
    return result


def test_a_delivered_file(path: str) -> None:
    stored = gz(delivered(*records(3)))
    result = read_one(stored)
    verdict = result.verdict
    assert result.ids == ["id0", "id1", "id2"]
    assert (verdict.form, verdict.kind, verdict.records, verdict.misfits) == (
        "records",
        Kind.CLOUDTRAIL,
        3,
        0,
    )
    assert verdict.stored_bytes == len(stored)
    assert verdict.json_bytes == len(delivered(*records(3)))
    assert verdict.sha256 == hashlib.sha256(stored).hexdigest()
    row = result.rows[1]
    assert {name: value for name, value in row.items() if value is not None} == {
        "eventversion": "1.08",
        "useridentity": {
            f.name: {"type": "IAMUser", "username": "user1"}.get(f.name) for f in _identity_fields()
        },
        "eventtime": "2024-05-06T07:08:09Z",
        "eventsource": "s3.amazonaws.com",
        "eventname": "GetObject",
        "requestparameters": '{"bucketName":"bucket1"}',
        "eventid": "id1",
        "object": 7,
        "logrecord": 1,
    }, path


def _identity_fields() -> tuple[Column, ...]:
    identity = next(c for c in EVENT_COLUMNS if c.name == "useridentity").type
    assert isinstance(identity, Struct)
    return identity.fields


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.68890570862E9", "1.68890570862E9"),
        ("0.0", "0.0"),
        ("544", "544"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ('{"Tagging":1,"tagging":2}', '{"Tagging":1,"tagging":2}'),
        ('{ "a" :\t[ 1 ,\n2 ] }', '{ "a" :\t[ 1 ,\n2 ] }'),
        ('"a string"', "a string"),
        ('"{\\"a\\": 1}"', '{"a": 1}'),
        ("null", None),
        ('""', ""),
        ("[]", "[]"),
        ("false", "false"),
        ('{"a":"\\ud800"}', '{"a":"\\ud800"}'),
        ('{"\\udfff":"\\u00e9é"}', '{"\\udfff":"\\u00e9é"}'),
        ("[" * 100_000 + "]" * 100_000, "[" * 100_000 + "]" * 100_000),
    ],
)
def test_opaque_values_are_exact(value: str, text: str | None, path: str) -> None:
    for name in ("additionalEventData", "responseElements", "serviceEventDetails", "edgeDeviceDetails"):
        result = one_row(with_member(f'"{name}":{value}'))
        assert result.rows[0][name.lower()] == text, path
        assert result.unparsed == [None]
    inner = one_row(with_member(f'"addendum":{{"updatedFields":{value}}}')).rows[0]["addendum"]
    assert inner["updatedfields"] == text


@pytest.mark.parametrize(
    ("member", "column", "value", "unparsed"),
    [
        ('"errorCode":{"a":1.0}', "errorcode", None, {"errorCode": {"a": 1.0}}),
        ('"errorCode":[]', "errorcode", None, {"errorCode": []}),
        ('"errorCode":5', "errorcode", "5", {"errorCode": 5}),
        ('"errorCode":true', "errorcode", "true", {"errorCode": True}),
        ('"errorCode":null', "errorcode", None, None),
        ('"errorCode":""', "errorcode", "", None),
        ('"readOnly":true', "readonly", "true", None),
        ('"readOnly":"false"', "readonly", "false", None),
        ('"readOnly":0', "readonly", "0", {"readOnly": 0}),
        ('"resources":""', "resources", None, {"resources": ""}),
        ('"resources":[]', "resources", [], None),
        ('"resources":null', "resources", None, None),
        ('"tlsDetails":"TLSv1.2"', "tlsdetails", None, {"tlsDetails": "TLSv1.2"}),
        ('"tlsDetails":[1]', "tlsdetails", None, {"tlsDetails": [1]}),
        ('"errorMessage":"a\\ud800"', "errormessage", "a\ufffd", {"errorMessage": "a\ud800"}),
        ('"responseElements":"a\\ud800"', "responseelements", "a\ufffd", {"responseElements": "a\ud800"}),
        ('"errorMessage":"\ufffd"', "errormessage", "\ufffd", None),
        ('"errorMessage":"\\u0000\\u001b[31m"', "errormessage", "\x00\x1b[31m", None),
        ('"newField":{"x": 1}', "errorcode", None, {"newField": {"x": 1}}),
        (
            '"a.b":1,"a`b":2,"a\\"b":3,"":4,"é":5',
            "errorcode",
            None,
            {'"a.b"': 1, "a`b": 2, '"a\\"b"': 3, '""': 4, "é": 5},
        ),
        (
            '"extra0":"a","extra1":"b","extra64":"c"',
            "errorcode",
            None,
            {"extra0": "a", "extra1": "b", "extra64": "c"},
        ),
        ('"\\ud800":1', "errorcode", None, {"\ud800": 1}),
        ('"tlsDetails":{"new":[1.50]}', "errorcode", None, {"tlsDetails.new": [1.5]}),
        ('"errorCode":"a","errorCode":"b"', "errorcode", "b", None),
        ('"errorCode":{},"errorCode":"b"', "errorcode", "b", None),
        ('"zzz":1,"zzz":2', "errorcode", None, {"zzz": 2}),
        ('"error\\u0043ode":"x"', "errorcode", "x", None),
        (f'"{"n" * 5000}":1', "errorcode", None, {"n" * 5000: 1}),
    ],
)
def test_odd_values(member: str, column: str, value: object, unparsed: object, path: str) -> None:
    result = one_row(with_member(member))
    assert result.rows[0][column] == value, path
    assert result.unparsed == [unparsed]


def test_more_unknown_fields_than_are_learnt() -> None:
    for start in range(0, 300, 30):
        fields = {f"unknown{i}": i for i in range(start, start + 30)}
        result = read_one(delivered(record(1), record(2, **fields)))
        assert result.unparsed == [None, fields]


def test_what_is_no_utf8_keeps_its_bytes() -> None:
    text = delivered(record(0, userAgent="XX"), record(1)).replace(b"XX", b"\xff\xfe")
    result = read_one(text)
    assert result.ids == ["id0", "id1"]
    assert result.rows[0]["useragent"] == "\ufffd\ufffd"
    assert [unparsed and list(unparsed) for unparsed in result.unparsed] == [["$bytes"], None]


@pytest.mark.parametrize("text", [b"", b" \n", gz(b""), gz(b"", b"\n"), gz(b"") + bytes(100)])
@pytest.mark.parametrize("kind", [None, Kind.CLOUDTRAIL])
def test_nothing_in_it(text: bytes, kind: Kind | None) -> None:
    for stored in (text, [text[i : i + 3] for i in range(0, len(text), 3)]):
        result = read_one(stored, kind)
        assert (result.rows, result.verdict.form, result.verdict.flaws) == ([], "", ())


@pytest.mark.parametrize("text", [b'{"Records":[]}', b'{"Records": [ ]}\n'])
def test_an_empty_list_is_complete(text: bytes) -> None:
    verdict = read_one(gz(text)).verdict
    assert (verdict.form, verdict.records, verdict.flaws) == ("records", 0, ())


@pytest.mark.parametrize(
    "text",
    [
        b"not JSON",
        b"{}",
        b'{"Records":null}',
        b'{"Records":{}}',
        b'{"Records":[',
        b"\xff\xfe\x00",
        b"[1]",
        b"\x1f",
        b'{"logFiles":[]}',
        b"<html>",
        b'{"Records":[1]}',
        b'{"Records":"[]"}',
        b"\x1f\x8b\x08",
        b'{"Records"',
    ],
)
def test_a_delivered_file_that_cannot_be_read_is_a_fault(text: bytes) -> None:
    for stored in (text, gz(text), gz(text)[:-4]):
        for limits in (Limits(), Limits(2, 2, 2)):
            verdict = read_one(stored, limits=limits).verdict
            assert (verdict.form != "", verdict.records, verdict.kind) == (True, 0, Kind.CLOUDTRAIL)
            assert verdict.flaws
        verdict = read_one(text, None).verdict
        assert (verdict.form, verdict.records, verdict.flaws, verdict.kind) == ("", 0, (), None)


@pytest.mark.parametrize(
    "form", [LINES, LINES + b"\n", b"[" + LINES.replace(b"\n", b",") + b"]", delivered(*records(3))]
)
@pytest.mark.parametrize("kind", [None, Kind.CLOUDTRAIL])
def test_files_outside_any_layout(form: bytes, kind: Kind | None, path: str) -> None:
    for stored in (form, gz(form), b"\xef\xbb\xbf" + form, gz(form[:100], form[100:])):
        result = read_one(stored, kind)
        assert result.ids == ["id0", "id1", "id2"], path
        assert list(result.tables) == [Kind.CLOUDTRAIL]


def test_envelopes_are_not_records() -> None:
    bridged = {"version": "0", "id": "b", "detail-type": "AWS API Call", "detail": record(5)}
    for stored in (
        json.dumps(bridged).encode(),
        json.dumps([bridged]).encode(),
        b"\n".join([json.dumps(bridged).encode()] * 1),
    ):
        result = read_one(stored, None)
        assert result.ids == ["id5"]
        assert result.unparsed == [None]
        assert result.verdict.form == "eventbridge"
    wrapped = json.dumps({"reason": "r", "record": record(5)}).encode()
    assert read_one(wrapped, None).verdict.form == ""


def test_strangers_among_records_are_not_records() -> None:
    put = {"eventVersion": "2.1", "eventSource": "aws:s3", "eventID": "x", "eventName": "Put"}
    for stored in (delivered(put, put), json.dumps(put).encode(), b"\n".join([json.dumps(put).encode()] * 9)):
        assert read_one(stored, None).verdict.form == ""
    mixed = read_one(delivered(record(1), put, {"a": 1}), None)
    assert mixed.ids == ["id1"]
    assert mixed.reasons == ["a record is no object of CloudTrail's"] * 2


def test_kinds_are_told_by_content_where_no_key_tells(path: str) -> None:
    insight = record(
        1, eventCategory="Insight", insightDetails={"state": "Start", "insightContext": {"a": 1.0}}
    )
    network = record(2, eventCategory="NetworkActivity")
    result = read_one(delivered(record(0), insight, network, record(3)), None)
    assert {kind: table.column("eventid").to_pylist() for kind, table in result.tables.items()} == {
        Kind.CLOUDTRAIL: ["id0", "id3"],
        Kind.INSIGHT: ["id1"],
        Kind.NETWORKACTIVITY: ["id2"],
    }, path
    (row,) = result.tables[Kind.INSIGHT].to_pylist()
    assert row["insightdetails"]["insightcontext"] == '{"a":1.0}'
    assert row["logrecord"] == 1
    assert set(json.loads(row["unparsed"])) == {
        "userIdentity",
        "eventSource",
        "eventName",
        "requestParameters",
    }
    assert result.verdict.kind is Kind.CLOUDTRAIL


def test_the_key_decides_where_it_tells(path: str) -> None:
    result = read_one(delivered(record(0)), Kind.INSIGHT)
    assert list(result.tables) == [Kind.INSIGHT], path
    assert result.verdict.kind is Kind.INSIGHT
    assert result.tables[Kind.INSIGHT].column_names[: len(INSIGHT_COLUMNS)] == [
        c.name for c in INSIGHT_COLUMNS
    ]


def test_truncated_at_any_byte() -> None:
    stored = gz(delivered(*records(30)))
    last = -1
    for cut in range(2, len(stored), 3):
        result = read_one(stored[:cut])
        assert result.ids == [f"id{i}" for i in range(len(result.ids))]
        assert result.verdict.flaws
        assert len(result.ids) >= last
        last = len(result.ids)
        assert read_one([stored[:20], stored[20:cut]], limits=SMALL).ids == result.ids
    assert last == 30


def test_a_checksum_error_keeps_the_records() -> None:
    stored = gz(delivered(*records(30)))
    for damaged in (stored[:-8] + b"abcd" + stored[-4:], stored + b"trailing"):
        for limits in (Limits(), SMALL):
            result = read_one(damaged, limits=limits)
            assert len(result.ids) == 30
            assert result.verdict.misfits == 1


def test_a_bomb_is_a_fault_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trailhouse.lake.inflate._BOMB_FLOOR", 4 << 20)
    bomb = gz(delivered(record(1))[:-2] + b" " * (40 << 20))
    for limits in (SMALL, Limits(whole=1 << 20, window=1 << 19, most=1 << 20)):
        result = read_one(bomb, limits=limits)
        assert result.verdict.flaws
        assert result.verdict.records <= 1
    assert read_one(gz(bytes(40 << 20)), None, limits=SMALL).verdict.form == ""
    assert read_one(gz(bytes(40 << 20)), limits=SMALL).verdict.flaws


LARGE = {
    "records": delivered(*records(50)),
    "pretty-printed": json.dumps({"Records": records(50)}, indent=2).encode(),
    "array": json.dumps(records(50)).encode(),
    "lines": b"\n".join(json.dumps(one).encode() for one in records(50)),
    "byte order mark": b"\xef\xbb\xbf" + delivered(*records(50)),
    "unknown fields": delivered(*(record(i, new=i) for i in range(50))),
    "half pairs": delivered(*records(50)).replace(b"user7", b"\\ud800"),
    "not UTF-8": delivered(*records(50)).replace(b"user7", b"\xff"),
    "eventbridge": b"\n".join(
        json.dumps({"detail-type": "t", "detail": one}).encode() for one in records(50)
    ),
    "insight among": delivered(
        *(record(i, eventCategory="Insight" if i % 9 == 4 else "Data") for i in range(50))
    ),
}


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("kind", [None, Kind.CLOUDTRAIL])
def test_windows_give_the_same_rows(name: str, kind: Kind | None) -> None:
    text = LARGE[name]
    whole = read_one(gz(text), kind)
    assert len(whole.ids) == 50
    for stored in (text, gz(text), gz(text[:1234], text[1234:])):
        for chunk in (1 << 20, 100):
            chunks = [stored[i : i + chunk] for i in range(0, len(stored), chunk)]
            for limits in (SMALL, Limits(whole=1, window=1, most=1 << 20)):
                found = read_one(chunks, kind, limits=limits, batch_bytes=3000)
                assert found.tables.keys() == whole.tables.keys()
                for one, table in whole.tables.items():
                    assert found.tables[one].to_pylist() == table.to_pylist()
                assert found.verdict.sha256 == hashlib.sha256(stored).hexdigest()
                assert found.verdict.flaws == ()


def test_a_large_broken_file_tells_the_place_in_the_file() -> None:
    items: list[Any] = records(50)
    items[30] = '{"eventVersion":"1",oops}'
    text = delivered(*items)
    result = read_one(gz(text), limits=SMALL)
    assert len(result.ids) == 49
    assert [flaw.position for flaw in result.verdict.flaws] == [text.index(b'{"eventVersion":"1",oops')]


def test_the_first_flaws_are_named_and_all_are_counted() -> None:
    result = read_one(delivered(*[1] * 500, record(0)))
    assert (len(result.verdict.flaws), result.verdict.misfits, result.ids) == (20, 500, ["id0"])


def test_rows_of_many_objects_come_in_order_and_in_batches() -> None:
    def deliveries() -> Iterable[Delivery]:
        for number in range(40):
            yield Delivery(number, Kind.CLOUDTRAIL, [gz(delivered(*records(number % 4)))])
        yield Delivery(40, None, [b"stranger"])

    readings = list(read(deliveries(), batch_bytes=2000))
    assert len(readings) > 5
    assert [v.number for reading in readings for v in reading.verdicts] == list(range(41))
    pairs = [
        (row["object"], row["logrecord"])
        for reading in readings
        for batch in reading.batches.values()
        for row in batch.to_pylist()
    ]
    assert pairs == [(n, i) for n in range(40) for i in range(n % 4)]
    assert sum(reading.json_bytes for reading in readings) == sum(
        len(delivered(*records(n % 4))) for n in range(40)
    ) + len("stranger")


def test_no_objects_give_one_empty_reading() -> None:
    assert list(read([])) == [Reading({}, (), 0)]


def test_two_readings_at_once_do_not_mix() -> None:
    first, second = (read([Delivery(n, Kind.CLOUDTRAIL, [delivered(record(n))]) for n in span], batch_bytes=1)
                     for span in (range(3), range(10, 13)))  # fmt: skip
    found = [
        [r.batches[Kind.CLOUDTRAIL].column("eventid").to_pylist() for r in pair if r.batches]
        for pair in zip(first, second, strict=True)
    ]
    assert found == [[["id0"], ["id10"]], [["id1"], ["id11"]], [["id2"], ["id12"]], []]


def test_errors_of_reading_an_objects_bytes_are_raised() -> None:
    def chunks() -> Iterable[bytes]:
        yield b"{"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(read([Delivery(0, None, chunks())]))


def test_schemas() -> None:
    for one, other in pairwise(batch_schema(kind) for kind in (Kind.CLOUDTRAIL, Kind.NETWORKACTIVITY)):
        assert one == other
    assert batch_schema(Kind.INSIGHT).names[-3:] == ["object", "logrecord", "unparsed"]


@pytest.mark.slow
def test_it_needs_no_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            read_one(delivered(*(record(i, resources=[{"ARN": "x"}]) for i in range(200))))
        assert gc.collect() < 2000
    finally:
        gc.enable()


TEXTS = st.text(max_size=8) | st.sampled_from(["", "\ufffd", "a\ud800", '"', "\\", "null", "{}"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
IDENTITIES = st.fixed_dictionaries(
    {},
    optional={
        "type": TEXTS,
        "userName": VALUES,
        "sessionContext": VALUES,
        "inScopeOf": VALUES,
        "new": VALUES,
    },
)
RECORDS = st.fixed_dictionaries(
    {"eventVersion": st.just("1.08"), "eventID": st.uuids().map(str)},
    optional={
        **{
            c.json: TEXTS | VALUES
            for c in EVENT_COLUMNS
            if c.json not in ("eventVersion", "eventID", "eventSource")
        },
        "userIdentity": IDENTITIES | VALUES,
        "resources": st.lists(st.fixed_dictionaries({}, optional={"ARN": VALUES, "x": VALUES}), max_size=3),
        "unknown": VALUES,
        "a.b": VALUES,
    },
)


@pytest.mark.slow
@given(
    st.lists(RECORDS, max_size=6),
    st.booleans(),
    st.sampled_from([None, 2]),
    st.sampled_from([None, Kind.CLOUDTRAIL]),
)
def test_both_paths_give_the_same_rows(
    items: list[dict[str, Any]],
    ascii_only: bool,  # noqa: FBT001 - Hypothesis passes by position
    indent: int | None,
    kind: Kind | None,
) -> None:
    text = json.dumps({"Records": items}, ensure_ascii=ascii_only, indent=indent).encode(
        "utf-8", "surrogatepass"
    )
    with pytest.MonkeyPatch.context() as patch:
        fast = read_one(text, kind)
        go_slowly(patch)
        slow = read_one(text, kind)
        windows = read_one(gz(text), kind, limits=Limits(whole=1, window=300, most=1 << 20))
    assert slow.rows == fast.rows == windows.rows
    if kind:
        assert fast.ids == [one["eventID"] for one in items]
        assert fast.verdict.flaws == ()


def test_the_slow_inflater_is_asked_in_doubt_only() -> None:
    assert reader_module.inflate(gz(b"x"), 10) == Inflated(b"x")
