"""A batch's files -> the tables: a crash anywhere leaves all of it or nothing, after the next run at the latest.

Files go to their place first, unseen. Then an intent names them all: from here on the batch is certain. Each table
takes its files in one commit that carries the batch's name, so that what a crash left undone can be told and done.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trailhouse.lake.tables import LEDGER, Tables, damaged, table_name, tables
from trailhouse.lake.workspace import NEW, sync, write_durably

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from trailhouse.core.layout import Kind
    from trailhouse.lake.workspace import Workspace
    from trailhouse.lake.writer import WrittenFile

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
    year, month, day = (value or _NO_VALUE for value in written.day)
    return Staged(table_name(kind), written.path, f"year={year}/month={month}/day={day}")


class Committer:
    """Places files and commits them; also settles what an earlier run left."""

    def __init__(self, workspace: Workspace, tables_: Tables, reached: Callable[[str], None]) -> None:
        self._workspace = workspace
        self._tables = tables_
        self._reached = reached

    def commit(self, batch: str, files: Iterable[Staged]) -> None:
        """Put a batch's files in place and into their tables, the ledger last."""
        placed: dict[str, list[str]] = defaultdict(list)
        for number, one in enumerate(files):
            placed[one.table].append(self._place(one, f"{batch}-{number:05}.parquet"))
        self._reached("placed")
        write_durably(self._intent(batch), json.dumps(placed))
        self._reached("intended")
        self._finish(batch, placed)

    def _place(self, one: Staged, name: str) -> str:
        target = self._workspace.warehouse / one.table / "data" / one.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(one.file).replace(target)
        sync(target.parent)
        return os.fspath(target)

    def _finish(self, batch: str, placed: dict[str, list[str]]) -> None:
        for name in sorted(placed, key=lambda n: n == LEDGER):
            if batch not in self._tables.batches(name):
                self._tables.append(name, placed[name], batch)
            self._reached("ledger committed" if name == LEDGER else "lake committed")
        self._intent(batch).unlink()
        sync(self._workspace.intents)
        self._reached("done")

    def _intent(self, batch: str) -> Path:
        return self._workspace.intents / f"{batch}.json"

    def settle(self) -> None:
        """Finish what an earlier run was certain of, and remove what it was not. Needs the lock."""
        for batch, placed in self._pending().items():
            self._finish(batch, placed)
        if any(self._workspace.staging.iterdir()):
            self.clear()

    def _pending(self) -> dict[str, dict[str, list[str]]]:
        """Files by table of every batch that is certain and perhaps not in all tables."""
        found = {}
        for intent in sorted(self._workspace.intents.glob("*.json")):
            try:
                found[intent.stem] = {
                    str(n): list(map(str, p)) for n, p in json.loads(intent.read_text()).items()
                }
            except (ValueError, AttributeError, TypeError) as error:
                raise damaged(self._workspace, f"{intent} is not readable") from error
        return found

    def clear(self) -> None:
        """Remove what a run leaves when it ends before its last commit. Needs the lock."""
        self.remove_orphans()
        for folder in (self._workspace.root, self._workspace.intents):
            for unfinished in folder.glob(f"*{NEW}"):
                unfinished.unlink(missing_ok=True)
        self.clear_staging()

    def clear_staging(self) -> None:
        """Remove everything that a run leaves in staging. Needs the lock."""
        for entry in self._workspace.staging.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)

    def remove_orphans(self) -> list[Path]:
        """Remove data files that no table and no intent names; which ones they were."""
        named = {path for files in self._tables.files().values() for path in files.paths}
        for placed in self._pending().values():
            named.update(path for paths in placed.values() for path in paths)
        kept = {_identity(path) for path in named if os.path.exists(path)}  # noqa: PTH110 - one call less each
        orphans = [
            path
            for name in tables()
            for path in (self._workspace.warehouse / name / "data").rglob("*.parquet")
            if _identity(path) not in kept
        ]
        for path in orphans:
            path.unlink()
        return orphans


def _identity(path: str | Path) -> tuple[int, int]:
    """The same for one file by whatever path the working folder was named."""
    status = os.stat(path)  # noqa: PTH116 - either kind of path
    return status.st_dev, status.st_ino
