import csv
import hashlib
import io
import json
import os
import random
import shutil
import tarfile
import zipfile
from collections import Counter
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest

from lake.lakes import (
    ACCOUNTS,
    DAYS,
    LAKES,
    REGIONS,
    Lake,
    Recorder,
    event,
    fill,
    fingerprint,
    key,
    pack,
    start_child,
    store,
    store_bytes,
)
from lake.samples import corpus
from trailhouse.errors import DiskError, LakeError, StorageError
from trailhouse.lake import ingest as module
from trailhouse.lake import tasks
from trailhouse.lake.commit import COMMIT_POINTS
from trailhouse.lake.pending import Needed
from trailhouse.lake.reader import Limits, read
from trailhouse.lake.tables import LEDGER
from trailhouse.storage import Sources, StoredObject

TINY = 1
"""Bytes of JSON a batch: every object is one of its own."""


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes and many tasks, however little there is to do."""
    monkeypatch.setattr(module, "_INLINE_JSON", 0)
    monkeypatch.setattr(module, "TASK_JSON", 4_000)


def test_everything_is_taken_in_once(bucket: Path, lake: Lake) -> None:
    events = fill(bucket)
    report = lake.ingest()
    assert report.files == report.listing.new == 12
    assert report.complete
    assert report.records == lake.one("SELECT count(*) FROM t")
    assert lake.one("SELECT count(*) FROM t WHERE NOT duplicate") == events
    assert report.duplicates == report.records - events
    assert {row[0] for row in lake.ledger().values()} == {"complete"}
    lake.check()


def test_progress_adds_up(bucket: Path, lake: Lake) -> None:
    fill(bucket)
    store(bucket, "AWSLogs/111111111111/Config/us-east-1/2024/5/1/x.json.gz")
    report = lake.ingest()
    ((files, stored),) = lake.progress.started
    assert files == sum(step[0] for step in lake.progress.advanced) == 13
    assert stored == sum(path.stat().st_size for path in bucket.rglob("*.gz"))
    assert sum(step[2] for step in lake.progress.advanced) == report.records
    assert lake.progress.points == list(COMMIT_POINTS)
    assert lake.progress.ended == 1


def test_a_second_run_adds_nothing(bucket: Path, lake: Lake) -> None:
    fill(bucket)
    lake.ingest()
    lake.check()
    before, snapshots = fingerprint(lake.root), lake.snapshots()
    report = lake.ingest()
    assert (report.files, report.records, report.listing.known) == (0, 0, 12)
    assert lake.snapshots() == snapshots
    assert {n: v[2] for n, v in fingerprint(lake.root).items()} == {n: v[2] for n, v in before.items()}
    assert not lake.progress.started


def test_the_source_stays_as_it_is(bucket: Path, lake: Lake) -> None:
    fill(bucket)
    store_bytes(bucket, "odd.bin", b"\0\1")
    before = fingerprint(bucket)
    lake.ingest()
    lake.ingest()
    assert fingerprint(bucket) == before


def test_a_new_file_is_taken_in_alone(bucket: Path, lake: Lake) -> None:
    fill(bucket)
    lake.ingest()
    store(bucket, key(number=99), event("new"))
    report = lake.ingest()
    assert (report.files, report.records, report.listing.known) == (1, 1, 12)
    assert lake.ask("SELECT eventid FROM t WHERE logfile = $1", key(number=99)) == [("new",)]
    lake.check()


@pytest.mark.parametrize("day", DAYS)
def test_a_late_copy_is_flagged(bucket: Path, lake: Lake, day: str) -> None:
    """Whatever day it is delivered on."""
    store(bucket, key(DAYS[1]), event("a", DAYS[1]), event("b", DAYS[1]))
    lake.ingest()
    store(bucket, key(day, 7), event("b", DAYS[1]), event("c", DAYS[1]))
    assert lake.ingest().duplicates == 1
    assert lake.ask("SELECT eventid, duplicate FROM t WHERE logfile = $1 ORDER BY 1", key(day, 7)) == [
        ("b", True),
        ("c", False),
    ]
    lake.check()


@pytest.mark.parametrize("time", [None, "", "soon", "2024-05-01T10:00:00", "\U0010ffff"])
def test_a_late_copy_with_an_odd_time_is_flagged(bucket: Path, lake: Lake, time: str | None) -> None:
    odd = event("a", eventTime=time)
    store(bucket, key(), odd)
    lake.ingest()
    store(bucket, key(number=1), odd, event("b"))
    assert lake.ingest().duplicates == 1
    lake.check()


def test_times_from_everywhere_are_looked_up(bucket: Path, lake: Lake) -> None:
    """More days than are asked for one by one."""
    times = [event(f"{n}", eventTime=f"{1900 + n}-0{1 + n % 9}-01T00:00:00Z") for n in range(700)]
    store(bucket, key(), *times)
    lake.ingest()
    store(bucket, key(number=1), *times)
    assert lake.ingest().duplicates == 700
    lake.check()


def test_only_equal_events_are_duplicates(bucket: Path, lake: Lake) -> None:
    one = event("same")
    others = [
        {**one, "eventTime": "2024-05-01T10:00:01Z"},
        {**one, "eventSource": "ec2.amazonaws.com"},
        {**one, "eventName": "PutObject"},
        {**one, "recipientAccountId": ACCOUNTS[1]},
        {**one, "eventName": None, "eventSource": "s3.amazonaws.comGetObject"},
    ]
    without = {k: v for k, v in one.items() if k != "eventID"}
    store(bucket, key(), one, *others, without, without, {**one, "eventID": None})
    store(bucket, key(number=1), {**one, "userAgent": "other content, same event"})
    assert lake.ingest().duplicates == 1
    assert lake.one("SELECT count(*) FROM t") == 10


@pytest.mark.slow
@pytest.mark.usefixtures("workers")
def test_batches_and_workers_make_no_difference(bucket: Path, tmp_path: Path) -> None:
    fill(bucket, 20)
    store_bytes(bucket, key(number=50), b"no gzip")
    store(bucket, "loose.json.gz", event("loose", "2024-01-01", recipientAccountId="333333333333"))
    lakes = [Lake(bucket, tmp_path / "work" / str(n)) for n in range(3)]
    lakes[0].ingest()
    report = lakes[1].ingest(batch_json=TINY)
    lakes[2].ingest(batch_json=12_000, jobs=2)
    assert lakes[1].progress.points.count("done") == report.files
    assert 1 < lakes[2].progress.points.count("done") < report.files
    for lake in lakes:
        lake.check()
        assert lake.contents() == lakes[0].contents()


def test_a_touched_object_is_the_same_object(bucket: Path, lake: Lake) -> None:
    store(bucket, key(), event("a"))
    lake.ingest()
    os.utime(bucket / key(), ns=(1, 1))
    assert lake.ingest().listing.changed_total == 0


def test_a_changed_object_is_reported_and_never_mixed(bucket: Path, lake: Lake) -> None:
    store(bucket, key(), event("old"))
    store(bucket, key(number=1), event("other"))
    lake.ingest()
    store(bucket, key(), event("new"), event("newer"))
    report = lake.ingest()
    assert (report.listing.changed, report.listing.changed_total) == ([key()], 1)
    assert not report.complete
    assert lake.ask("SELECT eventid FROM t ORDER BY 1") == [("old",), ("other",)]
    assert lake.ingest().listing.changed == [key()]


def test_a_vanished_object_is_reported(bucket: Path, lake: Lake) -> None:
    store(bucket, key(), event("a"))
    gone = store(bucket, key(number=1), event("b"))
    lake.ingest()
    gone.unlink()
    report = lake.ingest()
    assert (report.listing.gone, report.listing.gone_total) == ([key(number=1)], 1)
    assert lake.one("SELECT count(*) FROM t") == 2


def test_only_what_is_needed_is_taken_in(bucket: Path, lake: Lake) -> None:
    events = fill(bucket)
    store(bucket, "loose.json.gz", event("loose", "2020-01-01"))
    needed = Needed(date(2024, 5, 2), date(2024, 5, 2), (ACCOUNTS[0],), (REGIONS[1],))
    report = lake.ingest(needed=needed)
    assert (report.files, report.listing.deferred) == (2, 11)
    assert sorted(lake.ledger()) == ["loose.json.gz", key(DAYS[1], 4, ACCOUNTS[0], REGIONS[1])][::-1]
    assert lake.ingest(needed=needed).files == 0
    report = lake.ingest(needed=Needed(accounts=(ACCOUNTS[0],)))
    assert (report.files, report.listing.known, report.listing.deferred) == (5, 2, 6)
    report = lake.ingest()
    assert (report.files, report.listing.known) == (6, 7)
    assert lake.one("SELECT count(*) FROM t WHERE NOT duplicate") == events + 1
    lake.check()


def test_without_a_layout_the_record_tells(bucket: Path, lake: Lake) -> None:
    store(bucket, "a.json.gz", event("a", "2024-05-03", awsRegion="eu-west-1"))
    store(bucket, "b.json.gz", event("b", "2023-01-31", recipientAccountId=None))
    store(bucket, "c.json.gz", {"eventID": "c", "eventVersion": "1.0", "eventName": "X"})
    store(bucket, "d.json.gz", event("d", eventTime="last week"))
    lake.ingest()
    account = ACCOUNTS[0]
    assert lake.ask(
        "SELECT eventid, account, region, year, month, day, logroot, logfile FROM t ORDER BY 1"
    ) == [
        ("a", account, "eu-west-1", "2024", "05", "03", "bucket", "a.json.gz"),
        ("b", account, "us-east-1", "2023", "01", "31", "bucket", "b.json.gz"),
        ("c", None, None, None, None, None, "bucket", "c.json.gz"),
        ("d", account, "us-east-1", None, None, None, "bucket", "d.json.gz"),
    ]
    lake.check()


def test_the_key_tells_where_there_is_one(bucket: Path, lake: Lake) -> None:
    name = key("2024-05-03", root="some/prefix/AWSLogs/o-abc1234567")
    store(bucket, name, event("a", "2024-05-01", awsRegion="eu-west-3", recipientAccountId=ACCOUNTS[1]))
    lake.ingest()
    assert lake.ask("SELECT account, region, year, month, day, logroot, logfile FROM t") == [
        (ACCOUNTS[0], REGIONS[0], "2024", "05", "03", "bucket/some/prefix/AWSLogs/o-abc1234567", name)
    ]


def test_archives_are_sources(bucket: Path, tmp_path: Path) -> None:
    events = fill(bucket)
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        for path in sorted(bucket.rglob("*.gz")):
            archive.write(path, path.relative_to(bucket))
    with tarfile.open(tmp_path / "logs.tar.gz", "w:gz") as tar:
        tar.add(bucket, "bucket")
    for name in ("logs.zip", "logs.tar.gz"):
        lake = Lake(tmp_path / name, tmp_path / "work" / name)
        assert lake.ingest(batch_json=50_000).files == 12
        assert lake.one("SELECT count(*) FROM t WHERE NOT duplicate") == events
        assert lake.one("SELECT count(*) FROM t WHERE year || month || day = '20240502'") == 22
        assert all("!" in logfile for logfile in lake.ledger())
        assert lake.ingest().files == 0
        lake.check()


def test_archives_within_a_folder(bucket: Path, lake: Lake) -> None:
    with zipfile.ZipFile(bucket / "a.zip", "w") as archive:
        archive.writestr(key(), pack({"Records": [event("a")]}))
    store(bucket, key(), event("b"))
    lake.ingest()
    assert lake.ask("SELECT eventid, year FROM t ORDER BY 1") == [("a", "2024"), ("b", "2024")]


def test_all_kinds(bucket: Path, lake: Lake) -> None:
    store(bucket, key(), event("m"))
    insight = {
        "insightDetails": {"state": "Start"},
        "eventCategory": "Insight",
        "eventType": "AwsCloudTrailInsight",
    }
    store(bucket, key(kind="CloudTrail-Insight"), event("i", **insight))
    store(bucket, key(kind="CloudTrail-NetworkActivity"), event("n", eventCategory="NetworkActivity"))
    window = {
        "windowStart": "2024-05-01T10:00:00Z",
        "windowEnd": "2024-05-01T10:05:00Z",
        "windowSize": "PT5M",
    }
    aggregated = {
        "eventVersion": "1.0",
        "accountId": ACCOUNTS[0],
        "eventId": "g",
        "eventCategory": "Aggregated",
    }
    store(bucket, key(kind="CloudTrail-Aggregated"), {**aggregated, "timeWindow": window})
    store(bucket, "loose.json.gz", {**aggregated, "eventId": "h", "timeWindow": window})
    lake.ingest()
    assert lake.ingest().files == 0
    found = {
        name: [row[0] for row in lake.ask("SELECT eventid FROM t ORDER BY 1", table=name)] for name in LAKES
    }
    assert found == {
        "cloudtrail_lake": ["m"],
        "cloudtrail_insight_lake": ["i"],
        "cloudtrail_networkactivity_lake": ["n"],
        "cloudtrail_aggregated_lake": ["g", "h"],
    }
    store(bucket, key(number=1, kind="CloudTrail-Aggregated"), {**aggregated, "timeWindow": window})
    assert lake.ingest().duplicates == 1
    lake.check()


def test_every_object_has_its_verdict(bucket: Path, lake: Lake) -> None:
    digest = "AWSLogs/111111111111/CloudTrail-Digest/us-east-1/2024/05/01/"
    digest += "111111111111_CloudTrail-Digest_us-east-1_trail_us-east-1_20240501T120000Z.json.gz"
    store(bucket, key(number=1), event("a"))
    store_bytes(bucket, key(number=2), pack({"Records": [event("b"), event("c")]})[:-20])
    store_bytes(bucket, key(number=3), b"garbage")
    store_bytes(bucket, key(number=4), b"")
    store(bucket, key(number=5))
    store_bytes(bucket, digest, pack({"digestStartTime": "x"}))
    store_bytes(bucket, "AWSLogs/111111111111/Config/us-east-1/2024/5/1/x.json.gz", pack({}))
    store_bytes(bucket, "readme.txt", b"hello")
    report = lake.ingest()
    ledger = lake.ledger()
    assert {
        name: row[0] for name, row in ledger.items() if not name.endswith(("2.json.gz", "4.json.gz"))
    } == {
        key(number=1): "complete",
        key(number=3): "quarantined",
        key(number=5): "empty",
        digest: "ignored",
        "AWSLogs/111111111111/Config/us-east-1/2024/5/1/x.json.gz": "ignored",
        "readme.txt": "ignored",
    }
    assert ledger[key(number=2)][0] in {"partial", "quarantined"}
    assert all(row[3] for row in ledger.values() if row[0] != "complete")
    assert [name for name, _ in report.damaged] == [name for name in sorted(ledger) if ledger[name][2]]
    assert report.damaged_total == len(report.damaged) >= 2
    assert not report.complete
    lake.check()


class Vanishing(Sources):
    """Sources in which an object goes away, or ends early, between listing and reading."""

    lost: ClassVar[dict[str, Path]] = {}

    def list(self) -> Any:  # noqa: ANN401 - as in Sources
        listed = [*super().list()]
        for path in self.lost.values():
            path.unlink()
        return iter(listed)


def test_an_unreadable_object_is_tried_again(
    bucket: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(bucket, key(), event("a"))
    lost = store(bucket, key(number=1), event("b"))
    plain = lake.sources()
    monkeypatch.setattr(Vanishing, "lost", {"": lost})
    monkeypatch.setattr(Lake, "sources", lambda _: Vanishing(plain.storages, plain.identity))
    report = lake.ingest()
    assert (report.files, report.unread_total, report.complete) == (1, 1, False)
    assert report.unread[0][0] == key(number=1)
    assert list(lake.ledger()) == [key()]
    store(bucket, key(number=1), event("b"))
    monkeypatch.setattr(Vanishing, "lost", {})
    report = lake.ingest()
    assert (report.files, report.unread_total, report.complete) == (1, 0, True)
    lake.check()


def test_the_same_name_in_two_sources(tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """One cannot be read: the other is taken in."""
    first, second = tmp_path / "one", tmp_path / "two"
    lost = store(first, key(), event("a"))
    store(second, key(), event("b"))
    from trailhouse.storage import open_sources  # noqa: PLC0415 - only here

    both = open_sources([os.fspath(first), os.fspath(second)], stdin=io.BytesIO(), spool=tmp_path / "stdin")
    monkeypatch.setattr(Vanishing, "lost", {"": lost})
    monkeypatch.setattr(Lake, "sources", lambda _: Vanishing(both.storages, both.identity))
    report = lake.ingest()
    assert (report.files, report.unread_total) == (1, 1)
    assert lake.ask("SELECT eventid, logroot FROM t") == [("b", "two/AWSLogs")]
    store(first, key(), event("a"))
    monkeypatch.setattr(Vanishing, "lost", {})
    assert lake.ingest().records == 1
    lake.check()


def test_a_file_that_cannot_be_opened(bucket: Path, lake: Lake) -> None:
    store(bucket, key(), event("a"))
    (bucket / "link.json.gz").symlink_to(bucket / "nowhere.json.gz")
    report = lake.ingest()
    assert report.files == 1
    assert [(n, r.partition(":")[0]) for n, r in report.listing.skipped] == [
        ("link.json.gz", "a link that leads nowhere")
    ]


def test_a_full_disk_is_told_before_anything_is_written(
    bucket: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(bucket)
    usage = shutil.disk_usage(bucket)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DiskError, match=r"needs about .* are free"):
        lake.ingest()
    monkeypatch.undo()
    assert not list(lake.root.rglob("*.parquet"))
    assert lake.ingest().files == 12


@pytest.mark.slow
@pytest.mark.parametrize("point", ["read", "written", "placed", "intended", "lake committed"])
def test_a_run_that_fails_leaves_nothing_behind(
    bucket: Path, lake: Lake, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt, say, in the second batch."""
    events = fill(bucket)

    def interrupt(self: Recorder, reached: str) -> None:
        self.points.append(reached)
        if self.points.count(point) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Recorder, "reached", interrupt)
    with pytest.raises(KeyboardInterrupt):
        lake.ingest(batch_json=TINY)
    monkeypatch.undo()
    assert not list(lake.workspace.staging.iterdir())
    if point in {"read", "written", "placed"}:
        lake.check()
    lake.ingest()
    assert lake.one("SELECT count(*) FROM t WHERE NOT duplicate") == events
    lake.check()


def test_no_room_on_the_way_is_a_clear_error(
    bucket: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(bucket)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "save_flags", full)
    with pytest.raises(DiskError, match="no room is left"):
        lake.ingest()
    monkeypatch.undo()
    lake.ingest()
    lake.check()


def test_a_locked_folder_is_a_clear_error(bucket: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(bucket)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module, "save_flags", refuse)
    with pytest.raises(LakeError, match="Permission denied"):
        lake.ingest()


@pytest.mark.slow
@pytest.mark.parametrize("point", COMMIT_POINTS)
def test_a_kill_at_every_commit_point(bucket: Path, lake: Lake, tmp_path: Path, point: str) -> None:
    """Killed in the first batch, then in the second, then left alone."""
    fill(bucket, 20)
    for times in (1, 2):
        child = start_child(lake, 12_000, 1, point, 1 if point == "listed" else times)
        out, err = child.communicate(timeout=60)
        assert child.returncode == -9, err
        assert out.split("\n")[-2] == point
    lake.ingest()
    lake.check()
    other = Lake(bucket, tmp_path / "work" / "undisturbed")
    other.ingest()
    assert lake.contents() == other.contents()


@pytest.mark.slow
def test_two_runs_at_once(bucket: Path, tmp_path: Path) -> None:
    fill(bucket, 20)
    other = Lake(bucket, tmp_path / "work" / "undisturbed")
    other.ingest()
    for turn in range(2):
        lake = Lake(bucket, tmp_path / "work" / str(turn))
        children = [start_child(lake, 12_000, 1) for _ in range(2)]
        outs = [child.communicate(timeout=60) for child in children]
        assert [child.returncode for child in children] == [0, 0], outs
        taken = [int(out.split()[-1]) for out, _ in outs]
        assert sorted(taken) == [0, other.one("SELECT count(*) FROM t")]
        lake.check()
        assert lake.contents() == other.contents()


@pytest.mark.slow
def test_reading_while_another_run_writes(bucket: Path, lake: Lake) -> None:
    """Every state that is seen is whole batches: the lake is ahead of the ledger at most, never behind."""
    events = fill(bucket, 20)
    lake.workspace.prepare(["x"])
    child = start_child(lake, TINY, 1)
    seen = set()
    while child.poll() is None:
        in_ledger = sum(row[1] for row in lake.ledger().values())
        in_lake = (lake.ask("SELECT count(*) FROM t") or [(0,)])[0][0]
        assert in_lake >= in_ledger
        seen.add(in_lake)
    out, err = child.communicate()
    assert child.returncode == 0, err
    assert len(seen) > 2
    assert lake.one("SELECT count(*) FROM t WHERE NOT duplicate") == events, out
    lake.check()


HOSTILE = [
    "it's.json.gz", 'a "quoted" name.json.gz', "new\nline.json.gz", "50%25 #1?.json.gz", "ünï-日本.json.gz",
    "; DROP.json.gz", "$1.json.gz", "[a-z]*.json.gz", "tab\there.json.gz", "\x1b[31mred.json.gz",
    "back\\slash.json.gz", "line\u2028.json.gz",
]  # fmt: skip


def test_hostile_names(bucket: Path, lake: Lake) -> None:
    for number, name in enumerate(HOSTILE):
        store(
            bucket,
            f"logs/{name}",
            event(str(number), accountId=name, awsRegion=name, recipientAccountId=name),
        )
    report = lake.ingest(batch_json=12_000)
    assert report.records == len(HOSTILE)
    assert report.complete
    found = lake.ask("SELECT logfile, region, account FROM t ORDER BY eventid::INTEGER")
    assert found == [(f"logs/{name}", name, name) for name in HOSTILE]
    assert lake.ingest().listing.known == len(HOSTILE)
    lake.check()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["with space", "per%20cent", "ha#sh", "ünï 日本", "quo'te", "new\nline", "a&b;c=d", "~"]
)
def test_working_folders_of_any_name(bucket: Path, tmp_path: Path, name: str) -> None:
    events = fill(bucket, 1)
    lake = Lake(bucket, tmp_path / name / "lake")
    lake.ingest(batch_json=5_000)
    lake.ingest()
    assert lake.one("SELECT count(*) FROM t WHERE NOT duplicate") == events
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["bucket", name])
    lake.check()


# The real corpus, against its ground truth.


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = corpus()
    before = fingerprint(folder)
    lake = Lake(folder, tmp_path_factory.mktemp("corpus") / "lake")
    lake.ingest()
    assert fingerprint(folder) == before
    return lake


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((corpus() / "manifest.json").read_text())
    return found


@pytest.mark.corpus
class TestCorpus:
    def test_counts(self, real: Lake) -> None:
        assert real.one("SELECT count(*) FROM t") == 5767
        assert real.one("SELECT count(*) FROM t WHERE NOT duplicate") == 5360
        assert real.one("SELECT count(*) FROM t", "cloudtrail_insight_lake") == 1
        real.check()

    def test_records_by_file(self, real: Lake) -> None:
        with (corpus() / "files.tsv").open() as file:
            expected = {row["key"]: int(row["records"]) for row in csv.DictReader(file, delimiter="\t")}
        counted: dict[str, int] = {}
        for table in LAKES:
            counted |= dict(real.ask("SELECT logfile, count(*) FROM t GROUP BY 1", table=table))
        assert counted == {name: count for name, count in expected.items() if count}
        ledger = real.ledger()
        assert {name: ledger[name][1] for name in expected} == expected
        assert {ledger[name][0] for name in expected} <= {"complete", "empty"}

    def test_strangers_are_ignored_and_counted(self, real: Lake) -> None:
        there = {os.fspath(path.relative_to(corpus())) for path in corpus().rglob("*") if path.is_file()}
        ledger = real.ledger()
        assert set(ledger) == there
        strangers = {name for name in there if not name.startswith("AWSLogs/")}
        assert {ledger[name][:2] for name in strangers} == {("ignored", 0)}
        assert "misfits.jsonl" in strangers

    def test_events_by_account_region_and_day(self, real: Lake, manifest: dict[str, Any]) -> None:
        account = "coalesce(recipientaccountid, useridentity.accountid)"
        by = {"by_account": account, "by_region": "awsregion", "by_event_day": "eventtime[:10]"}
        for name, expression in by.items():
            found = Counter(
                dict(real.ask(f"SELECT {expression}, count(*) FROM t WHERE NOT duplicate GROUP BY 1"))
            )
            # Insight records have no userIdentity.
            insight = expression.replace(account, "recipientaccountid")
            sql = f"SELECT {insight}, count(*) FROM t WHERE NOT duplicate GROUP BY 1"
            found.update(dict(real.ask(sql, table="cloudtrail_insight_lake")))
            assert found == manifest[name], name

    def test_records_by_key_day(self, real: Lake, manifest: dict[str, Any]) -> None:
        found = Counter[str]()
        for table in LAKES:
            found.update(
                dict(
                    real.ask(
                        "SELECT concat_ws('-', year, month, day), count(*) FROM t GROUP BY 1", table=table
                    )
                )
            )
        assert found == {day.replace("/", "-"): count for day, count in manifest["by_key_day"].items()}

    def test_event_ids(self, real: Lake, manifest: dict[str, Any]) -> None:
        ids = {row[0] for table in LAKES for row in real.ask("SELECT DISTINCT eventid FROM t", table=table)}
        digest = hashlib.sha256("".join(f"{i}\n" for i in sorted(ids)).encode()).hexdigest()
        assert digest == manifest["sha256_of_sorted_eventIDs"]

    def test_a_second_run_adds_nothing(self, real: Lake) -> None:
        snapshots = real.snapshots()
        report = real.ingest()
        assert (report.files, report.listing.known) == (0, report.listing.objects)
        assert real.snapshots() == snapshots

    @pytest.mark.slow
    @pytest.mark.usefixtures("workers")
    def test_many_batches_and_workers_give_the_same_rows(self, real: Lake, tmp_path: Path) -> None:
        other = Lake(corpus(), tmp_path / "lake")
        other.ingest(batch_json=3_000_000, jobs=2)
        assert other.progress.points.count("done") > 2
        other.check()
        assert other.contents() == real.contents()

    @pytest.mark.slow
    def test_renamed_and_flattened(self, real: Lake, tmp_path: Path) -> None:
        """No key tells anything, and yet every record is there and the same ones are flagged."""
        flat = tmp_path / "flat"
        flat.mkdir()
        for number, path in enumerate(sorted((corpus() / "AWSLogs").rglob("*.gz"))):
            shutil.copy(path, flat / f"{number}.json.gz")
        other = Lake(flat, tmp_path / "lake")
        report = other.ingest()
        assert report.complete
        assert other.one("SELECT count(*) FROM t") == 5767
        assert other.contents()["events"] == real.contents()["events"]
        assert (
            other.one("SELECT count(*) FROM t WHERE year || '-' || month || '-' || day <> eventtime[:10]")
            == 0
        )
        other.check()


@pytest.mark.slow
def test_large_objects_that_end_early_are_read_again_whole(
    bucket: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source fails in the middle of a stream, when rows of it are in runs already."""
    monkeypatch.setattr(tasks, "LARGE", 1_000)
    monkeypatch.setattr(tasks, "_CHUNK", 64_000)
    monkeypatch.setattr(tasks, "_RUN_BYTES", 1)
    limits = Limits(whole=300_000, window=150_000, most=8 << 20)
    monkeypatch.setattr(tasks, "read", partial(read, batch_bytes=100_000, limits=limits))
    written: list[object] = []
    write_run = tasks.write_run
    monkeypatch.setattr(tasks, "write_run", lambda *rest: written.append(rest) or write_run(*rest))
    records = [event(f"{n}", noise=os.urandom(60).hex()) for n in range(4_000)]
    store(bucket, key(), *records)
    store(bucket, key(number=1), event("small"))

    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 250_000:
                raise StorageError("the line went dead")
            return super().read(size)

    class BreakingSources(Sources):
        def open(self, item: StoredObject) -> Any:  # noqa: ANN401 - as in Sources
            return Breaking(self.read(item))

    plain = lake.sources()
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "sources", lambda _: BreakingSources(plain.storages, plain.identity))
        report = lake.ingest()
    assert report.unread == [(key(), "the line went dead")]
    assert len(written) > 2
    assert lake.ask("SELECT eventid FROM t") == [("small",)]
    assert list(lake.ledger()) == [key(number=1)]
    report = lake.ingest()
    assert (report.records, report.duplicates, report.complete) == (4_000, 0, True)
    lake.check()


def test_ledger_is_a_table_too(bucket: Path, lake: Lake) -> None:
    fill(bucket)
    lake.ingest()
    rows = lake.ask(
        "SELECT DISTINCT source, kind, logroot, size > 0, length(sha256), batch <> '' FROM t", table=LEDGER
    )
    assert rows == [("bucket", "CloudTrail", "bucket/AWSLogs", True, 64, True)]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name(bucket: Path, lake: Lake) -> None:
    """An archive may hold a name twice; neither row nor verdict is lost or doubled."""
    with zipfile.ZipFile(bucket / "a.zip", "w") as archive:
        archive.writestr("x.json.gz", pack({"Records": [event("a")]}))
        archive.writestr("x.json.gz", pack({"Records": [event("b")]}))
    with tarfile.open(bucket / "b.tar.gz", "w:gz") as tar:
        for name in ("c", "d"):
            content = pack({"Records": [event(name)]})
            info = tarfile.TarInfo("x.json.gz")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    report = lake.ingest()
    found = lake.ask("SELECT logfile, eventid FROM t ORDER BY ALL")
    assert len(found) == len(set(found)) == report.records == sum(row[1] for row in lake.ledger().values())
    assert lake.ingest().listing.new == 0
    lake.check()


@pytest.mark.slow
def test_an_interrupted_pool_leaves_nothing(
    bucket: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker process that is killed in the middle: a clear error, and the next run goes on."""
    fill(bucket)
    monkeypatch.setattr(module, "_INLINE_JSON", 0)

    def kill_a_worker(self: Recorder, reached: str) -> None:
        self.points.append(reached)
        if reached == "read":
            for worker in psutil.Process().children(recursive=True):
                if "spawn_main" in " ".join(worker.cmdline()):
                    worker.kill()

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "reached", kill_a_worker)
        with pytest.raises(LakeError, match="a worker process was ended from outside"):
            lake.ingest(jobs=2)
    lake.check()
    lake.ingest()
    lake.check()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_deliveries(bucket: Path, lake: Lake, seed: int) -> None:
    """Files of few different events with odd values, in several runs of any batches: each event once."""
    dice = random.Random(seed)
    times = [
        None,
        "",
        "x",
        "2024-05-01T10:00:00Z",
        "2024-05-01T23:59:59Z",
        "2024-05-02T00:00:00Z",
        "2024-05-31",
        "2024",
    ]
    delivered: set[tuple[Any, ...]] = set()
    count = 0
    for turn in range(4):
        for number in range(dice.randint(1, 5)):
            records = [
                {
                    "eventVersion": "1.08",
                    "eventID": dice.choice([None, "", "a", "b", "c", "ü"]),
                    "eventTime": dice.choice(times),
                    "eventSource": dice.choice([None, "s3.amazonaws.com"]),
                    "eventName": dice.choice(["x", "y"]),
                    "recipientAccountId": dice.choice([None, *ACCOUNTS]),
                }
                for _ in range(dice.randint(0, 12))
            ]
            loose = f"loose/{turn}-{number}.json.gz"
            store(bucket, dice.choice([loose, key(dice.choice(DAYS), 10 * turn + number)]), *records)
            own = [tuple(r[n] for n in ("eventID", "eventTime", "eventSource", "eventName", "recipientAccountId"))
                   for r in records]  # fmt: skip
            delivered |= {row for row in own if row[0] is not None}
            count += sum(row[0] is None for row in own)
        lake.ingest(batch_json=dice.choice([TINY, 4_000, 1 << 30]))
        columns = "eventid, eventtime, eventsource, eventname, recipientaccountid"
        unflagged = lake.ask(f"SELECT {columns} FROM t WHERE NOT duplicate AND eventid IS NOT NULL")
        assert len(unflagged) == len(set(unflagged))
        assert set(unflagged) == delivered
        assert lake.one("SELECT count(*) FROM t WHERE eventid IS NULL AND NOT duplicate") == count
        lake.check()
