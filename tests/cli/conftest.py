"""The small catalog behind an Athena whose answers a test chooses, and the program on an emulated Glue and S3."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cli.outcomes import Outcome, program
from engine.conftest import elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.aws import Aws

A, B = "111122223333", "444455556666"

__all__ = ["elsewhere"]


@pytest.fixture
def run(
    aws: Aws, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Outcome]:
    """The program in this process, on two accounts with three days each and a database of the test's own."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TRAILHOUSE_SOURCE", "s3://logs")
    monkeypatch.setenv("TRAILHOUSE_DATABASE", tmp_path.name.replace("-", "_")[:60])
    monkeypatch.chdir(tmp_path)
    aws.glue.heal()
    today = datetime.now(UTC).date()
    places = [
        f"{account}/CloudTrail/eu-west-1/{today - timedelta(days=n):%Y/%m/%d}"
        for account in (A, B)
        for n in range(3)
    ]
    aws.buckets.make("logs").put_all((f"AWSLogs/{place}/x.json.gz", b"{}") for place in places)

    return program(capfd)
