"""A part of a plan while it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailhouse.core.descriptor import Digester, Fingerprint
from trailhouse.core.plan import Change, Part, Read, Refusal
from trailhouse.core.state import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trailhouse.catalog.port import Catalog
    from trailhouse.core.state import Found, Partition

Partitions = dict[tuple[str, ...], "Partition"]


class Draft:
    """Gathers what is to be done and what that was made from.

    Attributes:
        refusals: why nothing of it must be done.
        warnings: what the user should know.
    """

    def __init__(self, name: str, digester: Digester, names: Sequence[str] | None) -> None:
        """Nothing is to be done yet.

        Args:
            name: the part's.
            digester: shared by all parts.
            names: the tables and views that it is made from; None: all.
        """
        self._name = name
        self._names = names
        self._changes: list[Change] = []
        self._reads: list[Read] = []
        self._fingerprint = Fingerprint(digester)
        self.refusals: list[Refusal] = []
        self.warnings: list[str] = []

    def add(self, found: Iterable[Change] | Refusal | None) -> None:
        """Take changes, or why there are none."""
        if isinstance(found, Refusal):
            self.refusals.append(found)
        elif found:
            self._changes += found

    def read(self, catalog: Catalog, table: Table, read: Read) -> Mapping[tuple[str, ...], Partition]:
        """Partitions that the catalog holds. Raises AwsError."""
        actual = catalog.partitions(table, read.account, read.since)
        self._reads.append(read)
        self._fingerprint.add_partitions(read.table, actual)
        return actual

    def part(self, found: Mapping[str, Found]) -> Part:
        """The part. A refused one changes nothing: half of an account is worse than yesterday's whole."""
        add_definitions(self._fingerprint, self._names, found)
        return Part(
            self._name,
            () if self.refusals else tuple(self._changes),
            tuple(self.refusals),
            tuple(self.warnings),
            reads=tuple(self._reads),
            names=None if self._names is None else tuple(self._names),
            actual=self._fingerprint.hexdigest(),
        )


def add_definitions(
    fingerprint: Fingerprint, names: Sequence[str] | None, found: Mapping[str, Found]
) -> None:
    """Add what a part was made from besides partitions."""
    fingerprint.add_definitions(sorted(found) if names is None else names, found)


def actual_digest(part: Part, catalog: Catalog, found: Mapping[str, Found], digester: Digester) -> str:
    """The digest that a part would have if it were made now. Raises AwsError.

    Args:
        part: of a saved plan.
        catalog: is asked for the partitions that the part was made from.
        found: the tables and views that there are now.
        digester: shared by all parts.
    """
    fingerprint = Fingerprint(digester)
    for read in part.reads:
        held = found.get(read.table)
        table = held.definition if held else None
        partitions = catalog.partitions(table, read.account, read.since) if isinstance(table, Table) else {}
        fingerprint.add_partitions(read.table, partitions)
    add_definitions(fingerprint, part.names, found)
    return fingerprint.hexdigest()
