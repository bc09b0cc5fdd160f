"""What takes minutes: kills at any moment, and two runs at once over and over."""

import random
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from lake.lakes import Lake, fill, start_child

KILLS = 50
ROUNDS = 10
RECORDS = 400
BATCH = 40_000
"""Estimated JSON; about one object, so that a run has many commits."""

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("soak")
    bucket = folder / "bucket"
    bucket.mkdir()
    fill(bucket, RECORDS)
    lake = Lake(bucket, folder / "work" / "undisturbed")
    lake.ingest()
    return lake


class Watched:
    """A child that takes the source in; knows what it said last."""

    def __init__(self, lake: Lake, jobs: int) -> None:
        self.process = start_child(lake, BATCH, jobs)
        self.last = "start"
        self.ready = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.last = line.strip()
            self.ready.set()
        self.ready.set()

    def kill(self) -> bool:
        """Whether it was alive until now."""
        alive = self.process.poll() is None
        self.process.kill()
        self.process.wait(30)
        self.close()
        return alive

    def close(self) -> str:
        """Ends with what it complained of."""
        self._thread.join(30)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdout.close()
        with self.process.stderr as stream:
            return stream.read()


def _duration(lake: Lake) -> float:
    """Seconds of a run without its start."""
    child = Watched(lake, 1)
    child.ready.wait(60)
    started = time.monotonic()
    assert child.process.wait(120) == 0, child.close()
    child.close()
    return time.monotonic() - started


def test_random_kills(undisturbed: Lake, tmp_path: Path) -> None:
    dice = random.Random(20240601)
    expected = undisturbed.contents()
    whole = _duration(Lake(undisturbed.source, tmp_path / "timed" / "lake"))
    phases: Counter[str] = Counter()
    turn = missed = 0
    while phases.total() < KILLS:
        turn += 1
        lake = Lake(undisturbed.source, tmp_path / str(turn) / "lake")
        for _ in range(dice.randint(1, 4)):
            child = Watched(lake, jobs=dice.choice([1, 1, 2]))
            child.ready.wait(60)
            time.sleep(dice.uniform(0, 0.9 * whole))
            if child.kill() and not child.last.startswith("records"):
                phases[child.last] += 1
            else:
                missed += 1
        lake.ingest()
        lake.check()
        assert lake.contents() == expected
    print(
        f"\n{phases.total()} kills in {turn} lakes ({missed} came too late); the last that the killed had reached:"
    )
    for phase, count in phases.most_common():
        print(f"  {count:3} after {phase}")
    assert len(phases) > 3


def test_two_at_once_again_and_again(undisturbed: Lake, tmp_path: Path) -> None:
    dice = random.Random(7)
    expected = undisturbed.contents()
    records = undisturbed.one("SELECT count(*) FROM t")
    for turn in range(ROUNDS):
        lake = Lake(undisturbed.source, tmp_path / str(turn) / "lake")
        children = []
        for _ in range(2):
            children.append(start_child(lake, BATCH, dice.choice([1, 2])))
            time.sleep(dice.choice([0, 0, 0.5, 1.5]))
        said = [child.communicate(timeout=120) for child in children]
        assert [child.returncode for child in children] == [0, 0], said
        taken = [int(out.split()[-1]) for out, _ in said]
        assert sum(taken) == records
        lake.check()
        assert lake.contents() == expected
        print(f"\nround {turn + 1}: the first took in {taken[0]:,} records, the second {taken[1]:,}", end="")


def test_one_is_killed_while_the_other_waits(undisturbed: Lake, tmp_path: Path) -> None:
    """The one that waits goes on from what is left."""
    expected = undisturbed.contents()
    dice = random.Random(11)
    for turn in range(5):
        lake = Lake(undisturbed.source, tmp_path / str(turn) / "lake")
        first = Watched(lake, 1)
        first.ready.wait(60)
        second = start_child(lake, BATCH, 1)
        time.sleep(dice.uniform(0.3, 2.5))
        first.kill()
        out, err = _finished(second)
        assert second.returncode == 0, (out, err)
        lake.check()
        assert lake.contents() == expected


def _finished(process: subprocess.Popen[str]) -> tuple[str, str]:
    return process.communicate(timeout=120)
