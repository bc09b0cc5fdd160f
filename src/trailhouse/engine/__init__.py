"""What answers statements: DuckDB on the local lake; Athena and Trino where the logs are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from trailhouse.dialect import Statement


class Engine(Protocol):
    """One engine, opened."""

    name: str

    def tables(self) -> dict[str, list[tuple[str, str]]]:
        """Every name that can be asked with its columns and their types."""

    def execute(self, statement: Statement) -> pa.RecordBatchReader:
        """Run a statement; rows come as they are fetched."""

    def interrupt(self) -> None:
        """Stop what runs; safe from another thread."""

    def close(self) -> None:
        """Let go of everything."""


class Watch(Protocol):
    """Hears how far a statement is that runs elsewhere."""

    def running(self, state: str, scanned: int, seconds: float) -> None:
        """It is in this state, has read so many bytes, and was sent so many seconds ago."""

    def done(self) -> None:
        """It is over, one way or the other; may be called twice."""


class Unwatched:
    """Progress that nobody wants to see."""

    def running(self, state: str, scanned: int, seconds: float) -> None:
        """Do nothing."""

    def done(self) -> None:
        """Do nothing."""
