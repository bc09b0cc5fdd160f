"""A catalog that holds nothing: what is planned for it is everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailhouse.catalog.port import Catalog, Outcome, Restrictions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from trailhouse.core.plan import Change
    from trailhouse.core.state import Found, Partition, Table


class EmptyCatalog(Catalog):
    """Asks nobody; nothing can be carried out on it."""

    def exists(self) -> bool:
        """No."""
        return False

    def definitions(self) -> Mapping[str, Found]:
        """None."""
        return {}

    def partitions(
        self,
        table: Table,  # noqa: ARG002 - the port's
        account: str | None,  # noqa: ARG002 - likewise
        since: date | None,  # noqa: ARG002 - likewise
    ) -> Mapping[tuple[str, ...], Partition]:
        """None."""
        return {}

    def carry_out(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Raise NotImplementedError."""
        raise NotImplementedError(f"{len(changes)} changes of a catalog that is none")

    def restrictions(self) -> Restrictions:
        """None are known."""
        return Restrictions()
