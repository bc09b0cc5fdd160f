"""The ledger: one row an object, so that every run knows what is taken in and what changed under its name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from trailhouse.core.layout import Classified, Folder, Foreign, Kind, LogKey
from trailhouse.core.schema import FILES_COLUMNS
from trailhouse.lake.columns import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from trailhouse.lake.reader import Verdict
    from trailhouse.storage import StoredObject

_MOST_REASON = 500


class Status(StrEnum):
    """What came of an object."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    QUARANTINED = "quarantined"
    EMPTY = "empty"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Item:
    """An object that a run has to deal with, and what its key says of it.

    Attributes:
        object: As listed.
        place: What its key says.
        scheme: What stands before source and name where rows name the object by both.
    """

    object: StoredObject
    place: Classified
    scheme: str = ""

    @property
    def logfile(self) -> str:
        """What rows and ledger call the object."""
        return logfile(self.object, self.scheme)

    @property
    def kind(self) -> Kind | None:
        """The delivery kind that the key claims."""
        return self.place.kind if isinstance(self.place, LogKey) else None

    @property
    def logroot(self) -> str:
        """Source and path down to the folder of the account folders; the source alone outside any layout."""
        root = self.place.root if isinstance(self.place, LogKey) else ""
        return f"{self.object.source}/{root}" if root else self.object.source

    @property
    def passed_over(self) -> str:
        """Why the object is not even opened; empty if it is."""
        if isinstance(self.place, Folder) and not self.object.size:
            return "a folder's marker"
        if isinstance(self.place, Foreign):
            return f"a log of another service: {self.place.service}"
        return "a digest" if self.kind is Kind.DIGEST else ""


def logfile(stored: StoredObject, scheme: str) -> str:
    """What rows and ledger call an object: its name, or scheme, source and name."""
    return f"{scheme}{stored.source}/{stored.name}" if scheme else stored.name


def ledger_schema() -> pa.Schema:
    """The Arrow schema of the ledger."""
    return arrow_schema(FILES_COLUMNS)


def passed_over(item: Item, batch: str, now: datetime) -> dict[str, Any]:
    """The ledger's row for an object that is not opened."""
    return {
        **_row(item, batch, now),
        "status": Status.IGNORED,
        "reason": item.passed_over,
        "records": 0,
        "misfits": 0,
    }


def taken_in(item: Item, verdict: Verdict, batch: str, now: datetime) -> dict[str, Any]:
    """The ledger's row for an object that was read."""
    first = verdict.flaws[0] if verdict.flaws else None
    return {
        **_row(item, batch, now),
        "kind": verdict.kind,
        "sha256": verdict.sha256,
        "jsonbytes": verdict.json_bytes,
        "records": verdict.records,
        "misfits": verdict.misfits,
        "status": _status(verdict),
        "reason": _reason(verdict),
        "position": first.position if first else None,
    }


def to_table(rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Rows as Arrow, in the ledger's columns."""
    return pa.Table.from_pylist(list(rows), schema=ledger_schema())


def _row(item: Item, batch: str, now: datetime) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(c.name for c in FILES_COLUMNS)
    if isinstance(item.place, LogKey):
        for name in ("account", "region", "year", "month", "day"):
            row[name] = getattr(item.place, name)
    stored = item.object
    row |= {"source": stored.source, "logfile": item.logfile, "kind": item.kind, "logroot": item.logroot}
    return row | {"size": stored.size, "version": stored.version, "batch": batch, "ingestedat": now}


def _status(verdict: Verdict) -> Status:
    if verdict.misfits:
        return Status.PARTIAL if verdict.records else Status.QUARANTINED
    if verdict.records:
        return Status.COMPLETE
    return Status.EMPTY if verdict.form or not verdict.json_bytes else Status.IGNORED


def _reason(verdict: Verdict) -> str | None:
    if verdict.flaws:
        return verdict.flaws[0].reason[:_MOST_REASON]
    if verdict.records:
        return None
    return (
        "no records in it"
        if verdict.form
        else "nothing of CloudTrail in it"
        if verdict.json_bytes
        else "empty"
    )
