"""Hostile objects, and which records in each of them are good, known by construction.

A record is good when its own JSON text is whole and well-formed: half surrogate pairs, any nesting, repeated
and unknown names and unexpected types are; so is what is no UTF-8 inside of a string. In a cut object every
record before the cut is good. Nothing here imports the package.

    for hostile in hostile_objects(seed=1, count=1000):
        ...  # hostile.stored -> the records hostile.good, in order
"""

from __future__ import annotations

import gzip
import json
import random
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Hostile:
    """One object.

    Attributes:
        name: What is wrong with it.
        stored: Its bytes.
        good: The ids of its good records, in order.
        flawed: Whether something in it must be reported; None where both is right.
        claimed: Whether it lies under a key of CloudTrail's.
    """

    name: str
    stored: bytes
    good: tuple[str, ...]
    flawed: bool | None
    claimed: bool = True


@dataclass(frozen=True, slots=True)
class _Item:
    text: bytes
    good: str = ""


def hostile_objects(seed: int, count: int) -> Iterator[Hostile]:
    """Objects of every kind in turn; the same for the same seed."""
    names = list(_KINDS)
    for number in range(count):
        dice = random.Random(f"{seed}/{number}")
        name = names[number % len(names)]
        made = _KINDS[name](_Maker(dice, f"{seed}-{number}"))
        yield Hostile(name, made.stored, made.good, made.flawed, made.claimed)


class _Maker:
    def __init__(self, dice: random.Random, label: str) -> None:
        self.dice = dice
        self._label = label
        self._made = 0

    def record(self, member: bytes = b"") -> _Item:
        """A good record, plain or odd."""
        self._made += 1
        name = f"{self._label}-{self._made}"
        members = [
            b'"eventVersion":"1.08"',
            b'"userIdentity":{"type":"IAMUser","userName":"u","sessionContext":{"attributes":{}}}',
            b'"eventTime":"2024-01-02T03:04:05Z"',
            b'"eventName":"PutObject"',
            b'"eventSource":"s3.amazonaws.com"',
            b'"resources":[{"ARN":"a"},{"accountId":"1"}]',
        ]
        if member:
            members.append(member)
        if self.dice.random() < 0.3:
            members.append(self.odd_member())
        self.dice.shuffle(members)
        members.insert(self.dice.randrange(len(members) + 1), b'"eventID":"%b"' % name.encode())
        between = self.dice.choice([b",", b", ", b",\n  ", b" ,\t"])
        return _Item(b"{" + between.join(members) + b"}", name)

    def odd_member(self) -> bytes:
        return self.dice.choice(_ODD_MEMBERS)

    def records(self, least: int = 0) -> list[_Item]:
        return [self.record() for _ in range(self.dice.randint(least, 8))]

    def broken(self) -> _Item:
        """A text that claims to be a record, is none, and holds none."""
        text = self.record().text
        word = self.dice.choice(
            [b"", b"NaN", b"01", b"+1", b"'x'", b"tru", b"\xff", b'"a\nb"', b'"a\\xb"', b'"']
        )
        ways = [
            text[:-1],
            text.replace(b'"eventName"', b"eventName"),
            text.replace(b'"eventName":', b'"eventName"'),
            text.replace(b'PutObject"', b"PutObject"),
            text[: text.index(b'"eventName"')].ljust(2, b":"),
            text.replace(b'"PutObject"', word),
        ]
        return _Item(self.dice.choice(ways))

    def stranger(self) -> _Item:
        """An element that is no record, but well-formed."""
        return _Item(self.dice.choice([b"1", b"null", b'"x"', b"[]", b"true", b"-0.5e7", b"[[{}]]", b'""']))

    def listed(self, items: list[_Item]) -> bytes:
        comma = self.dice.choice([b",", b",\n", b" , "])
        return self.dice.choice([b"[", b"[ "]) + comma.join(item.text for item in items) + b"]"

    def delivered(self, items: list[_Item]) -> bytes:
        return b'{"Records":' + self.listed(items) + b"}"

    def stored(self, text: bytes) -> bytes:
        """As gzip, as several members, or as it is."""
        how = self.dice.randrange(4)
        if how == 0 and text[:2] != b"\x1f\x8b":
            return text
        if how == 1:
            cut = self.dice.randint(0, len(text))
            return _gz(text[:cut]) + _gz(text[cut:])
        return _gz(text) + bytes(512 if how == 2 else 0)

    def made(self, text: bytes, items: list[_Item], *, flawed: bool | None, claimed: bool = True) -> Hostile:
        return Hostile("", self.stored(text), _good(items), flawed, claimed)


def _gz(text: bytes) -> bytes:
    return gzip.compress(text, 5, mtime=0)


def _good(items: list[_Item]) -> tuple[str, ...]:
    return tuple(item.good for item in items if item.good)


def _nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


_ODD_MEMBERS = [
    b'"userAgent":"\\ud800"',
    b'"userAgent":"\\udfff\\ud800 \\ud83d\\ude00"',
    b'"userAgent":"\xff\xfe\xc3("',
    b'"requestParameters":{"\\ud800":"\\udc00","a":"\xed\xa0\x80"}',
    b'"requestParameters":' + _nested(3000),
    b'"newField":' + _nested(5000),
    b'"tlsDetails":' + _nested(2000),
    b'"errorCode":' + _nested(1500),
    b'"errorCode":"a","errorCode":null,"errorCode":{"a":1}',
    b'"errorCode":5,"readOnly":0,"apiVersion":false',
    b'"resources":""',
    b'"tlsDetails":"none"',
    b'"addendum":{"new":1,"updatedFields":["a"]}',
    b'"a`b":1,"c\\"d":2,"":3,"\\u0000":4,"\xc3\xa9":5,"$bytes":6,"a.b":7',
    b'"extra0":1,"extra1":{},"self":[]',
    b'"\xff\xfe":"\xff"',
    b'"additionalEventData":1.68890570862E9',
    b'"additionalEventData":{"a":123456789012345678901234567890,"A":0.0}',
    b'"userAgent":"},{\\"eventVersion\\":\\"1.08\\"},{"',
    b'"requestParameters":{"Records":[{"eventVersion":1},{}]}',
    b'"requestParameters":{"eventVersion":"1","x":[{"eventName":"y"}]}',
    b'"userAgent":"' + b"x" * 20_000 + b'"',
    b'"userAgent":"\\u001b[31m\\u202e=cmd()"',
]


def _whole(make: _Maker) -> Hostile:
    items = make.records()
    return make.made(make.delivered(items), items, flawed=False)


def _cut_text(make: _Maker) -> Hostile:
    items = make.records(1)
    text = make.delivered(items)
    cut = make.dice.randrange(1, len(text))
    return make.made(text[:cut], _before(text, items, cut), flawed=True)


def _before(text: bytes, items: list[_Item], cut: int) -> list[_Item]:
    """The items whose last byte lies before a cut."""
    at, kept = 0, []
    for item in items:
        at = text.index(item.text, at) + len(item.text)
        if at <= cut:
            kept.append(item)
    return kept


def _cut_gzip(make: _Maker) -> Hostile:
    items = make.records(1)
    text = make.delivered(items)
    stored = _gz(text)
    stored = stored[: make.dice.randrange(2, len(stored))]
    there = len(zlib.decompressobj(31).decompress(stored))
    return Hostile("", stored, _good(_before(text, items, there)), flawed=True)


def _wrong_checksum(make: _Maker) -> Hostile:
    items = make.records(1)
    stored = bytearray(_gz(make.delivered(items)))
    stored[-make.dice.randint(1, 8)] ^= 1 << make.dice.randrange(8)
    return Hostile("", bytes(stored), _good(items), flawed=True)


def _trailing(make: _Maker) -> Hostile:
    items = make.records()
    stored = _gz(make.delivered(items)) + make.dice.choice(
        [b"x", b"\0x", b"\x1f", b"\x1f\x8b", b'{"Records":[]}']
    )
    return Hostile("", stored, _good(items), flawed=True)


def _same_size_members(make: _Maker) -> Hostile:
    items = make.records(2)
    text = make.delivered(items)
    text += b" " * (len(text) % 2)
    half = len(text) // 2
    return Hostile("", _gz(text[:half]) + _gz(text[half:]), _good(items), flawed=False)


def _two_documents(make: _Maker) -> Hostile:
    first, second = make.records(), make.records()
    texts = make.delivered(first), make.delivered(second)
    stored = (
        make.dice.choice([b"", b"\n"]).join(texts) if make.dice.random() < 0.3 else b"".join(map(_gz, texts))
    )
    return Hostile("", stored, _good(first + second), flawed=False)


def _second_is_rubbish(make: _Maker) -> Hostile:
    items = make.records()
    return Hostile("", _gz(make.delivered(items)) + _gz(b"rubbish"), _good(items), flawed=True)


def _byte_order_mark(make: _Maker) -> Hostile:
    items = make.records()
    return make.made(b"\xef\xbb\xbf" + make.delivered(items), items, flawed=False)


def _empty(make: _Maker) -> Hostile:
    return make.made(make.dice.choice([b"", b" ", b"\n\r\n\t", b" " * 10_000]), [], flawed=False)


def _not_json(make: _Maker) -> Hostile:
    texts = [
        b"<html></html>",
        b"not JSON",
        b"\0\0\0",
        b"{",
        b"]",
        b'"',
        b"\x1f",
        b"PK\x03\x04",
        b"nul",
        b"{]",
        b"'{}'",
    ]
    texts.append(b"z" + make.dice.randbytes(300))
    return make.made(make.dice.choice(texts), [], flawed=True)


def _no_records(make: _Maker) -> Hostile:
    texts = [
        b"{}",
        b"1",
        b'"x"',
        b"null",
        b"[1]",
        b'{"records":[]}',
        b'{"logFiles":[]}',
        b'{"a":{"Records":[{}]}}',
    ]
    return make.made(make.dice.choice(texts), [], flawed=True)


def _records_is_no_list(make: _Maker) -> Hostile:
    value = make.dice.choice([b"null", b"{}", b"5", b'"[]"', b"true", make.record().text])
    return make.made(b'{"Records":' + value + b"}", [], flawed=True)


def _records_twice(make: _Maker) -> Hostile:
    first, second = make.records(), make.records()
    between = make.dice.choice([b"", b'"x":[1],', b'"y":{"Records":[2]},'])
    text = b'{"Records":' + make.listed(first) + b"," + between + b'"Records":' + make.listed(second) + b"}"
    return make.made(text, first + second, flawed=False)


def _members_around(make: _Maker) -> Hostile:
    items = make.records()
    text = b'{"a":{"Records":1},"b":"]}",' + make.delivered(items)[1:-1] + b',"z":[{"eventName":"x"}]}'
    return make.made(text, items, flawed=False)


def _no_objects(make: _Maker) -> Hostile:
    items = make.records()
    for _ in range(make.dice.randint(1, 3)):
        items.insert(make.dice.randint(0, len(items)), make.stranger())
    return make.made(make.delivered(items), items, flawed=True)


def _broken_records(make: _Maker) -> Hostile:
    items = make.records()
    for _ in range(make.dice.randint(1, 3)):
        items.insert(make.dice.randint(0, len(items)), make.broken())
    return make.made(make.delivered(items), items, flawed=True)


def _broken_punctuation(make: _Maker) -> Hostile:
    """Between records that are whole."""
    items = make.records(2)
    texts = [item.text for item in items]
    at = make.dice.randrange(1, len(texts))
    texts.insert(at, make.dice.choice([b"}", b";", b"\0", b"x", b":", b"\xff", b'"', b"\\", b"-", b"{"]))
    text = b'{"Records":[' + make.dice.choice([b",", b""]).join(texts) + b"]}"
    return make.made(text, items, flawed=True)


def _odd_values(make: _Maker) -> Hostile:
    items = [make.record(make.odd_member()) for _ in range(make.dice.randint(1, 5))]
    return make.made(make.delivered(items), items, flawed=False)


def _absurd_nesting(make: _Maker) -> Hostile:
    depth = make.dice.choice([2_000, 5_000, 10_000, 100_000])
    values = [_nested(depth), b'{"a":' * (depth // 4) + b"{}" + b"}" * (depth // 4)]
    name = make.dice.choice([b"requestParameters", b"userIdentity", b"eventType", b"unknown", b"resources"])
    items = [make.record(), make.record(b'"%b":%b' % (name, make.dice.choice(values))), make.record()]
    return make.made(make.delivered(items), items, flawed=False)


def _endless_nesting(make: _Maker) -> Hostile:
    opening = make.dice.choice([b"[", b'{"a":', b'{"Records":[', b'[{"eventVersion":'])
    items = make.records()
    text = make.delivered(items)[:-2] + (b"," if items else b"") + opening * 3000
    return make.made(text, items, flawed=True)


def _bomb(make: _Maker) -> Hostile:
    size = make.dice.randint(1 << 20, 3 << 20)
    items = make.records(1)
    text = make.delivered(items)
    how = make.dice.randrange(4)
    if how == 0:
        return Hostile("", _gz(text + b" " * size), _good(items), flawed=False)
    if how == 1:
        return Hostile("", _gz(text[:-2] + b"\n" * size + b"]}"), _good(items), flawed=False)
    if how == 2:
        return Hostile("", _gz(bytes(size)), (), flawed=True)
    items.append(make.record(b'"requestParameters":{"a":"' + b"A" * size + b'"}'))
    return Hostile("", _gz(make.delivered(items)), _good(items), flawed=False)


def _lines(make: _Maker) -> Hostile:
    items = [_Item(i.text.replace(b"\n", b" "), i.good) for i in make.records(1)]
    claimed = make.dice.random() < 0.5
    flawed: bool | None = False
    if make.dice.random() < 0.5:
        bad = make.broken().text.replace(b"\n", b"")[:-1]
        items.insert(make.dice.randint(0, len(items)), _Item(bad))
        flawed = True if claimed or b'"eventVersion"' in bad else None
    return make.made(b"\n".join(i.text for i in items), items, flawed=flawed, claimed=claimed)


def _array(make: _Maker) -> Hostile:
    items = make.records(1)
    return make.made(make.listed(items), items, flawed=False, claimed=make.dice.random() < 0.5)


def _embedded(make: _Maker) -> Hostile:
    items = [_Item(json.dumps({"eventVersion": "1", "eventName": "n", "eventID": i.good}).encode(), i.good)
             for i in make.records(1)]  # fmt: skip
    quoted = [json.dumps(item.text.decode()).encode() for item in items]
    text = make.dice.choice(
        [
            b'{"Events":[' + b",".join(b'{"CloudTrailEvent":' + q + b"}" for q in quoted) + b"]}",
            b'{"logEvents":[' + b",".join(b'{"message":' + q + b"}" for q in quoted) + b"]}",
            b"\n".join(b'{"detail-type":"x","detail":' + item.text + b"}" for item in items),
            b"\n".join(b"2024-01-02T03:04:05.678Z " + item.text for item in items),
        ]
    )
    return make.made(text, items, flawed=False, claimed=False)


def _stranger(make: _Maker) -> Hostile:
    event = b'{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put","eventID":"x"}'
    texts = [
        b'{"Records":[' + event + b"]}",
        event,
        event + b"\n" + event,
        b'{"logFiles":[{"s3Bucket":"b"}]}',
        b"a,b\n1,2",
    ]
    texts += [
        b'{"reason":"r","record":' + make.record().text + b"}",
        make.dice.randbytes(200),
        b"[]",
        b"{}",
        b"[" * 9999,
    ]
    return make.made(make.dice.choice(texts), [], flawed=False, claimed=False)


def _changed_bytes(make: _Maker) -> Hostile:
    """A whole file with one byte of one record changed to a control character, which JSON has nowhere."""
    items = make.records(2)
    text = bytearray(make.delivered(items))
    hit = make.dice.randrange(len(items))
    start = _before_end(bytes(text), items, hit)
    text[make.dice.randrange(start, start + len(items[hit].text))] = make.dice.choice([0, 1, 8, 11, 12, 31])
    return make.made(bytes(text), [item for i, item in enumerate(items) if i != hit], flawed=True)


def _before_end(text: bytes, items: list[_Item], hit: int) -> int:
    at = 0
    for item in items[:hit]:
        at = text.index(item.text, at) + len(item.text)
    return text.index(items[hit].text, at)


_KINDS: dict[str, Callable[[_Maker], Hostile]] = {
    "whole": _whole,
    "cut in the text": _cut_text,
    "cut in the gzip data": _cut_gzip,
    "wrong checksum": _wrong_checksum,
    "something behind the gzip data": _trailing,
    "two members of one size": _same_size_members,
    "two documents": _two_documents,
    "rubbish in the second member": _second_is_rubbish,
    "byte order mark": _byte_order_mark,
    "empty": _empty,
    "not JSON": _not_json,
    "Records missing": _no_records,
    "Records no list": _records_is_no_list,
    "Records twice": _records_twice,
    "other members around": _members_around,
    "records that are no objects": _no_objects,
    "broken records": _broken_records,
    "broken punctuation": _broken_punctuation,
    "odd values": _odd_values,
    "absurd nesting": _absurd_nesting,
    "endless nesting": _endless_nesting,
    "bomb": _bomb,
    "lines": _lines,
    "array": _array,
    "records in strings and envelopes": _embedded,
    "stranger": _stranger,
    "changed byte": _changed_bytes,
}
