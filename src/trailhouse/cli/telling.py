"""What is said about an answer's completeness, on standard error, in few lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailhouse.core.sizes import count_of
from trailhouse.output import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailhouse.evidence import Gap
    from trailhouse.lake.ingest import Report
    from trailhouse.output import Console, Progress


@dataclass(frozen=True, slots=True)
class IngestTalk:
    """Turns what a run reaches into a bar and a line or two."""

    console: Console
    bar: Progress

    def start(self, files: int, stored_bytes: int) -> None:
        """Something is new."""
        self.bar.start(files, stored_bytes)

    def advance(self, files: int, stored_bytes: int, records: int) -> None:
        """This much more is read."""
        self.bar.advance(files, stored_bytes, records)

    def reached(self, point: str) -> None:
        """A commit point is passed."""
        self.console.detail(f"reached: {point}")

    def waiting(self) -> None:
        """Another run writes."""
        self.console.note("another run is taking in these sources; waiting for it (Ctrl-C leaves it alone)")

    def done(self) -> None:
        """It is over."""
        self.bar.done()


def tell_report(console: Console, report: Report) -> None:
    """Say what was taken in, if anything was."""
    listing = report.listing
    if report.files:
        console.note(
            f"taken in: {count_of(report.records, 'record')} from {count_of(report.files, 'file')}"
            + (f", {report.duplicates:,} of them delivered before" if report.duplicates else "")
        )
    if listing.deferred:
        console.detail(
            f"left for later, outside of the window, accounts or regions: {count_of(listing.deferred, 'file')}"
        )


def tell_nothing_new(console: Console, report: Report) -> None:
    """Say why nothing was taken in."""
    listing = report.listing
    if listing.known:
        console.note(f"nothing new: {count_of(listing.known, 'file is', 'files are')} in the lake already")
    elif listing.deferred:
        console.note(
            f"none of {count_of(listing.deferred, 'file')} lies in the window, accounts and regions asked for"
        )
    elif not listing.objects:
        console.note("there is no file in these sources")


def tell_gaps(console: Console, gaps: Sequence[Gap]) -> None:
    """Say what the answer should know of and does not; a line a reason, the first name with it."""
    for gap in gaps:
        more = f" and {gap.total - 1:,} more" if gap.total > 1 else ""
        console.warn(f"{escape(gap.first)}{more} {gap.sentence()} ({escape(gap.reason)}){gap.next_step()}")
