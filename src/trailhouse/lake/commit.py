"""A batch's files -> the tables: a crash anywhere leaves all of it or nothing, after the next run at the latest.

Files go to their place first, unseen. Then an intent names them all: from here on the batch is certain. Each table
takes its files in one commit that carries the batch's name, so that what a crash left undone can be told and done.
"""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from trailhouse.lake.tables import LEDGER, table_name, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from trailhouse.core.layout import Kind
    from trailhouse.lake.place import Lake
    from trailhouse.lake.runs import Day
    from trailhouse.lake.writer import WrittenFile

INTENTS = "intents"
_INTENT = ".json"
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"

COMMIT_POINTS = (
    "listed", "read", "flagged", "written", "placed", "intended", "lake committed", "ledger committed", "done",
)  # fmt: skip
"""Between any two of these a run can die; each is announced when it is reached."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A data file in staging that belongs to a table."""

    table: str
    file: str
    folder: str


def staged(kind: Kind, written: WrittenFile) -> Staged:
    """A day's file, with the folder it goes to."""
    return Staged(table_name(kind), written.path, day_folder(written.day))


def day_folder(day: Day) -> str:
    """The folder of a day's files."""
    year, month, number = (value or _NO_VALUE for value in day)
    return f"year={year}/month={month}/day={number}"


class Committer:
    """Places files and commits them; also settles what an earlier run left."""

    def __init__(self, lake: Lake, reached: Callable[[str], None]) -> None:
        self._files = lake.files
        self._tables = lake.tables
        self._staging = lake.workspace.staging
        self._lake = lake
        self._reached = reached

    def commit(self, batch: str, files: Iterable[Staged]) -> None:
        """Put a batch's files in place and into their tables, the ledger last."""
        listed = list(files)
        names = [
            (one.file, f"{self._lake.data_folder(one.table)}/{one.folder}/{batch}-{number:05}.parquet")
            for number, one in enumerate(listed)
        ]
        placed: dict[str, list[str]] = defaultdict(list)
        for one, location in zip(listed, self._files.place(names), strict=True):
            placed[one.table].append(location)
        self._reached("placed")
        self._files.write(_intent(batch), json.dumps(placed))
        self._reached("intended")
        self._finish(batch, placed)

    def _finish(self, batch: str, placed: dict[str, list[str]]) -> None:
        for name in sorted(placed, key=lambda n: n == LEDGER):
            if batch not in self._tables.batches(name):
                self._lake.hold()
                self._tables.append(name, placed[name], batch)
            self._reached("ledger committed" if name == LEDGER else "lake committed")
        self._files.delete([_intent(batch)])
        self._reached("done")

    def settle(self) -> None:
        """Finish what an earlier run was certain of, and remove what it was not. Needs the lock."""
        for batch, placed in self._pending().items():
            if self._lake.is_certain(batch, placed):
                self._finish(batch, placed)
            else:
                self._files.delete([_intent(batch)])
        if self._lake.unclean:
            self.clear()

    def _pending(self) -> dict[str, dict[str, list[str]]]:
        """Files by table of every batch that is certain and perhaps not in all tables."""
        found = {}
        for name in self._files.names(INTENTS):
            if not name.endswith(_INTENT):
                continue
            try:
                found[PurePosixPath(name).stem] = {
                    str(n): list(map(str, p)) for n, p in json.loads(self._files.read(name)).items()
                }
            except (ValueError, AttributeError, TypeError) as error:
                raise self._tables.catalog.damaged(f"{self._files.location(name)} is not readable") from error
        return found

    def abandon(self) -> None:
        """Tidy up after a run that ends before its last commit. Needs the lock."""
        if self._files.near:
            self.clear()
        else:  # the next run does it: what failed now would fail here, too
            self.clear_staging()

    def clear(self) -> None:
        """Remove what a run leaves when it ends before its last commit. Needs the lock."""
        self.remove_orphans()
        self._files.tidy()
        self.clear_staging()

    def clear_staging(self) -> None:
        """Remove everything that a run leaves in staging. Needs the lock."""
        for entry in self._staging.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)

    def remove_orphans(self) -> list[str]:
        """Remove data files that no table and no intent names; which ones they were."""
        named = {path for files in self._tables.files().values() for path in files.paths}
        for placed in self._pending().values():
            named.update(path for paths in placed.values() for path in paths)
        kept = {self._files.identity(path) for path in named}
        orphans = [
            name
            for table in tables()
            for name in self._files.names(self._lake.data_folder(table))
            if name.endswith(".parquet") and self._files.identity(self._files.location(name)) not in kept
        ]
        self._files.delete(orphans)
        return orphans


def _intent(batch: str) -> str:
    return f"{INTENTS}/{batch}{_INTENT}"
