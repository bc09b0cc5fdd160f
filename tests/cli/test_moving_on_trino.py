"""CloudTrail Lake's SQL on a real Trino, over the tables that `apply` made: the same answers as on the laptop."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import trailhouse
from bed.athena import Front, StrictAthena, on_trino
from trailhouse.cli import main
from trailhouse.demo import generate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bed.trino import Trino

pytestmark = [pytest.mark.trino, pytest.mark.emulator, pytest.mark.timeout(900)]

BUCKET = "moving"
EDS = "3f852e4a-4e8f-8bd1-bcf6-c1234567890a"
DAYS = re.compile(r"/2026/03/0[4-7]/")
FORMS = dict(
    re.findall(
        r"^-- form: (.+)\n((?:.+\n)+?)-- ours\n",
        (Path(__file__).parent.parent / "dialect" / "event_data_store" / "forms.sql").read_text("utf-8"),
        re.MULTILINE,
    )
)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some days of a generated bucket, without the objects that only the lake takes in, or has once."""
    folder = tmp_path_factory.mktemp("moving")
    generate(folder / "made", events=500, seed=3)
    bucket = folder / "made" / "bucket"
    with trailhouse.open(bucket, workdir=folder / "work", jobs=1) as house:
        odd = "SELECT logfile FROM cloudtrail_lake WHERE unparsed IS NOT NULL OR duplicate"
        damaged = "SELECT logfile FROM cloudtrail_files WHERE status IN ('partial', 'quarantined')"
        for row in [*house.query(odd), *house.query(damaged)]:
            (bucket / row["logfile"]).unlink(missing_ok=True)
    for each in bucket.rglob("*.gz"):
        if not DAYS.search(each.as_posix()):
            each.unlink()  # what is left takes a real Trino minutes less
    return bucket


@pytest.fixture(scope="module")
def front(trino: Trino, logs: Path) -> Iterator[Front]:
    """The emulated AWS with these logs."""
    trino.load(BUCKET, logs)
    with Front(trino.aws, StrictAthena(on_trino(trino.url), looks=1)) as front:
        yield front


@pytest.fixture
def run(
    front: Front,
    trino: Trino,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """The program; what it wrote."""
    for name, value in front.environment(trino.aws).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAILHOUSE_WORKDIR", str(tmp_path / "work"))
    monkeypatch.setenv("TRAILHOUSE_DATABASE", "moving")
    monkeypatch.setenv("TRAILHOUSE_TRINO_URL", trino.url)

    def call(*args: str) -> str:
        with pytest.raises(SystemExit) as left:
            main(list(args))
        out, err = capfd.readouterr()
        return out if (left.value.code or 0) in {0, 3} else err

    return call


def rows(told: str, *, ordered: bool) -> list[list[Any]] | str:
    """What was answered; else what was said instead."""
    if not told.startswith("["):
        return told
    found = [list(row.values()) for row in json.loads(told)]
    return found if ordered else sorted(found, key=repr)


def test_every_form_answers_the_same_on_trino(run: Callable[..., str], logs: Path) -> None:
    run("apply", "--all", "--yes", "-s", f"s3://{BUCKET}/")
    different, answered = {}, 0
    for form, sql in FORMS.items():
        asked = (
            "query",
            "--json",
            "--dialect",
            "cloudtrail-lake",
            "--late",
            "40d",
            sql.replace("<eds>", EDS),
        )
        local = rows(run(*asked, "-s", str(logs)), ordered="ORDER BY" in sql)
        there = rows(run(*asked, "--engine", "trino"), ordered="ORDER BY" in sql)
        answered += bool(local)
        if local != there:
            different[form] = (local[:3], there[:300] if isinstance(there, str) else there[:3])
    assert different == {}
    assert answered > len(FORMS) * 3 // 4
