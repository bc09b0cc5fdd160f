import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lake.lakes import NOW, Lake, event, key, store
from trailhouse.core.layout import Kind, classify
from trailhouse.errors import LakeError
from trailhouse.lake.commit import COMMIT_POINTS, Committer, Staged, staged
from trailhouse.lake.ingest import ingest
from trailhouse.lake.ledger import Item, passed_over, to_table
from trailhouse.lake.pending import Needed
from trailhouse.lake.place import LocalLake
from trailhouse.lake.tables import LEDGER, Tables
from trailhouse.lake.writer import WrittenFile
from trailhouse.storage import StoredObject


@pytest.fixture
def tables(lake: Lake) -> Iterator[Tables]:
    lake.workspace.prepare(["x"])
    made = Tables(lake.workspace)
    yield made
    made.close()


def ledger_file(lake: Lake, tables: Tables, name: str) -> Staged:
    row = passed_over(Item(StoredObject("s", name, 1, "v"), classify(name)), name, NOW)
    path = lake.workspace.staging / f"{name}.parquet"
    pq.write_table(to_table([row]).cast(tables.write_schema(LEDGER)), path, store_schema=False)
    return Staged(LEDGER, os.fspath(path), ".")


def test_folders_of_a_day() -> None:
    file = WrittenFile("p", ("2024", "05", "06"), 1)
    assert staged(Kind.INSIGHT, file) == Staged("cloudtrail_insight_lake", "p", "year=2024/month=05/day=06")
    nowhere = staged(Kind.CLOUDTRAIL, WrittenFile("p", (None, None, None), 1)).folder
    assert nowhere == "/".join(f"{n}=__HIVE_DEFAULT_PARTITION__" for n in ("year", "month", "day"))


def test_a_commit_passes_its_points(lake: Lake, tables: Tables) -> None:
    points: list[str] = []
    Committer(LocalLake(lake.workspace, tables), points.append).commit(
        "b1", [ledger_file(lake, tables, "b1")]
    )
    assert points == ["placed", "intended", "ledger committed", "done"]
    assert set(points) < set(COMMIT_POINTS)
    assert list(lake.ledger()) == ["b1"]
    lake.check()


def test_an_intent_is_finished_once(lake: Lake, tables: Tables) -> None:
    """Whether the crash came before or after the table's commit."""
    for before in (True, False):
        name = f"b{before}"
        points: list[str] = []

        def die(point: str, stop: str = "intended" if before else "ledger committed") -> None:
            if point == stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Committer(LocalLake(lake.workspace, tables), die).commit(name, [ledger_file(lake, tables, name)])
        assert [path.stem for path in lake.workspace.intents.iterdir()] == [name]
        for _ in range(2):
            Committer(LocalLake(lake.workspace, tables), points.append).settle()
        assert points == ["ledger committed", "done"]
        lake.check()
    assert sorted(lake.ledger()) == ["bFalse", "bTrue"]


def test_what_was_not_intended_is_removed(lake: Lake, tables: Tables) -> None:
    committer = Committer(LocalLake(lake.workspace, tables), lambda _: None)
    committer.commit("kept", [ledger_file(lake, tables, "kept")])
    (kept,) = lake.files(LEDGER)
    orphan = Path(kept).with_name("orphan.parquet")
    shutil.copy(kept, orphan)
    (lake.workspace.staging / "old").mkdir()
    (lake.workspace.staging / "old" / "run.arrow").write_text("x")
    (lake.workspace.staging / "file").write_text("x")
    (lake.workspace.intents / "b.json.1.new").write_text("{")
    (lake.root / "files.json.2.new").write_text("{")
    committer.settle()
    assert not orphan.exists()
    assert Path(kept).exists()
    lake.check()


def test_what_is_intended_is_no_orphan(lake: Lake, tables: Tables) -> None:
    committer = Committer(LocalLake(lake.workspace, tables), lambda _: None)
    committer.commit("b", [ledger_file(lake, tables, "b")])
    (kept,) = lake.files(LEDGER)
    pending = Path(kept).with_name("pending.parquet")
    shutil.copy(kept, pending)
    (lake.workspace.intents / "c.json").write_text(json.dumps({LEDGER: [os.fspath(pending)]}))
    assert committer.remove_orphans() == []
    assert pending.exists()


def test_a_damaged_intent_is_told(lake: Lake, tables: Tables) -> None:
    (lake.workspace.intents / "c.json").write_text("{")
    with pytest.raises(LakeError, match="is damaged"):
        Committer(LocalLake(lake.workspace, tables), lambda _: None).settle()


def test_an_interrupted_table_is_not_committed_twice(bucket: Path, lake: Lake) -> None:
    """The lake has the batch, the ledger does not: only the ledger is made up for."""
    store(bucket, key(), event("a"))

    def die(point: str) -> None:
        if point == "lake committed":
            raise KeyboardInterrupt

    lake.workspace.prepare(["x"])
    lake.progress.reached = die  # type: ignore[method-assign]  # dies instead
    recorder = lake.progress

    with pytest.raises(KeyboardInterrupt):
        ingest(lake.sources(), lake.workspace, needed=Needed(), now=NOW, progress=recorder, jobs=1)
    assert lake.one("SELECT count(*) FROM t") == 1
    assert lake.ledger() == {}
    assert lake.ingest().files == 0
    assert lake.one("SELECT count(*) FROM t") == 1
    lake.check()


def test_another_way_to_the_folder_makes_no_orphans(bucket: Path, lake: Lake, tmp_path: Path) -> None:
    store(bucket, key(), event("a"))
    lake.ingest()
    (tmp_path / "link").symlink_to(lake.root)
    other = Lake(bucket, tmp_path / "link")
    with closing(Tables(other.workspace)) as found:
        assert Committer(LocalLake(other.workspace, found), lambda _: None).remove_orphans() == []
    lake.check()
