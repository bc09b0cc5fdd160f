import pytest

from lake.samples import delivered, records, with_member
from trailhouse.lake.salvage import Flaw, Salvage, Search, looks_like_record


@pytest.mark.parametrize(
    "text",
    [
        b"{}", b'{"eventVersion":"1"}', b'{"eventName":"x"}', b"[", b'{"eventVersion"',
        b'{"eventVersion":"1","eventSource":"aws:s3"}', b'{"detail":{"eventVersion":"1","eventID":"2"}}',
    ],
)  # fmt: skip
def test_what_is_no_record(text: bytes) -> None:
    assert not looks_like_record(text)


def test_the_search_gives_up_some_time() -> None:
    search = Search(with_member('"a":1').encode())
    assert search.after(0) == 0
    search.spend(1 << 40)
    assert search.given_up
    assert search.after(0) == -1


def salvaged(text: bytes) -> tuple[list[bytes], list[Flaw], int]:
    flaws: list[Flaw] = []
    salvage = Salvage(text, text.index(b"["), Search(text), flaws.append)
    return [text[start:end] for start, end in salvage], flaws, salvage.end


def test_a_sound_list_ends_behind_its_bracket() -> None:
    text = delivered(*records(3)) + b"behind"
    found, flaws, end = salvaged(text)
    assert (len(found), flaws, text[end:]) == (3, [], b"}behind")
    assert salvaged(b"[ ] x")[2] == 3


def test_after_a_broken_element_only_whole_records_are_taken() -> None:
    text = delivered(*records(2), '{"eventVersion":"1","a":[{"eventName":"x"},{"b":{}}],oops}', *records(2))
    found, flaws, end = salvaged(text)
    assert len(found) == 4
    assert [text[flaw.position :][:22] for flaw in flaws] == [b'{"eventVersion":"1","a']
    assert end == len(text)
