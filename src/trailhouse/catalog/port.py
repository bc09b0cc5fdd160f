"""What the flow needs of a catalog: five things, so that another catalog, or a test's, can stand in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from trailhouse.core.plan import Change
    from trailhouse.core.state import Found, Partition, Table
    from trailhouse.errors import TrailhouseError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change.

    Attributes:
        change: as it was asked for.
        error: why it was not carried out, or None.
    """

    change: Change
    error: TrailhouseError | None = None


@dataclass(frozen=True, slots=True)
class Restrictions:
    """What the catalog's settings forbid or demand.

    Attributes:
        encrypted: the catalog encrypts its metadata, so that it takes no partition indexes.
        missing_grants: what Lake Formation has to grant first, one sentence each.
        unread: which settings could not be read and why, one sentence each.
    """

    encrypted: bool = False
    missing_grants: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


class Catalog(Protocol):
    """A database of tables, partitions and views. Every method raises AwsError, or the adapter's own error."""

    def exists(self) -> bool:
        """Whether the database exists."""
        ...

    def definitions(self) -> Mapping[str, Found]:
        """All tables and views whose names begin with the prefix, by name; indexes are read with them."""
        ...

    def partitions(
        self, table: Table, account: str | None, since: date | None
    ) -> Mapping[tuple[str, ...], Partition]:
        """Partitions of a table, by values.

        Args:
            table: as it is in the catalog; one that does not exist has none.
            account: only this one's, where `account` is a partition key.
            since: only those of this day of delivery and later ones.
        """
        ...

    def carry_out(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Carry changes out in their order, in as few calls as can be; each one's outcome as it is known.

        A change that is done already counts as done. After one that failed, later ones of the same sequence
        that could depend on it are not tried.
        """
        ...

    def restrictions(self) -> Restrictions:
        """What the catalog's settings forbid or demand."""
        ...
