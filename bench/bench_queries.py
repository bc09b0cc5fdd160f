"""The four questions of cloudtrail-partitioner's README: on the lake, and by DuckDB on the raw files.

    python bench/bench_queries.py [--events 1200000] [--rounds 3] [--work FOLDER]

CPU seconds of the statement alone, one thread each, in turn, on a bucket that is taken in. On the raw files DuckDB is
given what a careful user would give it: only the columns needed, and only the folders that the question names.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import duckdb
from bench_ingest import bucket
from measure import arguments

import trailhouse

if TYPE_CHECKING:
    from pathlib import Path

WANTED = 20


def raw_statement(number: int, source: Path, asked: dict[str, str]) -> str:
    """A question on the raw files."""
    account, region = asked["account"], asked["region"]
    day = f"{asked['year']}/{asked['month']}/{asked['day']}"
    month = f"{asked['year']}/{asked['month']}"
    record, places, select = {
        1: (None, f"{account}/CloudTrail/{region}/{day}", "SELECT r FROM e LIMIT 5"),
        2: (
            "STRUCT(userIdentity STRUCT(arn VARCHAR), errorCode VARCHAR)",
            f"{account}/CloudTrail/*/{day}",
            (
                "SELECT r.userIdentity.arn, r.errorCode, count(*) AS n FROM e WHERE r.errorCode != '' "
                "GROUP BY ALL ORDER BY n DESC LIMIT 50"
            ),
        ),
        3: (
            "STRUCT(userIdentity STRUCT(arn VARCHAR), eventName VARCHAR)",
            f"{account}/CloudTrail/*/{day}",
            (
                f"SELECT r.eventName, count(*) AS n FROM e WHERE r.userIdentity.arn LIKE '%{asked['user']}%' "
                "GROUP BY ALL ORDER BY n DESC"
            ),
        ),
        4: (
            "STRUCT(recipientAccountId VARCHAR, sourceIPAddress VARCHAR)",
            f"*/CloudTrail/*/{month}/*",
            (
                f"SELECT r.recipientAccountId, count(*) AS n FROM e WHERE r.sourceIPAddress = '{asked['address']}' "
                "GROUP BY ALL ORDER BY n DESC"
            ),
        ),
    }[number]
    patterns = [str(source / "AWSLogs" / root / places / "*.json.gz") for root in ("", "o-*")]
    found = [p for p in patterns if any(source.glob(p.removeprefix(f"{source}/")))]
    kind = record or "JSON"
    return (
        f"WITH e AS (SELECT unnest(Records) AS r FROM read_json({found}, format = 'unstructured', "
        f"maximum_object_size = 33554432, ignore_errors = true, columns = {{Records: '{kind}[]'}})) {select}"
    )


def main() -> None:
    """Ask in turn and print the comparison."""
    given = arguments(__doc__, rounds=3)
    source, _ = bucket(given.work, given.events)
    truth = json.loads((source.parent / "truth.json").read_text())
    plain = duckdb.connect(config={"threads": 1})
    ours = theirs = 0.0
    with trailhouse.open(str(source), workdir=given.work / "queries") as house:
        house.ingest()
        house.tables()
        for number, answer in enumerate(truth["answers"], 1):
            raw = raw_statement(number, source, truth["questions"])
            lake, files = [], []
            for _ in range(given.rounds):
                lake.append(cpu(lambda sql=answer["sql"]: house.query(sql).arrow()))
                files.append(cpu(lambda sql=raw: plain.execute(sql).fetchall()))
            one, other = statistics.median(lake), statistics.median(files)
            ours, theirs = ours + one, theirs + other
            print(
                f"question {number}: lake {one:.3f} CPU-s, raw files {other:.3f} CPU-s, {other / one:.0f} times"
            )
    print(f"all four: {theirs / ours:.0f} times less CPU on the lake (wanted: {WANTED})")
    if theirs / ours < WANTED:
        sys.exit("short of what is wanted")


def cpu(work: Any) -> float:  # noqa: ANN401 - anything that can be called
    """CPU seconds of a call, all threads."""
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
