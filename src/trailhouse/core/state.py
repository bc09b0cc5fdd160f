"""What a catalog holds: raw tables, their partitions, views. Definitions only, equal when they mean the same.

The same types stand for what should be there (`core.desired`) and for what was read (`catalog`), so that a
difference is a plain comparison (`core.plan`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from trailhouse.core.schema import RECORD_COLUMNS, hive_type, trino_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trailhouse.core.layout import Kind
    from trailhouse.core.schema import Column

VERSION = 1
"""Version of what is written to a catalog; what a higher one wrote is not touched."""

MARK = "trailhouse.version"
"""Table parameter that says that a table or a view is ours, and its version."""
KIND_PARAMETER = "trailhouse.kind"
SHAPE_PARAMETER = "trailhouse.shape"
BACKUP_PARAMETER = "trailhouse.backup-of"
SINCE_PARAMETER = "trailhouse.since"
"""First day whose partitions are all there; set once they are, on the table or view of an account's name."""
REACH_PARAMETER = "trailhouse.reach"
"""First day that can have a partition; set while not all are there yet, so that a later run reaches as far."""

DATE_KEYS = ("year", "month", "day")
ACCOUNT_KEYS = ("region", *DATE_KEYS, "logroot")
"""Partition keys of a table that holds one account."""
SINGLE_KEYS = ("account", *ACCOUNT_KEYS)
"""Partition keys of a table that holds all accounts."""

INDEXED_KEYS = (("account", *DATE_KEYS), DATE_KEYS)
"""Partition indexes of a table that holds all accounts: one account's days, and every account's days."""

Columns = tuple[tuple[str, str], ...]
"""Names and Hive types, in order."""


class Shape(StrEnum):
    """How raw tables are cut."""

    PER_ACCOUNT = "per_account"
    SINGLE = "single"
    PROJECTED = "projected"

    @property
    def keys(self) -> tuple[str, ...]:
        """Partition keys of a raw table of this shape."""
        return ACCOUNT_KEYS if self is Shape.PER_ACCOUNT else SINGLE_KEYS


@dataclass(frozen=True, slots=True)
class Format:
    """How a table's or a partition's files are read: class names, as Glue keeps them."""

    input_format: str
    output_format: str
    serde: str
    parameters: tuple[tuple[str, str], ...] = ()


CLOUDTRAIL_FORMAT = Format(
    "com.amazon.emr.cloudtrail.CloudTrailInputFormat",
    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "org.apache.hive.hcatalog.data.JsonSerDe",
    (("serialization.format", "1"),),
)
"""As in AWS's current DDL (https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table.html)."""


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition with its own columns, format and place: Athena reads it by these.

    Attributes:
        values: one for each partition key, in the order of the keys.
        location: `s3://.../`.
    """

    values: tuple[str, ...]
    location: str
    columns: Columns
    format: Format


@dataclass(frozen=True, slots=True)
class Table:
    """A raw table.

    Attributes:
        name: lower case.
        keys: partition keys, all strings.
        location: `s3://.../`; partitions have their own.
        columns: without the keys.
        format: how files are read where a partition does not say.
        parameters: sorted; of a table that was read, all that it has.
        indexes: the keys of each partition index; None where nobody asked.
    """

    name: str
    keys: tuple[str, ...]
    location: str
    columns: Columns
    format: Format
    parameters: tuple[tuple[str, str], ...] = ()
    indexes: tuple[tuple[str, ...], ...] | None = None

    @property
    def projected(self) -> bool:
        """Whether Athena computes the partitions instead of looking them up."""
        return dict(self.parameters).get("projection.enabled", "").lower() == "true"


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A view's column as Hive and as Athena's SQL type it; Glue keeps both."""

    name: str
    hive: str
    trino: str


@dataclass(frozen=True, slots=True)
class View:
    """A view in Athena's SQL.

    Attributes:
        name: lower case.
        sql: the statement.
        columns: what it answers, in order.
        parameters: sorted; of a view that was read, all that it has.
    """

    name: str
    sql: str
    columns: tuple[ViewColumn, ...]
    parameters: tuple[tuple[str, str], ...] = ()


Definition = Table | View
D = TypeVar("D", Table, View)


@dataclass(frozen=True, slots=True)
class Found:
    """A table or a view as the catalog holds it.

    Attributes:
        definition: what of it we understand.
        revision: the catalog's own number of this version, to refuse stale updates by; "" if it has none.
        raw: the catalog's whole answer, so that what is not understood survives an update.
    """

    definition: Definition
    revision: str = ""
    raw: Mapping[str, object] = field(default_factory=dict, compare=False, hash=False, repr=False)

    @property
    def version(self) -> int | None:
        """The version of ours that wrote it; None if it is not ours, and one too high if its mark is odd."""
        mark = dict(self.definition.parameters).get(MARK)
        if mark is None:
            return None
        return int(mark) if mark.isascii() and mark.isdigit() else VERSION + 1

    @property
    def since(self) -> date | None:
        """First day whose partitions are all there, UTC; None if that was never reached."""
        return self._day(SINCE_PARAMETER)

    @property
    def reach(self) -> date | None:
        """First day that can have a partition, UTC; None if that is not said."""
        return self._day(REACH_PARAMETER) or self.since

    def _day(self, parameter: str) -> date | None:
        try:
            return date.fromisoformat(dict(self.definition.parameters).get(parameter, ""))
        except ValueError:
            return None

    @property
    def is_view(self) -> bool:
        """Whether it is a view, and no table."""
        return isinstance(self.definition, View)

    @property
    def backup_of(self) -> str:
        """The name that this keeps the former definition of, or ""."""
        return dict(self.definition.parameters).get(BACKUP_PARAMETER, "")


def with_since(definition: D, since: date | None) -> D:
    """The same definition, saying from which day on its partitions are all there; None: saying nothing."""
    return _saying(definition, SINCE_PARAMETER, since)


def with_reach(definition: D, reach: date) -> D:
    """The same definition, saying that it is not complete, and from which day on it is to be."""
    return _saying(definition, REACH_PARAMETER, reach)


def _saying(definition: D, parameter: str, day: date | None) -> D:
    parameters = {k: v for k, v in definition.parameters if k not in {SINCE_PARAMETER, REACH_PARAMETER}}
    if day is not None:
        parameters[parameter] = day.isoformat()
    return replace(definition, parameters=tuple(sorted(parameters.items())))


def mark(kind: Kind | None, shape: Shape) -> dict[str, str]:
    """The parameters that say that a table or view is ours."""
    about = {KIND_PARAMETER: str(kind)} if kind else {}
    return {MARK: str(VERSION), SHAPE_PARAMETER: str(shape), **about}


def recorded_shape(found: Iterable[Found]) -> Shape | None:
    """The shape that was decided when the tables were made; None if none of them is ours."""
    for one in found:
        shape = dict(one.definition.parameters).get(SHAPE_PARAMETER)
        if shape in set(Shape) and not one.backup_of:
            return Shape(shape)
    return None


def hive_columns(kind: Kind) -> Columns:
    """The record columns of a delivery kind with their Hive types."""
    return _HIVE_COLUMNS[kind]


def view_columns_of(columns: Iterable[Column]) -> tuple[ViewColumn, ...]:
    """Columns of the schema as a view declares them."""
    return tuple(ViewColumn(c.name, hive_type(c.type), trino_type(c.type)) for c in columns)


def partition_day(keys: tuple[str, ...], values: tuple[str, ...]) -> date | None:
    """The day of delivery that a partition holds; None if its values are no day."""
    by_key = dict(zip(keys, values, strict=False))
    try:
        return date(*(int(by_key[key]) for key in DATE_KEYS))
    except (KeyError, ValueError):
        return None


_HIVE_COLUMNS: dict[Kind, Columns] = {
    kind: tuple((column.name, hive_type(column.type)) for column in columns)
    for kind, columns in RECORD_COLUMNS.items()
}
