"""Taking a bucket in: MB of JSON per CPU-second on one core, beside DuckDB's read_json and the standard library.

    python bench/bench_ingest.py [--events 1200000] [--rounds 2] [--work FOLDER]

The contenders do the same job in turn, each as a process of its own, start-up and all (`contenders.py` says what each
writes). The standard library holds everything in memory, so it gets a tenth of the bucket. Also the highest RssAnon:
of our run, and of taking in one object of 50 MB (compressed).
"""

from __future__ import annotations

import gzip
import json
import shutil
import statistics
import sys
from pathlib import Path

from measure import Measure, arguments, run

from trailhouse.demo import generate

HERE = Path(__file__).resolve().parent
MB = 1e6
LARGE = 50_000_000
WANTED = 1.8
MEMORY = 400 << 20


def bucket(work: Path, events: int) -> tuple[Path, float]:
    """A bucket of so many events, made once, and its JSON in MB."""
    folder = work / f"bucket-{events}"
    if not (folder / "truth.json").exists():
        print(f"making a bucket of {events:,} events", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        generate(folder, events=events, seed=7)
    return folder / "bucket", json.loads((folder / "truth.json").read_text())["uncompressed_bytes"] / MB


def contend(name: str, source: Path, work: Path) -> Measure:
    """One contender's run into an empty folder."""
    target = work / "target"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    return run([sys.executable, HERE / "contenders.py", name, source, target], one_core=True)


def large_object(work: Path, source: Path) -> Path:
    """A bucket with one object of about 50 MB, made of the records of another."""
    folder = work / "large/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/02"
    target = folder / "111122223333_CloudTrail_eu-west-1_20260302T0305Z_abcdefghijklmnop.json.gz"
    if not target.exists():
        folder.mkdir(parents=True)
        with gzip.open(work / "large.part", "wb", compresslevel=6) as out:
            out.write(b'{"Records":[')
            first = True
            for path in sorted(source.rglob("CloudTrail/**/*.json.gz")):
                inner = gzip.decompress(path.read_bytes()).strip()
                body = inner[inner.index(b"[") + 1 : inner.rindex(b"]")]
                if body.strip():
                    out.write(body if first else b"," + body)
                    first = False
                if (work / "large.part").stat().st_size >= LARGE:
                    break
            out.write(b"]}")
        (work / "large.part").rename(target)
    return work / "large"


def main() -> None:
    """Run the contenders in turn and print the comparison."""
    given = arguments(__doc__, rounds=2)
    source, size = bucket(given.work, given.events)
    small, small_size = bucket(given.work, given.events // 10)
    ratios, anonymous = [], 0
    for number in range(1, given.rounds + 1):
        ours = contend("trailhouse", source, given.work)
        theirs = contend("duckdb", source, given.work)
        ratios.append(theirs.cpu / ours.cpu)
        anonymous = max(anonymous, ours.anonymous)
        print(
            f"round {number}, {size:,.0f} MB of JSON: "
            f"trailhouse {ours.cpu:.1f} CPU-s ({size / ours.cpu:.0f} MB/CPU-s), "
            f"DuckDB {theirs.cpu:.1f} CPU-s ({size / theirs.cpu:.0f}), {ratios[-1]:.2f} times", flush=True,
        )  # fmt: skip
    library = contend("stdlib", small, given.work)
    print(
        f"standard library, {small_size:,.0f} MB: {library.cpu:.1f} CPU-s ({small_size / library.cpu:.0f} MB/CPU-s)"
    )
    big = large_object(given.work, source)
    one = contend("trailhouse", big, given.work)
    found = sum(p.stat().st_size for p in big.rglob("*.gz"))
    print(f"one object of {found / MB:.0f} MB compressed: {one.cpu:.1f} CPU-s")
    ratio = statistics.median(ratios)
    print(f"median: {ratio:.2f} times DuckDB (wanted: {WANTED})")
    print(
        f"highest RssAnon: {anonymous / MB:.0f} MB on the bucket, {one.anonymous / MB:.0f} MB on the one object "
        f"(wanted: at most {MEMORY / MB:.0f})"
    )
    shutil.rmtree(given.work / "target", ignore_errors=True)
    if ratio < WANTED or max(anonymous, one.anonymous) > MEMORY:
        sys.exit("short of what is wanted")


if __name__ == "__main__":
    main()
