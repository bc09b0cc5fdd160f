"""Buckets as people have them, by their keys, and what is found in them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from listings import MemoryLister
from trailhouse.aws.access import Access
from trailhouse.core.layout import Kind, LogKey, format_key
from trailhouse.storage import Location
from trailhouse.storage.discovery import Discovery

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TODAY = date(2026, 3, 2)


def key(account: str, day: date, root: str = "AWSLogs", region: str = "eu-west-1") -> str:
    """The key of one delivery."""
    year, month, number = day.isoformat().split("-")
    stamp = f"{year}{month}{number}T1230Z"
    return format_key(LogKey(root, account, Kind.CLOUDTRAIL, region, year, month, number, stamp, "x"))


def discovery(*keys: str, source: str = "s3://logs", today: date = TODAY) -> Discovery:
    """Discovery of one bucket."""
    return discoveries({"logs": keys}, [source], today)


def discoveries(buckets: dict[str, Sequence[str]], sources: Iterable[str], today: date = TODAY) -> Discovery:
    """Discovery of several."""
    lister = MemoryLister(buckets)
    locations = [Location(source, Access()) for source in sources]
    return Discovery(locations, today=today, lister=lambda _: lister)
