import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.demo import eventids
from trailhouse.demo.dice import uuid
from trailhouse.demo.eventids import EventIds
from trailhouse.demo.runs import Run


def run(ids: bytes, odd: str | None = None) -> Run:
    return Run("2026-03-02", "ListRoles", [], ids, odd=odd)


def expected(ids: set[str]) -> tuple[int, str]:
    return len(ids), hashlib.sha256("".join(f"{id_}\n" for id_ in sorted(ids)).encode()).hexdigest()


@given(st.lists(st.binary(min_size=16, max_size=16)), st.lists(st.text("aXZ0f-", max_size=8)))
def test_ids_are_sorted_and_distinct_whatever_they_are(raw: list[bytes], odd: list[str]) -> None:
    ids = EventIds()
    for one in raw:
        ids.add(run(one + one))
    for text in odd:
        ids.add(run(b"", odd=text))
    wanted = {uuid(one.hex()) for one in raw} | {text for text in odd if text}
    assert ids.digest() == expected(wanted)


def test_spooled_ids_count_like_those_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eventids, "_FLUSH", 64)
    spooled, kept = EventIds(tmp_path), EventIds()
    for at in range(500):
        one = run(hashlib.md5(bytes([at % 250]), usedforsecurity=False).digest() * 2)
        spooled.add(one)
        kept.add(one)
    assert any(tmp_path.iterdir())
    assert spooled.digest() == kept.digest()
