"""Records of runs as the nightly run leaves them, in a bucket of the bed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from trailhouse.core.problem import Problem, ProblemKind
from trailhouse.core.record import Outcome, Record, to_json

if TYPE_CHECKING:
    from bed.aws import Aws

ACCOUNT, REGION = "123456789012", "us-east-1"
A, B = "111122223333", "444455556666"
OUTPUT = f"trailhouse-output-{ACCOUNT}-{REGION}"
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

LEFT_OUT = Problem(
    ProblemKind.ACCOUNT, B, TODAY - timedelta(days=3),
    f"access denied: s3:ListBucket on arn:aws:s3:::their-logs (s3 ListObjectsV2, AccessDenied). Allow it to {B}",
    "asked once: a refusal only comes again; the next run asks again", "trailhouse policy bucket",
)  # fmt: skip


def started(days_ago: int) -> datetime:
    """When the run of a night began: a little after midnight, so that today's has begun whenever a test runs."""
    return TODAY - timedelta(days=days_ago) + timedelta(seconds=1)


def done(days_ago: int = 0, **more: object) -> Record:
    """A run that went well, some nights ago."""
    begun = started(days_ago)
    made = Record(
        run=f"{days_ago:08x}-aaaa-4000-8000-000000000000_00000000-bbbb-4000-8000-000000000000",
        stack="trailhouse", reason="schedule", started=begun, ended=begun + timedelta(seconds=43),
        outcome=Outcome.DONE, caller=f"arn:aws:sts::{ACCOUNT}:assumed-role/trailhouse-run/x",
        place=f"arn:aws:glue:{REGION}:{ACCOUNT}:database/security", config="c" * 64,
        versions={"trailhouse": "0.1.0", "python": "3.13.5", "boto3": "1.40.0"}, pieces=1,
        planned={"create partition": 34}, done={"create partition": 34},
        calls={"glue": {"GetTable": 12, "BatchCreatePartition": 2}, "s3": {"ListObjectsV2": 70}},
        seconds=42.6, cost="0.0012",
        freshness={A: {"eu-west-1": begun.date(), "us-east-1": begun.date() - timedelta(days=1)}},
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]  # whatever a test changes


def incomplete(days_ago: int = 0, **more: object) -> Record:
    """A run that left an account out."""
    failed = {B: LEFT_OUT.what}
    given = {"outcome": Outcome.INCOMPLETE, "failed": failed, "problems": (LEFT_OUT,), **more}
    return done(days_ago, **given)


def keep(aws: Aws, *records: Record, bucket: str = OUTPUT) -> None:
    """Put records where the configuration says that they are."""
    place = aws.buckets.all.get(bucket) or aws.bucket(bucket)
    place.put_all((one.key, to_json(one).encode()) for one in records)


def day(days_ago: int) -> date:
    return TODAY.date() - timedelta(days=days_ago)
