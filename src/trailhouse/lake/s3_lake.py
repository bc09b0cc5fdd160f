"""A lake in AWS: tables in Glue; below one prefix in S3 their files, the intents of its runs, and the lock."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from trailhouse.core.layout import Kind
from trailhouse.errors import LakeError
from trailhouse.lake.glue import FENCE, NAMES, GlueTables
from trailhouse.lake.lease import SECONDS, Lease
from trailhouse.lake.s3_files import S3Files
from trailhouse.lake.tables import LakeTables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from trailhouse.aws.gate import Gate
    from trailhouse.lake.files import Files
    from trailhouse.lake.workspace import Workspace

_TRIES = 5


class S3Lake:
    """The lake of one database, for one run.

    Attributes:
        workspace: Room on this machine for what is not yet in the lake.
    """

    scheme = "s3://"
    kinds: frozenset[Kind] | None = frozenset({Kind.CLOUDTRAIL})

    def __init__(
        self, gate: Gate, uri: str, workspace: Workspace, *, database: str, prefix: str = "cloudtrail",
        holder: str, patience: float = 0.0, seconds: int = SECONDS,
    ) -> None:  # fmt: skip
        """Make no call yet.

        Args:
            gate: To Glue and S3.
            uri: `s3://bucket/prefix`, where the lake lies.
            workspace: Prepared; nobody else works in it.
            database: Of its tables.
            prefix: `table_prefix`.
            holder: A name for this run that no other has.
            patience: Seconds to wait for another run at most.
            seconds: How long the lock of this run holds without being renewed.
        """
        self.workspace = workspace
        found = S3Files(gate, uri)
        self.files: Files = found
        self._catalog = GlueTables(gate, database, prefix, found)
        self.tables = LakeTables(self._catalog)
        self._lease = Lease(found, holder, seconds=seconds, patience=patience)

    @property
    def unclean(self) -> bool:
        """Whether the last holder of the lock died, or failed before its end."""
        return self._lease.unclean

    @contextmanager
    def writing(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the lock, and see the tables as they are from then on.

        Raises:
            LakeError: Another run holds it.
            AwsError: AWS refuses.
        """
        self._lease.acquire(waiting)
        clean = False
        try:
            self._catalog.forget()
            if self._lease.unclean:
                self._fence()
            yield
            clean = True
        finally:
            self._lease.release(clean=clean)

    def _fence(self) -> None:
        """Make stale what the last holder knows of the tables: should it wake up, Glue refuses it."""
        for name in NAMES:
            for left in reversed(range(_TRIES)):
                if self._catalog.load(name) is None:
                    break
                try:
                    self.tables.note(name, {FENCE: str(self._lease.fence)})
                    break
                except LakeError:  # its last commit came between
                    self._catalog.forget()
                    if not left:
                        raise

    def hold(self) -> None:
        """Make sure that no other run has taken the lock. Raises LakeError."""
        self._lease.check()

    def seal(self, day: date) -> None:
        """Move the watermark on, in a commit of the ledger. Raises LakeError, AwsError."""
        self.hold()
        self.tables.seal(day)

    def data_folder(self, table: str) -> str:
        """Beside the metadata, as Iceberg has it."""
        return f"{table}/data"

    def is_certain(self, batch: str, placed: Mapping[str, Sequence[str]]) -> bool:
        """Whether the rows are in one of the tables already: then the ledger must say so.

        A batch that is in none is taken in anew. To finish it would take more than its intent: whoever wrote that may
        have written it after it had lost the lock.
        """
        files = self.tables.files()
        return any(
            batch in self.tables.batches(name) or not set(files[name].paths).isdisjoint(paths)
            for name, paths in placed.items()
            if name in NAMES
        )
