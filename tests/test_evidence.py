"""Provenance, checked from the disk; and what is missing."""

import hashlib
import os
from pathlib import Path

import pytest

import trailhouse
from deliveries import damage, deliver, event, small_source
from trailhouse.core.layout import Kind
from trailhouse.session import Trailhouse

ALL = [Kind.CLOUDTRAIL]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return small_source(tmp_path / "logs")


def house_of(source: Path, tmp_path: Path, **options: str) -> Trailhouse:
    return trailhouse.open(source, workdir=tmp_path / "work", **options)


def test_inputs_are_the_files_with_their_hashes(source: Path, tmp_path: Path) -> None:
    with house_of(source, tmp_path) as house:
        found = {one.name: (one.source, one.size, one.sha256) for one in house.evidence.inputs(ALL)}
        assert list(house.evidence.inputs([])) == []
    files = [path for path in source.rglob("*") if path.is_file()]
    expected = {
        path.relative_to(source).as_posix(): (
            "logs",
            path.stat().st_size,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in files
    }
    assert found == expected


def test_the_window_limits_inputs(source: Path, tmp_path: Path) -> None:
    with house_of(source, tmp_path):
        pass
    with house_of(source, tmp_path) as house:
        house.ingest()
    with house_of(source, tmp_path, until="2026-01-03") as house:
        assert len(list(house.evidence.inputs(ALL))) == 1
    with house_of(source, tmp_path, accounts="444455556666") as house:
        assert len(list(house.evidence.inputs(ALL))) == 1
    with house_of(source, tmp_path, regions="eu-west-1", since="2026-01-04") as house:
        assert len(list(house.evidence.inputs(ALL))) == 1


def test_names_of_accounts_limit_inputs(source: Path, tmp_path: Path) -> None:
    with house_of(source, tmp_path) as house:
        for table, inputs in (
            ("cloudtrail", 3),
            ("cloudtrail_444455556666", 1),
            ("cloudtrail_444455556666 JOIN cloudtrail USING (eventid)", 3),
        ):
            statement = house.translate(f"SELECT count(*) FROM {table}")
            assert len(list(house.evidence_of(statement).inputs(ALL))) == inputs
    with house_of(source, tmp_path, table_prefix="logs_444455556666") as house:
        statement = house.translate("SELECT count(*) FROM logs_444455556666")
        assert len(list(house.evidence_of(statement).inputs(ALL))) == 3


def test_what_is_missing(source: Path, tmp_path: Path) -> None:
    bad = damage(source)
    changed = deliver(source, [event(40)], unique="changedchangedch")
    gone = deliver(source, [event(41)], unique="gonegonegonegone")
    with house_of(source, tmp_path) as house:
        assert [(gap.verdict, gap.total) for gap in house.evidence.gaps(ALL)] == [("quarantined", 1)]
    deliver(source, [event(40), event(42)], unique="changedchangedch")
    os.utime(changed, ns=(1, 1))
    gone.unlink()
    with house_of(source, tmp_path) as house:
        gaps = house.evidence.gaps(ALL)
        assert [(gap.verdict, gap.total) for gap in gaps] == [
            ("quarantined", 1),
            ("changed", 1),
            ("vanished", 1),
        ]
        missing = [(one.verdict, Path(one.name).name) for one in house.evidence.missing(ALL)]
        assert missing == [("quarantined", bad.name), ("changed", changed.name), ("vanished", gone.name)]
        assert house.query("SELECT eventid FROM cloudtrail WHERE eventid = 'id42'").arrow().num_rows == 0
        assert house.query("SELECT eventid FROM cloudtrail WHERE eventid = 'id41'").arrow().num_rows == 1
        assert house.evidence.gaps([]) == []
