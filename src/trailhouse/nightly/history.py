"""The runs of one stack, read back from their records, newest first."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from trailhouse.core.record import PREFIX
from trailhouse.errors import CatalogError, NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailhouse.core.record import Record
    from trailhouse.nightly.records import Records

_STAMP = re.compile(r"(\d{8}T\d{6}Z)-(.+)\.json")
_TIME = re.compile(r"\d{4}-\d\d(-\d\d)?(T[\d:]*Z?)?")
_NAMED = 5
_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Kept:
    """A record in S3, by its key.

    Attributes:
        key: of the object.
        started: when the run began, UTC; None where the key does not say it.
        run: name of its execution.
    """

    key: str
    started: datetime | None
    run: str

    @property
    def stem(self) -> str:
        """The file's name without its ending, which begins with the time: `20261122T060012Z-8ee2d5a0`."""
        return self.key.rpartition("/")[2].removesuffix(".json")


def kept(key: str) -> Kept:
    """What a key says."""
    found = _STAMP.fullmatch(key.rpartition("/")[2])
    if found is None:
        return Kept(key, None, key.removeprefix(PREFIX))
    try:
        started = datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        started = None
    return Kept(key, started, found[2])


@dataclass(slots=True)
class History:
    """The runs of a stack.

    Attributes:
        records: of the bucket, which stacks may share.
        stack: whose runs are meant.
        unread: records that are damaged or of a newer version, and why.
        others: runs of other stacks that were passed over.
    """

    records: Records
    stack: str
    unread: dict[str, str] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)

    def each(self, since: datetime | None = None, until: datetime | None = None) -> Iterator[Record]:
        """Runs that began in the window, newest first, each read when it is asked for.

        Args:
            since: the earliest begin, UTC.
            until: they began before it, UTC.

        Raises:
            AwsError: they cannot be listed or read; NotFoundError: there is no such bucket.
        """
        for one in map(kept, self.records.keys()):
            if one.started and until and one.started >= until:
                continue
            if one.started and since and one.started < since:
                return
            found = self._read(one)
            if found is not None:
                yield found

    def newest(
        self, limit: int, since: datetime | None = None, until: datetime | None = None
    ) -> list[Record]:
        """At most so many runs; see `each`."""
        return list(islice(self.each(since, until), limit))

    def find(self, name: str) -> Record:
        """The run of a name, of the beginning of one, or that began at a time.

        Args:
            name: of the execution or of the record's file, or how one of them begins; or a time such as
                `2026-11-22T06:00`.

        Raises:
            UsageError: there is none, or there are several.
            CatalogError: its record cannot be read.
            AwsError: the records cannot be listed or read.
        """
        timely = bool(_TIME.fullmatch(name))
        begin = re.sub("[-:Z]", "", name) if timely else name
        fits = []
        for one in map(kept, self.records.keys()):
            if timely and one.started and one.stem < begin:
                break  # all that follow are older
            if name in {one.run, one.stem}:
                return self.records.read(one.key)
            if begin and (one.run.startswith(begin) or one.stem.startswith(begin)):
                fits.append(one)
        if not fits:
            raise UsageError(f"no run is called {name}, or begins so: `trailhouse runs` lists them")
        if 1 < len(fits) <= _LOOKED_AT:  # of other stacks, as the record only says itself
            fits = [one for one in fits if self._read(one)] or fits
        if len(fits) > 1:
            named = ", ".join(one.stem for one in fits[:_NAMED])
            raise UsageError(f"{len(fits):,} runs begin with {name}: {named}: give more of one name")
        return self.records.read(fits[0].key)

    def _read(self, one: Kept) -> Record | None:
        """A record, if it is one and of the stack."""
        try:
            found = self.records.read(one.key)
        except CatalogError as error:
            self.unread[one.key] = str(error)
            return None
        except NotFoundError:  # removed since it was listed, as the bucket's lifecycle does
            return None
        if found.stack != self.stack:
            self.others.add(found.stack)
            return None
        return found
