from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.core.inventory import Count, Day, InventoryCount, Span, take_inventory
from trailhouse.core.layout import Kind, LogKey, Unknown, format_key

A, B = "111122223333", "444455556666"


def key(
    account: str, day: str, unique: str, *, region: str = "us-east-1", kind: Kind = Kind.CLOUDTRAIL
) -> str:
    parts = (f"2023{day.replace('-', '')}T1230Z", unique)
    return format_key(LogKey("AWSLogs", account, kind, region, "2023", *day.split("-"), *parts))


def test_logs_are_counted_by_place_and_day() -> None:
    found = take_inventory([
        (key(B, "07-10", "a"), 5),
        (key(A, "07-11", "a"), 1),
        (key(A, "07-10", "a"), 2),
        (key(A, "07-10", "b"), 3),
        (key(A, "07-10", "a", region="zz-new-9"), 7),
        (key(A, "07-10", "a", kind=Kind.INSIGHT), 9),
    ])  # fmt: skip
    assert [*found.as_rows()] == [
        Day("", "AWSLogs", A, "CloudTrail", "us-east-1", "2023-07-10", 2, 5),
        Day("", "AWSLogs", A, "CloudTrail", "us-east-1", "2023-07-11", 1, 1),
        Day("", "AWSLogs", A, "CloudTrail", "zz-new-9", "2023-07-10", 1, 7),
        Day("", "AWSLogs", A, "CloudTrail-Insight", "us-east-1", "2023-07-10", 1, 9),
        Day("", "AWSLogs", B, "CloudTrail", "us-east-1", "2023-07-10", 1, 5),
    ]
    assert next(found.spans()) == Span(
        "", "AWSLogs", A, "CloudTrail", "us-east-1", "2023-07-10", "2023-07-11", 2, 3, 6
    )
    assert found.accounts == (A, B)
    assert found.regions == ("us-east-1", "zz-new-9")
    assert found.logs == found.listed == Count(6, 27)


def test_what_is_not_understood_is_counted_and_named() -> None:
    counting = InventoryCount()
    assert counting.add("notes.txt", 3) == Unknown()
    for number in range(20):
        counting.add(f"{number}", 1)
    counting.add(f"AWSLogs/{A}/Config/x.json.gz", 4)
    counting.add(f"AWSLogs/{A}/CloudTrail/", 0)
    counting.add("folder with content/", 8)
    counting.add(key(A, "07-10", "a"), 2, source="s", storage_class="GLACIER")
    found = counting.inventory()
    assert (found.foreign, found.folders) == ((("Config", Count(1, 4)),), Count(1, 0))
    assert found.unknown == Count(22, 31)
    assert found.samples == tuple(sorted(map(str, range(20)))[:10])
    assert found.archived == (("GLACIER", Count(1, 2)),)
    assert found.listed == Count(25, 37)
    assert next(found.as_rows()).source == "s"


def test_memory_is_bounded_however_many_services_there_are() -> None:
    found = take_inventory((f"AWSLogs/{A}/Service{number}/x.log", 1) for number in range(1500))
    assert len(found.foreign) == 1001
    assert dict(found.foreign)["others"] == Count(500, 500)


@given(st.lists(st.tuples(st.text() | st.sampled_from([key(A, "07-10", "a"), "x/"]), st.integers(0, 99))))
def test_nothing_is_left_out(listed: list[tuple[str, int]]) -> None:
    assert take_inventory(listed).listed == Count(len(listed), sum(size for _, size in listed))


@given(st.permutations([key(A, "07-10", "a"), key(A, "07-11", "a"), key(B, "07-10", "a"), "AWSLogs/", "x"]))
def test_the_order_of_a_listing_does_not_matter(names: list[str]) -> None:
    found, ordered = (
        take_inventory((name, len(name)) for name in listed) for listed in (names, sorted(names))
    )
    assert found == ordered


@pytest.mark.corpus
def test_the_real_corpus(corpus: Path) -> None:
    files = [path for path in corpus.rglob("*") if path.is_file()]
    found = take_inventory((path.relative_to(corpus).as_posix(), path.stat().st_size) for path in files)
    logs = [path.relative_to(corpus).parts for path in files if path.name.endswith(".json.gz")]
    assert found.logs.files == len(logs)
    assert found.listed.files == len(files)
    by_region = Counter(parts[-5] for parts in logs)
    assert Counter(dict.fromkeys(found.regions, 0) | by_region) == by_region
    assert found.regions == tuple(sorted(by_region))
    assert found.accounts == tuple(sorted({parts[-7] for parts in logs}))
