"""A lake as taking in needs it: its tables, its files and its lock, in a working folder or (`s3_lake`) in AWS."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from trailhouse.lake.files import DATA, Files, LocalFiles
from trailhouse.lake.lock import writing
from trailhouse.lake.tables import LakeTables, Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import date

    from trailhouse.core.layout import Kind
    from trailhouse.lake.workspace import Workspace


class Lake(Protocol):
    """One lake.

    Attributes:
        workspace: Room on this machine for what is not yet in the lake.
        tables: Its tables.
        files: Their files.
        scheme: What the ledger and the rows say before `source/name` of an object; "": they say its name alone.
        kinds: The delivery kinds that it takes in, by their keys; None: all, and what only its content can tell.
    """

    workspace: Workspace
    tables: LakeTables
    files: Files
    scheme: str
    kinds: frozenset[Kind] | None

    @property
    def unclean(self) -> bool:
        """Whether an earlier run ended before its time and may have left files. Needs the lock."""

    def writing(self, waiting: Callable[[], None]) -> AbstractContextManager[None]:
        """Hold the lock; `waiting` is called once if another run has it."""

    def hold(self) -> None:
        """Make sure that the lock is still held. Raises LakeError when another run has taken it."""

    def seal(self, day: date) -> None:
        """Every day of delivery before this one is whole. Needs the lock. Raises LakeError."""

    def data_folder(self, table: str) -> str:
        """The folder (a name) of a table's data files."""

    def is_certain(self, batch: str, placed: Mapping[str, Sequence[str]]) -> bool:
        """Whether a batch of an earlier run, with its files by table, is to be finished, not dropped."""


class LocalLake:
    """A lake in a working folder."""

    scheme = ""
    kinds: frozenset[Kind] | None = None

    def __init__(self, workspace: Workspace, tables: LakeTables | None = None) -> None:
        self.workspace = workspace
        self.tables: LakeTables = tables or Tables(workspace)
        self.files: Files = LocalFiles(workspace)

    @property
    def unclean(self) -> bool:
        """Whether anything is in staging, which a run that ends well leaves empty."""
        return any(self.workspace.staging.iterdir())

    @contextmanager
    def writing(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Hold the lock; the system lets go of it when its holder dies."""
        with writing(self.workspace.lock, waiting):
            yield

    def hold(self) -> None:
        """It is: nobody else can take it from a living process."""

    def seal(self, day: date) -> None:
        """Nothing: here every question is answered from the lake alone."""

    def data_folder(self, table: str) -> str:
        """As the local catalog has it."""
        return f"{DATA}/{table}/data"

    def is_certain(self, batch: str, placed: Mapping[str, Sequence[str]]) -> bool:  # noqa: ARG002 - of the protocol
        """Always: whoever wrote the intent is dead, or it would hold the lock."""
        return True
