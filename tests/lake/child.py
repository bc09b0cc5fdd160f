"""Takes a source in, and may kill itself on the way.

Arguments: source, working folder, estimated bytes of a batch, worker processes, then the point and the
number of times it is passed before the kill (optional). Each point is printed as it is passed.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from trailhouse.lake import ingest as module
from trailhouse.lake.pending import Needed
from trailhouse.lake.workspace import Workspace
from trailhouse.session import Silence
from trailhouse.storage import open_sources


class Deadly(Silence):
    """Ends its own process at a point, as the system would: without a word."""

    def __init__(self, point: str, times: int) -> None:
        self._point = point
        self._times = times
        self._passed: Counter[str] = Counter()

    def reached(self, point: str) -> None:
        print(point, flush=True)
        self._passed[point] += 1
        if point == self._point and self._passed[point] == self._times:
            os.kill(os.getpid(), signal.SIGKILL)


def main(source: str, root: str, batch_json: str, jobs: str, point: str = "", times: str = "1") -> None:
    workspace = Workspace(Path(root))
    workspace.prepare([source])
    print("ready", flush=True)
    if int(jobs) > 1:
        module._INLINE_JSON = 0  # worker processes for little work too
    report = module.ingest(
        open_sources([source], stdin=io.BytesIO(), spool=workspace.spool),
        workspace,
        needed=Needed(),
        now=datetime(2024, 6, 1, tzinfo=UTC),
        progress=Deadly(point, int(times)),
        jobs=int(jobs),
        batch_json=int(batch_json),
    )
    print(f"records {report.records}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
