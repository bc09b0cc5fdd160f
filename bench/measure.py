"""Run a program and take its measure: CPU seconds of it and its children, and the memory that is its own.

And the options that every bench has.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_EVERY = 0.02


@dataclass(frozen=True)
class Measure:
    """CPU seconds, wall seconds, and the highest RssAnon (bytes) of any one process."""

    cpu: float
    wall: float
    anonymous: int


def arguments(about: str | None, rounds: int) -> argparse.Namespace:
    """`events`, `rounds` and `work`, a folder that is there."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--events", type=int, default=1_200_000)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "trailhouse-bench")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    return given


def run(command: Sequence[str | Path], *, one_core: bool) -> Measure:
    """Run a command to its end; `one_core` pins it to a processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    child = subprocess.Popen([*map(str, command)])
    if one_core and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(child.pid, {max(os.sched_getaffinity(0))})
    highest = 0
    while child.poll() is None:
        highest = max([highest, *map(_anonymous, _family(child.pid))])
        time.sleep(_EVERY)
    if child.returncode:
        sys.exit(f"{command} failed with exit {child.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measure(cpu, time.monotonic() - began, highest)


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(one for child in children for one in _family(int(child)))]


def _anonymous(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
