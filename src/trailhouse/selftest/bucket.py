"""The bucket of a run: part of a demo, small enough to pay nothing for, and what is true of it.

The truth is counted with Python's own JSON from the bytes that are written, not with the product's reader.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from trailhouse.demo import Parameters, objects
from trailhouse.demo.scene import scene

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trailhouse.selftest.expect import Row

_PARAMETERS = Parameters(500, 44, stories=False, start=date(2026, 3, 2), days=7)
_ACCOUNTS = ("prod-web", "prod-data", "prod-payments", "ml-research")
_MOST_FILES = 45
_KINDS = {
    "CloudTrail": "cloudtrail", "CloudTrail-Insight": "insight",
    "CloudTrail-NetworkActivity": "network", "CloudTrail-Aggregated": "aggregated",
}  # fmt: skip
_TEXTS = ("eventID", "eventTime", "eventName", "eventSource", "errorCode", "errorMessage", "userAgent")
_OBJECTS = ("requestParameters", "responseElements", "additionalEventData", "userIdentity")


@dataclass(frozen=True, slots=True)
class LogFile:
    """One log file: its key below the logs' folder, its bytes, what its key says, its records."""

    key: str
    body: bytes
    root: str
    account: str
    kind: str
    region: str
    day: tuple[str, str, str]
    records: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is written, and what is true of it.

    Attributes:
        files: of all kinds.
        words: what questions are filled in with.
        truth: expected rows by name.
    """

    files: tuple[LogFile, ...]
    words: Mapping[str, str]
    truth: Mapping[str, tuple[Row, ...]]


@cache
def bucket() -> Bucket:
    """The bucket, the same each time."""
    files = tuple(_chosen())
    words = scene(_PARAMETERS).questions.parameters()
    logs = [one for one in files if one.kind == "cloudtrail"]
    others = sorted({one.account for one in logs} - {words["account"]})
    words |= {"other_account": others[0], "a_key": logs[0].key}
    return Bucket(files, words, _truth(files, logs, words))


def _chosen() -> Iterator[LogFile]:
    """The files of some accounts whose records hold nothing odd."""
    stage = scene(_PARAMETERS)
    wanted = {stage.organization.account(name).number for name in _ACCOUNTS}
    count = 0
    for key, body in objects(_PARAMETERS):
        found = _read(key, body)
        if found and found.account in wanted and all(map(_plain, found.records)) and count < _MOST_FILES:
            count += 1
            yield found


def _read(key: str, body: bytes) -> LogFile | None:
    parts = key.split("/")
    if len(parts) < 8 or parts[-6] not in _KINDS or not parts[-1]:  # noqa: PLR2004 - AWSLogs/account/.../file
        return None
    text = gzip.decompress(body) if key.endswith(".gz") else body
    records = json.loads(text)["Records"]
    year, month, day = parts[-4:-1]
    return LogFile(
        key, body, "/".join(parts[:-7]), parts[-7], _KINDS[parts[-6]], parts[-5], (year, month, day),
        tuple(records),
    )  # fmt: skip


def _plain(record: Mapping[str, Any]) -> bool:
    texts = all(isinstance(record.get(name, ""), str) for name in _TEXTS)
    return texts and all(isinstance(record.get(name), dict | None) for name in _OBJECTS)


def _truth(
    files: Iterable[LogFile], logs: list[LogFile], words: Mapping[str, str]
) -> dict[str, tuple[Row, ...]]:
    asked = (words["year"], words["month"], words["day"])
    here = [
        one for file in logs if file.account == words["account"] and file.day == asked for one in file.records
    ]
    in_region = [
        (one["eventID"],)
        for file in logs
        if (file.account, file.day, file.region) == (words["account"], asked, words["region"])
        for one in file.records
    ]
    every = [(file, one) for file in logs for one in file.records]
    user, address = words["user"], words["address"]
    months = [one for file, one in every if file.day[:2] == asked[:2]]
    counted = {
        "errors": Counter((_arn(one), one["errorCode"]) for one in here if one.get("errorCode")),
        "names": Counter(one["eventName"] for one in here if user in (_arn(one) or "")),
        "recipients": Counter(
            one.get("recipientAccountId") for one in months if one.get("sourceIPAddress") == address
        ),
        "accounts": Counter(file.account for file, _ in every),
        "day_accounts": Counter(file.account for file, _ in every if file.day == asked),
        "days": Counter("-".join(file.day) for file, _ in every),
        "regions": Counter(file.region for file, _ in every),
        "kinds": Counter(file.kind for file in files for _ in file.records),
    }
    truth = {
        name: tuple((*_tuple(key), count) for key, count in found.items()) for name, found in counted.items()
    }
    truth |= {
        "eventids": tuple(in_region),
        "delivered": ((len(every),),),
        "events": ((len({_identity(file, one) for file, one in every}),),),
        "files": ((len({file.key for file, _ in every}),),),
        "roots": ((len({file.root for file in logs if file.records}),),),
    }
    truth |= {kind: ((counted["kinds"][kind],),) for kind in _KINDS.values()}
    return truth


def _arn(record: Mapping[str, Any]) -> str | None:
    found: str | None = record["userIdentity"].get("arn")
    return found


def _tuple(key: object) -> tuple[object, ...]:
    return key if isinstance(key, tuple) else (key,)


def _identity(file: LogFile, record: Mapping[str, Any]) -> tuple[object, ...]:
    """What makes an event the same within one day of delivery."""
    names = ("eventID", "eventTime", "eventSource", "eventName", "recipientAccountId")
    return (*(record.get(name) for name in names), file.day)


def packed(records: Iterable[str]) -> bytes:
    """A log file's bytes from its records."""
    return gzip.compress(('{"Records":[' + ",".join(records) + "]}").encode(), mtime=0)
