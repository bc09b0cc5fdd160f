"""A bucket and a lake over it, on this machine or in AWS."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lake.clouds import Cloud, started
from lake.lakes import Lake


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """An empty source."""
    folder = tmp_path / "bucket"
    folder.mkdir()
    return folder


@pytest.fixture
def lake(bucket: Path, tmp_path: Path) -> Lake:
    """A lake over the bucket; nothing is taken in yet."""
    return Lake(bucket, tmp_path / "work" / "lake")


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A lake in AWS over an empty bucket; nothing is taken in yet. Tests that use it are marked `emulator`."""
    with started(tmp_path / "cloud", monkeypatch) as found:
        yield found
