"""Sources of log files: folders, files, patterns, archives, standard input, S3. Read only, ever."""

from trailhouse.aws.access import Access
from trailhouse.storage.access import Location
from trailhouse.storage.objects import READ_LIMIT, Skipped, SkippedNames, Storage, StoredObject
from trailhouse.storage.sources import Sources, open_sources

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
