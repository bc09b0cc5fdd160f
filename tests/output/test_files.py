import errno
import gzip
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trailhouse.errors import OutputError
from trailhouse.output import Format, write_file

TABLE = pa.table({"n": [1, 2, 3], "s": ["a", None, "=c"]})


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.ndjson", "a.jsonl", "a.parquet", "a.txt", "a.csv.gz"])
def test_size_and_sha256_are_those_of_the_file(tmp_path: Path, name: str) -> None:
    output = write_file(TABLE.to_reader(), tmp_path / name)
    content = (tmp_path / name).read_bytes()
    assert (output.rows, output.size) == (3, len(content))
    assert output.sha256 == hashlib.sha256(content).hexdigest()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_suffix_chooses_and_the_format_overrules(tmp_path: Path) -> None:
    write_file(TABLE.to_reader(), tmp_path / "a.parquet")
    assert pq.read_table(tmp_path / "a.parquet").equals(TABLE)
    write_file(TABLE.to_reader(), tmp_path / "b.parquet", Format.CSV)
    assert (tmp_path / "b.parquet").read_text() == "n,s\n1,a\n2,\n3,'=c\n"


def test_compressed_files_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    first, second = (write_file(TABLE.to_reader(), tmp_path / name) for name in ("a.csv.gz", "b.csv.gz"))
    assert first.sha256 == second.sha256
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).startswith(b"n,s\n")


def test_an_existing_file_is_replaced_whole_or_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")

    def failing() -> Iterator[pa.RecordBatch]:
        yield from TABLE.to_batches()
        raise LookupError("the engine gave up")

    with pytest.raises(LookupError):
        write_file(pa.RecordBatchReader.from_batches(TABLE.schema, failing()), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    write_file(TABLE.to_reader(), path)
    assert path.read_text().startswith("n,s")


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "a.csv"
    link.symlink_to(tmp_path / "real" / "b.csv")
    write_file(TABLE.to_reader(), link)
    assert link.is_symlink()
    assert (tmp_path / "real" / "b.csv").read_text().startswith("n,s")


def test_the_file_is_as_readable_as_the_user_wants(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(TABLE.to_reader(), tmp_path / "a.csv")
    finally:
        os.umask(before)
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o640


def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"a\.csv: not written: there is no folder .*/no: make it first"):
        write_file(TABLE.to_reader(), tmp_path / "no" / "a.csv")


def test_a_folder_that_is_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    with pytest.raises(OutputError, match="choose another place"):
        write_file(TABLE.to_reader(), tmp_path / "f" / "a.csv")


def test_devices_and_folders_are_no_files(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/null")):
        with pytest.raises(OutputError, match="is no plain file"):
            write_file(TABLE.to_reader(), path, Format.CSV)


def test_links_that_go_round_in_circles(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "a.csv")
    with pytest.raises(OutputError, match=r"a\.csv"):
        write_file(TABLE.to_reader(), tmp_path / "a.csv")


def test_a_source_is_never_written_to(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "source")
    with pytest.raises(OutputError, match="sources are never written to"):
        write_file(
            TABLE.to_reader(),
            tmp_path / "link" / "a.csv",
            is_source=lambda path: path.is_relative_to(tmp_path / "source"),
        )
    assert list((tmp_path / "source").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's own full device stands for the disk: only opening is bent towards it."""
    plain_open = Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, mode="r": plain_open(Path("/dev/full") if mode == "xb" else path, "wb")
    )
    big = pa.table({"n": range(50_000)})
    with pytest.raises(OutputError, match="the disk is full: make room"):
        write_file(big.to_reader(), tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "step"), [(errno.EACCES, "not allowed"), (errno.EROFS, "cannot be written to")]
)
def test_what_the_system_refuses_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, step: str
) -> None:
    """Root may write anywhere, so that the refusal is made here."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(OutputError, match=step):
        write_file(TABLE.to_reader(), tmp_path / "a.csv")


def test_errors_of_others_are_not_blamed_on_the_file(tmp_path: Path) -> None:
    def failing() -> Iterator[pa.RecordBatch]:
        yield from TABLE.to_batches()
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        write_file(pa.RecordBatchReader.from_batches(TABLE.schema, failing()), tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []
