"""What a catalog should hold, from the accounts, kinds, regions and days that were found.

Partitions: one for every day that has logs, and today and tomorrow for every region, so that what is
delivered before the next run can be queried at once. Days are UTC, as in the keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from trailhouse.core import views as names
from trailhouse.core.layout import Kind
from trailhouse.core.state import (
    CLOUDTRAIL_FORMAT,
    INDEXED_KEYS,
    Partition,
    Shape,
    Table,
    View,
    hive_columns,
    mark,
    view_columns_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from trailhouse.core.deliveries import AccountFolder, Delivery

PER_ACCOUNT_UP_TO = 50
"""Accounts up to which `tables: auto` makes a table for each."""
WARN_FROM = 70
"""Branches of a union from which planning takes many seconds, and a question that names it twice may not be planned:
such a join was seen to have two stages a branch and 5 more, so that 72 branches are the most."""
MOST_BRANCHES = 140
"""Branches of a union up to which Athena's engine plans it: its limit is 150 stages, a branch is one. A count over
`cloudtrail` was seen to have 1 more; over `cloudtrail_events`, with its window, an aggregation and a ranking 4, with a
join with a list and two windows of its own 6, so that 144 branches are the most. The rest is margin."""
MOST_PROJECTED_ACCOUNTS = 20
MOST_PROJECTED_PARTITIONS = 1_000_000
"""Partitions that Athena reads in one scan (https://docs.aws.amazon.com/athena/latest/ug/partitions.html)."""
LONGEST_VIEW = 409_600
"""Bytes of a view's text, encoded, that Glue takes."""
_VIEW_REST = 20_000  # columns and types take less
_DAYS_A_YEAR = 12 * 31  # projection goes by number, so it also counts the 31st of February


@dataclass(frozen=True, slots=True)
class Design:
    """What the configuration decides about the catalog.

    Attributes:
        database: the database of all tables and views.
        prefix: `table_prefix`.
        shape: how raw tables are cut.
        restored: let Athena read objects that were restored from Glacier.
        indexes: make partition indexes (where the catalog allows them).
    """

    database: str
    prefix: str
    shape: Shape
    restored: bool = True
    indexes: bool = True


@dataclass(frozen=True, slots=True)
class Projection:
    """From what Athena is to compute the partitions.

    Attributes:
        accounts: all account folders.
        regions: all region folders, and the regions known.
        logroots: all roots.
        years: the first and the last year.
    """

    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    logroots: tuple[str, ...]
    years: tuple[int, int]

    @property
    def partitions(self) -> int:
        """How many partitions a question without any condition makes Athena look at."""
        years = self.years[1] - self.years[0] + 1
        return len(self.accounts) * len(self.regions) * len(self.logroots) * years * _DAYS_A_YEAR


def table_name(design: Design, kind: Kind, account: str) -> str:
    """The raw table that holds an account's files of a kind."""
    if design.shape is Shape.PER_ACCOUNT:
        return names.account_name(design.prefix, kind, account)
    return names.raw_name(design.prefix, kind)


def raw_table(
    design: Design, kind: Kind, folder: AccountFolder, projection: Projection | None = None
) -> Table:
    """The definition of a raw table.

    Args:
        design: what the configuration decides.
        kind: the delivery kind that it holds.
        folder: one of the account folders that it reads; the table's own location comes from it.
        projection: needed for projected tables.
    """
    location = folder.location(kind) if design.shape is Shape.PER_ACCOUNT else f"s3://{folder.logroot}/"
    parameters = {"EXTERNAL": "TRUE", "classification": "cloudtrail", **mark(kind, design.shape)}
    if design.restored:
        parameters["read_restored_glacier_objects"] = "true"
    if design.shape is Shape.SINGLE and design.indexes:
        parameters["partition_filtering.enabled"] = "true"
    if projection is not None:
        parameters |= _projection(kind, projection)
    return Table(
        table_name(design, kind, folder.account),
        design.shape.keys,
        location,
        hive_columns(kind),
        CLOUDTRAIL_FORMAT,
        tuple(sorted(parameters.items())),
        INDEXED_KEYS if design.shape is Shape.SINGLE and design.indexes else (),
    )


def partitions(
    design: Design, kind: Kind, deliveries: Iterable[Delivery], today: date, regions: Collection[str]
) -> dict[tuple[str, ...], Partition]:
    """All partitions of one account and kind, by their values.

    Args:
        design: what the configuration decides; not projected.
        kind: the delivery kind.
        deliveries: the account's, of this kind; others are left out.
        today: the day of the run, UTC.
        regions: regions that exist; those of the deliveries are added.
    """
    of_kind = [delivery for delivery in deliveries if delivery.kind is kind]
    everywhere = {*regions, *(delivery.region for delivery in of_kind)}
    wanted: dict[tuple[AccountFolder, str], set[date]] = {
        (folder, region): {today, today + timedelta(days=1)}
        for folder in {delivery.folder for delivery in of_kind}
        for region in everywhere
    }
    for delivery in of_kind:
        wanted[delivery.folder, delivery.region].update(delivery.days)
    made = (
        _partition(design.shape, kind, folder, region, day)
        for (folder, region), days in wanted.items()
        for day in days
    )
    return {partition.values: partition for partition in made}


def account_views(design: Design, kind: Kind, accounts: Iterable[str]) -> list[View]:
    """The views `cloudtrail_<account>`; none where these names are tables."""
    if design.shape is Shape.PER_ACCOUNT:
        return []
    made = (names.account_view(design.database, design.prefix, kind, account) for account in accounts)
    return [_stored(view, kind, design) for view in made]


def shared_views(
    design: Design, accounts: Mapping[Kind, Sequence[str]], open_from: date | None = None
) -> list[View]:
    """The views over all accounts, in an order in which they can be made.

    Args:
        design: what the configuration decides.
        accounts: for each delivery kind that has a table, its accounts, sorted.
        open_from: the lake's watermark, the first day that is not sealed; None where no day is.
    """
    made = [
        _stored(_all_records(design, kind, members, open_from), kind, design)
        for kind, members in accounts.items()
    ]
    if members := accounts.get(Kind.CLOUDTRAIL):
        if open_from is None:
            events = names.raw_events_view(design.database, design.prefix)
        else:
            own = members if design.shape is Shape.PER_ACCOUNT else None
            events = names.hybrid_events_view(design.database, design.prefix, own, open_from)
        made.append(_stored(events, Kind.CLOUDTRAIL, design))
    return made


def _all_records(design: Design, kind: Kind, members: Sequence[str], open_from: date | None) -> names.View:
    per_account = design.shape is Shape.PER_ACCOUNT
    if kind is Kind.CLOUDTRAIL and open_from is not None:
        return names.hybrid_view(design.database, design.prefix, members if per_account else None, open_from)
    if per_account:
        return names.union_view(design.database, design.prefix, kind, members)
    return names.raw_view(design.database, design.prefix, kind)


def choose_shape(configured: str, *, projected: bool, recorded: Shape | None, accounts: int) -> Shape:
    """The shape of the raw tables.

    Args:
        configured: `tables`: `auto`, `per_account` or `single`.
        projected: whether `partitions: projected` is set.
        recorded: the shape that the catalog has.
        accounts: how many accounts there are.
    """
    if projected:
        return Shape.PROJECTED
    if configured != "auto":
        return Shape(configured)
    if recorded is not None:
        return Shape.SINGLE if recorded is Shape.PROJECTED else recorded  # not asked for any more
    return Shape.PER_ACCOUNT if accounts <= PER_ACCOUNT_UP_TO else Shape.SINGLE


def unprojectable(projection: Projection) -> str:
    """Why partitions cannot be projected over so much; "" if they can."""
    buckets = {logroot.partition("/")[0] for logroot in projection.logroots}
    if len(buckets) > 1:
        return f"projection is for one bucket, and there are {len(buckets)}: set `partitions: registered`"
    accounts, years = len(projection.accounts), projection.years[1] - projection.years[0] + 1
    if accounts <= MOST_PROJECTED_ACCOUNTS and projection.partitions <= MOST_PROJECTED_PARTITIONS:
        return ""
    return (
        f"{accounts} accounts x {len(projection.regions)} regions x {len(projection.logroots)} roots x "
        f"{years} years x {_DAYS_A_YEAR} = {projection.partitions:,} partitions, and Athena reads at most "
        f"{MOST_PROJECTED_PARTITIONS:,} in a scan; projection is for at most {MOST_PROJECTED_ACCOUNTS} "
        "accounts: set `partitions: registered`"
    )


def costly(branches: int) -> str:
    """What to know of a union of so many tables that is written all the same."""
    return (
        f"a union of {branches} tables takes many seconds to plan, and a question that names it twice may be "
        "refused by the engine: set `tables: single`"
    )


def unplannable(branches: int) -> str:
    """Why a union of so many tables is not written."""
    return (
        f"a union of {branches} tables cannot be planned (the engine stops at 150 stages): "
        "set `tables: single`"
    )


def too_long(view: View) -> str:
    """Why a view's statement is not kept by the catalog; "" if it is.

    Glue keeps it as JSON in base64: four characters for three, and a backslash more for every quote.
    """
    size = (len(view.sql) + view.sql.count('"')) * 4 // 3 + _VIEW_REST
    if size <= LONGEST_VIEW:
        return ""
    return (
        f"the statement of {view.name} is longer than Glue keeps ({size:,} of {LONGEST_VIEW:,} bytes): "
        "set `tables: single`"
    )


def _projection(kind: Kind, projection: Projection) -> dict[str, str]:
    # White space counts in enum values, and every location has to end with a slash.
    listed = {
        "account": projection.accounts,
        "region": projection.regions,
        "logroot": projection.logroots,
    }
    numbers = {"year": (*projection.years, 4), "month": (1, 12, 2), "day": (1, 31, 2)}
    parameters = {"projection.enabled": "true"}
    for key, values in listed.items():
        parameters[f"projection.{key}.type"] = "enum"
        parameters[f"projection.{key}.values"] = ",".join(values)
    for key, (first, last, digits) in numbers.items():
        parameters[f"projection.{key}.type"] = "integer"
        parameters[f"projection.{key}.range"] = f"{first},{last}"
        parameters[f"projection.{key}.digits"] = str(digits)
    place = f"s3://${{logroot}}/${{account}}/{kind}/${{region}}/${{year}}/${{month}}/${{day}}/"
    return {**parameters, "storage.location.template": place}


def _stored(view: names.View, kind: Kind, design: Design) -> View:
    parameters = {"comment": "Presto View", "presto_view": "true", **mark(kind, design.shape)}
    return View(view.name, view.sql, view_columns_of(view.columns), tuple(sorted(parameters.items())))


def _partition(shape: Shape, kind: Kind, folder: AccountFolder, region: str, day: date) -> Partition:
    own = (region, *_date_values(day), folder.logroot)
    values = own if shape is Shape.PER_ACCOUNT else (folder.account, *own)
    return Partition(values, folder.location(kind, region, day), hive_columns(kind), CLOUDTRAIL_FORMAT)


@lru_cache(maxsize=100_000)
def _date_values(day: date) -> tuple[str, str, str]:
    return f"{day.year:04}", f"{day.month:02}", f"{day.day:02}"
