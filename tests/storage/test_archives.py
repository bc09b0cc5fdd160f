import bz2
import gzip
import io
import os
import pickle
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailhouse.errors import SourceError, StorageError
from trailhouse.storage import Sources, StoredObject, archives, open_sources, zips
from trailhouse.storage.tars import _Inflating

Tree = dict[str, bytes]


def opened(*sources: Path) -> Sources:
    return open_sources([str(source) for source in sources], stdin=io.BytesIO(), spool=Path("/nonexistent"))


def contents(*sources: Path) -> dict[str, bytes | str]:
    """Every object read, once by `read_many` and once as a stream; errors as text."""
    found = opened(*sources)
    items = [*found.list()]
    assert [item.name for item in items] == sorted({item.name for item in items})
    read = {item.name: outcome for item, outcome in found.read_many(items)}
    assert len(read) == len(items)
    for item in items:
        content = read[item.name]
        if isinstance(content, bytes):
            assert streamed(found, item) == content == found.read(item)
            assert len(content) == item.size
            continue
        with pytest.raises(StorageError):
            found.read(item)
        with pytest.raises(StorageError):
            streamed(found, item)
    return {name: value if isinstance(value, bytes) else str(value) for name, value in read.items()}


def streamed(found: Sources, item: StoredObject) -> bytes:
    with found.open(item) as stream:
        return stream.read()


def write_zip(path: Path, tree: Tree, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in tree.items():
            archive.writestr(name, content)
    return path


def write_tar(path: Path, tree: Tree, mode: str = "w", form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, mode, format=form) as archive:  # type: ignore[call-overload]  # any mode
        for name, content in tree.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


TREE: Tree = {
    "AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/10/a.json.gz": gzip.compress(b'{"Records":[]}'),
    "b.json": b"x" * 70_000,
    "a/ü.json": b"",
    "a/" + "long" * 60 + ".json": os.urandom(1_500_000),
}

writers: list[Callable[[Path, Tree], Path]] = [
    lambda path, tree: write_zip(path / "x.zip", tree),
    lambda path, tree: write_zip(path / "x.bin", tree, zipfile.ZIP_STORED),
    lambda path, tree: write_zip(path / "x", tree, zipfile.ZIP_BZIP2),
    lambda path, tree: write_tar(path / "x.tar", tree),
    lambda path, tree: write_tar(path / "x.old", tree, form=tarfile.GNU_FORMAT),
    lambda path, tree: write_tar(path / "x.tar.gz", tree, "w:gz"),
    lambda path, tree: write_tar(path / "x.gz", tree, "w:gz"),
]


@pytest.mark.parametrize("write", writers)
def test_members_are_read_in_place(tmp_path: Path, write: Callable[[Path, Tree], Path]) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    archive = write(folder, TREE)
    before = (archive.read_bytes(), archive.stat().st_mtime_ns, [*folder.iterdir()])
    expected = {f"{archive.name}!{name}": content for name, content in TREE.items()}
    assert contents(archive) == expected
    (folder / "z.json").write_bytes(b"beside")
    assert contents(folder) == {**expected, "z.json": b"beside"}
    (folder / "z.json").unlink()
    assert (archive.read_bytes(), archive.stat().st_mtime_ns, [*folder.iterdir()]) == before
    with pytest.raises(SourceError, match="overlap"):
        opened(folder, archive)


part = st.text(
    st.characters(exclude_characters="/\0\\", exclude_categories=["Cs"]), min_size=1, max_size=6
).filter(lambda name: name not in {".", ".."} and "\\x" not in name and not name.endswith("!"))
paths = st.lists(part, min_size=1, max_size=3).map("/".join)
files = st.just(b"") | st.binary(max_size=2000).map(lambda content: b"{" + content)  # no magic of an archive
trees = st.dictionaries(paths, files, max_size=8)


def fits(tree: Tree) -> bool:
    """No file is also a folder."""
    folders = {name[:at] for name in tree for at, char in enumerate(name) if char == "/"}
    return not folders & set(tree)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(trees.filter(fits), st.integers())
def test_the_same_tree_in_every_form(tmp_path_factory: pytest.TempPathFactory, tree: Tree, seed: int) -> None:
    base = tmp_path_factory.mktemp("trees")
    folder = base / "folder"
    folder.mkdir()
    for name, content in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    shuffled = dict(sorted(tree.items(), key=lambda item: hash((item[0], seed))))
    assert contents(folder) == tree
    for archive in (
        write_zip(base / "t.zip", shuffled),
        write_tar(base / "t.tar", shuffled),
        write_tar(base / "t.tgz", shuffled, "w:gz"),
    ):
        if tree:
            assert contents(archive) == {f"{archive.name}!{name}": content for name, content in tree.items()}


@pytest.mark.parametrize("write", writers)
def test_names_in_archives(tmp_path: Path, write: Callable[[Path, Tree], Path]) -> None:
    odd: Tree = {
        name: name.encode() for name in ("../../etc/x", "/abs", "!a!b", "new\nline", "x#2", "__MACOSX/._y")
    }
    archive = write(tmp_path, odd)
    assert contents(archive) == {f"{archive.name}!{name}": content for name, content in odd.items()}


def test_the_same_name_twice(tmp_path: Path) -> None:
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for content in ("1", "2", "3", "4"):
            archive.writestr("a#2" if content == "2" else "a", content)
    assert contents(tmp_path / "x.zip") == {
        "x.zip!a": b"1", "x.zip!a#2": b"2", "x.zip!a#3": b"3", "x.zip!a#4": b"4"
    }  # fmt: skip


def test_a_tar_of_a_folder_with_links(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "a").write_bytes(b"content")
    (folder / "z").hardlink_to(folder / "a")
    (folder / "link").symlink_to("a")
    os.mkfifo(folder / "pipe")
    for mode in ("w", "w:gz"):
        with tarfile.open(tmp_path / "x.tar", mode) as archive:  # type: ignore[call-overload]  # any mode
            archive.add(folder, ".")
        found = opened(tmp_path / "x.tar")
        assert contents(tmp_path / "x.tar") == {"x.tar!a": b"content", "x.tar!z": b"content"}
        assert [*found.list()]
        assert {skip.name for skip in found.storages[0].skipped.first} == {"x.tar!link", "x.tar!pipe"}


def test_zip_links_folders_and_old_names(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        link = zipfile.ZipInfo("link")
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "target")
        archive.writestr("folder/", b"")
        archive.writestr("folder\\file", b"w")
        archive.writestr("caf\x82", b"1")
    data = (tmp_path / "x.zip").read_bytes().replace("caf\x82".encode(), "café".encode())
    (tmp_path / "x.zip").write_bytes(data)
    assert contents(tmp_path / "x.zip") == {"x.zip!café": b"1", "x.zip!folder/file": b"w"}


def test_json_gz_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "x.json.gz").write_bytes(gzip.compress(b"{}" * 1000))
    (tmp_path / "y.gz").write_bytes(gzip.compress(b"{}" * 1000))
    (tmp_path / "z.gz").write_bytes(b"\x1f\x8bgarbage")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "zeros").write_bytes(bytes(2048))
    assert set(contents(tmp_path)) == {"x.json.gz", "y.gz", "z.gz", "empty", "zeros"}


def test_an_archive_in_an_archive_is_a_member(tmp_path: Path) -> None:
    inner = write_zip(tmp_path / "inner.zip", {"x": b"1"}).read_bytes()
    assert contents(write_tar(tmp_path / "o.tar", {"inner.zip": inner})) == {"o.tar!inner.zip": inner}


def encrypt(path: Path) -> Path:
    """Set the flag that says so, in the local header and in the directory."""
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    return path


def test_encrypted_members_are_named(tmp_path: Path) -> None:
    archive = encrypt(write_zip(tmp_path / "secret.zip", {"x.json": b"1"}))
    with pytest.raises(SourceError, match=r"secret\.zip is encrypted \(x\.json\): unpack it"):
        opened(archive)
    (tmp_path / "y").write_bytes(b"fine")
    found = contents(tmp_path)
    assert found["y"] == b"fine"
    assert "x.json is encrypted" in str(found["secret.zip!x.json"])


@pytest.mark.parametrize(
    ("magic", "name"),
    [(b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07", "rar"), (bz2.compress(b"x"), "bzip2")],
)
def test_other_archives_are_refused_by_name(tmp_path: Path, magic: bytes, name: str) -> None:
    (tmp_path / "x").write_bytes(magic)
    with pytest.raises(SourceError, match=f"is {name}, which cannot be read in place: unpack"):
        opened(tmp_path / "x")
    assert f"is {name}" in str(contents(tmp_path)["x"])


def cut(path: Path, size: int) -> Path:
    path.write_bytes(path.read_bytes()[:size])
    return path


def test_archives_on_standard_input(tmp_path: Path) -> None:
    content = write_tar(tmp_path / "x.tgz", TREE, "w:gz").read_bytes()
    found = open_sources(["-"], stdin=io.BytesIO(content), spool=tmp_path / "spool")
    assert [item.name.partition("!")[2] for item in found.list()] == sorted(TREE)
    secret = encrypt(write_zip(tmp_path / "secret.zip", {"x.json": b"1"})).read_bytes()
    with pytest.raises(SourceError, match=r"source stdin:[0-9a-f]{64} is encrypted"):
        open_sources(["-"], stdin=io.BytesIO(secret), spool=tmp_path / "spool")


@pytest.mark.parametrize("size", [100, 71_000, -30])
def test_cut_zips(tmp_path: Path, size: int) -> None:
    archive = cut(write_zip(tmp_path / "x.zip", TREE), size)
    with pytest.raises(SourceError, match=r"x\.zip is a damaged zip"):
        opened(archive)
    assert "damaged zip" in str(contents(tmp_path)["x.zip"])


@pytest.mark.parametrize(("mode", "at"), [("w", 72_000), ("w", 75_000), ("w:gz", 5_000)])
def test_cut_tars_give_what_they_have_and_say_so(tmp_path: Path, mode: str, at: int) -> None:
    archive = write_tar(tmp_path / "x.tgz", {"a": b"x" * 70_000, "b": os.urandom(20_000), "c": b""}, mode)
    found = contents(cut(archive, at))
    assert found["x.tgz!a"] == b"x" * 70_000
    assert "damaged or cut off tar" in str(found["x.tgz"])
    assert "x.tgz!c" not in found


def test_zips_that_cannot_be_read_in_place_say_why(tmp_path: Path) -> None:
    packed = write_zip(tmp_path / "lzma.zip", {"a": b"1" * 100}, zipfile.ZIP_LZMA)
    assert "packed by zip method 14" in str(contents(packed)["lzma.zip!a"])
    whole = write_zip(tmp_path / "x.zip", {"a": b"1" * 100, "caf\x82": b"2"}).read_bytes()
    end = whole.rindex(b"PK\x05\x06")
    for name, data, why in (
        ("split", whole[: end + 4] + b"\1\0" + whole[end + 6 :], "one part of a split zip"),
        ("outside", whole[: end + 12] + b"\xff\xff\xff\x7f" + whole[end + 16 :], "lies outside"),
        ("nonsense", whole[:end].replace(b"PK\x01\x02", b"PKxx") + whole[end:], "makes no sense"),
        ("moved", whole.replace(b"PK\x03\x04", b"PK\x03\x04", 1).replace(b"PK\x03\x04\x14", b"PKyy\x14"), ""),
    ):
        path = tmp_path / f"{name}.zip"
        path.write_bytes(b"PK\x03\x04" + data[4:])
        found = contents(tmp_path)
        assert why in str(found.get(path.name, ""))
    assert "not where the directory says" in str(found["moved.zip!caf\x82"])


def test_sparse_members_are_told(tmp_path: Path) -> None:
    info = tarfile.TarInfo("sparse")
    info.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": "0,1",
        "GNU.sparse.size": "9",
    }
    info.size = 1
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        archive.addfile(info, io.BytesIO(b"1"))
        ordinary = tarfile.TarInfo("y")
        archive.addfile(ordinary)
    found = contents(tmp_path)
    assert "sparse file" in str(found["x.tar!sparse"])
    assert found["x.tar!y"] == b""


def test_garbage_within_a_tar_is_told(tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "x.tar", {"a": b"1", "b": b"2", "c": b"3"})
    data = bytearray(archive.read_bytes())
    at = data.index(b"b\0\0")
    data[at : at + 512] = os.urandom(512)
    archive.write_bytes(data)
    found = contents(archive)
    assert found["x.tar!a"] == b"1"
    assert "no header at byte 1,024" in str(found["x.tar"])


def test_a_negative_size_in_a_tar_ends_it(tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "x.tar", {"a": b"1", "b": b"2"}, form=tarfile.GNU_FORMAT)
    data = bytearray(archive.read_bytes())
    header = data[1024:1536]
    header[124:136] = b"\xff" + (-1024).to_bytes(11, "big", signed=True)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    data[1024:1536] = header
    archive.write_bytes(data)
    found = contents(archive)
    assert found["x.tar!a"] == b"1"
    assert "damaged" in str(found["x.tar"])


def test_a_wrong_checksum_is_told(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "x.zip", {"a": b"1234567", "b": b"2"}, zipfile.ZIP_STORED)
    archive.write_bytes(archive.read_bytes().replace(b"1234567", b"1234568"))
    found = contents(archive)
    assert found["x.zip!b"] == b"2"
    assert "checksum" in str(found["x.zip!a"])


def test_more_than_declared_is_told(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "x.zip", {"a": b"7" * 100_000})
    data = archive.read_bytes().replace(struct.pack("<I", 100_000), struct.pack("<I", 10))
    archive.write_bytes(data)
    assert "more than the 10 bytes declared" in str(contents(archive)["x.zip!a"])


def test_zip_bombs_are_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "x.zip", {"a": b"7" * 100_000})
    archive.write_bytes(archive.read_bytes().replace(struct.pack("<I", 100_000), struct.pack("<I", 3 << 30)))
    with pytest.raises(SourceError, match=r"x\.zip unpacks .* bombs"):
        opened(archive)
    assert "bombs" in str(contents(tmp_path)["x.zip"])


def test_tar_bombs_are_refused(tmp_path: Path) -> None:
    with mock.patch.object(archives, "BOMB_SIZE", 1 << 20):
        archive = write_tar(tmp_path / "x.tgz", {"a": bytes(20 << 20)}, "w:gz")
        with pytest.raises(SourceError, match=r"x\.tgz unpacks .* bombs"):
            opened(archive)


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    tree = {str(number): b"" for number in range(20)}
    with mock.patch.object(archives, "MEMBER_LIMIT", 10):
        for archive in (write_zip(tmp_path / "x.zip", tree), write_tar(tmp_path / "x.tgz", tree, "w:gz")):
            with pytest.raises(SourceError, match="holds more than 10 files"):
                opened(archive)


def test_endless_names_are_refused(tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "x.tgz", {"n" * 5000: b"", "m": b""}, "w:gz")
    with mock.patch.object(archives, "NAMES_LIMIT", 1000), pytest.raises(SourceError, match="endless names"):
        opened(archive)
    with mock.patch("trailhouse.storage.tars._HEADER_LIMIT", 4000):
        assert "absurd size" in str(contents(archive)["x.tgz"])


def test_members_too_large_for_one_value_stream(tmp_path: Path) -> None:
    for archive in (write_zip(tmp_path / "x.zip", TREE), write_tar(tmp_path / "x.tgz", TREE, "w:gz")):
        found = opened(archive)
        item = next(item for item in found.list() if item.name.endswith("!b.json"))
        with (
            mock.patch("trailhouse.storage.tars.READ_LIMIT", 1000),
            mock.patch("trailhouse.storage.local.READ_LIMIT", 1000),
        ):
            ((_, outcome),) = found.read_many([item])
            assert "stream it instead" in str(outcome)
            with found.open(item) as stream:
                assert stream.read() == TREE["b.json"]


def test_a_compressed_tar_is_read_in_one_pass(tmp_path: Path) -> None:
    tree = {f"{number:05}": os.urandom(100) for number in reversed(range(3000))}
    found = opened(write_tar(tmp_path / "x.tgz", tree, "w:gz"))
    items = [*found.list()]
    assert {item.together for item in items} == {"x.tgz"}
    with mock.patch.object(_Inflating, "__init__", autospec=True, side_effect=_Inflating.__init__) as passes:
        read = {item.name: content for item, content in found.read_many(items)}
    assert passes.call_count == 1
    assert read == {f"x.tgz!{name}": content for name, content in tree.items()}


def test_a_compressed_tar_is_checked_when_it_is_listed(tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "x.tgz", {"a": os.urandom(50_000)}, "w:gz")
    data = bytearray(archive.read_bytes())
    data[25_000] ^= 1
    archive.write_bytes(data)
    assert "damaged or cut off" in str(contents(archive)["x.tgz"])


def test_a_stream_ends_a_compressed_tar_for_all_that_follow(tmp_path: Path) -> None:
    tree = {name: Random(name).randbytes(200_000).hex().encode() for name in "abc"}
    archive = write_tar(tmp_path / "x.tgz", tree, "w:gz")
    found = opened(archive)
    items = [*found.list()]
    status = archive.stat()
    data = bytearray(archive.read_bytes())
    data[400_000:] = Random(1).randbytes(len(data) - 400_000)
    archive.write_bytes(data)
    os.utime(archive, ns=(status.st_atime_ns, status.st_mtime_ns))
    outcomes = [outcome for _, outcome in found.read_many(items)]
    assert isinstance(outcomes[0], bytes)
    assert all(isinstance(outcome, StorageError) for outcome in outcomes[1:])


@pytest.mark.parametrize("write", writers[3:])
def test_a_tar_changed_after_listing(tmp_path: Path, write: Callable[[Path, Tree], Path]) -> None:
    found = opened(write(tmp_path, TREE))
    items = [*found.list()]
    write(tmp_path, {name: content[::-1] for name, content in TREE.items()})
    assert all("changed after" in str(outcome) for _, outcome in found.read_many(items))
    with pytest.raises(StorageError, match="changed after"), found.open(items[0]) as stream:
        stream.read()


@pytest.mark.slow
@pytest.mark.parametrize("write", writers)
def test_workers_and_changes(tmp_path: Path, write: Callable[[Path, Tree], Path]) -> None:
    archive = write(tmp_path, TREE)
    found = opened(tmp_path)
    items = [*found.list()]
    for copy in (pickle.loads(pickle.dumps(found)), opened(tmp_path)):  # noqa: S301 - our own
        assert {item.name: content for item, content in copy.read_many(items)} == contents(tmp_path)
    archive.unlink()
    write(tmp_path, {name: content + b"more" for name, content in TREE.items()})
    fresh = opened(tmp_path)
    assert not {item.version for item in items} & {item.version for item in fresh.list()}
    assert all(isinstance(outcome, StorageError) for _, outcome in fresh.read_many(items))


def test_large_zip_directories_and_64_bit_sizes(tmp_path: Path) -> None:
    tree = {f"{number:06}-{'n' * 90}": b"" for number in range(12_000)}
    archive = write_zip(tmp_path / "x.zip", tree)
    with mock.patch.object(zips, "_PIECE", zips._LONGEST + 1000):
        assert len([*opened(archive).list()]) == len(tree)
    with zipfile.ZipFile(tmp_path / "y.zip", "w") as large, large.open("a", "w", force_zip64=True) as member:
        member.write(b"64")
    with mock.patch("zipfile.ZIP64_LIMIT", 10), zipfile.ZipFile(tmp_path / "y.zip", "a") as large:
        large.writestr("b", b"b" * 100)
    (tmp_path / "z.zip").write_bytes(b"PK\x03\x04 something in front" + (tmp_path / "y.zip").read_bytes())
    for name in ("y.zip", "z.zip"):
        assert contents(tmp_path / name) == {f"{name}!a": b"64", f"{name}!b": b"b" * 100}


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_anywhere_is_an_error_or_the_right_bytes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    base = tmp_path_factory.mktemp("damage")
    tree = {"a": b"alpha" * 50, "b/c": zlib.compress(b"beta" * 300), "d": b""}
    archive = data.draw(st.sampled_from(writers))(base, tree)
    raw = bytearray(archive.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    archive.write_bytes(raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw)
    try:
        found = opened(base)
        items = [*found.list()]
        outcomes = [*found.read_many(items)]
    except (SourceError, StorageError):
        return
    assert len(outcomes) == len(items)


def test_a_member_that_is_not_there(tmp_path: Path) -> None:
    found = opened(write_zip(tmp_path / "x.zip", TREE))
    with pytest.raises(StorageError, match="cannot be read"):
        found.read(StoredObject("x.zip", "x.zip!nothing", 1, "1"))
