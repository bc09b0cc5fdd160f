"""Records and files for the tests of the reader."""

import gzip
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from trailhouse.core.layout import Kind
from trailhouse.lake.reader import BATCH_BYTES, DEFAULT_LIMITS, Delivery, Limits, Verdict, batch_schema, read


def corpus() -> Path:
    """The folder of the real corpus; skips where there is none."""
    folder = os.environ.get("TRAILHOUSE_CORPUS", "")
    if not folder:
        if os.environ.get("CI") == "true":
            pytest.fail("TRAILHOUSE_CORPUS is not set")
        pytest.skip("TRAILHOUSE_CORPUS is not set")
    return Path(folder)


def record(number: int = 0, **members: object) -> dict[str, Any]:
    """A small record with an id of its own."""
    return {
        "eventVersion": "1.08",
        "userIdentity": {"type": "IAMUser", "userName": f"user{number}"},
        "eventTime": "2024-05-06T07:08:09Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "requestParameters": {"bucketName": f"bucket{number}"},
        "eventID": f"id{number}",
        **members,
    }


def records(count: int) -> list[dict[str, Any]]:
    return [record(i) for i in range(count)]


def delivered(*items: object) -> bytes:
    """A file as CloudTrail writes it; text items stand in it as they are."""
    texts = [i if isinstance(i, str) else json.dumps(i, separators=(",", ":")) for i in items]
    return ('{"Records":[' + ",".join(texts) + "]}").encode()


def with_member(text: str, number: int = 0) -> str:
    """The text of a small record with one more member, as it is."""
    return json.dumps(record(number), separators=(",", ":"))[:-1] + "," + text + "}"


def gz(*texts: bytes) -> bytes:
    """One gzip member for each text."""
    return b"".join(gzip.compress(text, mtime=0) for text in texts)


class Result:
    """What came of one object."""

    def __init__(self, verdict: Verdict, tables: dict[Kind, pa.Table]) -> None:
        self.verdict = verdict
        self.tables = tables

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for table in self.tables.values() for row in table.to_pylist()]

    @property
    def ids(self) -> list[str | None]:
        return [row["eventid"] for row in self.rows]

    @property
    def reasons(self) -> list[str]:
        return [flaw.reason for flaw in self.verdict.flaws]

    @property
    def unparsed(self) -> list[dict[str, Any] | None]:
        return [row["unparsed"] and json.loads(row["unparsed"]) for row in self.rows]


def read_one(
    stored: bytes | Sequence[bytes],
    kind: Kind | None = Kind.CLOUDTRAIL,
    *,
    limits: Limits = DEFAULT_LIMITS,
    batch_bytes: int = BATCH_BYTES,
) -> Result:
    """Read one object and check what holds for all of them."""
    chunks: Iterable[bytes] = [stored] if isinstance(stored, bytes) else stored
    batches: dict[Kind, list[pa.RecordBatch]] = {}
    verdicts: list[Verdict] = []
    for reading in read([Delivery(7, kind, chunks)], limits=limits, batch_bytes=batch_bytes):
        for found, batch in reading.batches.items():
            batch.validate(full=True)
            assert batch.schema == batch_schema(found)
            batches.setdefault(found, []).append(batch)
        verdicts += reading.verdicts
    (verdict,) = verdicts
    tables = {found: pa.Table.from_batches(parts) for found, parts in batches.items()}
    result = Result(verdict, tables)
    assert verdict.number == 7
    assert verdict.records == len(result.rows)
    assert sorted(row["logrecord"] for row in result.rows) == list(range(verdict.records))
    assert bool(verdict.flaws) == bool(verdict.misfits)
    return result


SMALL = Limits(whole=2000, window=700, most=100_000)
"""Limits that make every file of some records a large one."""
