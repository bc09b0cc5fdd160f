"""What a run has to take in: the listing less the ledger. Kept in DuckDB, so that millions of names cost no memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import pyarrow as pa

from trailhouse.core.layout import Classified, Kind, LogKey, classify
from trailhouse.lake.files import show_files
from trailhouse.lake.ledger import Item, logfile
from trailhouse.storage import StoredObject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    import duckdb

    Show = Callable[[duckdb.DuckDBPyConnection, str, Sequence[str], Sequence[str]], None]

GZIP_RATIO = 10
"""Bytes of JSON that a stored byte is taken for; real files have 8 to 10."""

ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes whose objects cannot be read before they are restored; Athena skips them without a word."""

_CHUNK = 20_000
_MOST_OBJECTS = 50_000
_NAMED = 1_000
_COLUMNS = ("source", "name", "size", "version", "storage_class", "together", "sort_key")
_KNOWN = ("source", "logfile", "version", "sha256")
_LISTED = pa.schema([(n, pa.int64() if n == "size" else pa.string()) for n in _COLUMNS])


@dataclass(frozen=True, slots=True)
class Needed:
    """Which objects a command needs, as far as their keys tell; the defaults need all.

    Attributes:
        first: First day of delivery.
        last: Last day of delivery.
        accounts: Account folders; empty: all.
        regions: Region folders; empty: all.
    """

    first: date | None = None
    last: date | None = None
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def has(self, key: LogKey) -> bool:
        """Whether an object with this key is needed."""
        day = f"{key.year}-{key.month}-{key.day}"
        return (
            (self.first is None or day >= self.first.isoformat())
            and (self.last is None or day <= self.last.isoformat())
            and (not self.accounts or key.account in self.accounts)
            and (not self.regions or key.region in self.regions)
        )


@dataclass(slots=True)
class Listing:
    """What the listing came to, against the ledger.

    Attributes:
        objects: Listed.
        known: Taken in before, unchanged.
        new: To take in now.
        new_bytes: Their bytes as stored.
        json_bytes: Their JSON, estimated.
        deferred: Not taken in, because the command does not need them.
        first_deferred: The first day of delivery of any of them (`YYYY-MM-DD`), "" if there are none.
        others: Not of the kinds that this lake takes in.
        archived: Not readable, because their storage class is an archive's; the lake waits for none of them.
        changed: Taken in before, with other content now; the first names.
        changed_total: How many.
        gone: Taken in before, no longer there; the first names.
        gone_total: How many.
        skipped: What lies in the sources and is not listed (links that lead nowhere, locked folders); the first
            names and reasons.
        skipped_total: How many.
    """

    objects: int = 0
    known: int = 0
    new: int = 0
    new_bytes: int = 0
    json_bytes: int = 0
    deferred: int = 0
    first_deferred: str = ""
    others: int = 0
    archived: int = 0
    changed: list[str] = field(default_factory=list)
    changed_total: int = 0
    gone: list[str] = field(default_factory=list)
    gone_total: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    skipped_total: int = 0


class Pending:
    """The objects to take in, in order of their day."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        ledger: Sequence[str],
        checksum: Callable[[StoredObject], str | None],
        *,
        show: Show | None = None,
        scheme: str = "",
        kinds: frozenset[Kind] | None = None,
    ) -> None:
        """Read the ledger's files.

        Args:
            connection: In-memory; may spill.
            ledger: Locations of its data files.
            checksum: SHA-256 of an object as it is now, hex; None if it cannot be read. Asked only of objects
                that look changed, for a copy or a touch changes a file's time and nothing else.
            show: Makes a view over some columns of these files; None: they are paths on this machine.
            scheme: How the ledger calls objects, see `ledger.logfile`.
            kinds: The kinds to take in, by their keys; None: all, and strangers whose content decides.
        """
        self._connection = connection
        self._checksum = checksum
        self._scheme = scheme
        self._kinds = kinds
        columns = ", ".join(f"{n} {'BIGINT' if n == 'size' else 'VARCHAR'}" for n in _COLUMNS)
        connection.execute(f"CREATE TABLE pending ({columns})")
        connection.execute(
            "CREATE TABLE known (source VARCHAR, logfile VARCHAR, version VARCHAR, sha256 VARCHAR)"
        )
        connection.execute("CREATE TABLE seen (source VARCHAR, logfile VARCHAR)")
        if ledger:
            (show or show_files)(connection, "ledger", ledger, _KNOWN)
            connection.execute(f"INSERT INTO known SELECT {', '.join(_KNOWN)} FROM ledger")  # noqa: S608 - constants
        self._known = _count(connection, "known")
        self.listing = Listing()

    def collect(self, objects: Iterable[StoredObject], needed: Needed) -> Listing:
        """Compare the listing with the ledger; raises what listing raises."""
        rest = iter(objects)
        while chunk := list(islice(rest, _CHUNK)):
            self._compare(chunk, needed)
        self.listing.gone_total = self._known - self.listing.known - self.listing.changed_total
        if self.listing.gone_total:
            self.listing.gone = self._gone()
        return self.listing

    def _gone(self) -> list[str]:
        rows = self._connection.execute(
            "SELECT logfile FROM known ANTI JOIN seen USING (source, logfile) ORDER BY logfile LIMIT $1",
            [_NAMED],
        )
        return [row[0] for row in rows.fetchall()]

    def _compare(self, chunk: Sequence[StoredObject], needed: Needed) -> None:
        listing = self.listing
        listing.objects += len(chunk)
        known = self._taken_in(chunk) if self._known else [(None, None)] * len(chunk)
        rows = []
        for stored, (version, sha256) in zip(chunk, known, strict=True):
            if version is None:
                key = classify(stored.name)
                if self._left_out(stored, key, needed):
                    continue
                listing.new_bytes += stored.size
                listing.json_bytes += json_estimate(stored)
                rows.append((*_row(stored), _sort_key(key)))
            elif version == stored.version or sha256 in {None, self._checksum(stored)}:
                listing.known += 1  # what was never read may change as it likes
            else:
                listing.changed_total += 1
                if len(listing.changed) < _NAMED:
                    listing.changed.append(stored.name)
        listing.new += len(rows)
        if rows:
            new = pa.Table.from_arrays([pa.array(c) for c in zip(*rows, strict=True)], schema=_LISTED)
            self._connection.from_arrow(new).insert_into("pending")

    def _left_out(self, stored: StoredObject, key: Classified, needed: Needed) -> bool:
        """Whether an object that is not known is not taken in now; counted."""
        listing = self.listing
        if self._kinds is not None and not (isinstance(key, LogKey) and key.kind in self._kinds):
            listing.others += 1
        elif self._kinds is not None and stored.storage_class in ARCHIVED:
            listing.archived += 1
        elif isinstance(key, LogKey) and key.kind is not Kind.DIGEST and not needed.has(key):
            listing.deferred += 1
            day = f"{key.year}-{key.month}-{key.day}"
            listing.first_deferred = min(listing.first_deferred or day, day)
        else:
            return False
        return True

    def _taken_in(self, chunk: Sequence[StoredObject]) -> list[tuple[str | None, str | None]]:
        """Version and SHA-256 of each object when it was taken in; None twice if it was not."""
        numbered = pa.table(
            {
                "n": range(len(chunk)),
                "source": [o.source for o in chunk],
                "logfile": [logfile(o, self._scheme) for o in chunk],
            }
        )
        listed = self._connection.from_arrow(numbered)
        joined = listed.query(
            "listed", "SELECT version, sha256 FROM listed LEFT JOIN known USING (source, logfile) ORDER BY n"
        )
        found: list[tuple[str | None, str | None]] = joined.fetchall()
        self._connection.from_arrow(numbered.drop_columns(["n"])).insert_into("seen")
        return found

    def batches(self, json_bytes: int) -> Iterator[list[Item]]:
        """The objects to take in, by day, in batches of about that much JSON."""
        cursor = self._connection.cursor().execute(
            f"SELECT {', '.join(_COLUMNS[:-1])} FROM pending ORDER BY together, sort_key, source, name"  # noqa: S608 - constants
        )
        batch: list[Item] = []
        size = 0
        while rows := cursor.fetchmany(_CHUNK):
            for row in rows:
                stored = StoredObject(*row)
                if batch and (size + json_estimate(stored) > json_bytes or len(batch) >= _MOST_OBJECTS):
                    yield batch
                    batch, size = [], 0
                batch.append(Item(stored, classify(stored.name), self._scheme))
                size += json_estimate(stored)
        if batch:
            yield batch


def _sort_key(key: Classified) -> str:
    """Objects in the order of the rows that they hold, so that runs hardly overlap and merging copies little."""
    return f"{key.year}{key.month}{key.day}/{key.account}/{key.region}" if isinstance(key, LogKey) else ""


def json_estimate(stored: StoredObject) -> int:
    """Bytes of JSON that an object probably holds."""
    return stored.size * (GZIP_RATIO if stored.name.endswith("gz") else 1)


def _row(stored: StoredObject) -> tuple[str | int, ...]:
    return stored.source, stored.name, stored.size, stored.version, stored.storage_class, stored.together


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our own two names
    return int(row[0]) if row else 0
