"""Buckets without S3: keys held in memory, and keys that are only computed. Both count LIST calls."""

from __future__ import annotations

import time
from bisect import bisect_left
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from trailhouse.core.deliveries import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from trailhouse.errors import AwsError

PAGE = 1000


class Counted:
    """Counts LIST calls, in all and at once; waits as long as one takes."""

    def __init__(self, latency: float = 0.0) -> None:
        self.calls = 0
        self.most = 0  # at once
        self._now = 0
        self._latency = latency
        self._lock = Lock()

    def called(self, times: int = 1) -> None:
        with self._lock:
            self.calls += times
            self._now += 1
            self.most = max(self.most, self._now)
        if self._latency:
            time.sleep(self._latency * times)
        with self._lock:
            self._now -= 1


class MemoryLister(Counted):
    """A bucket of keys; `stored` says how one is kept, `broken` lists prefixes that answer with an error."""

    def __init__(
        self,
        buckets: Mapping[str, Sequence[str]],
        *,
        stored: Mapping[str, Stored] | Callable[[str], Stored] | None = None,
        broken: Mapping[str, AwsError] | None = None,
    ) -> None:
        super().__init__()
        self._buckets = {bucket: sorted(keys) for bucket, keys in buckets.items()}
        self._stored = stored if callable(stored) else (stored or {}).get
        self._broken = broken or {}

    def children(self, bucket: str, prefix: str) -> Iterator[str]:
        if prefix in self._broken:
            self.called()
            raise self._broken[prefix]
        names = dict.fromkeys(
            head + slash
            for key in self._below(bucket, prefix)
            for head, slash, _ in [key[len(prefix) :].partition("/")]
        )
        self.called(max(1, -(-len(names) // PAGE)))
        yield from names

    def objects(self, bucket: str, prefix: str, limit: int) -> tuple[Stored, ...]:
        self.called()
        keys = [key for _, key in zip(range(limit), self._below(bucket, prefix), strict=False)]
        return tuple(self._stored(key) or Stored("STANDARD") for key in keys)

    def _below(self, bucket: str, prefix: str) -> Iterator[str]:
        keys = self._buckets[bucket]
        for at in range(bisect_left(keys, prefix), len(keys)):
            if not keys[at].startswith(prefix):
                return
            yield keys[at]


class ComputedLister(Counted):
    """`AWSLogs/o-organization/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/`, no key held.

    Attributes:
        accounts: twelve digits each, sorted.
        regions: of every account.
        days: of every region.
    """

    ROOT = ("AWSLogs", "o-organization")

    def __init__(
        self, accounts: Sequence[str], regions: Sequence[str], days: Sequence[date], latency: float = 0.0
    ) -> None:
        super().__init__(latency)
        self.accounts, self.regions, self.days = accounts, regions, days
        self.texts = [day.strftime("%Y/%m/%d/").split("/") for day in days]

    def children(self, bucket: str, prefix: str) -> Iterator[str]:  # noqa: ARG002 - the same in every bucket
        parts = prefix.split("/")[:-1]
        names = self._names(tuple(parts[: len(self.ROOT)]), len(parts), tuple(parts[len(self.ROOT) + 3 :]))
        self.called(max(1, -(-len(names) // PAGE)))
        yield from names

    def objects(self, bucket: str, prefix: str, limit: int) -> tuple[Stored, ...]:  # noqa: ARG002 - of the port
        self.called()
        return (Stored("STANDARD"),) * min(limit, 8)

    @cache  # noqa: B019 - as long-lived as the test
    def _names(self, root: tuple[str, ...], depth: int, below: tuple[str, ...]) -> tuple[str, ...]:
        if root != self.ROOT[: len(root)]:
            return ()
        if depth < len(self.ROOT):
            return (f"{self.ROOT[depth]}/",)
        levels = (self.accounts, ("CloudTrail", "CloudTrail-Digest", "Config"), self.regions)
        if depth < len(self.ROOT) + len(levels):
            return tuple(f"{name}/" for name in levels[depth - len(self.ROOT)])
        at = len(below)
        return tuple(dict.fromkeys(f"{text[at]}/" for text in self.texts if tuple(text[:at]) == below))
