"""A thousand accounts: the first run of the deployed function, at 20 ms a call, killed once, in pieces of 15 min."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from nightly.stage import event_of
from trailhouse.core.record import Record, from_json
from trailhouse.nightly.settings import NightlySettings, NightlySource

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parents[1]
ACCOUNTS = int(os.environ.get("SOAK_ACCOUNTS", "1000"))
REGIONS, DAYS = 20, 90
SPEED = 4.0
"""Seconds of the function in one of ours."""
MEMORY = 256 * 2**20
"""Bytes that a function of 512 MB may take: the rest is for the runtime."""
FIRST = date(2026, 11, 20)
OUTPUT = "output"

pytestmark = pytest.mark.soak


class World:
    """An emulated AWS in its own process, and the function, each invocation in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        assert process.stdout is not None
        self.url = process.stdout.readline().strip()
        self.s3 = boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="testing",
            aws_secret_access_key="testing",  # noqa: S106 - nobody's
        )  # fmt: skip
        self.s3.create_bucket(Bucket=OUTPUT)
        self.config = folder / "config.json"
        settings = NightlySettings((NightlySource("s3://logs/AWSLogs/"),), "security", region="us-east-1")
        self.config.write_text(settings.to_json())
        self.measured: list[dict[str, Any]] = []

    def invoke(
        self, event: dict[str, Any], last: date, kill_after: float | None = None
    ) -> dict[str, Any] | None:
        """What the function answers; None when it was killed."""
        environment = {
            **os.environ, "AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1", "PYTHONPATH": str(TESTS),
            "TRAILHOUSE_CONFIG": str(self.config), "TRAILHOUSE_OUTPUT": OUTPUT, "TRAILHOUSE_STACK": "trailhouse",
        }  # fmt: skip
        sizes = [str(ACCOUNTS), str(REGIONS), str(DAYS), last.isoformat(), str(SPEED)]
        command = [sys.executable, "-m", "soak.nightly_run", json.dumps(event), *sizes]
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False, timeout=kill_after
            )
        except subprocess.TimeoutExpired:
            return None
        assert done.returncode == 0, done.stderr[-2000:]
        measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        self.measured.append(measured)
        print(
            f"\n{event['run']} piece {event['piece']}: {measured['answer']['outcome']}, {measured['lists']:,} LISTs, "
            f"{measured['seconds']:.0f} s of the function's, {measured['memory'] / 2**20:.0f} MiB"
        )
        answer: dict[str, Any] = measured["answer"]
        return answer

    def run(self, day: date, name: str, *, kill: tuple[int, float] = (0, 0.0)) -> dict[str, Any]:
        """A whole execution; one piece may be killed after so many seconds of ours."""
        answer: dict[str, Any] = {"outcome": "more", "cursor": None, "piece": 1}
        while answer["outcome"] == "more":
            event = event_of(day, name, piece=answer["piece"], cursor=answer["cursor"])
            found = self.invoke(event, day, kill[1] if answer["piece"] == kill[0] else None)
            answer = found or self.explained(event, day)
        return answer

    def explained(self, event: dict[str, Any], day: date) -> dict[str, Any]:
        cause = '{"errorMessage": "Task timed out after 900.00 seconds"}'
        found = self.invoke(event | {"task": "explain", "error": "Sandbox.Timedout", "cause": cause}, day)
        assert found is not None
        return found

    def record(self, answer: dict[str, Any]) -> Record:
        key = answer["record"].removeprefix(f"s3://{OUTPUT}/")
        return from_json(self.s3.get_object(Bucket=OUTPUT, Key=key)["Body"].read(), key)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with subprocess.Popen(
        [sys.executable, "-m", "soak.catalog_aws"],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield World(process, tmp_path)
        finally:
            process.kill()


@pytest.mark.timeout(3600)
def test_a_thousand_accounts_in_pieces(world: World) -> None:
    killed = world.run(FIRST, "killed", kill=(1, 5 + ACCOUNTS / 50))
    assert killed["outcome"] == "failed"
    assert "Task timed out after 900.00 seconds" in killed["message"]

    first = world.run(FIRST, "run")
    assert first["outcome"] == "done"
    assert first["subject"].startswith("trailhouse: over: run failed: Sandbox.Timedout")
    record = world.record(first)
    assert len(record.freshness) == ACCOUNTS
    if ACCOUNTS >= 1000:
        assert record.pieces > 1
    print(f"{record.pieces} pieces, {record.seconds:.0f} s, ${record.cost}, {record.calls}")

    night = world.record(world.run(FIRST + timedelta(days=1), "night"))
    assert night.planned == {"create partition": ACCOUNTS * REGIONS}, "nothing was left by the first run"
    assert night.done == night.planned
    print(f"the night after: {night.pieces} pieces, {night.seconds:.0f} s, ${night.cost}, {night.calls}")
    assert max(one["memory"] for one in world.measured) < MEMORY
    assert all(one["seconds"] < 900 for one in world.measured)
