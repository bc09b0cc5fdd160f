"""A run in an emulated account whose Athena answers what a test chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.athena import AwsWithAthena, StrictAthena, Table
from selftest.rig import BUCKET, Rig

if TYPE_CHECKING:
    from collections.abc import Iterator


def one(_sql: str, _database: str) -> Table:
    return Table([("one", "integer")], [[1]], scanned=1_000)


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr("trailhouse.engine.athena.FIRST_PAUSE", 0.001)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with AwsWithAthena(StrictAthena(one, looks=0)) as aws:
        for name, value in aws.environment().items():
            monkeypatch.setenv(name, value)
        aws.bucket(BUCKET)
        yield Rig(aws.url, aws)
