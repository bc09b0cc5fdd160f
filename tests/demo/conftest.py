"""Demos that several tests look at, read back with the standard library alone."""

import gzip
import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from trailhouse.demo import generate


def text(folder: Path, key: str) -> str:
    body = (folder / "bucket" / key).read_bytes()
    return (gzip.decompress(body) if key.endswith(".gz") else body).decode()


def make(folder: Path, events: int, seed: int, *, stories: bool = True) -> SimpleNamespace:
    """Return a demo's folder, truth, keys, and every CloudTrail record with the key that delivered it."""
    truth = generate(folder, events=events, seed=seed, stories=stories)
    bucket = folder / "bucket"
    keys = sorted(path.relative_to(bucket).as_posix() for path in bucket.rglob("*") if path.is_file())
    records: list[tuple[str, dict[str, Any]]] = []
    for key in keys:
        if "/CloudTrail/" in key:
            records.extend((key, record) for record in json.loads(text(folder, key))["Records"])
    return SimpleNamespace(folder=folder, truth=truth, keys=keys, records=records, text=partial(text, folder))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    return make(tmp_path_factory.mktemp("demo") / "told", 3000, 11)


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A demo without stories."""
    return make(tmp_path_factory.mktemp("demo") / "quiet", 1500, 11, stories=False)
