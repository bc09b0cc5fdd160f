"""The distinct event ids of a demo, in bounded memory: spooled by their first byte, sorted at the end."""

import hashlib
from bisect import bisect_left
from pathlib import Path

from trailhouse.demo.dice import uuid
from trailhouse.demo.runs import ID_LENGTH, Run

_FLUSH = 1 << 16


class EventIds:
    """Event ids as they come; `digest` gives their number and the SHA-256 of the sorted distinct ones.

    Args:
        folder: where ids wait once they are many; None keeps all of them in memory, 16 bytes each.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._waiting = [bytearray() for _ in range(256)]
        self._odd: set[str] = set()

    def add(self, run: Run) -> None:
        """Take in the ids of a run; records without an id leave nothing."""
        if run.odd is not None:
            self._odd.update(run.event_ids())
            return
        ids, waiting = run.ids, self._waiting
        for at in range(0, len(ids), ID_LENGTH):
            waiting[ids[at]] += ids[at : at + ID_LENGTH]
        if self._folder and len(waiting[ids[0]]) > _FLUSH:
            self._flush(ids[0], self._folder)

    def _flush(self, first: int, folder: Path) -> None:
        with (folder / f"{first:02x}").open("ab") as file:
            file.write(self._waiting[first])
        self._waiting[first] = bytearray()

    def _block(self, first: int) -> bytes:
        """Return all ids that begin with this byte, in the order of their coming."""
        stored = self._folder / f"{first:02x}" if self._folder else None
        return (stored.read_bytes() if stored and stored.exists() else b"") + bytes(self._waiting[first])

    def digest(self) -> tuple[int, str]:
        """Return the number of distinct ids and the SHA-256 of the sorted ids, each followed by a newline."""
        sha, count, odd = hashlib.sha256(), 0, sorted(self._odd)
        for first in range(256):
            block = self._block(first)
            distinct = sorted({block[at : at + ID_LENGTH] for at in range(0, len(block), ID_LENGTH)})
            texts = _uuids(b"".join(distinct))
            after = f"{first + 1:02x}"
            before = len(odd) if first == 255 else bisect_left(odd, after)  # noqa: PLR2004 - the last byte
            texts = sorted([*texts, *odd[:before]])
            odd = odd[before:]
            sha.update("".join([f"{id_}\n" for id_ in texts]).encode())
            count += len(texts)
        return count, sha.hexdigest()


def _uuids(block: bytes) -> list[str]:
    digits = block.hex()
    return [uuid(digits[at : at + 2 * ID_LENGTH]) for at in range(0, len(digits), 2 * ID_LENGTH)]
