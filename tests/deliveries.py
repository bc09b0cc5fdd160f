"""Small sources for tests of everything above the reader: folders of files as CloudTrail delivers them."""

import gzip
import json
from pathlib import Path
from typing import Any

ACCOUNT = "111122223333"
OTHER = "444455556666"


def event(number: int, day: str = "2026-01-02", **members: object) -> dict[str, Any]:
    """A record with an id of its own."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/u{number}"},
        "eventTime": f"{day}T03:04:05Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "awsRegion": "eu-west-1",
        "userAgent": "aws-cli",
        "requestParameters": {"bucketName": "b", "n": number},
        "eventID": f"id{number}",
        "recipientAccountId": ACCOUNT,
        **members,
    }


def deliver(folder: Path, records: list[dict[str, Any]], *, account: str = ACCOUNT, region: str = "eu-west-1",
            day: str = "2026-01-02", unique: str = "abcdefghijklmnop") -> Path:  # fmt: skip
    """Put a file where CloudTrail would; return it."""
    place = folder / "AWSLogs" / account / "CloudTrail" / region / day.replace("-", "/")
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{account}_CloudTrail_{region}_{day.replace('-', '')}T0305Z_{unique}.json.gz"
    path.write_bytes(gzip.compress(json.dumps({"Records": records}).encode(), mtime=0))
    return path


def small_source(folder: Path) -> Path:
    """Ten records of two accounts and days, with values that an attacker chose."""
    hostile = [event(8, userAgent="\x1b[2Jcleared"), event(9, userAgent="=cmd()")]
    deliver(folder, [*(event(n) for n in range(5)), *hostile])
    deliver(folder, [event(n, "2026-01-05") for n in (20, 21)], day="2026-01-05")
    login = event(30, "2026-01-05", eventName="ConsoleLogin", recipientAccountId=OTHER, awsRegion="us-east-1")
    deliver(folder, [login], account=OTHER, region="us-east-1", day="2026-01-05")
    return folder


def damage(folder: Path) -> Path:
    """Put a file that claims to be CloudTrail and is not; return it."""
    path = deliver(folder, [], day="2026-01-05", unique="damageddamageddd")
    path.write_bytes(b"no gzip at all")
    return path
