import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from trailhouse.errors import LakeError
from trailhouse.lake.pool import OwnProcess, Processes

PARENT = """
import time
from trailhouse.lake.pool import Processes
pool = Processes(2)
for pid in pool.map(time.sleep, [0, 0]):
    print("ready", flush=True)
for _ in pool.map(time.sleep, [60, 60]):
    pass
"""

SCRIPT = """
import os
from trailhouse.lake.pool import Processes
print("begins", flush=True)
pool = Processes(2)
print(sorted(pool.map(abs, [-3, 2, -1])), flush=True)
pool.close()
"""


@pytest.fixture
def pool() -> Iterator[Processes]:
    made = Processes(2)
    yield made
    made.close()


def test_own_process_runs_in_order() -> None:
    pool = OwnProcess()
    assert list(pool.map(abs, [-2, 1, -3])) == [2, 1, 3]
    pool.close()


def test_every_result_comes(pool: Processes) -> None:
    assert sorted(pool.map(abs, range(-20, 0))) == list(range(1, 21))
    assert list(pool.map(abs, [])) == []


def test_tasks_are_taken_as_they_are_needed(pool: Processes) -> None:
    taken = []

    def tasks() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    next(pool.map(abs, tasks()))
    assert len(taken) <= 6


def test_an_error_in_a_worker_is_the_callers(pool: Processes) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        list(pool.map(int, ["1", "x"]))


def test_a_worker_that_dies_is_a_clear_error(pool: Processes) -> None:
    with pytest.raises(LakeError, match=r"a worker process was ended from outside.*--jobs 2"):
        list(pool.map(os._exit, [9]))
    with pytest.raises(LakeError, match="a worker process"):  # and for whoever goes on
        list(pool.map(abs, [1]))


@pytest.mark.slow
def test_workers_end_with_a_killed_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    workers = psutil.Process(parent.pid).children(recursive=True)
    assert len(workers) >= 2
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait(10)
    parent.stdout.close()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []


def test_scripts_need_no_guard(tmp_path: Path) -> None:
    """A user's script that opens a source at its top level runs once, and not again in every worker."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    started = time.monotonic()
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "begins\n[1, 2, 3]\n"
    assert done.stderr == ""
    assert time.monotonic() - started < 60
