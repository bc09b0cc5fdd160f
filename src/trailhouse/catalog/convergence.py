"""The flow from what is delivered to what the catalog should hold, and the difference: a plan, part by part.

    discovery -> desired state of one account -> what the catalog holds of it -> difference -> next account

Memory grows with one account's days, not with the organization. The catalog itself is the only state: the
first day from which an account's partitions are complete is a parameter of the table or view of its name, set
when all of them are there, so a run that was interrupted is simply run again.
"""

from __future__ import annotations

import heapq
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from trailhouse.catalog.aim import Aim, Surveyor, open_ended
from trailhouse.catalog.draft import Draft
from trailhouse.catalog.port import Restrictions
from trailhouse.catalog.remarks import NO_FOLDER, Seen, archived
from trailhouse.core import desired
from trailhouse.core.deliveries import RECORD_KINDS, group_by_account
from trailhouse.core.descriptor import Digester
from trailhouse.core.desired import Design, Projection
from trailhouse.core.layout import Kind
from trailhouse.core.plan import (
    Action,
    Change,
    Part,
    Read,
    Refusal,
    Target,
    diff_definition,
    diff_partitions,
    too_many_deletes,
)
from trailhouse.core.schema import view_columns
from trailhouse.core.state import (
    CLOUDTRAIL_FORMAT,
    VERSION,
    Shape,
    Table,
    hive_columns,
    recorded_shape,
    view_columns_of,
    with_reach,
    with_since,
)
from trailhouse.core.views import account_name, kind_name, raw_name
from trailhouse.errors import AwsError, CatalogError, CredentialsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trailhouse.catalog.port import Catalog
    from trailhouse.core.deliveries import AccountFolder, Delivery
    from trailhouse.core.state import Found, Partition

    Survey = tuple[str, tuple[Delivery, ...] | AwsError]

__all__ = ["FORMER", "TABLES", "VIEWS", "Aim", "Convergence", "Surveyor"]

TABLES = "tables"
VIEWS = "views"
FORMER = "former"
"""Names of the parts that belong to no account: first, last but one, last."""
_NO_INDEXES = (
    "the catalog encrypts its metadata and so takes no partition indexes: planning a question takes longer "
    "the more partitions there are"
)


class Convergence:
    """A plan in the making.

    Attributes:
        shape: how raw tables are cut; known once `parts` has begun.
        failed: accounts whose part could not be planned; no view is planned that names what they lack.
    """

    def __init__(self, catalog: Catalog, surveyor: Surveyor, aim: Aim) -> None:
        """Ask nobody yet."""
        self._catalog = catalog
        self._surveyor = surveyor
        self._aim = aim
        self._found: Mapping[str, Found] = {}
        self._surveyed: dict[str, tuple[Delivery, ...] | AwsError] = {}
        self._planned: dict[Kind, set[str]] = {}
        self._made: set[str] = set()
        self._digester = Digester()
        self._seen = Seen()
        self._restrictions = Restrictions()
        self.failed: set[str] = set()
        self.shape = Shape.PER_ACCOUNT
        self._design = Design(aim.database, aim.prefix, self.shape)
        self._raw_names = [raw_name(aim.prefix, kind) for kind in RECORD_KINDS]

    def parts(self) -> Iterator[Part]:
        """The plan, in the order in which it has to be carried out; each part is made when it is asked for.

        Raises:
            AwsError: the catalog or the sources could not be read at all. One account's failure is its
                part's `error`.
            UsageError: a target has no folder.
        """
        exists = self._catalog.exists()
        self._found = self._catalog.definitions() if exists else {}
        folders = group_by_account(self._surveyor.folders())
        self._check_targets(folders)
        self._decide(len(folders))
        projection = self._projection(folders) if self.shape is Shape.PROJECTED else None
        yield self._tables_part(folders, projection, exists=exists)
        wanted = {account: held for account, held in folders.items() if self._is_wanted(account)}
        for account, deliveries in self._each(wanted):
            part = self._account_part(account, wanted[account], deliveries, projection)
            if part.error or part.refusals:
                self.failed.add(account)
            yield part
        if not self._aim.targets or VIEWS in self._aim.targets:
            yield self._views_part()
        if not self._aim.targets:
            yield self._former_part()

    def _is_wanted(self, account: str) -> bool:
        return account > self._aim.after and (not self._aim.targets or account in self._aim.targets)

    def _check_targets(self, folders: Mapping[str, object]) -> None:
        unknown = [target for target in self._aim.targets if target not in folders and target != VIEWS]
        if unknown:
            raise UsageError(
                f"--target {', '.join(unknown)}: no source has a folder of that account, and it is not `{VIEWS}`: "
                "see `trailhouse inventory --quick`"
            )

    def _decide(self, accounts: int) -> None:
        ours = [found for found in self._found.values() if found.version is not None]
        self.shape = desired.choose_shape(
            self._aim.tables,
            projected=self._aim.projected,
            recorded=recorded_shape(ours),
            accounts=accounts,
        )
        self._restrictions = self._catalog.restrictions()
        indexes = not self._restrictions.encrypted
        self._design = Design(self._aim.database, self._aim.prefix, self.shape, indexes=indexes)

    # -- accounts ----------------------------------------------------------------------------------------

    def _each(self, folders: Mapping[str, Sequence[AccountFolder]]) -> Iterator[Survey]:
        """Every account, in order, looked at from where it has to be."""
        if self._surveyed:
            return iter(sorted((a, found) for a, found in self._surveyed.items() if a in folders))
        groups: dict[date, list[AccountFolder]] = {}
        since = {account: self._since(account) for account in folders}
        earliest = min(since.values(), default=self._aim.first_day)
        for account, held in folders.items():
            # As few groups as can be: each reads ahead.
            known = since[account] in {self._aim.heal_from, self._aim.first_day}
            groups.setdefault(since[account] if known else earliest, []).extend(held)
        surveys = [self._surveyor.each(some, open_ended(day)) for day, some in groups.items()]
        return heapq.merge(*surveys, key=lambda one: one[0])

    def _since(self, account: str) -> date:
        """The first day to look at: where an account is not complete, the first that it has or should have."""
        if self._aim.days is None:
            return date.min
        held = {kind: self._own(kind, account) for kind in RECORD_KINDS}
        ours = [found for found in held.values() if found and found.version is not None]
        if ours and all(self._is_complete(kind, found) for kind, found in held.items() if found in ours):
            return max(self._aim.heal_from, self._aim.first_day)
        return min([self._aim.first_day, *(found.reach for found in ours if found.reach)])

    def _own(self, kind: Kind, account: str) -> Found | None:
        return self._found.get(account_name(self._aim.prefix, kind, account))

    def _is_complete(self, kind: Kind, found: Found | None) -> bool:
        """Whether all partitions are there, with the columns of today."""
        if found is None or found.since is None or found.since > self._aim.first_day:
            return False
        held = found.definition
        if isinstance(held, Table):
            current = (held.columns, held.format) == (hive_columns(kind), CLOUDTRAIL_FORMAT)
            return self.shape is Shape.PER_ACCOUNT and current
        return self.shape is not Shape.PER_ACCOUNT and held.columns == view_columns_of(view_columns(kind))

    def _account_part(
        self,
        account: str,
        folders: Sequence[AccountFolder],
        deliveries: tuple[Delivery, ...] | AwsError,
        projection: Projection | None,
    ) -> Part:
        if isinstance(deliveries, AwsError):
            return Part(account, error=deliveries)
        names = [account_name(self._aim.prefix, kind, account) for kind in RECORD_KINDS]
        shared = [] if self.shape is Shape.PER_ACCOUNT else self._raw_names
        draft = Draft(account, self._digester, sorted([*names, *shared]))
        since = self._since(account)
        kinds = [kind for kind in RECORD_KINDS if any(one.kind is kind for one in deliveries)]
        try:
            if since > self._aim.first_day and not all(
                self._is_complete(kind, self._own(kind, account)) for kind in kinds
            ):
                since = self._aim.first_day  # a kind that is new for this account
                deliveries = self._surveyor.deliveries(folders, open_ended(since))
            for kind in kinds:
                self._add_kind(draft, kind, account, deliveries, since, projection)
        except CredentialsError:
            raise
        except AwsError as error:
            return Part(account, error=error)
        self._seen.add(deliveries, since)
        draft.warnings += archived(account, deliveries)
        return draft.part(self._found)

    def _add_kind(
        self,
        draft: Draft,
        kind: Kind,
        account: str,
        deliveries: tuple[Delivery, ...],
        since: date,
        projection: Projection | None,
    ) -> None:
        self._planned.setdefault(kind, set()).add(account)
        folder = min(one.folder for one in deliveries if one.kind is kind)
        table = desired.raw_table(self._design, kind, folder, projection)
        own = self._own(kind, account)
        complete = self._is_complete(kind, own)
        reached = own.since if own and complete else since
        if self.shape is Shape.PER_ACCOUNT:
            table = with_since(table, reached) if complete else with_reach(table, since)
            draft.add(diff_definition(table, own))
        elif table.name not in self._found and table.name not in self._made:
            draft.add(diff_definition(table, None))  # the first account that delivers this kind
            self._made.add(table.name)
        if self.shape is not Shape.PROJECTED:
            self._add_partitions(draft, table, kind, account, deliveries, since)
        if self.shape is not Shape.PER_ACCOUNT:
            for view in desired.account_views(self._design, kind, [account]):
                marked = with_since(view, None if self.shape is Shape.PROJECTED else reached)
                draft.add(diff_definition(marked, own))
        elif not complete:
            after = with_since(table, reached)
            draft.add([Change(Action.UPDATE, Target.TABLE, table.name, (), table, after, ("complete",))])

    def _add_partitions(
        self,
        draft: Draft,
        table: Table,
        kind: Kind,
        account: str,
        deliveries: tuple[Delivery, ...],
        since: date,
    ) -> None:
        wanted = desired.partitions(self._design, kind, deliveries, self._aim.today, self._aim.regions)
        held = self._found.get(table.name)
        read = Read(table.name, account if "account" in table.keys else None, open_ended(since))
        actual: Mapping[tuple[str, ...], Partition] = {}
        if held and isinstance(held.definition, Table) and held.definition.keys == table.keys:
            actual = draft.read(self._catalog, held.definition, read)
        changes = diff_partitions(table, wanted, actual, today=self._aim.today, since=read.since)
        if not self._aim.allow_deletes:
            draft.add(too_many_deletes(table.name, changes, len(actual)))
        draft.add(changes)

    # -- what all accounts share -------------------------------------------------------------------------

    def _tables_part(
        self,
        folders: Mapping[str, Sequence[AccountFolder]],
        projection: Projection | None,
        *,
        exists: bool,
    ) -> Part:
        draft = Draft(TABLES, self._digester, self._raw_names)
        if folders and not exists:
            draft.add([Change(Action.CREATE, Target.DATABASE, self._aim.database)])
        if self.shape is not Shape.PER_ACCOUNT and folders:
            first = min(folder for held in folders.values() for folder in held)
            for kind in RECORD_KINDS:
                table = desired.raw_table(self._design, kind, first, projection)
                held = self._found.get(table.name)
                if kind is Kind.CLOUDTRAIL or held:
                    draft.add(diff_definition(_kept_place(table, held), held))
                    self._made.add(table.name)
        reason = desired.unprojectable(projection) if projection else ""
        draft.add(Refusal(raw_name(self._aim.prefix, Kind.CLOUDTRAIL), reason) if reason else None)
        draft.warnings += [*self._restrictions.missing_grants, *self._restrictions.unread]
        draft.warnings += self._table_warnings(len(folders))
        return draft.part(self._found)

    def _table_warnings(self, accounts: int) -> list[str]:
        if not accounts:
            return [NO_FOLDER]
        if self.shape is Shape.SINGLE and not self._design.indexes:
            return [_NO_INDEXES]
        if self.shape is Shape.PER_ACCOUNT and accounts >= desired.WARN_FROM:
            return [desired.costly(accounts)]
        return []

    def _projection(self, folders: Mapping[str, Sequence[AccountFolder]]) -> Projection:
        everything = [folder for held in folders.values() for folder in held]
        regions, years = set(self._aim.regions), {self._aim.today.year}
        few = everything if len(folders) <= desired.MOST_PROJECTED_ACCOUNTS else []  # else it is refused
        for account, deliveries in self._surveyor.each(few, open_ended(self._aim.first_day)):
            self._surveyed[account] = deliveries
            for one in deliveries if not isinstance(deliveries, AwsError) else ():
                regions.add(one.region)
                years.update(day.year for day in one.days)
        last = (self._aim.today + timedelta(days=1)).year
        logroots = tuple(sorted({folder.logroot for folder in everything}))
        return Projection(tuple(folders), tuple(sorted(regions)), logroots, (min(years), max(last, *years)))

    def _views_part(self) -> Part:
        draft = Draft(VIEWS, self._digester, None)
        members = {kind: self._members(kind) for kind in RECORD_KINDS}
        present = {kind: accounts for kind, accounts in members.items() if accounts}
        unwritable = self._unwritable(present)
        grown = next((one for one in unwritable if one.name in self._found), None)
        if grown:  # the organization outgrew its shape: its partitions must go on all the same
            return Part(VIEWS, error=CatalogError(f"{grown.reason}; {grown.name} stays without new accounts"))
        for view in desired.shared_views(self._design, present):
            draft.add(diff_definition(view, self._found.get(view.name)))
        draft.refusals += unwritable
        draft.warnings += [] if self._aim.targets or self._aim.after else self._seen.remarks()
        draft.warnings += [
            f"{name} is left from another shape, and its account delivers nothing of the kind: it stays as it is"
            for name in self._left()
        ]
        return draft.part(self._found)

    def _unwritable(self, accounts: Mapping[Kind, Sequence[str]]) -> list[Refusal]:
        """Views over all accounts that no engine would plan, or no catalog keep."""
        if self.shape is Shape.PER_ACCOUNT:
            unplannable = [
                Refusal(kind_name(self._aim.prefix, kind), desired.unplannable(len(members)))
                for kind, members in accounts.items()
                if len(members) > desired.MOST_BRANCHES
            ]
            if unplannable:
                return unplannable
        views = desired.shared_views(self._design, accounts)
        return [Refusal(view.name, reason) for view in views if (reason := desired.too_long(view))]

    def _members(self, kind: Kind) -> list[str]:
        """Accounts that have a table or view of their own: those planned now, and those of former runs."""
        former = {account for account, fits in self._accounts(kind).items() if fits}
        return sorted(former | (self._planned.get(kind, set()) - self.failed))

    def _accounts(self, kind: Kind) -> dict[str, bool]:
        """Accounts that the catalog has something of ours of, and whether that is of the shape that is wanted."""
        begin, right = account_name(self._aim.prefix, kind, ""), self.shape is Shape.PER_ACCOUNT
        return {
            account: isinstance(found.definition, Table) == right
            for name, found in self._found.items()
            if name.startswith(begin) and found.version and not found.backup_of
            and (account := name.removeprefix(begin)).isdigit()
        }  # fmt: skip

    def _left(self) -> list[str]:
        """Names of the other shape that this plan does not replace."""
        return [
            account_name(self._aim.prefix, kind, account)
            for kind in RECORD_KINDS
            for account, fits in self._accounts(kind).items()
            if not fits and account not in self._planned.get(kind, set()) - self.failed
        ]

    def _former_part(self) -> Part:
        """The raw tables of the other shape, once nothing reads them any more."""
        draft = Draft(FORMER, self._digester, self._raw_names)
        if self.shape is Shape.PER_ACCOUNT and not self.failed and not self._left():
            for name in self._raw_names:
                found = self._found.get(name)
                if found and found.version == VERSION:
                    gone = found.definition
                    draft.add([Change(Action.DELETE, Target.TABLE, name, (), gone, revision=found.revision)])
        return draft.part(self._found)


def _kept_place(table: Table, held: Found | None) -> Table:
    """A table of many accounts keeps its place: it says nothing, and the first of all folders may change."""
    if held is None or not isinstance(held.definition, Table):
        return table
    return replace(table, location=held.definition.location)
