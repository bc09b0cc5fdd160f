from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bed.faults import Fault, denied
from lake.clouds import LOGS
from lake.lakes import ACCOUNTS, DAYS, NOW, Lake, Recorder, event, fill, key, pack, store
from trailhouse.errors import AccessDeniedError, LakeError, NotFoundError, SourceError
from trailhouse.lake import ingest as module
from trailhouse.lake.commit import COMMIT_POINTS
from trailhouse.lake.delivered import by_bucket
from trailhouse.lake.ingest import take_in
from trailhouse.lake.pending import Needed
from trailhouse.lake.tables import LEDGER

if TYPE_CHECKING:
    from pathlib import Path

    from lake.clouds import Cloud

pytestmark = pytest.mark.emulator


@pytest.fixture
def filled(cloud: Cloud, bucket: Path) -> Cloud:
    """A small organization's logs in S3."""
    fill(bucket)
    cloud.aws.upload(LOGS, bucket)
    return cloud


def put(cloud: Cloud, name: str, *records: object) -> None:
    cloud.store(name, pack({"Records": records}))


def test_everything_is_taken_in_once(filled: Cloud) -> None:
    report = filled.ingest()
    assert (report.files, report.records, report.duplicates, report.complete) == (12, 60, 12, True)
    assert filled.progress.points == list(COMMIT_POINTS)
    filled.check()
    again = filled.ingest()
    assert (again.files, again.listing.known, filled.progress.points) == (0, 12, [])
    filled.check()


@pytest.mark.slow
def test_rows_are_those_of_the_local_lake(filled: Cloud, bucket: Path, tmp_path: Path) -> None:
    """But for the names of objects, which are those that Athena gives them."""
    store(bucket, key(DAYS[0], 70), event("odd", requestParameters={"a": 1.10, "A": [None]}, unheardOf="x"))
    filled.aws.upload(LOGS, bucket)
    local = Lake(bucket, tmp_path / "work" / "lake")
    local.ingest()
    filled.ingest(batch_json=9_000)
    filled.check()
    left = "SELECT * EXCLUDE (ingestedat, duplicate, logroot, logfile) FROM t ORDER BY ALL"
    assert filled.ask(left) == local.ask(left)
    names = [(f"s3://{LOGS}/{name}", f"{LOGS}/{root.partition('/')[2]}") for name, root in
             local.ask("SELECT DISTINCT logfile, logroot FROM t")]  # fmt: skip
    assert sorted(filled.ask("SELECT DISTINCT logfile, logroot FROM t")) == sorted(names)
    events = "SELECT eventid, count(*) FROM t WHERE NOT duplicate GROUP BY ALL ORDER BY ALL"
    assert filled.ask(events) == local.ask(events)


def test_only_what_the_raw_table_has_is_taken_in(cloud: Cloud) -> None:
    put(cloud, key(), event("a"))
    put(cloud, key(kind="CloudTrail-NetworkActivity"), event("n"))
    put(cloud, "loose.json.gz", event("b"))
    cloud.store(f"AWSLogs/{ACCOUNTS[0]}/Config/us-east-1/2024/5/1/x.json.gz", b"")
    cloud.store("AWSLogs/", b"")
    report = cloud.ingest()
    assert (report.files, report.listing.others) == (1, 4)
    assert cloud.ask("SELECT eventid FROM t") == [("a",)]
    cloud.check()


def test_archived_objects_are_counted_and_not_waited_for(cloud: Cloud) -> None:
    put(cloud, key(), event("a"))
    cloud.aws.bucket(LOGS).put(key(number=1), pack({"Records": [event("b")]}), storage_class="GLACIER")
    report = cloud.ingest()
    assert (report.files, report.listing.archived) == (1, 1)
    assert cloud.lake().tables.watermark() == date(2024, 5, 30)


@pytest.mark.parametrize("day", DAYS)
def test_a_late_copy_is_flagged(cloud: Cloud, day: str) -> None:
    put(cloud, key(DAYS[1]), event("a", DAYS[1]), event("b", DAYS[1]))
    cloud.ingest()
    put(cloud, key(day, 7), event("b", DAYS[1]), event("c", DAYS[1]))
    assert cloud.ingest().duplicates == 1
    cloud.check()


def test_prefixes_of_one_bucket(cloud: Cloud) -> None:
    """A source named otherwise holds the same objects."""
    for root in ("one/AWSLogs", "two/AWSLogs"):
        put(cloud, key(root=root), event(root))
    lake, progress = cloud.lake(), Recorder()
    given = {"needed": Needed(), "now": NOW, "progress": progress, "jobs": 1}
    assert take_in(cloud.sources("one", "two"), lake, **given).files == 2  # type: ignore[arg-type]  # as given
    assert sorted(cloud.ask("SELECT eventid, logroot FROM t")) == [
        ("one/AWSLogs", f"{LOGS}/one/AWSLogs"),
        ("two/AWSLogs", f"{LOGS}/two/AWSLogs"),
    ]
    assert cloud.ingest().listing.known == 2
    cloud.check()


def test_other_sources_are_refused(lake: Lake) -> None:
    with pytest.raises(SourceError, match="is not in S3"):
        by_bucket(lake.sources())


# -- the watermark


def test_days_are_sealed_two_days_after_their_end(cloud: Cloud) -> None:
    put(cloud, key("2024-05-30"), event("a"))
    now = datetime(2024, 6, 1, 23, 59, tzinfo=UTC)
    assert cloud.lake().tables.watermark() is None
    cloud.ingest(now=now)
    assert cloud.lake().tables.watermark() == date(2024, 5, 30)
    cloud.ingest(now=now + timedelta(minutes=1))
    assert cloud.lake().tables.watermark() == date(2024, 5, 31)
    cloud.ingest(now=now - timedelta(days=5))
    assert cloud.lake().tables.watermark() == date(2024, 5, 31)


@pytest.mark.slow
def test_what_was_not_taken_in_is_not_sealed(filled: Cloud) -> None:
    filled.ingest(needed=Needed(first=date(2024, 5, 2)))
    assert filled.lake().tables.watermark() == date(2024, 5, 1)
    filled.ingest(needed=Needed(accounts=ACCOUNTS[:1]))
    assert filled.lake().tables.watermark() == date(2024, 5, 1)
    filled.ingest(needed=Needed(last=date(2024, 5, 1)))
    assert filled.lake().tables.watermark() == date(2024, 5, 30)
    filled.check()


@pytest.mark.slow
def test_what_could_not_be_read_is_not_sealed(filled: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    unread = key(DAYS[1], 1, ACCOUNTS[0], "us-east-1")
    assert unread in filled.aws.buckets.all[LOGS].objects
    filled.aws.s3.log.faults.append(denied("GetObject", when=lambda _, asked: asked.get("Key") == unread))
    report = filled.ingest()
    assert (report.files, report.unread_total, report.first_unread) == (11, 1, DAYS[1])
    assert filled.lake().tables.watermark() == date.fromisoformat(DAYS[1])
    filled.aws.s3.log.faults.clear()
    assert filled.ingest().files == 1
    assert filled.lake().tables.watermark() == date(2024, 5, 30)
    filled.check()


# -- crashes, and two at once


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "times"), [*((point, 1) for point in COMMIT_POINTS), ("intended", 2), ("lake committed", 2)]
)
def test_a_kill_at_every_commit_point(filled: Cloud, point: str, times: int) -> None:
    child = filled.child(9_000, 0, point, times)
    out, err = child.communicate(timeout=60)
    assert child.returncode == -9, err
    assert out.split("\n")[-2] == point
    with pytest.raises(LakeError, match=r"another run .* its lock ends by itself"):
        filled.ingest()
    filled.lock_expires()
    filled.ingest(batch_json=9_000)
    filled.check()
    assert filled.ask("SELECT count(*), count(*) FILTER (NOT duplicate) FROM t") == [(60, 48)]
    assert filled.lake().tables.watermark() == date(2024, 5, 30)


@pytest.mark.slow
@pytest.mark.parametrize("point", COMMIT_POINTS)
def test_an_error_at_every_commit_point(filled: Cloud, point: str) -> None:
    """The next run need not wait; it finishes or takes away what this one began."""

    class Stop(Exception):  # noqa: N818 - an event
        pass

    def die(reached: str) -> None:
        if reached == point:
            raise Stop

    recorder = Recorder()
    recorder.reached = die  # type: ignore[method-assign]  # dies instead
    with pytest.raises(Stop):
        take_in(filled.sources(), filled.lake(), needed=Needed(), now=NOW, progress=recorder, jobs=1)
    filled.ingest()
    filled.check()
    assert filled.ask("SELECT count(*) FROM t") == [(60,)]


@pytest.mark.slow
@pytest.mark.parametrize("point", COMMIT_POINTS)
def test_a_run_that_lost_its_lock_wakes_up(filled: Cloud, point: str) -> None:
    """It slept, another took the lock and did its work; nothing that it does then doubles or destroys a row."""

    def sleep(reached: str) -> None:
        if reached == point and not others:
            filled.lock_expires()
            others.append(filled.ingest())

    others: list[object] = []
    recorder = Recorder()
    recorder.reached = sleep  # type: ignore[method-assign]  # sleeps instead
    sleeper = filled.lake()
    try:
        take_in(
            filled.sources(), sleeper, needed=Needed(), now=NOW, progress=recorder, jobs=1, batch_json=9_000
        )
    except LakeError as error:
        assert "nothing is lost" in str(error)  # noqa: PT017 - it may also have been done
    else:
        pytest.fail("it went on")
    assert others
    filled.ingest()
    filled.lock_expires()  # whatever the sleeper left unseen is swept by a run that looks
    filled.aws.buckets.all["my-lake"].objects["cloudtrail/lock.json"].body = (
        filled.aws.buckets.all["my-lake"]
        .objects["cloudtrail/lock.json"]
        .body.replace(b'"free"', b'"unclean"')
    )
    filled.ingest()
    filled.check()
    assert filled.ask("SELECT count(*), count(*) FILTER (NOT duplicate) FROM t") == [(60, 48)]


@pytest.mark.slow
def test_two_runs_at_once_take_turns(filled: Cloud) -> None:
    reports, errors = [], []

    def run(number: int) -> None:
        lake = filled.lake(holder=f"thread-{number}", patience=60.0)
        try:
            reports.append(
                take_in(filled.sources(), lake, needed=Needed(), now=NOW, progress=Recorder(), jobs=1,
                        batch_json=9_000)
            )  # fmt: skip
        except LakeError as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert sorted(report.files for report in reports) == [0, 0, 12]
    filled.check()


@pytest.mark.slow
def test_without_the_lock_the_versions_keep_two_runs_apart(filled: Cloud) -> None:
    """Two that both believe to hold it, each at the version that it read: the second to commit is refused."""
    one, other = filled.lake(), filled.lake()
    filled.ingest(needed=Needed(last=date(2024, 5, 1)))
    for lake in (one, other):
        lake.tables.files()
    (file,) = filled.lake().tables.files()["cloudtrail_lake"].paths
    one.tables.append("cloudtrail_lake", [file], "one")
    with pytest.raises(LakeError, match="was changed by somebody else"):
        other.tables.append("cloudtrail_lake", [file], "other")
    assert one.tables.batches("cloudtrail_lake") >= {"one"}
    assert "other" not in filled.lake().tables.batches("cloudtrail_lake")
    assert filled.rows().num_rows == 2 * 16


# -- answers that are lost, permissions that are missing


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["UpdateTable", "CreateTable"])
def test_a_lost_answer_of_glue(filled: Cloud, operation: str) -> None:
    """Asked again, Glue refuses, for the first request was done: which is no reason to take the commit back."""
    filled.aws.glue.inject(Fault(operation, times=2, cut="after"))
    filled.ingest()
    filled.check()
    assert filled.ask("SELECT count(*) FROM t") == [(60,)]
    filled.ingest()
    filled.check()


@pytest.mark.slow
def test_a_lost_answer_of_s3(filled: Cloud) -> None:
    filled.aws.s3.log.faults.append(Fault("PutObject", times=3, skip=1, cut="after"))
    filled.ingest()
    filled.check()


@pytest.mark.slow
def test_a_refusal_names_the_permission(filled: Cloud) -> None:
    filled.aws.glue.inject(denied("UpdateTable"))
    with pytest.raises(AccessDeniedError, match="glue:UpdateTable"):
        filled.ingest()
    filled.aws.glue.heal()
    filled.ingest()
    filled.check()


def test_without_its_database(cloud: Cloud) -> None:
    put(cloud, key(), event("a"))
    cloud.aws.client("glue").delete_database(Name=cloud.database)
    with pytest.raises(NotFoundError, match="no database security: run `trailhouse apply` first"):
        cloud.ingest()


def test_every_call_goes_through_the_gate(filled: Cloud) -> None:
    """But for the reading of log objects, which obstore does."""
    filled.ingest()
    said = Counter(call.operation for call in filled.calls if call.service == "glue")
    assert said == filled.aws.glue.counts - Counter({"CreateDatabase": 1})
    lake = Counter(
        call.operation
        for call in filled.calls
        if call.service == "s3" and call.parameters["Bucket"] == "my-lake"
    )
    seen = Counter(
        call.operation for call in filled.aws.s3.log.calls if call.parameters.get("Bucket") == "my-lake"
    )
    assert lake == seen


def test_the_ledger_is_by_day(filled: Cloud) -> None:
    filled.ingest()
    days = {tuple(task.file.partition) for task in filled.table(LEDGER).scan().plan_files()}
    assert {"-".join(map(str, day)) for day in days} == set(DAYS)


@pytest.mark.slow
def test_worker_processes_make_no_difference(filled: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_INLINE_JSON", 0)
    monkeypatch.setattr(module, "TASK_JSON", 4_000)
    report = take_in(
        filled.sources(),
        filled.lake(),
        needed=Needed(),
        now=NOW,
        progress=Recorder(),
        jobs=2,
        batch_json=15_000,
    )
    assert (report.files, report.records, report.duplicates) == (12, 60, 12)
    filled.check()
