"""Taking away what is ours from a catalog, and saying what stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailhouse.catalog.draft import Draft
from trailhouse.core.descriptor import Digester
from trailhouse.core.plan import Action, Change, Target, deletion, foreign
from trailhouse.core.state import Shape, recorded_shape
from trailhouse.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trailhouse.catalog.port import Catalog
    from trailhouse.core.plan import Part
    from trailhouse.core.state import Found

OURS = "ours"
"""Name of the part."""


class Removal:
    """A plan in the making that removes every table and view of ours under the prefix; never a log.

    Attributes:
        shape: how raw tables are cut; known once `parts` has begun.
        tables: how many tables go; known once `parts` has begun.
        stays: what stays under the prefix, and why; likewise.
    """

    def __init__(self, catalog: Catalog) -> None:
        """Ask nobody yet."""
        self._catalog = catalog
        self.shape = Shape.PER_ACCOUNT
        self.tables = 0
        self.stays: list[tuple[str, str]] = []

    def parts(self) -> Iterator[Part]:
        """The plan: views before the tables that they read. Raises AwsError."""
        found = self._catalog.definitions() if self._catalog.exists() else {}
        ours = [one for one in found.values() if one.version is not None and not one.backup_of]
        self.shape = recorded_shape(ours) or Shape.PER_ACCOUNT
        self.tables = sum(not one.is_view for one in ours)
        self.stays = list(_staying(found))
        draft = Draft(OURS, Digester(), None)
        for one in sorted(ours, key=lambda one: (not one.is_view, one.definition.name)):
            draft.add(foreign(one) or [deletion(one)])
        yield draft.part(found)


def remove_database(catalog: Catalog, database: str) -> str:
    """Remove the database if it is ours and empty; why it stays, or "".

    Raises:
        AwsError: it could not be found out, or not be done.
    """
    if database == "default":
        return "it is the account's own"
    if not catalog.exists():
        return ""
    for outcome in catalog.carry_out([Change(Action.DELETE, Target.DATABASE, database)]):
        if isinstance(outcome.error, CatalogError):
            return str(outcome.error)
        if outcome.error is not None:
            raise outcome.error
    return ""


def _staying(found: Mapping[str, Found]) -> Iterator[tuple[str, str]]:
    for name, one in found.items():
        if one.backup_of:
            yield name, f"it keeps the former definition of {one.backup_of}"
        elif one.version is None:
            yield name, "it was not made by trailhouse"
