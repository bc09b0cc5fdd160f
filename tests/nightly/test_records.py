from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bed.faults import Fault
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.core.policy import own_output
from trailhouse.core.record import Outcome, Record
from trailhouse.errors import AwsError, CatalogError, NotFoundError
from trailhouse.nightly.records import Records

if TYPE_CHECKING:
    from bed.aws import Aws

pytestmark = pytest.mark.emulator

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
ONE = Record("one", "trailhouse", "schedule", NOW, outcome=Outcome.DONE)


@pytest.fixture
def records(aws: Aws, keys: None) -> Records:  # noqa: ARG001 - credentials
    aws.buckets.all.clear()
    aws.buckets.page = 1000
    aws.s3.log.clear()
    aws.bucket("output")
    return Records(Gate(Access(endpoint_url=aws.url, region="us-east-1")), "output")


def nights(*ages: int) -> list[Record]:
    return [replace(ONE, run=f"night-{age}", started=NOW - timedelta(days=age)) for age in ages]


def test_what_was_written_is_read(records: Records, aws: Aws) -> None:
    assert records.write(ONE) == "s3://output/trailhouse/runs/2026/03/02/20260302T060000Z-one.json"
    assert records.read(ONE.key) == ONE
    assert records.find(ONE.key) == ONE
    head = aws.client("s3").head_object(Bucket="output", Key=ONE.key)
    assert head["ContentType"] == "application/json"


def test_a_bucket_of_the_accounts_own_name_has_to_be_its_own(aws: Aws, keys: None) -> None:  # noqa: ARG001 - credentials
    aws.buckets.all.clear()
    gate = Gate(Access(endpoint_url=aws.url, region="us-east-1"))
    name = own_output("trailhouse", gate.account(), gate.region)
    records = Records(gate, name)
    stranger = aws.bucket(name, owner="999900001111")
    for refused in (lambda: records.write(ONE), lambda: records.read(ONE.key), records.latest):
        with pytest.raises(AwsError):
            refused()
    assert not stranger.objects
    stranger.owner = gate.account()
    records.write(ONE)
    assert records.latest() == ONE


def test_what_is_not_there(records: Records) -> None:
    assert records.find(ONE.key) is None
    assert records.latest() is None
    assert list(records.each()) == []
    with pytest.raises(NotFoundError):
        records.read(ONE.key)


def test_a_key_that_only_begins_so_is_another(records: Records) -> None:
    records.write(replace(ONE, run="one.json-more"))
    assert records.find(ONE.key) is None


def test_newest_first_over_years_and_pages(records: Records, aws: Aws) -> None:
    aws.buckets.page = 2
    ages = [0, 1, 2, 3, 29, 30, 61, 365, 366, 800]
    for one in nights(*reversed(ages)):
        records.write(one)
    assert [one.run for one in records.each()] == [f"night-{age}" for age in ages]
    aws.s3.log.counts.clear()
    latest = records.latest()
    assert latest
    assert latest.run == "night-0"
    assert aws.s3.log.counts["GetObject"] == 1, "no more is read than asked for"


def test_the_last_that_was_closed(records: Records) -> None:
    running = replace(ONE, run="z-running", outcome=Outcome.RUNNING)
    other = replace(ONE, run="z-other", stack="other")
    for one in (*nights(1, 2), ONE, running, other):
        records.write(one)
    assert records.latest_closed("trailhouse") == ONE
    assert records.latest_closed("trailhouse", besides=ONE.key) == nights(1)[0]
    assert records.latest_closed("nobody") is None
    assert records.latest("other") == other


def test_what_is_no_record_is_passed_over(records: Records, aws: Aws) -> None:
    records.write(ONE)
    bucket = aws.buckets.all["output"]
    bucket.put("trailhouse/runs/2026/03/03/damaged.json", b"{")
    bucket.put("trailhouse/runs/2026/03/03/newer.json", b'{"version": 9}')
    bucket.put("trailhouse/runs/2026/03/03/notes.txt", b"x")
    bucket.put("trailhouse/runs/readme.json", b"x")
    assert list(records.each()) == [ONE]
    assert records.latest_closed("trailhouse") == ONE
    with pytest.raises(CatalogError, match=r"s3://output/.*newer\.json was written by a newer trailhouse"):
        records.read("trailhouse/runs/2026/03/03/newer.json")


def test_a_body_that_breaks_off_is_an_error_of_ours(records: Records, aws: Aws) -> None:
    records.write(ONE)
    aws.s3.log.faults.append(Fault("GetObject", cut="during"))
    with pytest.raises(AwsError, match="s3 GetObject failed"):
        records.read(ONE.key)
