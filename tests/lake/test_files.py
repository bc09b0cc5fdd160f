import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trailhouse.lake.files import Files, LocalFiles
from trailhouse.lake.workspace import Workspace


@pytest.fixture
def files(tmp_path: Path) -> Files:
    workspace = Workspace(tmp_path / "lake")
    workspace.prepare(["x"])
    return LocalFiles(workspace)


def test_files_are_placed_read_listed_and_deleted(files: Files, tmp_path: Path) -> None:
    """As in S3; see test_s3_files."""
    listed = []
    for number in range(3):
        path = tmp_path / f"{number}"
        path.write_bytes(b"content")
        listed.append((str(path), f"t/data/{number}.parquet"))
    places = files.place(listed)
    assert places == [files.location(f"t/data/{number}.parquet") for number in range(3)]
    assert not list(tmp_path.glob("[0-9]"))
    files.write("intents/a.json", "{}")
    assert files.read("intents/a.json") == "{}"
    assert files.names("t/data") == [f"t/data/{number}.parquet" for number in range(3)]
    assert files.names("t/dat") == []
    files.delete(["t/data/0.parquet", "intents/a.json", "intents/never"])
    assert files.names("t") == ["t/data/1.parquet", "t/data/2.parquet"]
    assert files.identity(places[0]) is None


def test_a_file_is_the_same_by_any_path(files: Files, tmp_path: Path) -> None:
    files.write("a", "x")
    (tmp_path / "link").symlink_to(tmp_path / "lake")
    assert (
        files.identity(os.fspath(tmp_path / "link" / "a")) == files.identity(files.location("a")) is not None
    )


def test_what_is_being_written_is_not_there_and_is_tidied(files: Files, tmp_path: Path) -> None:
    (tmp_path / "lake" / "intents" / "a.json.1.new").write_text("{")
    assert files.names("intents") == []
    files.tidy()
    assert not list((tmp_path / "lake" / "intents").iterdir())


def test_a_view_over_parquet(files: Files, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), tmp_path / "a.parquet")
    with duckdb.connect() as connection:
        files.show(connection, "v", [os.fspath(tmp_path / "a.parquet")], ["b"])
        assert connection.execute("SELECT * FROM v").fetchall() == [("x",)]
