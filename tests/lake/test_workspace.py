import json
import shutil
import threading
from pathlib import Path

import pytest

from trailhouse.errors import DiskError, LakeError, OutputError
from trailhouse.lake.workspace import FORMAT, Workspace, workspace_for, workspaces, write_durably


def test_prepare_makes_a_private_folder(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "a" / "b")
    workspace.prepare(["file:///x"])
    assert workspace.root.stat().st_mode & 0o777 == 0o700
    assert json.loads((workspace.root / "source.json").read_text()) == {
        "format": FORMAT,
        "sources": ["file:///x"],
    }
    assert workspace.staging.is_dir()
    assert workspace.intents.is_dir()


def test_prepare_again_mends_what_was_removed(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    workspace.prepare(["x"])
    shutil.rmtree(workspace.staging)
    workspace.prepare(["x"])
    assert workspace.staging.is_dir()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"format": "new"}', '{"format": null}'])
def test_a_damaged_folder_is_named(tmp_path: Path, text: str) -> None:
    workspace = Workspace(tmp_path / "w")
    workspace.prepare(["x"])
    (workspace.root / "source.json").write_text(text)
    with pytest.raises(LakeError, match=r"source\.json is damaged; remove the folder"):
        workspace.prepare(["x"])


def test_a_newer_format_is_left_alone(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    workspace.prepare(["x"])
    (workspace.root / "source.json").write_text(json.dumps({"format": FORMAT + 1}))
    with pytest.raises(LakeError, match="made by a newer trailhouse"):
        workspace.prepare(["x"])


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot be written .*--workdir"):
        Workspace(tmp_path / "file" / "w").prepare(["x"])


@pytest.mark.parametrize("sign", ["*", "?", "["])
def test_names_that_would_be_patterns_are_refused(tmp_path: Path, sign: str) -> None:
    with pytest.raises(OutputError, match="taken for a pattern"):
        Workspace(tmp_path / f"a{sign}b" / "w").prepare(["x"])
    assert not list(tmp_path.iterdir())


def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(tmp_path)
    workspace.check_disk(0)
    free = 1 << 30
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1 << 40, 0, free))
    workspace.check_disk(900 << 20)
    with pytest.raises(DiskError, match="--workdir"):
        workspace.check_disk(1 << 30)


def test_size_and_remove(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    workspace.prepare(["x"])
    before = workspace.size()
    (workspace.warehouse / "deep").mkdir()
    (workspace.warehouse / "deep" / "file").write_bytes(bytes(1000))
    (workspace.warehouse / "link").symlink_to("/")
    assert 1000 <= workspace.size() - before <= 1100
    workspace.remove()
    assert not workspace.root.exists()


def test_all_working_folders_are_found(tmp_path: Path) -> None:
    assert workspaces(tmp_path / "nothing") == []
    first, second = workspace_for(tmp_path, "a" * 64, "logs"), workspace_for(tmp_path, "b" * 64, "logs")
    first.prepare(["one", "two"])
    second.prepare(["three"])
    (second.root / "source.json").write_text("{")
    (tmp_path / "stranger").mkdir()
    assert workspaces(tmp_path) == [(first, ("one", "two")), (second, ())]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("my logs", "my-logs"),
        ("../../etc", "etc"),
        ("", "source"),
        ("ü*?[", "source"),
        ("x" * 99, "x" * 40),
        (".", "source"),
    ],
)
def test_names_are_harmless_and_recognisable(tmp_path: Path, label: str, name: str) -> None:
    assert workspace_for(tmp_path, "0123456789abcdef99", label).root == tmp_path / f"{name}-0123456789abcdef"


def test_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    """The file is always whole, and one of those that were written."""
    path = tmp_path / "file.json"
    texts = {str(n) * 5_000 for n in range(4)}

    def write(text: str) -> None:
        for _ in range(20):
            write_durably(path, text)

    threads = [threading.Thread(target=write, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert not path.exists() or path.read_text() in texts
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.json"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_durably(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_durably(path, "\ud800")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_folder_has_one_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path / "real")
    roots = [
        workspace_for(place, "a" * 64, "x").root for place in (Path(), tmp_path / "real", tmp_path / "link")
    ]
    assert set(roots) == {tmp_path / "real" / f"x-{'a' * 16}"}
    Workspace(roots[0]).prepare(["x"])
    assert [found.root for found, _ in workspaces(tmp_path / "link")] == [roots[0]]
