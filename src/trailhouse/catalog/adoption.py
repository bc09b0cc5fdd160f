"""The flow that takes cloudtrail-partitioner's names over.

`Adoption` is `Convergence` with the predecessor's definitions out of its sight: what it then plans for a free
name becomes the takeover of a name. What was begun goes on with or without `--adopt`: as long as a name is not
complete, days as far back as its kept definition reaches are looked for.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from trailhouse.catalog.checked import Checked
from trailhouse.catalog.convergence import FORMER, TABLES, VIEWS, Aim, Convergence, Surveyor
from trailhouse.catalog.draft import actual_digest
from trailhouse.catalog.requests import FREE_OBJECTS
from trailhouse.core.adoption import (
    Former,
    account_of,
    beside_name,
    kept_name,
    take_over,
    why_foreign,
)
from trailhouse.core.coverage import Coverage, coverage
from trailhouse.core.descriptor import Digester
from trailhouse.core.layout import Kind
from trailhouse.core.plan import Part, Read, Refusal, deletion, foreign
from trailhouse.core.sizes import count_of
from trailhouse.core.state import Found, Partition, Shape, Table, View, partition_day
from trailhouse.core.views import account_name, raw_name
from trailhouse.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date

    from trailhouse.catalog.port import Catalog
    from trailhouse.core.deliveries import AccountFolder, Delivery

ADOPTION = "adoption"
"""Name of the part that says what is taken over, before all others."""

_READERS = 8
_FAR = 3 * 366
"""Days from which on listing every year's folder costs less than listing every month."""
_MONTHLY = 1.00 / 100_000
"""Dollars for an object that Glue keeps a month, beyond those free (https://aws.amazon.com/glue/pricing/)."""


class _Seen(Checked):
    """The catalog without the definitions that are being taken over, and what one part read of it."""

    def __init__(self, catalog: Catalog, shown: Mapping[str, Found], *, exists: bool) -> None:
        super().__init__(catalog)
        self._shown, self._exists = shown, exists
        self._read: dict[Read, Mapping[tuple[str, ...], Partition]] = {}

    def exists(self) -> bool:
        return self._exists

    def definitions(self) -> Mapping[str, Found]:
        return self._shown

    def partitions(
        self, table: Table, account: str | None, since: date | None
    ) -> Mapping[tuple[str, ...], Partition]:
        key = Read(table.name, account, since)
        if key not in self._read:
            self._read[key] = super().partitions(table, account, since)
        return self._read[key]

    def forget(self) -> None:
        """The part is made."""
        self._read.clear()


class _Watched:
    """A surveyor; what it told of each account is at hand until it is asked for."""

    def __init__(self, surveyor: Surveyor) -> None:
        self._surveyor = surveyor
        self.logroots: set[str] = set()
        self.accounts: set[str] = set()
        self.told: dict[str, tuple[Delivery, ...]] = {}

    def folders(self) -> Sequence[AccountFolder]:
        found = self._surveyor.folders()
        self.logroots = {folder.logroot for folder in found}
        self.accounts = {folder.account for folder in found}
        return found

    def deliveries(self, folders: Sequence[AccountFolder], since: date | None) -> tuple[Delivery, ...]:
        found = self._surveyor.deliveries(folders, since)
        for folder in folders:
            self.told[folder.account] = found
        return found

    def each(
        self, folders: Collection[AccountFolder], since: date | None
    ) -> Iterator[tuple[str, tuple[Delivery, ...] | AwsError]]:
        for account, found in self._surveyor.each(folders, since):
            if not isinstance(found, AwsError):
                self.told[account] = found
            yield account, found


class Adoption:
    """A plan in the making, as `Convergence` is, that may take the predecessor's names over.

    Attributes:
        failed: accounts whose part could not be carried out; whoever carries out says so here.
        count: how many tables of the predecessor's are taken over; known once `parts` has begun.
    """

    def __init__(self, catalog: Catalog, surveyor: Surveyor, aim: Aim, *, adopt: bool) -> None:
        """Ask nobody yet.

        Args:
            catalog: to be changed.
            surveyor: who finds what is delivered.
            aim: what the configuration and the command ask for.
            adopt: take over what is the predecessor's; else it is foreign, and only what was begun goes on.
        """
        self._catalog = catalog
        self._surveyor = _Watched(surveyor)
        self._aim = aim
        self._adopt = adopt
        self._found: Mapping[str, Found] = {}
        self._old: dict[str, Found] = {}
        self._raw: Table | None = None
        self._flow: Convergence | None = None
        self._seen = _Seen(catalog, {}, exists=False)
        self._digester = Digester()
        self.failed: set[str] = set()
        self.count = 0

    @property
    def shape(self) -> Shape:
        """How raw tables are cut; known once `parts` has begun."""
        return self._flow.shape if self._flow else Shape.PER_ACCOUNT

    def parts(self) -> Iterator[Part]:
        """The plan, in the order in which it has to be carried out. Raises AwsError as `Convergence` does."""
        exists = self._catalog.exists()
        self._found = self._catalog.definitions() if exists else {}
        self._old = {name: one for name, one in self._found.items() if self._adopt and self._wanted(one)}
        self.count = sum(isinstance(one.definition, Table) for one in self._old.values())
        partitions, oldest = self._scan()
        shown = {name: one for name, one in self._found.items() if name not in self._old}
        aim = self._aim if oldest is None else self._reaching(oldest)
        self._seen = _Seen(self._catalog, shown, exists=exists)
        self._flow = Convergence(self._seen, self._surveyor, aim)
        self._flow.failed = self.failed
        for number, part in enumerate(self._flow.parts()):
            if self._adopt and not number:
                yield self._bound(Part(ADOPTION, warnings=tuple(self._said(partitions))))
            yield self._bound(self._turned(part))
            self._seen.forget()
            self._surveyor.told.pop(part.name, None)

    def _bound(self, part: Part) -> Part:
        """The part, bound to what there is under all names, not only to what the flow could see."""
        if part.error or (part.actual and not self._old):
            return part
        return replace(part, actual=actual_digest(part, self._seen, self._found, self._digester))

    def _wanted(self, found: Found) -> bool:
        targets = self._aim.targets
        name = (
            VIEWS
            if isinstance(found.definition, View)
            else account_of(found.definition.name, self._aim.prefix)
        )
        return (
            found.version is None
            and (not targets or name in targets)
            and not why_foreign(found, self._aim.prefix)
        )

    # -- how far back ------------------------------------------------------------------------------------

    def _scan(self) -> tuple[int, date | None]:
        """How many partitions are to be copied, and the oldest day that a name not yet complete has to reach."""
        old = [one.definition for one in self._old.values()]
        begun = [one.definition for one in self._found.values() if self._begun(one)]
        count, oldest = 0, None
        with ThreadPoolExecutor(_READERS) as readers:
            for number, (size, first) in enumerate(readers.map(self._extent, [*old, *begun])):
                count += size if number < len(old) else 0
                oldest = min(filter(None, (oldest, first)), default=None)
        return count, oldest

    def _begun(self, found: Found) -> bool:
        held = self._found.get(found.backup_of)
        ours = held is None or (held.version is not None and held.since is None)
        return bool(found.backup_of) and isinstance(found.definition, Table) and ours

    def _extent(self, definition: Table | View) -> tuple[int, date | None]:
        if isinstance(definition, View):
            return 0, None
        found = self._catalog.partitions(definition, None, None)
        days = (partition_day(definition.keys, values) for values in found)
        return len(found), min(filter(None, days), default=None)

    def _reaching(self, oldest: date) -> Aim:
        back = (self._aim.today - oldest).days
        if self._aim.days is None or back <= self._aim.days:
            return self._aim
        return replace(self._aim, days=None if back > _FAR else back)

    # -- parts -------------------------------------------------------------------------------------------

    def _turned(self, part: Part) -> Part:
        part = replace(part, refusals=tuple(map(self._told, part.refusals)))
        if part.name == TABLES:
            self._raw = self._raw_table(part)
        if part.error or part.refusals or part.name in {TABLES, FORMER}:
            return part
        name = (
            self._aim.prefix
            if part.name == VIEWS
            else account_name(self._aim.prefix, Kind.CLOUDTRAIL, part.name)
        )
        try:
            turned = self._taken_over(part, name) if name in self._old else self._tidied(part, name)
        except AwsError as error:
            turned = Part(part.name, error=error)
        if turned.error or turned.refusals:
            self.failed.add(part.name)
        return turned

    def _taken_over(self, part: Part, name: str) -> Part:
        found, kept, beside = (self._found.get(one) for one in (name, kept_name(name), beside_name(name)))
        if found is None:
            return part
        old = self._read(found)
        former = Former(
            found, old, kept, self._read(kept), beside, self._read(beside), self._coverage(part, old)
        )
        reads = tuple(Read(one.definition.name) for one in (found, kept, beside) if one and not one.is_view)
        turned = take_over(part, former, self._raw if self.shape is Shape.SINGLE else None)
        names = (name, kept_name(name), beside_name(name))
        held = None if part.names is None else (*part.names, *(one for one in names if one not in part.names))
        return replace(turned, reads=(*part.reads, *reads), names=held)

    def _coverage(self, part: Part, old: Mapping[tuple[str, ...], Partition]) -> Coverage:
        delivered = self._surveyor.told.get(part.name, ())
        places = {one.after.location for one in part.changes if isinstance(one.after, Partition)}
        if self.shape is Shape.PROJECTED:
            places = {one.location(day) for one in delivered for day in one.days}
        raw = self._found.get(raw_name(self._aim.prefix, Kind.CLOUDTRAIL))
        if self.shape is Shape.SINGLE and raw and isinstance(raw.definition, Table):
            there = self._seen.partitions(raw.definition, part.name, None)
            places.update(one.location for one in there.values())
        return coverage(old.values(), delivered, self._surveyor.logroots, places)

    def _tidied(self, part: Part, name: str) -> Part:
        """What was left beside a name by a run that was stopped, and stands for nothing any more, goes."""
        beside = self._found.get(beside_name(name))
        if beside is None or foreign(beside):
            return part
        return replace(part, changes=(*part.changes, deletion(beside)))

    def _read(self, found: Found | None) -> Mapping[tuple[str, ...], Partition]:
        if found is None or not isinstance(found.definition, Table):
            return {}
        return self._seen.partitions(found.definition, None, None)

    def _raw_table(self, part: Part) -> Table | None:
        name = raw_name(self._aim.prefix, Kind.CLOUDTRAIL)
        held = self._found.get(name)
        planned = [one.after for one in part.changes if one.name == name and isinstance(one.after, Table)]
        tables = [*planned, held.definition if held else None]
        return next((one for one in tables if isinstance(one, Table)), None)

    # -- words -------------------------------------------------------------------------------------------

    def _told(self, refusal: Refusal) -> Refusal:
        """With --adopt, a foreign name is told why it is not the predecessor's."""
        found = self._found.get(refusal.name)
        why = why_foreign(found, self._aim.prefix) if found and found.version is None and self._adopt else ""
        if not why:
            return refusal
        return Refusal(
            refusal.name,
            f"{refusal.name} is neither ours nor cloudtrail-partitioner's: {why}; rename it, or choose another "
            "table_prefix or database",
        )

    def _said(self, partitions: int) -> Iterator[str]:
        if not self._old:
            yield "nothing to take over: no table or view here is cloudtrail-partitioner's"
            return
        objects = partitions + len(self._old)
        cost = max(0, objects - FREE_OBJECTS) * _MONTHLY
        views = len(self._old) - self.count
        replaced = [count_of(n, what) for n, what in ((self.count, "table"), (views, "view")) if n]
        yield (
            f"{' and '.join(replaced)} of cloudtrail-partitioner's to replace, name by name; each is kept with its "
            "partitions as <name>__before_trailhouse until you drop it, and `trailhouse apply --undo` puts all of "
            "them back"
        )
        yield (
            f"the kept definitions are {objects:,} objects in Glue: ${cost:,.2f} a month if they are all that is in "
            f"the catalog, at most ${objects * _MONTHLY:,.2f} (the first million of an account is free)"
        )
        yield (
            "what is granted on these names ends with the old tables: grant Lake Formation permissions and tags "
            "again, and read resource policies that name them again, since views need what they read, too"
        )
        yield "switch cloudtrail-partitioner's nightly run off first: it would replace the view by its own again"
        for name in sorted(self._old):
            account = account_of(name, self._aim.prefix)
            if account and account not in self._surveyor.accounts:
                yield f"{name} stays as it is: no source has a folder of this account any more"
