from __future__ import annotations

import io
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.clouds import LAKE, URI
from trailhouse.errors import AwsError, ConflictError, NotFoundError
from trailhouse.lake.s3_files import ObjectFile, S3Files, split

if TYPE_CHECKING:
    from pathlib import Path

    from lake.clouds import Cloud

TAIL = 64 << 10


@pytest.fixture
def files(cloud: Cloud) -> S3Files:
    return S3Files(cloud.gate, URI)


def test_bucket_and_key() -> None:
    assert split("s3://b/a/c=d/e") == ("b", "a/c=d/e")
    assert split("s3://b") == ("b", "")


def opened(content: bytes, asked: list[str]) -> ObjectFile:
    def part(first: str) -> tuple[bytes, str]:
        asked.append(first)
        start, _, end = first.partition("-")
        at = int(start) if start else max(0, len(content) - int(end))
        found = content[at : int(end) + 1 if start else None]
        return found, f"bytes {at}-{at + len(found) - 1}/{len(content)}"

    return ObjectFile(part)


@given(
    size=st.sampled_from([1, 100, TAIL, TAIL + 1, 3 * TAIL]),
    steps=st.lists(
        st.tuples(st.sampled_from([0, 1, 2]), st.integers(-200_000, 200_000), st.integers(-1, 200_000))
    ),
)
def test_an_object_is_read_like_a_file(size: int, steps: list[tuple[int, int, int]]) -> None:
    content = bytes(n % 251 for n in range(size))
    file, model = opened(content, []), io.BytesIO(content)
    assert len(file) == size
    for whence, offset, count in steps:
        start = {0: 0, 1: model.tell(), 2: size}[whence] + offset
        assert file.seek(offset, whence) == model.seek(max(0, start)) == file.tell()
        assert file.read(count) == model.read(count)
        assert file.tell() == model.tell() or model.tell() > size


def test_the_end_comes_with_the_first_request() -> None:
    asked: list[str] = []
    file = opened(b"x" * (TAIL + 10), asked)
    file.seek(10)
    assert len(file.read()) == TAIL
    assert asked == [f"-{TAIL}"]
    file.seek(0)
    assert len(file.readall()) == TAIL + 10
    assert asked[1:] == ["0-9"]


@pytest.mark.emulator
def test_files_are_placed_read_listed_and_deleted(files: S3Files, cloud: Cloud, tmp_path: Path) -> None:
    listed = []
    for number in range(3):
        path = tmp_path / f"{number}"
        path.write_bytes(b"content")
        listed.append((str(path), f"t/data/{number}.parquet"))
    places = files.place(listed)
    assert places == [f"{URI}/t/data/{number}.parquet" for number in range(3)]
    assert not list(tmp_path.glob("[0-9]"))
    files.write("intents/a.json", "{}")
    assert files.read("intents/a.json") == "{}"
    assert files.names("t/data") == [f"t/data/{number}.parquet" for number in range(3)]
    assert files.names("t/dat") == []
    assert files.identity(places[0]) == places[0]
    files.delete(["t/data/0.parquet", "intents/a.json", "never/there"])
    files.delete([])
    files.tidy()
    assert cloud.objects() == ["cloudtrail/t/data/1.parquet", "cloudtrail/t/data/2.parquet"]
    with pytest.raises(NotFoundError):
        files.read("intents/a.json")


@pytest.mark.emulator
def test_conditions_of_writing(files: S3Files) -> None:
    place = files.location("lock")
    etag = files.put(place, b"1", IfNoneMatch="*")
    with pytest.raises(ConflictError):
        files.put(place, b"2", IfNoneMatch="*")
    assert files.put(place, b"2", IfMatch=etag) != etag
    with pytest.raises(ConflictError):
        files.put(place, b"3", IfMatch=etag)


@pytest.mark.emulator
def test_a_thousand_at_once(files: S3Files, cloud: Cloud) -> None:
    cloud.aws.bucket(LAKE).put_all((f"cloudtrail/x/{n:05}", b"") for n in range(1001))
    files.delete(files.names("x"))
    assert cloud.objects() == []
    assert cloud.aws.s3.log.counts["DeleteObjects"] == 2


@pytest.mark.emulator
def test_what_could_not_be_deleted_is_an_error(files: S3Files, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"Errors": [{"Key": "cloudtrail/a", "Code": "AccessDenied", "Message": "Access Denied"}]}
    monkeypatch.setattr(files._gate, "call", lambda *_, **__: answer)  # the bed deletes whatever it is told
    with pytest.raises(AwsError, match=r"s3://my-lake/cloudtrail/a was not deleted \(AccessDenied"):
        files.delete(["a"])


@pytest.mark.emulator
def test_a_view_over_parquet_in_s3(files: S3Files, cloud: Cloud) -> None:
    places = []
    for number in range(2):
        content = io.BytesIO()
        pq.write_table(pa.table({"a": [number], "b": ["x"], "c": [None]}), content)
        cloud.aws.bucket(LAKE).put(f"cloudtrail/{number}.parquet", content.getvalue())
        places.append(f"{URI}/{number}.parquet")
    with duckdb.connect() as connection:
        files.show(connection, "v", places, ["b", "a"])
        assert connection.execute("SELECT * FROM v WHERE a >= 0 ORDER BY a").fetchall() == [
            ("x", 0),
            ("x", 1),
        ]
