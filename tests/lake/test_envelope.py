import json
import time
from typing import Any

import pytest

from lake.samples import delivered, record, records
from trailhouse.core.layout import Kind
from trailhouse.lake.envelope import Contents, open_envelope, record_kind
from trailhouse.lake.salvage import looks_like_record


def dump(value: object) -> str:
    return json.dumps(value)


def opened(text: str | bytes, *, claimed: bool = False) -> Contents:
    return open_envelope(text if isinstance(text, bytes) else text.encode(), claimed=claimed)


def ids(contents: Contents) -> list[str]:
    return [json.loads(found.text).get("eventID", "none") for found in contents.found]


EVENTBRIDGE = {"version": "0", "id": "e", "detail-type": "AWS API Call via CloudTrail", "source": "aws.s3"}


def lookup(item: dict[str, Any]) -> dict[str, Any]:
    return {"EventId": item["eventID"], "EventName": "x", "CloudTrailEvent": json.dumps(item)}


def bridged(item: dict[str, Any]) -> dict[str, Any]:
    return {**EVENTBRIDGE, "detail": item}


def logged(item: dict[str, Any]) -> dict[str, Any]:
    return {"id": "1", "timestamp": 1, "message": json.dumps(item)}


THREE = records(3)
LINES = "\n".join(map(dump, THREE))
WRAPPINGS = {
    "records": delivered(*THREE).decode(),
    "records, pretty-printed": json.dumps({"Records": THREE}, indent=2),
    "records, other members around": dump({"a": {"Records": 1}, "Records": THREE, "z": []}),
    "records, one list a line": "\n".join(delivered(one).decode() for one in THREE),
    "array": dump(THREE),
    "array, pretty-printed": json.dumps(THREE, indent=1),
    "lines": LINES,
    "lines, blank ones between": "\n\n" + LINES.replace("\n", "\r\n\r\n") + "\n",
    "lines, pretty-printed": "\n".join(json.dumps(one, indent=2) for one in THREE),
    "lines, commas between": LINES.replace("\n", ",\n"),
    "array of arrays' worth of lines": "\n".join(dump([one]) for one in THREE),
    "lookup-events": json.dumps({"Events": [lookup(one) for one in THREE], "NextToken": "t"}, indent=4),
    "lookup-events, a line each": "\n".join(dump(lookup(one)) for one in THREE),
    "lookup-events, array": dump([lookup(one) for one in THREE]),
    "eventbridge, array": dump([bridged(one) for one in THREE]),
    "eventbridge, lines": "\n".join(dump(bridged(one)) for one in THREE),
    "cloudwatch, export": "\n".join(f"2024-05-06T07:08:09.123Z {dump(one)}" for one in THREE),
    "cloudwatch, subscription": dump(
        {"messageType": "DATA_MESSAGE", "logEvents": [logged(one) for one in THREE]}
    ),
    "cloudwatch, filter-log-events": json.dumps(
        {"events": [logged(one) for one in THREE], "x": []}, indent=4
    ),
    "byte order mark": "\ufeff" + LINES,
    "escaped names": LINES.replace("eventVersion", "event\\u0056ersion"),
}


@pytest.mark.parametrize("name", WRAPPINGS)
@pytest.mark.parametrize("claimed", [False, True])
def test_every_wrapping(name: str, claimed: bool) -> None:  # noqa: FBT001 - a table's column
    contents = opened(WRAPPINGS[name], claimed=claimed)
    assert ids(contents) == ["id0", "id1", "id2"]
    assert contents.flaws == []
    other = {"byte order mark": "lines", "escaped names": "lines", "array of arrays' worth of lines": "array"}
    form = name.split(",", maxsplit=1)[0]
    assert contents.form == other.get(form, form)


def test_a_single_envelope() -> None:
    assert opened(dump(bridged(record(4)))).form == "eventbridge"
    assert ids(opened(json.dumps(bridged(record(4)), indent=2))) == ["id4"]


@pytest.mark.parametrize("name", WRAPPINGS)
def test_records_are_their_exact_text_and_place(name: str) -> None:
    text = WRAPPINGS[name].encode()
    for found in opened(text).found:
        assert looks_like_record(found.text)
        if not name.startswith(("lookup", "cloudwatch, s", "cloudwatch, f")):
            assert text[found.position :].startswith(found.text)


S3_EVENT = {
    "eventVersion": "2.1",
    "eventSource": "aws:s3",
    "awsRegion": "x",
    "eventTime": "t",
    "eventName": "Put",
}
STRANGERS = {
    "S3 notification": dump({"Records": [S3_EVENT] * 3}),
    "S3 notifications, a line each": "\n".join([dump(S3_EVENT)] * 3),
    "S3 notification, pretty": json.dumps({"Records": [S3_EVENT]}, indent=2),
    "SNS message": dump({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {}}]}),
    "S3 notification, cut": dump({"Records": [S3_EVENT] * 3})[:-20],
    "S3 notification line, cut": dump(S3_EVENT)[:-5],
    "digest": dump({"awsAccountId": "1", "digestStartTime": "t", "logFiles": [{"s3Bucket": "b"}]}),
    "config": dump({"fileVersion": "1.0", "configurationItems": [{"resourceType": "x"}]}),
    "wrapped beyond recognition": "\n".join(
        dump({"reason": "r", "source": "s", "record": one}) for one in THREE
    ),
    "manifest": json.dumps({"corpus": "dev", "by_region": {"eventVersion": 1}}, indent=1),
    "guardduty": dump({"schemaVersion": "2.0", "accountId": "1", "type": "Recon", "service": {}}),
    "eventbridge of others": dump({**EVENTBRIDGE, "detail": {"state": "running"}}),
    "numbers": "1 2 3\n4",
    "words": "hello world",
    "a table": "key\tsource\n1\t2\n",
    "an empty list": "[]",
    "an empty object": "{}",
    "an empty Records": '{"Records":[]}',
    "null": "null",
    "brackets": "[[[[{{{{",
    "binary": bytes(range(256)).decode("latin1"),
    "yaml": "a: [1, 2]\nb: {c}\n",
    "broken lines": '{"a":1\n{"b":2]\n{"c":"\n',
}


@pytest.mark.parametrize("name", STRANGERS)
def test_strangers_are_ignored(name: str) -> None:
    assert opened(STRANGERS[name]) == Contents()


@pytest.mark.parametrize(
    "name", [n for n in STRANGERS if not n.startswith(("S", "an empty Records", "an empty list"))]
)
def test_strangers_under_a_trails_key_are_faults(name: str) -> None:
    contents = opened(STRANGERS[name], claimed=True)
    assert contents.form
    assert contents.found == []
    assert contents.flaws


@pytest.mark.parametrize(
    ("text", "good", "reason"),
    [
        ("{}", [], "there is no list of Records in it"),
        ('{"Records":null}', [], "Records is no list but null"),
        ('{"Records":"x"}', [], 'Records is no list but "x"'),
        ('{"Records":{"a":1}}', [], 'Records is no list but {"a":1}'),
        ('{"Records":[1,{"eventID":"a"},null,"x",[],{"eventID":"b"}]}', ["a", "b"], "a record is no object"),
        ('{"Records":[{"eventID":"a"}]} trailing', ["a"], "this is no JSON value"),
        ("trailing", [], "this is no JSON value"),
        ('{"Records":[{"eventID":"a"}', ["a"], "the text ends here"),
        ('{"Records":[{"eventID":"a"},', ["a"], "the text ends where a value should start"),
        ('{"Records":[{"eventID":"a"}]', ["a"], "the text ends inside a value"),
        ('{"Records":', [], "the text ends inside a value"),
        ('{"Rec', [], "a string has no end"),
        ("{", [], "the text ends inside a value"),
        ("7", [], "there is no object in it"),
        ("[7]", [], "a record is no object of CloudTrail's"),
    ],
)
def test_faults_in_a_delivered_file(text: str, good: list[str], reason: str) -> None:
    contents = opened(text, claimed=True)
    assert ids(contents) == good
    assert contents.form
    assert reason in [flaw.reason for flaw in contents.flaws] or (good and contents.flaws)


def test_records_twice_and_nested() -> None:
    inner = record(9, requestParameters={"Records": [record(8)]})
    both = f'{{"x":{{"Records":[1]}},"Records":[{dump(inner)}],"y":0,"Records":[{dump(record(1))}]}}'
    for text in (both, both[:-1] + ",", both + both[:-20]):
        contents = opened(text, claimed=True)
        assert ids(contents)[:2] == ["id9", "id1"]
        assert "id8" not in ids(contents)


def broken_at(position: int, broken: str, *, claimed: bool) -> Contents:
    items: list[Any] = records(5)
    items[position] = broken
    return opened(delivered(*items), claimed=claimed)


BROKEN = {
    "a missing brace": dump(record(9))[:-1],
    "a brace too many": dump(record(9)) + "}",
    "a missing colon": dump(record(9)).replace('"eventName":', '"eventName"'),
    "an open string": dump(record(9)).replace('"GetObject"', '"GetObject'),
    "a bare word": dump(record(9)).replace('"GetObject"', "GetObject"),
    "a raw control character": dump(record(9)).replace("GetObject", "Get\nObject"),
    "cut in the middle": dump(record(9))[:150],
    "cut at its start": dump(record(9))[40:],
    "a wrong escape": dump(record(9)).replace("GetObject", "Get\\xObject"),
    "nothing": "",
    "a bracket": "]",
    "an open bracket": "[",
    "a nested list of names": '{"eventVersion":"1","resources":[{"eventName":"x"},{"eventID":"y"}],"a":[1}',
    "a nested object like a record": '{"eventVersion":"1","requestParameters":{"readOnly":true},,}',
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("position", [0, 2, 4])
@pytest.mark.parametrize("claimed", [False, True])
def test_one_bad_record_does_not_lose_its_file(what: str, position: int, claimed: bool) -> None:  # noqa: FBT001 - from the list above
    contents = broken_at(position, BROKEN[what], claimed=claimed)
    found = [one for one in ids(contents) if one not in ("id9", "none")]
    assert found == [f"id{i}" for i in range(5) if i != position]
    assert contents.form == "records"
    assert contents.flaws


@pytest.mark.parametrize("what", [name for name in BROKEN if name not in ("nothing", "a bracket")])
def test_one_bad_line_does_not_lose_the_others(what: str) -> None:
    lines = [dump(one) for one in records(5)]
    lines[2] = BROKEN[what]
    found = ids(opened("\n".join(lines)))
    assert [one for one in found if one != "id9"] == ["id0", "id1", "id3", "id4"]


def test_a_cut_at_every_byte_keeps_every_whole_record() -> None:
    text = delivered(*records(3))
    ends = [text.index(f'"id{i}"'.encode()) + 6 for i in range(3)]
    for cut in range(len(text)):
        for claimed in (False, True):
            contents = opened(text[:cut], claimed=claimed)
            assert ids(contents) == [f"id{i}" for i, end in enumerate(ends) if end <= cut]
            assert contents.flaws or not (claimed or contents.found)


def test_what_claims_to_be_a_record_and_is_cut_is_a_fault() -> None:
    contents = opened(dump(record())[:-3])
    assert (contents.form, contents.found, len(contents.flaws)) == ("lines", [], 1)


def test_a_string_that_holds_a_broken_record_is_a_fault() -> None:
    events = [lookup(record(0)), {"CloudTrailEvent": dump(record(1))[:-4]}, {"CloudTrailEvent": 5}, {}, 7]
    contents = opened(dump({"Events": events}))
    assert ids(contents) == ["id0"]
    assert [flaw.reason for flaw in contents.flaws] == ["the record in this string cannot be read"]


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({}, Kind.CLOUDTRAIL),
        ({"eventCategory": "Management"}, Kind.CLOUDTRAIL),
        ({"eventCategory": "Insight"}, Kind.INSIGHT),
        ({"insightDetails": {}}, Kind.INSIGHT),
        ({"eventCategory": "NetworkActivity"}, Kind.NETWORKACTIVITY),
        ({"eventCategory": "Aggregated"}, Kind.AGGREGATED),
        ({"eventCategory": None}, Kind.CLOUDTRAIL),
        ({"requestParameters": {"eventCategory": "Insight"}}, Kind.CLOUDTRAIL),
    ],
)
def test_kinds_by_content(members: dict[str, Any], kind: Kind) -> None:
    assert record_kind(json.dumps(record(**members), indent=1).encode()) is kind
    assert record_kind(b"{") is Kind.CLOUDTRAIL


HOSTILE = {
    "unclosed objects": '{"eventVersion":' * 60_000,
    "unclosed objects, a line each": '{"eventVersion":\n' * 60_000,
    "unclosed records": '{"Records":[' + ('{"eventVersion":"1","eventID":"a",' * 30_000),
    "unclosed strings": '{"Records":[' + ('{"eventVersion":"1},' * 30_000),
    "records without their last brace": '{"Records":[' + (dump(record())[:-1] + ",") * 3_000,
    "lines without their last brace": (dump(record())[:-1] + "\n") * 3_000,
    "brackets": "[" * 500_000,
    "lists of records": '"Records":[' * 50_000,
    "objects with lists of records": '{"Records":[' * 50_000,
    "quotes": '"' * 300_001,
    "commas": '{"Records":[' + "," * 300_000,
    "lines of quotes": '"\n' * 100_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_no_absurdity_takes_long(name: str) -> None:
    began = time.process_time()
    contents = opened(HOSTILE[name], claimed=True)
    assert contents.flaws
    assert time.process_time() - began < 8
