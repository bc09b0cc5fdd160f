"""Whole runs on the bed, driven as the state machine drives them: what is kept, what is told, what the catalog has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.loaders
import pytest

from bed.faults import Fault, denied, expired, throttle
from catalog.layouts import ORG, Log, organization
from nightly.stage import DATABASE, OUTPUT, PLENTY, TODAY, Killed, Stage, allowance, event_of
from trailhouse.catalog.application import Application
from trailhouse.catalog.convergence import Aim, Convergence
from trailhouse.core.record import Outcome
from trailhouse.errors import UsageError
from trailhouse.nightly import handler
from trailhouse.nightly.deployment import Deployment
from trailhouse.nightly.settings import NightlySource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.aws import Aws

pytestmark = pytest.mark.emulator

DAY = timedelta(days=1)
LOADER = cache(botocore.loaders.create_loader)


@pytest.fixture
def stage(aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    for name, value in {**aws.environment(), "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    # Each invocation makes clients of its own; what they are made from is read once.
    monkeypatch.setattr("botocore.session.create_loader", LOADER)
    return Stage(aws, tmp_path)


def log(
    account: int, day: date, region: str = "eu-west-1", kind: str = "CloudTrail", root: str = f"AWSLogs/{ORG}"
) -> Log:
    return Log("logs", root, f"{account:012}", kind, region, day)


def daily(account: int, first: date, last: date, region: str = "eu-west-1", **more: str) -> list[Log]:
    return [log(account, first + back * DAY, region, **more) for back in range((last - first).days + 1)]


def no_listing(account: str) -> Fault:
    """The bucket's policy denies one account's folder."""
    return Fault(
        "ListObjectsV2",
        None,
        when=lambda _, parameters: account in str(parameters.get("Prefix")),
        code="AccessDenied",
        status=403,
        message="no",
    )


# -- a good night ------------------------------------------------------------------------------------------


def test_a_good_night_is_kept_and_not_told(stage: Stage) -> None:
    stage.deliver(organization(2, 1, 5))
    answer = stage.run()
    assert answer == {
        "outcome": "done", "cursor": None, "piece": 2, "subject": "", "message": "",
        "record": "s3://output/trailhouse/runs/2026/03/02/20260302T060007Z-night-2026-03-02.json",
    }  # fmt: skip
    (record,) = stage.records()
    assert record.outcome is Outcome.DONE
    assert (record.run, record.stack, record.reason) == ("night-2026-03-02", "trailhouse", "schedule")
    assert record.started == datetime(2026, 3, 2, 6, 0, 7, tzinfo=UTC)
    assert record.ended == datetime(2026, 3, 2, 6, 1, 7, tzinfo=UTC)
    assert record.caller.startswith("arn:aws:sts::123456789012:")
    assert record.place == f"arn:aws:glue:us-east-1:123456789012:database/{DATABASE}"
    assert record.config == stage.settings.digest()
    assert set(record.versions) == {"trailhouse", "python", "boto3"}
    assert record.planned == record.done
    assert record.done["create view"] == 4
    assert record.freshness == {f"{n:012}": {"eu-west-1": TODAY} for n in (1, 2)}
    assert (record.problems, record.begun, record.failed, record.pieces) == ((), (), {}, 1)
    assert stage.metrics() == 1


def test_the_calls_of_the_record_are_those_that_were_made(stage: Stage) -> None:
    stage.deliver(organization(2, 1, 5))
    stage.run()
    (record,) = stage.records()
    assert record.calls["glue"] == dict(stage.aws.glue.counts)
    made = stage.aws.s3.log.counts
    assert record.calls["s3"]["ListObjectsV2"] == made["ListObjectsV2"] - 1  # this test's own
    assert record.calls["s3"]["PutObject"] == made["PutObject"] == 1
    assert record.calls["cloudwatch"] == {"PutMetricData": 1}
    assert 0.00003 < float(record.cost) < 0.001
    assert record.seconds == 2.0


def test_a_night_after_makes_a_day(stage: Stage) -> None:
    stage.deliver(organization(2, 1, 5))
    stage.run()
    stage.run(TODAY + DAY)
    record = stage.records()[-1]
    assert set(record.done) == {"create partition"}
    assert stage.told == []


def test_a_new_day_account_and_region_after_a_missed_night(stage: Stage) -> None:
    stage.deliver(organization(2, 1, 5))
    stage.run()
    later = TODAY + 3 * DAY
    stage.deliver([*daily(1, TODAY, later), *daily(2, TODAY, later, "xx-new-1"), *daily(3, TODAY, later)])
    stage.run(later)
    held = places(stage)
    for one in [*daily(1, TODAY, later), *daily(2, TODAY, later, "xx-new-1"), *daily(3, TODAY, later)]:
        assert one.uri.rpartition("/")[0] + "/" in held
    assert stage.records()[-1].outcome is Outcome.DONE


def places(stage: Stage) -> set[str]:
    """Where the partitions of the table of all accounts are."""
    pages = stage.aws.client("glue").get_paginator("get_partitions")
    return {
        one["StorageDescriptor"]["Location"]
        for page in pages.paginate(DatabaseName=DATABASE, TableName="cloudtrail_raw")
        for one in page["Partitions"]
    }


# -- pieces ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_twelve_accounts_with_time_for_three(stage: Stage) -> None:
    layout = organization(12, 1, 5)
    stage.deliver(layout)
    answer = stage.run(remaining=lambda _: allowance(3))
    assert answer["outcome"] == "done"
    assert [one["cursor"] for one in stage.answers] == [
        *({"after": f"{n:012}"} for n in (3, 6, 9, 12)), None
    ]  # fmt: skip
    assert [one["outcome"] for one in stage.answers] == ["more"] * 4 + ["done"]
    (record,) = stage.records()
    assert (record.pieces, record.seconds) == (5, 10.0)
    assert len(record.freshness) == 12
    assert record.planned == record.done
    assert {one.uri.rpartition("/")[0] + "/" for one in layout.logs} <= places(stage)
    assert stage.metrics() == 1
    views = stage.aws.client("glue").get_tables(DatabaseName=DATABASE)["TableList"]
    assert {f"cloudtrail_{n:012}" for n in range(1, 13)} <= {one["Name"] for one in views}


def test_between_pieces_the_record_says_that_it_runs(stage: Stage) -> None:
    stage.deliver(organization(4, 1, 2))
    event = event_of(TODAY, "night")
    answer = stage.call(event, allowance(2))
    (record,) = stage.records()
    assert (record.outcome, record.ended, record.pieces) == (Outcome.RUNNING, None, 1)
    assert sorted(record.freshness) == ["000000000001", "000000000002"]
    # Nobody asks on: the next night does it all.
    assert answer["outcome"] == "more"
    assert stage.run(TODAY + DAY)["outcome"] == "done"
    assert len(stage.records()[-1].freshness) == 4


def test_a_piece_that_is_asked_for_twice(stage: Stage) -> None:
    stage.deliver(organization(4, 1, 2))
    event = event_of(TODAY, "night")
    stage.call(event, allowance(2))
    stage.call(event, allowance(2))
    assert stage.call(event | {"piece": 2, "cursor": {"after": "000000000002"}})["outcome"] == "done"
    (record,) = stage.records()
    assert (record.pieces, record.outcome) == (2, Outcome.DONE)


def test_a_run_over_midnight_stays_one_day(stage: Stage) -> None:
    stage.deliver(organization(2, 1, 2))
    event = event_of(TODAY, "night") | {"started": "2026-03-02T23:59:00.5Z"}
    stage.call(event, allowance(1))
    stage.call(event | {"piece": 2, "cursor": {"after": "000000000001"}})
    (record,) = stage.records()
    assert record.key.startswith("trailhouse/runs/2026/03/02/20260302T235900Z")
    assert (
        len({place.split("/eu-west-1/")[0] for place in places(stage) if place.endswith("2026/03/03/")}) > 1
    )
    assert not [place for place in places(stage) if place.endswith("2026/03/04/")]


# -- cut off -----------------------------------------------------------------------------------------------


def dying(after: int) -> Callable[[], float]:
    """A function that is killed when it has done so many accounts."""
    left = iter([PLENTY] * (after - 1))

    def remaining() -> float:
        for seconds in left:
            return seconds
        raise Killed

    return remaining


@pytest.mark.slow
def test_a_piece_that_is_killed_is_explained_and_made_up_for(stage: Stage) -> None:
    layout = organization(12, 1, 5)
    stage.deliver(layout)
    answer = stage.run(remaining=lambda piece: dying(2) if piece == 3 else allowance(3))
    assert answer["outcome"] == "failed"
    (record,) = stage.records()
    assert (record.outcome, record.pieces) == (Outcome.FAILED, 2)
    assert len(record.freshness) == 6
    ((subject, message),) = stage.told
    assert subject == "trailhouse: run failed: Sandbox.Timedout (trailhouse, 123456789012, us-east-1)"
    for said in (
        "account 123456789012, region us-east-1", "What: the function ended without an answer: Sandbox.Timedout: Task",
        "timed out after 900.00 seconds", "Since: 2026-03-02T06:00:07Z", "Tried: ", "Run: trailhouse runs",
        answer["record"],
    ):  # fmt: skip
        assert said in message
    assert "secret.py" not in message

    # The same again: known, and so not told.
    assert stage.run(TODAY + DAY, remaining=lambda _: dying(1))["outcome"] == "failed"
    assert len(stage.told) == 1
    assert stage.metrics() == 0

    assert stage.run(TODAY + 2 * DAY)["outcome"] == "done"
    assert {one.uri.rpartition("/")[0] + "/" for one in layout.logs} <= places(stage)
    assert stage.told[1][0].startswith("trailhouse: over: run failed: Sandbox.Timedout")
    assert "Since: 2026-03-02T06:00:07Z, over now" in stage.told[1][1]
    assert stage.metrics() == 1


def test_killed_before_anything_is_kept(stage: Stage) -> None:
    answer = stage.call(
        event_of(TODAY, "night", task="explain", error="Runtime.ExitError", cause="signal: killed\nmore")
    )
    assert answer["outcome"] == "failed"
    assert "Runtime.ExitError: signal: killed\n" in answer["message"]
    (record,) = stage.records()
    assert (record.outcome, record.run) == (Outcome.FAILED, "night")
    assert [one.identity for one in record.problems] == [("run", "Runtime.ExitError")]
    # Asked again, it says the same.
    again = stage.call(
        event_of(TODAY, "night", task="explain", error="Runtime.ExitError", cause="signal: killed")
    )
    assert again["subject"] == answer["subject"]


def test_what_cannot_be_kept_is_explained_all_the_same(stage: Stage) -> None:
    stage.aws.s3.log.faults.append(Fault("*", None, code="AccessDenied", status=403))
    answer = stage.call(event_of(TODAY, "night", task="explain", error="Sandbox.Timedout", cause="slow"))
    assert (answer["outcome"], answer["record"]) == ("failed", "")
    assert "Sandbox.Timedout: slow" in answer["message"]


@pytest.mark.slow
def test_killed_at_any_account_the_next_night_is_complete(stage: Stage) -> None:
    layout = organization(5, 1, 3)
    stage.deliver(layout)
    for night, accounts in enumerate((1, 2, 3, 4, 5)):
        stage.run(TODAY, f"killed-{night}", remaining=lambda _, n=accounts: dying(n))  # type: ignore[misc]  # bound now
    assert {one.outcome for one in stage.records()} == {Outcome.FAILED}
    assert len(stage.told) == 1
    assert stage.run(TODAY, "whole")["outcome"] == "done"
    assert {one.uri.rpartition("/")[0] + "/" for one in layout.logs} <= places(stage)


# -- bad nights --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_bucket_that_denies_one_account(stage: Stage) -> None:
    stage.deliver(organization(3, 1, 5))
    stage.aws.s3.log.faults.append(no_listing("000000000002"))
    assert stage.run()["outcome"] == "incomplete"
    ((subject, message),) = stage.told
    assert subject == "trailhouse: 000000000002: left out of the run (trailhouse, 123456789012, us-east-1)"
    for said in (
        "What: access denied: s3:ListBucket on arn:aws:s3:::logs", "Since: 2026-03-02T06:00:07Z", "Tried: asked once",
        "Run: trailhouse policy bucket", "1 problem is open now: `trailhouse status`",
    ):  # fmt: skip
        assert said in message
    record = stage.records()[-1]
    assert set(record.failed) == {"000000000002"}
    assert sorted(record.freshness) == ["000000000001", "000000000003"]
    assert stage.metrics() == 1

    assert stage.run(TODAY + DAY)["outcome"] == "incomplete"
    assert len(stage.told) == 1, "known"
    (problem,) = stage.records()[-1].problems
    assert problem.since == datetime(2026, 3, 2, 6, 0, 7, tzinfo=UTC)

    stage.aws.s3.log.faults.clear()
    assert stage.run(TODAY + 2 * DAY)["outcome"] == "done"
    assert len(stage.told) == 2
    assert stage.told[1][0].startswith("trailhouse: over: 000000000002: left out")
    assert stage.records()[-1].problems == ()
    assert len(stage.records()[-1].ended_problems) == 1


def test_a_bucket_that_denies_everything(stage: Stage) -> None:
    stage.aws.s3.log.faults.append(
        Fault(
            "ListObjectsV2",
            None,
            when=lambda _, p: p.get("Bucket") == "logs",
            code="AccessDenied",
            status=403,
        )
    )
    assert stage.run()["outcome"] == "failed"
    ((subject, message),) = stage.told
    assert "run failed: s3 ListObjectsV2 AccessDenied" in subject
    assert "trailhouse policy bucket" in message
    assert stage.records()[-1].outcome is Outcome.FAILED
    assert stage.metrics() == 0


def test_where_no_account_can_be_looked_at_the_run_failed(stage: Stage) -> None:
    stage.deliver(organization(2, 1, 1))
    stage.aws.s3.log.faults.append(no_listing("00000000000"))
    assert stage.run()["outcome"] == "failed"
    assert stage.told[0][0].startswith("trailhouse: 2 new problems")
    assert stage.metrics() == 0


@pytest.mark.parametrize(
    ("fault", "outcome", "subject", "said", "command"),
    [
        (throttle("GetDatabase", None), "failed", "run failed: glue GetDatabase ThrottlingException",
         "AWS asks for fewer requests, after all retries", "trailhouse apply"),
        (denied("GetDatabase"), "failed", "run failed: glue GetDatabase AccessDeniedException",
         "access denied: glue:GetDatabase on", "trailhouse deploy"),
        (denied("BatchCreatePartition"), "failed", "2 new problems",
         "access denied: glue:BatchCreatePartition on", "trailhouse deploy"),
        (throttle("BatchCreatePartition", None), "failed", "2 new problems", "fewer requests",
         "trailhouse apply --target"),
        (denied("CreateTable"), "failed", "run failed: glue CreateTable AccessDeniedException",
         "access denied: glue:CreateTable on", "trailhouse deploy"),
        (expired("GetDatabase"), "failed", "run failed: glue GetDatabase ExpiredTokenException",
         "the credentials have expired", "trailhouse status"),
    ],
)  # fmt: skip
def test_what_glue_refuses_is_told_with_what_to_do(
    stage: Stage, fault: Fault, outcome: str, subject: str, said: str, command: str
) -> None:
    stage.deliver(organization(2, 1, 3))
    stage.aws.glue.inject(fault)
    assert stage.run()["outcome"] == outcome
    ((told, message),) = stage.told
    assert subject in told
    assert f"What: {said}" in message or said in message
    assert f"Run: {command}" in message
    assert "Traceback" not in message
    assert stage.run(TODAY + DAY)["outcome"] == outcome
    assert len(stage.told) == 1, "known"
    stage.aws.glue.heal()
    assert stage.run(TODAY + 2 * DAY)["outcome"] == "done"
    assert "over" in stage.told[1][0]


def test_a_plan_that_refuses_itself_does_nothing_to_that_account(stage: Stage) -> None:
    stage.settings = replace(stage.settings, tables="per_account")
    stage.deliver(organization(2, 1, 3))
    glue = stage.aws.client("glue")
    glue.create_database(DatabaseInput={"Name": DATABASE})
    glue.create_table(
        DatabaseName=DATABASE, TableInput={"Name": "cloudtrail_000000000002", "StorageDescriptor": {}}
    )
    assert stage.run()["outcome"] == "incomplete"
    ((subject, message),) = stage.told
    assert "000000000002: its plan refuses itself, nothing of it was done" in subject
    assert "cloudtrail_000000000002 exists and was not made by trailhouse" in message
    assert "Run: trailhouse plan --target 000000000002" in message
    assert set(stage.records()[-1].refused) == {"000000000002"}


def test_without_a_bucket_for_output_it_is_told_every_time(stage: Stage) -> None:
    stage.deliver(organization(2, 1, 3))
    del stage.aws.buckets.all[OUTPUT]
    for day in (TODAY, TODAY + DAY):
        answer = stage.run(day)
        assert (answer["outcome"], answer["record"]) == ("failed", "")
    assert len(stage.told) == 2
    assert "There is no record of this run." in stage.told[0][1]


def test_a_record_that_cannot_be_written_is_told(stage: Stage) -> None:
    stage.deliver(organization(2, 1, 3))
    stage.aws.s3.log.faults.append(Fault("PutObject", None, code="AccessDenied", status=403))
    assert stage.run()["outcome"] == "failed"
    assert "s3:PutObject on arn:aws:s3:::output/trailhouse/runs/" in stage.told[0][1]


def test_a_metric_that_is_not_taken_is_a_problem(stage: Stage) -> None:
    stage.deliver(organization(2, 1, 3))
    stage.aws.other.faults.append(Fault("monitoring.PutMetricData", None, code="AccessDenied", status=403))
    assert stage.run()["outcome"] == "incomplete"
    assert "cloudwatch PutMetricData AccessDenied" in stage.told[0][0]
    assert stage.records()[-1].outcome is Outcome.INCOMPLETE


def test_credentials_that_nobody_takes(stage: Stage) -> None:
    stage.aws.s3.log.faults.append(Fault("*", None, code="ExpiredToken", status=400))
    assert stage.run()["outcome"] == "failed"
    assert "the credentials have expired" in stage.told[0][1]


def test_a_source_that_is_none_is_told(stage: Stage) -> None:
    stage.settings = replace(stage.settings, sources=(NightlySource("/var/logs"),))
    assert stage.run()["outcome"] == "failed"
    assert stage.told[0][0].startswith("trailhouse: run failed: SourceError")
    assert stage.records()[-1].outcome is Outcome.FAILED


def test_a_failed_run_ends_nothing(stage: Stage) -> None:
    stage.deliver(organization(3, 1, 5))
    stage.aws.s3.log.faults.append(no_listing("000000000002"))
    stage.run()
    stage.aws.s3.log.faults.clear()
    stage.aws.glue.inject(denied("GetTables"))
    stage.run(TODAY + DAY)
    assert [one.identity for one in stage.records()[-1].problems] == [
        ("account", "000000000002"), ("run", "glue GetTables AccessDeniedException")
    ]  # fmt: skip
    stage.aws.glue.heal()
    stage.run(TODAY + 2 * DAY)
    assert stage.told[-1][0].startswith("trailhouse: 2 problems over")


# -- silences ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_account_that_falls_silent_is_told_once_and_its_end_too(stage: Stage) -> None:
    stage.deliver([*daily(1, TODAY - 20 * DAY, TODAY + 9 * DAY), *daily(2, TODAY - 20 * DAY, TODAY)])
    for day in stage.nights(TODAY, TODAY + 5 * DAY):
        assert len(stage.told) == (day >= TODAY + 3 * DAY), day
    ((subject, message),) = stage.told
    assert (
        subject == "trailhouse: 000000000002: delivers no logs any more (trailhouse, 123456789012, us-east-1)"
    )
    for said in (
        "account 000000000002 delivered no logs in any region since 2026-03-02; before that, its deliveries were at",
        "most 1 day apart", "Since: 2026-03-03T00:00:00Z",
        "Tried: its folders of every day from 2026-03-03 to 2026-03-05 were looked for in all sources",
        "Run: trailhouse inventory --quick --account 000000000002",
    ):  # fmt: skip
        assert said in message
    assert stage.records()[-1].outcome is Outcome.DONE, "nothing is wrong with the run"
    stage.deliver([log(2, TODAY + 6 * DAY)])
    stage.run(TODAY + 6 * DAY)
    assert stage.told[1][0].startswith("trailhouse: over: 000000000002: delivers no logs any more")
    assert "It delivers again: 2026-03-08." in stage.told[1][1]
    stage.run(TODAY + 7 * DAY)
    assert len(stage.told) == 2


def test_a_region_that_falls_silent(stage: Stage) -> None:
    stage.deliver(
        [*daily(1, TODAY - 20 * DAY, TODAY), *daily(1, TODAY - 20 * DAY, TODAY - 3 * DAY, "it's; rm -rf")]
    )
    stage.run()
    ((subject, message),) = stage.told
    assert subject.startswith("trailhouse: 000000000001/it's; rm -rf: delivers no logs any more")
    assert """--region 'it'"'"'s; rm -rf'""" in message


def test_a_trail_that_moved_to_another_root_is_not_silent(stage: Stage) -> None:
    stage.deliver([
        *daily(1, TODAY - 30 * DAY, TODAY - 10 * DAY, root="AWSLogs"), *daily(1, TODAY - 9 * DAY, TODAY)
    ])  # fmt: skip
    stage.run()
    assert stage.told == []


def test_insights_may_fall_silent(stage: Stage) -> None:
    stage.deliver([
        *daily(1, TODAY - 20 * DAY, TODAY), *daily(1, TODAY - 20 * DAY, TODAY - 8 * DAY, kind="CloudTrail-Insight"),
        *daily(1, TODAY - 20 * DAY, TODAY - 8 * DAY, kind="CloudTrail-NetworkActivity"),
    ])  # fmt: skip
    stage.run()
    (record,) = stage.records()
    assert [one.subject for one in record.problems] == ["000000000001/CloudTrail-NetworkActivity/*"]


def test_a_silence_lasts_while_its_account_cannot_be_looked_at_and_beyond_the_window(stage: Stage) -> None:
    stage.deliver(
        [*daily(1, TODAY - 20 * DAY, TODAY + 80 * DAY), *daily(2, TODAY - 20 * DAY, TODAY - 4 * DAY)]
    )
    stage.run()
    stage.aws.s3.log.faults.append(no_listing("000000000002"))
    stage.run(TODAY + DAY)
    stage.aws.s3.log.faults.clear()
    stage.run(TODAY + 2 * DAY)
    stage.run(TODAY + 60 * DAY)
    assert [subject.split(" (")[0] for subject, _ in stage.told] == [
        "trailhouse: 000000000002: delivers no logs any more",
        "trailhouse: 000000000002: left out of the run",
        "trailhouse: over: 000000000002: left out of the run",
    ]
    last = stage.records()[-1]
    assert [one.subject for one in last.problems] == ["000000000002"]
    assert last.problems[0].since == datetime(2026, 2, 27, tzinfo=UTC)
    assert last.freshness["000000000002"] == {"eu-west-1": date(2026, 2, 26)}
    # The account's folder goes, and with it the silence.
    for one in daily(2, TODAY - 20 * DAY, TODAY - 4 * DAY):
        stage.aws.buckets.all["logs"].remove(one.key)
    stage.run(TODAY + 61 * DAY)
    assert "Its folder is gone, or it delivers again." in stage.told[-1][1]


def test_an_account_whose_folder_goes_while_it_delivers(stage: Stage) -> None:
    bucket = stage.aws.buckets.all["logs"]
    stage.deliver([*daily(1, TODAY - 20 * DAY, TODAY), *daily(2, TODAY - 20 * DAY, TODAY)])
    stage.run()
    for one in daily(2, TODAY - 20 * DAY, TODAY):
        bucket.remove(one.key)
    for day in (TODAY + DAY, TODAY + 2 * DAY):
        stage.deliver([log(1, day)])
        assert stage.run(day)["outcome"] == "done"
    ((subject, message),) = stage.told
    assert subject.startswith("trailhouse: 000000000002: delivers no logs any more")
    assert "account 000000000002 has no folder any more, and delivered until 2026-03-02" in message
    # It comes back.
    stage.deliver(daily(2, TODAY + 3 * DAY, TODAY + 3 * DAY))
    stage.run(TODAY + 3 * DAY)
    assert stage.told[1][0].startswith("trailhouse: over: 000000000002")


def test_sources_that_are_named_no_more_are_no_news(stage: Stage) -> None:
    stage.deliver(organization(2, 1, 5))
    stage.run()
    stage.settings = replace(
        stage.settings, sources=(NightlySource(f"s3://logs/AWSLogs/{ORG}/000000000001/"),)
    )
    stage.run(TODAY + DAY)
    assert stage.told == []


def test_a_short_first_window_does_not_shorten_the_rhythm(stage: Stage) -> None:
    stage.settings = replace(stage.settings, partition_days=5)
    stage.deliver([*daily(1, TODAY - 30 * DAY, TODAY - 3 * DAY), *daily(2, TODAY - 30 * DAY, TODAY)])
    stage.run()
    assert [one.subject for one in stage.records()[-1].problems] == ["000000000001"]
    days = {place[-11:-1] for place in places(stage)}
    assert min(days) == "2026/02/25", "partitions are made of the days that were asked for"


# -- others at work ----------------------------------------------------------------------------------------


def test_two_runs_at_once_keep_two_records(stage: Stage) -> None:
    stage.deliver(organization(3, 1, 2))
    one, other = event_of(TODAY, "one"), event_of(TODAY, "other")
    stage.call(one, allowance(1))
    stage.call(other, allowance(2))
    stage.call(one | {"piece": 2, "cursor": {"after": "000000000001"}})
    stage.call(other | {"piece": 2, "cursor": {"after": "000000000002"}})
    assert [(found.run, found.outcome, len(found.freshness)) for found in stage.records()] == [
        ("one", Outcome.DONE, 3), ("other", Outcome.DONE, 3)
    ]  # fmt: skip


def test_another_stack_with_the_same_bucket_is_none_of_ours(stage: Stage) -> None:
    stage.deliver(organization(2, 1, 2))
    stage.aws.s3.log.faults.append(no_listing("000000000002"))
    stage.run()
    os_environment = stage.environment() | {"TRAILHOUSE_STACK": "other"}
    stage.environment = lambda: os_environment  # type: ignore[method-assign]  # another stack's
    stage.run(TODAY + DAY)
    assert len(stage.told) == 2, "it is new there"


def manual(stage: Stage, today: date = TODAY) -> None:
    """`trailhouse apply`, its plan carried out as it is made."""
    settings = stage.settings
    deployment = Deployment(settings, "by hand", OUTPUT)
    aim = Aim(DATABASE, settings.table_prefix, today, tables=settings.tables, regions=deployment.regions())
    application = Application(deployment.catalog, DATABASE, settings.table_prefix)
    with deployment.sources(today) as discovery:
        for part in list(Convergence(deployment.catalog, discovery, aim).parts()):
            application.carry_out(part)


@pytest.mark.slow
@pytest.mark.parametrize("tables", ["per_account", "single"])
@pytest.mark.parametrize("at", [1, 2, 4])
def test_a_manual_apply_during_a_run_does_no_harm(stage: Stage, tables: str, at: int) -> None:
    stage.settings = replace(stage.settings, tables=tables)
    layout = organization(4, 1, 3)
    stage.deliver(layout)
    asked = iter(range(1, 100))

    def remaining() -> float:
        if next(asked) == at:
            manual(stage)
        return PLENTY

    assert stage.run(remaining=lambda _: remaining)["outcome"] == "done"
    assert stage.told == []
    # Nothing is left to do, and what is there is right.
    stage.aws.glue.counts.clear()
    assert stage.run(TODAY, "night-again")["outcome"] == "done"
    assert stage.records()[-1].planned == {}
    assert not {name for name in stage.aws.glue.counts if not name.startswith("Get")}


@pytest.mark.slow
@pytest.mark.parametrize("tables", ["per_account", "single"])
def test_a_manual_apply_beside_a_run(stage: Stage, tables: str) -> None:
    stage.settings = replace(stage.settings, tables=tables)
    layout = organization(6, 1, 3)
    stage.deliver(layout)
    stage.aws.glue.delay = 0.01
    failed: list[BaseException] = []

    def beside() -> None:
        try:
            manual(stage)
        except BaseException as error:  # noqa: BLE001 - shown below
            failed.append(error)

    thread = threading.Thread(target=beside)
    try:
        thread.start()
        answer = stage.run()
        thread.join()
    finally:
        stage.aws.glue.delay = 0.0
    assert not failed
    assert answer["outcome"] in {"done", "incomplete"}
    assert stage.run(TODAY, "night-again")["outcome"] == "done"
    stage.run(TODAY, "night-once-more")
    assert stage.records()[-1].planned == {}


# -- the door ----------------------------------------------------------------------------------------------


def test_a_test_alarm_names_account_region_stack_and_run(stage: Stage) -> None:
    answer = stage.call(event_of(TODAY, "test-1", task="test-alarm", reason="by hand"))
    assert (answer["outcome"], answer["record"]) == ("done", "")
    assert answer["subject"] == "trailhouse: test (trailhouse, 123456789012, us-east-1)"
    for said in (
        "run test-1 of stack trailhouse in account 123456789012, region us-east-1",
        "nothing is wrong",
    ):
        assert said in answer["message"]
    assert stage.records() == []
    assert stage.metrics() == 0


def test_a_test_that_breaks_is_told_and_is_no_run(stage: Stage) -> None:
    answer = stage.call(
        event_of(TODAY, "test-1", task="explain", asked="test-alarm", error="Sandbox.Timedout", cause="slow")
    )
    assert (answer["outcome"], answer["record"]) == ("failed", "")
    assert "Sandbox.Timedout: slow" in answer["message"]
    assert "a test, which failed" in answer["message"]
    assert stage.records() == []
    # The night after has no problem that could be over.
    stage.deliver(organization(1, 1, 1))
    assert stage.run()["message"] == ""


def test_lambda_calls_with_a_context_and_an_environment(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 900_000

    for name, value in stage.environment().items():
        monkeypatch.setenv(name, value)
    stage.deliver(organization(1, 1, 1))
    answer = handler.handle(event_of(TODAY, "night"), Context())
    assert json.loads(json.dumps(answer))["outcome"] == "done"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"TRAILHOUSE_CONFIG": "/nowhere/config.json"}, "/nowhere/config.json cannot be read"),
        ({"TRAILHOUSE_OUTPUT": ""}, "TRAILHOUSE_OUTPUT names no bucket"),
    ],
)
def test_a_door_that_does_not_open_is_told(stage: Stage, changed: dict[str, str], said: str) -> None:
    environment = stage.environment() | changed
    stage.environment = lambda: environment  # type: ignore[method-assign]  # what is tested
    answer = stage.run()
    assert answer["outcome"] == "failed"
    assert said in answer["message"]
    assert "Traceback" not in answer["message"]


@pytest.mark.parametrize(
    "event", [{}, {"task": "dance"}, event_of(TODAY, "x", started="soon"), event_of(TODAY, "x", piece="a")]
)
def test_what_is_no_task_is_refused(stage: Stage, event: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="the event is no task of the nightly run"):
        stage.call(event)


def test_nothing_but_the_standard_library_and_boto3_is_imported() -> None:
    """The package of the function is made of what is imported; nothing compiled may be among it."""
    program = (
        "import sys, trailhouse.nightly.handler; print(*sorted({n.partition('.')[0] for n in sys.modules}))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    allowed = {
        "trailhouse", "boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3", "certifi"
    }  # fmt: skip
    strange = {name for name in done.stdout.split() if name not in sys.stdlib_module_names} - allowed
    assert {name for name in strange if not name.startswith("_")} == set()
