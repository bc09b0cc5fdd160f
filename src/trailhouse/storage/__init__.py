"""Sources of log files: folders, files, patterns, archives, standard input, S3. Read only, ever.

Names are loaded when first used: finding out what is delivered needs no library that unpacks.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trailhouse.aws.access import Access
    from trailhouse.storage.access import Location
    from trailhouse.storage.objects import READ_LIMIT, Skipped, SkippedNames, Storage, StoredObject
    from trailhouse.storage.sources import Sources, open_sources

_HOMES = {
    "aws.access": ("Access",),
    "storage.access": ("Location",),
    "storage.objects": ("READ_LIMIT", "Skipped", "SkippedNames", "Storage", "StoredObject"),
    "storage.sources": ("Sources", "open_sources"),
}

__all__ = [
    "READ_LIMIT",
    "Access",
    "Location",
    "Skipped",
    "SkippedNames",
    "Sources",
    "Storage",
    "StoredObject",
    "open_sources",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        for home, names in _HOMES.items():
            if name in names:
                return getattr(import_module(f"trailhouse.{home}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
