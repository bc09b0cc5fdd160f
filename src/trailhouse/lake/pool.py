"""Worker processes that end when their parent does, however it ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, TypeVar

from trailhouse.errors import LakeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Task = TypeVar("Task")
Result = TypeVar("Result")


class Pool(Protocol):
    """Runs a function over tasks and gives the results as they come."""

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Results in any order."""

    def close(self) -> None:
        """End the workers."""


class OwnProcess:
    """No workers: for little work, which starting them would double."""

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Results in order."""
        return map(function, tasks)

    def close(self) -> None:
        """Nothing to end."""


class Processes:
    """As many worker processes as jobs."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        context = multiprocessing.get_context("spawn")  # threads of Arrow and DuckDB do not survive a fork
        self._executor = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start)

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Results as they come; only twice as many tasks as workers are taken ahead, so memory stays bounded.

        Raises:
            LakeError: A worker was killed.
        """
        try:
            yield from self._map(function, tasks)
        except BrokenProcessPool as error:
            raise LakeError(
                "a worker process was ended from outside, for want of memory perhaps; nothing is lost: "
                f"run again with fewer than --jobs {self._jobs}"
            ) from error

    def _map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        rest = iter(tasks)
        running: set[Future[Result]] = set()
        while True:
            while len(running) < 2 * self._jobs and (task := next(rest, None)) is not None:
                with _no_main_module():
                    running.add(self._executor.submit(function, task))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()

    def close(self) -> None:
        """End the workers and drop what they have not started."""
        self._executor.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _no_main_module() -> Iterator[None]:
    """Workers begin by running the program's main script, to have its names; ours need none of them.

    Without this, a script that opens a source outside of `if __name__ == "__main__"` would run again in each worker.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _start() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
