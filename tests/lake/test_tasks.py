import gc
from functools import partial
from pathlib import Path

import pytest

from lake.lakes import NOW, Lake, event, key, store, store_bytes
from trailhouse.core.layout import classify
from trailhouse.lake import tasks
from trailhouse.lake.ledger import Item
from trailhouse.lake.reader import read
from trailhouse.lake.runs import open_run, run_keys, save_flags
from trailhouse.lake.tables import Tables
from trailhouse.lake.tasks import ReadResult, ReadTask, WriteTask, read_objects, write_days


def task(lake: Lake, folder: Path) -> ReadTask:
    sources = lake.sources()
    items = tuple(Item(one, classify(one.name)) for one in sources.list())
    folder.mkdir(exist_ok=True)
    return ReadTask(3, items, sources, folder, "batch", NOW)


def ids(result: ReadResult) -> list[str]:
    found = []
    for run in result.runs:
        save_flags(run, run_keys(run)[:, 0] < 0)
        found += open_run(run)["eventid"].to_pylist()
    return found


def test_objects_become_runs_and_rows(bucket: Path, lake: Lake, tmp_path: Path) -> None:
    store(bucket, key(), event("b", eventTime="2024-05-01T11"), event("a"))
    store(bucket, key(kind="CloudTrail-NetworkActivity"), event("n", eventCategory="NetworkActivity"))
    broken = store_bytes(bucket, "z.json.gz", b"\x1f\x8b broken")
    result = read_objects(task(lake, tmp_path / "staging"))
    assert (result.number, result.records, result.unread) == (3, 3, ())
    assert result.stored_bytes == sum(path.stat().st_size for path in bucket.rglob("*.gz"))
    assert sorted(ids(result)) == ["a", "b", "n"]
    assert len({run.path for run in result.runs}) == len({run.kind for run in result.runs}) == 2
    assert {row["logfile"]: row["records"] for row in result.ledger.to_pylist()} == {
        key(): 2,
        key(kind="CloudTrail-NetworkActivity"): 1,
        broken.name: 0,
    }
    assert {row["batch"] for row in result.ledger.to_pylist()} == {"batch"}


def test_large_objects_are_streamed_in_their_place(
    bucket: Path, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_CHUNK", 100)
    for number in range(5):
        store(bucket, key(number=number), *[event(f"{number}-{n}") for n in range(1 + 200 * (number == 2))])
    plain = read_objects(task(lake, tmp_path / "plain"))
    large = max(path.stat().st_size for path in bucket.rglob("*.gz"))
    monkeypatch.setattr(tasks, "LARGE", large)
    streamed = read_objects(task(lake, tmp_path / "streamed"))
    assert [row["logfile"] for row in streamed.ledger.to_pylist()] == [
        key(number=number) for number in range(5)
    ]
    assert streamed.ledger == plain.ledger
    assert ids(streamed) == ids(plain)


def test_many_rows_make_several_runs(
    bucket: Path, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_RUN_BYTES", 1)
    monkeypatch.setattr(tasks, "read", partial(read, batch_bytes=10_000))
    for number in range(10):
        store(bucket, key(number=number), *[event(f"{number}{n:02}") for n in range(100)])
    result = read_objects(task(lake, tmp_path / "staging"))
    assert len(result.runs) > 1
    assert len({run.path for run in result.runs}) == len(result.runs)
    assert sorted(ids(result)) == [f"{n:03}" for n in range(1_000)]


def test_nothing_to_read(bucket: Path, lake: Lake, tmp_path: Path) -> None:
    store(bucket, key())
    result = read_objects(task(lake, tmp_path / "staging"))
    assert (result.runs, result.records, result.ledger.num_rows) == ((), 0, 1)


def test_the_collector_is_as_it_was(bucket: Path, lake: Lake, tmp_path: Path) -> None:
    store(bucket, key(), event("a"))
    assert gc.isenabled()
    read_objects(task(lake, tmp_path / "staging"))
    assert gc.isenabled()


def test_days_become_files(bucket: Path, lake: Lake, tmp_path: Path) -> None:
    store(bucket, "x.json", event("a", "2024-05-01"), event("b", "2024-05-02"))
    folder = tmp_path / "staging"
    (run,) = read_objects(task(lake, folder)).runs
    save_flags(run, run_keys(run)[:, 0] < 0)
    lake.workspace.prepare(["x"])
    tables = Tables(lake.workspace)
    days = tuple((day, ((run, start, stop),)) for day, start, stop in run.days)
    files = write_days(WriteTask(0, run.kind, days, tables.write_schema("cloudtrail_lake"), folder, NOW))
    tables.close()
    assert [(file.day, file.rows) for file in files] == [(("2024", "05", "01"), 1), (("2024", "05", "02"), 1)]
    assert len({file.path for file in files}) == 2
