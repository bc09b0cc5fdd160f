"""The flow from what is delivered to what the catalog should hold, and the difference: a plan, part by part.

    discovery -> desired state of one account -> what the catalog holds of it -> difference -> next account

Memory grows with one account's days, not with the organization. The catalog itself is the only state: the
first day from which an account's partitions are complete is a parameter of the table or view of its name, set
when all of them are there, so a run that was interrupted is simply run again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

from trailhouse.core import desired
from trailhouse.core.deliveries import RECORD_KINDS, group_by_account
from trailhouse.core.desired import Design, Projection
from trailhouse.core.layout import Kind
from trailhouse.core.plan import (
    HEAL_DAYS,
    PRUNE_DAYS,
    Action,
    Change,
    Part,
    Read,
    Refusal,
    Target,
    diff_definition,
    diff_partitions,
    foreign,
    too_many_deletes,
)
from trailhouse.core.state import Found, Shape, Table, View, recorded_shape, with_since
from trailhouse.core.views import account_name, events_name, kind_name, raw_name
from trailhouse.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from trailhouse.catalog.port import Catalog
    from trailhouse.core.deliveries import AccountFolder, Delivery
    from trailhouse.core.state import Definition

TABLES = "tables"
VIEWS = "views"
FORMER = "former"
"""Names of the parts that belong to no account: first, last but one, last."""
_NO_INDEXES = (
    "the catalog encrypts its metadata and so takes no partition indexes: planning a question takes longer "
    "the more partitions there are"
)


class Surveyor(Protocol):
    """Who finds what is delivered: `storage.discovery.Discovery`."""

    def folders(self) -> Sequence[AccountFolder]:
        """All account folders of all sources."""
        ...

    def deliveries(self, folders: Sequence[AccountFolder], since: date | None) -> tuple[Delivery, ...]:
        """What one account delivers."""
        ...

    def each(
        self, folders: Collection[AccountFolder], since: date | None
    ) -> Iterator[tuple[str, tuple[Delivery, ...] | AwsError]]:
        """What each account delivers, or why that could not be found out."""
        ...


@dataclass(frozen=True, slots=True)
class Aim:
    """What the configuration and the command ask for.

    Attributes:
        database: of all tables and views.
        prefix: `table_prefix`.
        tables: `auto`, `per_account` or `single`.
        projected: let Athena compute the partitions.
        days: days back of which partitions are made at first; None: all.
        today: the day of the run, UTC.
        regions: regions that exist, besides those that deliver.
        targets: only these accounts (and `views`); none: everything.
        allow_deletes: carry out what removes many partitions.
    """

    database: str
    prefix: str
    today: date
    tables: str = "auto"
    projected: bool = False
    days: int | None = 90
    regions: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    allow_deletes: bool = False

    @property
    def first_day(self) -> date:
        """First day that has to have partitions; the first of all days where all are asked for."""
        return date.min if self.days is None else self.today - timedelta(days=self.days)

    @property
    def heal_from(self) -> date:
        """First day that every run looks at."""
        return self.today - timedelta(days=HEAL_DAYS + PRUNE_DAYS)


@dataclass(slots=True)
class _Account:
    """One account while its part is made."""

    name: str
    folders: Sequence[AccountFolder]
    since: date
    changes: list[Change] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)

    def add(self, found: list[Change] | Refusal | None) -> None:
        if isinstance(found, Refusal):
            self.refusals.append(found)
        elif found:
            self.changes += found

    def part(self) -> Part:
        # A refused part changes nothing: half of an account is worse than yesterday's whole.
        changes = () if self.refusals else tuple(self.changes)
        return Part(self.name, changes, tuple(self.refusals), reads=tuple(self.reads))


class Convergence:
    """A plan in the making.

    Attributes:
        shape: how raw tables are cut; known once `parts` has begun.
        failed: accounts whose part could not be carried out; whoever carries out says so here, so that no
            view names a table that is not there.
    """

    def __init__(self, catalog: Catalog, surveyor: Surveyor, aim: Aim) -> None:
        """Ask nobody yet."""
        self._catalog = catalog
        self._surveyor = surveyor
        self._aim = aim
        self._found: Mapping[str, Found] = {}
        self._planned: dict[Kind, set[str]] = {}
        self._made: set[str] = set()
        self.failed: set[str] = set()
        self.shape = Shape.PER_ACCOUNT
        self._design = Design(aim.database, aim.prefix, self.shape)

    def parts(self) -> Iterator[Part]:
        """The plan, in the order in which it has to be carried out; each part is made when it is asked for.

        Raises:
            AwsError: the catalog or the sources could not be read at all. One account's failure is its
                part's `error`.
        """
        exists = self._catalog.exists()
        self._found = self._catalog.definitions() if exists else {}
        folders = group_by_account(self._surveyor.folders())
        self._decide(len(folders))
        projection = self._projection(folders) if self.shape is Shape.PROJECTED else None
        yield self._tables_part(folders, projection, exists=exists)
        wanted = {a: f for a, f in folders.items() if not self._aim.targets or a in self._aim.targets}
        for account, deliveries in self._each(wanted):
            yield self._account_part(account, wanted[account], deliveries, projection)
        if not self._aim.targets or VIEWS in self._aim.targets:
            yield self._views_part()
            yield self._former_part()

    def _decide(self, accounts: int) -> None:
        ours = [found for found in self._found.values() if found.version is not None]
        self.shape = desired.choose_shape(
            self._aim.tables,
            projected=self._aim.projected,
            recorded=recorded_shape(ours),
            accounts=accounts,
        )
        encrypted = self.shape is Shape.SINGLE and self._catalog.restrictions().encrypted
        self._design = Design(self._aim.database, self._aim.prefix, self.shape, indexes=not encrypted)

    # -- accounts ----------------------------------------------------------------------------------------

    def _each(
        self, folders: Mapping[str, Sequence[AccountFolder]]
    ) -> Iterator[tuple[str, tuple[Delivery, ...] | AwsError]]:
        """Accounts that are complete are looked at from where every run heals, others from their first day."""
        complete = {a: f for a, f in folders.items() if self._since(a) == self._aim.heal_from}
        fresh = {a: f for a, f in folders.items() if a not in complete}
        for some, since in ((complete, self._aim.heal_from), (fresh, self._first(self._aim.first_day))):
            if some:
                yield from self._surveyor.each([one for held in some.values() for one in held], since)

    def _since(self, account: str) -> date:
        kinds = [k for k in RECORD_KINDS if account_name(self._aim.prefix, k, account) in self._found]
        if not kinds or any(not self._complete(kind, account) for kind in kinds):
            return self._aim.first_day
        return max(self._aim.heal_from, self._aim.first_day)

    def _complete(self, kind: Kind, account: str) -> bool:
        found = self._found.get(account_name(self._aim.prefix, kind, account))
        if found is None or isinstance(found.definition, Table) != (self.shape is Shape.PER_ACCOUNT):
            return False
        return found.since is not None and found.since <= self._aim.first_day

    @staticmethod
    def _first(day: date) -> date | None:
        return None if day == date.min else day

    def _account_part(
        self,
        account: str,
        folders: Sequence[AccountFolder],
        deliveries: tuple[Delivery, ...] | AwsError,
        projection: Projection | None,
    ) -> Part:
        if isinstance(deliveries, AwsError):
            return Part(account, error=deliveries)
        since = self._since(account)
        kinds = [kind for kind in RECORD_KINDS if any(one.kind is kind for one in deliveries)]
        try:
            if since > self._aim.first_day and not all(self._complete(kind, account) for kind in kinds):
                since = self._aim.first_day  # a kind that is new for this account
                deliveries = self._surveyor.deliveries(folders, self._first(since))
            making = _Account(account, folders, since)
            for kind in kinds:
                self._add_kind(making, kind, deliveries, projection)
        except AwsError as error:
            self.failed.add(account)
            return Part(account, error=error)
        if making.refusals:
            self.failed.add(account)
        return making.part()

    def _add_kind(
        self,
        making: _Account,
        kind: Kind,
        deliveries: tuple[Delivery, ...],
        projection: Projection | None,
    ) -> None:
        self._planned.setdefault(kind, set()).add(making.name)
        folder = min(one.folder for one in deliveries if one.kind is kind)
        table = desired.raw_table(self._design, kind, folder, projection)
        held = self._found.get(table.name)
        complete = self._complete(kind, making.name)
        recorded = self._found[account_name(self._aim.prefix, kind, making.name)].since if complete else None
        if self.shape is Shape.PER_ACCOUNT:
            table = with_since(table, recorded)
            making.add(diff_definition(table, held))
        elif held is None and table.name not in self._made:  # the first account that delivers this kind
            making.add(diff_definition(table, None))
            self._made.add(table.name)
        if self.shape is not Shape.PROJECTED:
            self._add_partitions(making, table, kind, deliveries)
        since = recorded or making.since
        if self.shape is not Shape.PER_ACCOUNT:
            for view in desired.account_views(self._design, kind, [making.name]):
                marked = with_since(view, None if self.shape is Shape.PROJECTED else since)
                making.add(diff_definition(marked, self._found.get(view.name)))
        elif not complete:
            after = with_since(table, since)
            making.add([Change(Action.UPDATE, Target.TABLE, table.name, (), table, after, ("complete",))])

    def _add_partitions(
        self, making: _Account, table: Table, kind: Kind, deliveries: tuple[Delivery, ...]
    ) -> None:
        wanted = desired.partitions(self._design, kind, deliveries, self._aim.today, self._aim.regions)
        since = self._first(making.since)
        account = making.name if "account" in table.keys else None
        held = self._found.get(table.name)
        usable = held and isinstance(held.definition, Table) and held.definition.keys == table.keys
        actual = self._catalog.partitions(held.definition, account, since) if held and usable else {}  # type: ignore[arg-type] # narrowed above
        making.reads.append(Read(table.name, account, since))
        changes = diff_partitions(table, wanted, actual, today=self._aim.today, since=since)
        if not self._aim.allow_deletes:
            making.add(too_many_deletes(table.name, changes, len(actual)))
        making.add(changes)

    # -- what all accounts share -------------------------------------------------------------------------

    def _tables_part(
        self,
        folders: Mapping[str, Sequence[AccountFolder]],
        projection: Projection | None,
        *,
        exists: bool,
    ) -> Part:
        making = _Account(TABLES, (), self._aim.today)
        if not exists:
            making.add([Change(Action.CREATE, Target.DATABASE, self._aim.database)])
        if self.shape is not Shape.PER_ACCOUNT and folders:
            first = min(folder for held in folders.values() for folder in held)
            for kind in RECORD_KINDS:
                table = desired.raw_table(self._design, kind, first, projection)
                if kind is Kind.CLOUDTRAIL or table.name in self._found:
                    making.add(diff_definition(table, self._found.get(table.name)))
                    self._made.add(table.name)
        warnings = self._table_warnings(len(folders))
        part = making.part()
        return Part(part.name, part.changes, (*part.refusals, *self._unusable(projection)), warnings)

    def _table_warnings(self, accounts: int) -> tuple[str, ...]:
        if self.shape is Shape.SINGLE and not self._design.indexes:
            return (_NO_INDEXES,)
        if self.shape is Shape.PER_ACCOUNT and accounts >= desired.WARN_FROM:
            return (f"a union of {accounts} tables takes many seconds to plan: set `tables: single`",)
        return ()

    def _unusable(self, projection: Projection | None) -> tuple[Refusal, ...]:
        if projection is None:
            return ()
        reason = desired.unprojectable(projection)
        return (Refusal(raw_name(self._aim.prefix, Kind.CLOUDTRAIL), reason),) if reason else ()

    def _projection(self, folders: Mapping[str, Sequence[AccountFolder]]) -> Projection:
        everything = [folder for held in folders.values() for folder in held]
        regions, years = set(self._aim.regions), {self._aim.today.year}
        few = everything if len(folders) <= desired.MOST_PROJECTED_ACCOUNTS else []  # else it is refused
        for _, deliveries in self._surveyor.each(few, self._first(self._aim.first_day)):
            for one in deliveries if not isinstance(deliveries, AwsError) else ():
                regions.add(one.region)
                years.update(day.year for day in one.days)
        last = (self._aim.today + timedelta(days=1)).year
        logroots = tuple(sorted({folder.logroot for folder in everything}))
        return Projection(tuple(folders), tuple(sorted(regions)), logroots, (min(years), max(last, *years)))

    def _views_part(self) -> Part:
        making = _Account(VIEWS, (), self._aim.today)
        members = {kind: self._members(kind) for kind in RECORD_KINDS}
        present = {kind: accounts for kind, accounts in members.items() if accounts}
        if self.shape is Shape.PER_ACCOUNT:
            making.refusals += [
                Refusal(kind_name(self._aim.prefix, kind), desired.unplannable(len(accounts)))
                for kind, accounts in present.items()
                if len(accounts) > desired.MOST_BRANCHES
            ]
        for view in desired.shared_views(self._design, present):
            making.add(diff_definition(view, self._found.get(view.name)))
        return making.part()

    def _members(self, kind: Kind) -> list[str]:
        """Accounts that have a table or view of their own: those planned now, and those of former runs."""
        begin = account_name(self._aim.prefix, kind, "")
        former = {
            name.removeprefix(begin)
            for name, found in self._found.items()
            if name.startswith(begin) and found.version and not found.backup_of
            and isinstance(found.definition, Table if self.shape is Shape.PER_ACCOUNT else View)
        }  # fmt: skip
        accounts = {account for account in former if account.isdigit()}
        return sorted(accounts | (self._planned.get(kind, set()) - self.failed))

    def _former_part(self) -> Part:
        """The raw tables of the other shape, once nothing reads them any more."""
        making = _Account(FORMER, (), self._aim.today)
        if self.shape is Shape.PER_ACCOUNT and not self.failed:
            for kind in RECORD_KINDS:
                found = self._found.get(raw_name(self._aim.prefix, kind))
                if found and found.version is not None and not foreign(found):
                    gone: Definition = found.definition
                    change = Change(Action.DELETE, Target.TABLE, gone.name, (), gone, revision=found.revision)
                    making.add([change])
        return making.part()


def view_names(prefix: str) -> tuple[str, ...]:
    """The names of the views over all accounts."""
    return (*(kind_name(prefix, kind) for kind in RECORD_KINDS), events_name(prefix))
