"""Listing by delimiter: what lies directly in a folder of a bucket, page by page."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, Protocol

from trailhouse.aws.access import Access
from trailhouse.aws.gate import Call, Gate
from trailhouse.core.deliveries import Stored
from trailhouse.errors import UsageError

_ANYWHERE = "us-east-1"


class Lister(Protocol):
    """What discovery asks of a bucket; for many threads at once. Both raise AwsError."""

    def children(self, bucket: str, prefix: str) -> Iterator[str]:
        """Names directly below a prefix: files, and folders with one slash at their end.

        `/` alone is the folder without a name, as in `a//b`; "" the mark of the folder itself. A page is
        fetched when it is needed.

        Args:
            bucket: name or access point's alias.
            prefix: "" or with a slash at its end.
        """

    def objects(self, bucket: str, prefix: str, limit: int) -> tuple[Stored, ...]:
        """How the first objects below a prefix are kept, at most `limit` (up to 1,000), in one call."""


class S3Lister:
    """Lists through a gate, with what the source's access asks for: requester pays, expected owner."""

    def __init__(
        self, access: Access, gate: Gate | None = None, *, record: Callable[[Call], None] | None = None
    ) -> None:
        """Make no call yet.

        Args:
            access: of the source.
            gate: to go through; left out, one is made from the access.
            record: hears of every call, where the gate is made here.

        Raises:
            CredentialsError: there is no such profile.
        """
        self._gate = gate or _gate(access, record)
        self._always: dict[str, str] = {}
        if access.requester_pays:
            self._always["RequestPayer"] = "requester"
        if access.expected_owner:
            self._always["ExpectedBucketOwner"] = access.expected_owner

    def children(self, bucket: str, prefix: str) -> Iterator[str]:
        """See Lister."""
        start = len(prefix)
        for page in self._pages(bucket, prefix):
            for entry in page.get("Contents", ()):
                yield entry["Key"][start:]
            for entry in page.get("CommonPrefixes", ()):
                yield entry["Prefix"][start:]

    def objects(self, bucket: str, prefix: str, limit: int) -> tuple[Stored, ...]:
        """See Lister."""
        page = self._list(
            Bucket=bucket, Prefix=prefix, MaxKeys=limit, OptionalObjectAttributes=["RestoreStatus"]
        )
        return tuple(map(stored_state, islice(page.get("Contents", ()), limit)))

    def _pages(self, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        # A paginator costs as much again as a short answer: nearly every folder fits into one.
        page = self._list(Bucket=bucket, Prefix=prefix, Delimiter="/")
        yield page
        while token := page.get("NextContinuationToken"):
            page = self._list(Bucket=bucket, Prefix=prefix, Delimiter="/", ContinuationToken=token)
            yield page

    def _list(self, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - as botocore takes them
        return self._gate.call("s3", "ListObjectsV2", **parameters, **self._always)


def _gate(access: Access, record: Callable[[Call], None] | None) -> Gate:
    """A gate for S3, which sends to the bucket's region from anywhere in the partition: no region is needed."""
    gate = Gate(access, record=record)
    try:
        _ = gate.region
    except UsageError:
        return Gate(replace(access, region=_ANYWHERE), record=record)
    return gate


def stored_state(entry: dict[str, Any]) -> Stored:
    """How a listed object is kept, from its entry."""
    restore = entry.get("RestoreStatus", {})
    done = not restore.get("IsRestoreInProgress", False) and "RestoreExpiryDate" in restore
    return Stored(entry.get("StorageClass", "STANDARD"), done)
