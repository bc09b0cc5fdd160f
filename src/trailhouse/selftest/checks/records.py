"""Records that checks write: plain ones, and one odd thing in each odd one."""

from __future__ import annotations

from trailhouse.selftest.check import Put

ACCOUNT = "111122223333"
DAY = f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/03/02/"
"""Folder of a day's files, below whatever comes before AWSLogs."""

_HEAD = (
    '"eventVersion":"1.11","eventTime":"2026-03-02T10:11:12Z","eventSource":"s3.amazonaws.com",'
    '"eventName":"GetObject","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7"'
)
_IDENTITY = '"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333"}'


def record(event_id: str, extra: str = "", identity: str = _IDENTITY) -> str:
    """A record as JSON text, with further members; without identity where that is ""."""
    return "{" + ",".join(filter(None, (_HEAD, identity, f'"eventID":"{event_id}"', extra))) + "}"


def log(folder: str, *records: str, name: str = "1", storage_class: str = "STANDARD") -> Put:
    """A log file in `folder` + the day's folder."""
    stem = f"{ACCOUNT}_CloudTrail_us-east-1_20260302T1015Z_{name:0>16}"
    return Put(f"{folder}/{DAY}{stem}.json.gz", records, storage_class)
