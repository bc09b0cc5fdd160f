"""Hostile objects from the outside: the count is right, and every object has its verdict."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.objects import Hostile, hostile_objects

COUNT = 30
ACCOUNT = "111111111111"
DAY = f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2024/01/02"


@pytest.fixture(scope="module")
def hostiles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Hostile]]:
    """A bucket of them, and each one's name."""
    folder = tmp_path_factory.mktemp("hostile")
    named = {}
    for number, hostile in enumerate(hostile_objects(seed=30, count=COUNT)):
        claimed = f"{DAY}/{ACCOUNT}_CloudTrail_us-east-1_20240102T0305Z_{number:016}.json.gz"
        name = claimed if hostile.claimed else f"found/{number}.dat"
        named[name] = hostile
        path = folder / "bucket" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hostile.stored)
    return folder, named


def ask(folder: Path, sql: str) -> tuple[int, list[list[str]], str]:
    """Exit code, rows, and what was said besides."""
    command = [sys.executable, "-c", "import sys; from trailhouse.cli import main; sys.exit(main())"]
    command += ["-s", str(folder / "bucket"), "--workdir", str(folder / "work")]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    done = subprocess.run(
        [*command, "query", sql, "--format", "csv"], capture_output=True, text=True, timeout=120, check=False,
        env=environment,
    )  # fmt: skip
    return done.returncode, list(csv.reader(io.StringIO(done.stdout)))[1:], done.stderr


@pytest.mark.slow
def test_every_good_record_counts(hostiles: tuple[Path, dict[str, Hostile]]) -> None:
    folder, named = hostiles
    code, rows, said = ask(folder, "SELECT eventid FROM cloudtrail")
    assert sorted(row[0] for row in rows) == sorted(
        name for hostile in named.values() for name in hostile.good
    )
    assert code == 3
    assert "Traceback" not in said
    assert "could not be read whole" in said
    code, rows, _ = ask(folder, "SELECT count(*) AS n FROM cloudtrail")
    assert (code, rows) == (3, [[str(sum(len(hostile.good) for hostile in named.values()))]])


@pytest.mark.slow
def test_every_object_has_its_verdict(hostiles: tuple[Path, dict[str, Hostile]]) -> None:
    folder, named = hostiles
    _, rows, _ = ask(folder, "SELECT logfile, records, misfits, status, reason FROM cloudtrail_files")
    assert sorted(row[0] for row in rows) == sorted(named)
    for name, records, misfits, status, reason in rows:
        hostile = named[name]
        assert int(records) == len(hostile.good), (name, hostile)
        if hostile.flawed is not None:
            assert bool(int(misfits)) == hostile.flawed, (name, hostile)
        assert status in {"complete", "partial", "quarantined", "empty", "ignored"}
        assert bool(reason) == (status != "complete")
        assert (status in {"partial", "quarantined"}) == bool(int(misfits))
