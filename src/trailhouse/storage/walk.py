"""Regular files below a folder, sorted by name, whatever links and special files lie around.

Links that lead out of the source are followed once; links to what is listed anyway are not, so that nothing
counts twice and no loop is endless.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

from trailhouse.storage.objects import SkippedNames, original, printable

_SPECIAL = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True, slots=True)
class Places:
    """Real paths of all sources of a call: what lies in one of them is listed there."""

    paths: tuple[str, ...]

    def meet(self, real: str) -> bool:
        """Whether a real path lies in one of the places or holds one of them."""
        return any(within(real, path) or within(path, real) for path in self.paths)


def within(path: str, folder: str) -> bool:
    """Whether a path is the folder or lies below it; both real."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


@dataclass(slots=True)
class Walk:
    """One pass over a folder.

    Attributes:
        base: real path of the folder.
        places: where links are not followed to; the base is one of them.
        skipped: takes what is not listed.
    """

    base: str
    places: Places
    skipped: SkippedNames
    _seen: set[tuple[int, int]] = field(default_factory=set)
    _followed: list[str] = field(default_factory=list)

    def files(self) -> Iterator[tuple[str, os.stat_result]]:
        """Name below the base (printable, `/` between its parts) and status of every regular file."""
        pending = [(iter(self._entries("")), False)]
        while pending:
            entries, linked = pending[-1]
            for name, entry in entries:
                if not name.endswith("/"):
                    if (found := self._file(name, entry)) is not None:
                        yield name, found
                elif not (linked or entry.is_symlink()) or self._is_new(entry):
                    pending.append((iter(self._entries(name)), linked or entry.is_symlink()))
                    break
            else:
                pending.pop()

    def _entries(self, folder: str) -> list[tuple[str, os.DirEntry[str]]]:
        """A folder's entries in the order of their whole paths, hence folders sorted with their slash."""
        try:
            with os.scandir(f"{self.base}/{original(folder)}") as entries:
                found = [(self._sorting_name(folder, entry), entry) for entry in entries]
        except OSError as error:
            self.skipped.add(folder or ".", f"a folder that cannot be listed: {error.strerror}")
            return []
        found.sort(key=lambda item: item[0])
        return found

    def _sorting_name(self, folder: str, entry: os.DirEntry[str]) -> str:
        name = folder + printable(entry.name)
        try:
            return f"{name}/" if entry.is_dir() else name
        except OSError:  # a link to nowhere or to itself; told when its turn comes
            return name

    def _is_new(self, entry: os.DirEntry[str]) -> bool:
        """Whether a link, or a folder behind one, lies out of all sources and was not met before."""
        name = printable(os.path.relpath(entry.path, self.base))
        try:
            target = entry.stat()
        except OSError as error:
            self.skipped.add(name, f"a link that leads nowhere: {error.strerror}")
            return False
        identity = (target.st_dev, target.st_ino)
        if identity in self._seen or (entry.is_symlink() and self._is_listed(os.path.realpath(entry.path))):
            self.skipped.add(name, "a link to what is listed anyway")
            return False
        self._seen.add(identity)
        return True

    def _is_listed(self, real: str) -> bool:
        if self.places.meet(real) or any(within(real, path) for path in self._followed):
            return True
        self._followed.append(real)
        return False

    def _file(self, name: str, entry: os.DirEntry[str]) -> os.stat_result | None:
        if entry.is_symlink() and not self._is_new(entry):
            return None
        try:
            status = entry.stat()
        except OSError as error:
            self.skipped.add(name, f"gone or locked: {error.strerror}")
            return None
        if stat.S_ISREG(status.st_mode):
            return status
        self.skipped.add(name, _SPECIAL.get(stat.S_IFMT(status.st_mode), "neither file nor folder"))
        return None
