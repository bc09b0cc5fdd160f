"""Sources in S3 as a lake in AWS sees them: every object by bucket and whole key, whatever prefix was named.

So rows say of their object what Athena says of it (`"$path"`), and it stays the same object when a source is named
otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, BinaryIO

from trailhouse.errors import SourceError, StorageError
from trailhouse.storage import Sources
from trailhouse.storage.objects import SkippedNames

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trailhouse.storage import StoredObject
    from trailhouse.storage.s3 import S3Storage


@dataclass(slots=True)
class Bucket:
    """The sources in one bucket as one; names are keys.

    Attributes:
        label: The bucket's name.
        uri: Of the bucket.
        storages: The sources; none lies within another.
        skipped: Nothing; all that S3 lists is listed.
    """

    label: str
    uri: str
    storages: tuple[S3Storage, ...]
    skipped: SkippedNames = field(default_factory=SkippedNames)

    def list(self) -> Iterator[StoredObject]:
        """Every object, source by source. Raises StorageError."""
        for storage in self.storages:
            for item in storage.list():
                yield replace(item, source=self.label, name=storage.prefix + item.name)

    def read(self, item: StoredObject) -> bytes:
        """The whole object. Raises StorageError."""
        storage = self._storage(item)
        return storage.read(_below(storage, item))

    def open(self, item: StoredObject) -> BinaryIO:
        """The object as a stream; reading it raises StorageError."""
        storage = self._storage(item)
        return storage.open(_below(storage, item))

    def read_many(self, items: Iterable[StoredObject]) -> Iterator[tuple[StoredObject, bytes | StorageError]]:
        """Each object with its bytes or what went wrong, in order."""
        for prefix, group in groupby(items, key=lambda item: self._storage(item).prefix):
            storage = next(one for one in self.storages if one.prefix == prefix)
            for item, found in storage.read_many(_below(storage, item) for item in group):
                yield replace(item, source=self.label, name=prefix + item.name), found

    def _storage(self, item: StoredObject) -> S3Storage:
        for storage in self.storages:
            if item.name.startswith(storage.prefix):
                return storage
        raise StorageError(f"s3://{self.label}/{item.name} lies in no source: give it by --source too")


def _below(storage: S3Storage, item: StoredObject) -> StoredObject:
    return replace(item, source=storage.label, name=item.name[len(storage.prefix) :])


def by_bucket(sources: Sources) -> Sources:
    """Sources in S3, by bucket.

    Raises:
        SourceError: One of them is not in S3.
    """
    from trailhouse.storage.s3 import S3Storage  # noqa: PLC0415 - heavy

    found: dict[str, list[S3Storage]] = {}
    for storage in sources.storages:
        if not isinstance(storage, S3Storage):
            raise SourceError(
                f"the source {storage.uri} is not in S3, and a lake in AWS takes in nothing else: leave it out, or ask "
                "it without `lake`"
            )
        found.setdefault(storage.bucket, []).append(storage)
    buckets = tuple(Bucket(name, f"s3://{name}/", tuple(parts)) for name, parts in sorted(found.items()))
    return Sources(buckets, sources.identity)
