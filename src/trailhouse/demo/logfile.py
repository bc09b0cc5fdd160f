"""Log files: their keys and their bytes.

Keys are written here and not with the package's own formatter: the truth of a demo must not agree with
the product's mistakes.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

# As fast as the generator itself; the ratio is that of real files.
_LEVEL = 4
# No name, no time, "unknown" as operating system: the same bytes everywhere.
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file is delivered. `stamp` is UTC, `kind` as in the key, `unique` its random part."""

    root: str
    account: str
    kind: str
    region: str
    stamp: datetime
    unique: str

    @property
    def day(self) -> date:
        """The day of delivery."""
        return self.stamp.date()

    @property
    def key(self) -> str:
        """The object's key."""
        folder = f"{self.root}/{self.account}/{self.kind}/{self.region}/{self.stamp:%Y/%m/%d}"
        stem = f"{self.account}_{self.kind}_{self.region}_{self.stamp:%Y%m%dT%H%MZ}"
        return f"{folder}/{stem}_{self.unique}.json.gz"


def gzipped(content: bytes) -> bytes:
    """Return one gzip member without a time in its header."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(content) + packer.flush()
    trailer = zlib.crc32(content).to_bytes(4, "little") + (len(content) & 0xFFFFFFFF).to_bytes(4, "little")
    return _HEADER + body + trailer


def records(texts: Iterable[str]) -> bytes:
    """Return a log file's content before compression."""
    return ('{"Records":[' + ",".join(texts) + "]}").encode()
