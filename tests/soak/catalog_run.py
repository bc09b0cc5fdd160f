"""`trailhouse apply` over a computed listing, measured: last line of standard output is JSON.

Arguments: accounts, regions, days with logs, the day of the run (ISO), then `apply`'s own.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self
from unittest.mock import patch

import pytest

from listings import ComputedLister
from trailhouse import cli
from trailhouse.storage.listing import S3Lister

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from trailhouse.core.deliveries import Stored

LATENCY = 0.02


def anonymous_memory() -> int:
    """Bytes of this process that no file backs; what a library maps from disk is not counted."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024


class Watch:
    """The highest memory of this process, looked at ten times a second."""

    def __init__(self) -> None:
        self.highest = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._ended.wait(0.1):
            self.highest = max(self.highest, anonymous_memory())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def computed(accounts: int, regions: int, days: int, today: date) -> ComputedLister:
    """An organization that delivers every day everywhere."""
    return ComputedLister(
        [f"{100_000_000_000 + number}" for number in range(accounts)],
        [f"xx-region-{number}" for number in range(1, regions + 1)],
        [today - timedelta(days=back) for back in range(days, -1, -1)],
        LATENCY,
    )


def main(accounts: str, regions: str, days: str, day: str, *args: str) -> None:
    today = date.fromisoformat(day)
    lister = computed(int(accounts), int(regions), int(days), today)

    def children(_: S3Lister, bucket: str, prefix: str) -> Iterator[str]:
        return lister.children(bucket, prefix)

    def objects(_: S3Lister, bucket: str, prefix: str, limit: int) -> tuple[Stored, ...]:
        return lister.objects(bucket, prefix, limit)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Clock:
            return cls(today.year, today.month, today.day, 12, tzinfo=tz)

    regions_known = patch("trailhouse.catalog.opening.known_regions", lambda _: lister.regions)
    wall, processor = time.monotonic(), time.process_time()
    with (
        Watch() as watch,
        regions_known,
        patch.object(S3Lister, "children", children),
        patch.object(S3Lister, "objects", objects),
        patch("trailhouse.cli.app.datetime", Clock),
        pytest.raises(SystemExit) as ended,
    ):
        cli.main(list(args))
    print(json.dumps({
        "code": ended.value.code, "wall": time.monotonic() - wall, "processor": time.process_time() - processor,
        "memory": watch.highest, "lists": lister.calls,
    }))  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
