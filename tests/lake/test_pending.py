from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from lake.lakes import ACCOUNTS, DAYS, NOW, REGIONS, key
from trailhouse.core.layout import LogKey, classify
from trailhouse.lake.ledger import Item, passed_over, to_table
from trailhouse.lake.pending import Needed, Pending, json_estimate
from trailhouse.storage import StoredObject


def stored(
    name: str, version: str = "v", size: int = 10, source: str = "s", together: str = ""
) -> StoredObject:
    return StoredObject(source, name, size, version, together=together)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        yield made


def ledger(folder: Path, *objects: StoredObject) -> list[str]:
    rows = [passed_over(Item(one, classify(one.name)), "b", NOW) | {"sha256": "then"} for one in objects]
    pq.write_table(to_table(rows), folder / "ledger.parquet")
    return [str(folder / "ledger.parquet")]


def now(_: StoredObject) -> str | None:
    return "now"


def names(pending: Pending, json_bytes: int = 1 << 30) -> list[list[str]]:
    return [[item.object.name for item in batch] for batch in pending.batches(json_bytes)]


def test_everything_is_new_at_first(connection: duckdb.DuckDBPyConnection) -> None:
    pending = Pending(connection, [], now)
    objects = [stored("b.json.gz"), stored("a.json", size=7)]
    listing = pending.collect(objects, Needed())
    assert (listing.objects, listing.new, listing.new_bytes, listing.json_bytes) == (2, 2, 17, 107)
    assert (listing.known, listing.deferred, listing.changed, listing.gone) == (0, 0, [], [])
    assert names(pending) == [["a.json", "b.json.gz"]]


def test_against_the_ledger(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    known = [stored("same"), stored("changed", "v1"), stored("gone"), stored("same", source="other")]
    pending = Pending(connection, ledger(tmp_path, *known), now)
    listed = [stored("same"), stored("changed", "v2"), stored("new"), stored("changed", source="other")]
    listing = pending.collect(listed, Needed())
    assert (listing.known, listing.new, listing.objects) == (1, 2, 4)
    assert (listing.changed, listing.changed_total) == (["changed"], 1)
    assert (listing.gone, listing.gone_total) == (["gone", "same"], 2)
    assert sorted(names(pending)[0]) == ["changed", "new"]


def test_more_than_one_chunk(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trailhouse.lake.pending._CHUNK", 7)
    monkeypatch.setattr("trailhouse.lake.pending._NAMED", 3)
    pending = Pending(
        connection, ledger(tmp_path, *[stored(f"{n:03}", "old" if n % 3 else "v") for n in range(30)]), now
    )
    listing = pending.collect((stored(f"{n:03}") for n in range(10, 60)), Needed())
    assert (listing.known, listing.changed_total, listing.new, listing.gone_total) == (6, 14, 30, 10)
    assert listing.changed == ["010", "011", "013"]
    assert listing.gone == ["000", "001", "002"]
    assert [name for batch in names(pending) for name in batch] == [f"{n:03}" for n in range(30, 60)]


def test_what_was_only_touched_is_known(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    known = [stored("touched", "v1"), stored("gone since", "v1")]
    checksums = {"touched": "then", "gone since": None}
    pending = Pending(connection, ledger(tmp_path, *known), lambda one: checksums[one.name])
    listing = pending.collect([stored("touched", "v2"), stored("gone since", "v2")], Needed())
    assert (listing.known, listing.changed) == (1, ["gone since"])


def test_known_objects_are_never_deferred(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    pending = Pending(connection, ledger(tmp_path, stored(key(DAYS[0]))), now)
    needed = Needed(first=date(2024, 5, 2))
    listing = pending.collect([stored(key(day)) for day in DAYS], needed)
    assert (listing.known, listing.new, listing.deferred, listing.gone_total) == (1, 2, 0, 0)


@pytest.mark.parametrize(
    ("needed", "expected"),
    [
        (Needed(), True),
        (Needed(first=date(2024, 5, 1), last=date(2024, 5, 1)), True),
        (Needed(first=date(2024, 5, 2)), False),
        (Needed(last=date(2024, 4, 30)), False),
        (Needed(accounts=(ACCOUNTS[1], ACCOUNTS[0])), True),
        (Needed(accounts=(ACCOUNTS[1],)), False),
        (Needed(regions=(REGIONS[0],)), True),
        (Needed(regions=("nowhere-1",)), False),
    ],
)
def test_what_is_needed(needed: Needed, expected: bool) -> None:  # noqa: FBT001 - a value of the table above
    place = classify(key("2024-05-01"))
    assert isinstance(place, LogKey)
    assert needed.has(place) is expected


def test_days_come_in_order_and_batches_are_bounded(connection: duckdb.DuckDBPyConnection) -> None:
    objects = [
        stored(key(day, n, account)) for day in reversed(DAYS) for n in range(2) for account in ACCOUNTS
    ]
    pending = Pending(connection, [], now)
    pending.collect([stored("loose"), *objects], Needed())
    batches = names(pending, 300)
    flat = [name for batch in batches for name in batch]
    assert flat[0] == "loose"
    assert flat[1:] == sorted(flat[1:], key=lambda name: (name.partition("_us-east-1_")[2][:8], name))
    assert all(len(batch) <= 3 or "loose" in batch for batch in batches)
    assert names(pending, 1) == [[name] for name in flat]


def test_members_of_an_archive_stay_together(connection: duckdb.DuckDBPyConnection) -> None:
    members = [stored(f"a.tgz!{key(day)}", together="a.tgz") for day in DAYS]
    pending = Pending(connection, [], now)
    pending.collect([members[2], stored(key(DAYS[1], 5)), members[0], members[1]], Needed())
    assert [item.object.together for batch in pending.batches(1 << 30) for item in batch] == [
        "",
        *["a.tgz"] * 3,
    ]


def test_estimates() -> None:
    assert json_estimate(stored("x.json.gz")) == 100
    assert json_estimate(stored("x.json")) == 10
