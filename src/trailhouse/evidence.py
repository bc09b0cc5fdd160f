"""What an answer stands on, and what it should know of and does not.

Told from the ledger, without reading a log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trailhouse.output import Input, Missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trailhouse.core.layout import Kind
    from trailhouse.engine.duckdb import DuckDB
    from trailhouse.lake.ingest import Report
    from trailhouse.lake.pending import Needed

Verdict = Literal["quarantined", "changed", "vanished", "unread"]

_WORDS: dict[Verdict, tuple[str, str]] = {
    "quarantined": ("could not be read whole", ""),
    "changed": (
        "changed since it was taken in; answers hold the old content",
        "; `trailhouse clean` starts anew",
    ),
    "vanished": ("is gone from the source; answers still hold it", ""),
    "unread": ("could not be read from the source", "; the next command tries again"),
}


@dataclass(frozen=True, slots=True)
class Gap:
    """One reason why an answer is not the whole truth.

    Attributes:
        verdict: What happened.
        total: To how many objects.
        first: The first one's name.
        reason: Why, of the first.
    """

    verdict: Verdict
    total: int
    first: str
    reason: str

    def sentence(self) -> str:
        """The gap in one line, without the name."""
        return _WORDS[self.verdict][0]

    def next_step(self) -> str:
        """What helps, if something does."""
        return _WORDS[self.verdict][1]


class Evidence:
    """The ledger of one state of the lake, within a window."""

    def __init__(self, engine: DuckDB, prefix: str, needed: Needed, report: Report) -> None:
        self._engine = engine
        self._table = f'"{prefix}_files"'
        self._needed = needed
        self._listing = report.listing
        self._report = report

    def inputs(self, kinds: Sequence[Kind]) -> Iterator[Input]:
        """Every object that rows of these kinds in the window may come from, by name."""
        where, values = self._where(kinds)
        found = f"FROM {self._table} WHERE records > 0 AND {where}"
        sql = f"SELECT source, logfile, size, sha256 {found} ORDER BY 1, 2"
        for batch in self._engine.ask(sql, values):
            yield from (Input(*row.values()) for row in batch.to_pylist())

    def missing(self, kinds: Sequence[Kind]) -> Iterator[Missing]:
        """Every object of these kinds in the window that the answer does not hold whole or as it is now."""
        where, values = self._where(kinds)
        found = f"FROM {self._table} WHERE misfits > 0 AND {where}"
        sql = f"SELECT source, logfile, reason {found} ORDER BY 1, 2"
        for batch in self._engine.ask(sql, values):
            yield from (
                Missing(r["source"], r["logfile"], "quarantined", r["reason"]) for r in batch.to_pylist()
            )
        for verdict, names, _ in self._transient() if kinds else []:
            yield from (Missing(source, name, verdict, reason) for source, name, reason in names)

    def gaps(self, kinds: Sequence[Kind]) -> list[Gap]:
        """The same as a few lines: one a reason."""
        where, values = self._where(kinds)
        sql = (
            f"SELECT count(*) AS total, min_by(logfile, logfile) AS first, min_by(reason, logfile) AS reason "  # noqa: S608 - names of ours
            f"FROM {self._table} WHERE misfits > 0 AND {where}"
        )
        row = self._engine.ask(sql, values).read_all().to_pylist()[0]
        gaps = [Gap("quarantined", row["total"], row["first"], row["reason"])] if row["total"] else []
        transient = self._transient() if kinds else []
        return gaps + [Gap(v, total, names[0][1], names[0][2]) for v, names, total in transient if total]

    def _transient(self) -> list[tuple[Verdict, list[tuple[str, str, str]], int]]:
        listing, report = self._listing, self._report
        changed = [("", name, "other bytes under the same name") for name in listing.changed]
        gone = [("", name, "it is not listed any more") for name in listing.gone]
        unread = [("", name, reason) for name, reason in (*report.unread, *listing.skipped)]
        return [
            ("changed", changed, listing.changed_total),
            ("vanished", gone, listing.gone_total),
            ("unread", unread, report.unread_total + listing.skipped_total),
        ]

    def _where(self, kinds: Sequence[Kind]) -> tuple[str, list[object]]:
        """The window on the ledger; objects whose key does not tell are in every window."""
        needed = self._needed
        if not kinds:
            return "false", []
        clauses = ["(kind IS NULL OR kind IN (SELECT unnest(?)))"]
        parts: list[object] = [[str(kind) for kind in kinds]]
        if needed.first:
            clauses.append("(year IS NULL OR concat_ws('-', year, month, day) >= ?)")
            parts.append(needed.first.isoformat())
        if needed.last:
            clauses.append("(year IS NULL OR concat_ws('-', year, month, day) <= ?)")
            parts.append(needed.last.isoformat())
        for column, names in (("account", needed.accounts), ("region", needed.regions)):
            if names:
                clauses.append(f"({column} IS NULL OR {column} IN (SELECT unnest(?)))")
                parts.append(list(names))
        return " AND ".join(clauses), parts
