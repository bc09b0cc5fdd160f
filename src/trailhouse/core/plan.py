"""The difference between a catalog as it is and as it should be: sorted, printable, and able to refuse itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from trailhouse.core.state import MARK, VERSION, Definition, Found, Partition, Table, partition_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trailhouse.errors import TrailhouseError

HEAL_DAYS = 32
"""Days back that every run looks at: a delivery that failed is tried again for 30 days
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-set-bucket-policy-for-multiple-regions.html)."""
PRUNE_DAYS = 8
"""Days before those of which every run removes the partitions that stayed empty."""

_OURS = (
    "classification",
    "partition_filtering.enabled",
    "projection.",
    "read_restored_glacier_objects",
    "storage.location.template",
    "trailhouse.",
)
"""Parameters of a table that are ours to remove as well as to set; others stay as they are."""


class Action(StrEnum):
    """What a change does.

    `replace` deletes and makes anew under the same name. `check` changes nothing: it reads a table's partitions
    back and lets what comes after it happen only if they are as the changes before it made them.
    """

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    CHECK = "check"


class Target(StrEnum):
    """What a change is about."""

    DATABASE = "database"
    TABLE = "table"
    INDEX = "index"
    PARTITION = "partition"
    VIEW = "view"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do to a catalog.

    Attributes:
        action: create, update, replace or delete.
        target: what kind of thing.
        name: the table's or view's, or the database's.
        values: a partition's values, or an index's keys.
        before: what is there, where something is.
        after: what is to be there, where something is.
        why: what differs, in words of the catalog (`columns`, `location`, ...).
        revision: the catalog's number of the version that was compared.
        source: name of the table or view whose definition is copied, with what we do not understand of it
            (owner, comments); `after` has the rest. Only where something is created or replaced.
    """

    action: Action
    target: Target
    name: str
    values: tuple[str, ...] = ()
    before: Definition | Partition | None = None
    after: Definition | Partition | None = None
    why: tuple[str, ...] = ()
    revision: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a plan must not be carried out as it is: what, and what to do about it."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Read:
    """Partitions that a part was made from, so that they can be read again.

    Attributes:
        table: its name.
        account: only this one's; None: all.
        since: from this day of delivery on; None: all.
    """

    table: str
    account: str | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What is to be done about one account, or about what all share; parts are carried out in order.

    Attributes:
        name: an account, `tables` or `views`.
        changes: in an order in which they can be carried out.
        refusals: why nothing of it must be done.
        warnings: what the user should know.
        error: why it could not be planned; there are no changes then.
        reads: the partitions that it was made from.
        names: the tables and views that it was made from; None: all that there are.
        actual: digest of those definitions and partitions, for saved plans; or "".
    """

    name: str
    changes: tuple[Change, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    warnings: tuple[str, ...] = ()
    error: TrailhouseError | None = None
    reads: tuple[Read, ...] = ()
    names: tuple[str, ...] | None = ()
    actual: str = ""


@dataclass(slots=True)
class Tally:
    """Counts of changes, added up part by part.

    Attributes:
        counts: by what is changed, and how.
        taken_over: tables among them that are replaced and are not ours.
        refusals: of all parts.
        warnings: of all parts.
        errors: of parts that could not be planned, with their names.
    """

    counts: Counter[tuple[Target, Action]] = field(default_factory=Counter)
    taken_over: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    errors: list[tuple[str, TrailhouseError]] = field(default_factory=list)

    def add(self, part: Part) -> None:
        """Count a part."""
        self.counts.update((change.target, change.action) for change in part.changes)
        self.taken_over += sum(map(takes_over, part.changes))
        self.refusals += part.refusals
        self.warnings += part.warnings
        if part.error is not None:
            self.errors.append((part.name, part.error))

    @property
    def changes(self) -> int:
        """How many changes there are; 0 says that the catalog is as it should be."""
        return self.counts.total()


def diff_definition(wanted: Definition, found: Found | None) -> list[Change] | Refusal:
    """What to do so that a table or a view is as wanted.

    Returns:
        Changes (none if it is as wanted), or why its name cannot be used.
    """
    target = Target.TABLE if isinstance(wanted, Table) else Target.VIEW
    if found is None:
        made = Change(Action.CREATE, target, wanted.name, after=wanted)
        return [made, *_indexes(wanted, ())]
    refusal = foreign(found)
    if refusal:
        return refusal
    actual = found.definition
    replaced = _unlike(actual, wanted)
    if replaced:
        made = Change(Action.REPLACE, target, wanted.name, (), actual, wanted, (replaced,), found.revision)
        return [made, *_indexes(wanted, ())]
    why = _differences(actual, wanted)
    changed = Change(Action.UPDATE, target, wanted.name, (), actual, wanted, why, found.revision)
    held = (actual.indexes or ()) if isinstance(actual, Table) else ()
    return [*([changed] if why else []), *_indexes(wanted, held)]


def deletion(found: Found) -> Change:
    """To take away what the catalog holds, as long as it is that version."""
    target = Target.VIEW if found.is_view else Target.TABLE
    return Change(Action.DELETE, target, found.definition.name, (), found.definition, revision=found.revision)


def takes_over(change: Change) -> bool:
    """Whether a change replaces a table that is not ours: it has to be agreed to by count."""
    held = change.before
    return change.action is Action.REPLACE and isinstance(held, Table) and MARK not in dict(held.parameters)


def foreign(found: Found) -> Refusal | None:
    """Why what the catalog holds under a name must not be touched; None if it is ours."""
    name = found.definition.name
    if found.version is None:
        return Refusal(
            name,
            f"{name} exists and was not made by trailhouse: rename it, choose another table_prefix or "
            "database, or take cloudtrail-partitioner's tables over with --adopt",
        )
    if found.version > VERSION:
        return Refusal(
            name, f"{name} was written by a newer trailhouse (format {found.version}): upgrade this one"
        )
    return None


def diff_partitions(
    table: Table,
    wanted: Mapping[tuple[str, ...], Partition],
    actual: Mapping[tuple[str, ...], Partition],
    *,
    today: date,
    since: date | None,
) -> list[Change]:
    """What to do so that the partitions of one account in a table are as wanted, sorted by values.

    Args:
        table: the table, as wanted.
        wanted: by values.
        actual: by values; what is outside of the window does no harm.
        today: the day of the run, UTC.
        since: first day of which the logs were looked for; None if all were. Partitions of earlier days are
            left alone. Later ones without logs go once deliveries cannot arrive any more.
    """
    changes = []
    for values in sorted(wanted.keys() | actual.keys()):
        one, other = actual.get(values), wanted.get(values)
        if other is None:
            day = partition_day(table.keys, values)
            if day and (since is None or since <= day) and day < today - timedelta(days=HEAL_DAYS):
                changes.append(
                    Change(Action.DELETE, Target.PARTITION, table.name, values, one, why=("no logs",))
                )
        elif one is None:
            changes.append(Change(Action.CREATE, Target.PARTITION, table.name, values, after=other))
        elif one != other:
            why = tuple(what for what in _OF_PARTITION if getattr(one, what) != getattr(other, what))
            changes.append(Change(Action.UPDATE, Target.PARTITION, table.name, values, one, other, why))
    return changes


def too_many_deletes(table: str, changes: Sequence[Change], actual: int) -> Refusal | None:
    """Why a part that takes away much must not be carried out unasked; None if it does not.

    Args:
        table: the raw table's name.
        changes: of its partitions.
        actual: how many partitions were read.
    """
    deleted = sum(change.action is Action.DELETE for change in changes)
    if deleted <= _FEW or deleted <= actual * _SHARE:
        return None
    return Refusal(
        table,
        f"{deleted:,} of {actual:,} partitions of {table} have no logs any more and would be removed: "
        "check the source, then allow it with --allow-deletes",
    )


def merged_parameters(wanted: Definition, actual: Definition) -> dict[str, str]:
    """The parameters to write: those wanted, and of those there are, what is not ours to remove."""
    kept = {key: value for key, value in actual.parameters if not key.startswith(_OURS)}
    return {**kept, **dict(wanted.parameters)}


_FEW, _SHARE = 100, 0.2
_OF_PARTITION = ("location", "columns", "format")
_OF_TABLE = ("columns", "location", "format")
_OF_VIEW = ("sql", "columns")


def _differences(actual: Definition, wanted: Definition) -> tuple[str, ...]:
    compared = _OF_TABLE if isinstance(wanted, Table) else _OF_VIEW
    fields = [what for what in compared if getattr(actual, what) != getattr(wanted, what)]
    here, there = dict(actual.parameters), merged_parameters(wanted, actual)
    parameters = sorted(key for key in here.keys() | there.keys() if here.get(key) != there.get(key))
    return (*fields, *parameters)


def _indexes(wanted: Definition, held: Iterable[tuple[str, ...]]) -> list[Change]:
    if not isinstance(wanted, Table) or wanted.indexes is None:
        return []
    missing = [keys for keys in wanted.indexes if keys not in set(held)]
    return [Change(Action.CREATE, Target.INDEX, wanted.name, keys) for keys in missing]


def _unlike(actual: Definition, wanted: Definition) -> str:
    """What no update can change."""
    if isinstance(actual, Table) and isinstance(wanted, Table):
        return "partition keys" if actual.keys != wanted.keys else ""
    if isinstance(actual, Table):
        return "was a table"
    return "was a view" if isinstance(wanted, Table) else ""
