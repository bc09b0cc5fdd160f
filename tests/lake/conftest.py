"""A bucket and a lake over it."""

from pathlib import Path

import pytest

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
