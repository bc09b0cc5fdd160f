"""Kills at any moment of taking in to a lake in AWS, each followed by a run that takes its lock over."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from lake.clouds import LOGS, Cloud, started
from lake.lakes import fill

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 50
RECORDS = 40
BATCH = 6_000
"""Estimated JSON; about one object, so that a run has many commits."""

pytestmark = [pytest.mark.soak, pytest.mark.emulator]


def killed(cloud: Cloud, after: float) -> str:
    """The last point that a run had passed when it was killed so many seconds after its first; "" if it was done."""
    child = cloud.child(BATCH, 0)
    assert child.stdout is not None
    first = child.stdout.readline().strip()
    time.sleep(after)
    alive = child.poll() is None
    child.kill()
    rest, err = child.communicate(timeout=60)
    assert "Traceback" not in err, err
    if "cloudtrail/lock.json" in cloud.objects():
        cloud.lock_expires()
    last = [first, *rest.splitlines()][-1]
    return last if alive and not last.startswith("records") else ""


def test_random_kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(20240601)
    (tmp_path / "bucket").mkdir()
    fill(tmp_path / "bucket", RECORDS)
    phases: Counter[str] = Counter()
    expected: dict[str, object] = {}
    whole = turn = 0.0
    while phases.total() < KILLS:
        with started(tmp_path / f"{turn:.0f}", monkeypatch) as cloud:
            cloud.aws.upload(LOGS, tmp_path / "bucket")
            if not expected:
                began = time.monotonic()
                cloud.ingest(batch_json=BATCH)
                whole = time.monotonic() - began
                expected = dict(cloud.contents())
            else:
                for _ in range(dice.randint(1, 4)):
                    if last := killed(cloud, dice.uniform(0, 0.9 * whole)):
                        phases[last] += 1
                cloud.ingest(batch_json=BATCH)
            cloud.check()
            assert cloud.contents() == expected
        turn += 1
    print(
        f"\n{phases.total()} kills in {turn - 1:.0f} lakes; the last that the killed had reached: {dict(phases)}"
    )
    assert len(phases) > 3
