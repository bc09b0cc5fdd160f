"""The working folder of one source: everything that trailhouse writes on a laptop is in here."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trailhouse.core.sizes import format_size
from trailhouse.errors import DiskError, LakeError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FORMAT = 1
"""Of the working folder's layout; a folder of a newer format is not touched."""

NEW = ".new"
"""Suffix of a small file that is being written; worthless when the lock is free."""

_ABOUT = "source.json"
_LEAST_FREE = 64 << 20
_PATTERN_SIGNS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Workspace:
    """Paths below one working folder.

    Attributes:
        root: The folder, its real path; made on first use, readable by its owner only.
    """

    root: Path

    @property
    def catalog(self) -> Path:
        """The Iceberg catalog, a SQLite database."""
        return self.root / "catalog.sqlite"

    @property
    def warehouse(self) -> Path:
        """Tables: data and metadata."""
        return self.root / "warehouse"

    @property
    def staging(self) -> Path:
        """What an unfinished run has written; worthless when the lock is free."""
        return self.root / "staging"

    @property
    def intents(self) -> Path:
        """Batches that are written but perhaps not committed to every table."""
        return self.root / "intents"

    @property
    def spool(self) -> Path:
        """Standard input, kept because it can be read only once."""
        return self.root.parent / "stdin"

    @property
    def lock(self) -> Path:
        """Held by the run that writes."""
        return self.root / "lock"

    def prepare(self, sources: Sequence[str]) -> None:
        """Make the folder for these sources.

        Raises:
            OutputError: It cannot be made or written.
            LakeError: A newer trailhouse made it.
        """
        about = self.root / _ABOUT
        if found := _PATTERN_SIGNS.intersection(os.fspath(self.root)):
            raise OutputError(
                f"the working folder {self.root} has {' and '.join(sorted(found))} in its path, which would be taken "
                "for a pattern of names; name another with --workdir"
            )
        try:
            if about.exists():
                self._check_format(about)
            for folder in (self.root, self.warehouse, self.staging, self.intents):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not about.exists():
                write_durably(about, json.dumps({"format": FORMAT, "sources": list(sources)}, indent=2))
        except OSError as error:
            raise OutputError(
                f"the working folder {self.root} cannot be written ({error.strerror}); name another with --workdir"
            ) from error

    @staticmethod
    def _check_format(about: Path) -> None:
        try:
            found = int(json.loads(about.read_text())["format"])
        except (ValueError, KeyError, TypeError) as error:
            raise LakeError(f"{about} is damaged; remove the folder {about.parent} and run again") from error
        if found > FORMAT:
            raise LakeError(
                f"{about.parent} was made by a newer trailhouse (format {found}, this one knows {FORMAT}): "
                "update trailhouse, or name another folder with --workdir"
            )

    def check_disk(self, needed: int) -> None:
        """Refuse before anything is written when `needed` bytes will not fit.

        Raises:
            DiskError: They do not.
        """
        free = shutil.disk_usage(self.root).free
        if free < needed + _LEAST_FREE:
            raise DiskError(
                f"taking this in needs about {format_size(needed)} in {self.root} and {format_size(free)} are free: "
                "narrow it with --since, --until, --account or --region, or name another folder with --workdir"
            )

    def size(self) -> int:
        """Bytes in the folder."""
        return sum(entry.stat(follow_symlinks=False).st_size for entry in _files(self.root))

    def remove(self) -> None:
        """Remove the folder with all that is in it. Needs the lock."""
        shutil.rmtree(self.root)


def workspaces(workdir: Path) -> list[tuple[Workspace, tuple[str, ...]]]:
    """The working folders below `workdir`, each with the sources that it was made for."""
    found = []
    for about in sorted(workdir.glob(f"*/{_ABOUT}")):
        try:
            sources = tuple(map(str, json.loads(about.read_text())["sources"]))
        except (ValueError, KeyError, TypeError):
            sources = ()
        found.append((Workspace(about.parent.resolve()), sources))
    return found


def workspace_for(workdir: Path, identity: str, label: str) -> Workspace:
    """The working folder of the sources with this identity; the label makes it recognisable."""
    readable = re.sub(r"[^A-Za-z0-9.-]+", "-", label)[:40].strip("-.") or "source"
    return Workspace((workdir / f"{readable}-{identity[:16]}").resolve())


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(folder / entry.name)
            else:
                yield entry


def write_durably(path: Path, text: str) -> None:
    """Write a small file so that it is there whole or not at all."""
    # Another process may be writing the same file: its half must not get in the way of ours.
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, prefix=f"{path.name}.", suffix=NEW, delete=False, encoding="utf-8"
    ) as file:
        beside = Path(file.name)
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    sync(path.parent)


def sync(path: str | os.PathLike[str]) -> None:
    """Make what a file holds, or which names a folder holds, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
