import io
import os
import pickle
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.errors import SourceError, StorageError
from trailhouse.storage import Sources, StoredObject, open_sources, patterns
from trailhouse.storage.objects import SkippedNames, original, printable


def opened(*sources: Path | str) -> Sources:
    return open_sources([str(source) for source in sources], stdin=io.BytesIO(), spool=Path("/nonexistent"))


def names(*sources: Path | str) -> list[str]:
    return [item.name for item in opened(*sources).list()]


def put(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"content of {name}".encode())
    return folder


def test_a_folder_is_listed_in_the_order_of_names(tmp_path: Path) -> None:
    put(tmp_path / "logs", "b/c", "a.b", "a/x", "a/.DS_Store", "b!c", "__MACOSX/._x", "Z")
    found = opened(tmp_path / "logs")
    items = [*found.list()]
    listed = [item.name for item in items]
    assert listed == sorted(listed) == ["Z", "__MACOSX/._x", "a.b", "a/.DS_Store", "a/x", "b!c", "b/c"]
    assert {item.source for item in items} == {"logs"}
    for item, content in found.read_many(items):
        with found.open(item) as stream:
            streamed = stream.read()
        assert content == found.read(item) == streamed == f"content of {item.name}".encode()
        assert item.size == len(content)


def test_names_that_are_no_text_are_kept(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/l\xffgs"
    Path(os.fsdecode(folder)).mkdir()
    for name in (b"\xff\xe9.json", b"\\xff", b"\\x5cxff", b"new\nline", "ü€😀".encode()):
        Path(os.fsdecode(folder + b"/" + name)).write_bytes(name)
    found = opened(os.fsdecode(folder))
    items = [*found.list()]
    assert sorted(item.name for item in items) == sorted([
        r"\xff\xe9.json", r"\x5cxff", r"\x5cx5cxff", "new\nline", "ü€😀"
    ])  # fmt: skip
    assert all(os.fsencode(original(item.name)) == found.read(item) for item in items)
    assert found.storages[0].label == r"l\xffgs"
    found.identity.encode()


@given(st.binary(max_size=30).map(os.fsdecode) | st.sampled_from(["\\x", "\\xff", "\\x5c", "\\\\xff"]))
def test_printable_names_lose_nothing(name: str) -> None:
    assert original(printable(name)) == name
    printable(name).encode()


@given(st.lists(st.binary(max_size=6).map(os.fsdecode), min_size=2, max_size=2, unique=True))
def test_printable_names_stay_different(pair: list[str]) -> None:
    assert printable(pair[0]) != printable(pair[1])


def test_links_and_special_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = put(tmp_path / "logs", "a/x")
    elsewhere = put(tmp_path / "elsewhere", "y", "deep/z")
    (logs / "a" / "loop").symlink_to("..")
    (logs / "again").symlink_to("a")
    (logs / "again.json").symlink_to("a/x")
    (logs / "nowhere").symlink_to("missing")
    (logs / "self").symlink_to("self")
    (logs / "out").symlink_to(elsewhere)
    (logs / "out2").symlink_to(elsewhere)
    (logs / "outdeep").symlink_to(elsewhere / "deep")
    (elsewhere / "back").symlink_to(logs)
    (elsewhere / "self").symlink_to(elsewhere)
    os.mkfifo(logs / "pipe")
    monkeypatch.chdir(logs)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    found = opened(logs)
    assert [item.name for item in found.list()] == ["a/x", "out/deep/z", "out/y"]
    skipped = {skip.name: skip.reason for skip in found.storages[0].skipped.first}
    assert set(skipped) == {
        "a/loop", "again", "again.json", "nowhere", "self", "out2", "outdeep", "out/back", "out/self",
        "pipe", "socket",
    }  # fmt: skip
    assert skipped["pipe"] == "a pipe"
    assert found.storages[0].skipped.total == len(skipped)


def test_a_link_into_another_source_is_listed_there_only(tmp_path: Path) -> None:
    one, two = put(tmp_path / "one", "x"), put(tmp_path / "two", "y")
    (one / "link").symlink_to(two)
    assert names(one, two) == ["x", "y"]


def test_a_locked_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = put(tmp_path / "logs", "a/x", "b/y")
    scandir = os.scandir

    def locked(path: str) -> Iterator[os.DirEntry[str]]:  # tests may run as root, whom nothing locks out
        if path.endswith("/a/"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", locked)
    found = opened(logs)
    assert [item.name for item in found.list()] == ["b/y"]
    (skipped,) = found.storages[0].skipped.first
    assert (skipped.name, skipped.reason) == ("a/", "a folder that cannot be listed: Permission denied")


def test_skipped_names_are_bounded() -> None:
    skipped = SkippedNames()
    for number in range(3000):
        skipped.add(str(number), "a pipe")
    assert (skipped.total, len(skipped.first)) == (3000, 1000)


@given(st.text(st.sampled_from("ab/*?[]!-^&|~\\."), max_size=12), st.text("ab/-^.[", max_size=8))
def test_any_pattern_means_something_or_is_refused(pattern: str, name: str) -> None:
    try:
        compiled = patterns.compile_pattern(pattern)
    except SourceError as error:
        assert "makes no sense" in str(error)  # noqa: PT017 - most patterns are fine
    else:
        compiled.match(name)
        if not patterns.is_pattern(pattern) and pattern.rstrip("/"):
            assert compiled.match(pattern.rstrip("/"))


def test_a_file_and_a_pattern(tmp_path: Path) -> None:
    put(tmp_path, "a/1.json", "a/2.txt", "b/c/3.json", "b[1].json", "1.json")
    assert names(tmp_path / "a/1.json") == ["1.json"]
    assert names(tmp_path / "b[1].json") == ["b[1].json"]
    assert names(f"{tmp_path}/*.json") == ["1.json", "b[1].json"]
    assert names(f"{tmp_path}/**/*.json") == ["1.json", "a/1.json", "b/c/3.json", "b[1].json"]
    assert names(f"{tmp_path}/?/[!13]*") == ["a/2.txt", "b/c/3.json"]
    assert names(f"{tmp_path}/b*") == ["b/c/3.json", "b[1].json"]
    assert names(f"{tmp_path}/a/[12].*") == ["1.json", "2.txt"]


def test_labels_and_identity_do_not_depend_on_order(tmp_path: Path) -> None:
    one, two = put(tmp_path / "1/logs", "x"), put(tmp_path / "2/logs", "x")
    found, turned = opened(one, two), opened(two, one)
    assert [(item.source, item.name) for item in found.list()] == [("logs", "x"), ("logs~2", "x")]
    assert [*turned.list()] == [*found.list()]
    assert found.identity == turned.identity != opened(one).identity
    assert opened(f"{one}/../logs/").identity == opened(one).identity


@pytest.mark.parametrize(
    "pair",
    [
        ("logs", "logs"),
        ("logs", "logs/"),
        ("logs", "logs/a"),
        ("logs/a/x", "logs"),
        ("logs", "link"),
        ("link/a", "logs"),
        ("logs/*", "logs"),
        ("logs/*/x", "logs/a/x"),
        ("logs/**", "logs/a"),
        ("logs/*/x", "logs/a/*"),
        ("*/a", "logs/**"),
        ("-", "-"),
    ],
)
def test_overlaps_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pair: tuple[str, str]) -> None:
    put(tmp_path / "logs", "a/x", "b/y")
    (tmp_path / "link").symlink_to("logs")
    monkeypatch.chdir(tmp_path)
    for sources in (pair, pair[::-1]):
        with pytest.raises(SourceError, match=r"overlap|given twice") as caught:
            open_sources(sources, stdin=io.BytesIO(b"x"), spool=tmp_path / "spool")
        assert all(source.rstrip("/") in str(caught.value) for source in pair)


def test_neighbours_do_not_overlap(tmp_path: Path) -> None:
    put(tmp_path, "a/x", "ab/x", "a/y", "c/1", "c/2")
    assert names(tmp_path / "a", tmp_path / "ab") == ["x", "y", "x"]
    assert names(f"{tmp_path}/c/1*", f"{tmp_path}/c/2*", tmp_path / "a/x") == ["x", "1", "2"]


@pytest.mark.parametrize(
    "source", ["missing", "", "logs/*.nothing", "no/where/**", "pipe", "a\0b", "logs/[z-a]"]
)
def test_what_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    put(tmp_path / "logs", "x")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match=r": (check|to read|correct)"):
        opened(source)
    with pytest.raises(SourceError, match="no source"):
        opened()


def test_a_change_after_listing_is_seen(tmp_path: Path) -> None:
    logs = put(tmp_path / "logs", "x", "y")
    found = opened(logs)
    changed, gone = found.list()
    (logs / "x").write_bytes(b"another")
    (logs / "y").unlink()
    outcomes = [outcome for _, outcome in found.read_many([changed, gone])]
    assert all(isinstance(outcome, StorageError) for outcome in outcomes)
    assert "changed after it was listed" in str(outcomes[0])
    assert "y in file://" in str(outcomes[1])
    with pytest.raises(StorageError, match="changed"):
        found.open(changed)
    with pytest.raises(StorageError, match="cannot be read"):
        found.open(gone)


def test_an_object_of_another_source(tmp_path: Path) -> None:
    found = opened(put(tmp_path, "x"))
    with pytest.raises(StorageError, match="source other is not open"):
        found.read(StoredObject("other", "x", 1, ""))


def test_nothing_is_changed_and_nothing_left_behind(tmp_path: Path) -> None:
    logs = put(tmp_path / "logs", "a/x", "a/y.json.gz")
    times = {path: (path.stat().st_mtime_ns, path.stat().st_atime_ns) for path in [logs, *logs.rglob("*")]}
    found = pickle.loads(pickle.dumps(opened(logs)))  # noqa: S301 - as workers get it
    assert [content for _, content in found.read_many(found.list())] == [
        b"content of a/x",
        b"content of a/y.json.gz",
    ]
    after = {path: (path.stat().st_mtime_ns, path.stat().st_atime_ns) for path in [logs, *logs.rglob("*")]}
    assert {path: both[0] for path, both in times.items()} == {path: both[0] for path, both in after.items()}
    files = [path for path in times if path.is_file()]
    assert {path: times[path][1] for path in files} == {path: after[path][1] for path in files}


def test_standard_input_is_kept_under_its_digest(tmp_path: Path) -> None:
    content = b"x" * 3_000_000
    found = open_sources(["-"], stdin=io.BytesIO(content), spool=tmp_path / "work/spool")
    (item,) = found.list()
    assert (item.source, item.size, len(item.name)) == ("stdin", len(content), 64)
    assert found.read(item) == content
    assert [path.name for path in (tmp_path / "work/spool").iterdir()] == [item.name]
    assert (
        open_sources(["-"], stdin=io.BytesIO(content), spool=tmp_path / "work/spool").identity
        == found.identity
    )
    with pytest.raises(SourceError, match="nothing arrived"):
        open_sources(["-"], stdin=io.BytesIO(), spool=tmp_path / "work/spool")
    assert len([*(tmp_path / "work/spool").iterdir()]) == 1


def test_nothing_is_ever_put_into_a_source(tmp_path: Path) -> None:
    logs = put(tmp_path / "logs", "x")
    with pytest.raises(SourceError, match=r"working folder .*/spool lies in the source .*/logs: set another"):
        open_sources(["-", str(logs)], stdin=io.BytesIO(b"x"), spool=logs / "spool")
    assert names(logs) == ["x"]
    found = opened(logs)
    assert found.holding(logs / "deep/work") is found.holding(logs) is found.storages[0]
    assert found.holding(tmp_path) is None
    assert opened(logs / "x").holding(logs) is None


@pytest.mark.corpus
def test_the_real_corpus(corpus: Path) -> None:
    expected = {path.relative_to(corpus).as_posix(): path for path in corpus.rglob("*") if path.is_file()}
    found = opened(corpus)
    read = {item.name: content for item, content in found.read_many(found.list())}
    assert read == {name: path.read_bytes() for name, path in expected.items()}
