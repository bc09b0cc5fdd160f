"""Worker processes that end when their parent does, however it ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import TYPE_CHECKING, Protocol, TypeVar

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
        """Results as they come; only twice as many tasks as workers are taken ahead, so memory stays bounded."""
        rest = iter(tasks)
        running: set[Future[Result]] = set()
        while True:
            while len(running) < 2 * self._jobs and (task := next(rest, None)) is not None:
                running.add(self._executor.submit(function, task))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()

    def close(self) -> None:
        """End the workers and drop what they have not started."""
        self._executor.shutdown(wait=True, cancel_futures=True)


def _start() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
