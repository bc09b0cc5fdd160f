"""The files of a lake in S3; every call goes through the gate, so that it is listed and permitted."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from trailhouse.aws.session import PARALLEL
from trailhouse.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    import duckdb

    from trailhouse.aws.gate import Gate

_TAIL = 64 << 10
"""Bytes from the end of an object that come with the first request: most metadata is smaller, a footer as a rule."""

_MOST_DELETED = 1_000
"""Objects that one request deletes (https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html)."""

_SCHEME = "s3://"
_BATCH_ROWS = 100_000


def split(location: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`."""
    bucket, _, key = location.removeprefix(_SCHEME).partition("/")
    return bucket, key


class S3Files:
    """The files of a lake below a prefix.

    Attributes:
        uri: `s3://bucket/prefix`, without a slash at its end.
    """

    near = False

    def __init__(self, gate: Gate, uri: str) -> None:
        self.uri = uri.rstrip("/")
        self._gate = gate
        self._bucket, prefix = split(self.uri)
        self._prefix = f"{prefix}/" if prefix else ""

    def place(self, files: Sequence[tuple[str, str]]) -> list[str]:
        """Upload files, some at a time; they stay on this machine. Raises AwsError."""
        with ThreadPoolExecutor(min(PARALLEL, max(1, len(files)))) as pool:
            return list(pool.map(lambda one: self._upload(*one), files))

    def _upload(self, path: str, name: str) -> str:
        with Path(path).open("rb") as body:
            self._gate.call("s3", "PutObject", Bucket=self._bucket, Key=self._prefix + name, Body=body)
        os.unlink(path)  # noqa: PTH108 - what is placed is gone from here, as on a disk
        return self.location(name)

    def write(self, name: str, text: str) -> None:
        """Write a small object. Raises AwsError."""
        self.put(self.location(name), text.encode())

    def put(self, location: str, content: bytes, **conditions: str) -> str:
        """Write an object whole; its ETag.

        Args:
            location: Where.
            content: What.
            **conditions: `IfNoneMatch="*"` (it must not be there) or `IfMatch` (the ETag that it must have).

        Raises:
            ConflictError: A condition does not hold.
            AwsError: S3 refuses.
        """
        bucket, key = split(location)
        answer = self._gate.call("s3", "PutObject", Bucket=bucket, Key=key, Body=content, **conditions)
        return str(answer["ETag"])

    def get(self, location: str) -> dict[str, Any]:
        """S3's answer for an object, with its `Body` not yet read. Raises AwsError (NotFoundError)."""
        bucket, key = split(location)
        return self._gate.call("s3", "GetObject", Bucket=bucket, Key=key)

    def read(self, name: str) -> str:
        """A small object's text. Raises AwsError."""
        content: bytes = self.get(self.location(name))["Body"].read()
        return content.decode()

    def open(self, location: str) -> ObjectFile:
        """An object that is read where it is asked for. Raises AwsError (NotFoundError)."""
        bucket, key = split(location)

        def part(first: str) -> tuple[bytes, str]:
            answer = self._gate.call("s3", "GetObject", Bucket=bucket, Key=key, Range=f"bytes={first}")
            return answer["Body"].read(), str(answer.get("ContentRange", ""))

        return ObjectFile(part)

    def names(self, folder: str) -> list[str]:
        """The names of all objects below a folder. Raises AwsError."""
        prefix = f"{self._prefix}{folder}/"
        pages = self._gate.pages("s3", "ListObjectsV2", Bucket=self._bucket, Prefix=prefix)
        keys = (entry["Key"] for page in pages for entry in page.get("Contents", ()))
        return [key[len(self._prefix) :] for key in keys]

    def location(self, name: str) -> str:
        """`s3://bucket/prefix/name`."""
        return f"{self.uri}/{name}"

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects. Raises AwsError."""
        self.remove([self.location(name) for name in names])

    def remove(self, locations: Sequence[str]) -> None:
        """Delete objects by their locations. Raises AwsError."""
        for start in range(0, len(locations), _MOST_DELETED):
            some = [split(location)[1] for location in locations[start : start + _MOST_DELETED]]
            listed = {"Objects": [{"Key": key} for key in some], "Quiet": True}
            bucket = split(locations[start])[0]
            answer = self._gate.call("s3", "DeleteObjects", Bucket=bucket, Delete=listed)
            for failed in answer.get("Errors", ()):
                raise _not_deleted(bucket, failed)

    def identity(self, location: str) -> Hashable:
        """The location."""
        return location

    def show(
        self, connection: duckdb.DuckDBPyConnection, view: str, files: Sequence[str], columns: Sequence[str]
    ) -> None:
        """A view over the files, read here once, by columns."""
        with pq.ParquetFile(self.open(files[0])) as first:
            schema = pa.schema([first.schema_arrow.field(name).remove_metadata() for name in columns])
        batches = self._batches(files, schema)
        connection.register(view, pa.RecordBatchReader.from_batches(schema, batches))

    def _batches(self, files: Sequence[str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        for location in files:
            with pq.ParquetFile(self.open(location)) as file:
                for batch in file.iter_batches(_BATCH_ROWS, columns=schema.names):
                    yield batch.select(schema.names).cast(schema)

    def tidy(self) -> None:
        """Nothing: an object is there whole or not at all."""


def _not_deleted(bucket: str, failed: dict[str, str]) -> AwsError:
    place = f"s3://{bucket}/{failed.get('Key', '')}"
    return AwsError(
        f"{place} was not deleted ({failed.get('Code', '')}): {failed.get('Message', '')}",
        code=failed.get("Code", ""), operation="s3 DeleteObjects", resource=place,
    )  # fmt: skip


class ObjectFile(io.RawIOBase):
    """An object as a file: its end is fetched at once, the rest in the pieces that are asked for."""

    def __init__(self, part: Callable[[str], tuple[bytes, str]]) -> None:
        """Fetch the end.

        Args:
            part: Bytes of a range (`0-9`, `-100` for the last ones) and what `Content-Range` says of them.
        """
        super().__init__()
        self._part = part
        self._at = 0
        self._tail, told = part(f"-{_TAIL}")
        self._size = int(told.rpartition("/")[2]) if told else len(self._tail)

    def __len__(self) -> int:
        return self._size

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go somewhere else."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """So many bytes from where it stands; all that is left without a number."""
        end = self._size if size is None or size < 0 else min(self._size, self._at + size)
        found = self._between(self._at, end) if end > self._at else b""
        self._at += len(found)
        return found

    def readall(self) -> bytes:
        """All that is left."""
        return self.read()

    def _between(self, start: int, end: int) -> bytes:
        border = self._size - len(self._tail)
        if start >= border:
            return self._tail[start - border : end - border]
        head = self._part(f"{start}-{min(end, border) - 1}")[0]
        return head + self._tail[: end - border] if end > border else head
