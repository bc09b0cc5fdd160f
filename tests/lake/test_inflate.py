import gzip
import io
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.samples import gz
from trailhouse.lake import inflate as inflate_module
from trailhouse.lake.inflate import Inflated, InflateError, inflate, inflate_stream

LIMIT = 1 << 20
TEXT = ('{"Records":[' + ",".join(f'{{"eventID":"{i * 7919}"}}' for i in range(400)) + "]}").encode()


def stream(*chunks: bytes) -> tuple[bytes, str]:
    pieces = []
    try:
        pieces.extend(inflate_stream(chunks))
    except InflateError as error:
        return b"".join(pieces), str(error)
    return b"".join(pieces), ""


def stream_of(pieces: list[bytes]) -> bytes:
    return b"".join(inflate_stream(pieces))


@pytest.mark.parametrize("text", [b"", b"{}", TEXT])
def test_plain_text_passes_through(text: bytes) -> None:
    assert inflate(text, LIMIT) == Inflated(text)
    assert stream(text) == (text, "")


def test_one_member() -> None:
    assert inflate(gz(TEXT), LIMIT) == Inflated(TEXT)
    assert stream(gz(TEXT)) == (TEXT, "")


@pytest.mark.parametrize(
    "texts",
    [
        [TEXT, TEXT],  # of the same size: some decompressors give only the first, without a word
        [b"a", b"b", b""],
        [b"", TEXT],
        [b"x"] * 500,
        [bytes([i]) * i for i in range(60)],
    ],
)
def test_members_are_read_whole(texts: list[bytes]) -> None:
    stored = gz(*texts)
    assert inflate(stored, LIMIT) == Inflated(b"".join(texts))
    assert stream(*(stored[i : i + 1] for i in range(len(stored)))) == (b"".join(texts), "")


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5), st.integers(1, 50), st.integers(0, 40))
def test_any_members_in_any_chunks_with_any_padding(texts: list[bytes], size: int, zeros: int) -> None:
    stored = gz(*texts) + bytes(zeros)
    chunks = [stored[i : i + size] for i in range(0, len(stored), size)]
    assert stream_of(chunks) == b"".join(texts)
    assert inflate(stored, LIMIT) == Inflated(b"".join(texts))


def test_padding_between_members() -> None:
    stored = gz(b"one") + bytes(512) + gz(b"two") + bytes(1000)
    assert inflate(stored, LIMIT) == Inflated(b"onetwo")


def test_optional_parts_of_the_header_are_read() -> None:
    target = io.BytesIO()
    with gzip.GzipFile("a name.json", "wb", fileobj=target, mtime=1) as member:
        member.write(TEXT)
    assert inflate(target.getvalue() * 2, LIMIT) == Inflated(TEXT * 2)


def test_a_truncation_at_any_byte_keeps_what_was_there() -> None:
    stored = gz(TEXT[:900])
    for cut in range(2, len(stored)):
        for found, fault in (stream(stored[:cut]), stream(stored[:40], stored[40:cut])):
            assert TEXT.startswith(found)
            assert fault == "the gzip data is truncated"
        whole = inflate(stored[:cut], LIMIT)
        assert whole == Inflated(found, fault=fault)
    assert len(inflate(stored[:-8], LIMIT).data) == 900


@pytest.mark.parametrize("behind", [b"x", b"\0\0x", b"not gzip at all", b"\x1f"])
def test_something_else_behind_is_named(behind: bytes) -> None:
    found = inflate(gz(TEXT) + behind, LIMIT)
    assert found == Inflated(TEXT, fault="bytes that are not gzip follow the compressed data")


@pytest.mark.parametrize("at", [-8, -6, -1])
def test_a_wrong_checksum_or_size_costs_nothing(at: int) -> None:
    stored = bytearray(gz(TEXT))
    stored[at] ^= 0x40
    found = inflate(bytes(stored), LIMIT)
    assert found.data == TEXT
    assert "damaged" in found.fault


def test_everything_before_damage_is_kept() -> None:
    text = b"".join(b"%d," % random.Random(i).getrandbits(64) for i in range(20_000))
    stored = bytearray(gz(text))
    stored[len(stored) // 2 : len(stored) // 2 + 40] = b"\xff" * 40
    found, fault = stream(bytes(stored))
    assert "damaged" in fault
    same = next(i for i, (a, b) in enumerate(zip(found, text, strict=False)) if a != b)
    assert same > len(text) * 0.45
    assert inflate(bytes(stored), LIMIT) == Inflated(found, fault=fault)


def test_a_second_member_that_is_damaged_keeps_the_first() -> None:
    found = inflate(gz(b"good") + gz(TEXT)[:-9], LIMIT)
    assert found == Inflated(b"good" + TEXT[: len(found.data) - 4], fault="the gzip data is truncated")


def test_damage_at_the_very_start() -> None:
    assert "damaged" in inflate(b"\x1f\x8b\xff\xff" + TEXT, LIMIT).fault
    assert inflate(b"\x1f\x8b", LIMIT).fault == "the gzip data is truncated"
    assert inflate(b"\x1f", LIMIT) == Inflated(b"\x1f")


def test_more_than_the_limit_is_said() -> None:
    assert inflate(TEXT, 100) == Inflated(TEXT[:100], more=True)
    assert inflate(gz(TEXT), 100) == Inflated(TEXT[:100], more=True)
    assert inflate(gz(TEXT[:80], TEXT), 100) == Inflated((TEXT[:80] + TEXT)[:100], more=True)
    assert inflate(gz(TEXT), len(TEXT)).data == TEXT


def test_bombs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflate_module, "_BOMB_FLOOR", 1 << 20)
    found, fault = stream(gz(bytes(8 << 20)))
    assert "bomb" in fault
    assert len(found) < 4 << 20
    assert stream(gz(bytes(1 << 19))) == (bytes(1 << 19), "")


@pytest.mark.parametrize("level", [0, 1, 9])
def test_a_long_object_comes_in_small_pieces(level: int) -> None:
    text = TEXT * 600
    packer = zlib.compressobj(level, wbits=31)
    stored = packer.compress(text) + packer.flush()
    pieces = list(inflate_stream(stored[i : i + 65536] for i in range(0, len(stored), 65536)))
    assert b"".join(pieces) == text
    assert max(map(len, pieces)) <= 5 << 20
