"""Show the main job: make an organization's bucket, answer four questions about it, check every answer.

The questions are those of cloudtrail-partitioner's README, as they are written there but for account, date, user and
address. The answers are compared with a ground truth that the generator counted while writing, without our reader.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import trailhouse
from trailhouse.demo import generate
from trailhouse.output import Format, write

WORK = "work"


def main() -> int:
    """Run the demonstration; 1 if an answer is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.monotonic()
    truth = _bucket(given.dir, given.events, given.seed)
    made = time.monotonic()
    shutil.rmtree(given.dir / WORK, ignore_errors=True)
    with trailhouse.open(str(given.dir / "bucket"), workdir=given.dir / WORK) as house:
        report = house.ingest()
        taken = time.monotonic()
        print(f"took in {report.records:,} records from {report.files:,} files in {taken - made:.1f} s\n")
        answers = enumerate(truth["answers"], 1)
        wrong = [f"{n}" for n, answer in answers if not _ask(house, n, answer, given.dir)]
        wrong += _counts(house, truth["counts"])
    ended = time.monotonic()
    print(
        f"making the bucket {made - began:.1f} s, taking it in {taken - made:.1f} s, answers {ended - taken:.1f} s"
    )
    print("WRONG: " + ", ".join(wrong) if wrong else "all answers agree with the ground truth")
    return 1 if wrong else 0


def _bucket(folder: Path, events: int, seed: int) -> dict[str, Any]:
    told = folder / "truth.json"
    if told.exists():
        truth: dict[str, Any] = json.loads(told.read_text())
        if (truth["parameters"]["events"], truth["parameters"]["seed"]) == (events, seed):
            print(f"using the bucket in {folder / 'bucket'}")
            return truth
    shutil.rmtree(folder, ignore_errors=True)
    print(f"making a bucket of {events:,} events in {folder / 'bucket'}", flush=True)
    generate(folder, events=events, seed=seed)
    return dict(json.loads(told.read_text()))


def _ask(house: trailhouse.Trailhouse, number: int, answer: dict[str, Any], folder: Path) -> bool:
    print(f"{number}. {answer['sql']}\n")
    rows = house.query(answer["sql"]).arrow()
    sys.stdout.flush()
    shown = (
        rows
        if "rows" in answer
        else rows.select(["eventtime", "eventsource", "eventname", "region", "logfile"])
    )
    write(shown.to_reader(), Format.TABLE, sys.stdout.buffer)
    if "rows" in answer:
        given = [list(row.values()) for row in rows.to_pylist()]
        right = sorted(given, key=repr) == sorted(answer["rows"], key=repr)
        right = right and [r[-1] for r in given] == [r[-1] for r in answer["rows"]]  # in the order asked for
    else:
        ids = set((folder / answer["eventids_file"]).read_text().split("\n"))
        every = house.query(answer["sql"].replace("LIMIT 5", "")).arrow().num_rows
        known = all((event or "") in ids for event in rows.column("eventid").to_pylist())
        right = known and every == answer["matching"] and rows.num_rows == min(5, every)
    print(f"\n   {'as in the ground truth' if right else 'NOT AS IN THE GROUND TRUTH'}\n")
    return right


def _counts(house: trailhouse.Trailhouse, counts: dict[str, int]) -> list[str]:
    wrong = []
    for name, expected in counts.items():
        found = next(iter(house.query(f"SELECT count(*) AS n FROM {name}")))["n"]
        print(f"   {name}: {found:,} rows")
        if found != expected:
            wrong.append(f"{name} should have {expected:,}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
