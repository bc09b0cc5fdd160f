"""Takes logs into a lake in AWS, and may kill itself on the way.

Arguments: endpoint, bucket of the logs, lake, database, working folder, estimated bytes of a batch, seconds to wait for
another run, then the point and the number of times it is passed before the kill (optional).
"""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from lake.child import Deadly
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.lake.delivered import by_bucket
from trailhouse.lake.ingest import take_in
from trailhouse.lake.pending import Needed
from trailhouse.lake.s3_lake import S3Lake
from trailhouse.lake.workspace import Workspace
from trailhouse.storage import open_sources


def main(  # noqa: PLR0913, PLR0917 - as the command line has them
    url: str, logs: str, uri: str, database: str, work: str, batch_json: str, patience: str,
    point: str = "", times: str = "1",
) -> None:  # fmt: skip
    access = Access(endpoint_url=url)
    workspace = Workspace(Path(work))
    workspace.prepare([uri])
    lake = S3Lake(
        Gate(access), uri, workspace, database=database, holder=Path(work).name, patience=float(patience)
    )
    named = open_sources([f"s3://{logs}"], stdin=io.BytesIO(), spool=workspace.spool, access=access)
    report = take_in(
        by_bucket(named), lake, needed=Needed(), now=datetime(2024, 6, 1, tzinfo=UTC),
        progress=Deadly(point, int(times)), jobs=1, batch_json=int(batch_json),
    )  # fmt: skip
    print(f"records {report.records}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
