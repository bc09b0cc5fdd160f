"""Tables, partitions, changes: what the catalog's tests are made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

from trailhouse.core.layout import Kind
from trailhouse.core.plan import Action, Change, Target
from trailhouse.core.state import (
    ACCOUNT_KEYS,
    CLOUDTRAIL_FORMAT,
    INDEXED_KEYS,
    SINGLE_KEYS,
    Definition,
    Found,
    Partition,
    Shape,
    Table,
    View,
    ViewColumn,
    hive_columns,
    mark,
)

if TYPE_CHECKING:
    from trailhouse.catalog.glue import GlueCatalog
    from trailhouse.catalog.port import Outcome


class Connect(Protocol):
    """Another catalog on the same Glue."""

    def __call__(self, attempts: int = 1) -> GlueCatalog: ...


ACCOUNT = "111122223333"
ROOT = "logs/AWSLogs"
START = date(2026, 1, 1)
COLUMNS = hive_columns(Kind.CLOUDTRAIL)
MARK = tuple(sorted(mark(Kind.CLOUDTRAIL, Shape.PER_ACCOUNT).items()))
ONE = Table(
    "cloudtrail_111122223333", ACCOUNT_KEYS, f"s3://{ROOT}/{ACCOUNT}/", COLUMNS, CLOUDTRAIL_FORMAT, MARK, ()
)
ALL = Table("cloudtrail_raw", SINGLE_KEYS, f"s3://{ROOT}/", COLUMNS, CLOUDTRAIL_FORMAT, MARK, INDEXED_KEYS)
VIEW = View("cloudtrail", "SELECT 1 AS a", (ViewColumn("a", "int", "integer"),), MARK)
DATABASE = Change(Action.CREATE, Target.DATABASE, "security")
OLD = replace(ONE, columns=COLUMNS[:-1])


def partition(number: int, columns: tuple[tuple[str, str], ...] = COLUMNS, account: str = "") -> Partition:
    day = START + timedelta(days=number)
    values = ("eu-west-1", f"{day.year:04}", f"{day.month:02}", f"{day.day:02}", ROOT)
    values = (account, *values) if account else values
    where = f"s3://{ROOT}/{account or ACCOUNT}/CloudTrail/eu-west-1/{day:%Y/%m/%d}/"
    return Partition(values, where, columns, CLOUDTRAIL_FORMAT)


def make(after: Definition, revision: str = "", source: str = "") -> Change:
    target = Target.TABLE if isinstance(after, Table) else Target.VIEW
    return Change(Action.CREATE, target, after.name, (), None, after, (), revision, source)


def update(after: Definition, revision: str = "") -> Change:
    return replace(make(after, revision), action=Action.UPDATE)


def swap(after: Definition, revision: str = "", source: str = "") -> Change:
    return replace(make(after, revision, source), action=Action.REPLACE)


def delete(what: Definition, revision: str = "") -> Change:
    return replace(make(what, revision), action=Action.DELETE, before=what, after=None)


def of(action: Action, one: Partition, table: str = ONE.name) -> Change:
    return Change(action, Target.PARTITION, table, one.values, one, one)


def creates(numbers: range, table: str = ONE.name) -> list[Change]:
    return [of(Action.CREATE, partition(number), table) for number in numbers]


def index(keys: tuple[str, ...], table: str = ALL.name) -> Change:
    return Change(Action.CREATE, Target.INDEX, table, keys)


def errors(outcomes: list[Outcome]) -> list[object]:
    return [outcome.error for outcome in outcomes if outcome.error is not None]


def run(catalog: GlueCatalog, *changes: Change) -> None:
    """Carry out what must go well."""
    outcomes = list(catalog.carry_out(changes))
    assert [outcome.change for outcome in outcomes] == list(changes)
    assert errors(outcomes) == []


def fails(catalog: GlueCatalog, *changes: Change) -> list[object]:
    return errors(list(catalog.carry_out(changes)))


def held(catalog: GlueCatalog, table: Table = ONE) -> list[Partition]:
    return sorted(catalog.partitions(table, None, None).values(), key=lambda one: one.values)


def table_of(found: Found) -> Table:
    assert isinstance(found.definition, Table)
    return found.definition
