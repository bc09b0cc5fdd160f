"""Buckets in memory: objects by key, and listings of them as S3 pages them."""

from __future__ import annotations

import hashlib
import threading
import time
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ACCOUNT = "123456789012"
LAST = "\U0010ffff"


@dataclass(slots=True)
class Stored:
    """An object. `restore` is empty, "running", or the time until which a copy is there (epoch seconds)."""

    body: bytes
    etag: str
    modified: float
    headers: dict[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"
    restore: str = ""


@dataclass(slots=True)
class Page:
    """One page of a listing."""

    keys: list[str]
    prefixes: list[str]
    last: str = ""  # where the next page goes on; empty if this is the last one


@dataclass(slots=True)
class Bucket:
    """A bucket. Aliases are names of access points for it."""

    name: str
    region: str = "us-east-1"
    owner: str = ACCOUNT
    requester_pays: bool = False
    made: float = field(default_factory=time.time)
    objects: dict[str, Stored] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _order: list[str] | None = None

    def put(
        self, key: str, body: bytes, *, storage_class: str = "STANDARD", restore: str = "", **more: str
    ) -> Stored:
        """Store an object; `more` are its headers (underscores for dashes)."""
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        stored = Stored(body, f'"{etag}"', time.time(), {n.replace("_", "-"): v for n, v in more.items()})
        stored.storage_class, stored.restore = storage_class, restore
        self.store(key, stored)
        return stored

    def put_all(self, objects: Iterable[tuple[str, bytes]]) -> int:
        """Store many; returns how many."""
        count = 0
        with self.lock:
            for count, (key, body) in enumerate(objects, 1):  # noqa: B007 - the count is the answer
                self.put(key, body)
        return count

    def store(self, key: str, stored: Stored) -> None:
        """Store what is made already."""
        with self.lock:
            if key not in self.objects and self._order is not None:
                if len(self._order) > 1000:
                    insort(self._order, key, key=_bytes)
                else:
                    self._order = None
            self.objects[key] = stored

    def remove(self, key: str) -> None:
        """Remove an object, if there."""
        with self.lock:
            if self.objects.pop(key, None) is not None:
                self._order = None

    def order(self) -> list[str]:
        """All keys in S3's order: by their UTF-8 bytes."""
        with self.lock:
            if self._order is None:
                self._order = sorted(self.objects, key=_bytes)
            return self._order

    def page(self, prefix: str, delimiter: str, after: str, size: int) -> Page:
        """Keys and folders under a prefix, after a key or folder."""
        with self.lock:
            order = self.order()
            at = bisect_left(order, _bytes(prefix), key=_bytes)
            if after >= prefix:
                folded = delimiter and after.endswith(delimiter) and after.startswith(prefix)
                at = max(at, bisect_right(order, _bytes(after + (LAST if folded else "")), key=_bytes))
            page = Page([], [])
            while at < len(order) and order[at].startswith(prefix):
                if len(page.keys) + len(page.prefixes) >= size:
                    page.last = max(page.keys[-1:] + page.prefixes[-1:], key=_bytes)
                    break
                folder = _folder(order[at], prefix, delimiter)
                if folder:
                    page.prefixes.append(folder)
                    at = bisect_left(order, _bytes(folder + LAST), lo=at, key=_bytes)
                else:
                    page.keys.append(order[at])
                    at += 1
            return page


def _folder(key: str, prefix: str, delimiter: str) -> str:
    end = key.find(delimiter, len(prefix)) if delimiter else -1
    return key[: end + len(delimiter)] if end >= 0 else ""


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")
