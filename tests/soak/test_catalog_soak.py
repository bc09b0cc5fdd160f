"""A thousand accounts: the first `apply` and a night's, at 20 ms a call, against a computed listing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from soak.catalog_aws import LATENCY

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
TESTS = HERE.parent
REGIONS, DAYS = 20, 90
MEMORY = 512 * 2**20
NIGHT = 300
"""Seconds that a night's run may take."""

pytestmark = pytest.mark.soak


class World:
    """An emulated AWS in its own process, with a computed organization beside it."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        assert process.stdout is not None
        assert process.stdin is not None
        self._asked, self._told = process.stdin, process.stdout
        self.url = self._told.readline().strip()
        self.folder = folder

    def calls(self) -> dict[str, int]:
        """Calls of Glue since it was asked last."""
        self._asked.write("calls\n")
        self._asked.flush()
        found: dict[str, int] = json.loads(self._told.readline())
        return found

    def run(self, accounts: int, day: str, *args: str) -> dict[str, Any]:
        """One `apply` on a day, measured."""
        environment = {
            **os.environ, "AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1", "PYTHONPATH": str(TESTS),
        }  # fmt: skip
        command = [sys.executable, "-m", "soak.catalog_run", str(accounts), str(REGIONS), str(DAYS), day]
        options = ["-s", "s3://logs/AWSLogs/", "--config", str(self.folder / "config.yaml"), *args]
        done = subprocess.run(
            [*command, *options],
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert measured["code"] == 0, done.stderr[-2000:]
        measured["said"] = done.stdout + done.stderr[-2000:]
        measured["calls"] = self.calls()
        return measured


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "config.yaml").write_text("database: security\n")
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


def report(name: str, measured: dict[str, Any]) -> None:
    calls = measured["calls"]
    print(
        f"\n{name}: {sum(calls.values()):,} Glue calls {calls}, {measured['lists']:,} LISTs, "
        f"{measured['wall']:.0f} s wall, {measured['processor']:.0f} s CPU, {measured['memory'] / 2**20:.0f} MiB"
    )


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("accounts", [int(os.environ.get("SOAK_ACCOUNTS", "1000"))])
def test_a_thousand_accounts(world: World, accounts: int) -> None:
    first = world.run(accounts, "2026-11-20", "apply", "--yes", "-q")
    report(
        f"first run, {accounts} accounts x {REGIONS} regions x {DAYS} days, {LATENCY * 1000:.0f} ms", first
    )
    partitions = accounts * REGIONS * (DAYS + 2)
    assert first["calls"]["BatchCreatePartition"] == accounts * -(-REGIONS * (DAYS + 2) // 100)
    assert f"{partitions:,} partitions" in first["said"] or f"{partitions}" in first["said"], first["said"]
    assert first["memory"] < MEMORY

    night = world.run(accounts, "2026-11-21", "apply", "--yes", "-q")
    report("the night after", night)
    assert night["calls"]["BatchCreatePartition"] == accounts  # tomorrow, everywhere
    assert night["memory"] < MEMORY
    assert night["wall"] < NIGHT

    again = world.run(accounts, "2026-11-21", "plan", "--detailed-exitcode")
    report("a plan after it", again)
    assert not {name for name in again["calls"] if not name.startswith("Get")}
