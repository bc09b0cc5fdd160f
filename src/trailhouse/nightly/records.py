"""The records of runs in S3: `trailhouse/runs/YYYY/MM/DD/<time>-<run>.json`, read newest first."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError

from trailhouse.core.policy import own_output
from trailhouse.core.record import PREFIX, Outcome, Record, from_json, to_json
from trailhouse.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailhouse.aws.gate import Gate

_DEPTH = 3  # folders for year, month and day


class Records:
    """The records in one bucket.

    Two runs at once write under different keys, so that none loses what it has to say.
    """

    def __init__(self, gate: Gate, bucket: str) -> None:
        """Make no call.

        Args:
            gate: the way to S3.
            bucket: the one for output. One that is named after the caller's account has to be that account's:
                somebody else could have taken the name after it was given up.
        """
        self._gate = gate
        self._bucket = bucket

    def uri(self, record: Record) -> str:
        """The address of a record, whether it is there or not."""
        return self._uri(record.key)

    def write(self, record: Record) -> str:
        """Put a record under its key, whole or not at all; its address. Raises AwsError."""
        body = to_json(record).encode()
        self._gate.call(
            "s3", "PutObject", **self._where(), Key=record.key, Body=body, ContentType="application/json"
        )
        return self.uri(record)

    def read(self, key: str) -> Record:
        """The record under a key.

        Raises:
            AwsError: it cannot be read; NotFoundError: there is none.
            CatalogError: it is no record, or of a newer version.
        """
        body = self._gate.call("s3", "GetObject", **self._where(), Key=key)["Body"]
        try:
            with body:
                text = body.read()
        except BotoCoreError as error:  # the answer broke off
            raise self._gate.translate(error, "s3", "GetObject") from error
        return from_json(text, self._uri(key))

    def find(self, key: str) -> Record | None:
        """The record under a key, or None where there is none; raises as `read` does.

        The key is listed first: S3 answers with a refusal, and not that it is missing, where listing is
        allowed below a prefix only (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
        """
        answer = self._gate.call("s3", "ListObjectsV2", **self._where(), Prefix=key, MaxKeys=1)
        there = [one["Key"] for one in answer.get("Contents", ())]
        return self.read(key) if key in there else None

    def keys(self) -> Iterator[str]:
        """The keys of all records, newest first; folders are listed when they are needed. Raises AwsError."""
        yield from self._below(PREFIX, _DEPTH)

    def each(self) -> Iterator[Record]:
        """All records, newest first, each read when it is asked for; what is no record is left out.

        Raises:
            AwsError: they cannot be listed or read.
        """
        for key in self.keys():
            with suppress(CatalogError):
                yield self.read(key)

    def latest(self, stack: str | None = None) -> Record | None:
        """The newest record, of one stack where several share the bucket. Raises AwsError."""
        return next((one for one in self.each() if stack in {None, one.stack}), None)

    def latest_closed(self, stack: str, besides: str = "") -> Record | None:
        """The newest record of a run that came to an end. Raises AwsError.

        Args:
            stack: the run's.
            besides: the key of a record that does not count.
        """
        for key in self.keys():
            if key == besides:
                continue
            with suppress(CatalogError):
                record = self.read(key)
                if record.stack == stack and record.outcome is not Outcome.RUNNING:
                    return record
        return None

    def _below(self, prefix: str, depth: int) -> Iterator[str]:
        """Keys of records below a folder, the last first."""
        folders, keys = [], []
        answers = self._gate.pages(
            "s3", "ListObjectsV2", **self._where(), Prefix=prefix, **({"Delimiter": "/"} if depth else {})
        )
        for answer in answers:
            folders += [one["Prefix"] for one in answer.get("CommonPrefixes", ())]
            keys += [one["Key"] for one in answer.get("Contents", ()) if one["Key"].endswith(".json")]
        if not depth:
            yield from reversed(keys)
        for folder in reversed(folders):
            yield from self._below(folder, depth - 1)

    def _where(self) -> dict[str, str]:
        """The bucket, and whose it has to be where its name says so. Raises AwsError."""
        account = self._gate.account()
        named = self._bucket.endswith(own_output("", account, self._gate.region))
        return {"Bucket": self._bucket} | ({"ExpectedBucketOwner": account} if named else {})

    def _uri(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"
