"""Delivered objects -> Arrow batches and a verdict on each object: the hot path of the lake.

From outside this is one function, `read`. Objects that hold just what is expected go through msgspec in one
piece; whatever it refuses goes through the envelope and the record's slow path, which lose nothing. Both give
the same rows.
"""

from __future__ import annotations

import re
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
from trailhouse.lake.columns import Plain, Repeated, arrow_schema
from trailhouse.lake.envelope import open_envelope, record_kind
from trailhouse.lake.inflate import Inflated, InflateError, inflate, inflate_stream
from trailhouse.lake.record import ABSENT, Expected, Unparsed, decode_slowly, is_utf8, path_of, unparsed_text
from trailhouse.lake.salvage import Flaw
from trailhouse.lake.window import RecordWindows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

BATCH_BYTES = 16 << 20
"""Text after which a batch is given out; from 8 to 16 MB is quickest, for it stays in the cache and the arenas."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much text is held at once, in bytes.

    Attributes:
        whole: Up to this an object is read in one piece; longer ones go through in windows.
        window: A window's size, as long as records fit in it.
        most: The longest record, and the longest text of a form that cannot be cut.
    """

    whole: int = 48 << 20
    window: int = 16 << 20
    most: int = 96 << 20


DEFAULT_LIMITS = Limits()

_PEEK = 1 << 16
_RECORDS = b'"Records"'
_HEAD = re.compile(rb'\{\s*"Records"')
_WHOLE_STORED = 8 << 20
_OTHER_KINDS = (b'"insightDetails"', b'"Insight"', b'"Aggregated"', b'"NetworkActivity"')


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


def read(
    deliveries: Iterable[Delivery], *, batch_bytes: int = BATCH_BYTES, limits: Limits = DEFAULT_LIMITS
) -> Iterator[Reading]:
    """Read objects in order, in bounded memory whatever their sizes.

    Args:
        deliveries: The objects; each one's chunks are consumed before the next is asked for.
        batch_bytes: Text after which a reading is given out.
        limits: How much text is held at once.

    Yields:
        At least one reading; the last verdicts come with the last one. Nothing about an object's content
        raises; errors of reading its chunks do.
    """
    reader = _Reader(limits)
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
    fault: Flaw | None = None
    flaws: list[Flaw] = field(default_factory=list)
    digest: Any = field(default_factory=sha256)

    _MOST_FLAWS = 20

    def flaw(self, flaw: Flaw) -> None:
        self.misfits += 1
        if len(self.flaws) < self._MOST_FLAWS:
            self.flaws.append(flaw)

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in filter(None, chunks):
            self.stored += len(chunk)
            self.digest.update(chunk)
            yield chunk

    def verdict(self) -> Verdict:
        return Verdict(
            self.number, self.form, self.kind or self.claimed, self.records, tuple(self.flaws), self.misfits,
            self.stored, self.json, self.digest.hexdigest(),
        )  # fmt: skip


class _Known:
    """What is learnt about a kind for as long as the process lives: unknown fields, repeated identities."""

    def __init__(self, kind: Kind) -> None:
        columns = RECORD_COLUMNS[kind]
        self.expected = Expected(columns)
        self.columns = [Plain(c.type) if isinstance(c.type, Text) else Repeated(c) for c in columns]


@cache
def _known(kind: Kind) -> _Known:
    return _Known(kind)


class _Pile:
    """Decoded records of one kind, until they become a batch."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.columns = RECORD_COLUMNS[kind]
        known = _known(kind)
        self.expected = known.expected
        self._columns = known.columns
        self.clear()

    def clear(self) -> None:
        self._records: list[Any] = []
        self._numbers: list[np.ndarray[Any, Any]] = []
        self._ordinals: list[np.ndarray[Any, Any]] = []
        self._unparsed: dict[int, Unparsed] = {}

    def __len__(self) -> int:
        return len(self._records)

    def add(self, tally: _Tally, records: Sequence[Any]) -> None:
        """Add decoded records of an object, in order."""
        self._index(tally, len(records))
        self._records.extend(records)

    def add_slowly(self, tally: _Tally, texts: Sequence[bytes]) -> None:
        """Add records that the fast decoder refused."""
        self._index(tally, len(texts))
        for text in texts:
            record = decode_slowly(text, self.columns)
            if record.unparsed:
                self._unparsed[len(self._records)] = record.unparsed
            self._records.append(self.expected.record(*record.values))

    def _index(self, tally: _Tally, count: int) -> None:
        self._numbers.append(np.full(count, tally.number, np.int32))
        self._ordinals.append(np.arange(tally.records, tally.records + count, dtype=np.int64))
        tally.records += count
        tally.kind = tally.kind or self.kind

    def batch(self) -> pa.RecordBatch:
        """Everything added so far as one batch."""
        arrays: list[pa.Array] = []
        unparsed = self._unparsed
        for i, name in enumerate(self.expected.extras):
            for row, text in self._extra(f"extra{i}"):
                unparsed[row] = [*unparsed.get(row, []), (path_of(name), text)]
        # Unknown fields stand behind the columns, and not in every record: the shortest decides.
        columns = zip(*map(msgspec.structs.astuple, self._records), strict=False)
        for encoder, values in zip(self._columns, columns, strict=False):
            array, odd = encoder.array(values)
            arrays.append(array)
            for row, pairs in odd:
                unparsed[row] = [*unparsed.get(row, []), *pairs]
        arrays += [pa.array(np.concatenate(self._numbers)), pa.array(np.concatenate(self._ordinals))]
        arrays.append(_unparsed_array(unparsed, len(self._records)))
        return pa.RecordBatch.from_arrays(arrays, schema=batch_schema(self.kind))

    def _extra(self, name: str) -> Iterator[tuple[int, bytes]]:
        """Rows that have an unknown field; records decoded before it was met have no place for it."""
        for row, record in enumerate(self._records):
            text = getattr(record, name, ABSENT)
            if text is not ABSENT:
                yield row, bytes(text)


def _unparsed_array(unparsed: dict[int, Unparsed], rows: int) -> pa.Array:
    if not unparsed:
        return pa.nulls(rows, pa.string())
    texts: list[str | None] = [None] * rows
    for row, pairs in unparsed.items():
        texts[row] = unparsed_text(pairs)
    return pa.array(texts, pa.string())


class _Reader:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._piles = {kind: _Pile(kind) for kind in RECORD_COLUMNS}
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
        stored, ended = _gather(chunks, _WHOLE_STORED)
        whole = inflate(stored, self._limits.whole) if ended else None
        if whole is None or whole.more:
            yield from self._large(tally, chain((stored,), chunks))
        else:
            self._small(tally, whole)
        for _ in chunks:  # what was given up on still counts in size and checksum
            pass
        self._verdicts.append(tally.verdict())
        yield

    def _small(self, tally: _Tally, whole: Inflated) -> None:
        text = whole.data
        tally.json = len(text)
        self.size += tally.json
        if text.strip():
            form = _fast_form(text, claimed=tally.claimed is not None)
            if not (form and self._fast(tally, text, form)):
                self._slow(tally, text, 0)
        self._conclude(tally, Flaw(whole.fault, len(text)) if whole.fault else None)

    def _fast(self, tally: _Tally, text: bytes, form: str) -> bool:
        if not is_utf8(text) or (tally.claimed is None and any(mark in text for mark in _OTHER_KINDS)):
            return False
        pile = self._piles[tally.claimed or Kind.CLOUDTRAIL]
        try:
            records = pile.expected.decode(text, form)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return False
        if not (tally.claimed and form == "records") and not _all_recognised(records, tally.claimed):
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
        windows = RecordWindows(
            _tolerant(inflate_stream(chunks), tally), size=self._limits.window, most=self._limits.most
        )
        for window in windows:
            tally.json += len(window.text) - window.added
            self.size += len(window.text)
            # Of two lists under one name the decoder would keep the last.
            twice = window.form == "records" and window.text.count(_RECORDS) > 1
            known = window.form != "other" and not twice and self._fast(tally, window.text, window.form)
            if not known and window.text.strip():
                self._slow(tally, window.text, window.position)
            yield
        self._conclude(tally, windows.flaw, claims=windows.claims)
        self._conclude(tally, tally.fault)

    def _conclude(self, tally: _Tally, flaw: Flaw | None, *, claims: bool = False) -> None:
        """Note why the rest of an object is missing, if it is one of CloudTrail's."""
        if flaw and (claims or tally.claimed or tally.form):
            tally.form = tally.form or "records"
            tally.flaw(flaw)


def _gather(chunks: Iterator[bytes], size: int) -> tuple[bytes, bool]:
    """The first chunks, up to about a size, and whether that is all."""
    gathered: list[bytes] = []
    for chunk in chunks:
        gathered.append(chunk)
        if len(gathered) > 1 and sum(map(len, gathered)) > size:
            return b"".join(gathered), False
    return b"".join(gathered), True


def _tolerant(pieces: Iterator[bytes], tally: _Tally) -> Iterator[bytes]:
    size = 0
    try:
        for piece in pieces:
            size += len(piece)
            yield piece
    except InflateError as error:
        tally.fault = Flaw(str(error), size)


def _all_recognised(records: Sequence[Any], claimed: Kind | None) -> bool:
    """Whether the envelope would take all of these for records too; a stricter test than its own."""
    return bool(records) and all(
        r.eventversion is not None
        and r.eventid is not None
        and (claimed is not None or not (r.eventsource or "").startswith("aws:"))
        for r in records
    )


def _fast_form(text: bytes, *, claimed: bool) -> str:
    """The form to try with the fast decoder; empty if the slow path should look first."""
    head = text[:_PEEK]
    lists = text.count(_RECORDS)
    if b'"eventVersion"' not in head and not (claimed and lists):
        return ""
    head = head.lstrip()
    if head.startswith(b"["):
        return "array"
    if not lists:
        return "lines" if head.startswith(b"{") else ""
    return "records" if lists == 1 and _HEAD.match(head) else ""
