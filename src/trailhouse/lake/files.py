"""Where the files of a lake are: in a working folder, or below a prefix in S3 (`s3_files`)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from trailhouse.lake.workspace import NEW, sync, write_durably

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    import duckdb

    from trailhouse.lake.workspace import Workspace

DATA = "warehouse"
"""Folder of the tables in a working folder."""


class Files(Protocol):
    """The files of one lake. A name is a path below the lake, a location is what tables name a file by.

    Attributes:
        near: Whether looking at all of them costs nothing to speak of.
    """

    near: bool

    def place(self, files: Sequence[tuple[str, str]]) -> list[str]:
        """Put files of this machine (path, name) where they belong; their locations, in order. The files are gone."""

    def write(self, name: str, text: str) -> None:
        """Write a small file, so that it is there whole or not at all."""

    def read(self, name: str) -> str:
        """A small file's text."""

    def names(self, folder: str) -> list[str]:
        """The names of all files below a folder, sorted."""

    def location(self, name: str) -> str:
        """The location of a name."""

    def delete(self, names: Iterable[str]) -> None:
        """Delete files; one that is not there is no error."""

    def identity(self, location: str) -> Hashable:
        """The same for one file by whatever location; None where there is none."""

    def show(
        self, connection: duckdb.DuckDBPyConnection, view: str, files: Sequence[str], columns: Sequence[str]
    ) -> None:
        """Make a view over some columns of Parquet files, by their locations; of one statement."""

    def tidy(self) -> None:
        """Remove what writing left unfinished. Needs the lock."""


class LocalFiles:
    """The files of a lake in a working folder; tables lie in `warehouse`, as their catalog has it."""

    near = True

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def _path(self, name: str) -> Path:
        return self._workspace.root / name

    def place(self, files: Sequence[tuple[str, str]]) -> list[str]:
        """Move files into their folders."""
        return [self._move(path, self._path(name)) for path, name in files]

    @staticmethod
    def _move(path: str, target: Path) -> str:
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(path).replace(target)
        sync(target.parent)
        return os.fspath(target)

    def write(self, name: str, text: str) -> None:
        """Write a file that survives a power cut."""
        write_durably(self._path(name), text)

    def read(self, name: str) -> str:
        """A file's text."""
        return self._path(name).read_text()

    def names(self, folder: str) -> list[str]:
        """The files below a folder but those that are being written."""
        found = (path for path in self._path(folder).rglob("*") if path.is_file())
        return sorted(
            path.relative_to(self._workspace.root).as_posix() for path in found if path.suffix != NEW
        )

    def location(self, name: str) -> str:
        """A path."""
        return os.fspath(self._path(name))

    def delete(self, names: Iterable[str]) -> None:
        """Remove files, so that they stay removed."""
        for name in names:
            path = self._path(name)
            path.unlink(missing_ok=True)
            sync(path.parent)

    def identity(self, location: str) -> Hashable:
        """Device and number of the file: the working folder may have been named in another way."""
        try:
            status = os.stat(location)  # noqa: PTH116 - one call less each
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def show(
        self, connection: duckdb.DuckDBPyConnection, view: str, files: Sequence[str], columns: Sequence[str]
    ) -> None:
        """A view over the files, which DuckDB reads by itself."""
        show_files(connection, view, files, columns)

    def tidy(self) -> None:
        """Remove small files that were being written."""
        for folder in (self._workspace.root, self._workspace.intents):
            for unfinished in folder.glob(f"*{NEW}"):
                unfinished.unlink(missing_ok=True)


def show_files(
    connection: duckdb.DuckDBPyConnection, view: str, files: Sequence[str], columns: Sequence[str]
) -> None:
    """Make a view over some columns of Parquet files on this machine."""
    connection.read_parquet(list(files)).select(*columns).create_view(view)
