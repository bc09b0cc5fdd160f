"""Delivered objects -> Arrow batches and a verdict on each object: the hot path of the lake.

From outside this is one function, `read`. Objects that hold just what is expected go through msgspec in one piece;
whatever it refuses goes through the envelope and the record's slow path, which lose nothing. Both give the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa

from trailhouse.core.layout import Kind
from trailhouse.core.schema import RECORD_COLUMNS, Text
from trailhouse.lake.columns import Repeated, arrow_schema, text_array
from trailhouse.lake.envelope import BOM, NOT_A_TRAIL, Flaw, open_envelope, record_kind
from trailhouse.lake.inflate import InflateError, inflate, inflate_stream
from trailhouse.lake.record import Expected, Unparsed, decode_slowly, unparsed_text
from trailhouse.lake.window import RecordWindows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

BATCH_BYTES = 32 << 20
"""Text after which a batch is given out: 32 MB cost two thirds of the memory of 64 MB at the same speed."""

WHOLE_BYTES = 48 << 20
"""Text up to which an object is read in one piece; longer ones go through in windows."""

_PEEK = 1 << 16
_OTHER_KINDS = (b'"insightDetails"', b'"Aggregated"', b'"NetworkActivity"')


@dataclass(frozen=True, slots=True)
class Delivery:
    """An object to read.

    Attributes:
        number: The caller's number for it; comes back in the rows and in the verdict.
        kind: What its key says it is; None where only the content can tell.
        chunks: Its bytes as stored, in order; one chunk for small objects.
    """

    number: int
    kind: Kind | None
    chunks: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of an object.

    Attributes:
        number: The object's.
        form: How its records were wrapped; empty if nothing in it claims to be CloudTrail.
        kind: The kind of its (first) records.
        records: How many were read.
        flaws: The first places that could not be read.
        misfits: How many there are.
        stored_bytes: Bytes as stored.
        json_bytes: Bytes after decompression.
        sha256: Of the bytes as stored, hex.
    """

    number: int
    form: str
    kind: Kind | None
    records: int
    flaws: tuple[Flaw, ...]
    misfits: int
    stored_bytes: int
    json_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Rows and verdicts.

    Attributes:
        batches: For each kind, its record columns, then `object` (int32, the delivery's number), `logrecord`
            (int64, ordinal in the object) and `unparsed`.
        verdicts: Of the objects that are read to their end.
        json_bytes: Text behind it.
    """

    batches: Mapping[Kind, pa.RecordBatch]
    verdicts: tuple[Verdict, ...]
    json_bytes: int


def read(deliveries: Iterable[Delivery], *, batch_bytes: int = BATCH_BYTES) -> Iterator[Reading]:
    """Read objects in order, in bounded memory whatever their sizes.

    Args:
        deliveries: The objects; each one's chunks are consumed before the next is asked for.
        batch_bytes: Text after which a reading is given out.

    Yields:
        At least one reading; the last verdicts come with the last one. Nothing about an object's content
        raises; errors of reading its chunks do.
    """
    reader = _Reader()
    for delivery in deliveries:
        for _ in reader.take(delivery):
            if reader.size >= batch_bytes:
                yield reader.give()
    yield reader.give()


def batch_schema(kind: Kind) -> pa.Schema:
    """The Arrow schema of a reading's batches of a kind."""
    own = [("object", pa.int32()), ("logrecord", pa.int64()), ("unparsed", pa.string())]
    return pa.schema([*arrow_schema(RECORD_COLUMNS[kind]), *own])


@dataclass(slots=True)
class _Tally:
    """What is known of an object while it is read."""

    number: int
    claimed: Kind | None
    form: str = ""
    kind: Kind | None = None
    records: int = 0
    misfits: int = 0
    stored: int = 0
    json: int = 0
    flaws: list[Flaw] = field(default_factory=list)
    digest: Any = field(default_factory=sha256)

    _MOST_FLAWS = 20

    def flaw(self, flaw: Flaw) -> None:
        self.misfits += 1
        if len(self.flaws) < self._MOST_FLAWS:
            self.flaws.append(flaw)

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.stored += len(chunk)
            self.digest.update(chunk)
            yield chunk

    def verdict(self) -> Verdict:
        return Verdict(
            self.number, self.form, self.kind or self.claimed, self.records, tuple(self.flaws), self.misfits,
            self.stored, self.json, self.digest.hexdigest(),
        )  # fmt: skip


class _Pile:
    """Decoded records of one kind, until they become a batch."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.columns = RECORD_COLUMNS[kind]
        self.expected = Expected(self.columns)
        self._repeated = [None if isinstance(c.type, Text) else Repeated(c) for c in self.columns]
        self.clear()

    def clear(self) -> None:
        self._values: list[tuple[Any, ...]] = []
        self._numbers: list[np.ndarray[Any, Any]] = []
        self._ordinals: list[np.ndarray[Any, Any]] = []
        self._unparsed: list[tuple[int, Unparsed]] = []
        self._chunks: list[tuple[int, list[tuple[Any, ...]]]] = []

    def __len__(self) -> int:
        return len(self._values)

    def add(self, tally: _Tally, records: Sequence[Any]) -> None:
        """Add decoded records of an object, in order."""
        self._index(tally, len(records))
        width = len(self.columns)
        for record in records:
            values = msgspec.structs.astuple(record)
            if len(values) > width:
                extras = [
                    (self.expected.extras[i], bytes(v)) for i, v in enumerate(values[width:]) if memoryview(v)
                ]
                if extras:
                    self._unparsed.append((len(self._values), extras))
                values = values[:width]
            self._values.append(values)

    def add_slowly(self, tally: _Tally, texts: Sequence[bytes]) -> None:
        """Add records that the fast decoder refused."""
        self._index(tally, len(texts))
        for text in texts:
            record = decode_slowly(text, self.columns)
            if record.unparsed:
                self._unparsed.append((len(self._values), record.unparsed))
            self._values.append(record.values)

    def _index(self, tally: _Tally, count: int) -> None:
        self._numbers.append(np.full(count, tally.number, np.int32))
        self._ordinals.append(np.arange(tally.records, tally.records + count, dtype=np.int64))
        tally.records += count
        tally.kind = tally.kind or self.kind

    def batch(self) -> pa.RecordBatch:
        """Everything added so far as one batch."""
        arrays: list[pa.Array] = []
        unparsed: dict[int, Unparsed] = dict(self._unparsed)
        for column, repeated, values in zip(
            self.columns, self._repeated, zip(*self._values, strict=True), strict=True
        ):
            if repeated is None:
                arrays.append(text_array(values, column.type))
                continue
            array, odd = repeated.array(values)
            arrays.append(array)
            for row, pairs in odd:
                unparsed[row] = [*unparsed.get(row, []), *pairs]
        texts: list[str | None] = [None] * len(self._values)
        for row, pairs in unparsed.items():
            texts[row] = unparsed_text(pairs)
        arrays += [pa.array(np.concatenate(self._numbers)), pa.array(np.concatenate(self._ordinals))]
        arrays.append(pa.array(texts, pa.string()))
        return pa.RecordBatch.from_arrays(arrays, schema=batch_schema(self.kind))


@cache
def _piles() -> dict[Kind, _Pile]:
    return {kind: _Pile(kind) for kind in RECORD_COLUMNS}


class _Reader:
    def __init__(self) -> None:
        self._piles = _piles()
        for pile in self._piles.values():
            pile.clear()
        self._verdicts: list[Verdict] = []
        self.size = 0

    def give(self) -> Reading:
        batches = {kind: pile.batch() for kind, pile in self._piles.items() if len(pile)}
        reading = Reading(batches, tuple(self._verdicts), self.size)
        for pile in self._piles.values():
            pile.clear()
        self._verdicts, self.size = [], 0
        return reading

    def take(self, delivery: Delivery) -> Iterator[None]:
        """Read one object; pauses after each piece, so that the caller can take what has piled up."""
        tally = _Tally(delivery.number, delivery.kind)
        chunks = tally.watch(delivery.chunks)
        first, second = next(chunks, b""), next(chunks, b"")
        whole = None if second else inflate(first, WHOLE_BYTES)
        if whole is None or whole.more:
            yield from self._large(tally, chain((first, second), chunks))
        else:
            tally.json = len(whole.data)
            self.size += tally.json
            self._small(tally, whole.data)
            if whole.fault and (tally.form or delivery.kind):
                tally.form = tally.form or "records"
                tally.flaw(Flaw(whole.fault, len(whole.data)))
        for _ in chunks:  # what was given up on still counts in size and checksum
            pass
        self._verdicts.append(tally.verdict())
        yield

    def _small(self, tally: _Tally, text: bytes) -> None:
        if not text.strip():
            return
        form = _fast_form(text, claimed=tally.claimed is not None)
        if form and _is_text(text) and self._fast(tally, text, form):
            return
        self._slow(tally, text, 0)

    def _fast(self, tally: _Tally, text: bytes, form: str) -> bool:
        pile = self._piles[tally.claimed or Kind.CLOUDTRAIL]
        try:
            records = pile.expected.decode(text, form)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return False
        if not records and tally.claimed is None:
            return False
        tally.form = tally.form or form
        pile.add(tally, records)
        return True

    def _slow(self, tally: _Tally, text: bytes, base: int) -> None:
        contents = open_envelope(text, claimed=tally.claimed is not None)
        tally.form = tally.form or contents.form
        for found in contents.found:
            kind = tally.claimed or record_kind(found.text)
            self._piles[kind].add_slowly(tally, [found.text])
        for flaw in contents.flaws:
            tally.flaw(Flaw(flaw.reason, base + flaw.position))

    def _large(self, tally: _Tally, chunks: Iterable[bytes]) -> Iterator[None]:
        windows = RecordWindows(_tolerant(inflate_stream(chunks), tally))
        for window in windows:
            tally.json += len(window.text) - window.added
            self.size += len(window.text)
            texts = tally.records
            if window.form != "other" and _is_text(window.text):
                self._fast(tally, window.text, window.form)
            if tally.records == texts:
                self._slow(tally, window.text, window.position)
            yield
        if windows.flaw:
            tally.form = tally.form or ("records" if tally.claimed else "")
            tally.flaw(windows.flaw)


def _tolerant(pieces: Iterator[bytes], tally: _Tally) -> Iterator[bytes]:
    size = 0
    try:
        for piece in pieces:
            size += len(piece)
            yield piece
    except InflateError as error:
        tally.form = tally.form or ("records" if tally.claimed else "")
        tally.flaw(Flaw(str(error), size))


def _is_text(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _fast_form(text: bytes, *, claimed: bool) -> str:
    """The form to try with the fast decoder; empty if the slow path should look first."""
    head = text[:_PEEK]
    if text.startswith(BOM):
        return ""
    if not claimed and (NOT_A_TRAIL.search(head) or any(mark in text for mark in _OTHER_KINDS)):
        return ""
    if b'"eventVersion"' not in head and (not claimed or b'"Records"' not in head):
        return ""
    head = head.lstrip()
    if head.startswith(b"["):
        return "array"
    if not head.startswith(b"{"):
        return ""
    if text.count(b'"Records"') == 1 and head[1:].lstrip().startswith(b'"Records"'):
        return "records"
    return "" if b'"Records"' in text else "lines"
