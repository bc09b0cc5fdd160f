"""One invocation of the nightly run over a computed listing, measured: the last line of standard output is JSON.

Arguments: the event (JSON), accounts, regions, days with logs, the last day with logs (ISO), and how many seconds of
the function's time pass in one of ours: a function of half a gigabyte has a third of a processor.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from unittest.mock import patch

from soak.catalog_run import Watch, computed
from trailhouse.nightly import handler
from trailhouse.nightly.run import Clock
from trailhouse.storage.listing import S3Lister

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailhouse.core.deliveries import Stored

LIMIT = 900.0
"""Seconds that a function may take."""


def main(event: str, accounts: str, regions: str, days: str, last: str, speed: str) -> None:
    lister = computed(int(accounts), int(regions), int(days), date.fromisoformat(last))
    began = time.monotonic()

    def elapsed() -> float:
        return (time.monotonic() - began) * float(speed)

    def remaining() -> float:
        if elapsed() > LIMIT:
            os._exit(137)  # what Lambda does
        return LIMIT - elapsed()

    def children(_: S3Lister, bucket: str, prefix: str) -> Iterator[str]:
        return lister.children(bucket, prefix)

    def objects(_: S3Lister, bucket: str, prefix: str, limit: int) -> tuple[Stored, ...]:
        return lister.objects(bucket, prefix, limit)

    with (
        Watch() as watch,
        patch("trailhouse.nightly.deployment.known_regions", lambda _: lister.regions),
        patch.object(S3Lister, "children", children),
        patch.object(S3Lister, "objects", objects),
    ):
        clock = Clock(now=lambda: datetime.now(UTC), elapsed=elapsed, remaining=remaining)
        answer = handler.answer(json.loads(event), os.environ, clock).as_json()
    print(
        json.dumps({"answer": answer, "memory": watch.highest, "seconds": elapsed(), "lists": lister.calls})
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
