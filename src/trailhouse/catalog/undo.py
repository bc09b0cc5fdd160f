"""The flow that puts the predecessor's definitions back and removes what is ours."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trailhouse.catalog.adoption import ADOPTION
from trailhouse.catalog.convergence import FORMER, VIEWS
from trailhouse.catalog.draft import actual_digest
from trailhouse.core.adoption import account_of, give_back, is_former
from trailhouse.core.descriptor import Digester
from trailhouse.core.plan import Part, Read, Refusal, deletion, foreign
from trailhouse.core.state import Found, Partition, Shape, Table, recorded_shape
from trailhouse.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from trailhouse.catalog.port import Catalog


class Undo:
    """A plan in the making that puts back what was taken over and removes what is ours.

    Attributes:
        shape: of the tables that are ours; known once `parts` has begun.
        failed: parts that could not be carried out; whoever carries out says so here, and ours stays then.
    """

    def __init__(self, catalog: Catalog, prefix: str) -> None:
        """Ask nobody yet."""
        self._catalog = catalog
        self._prefix = prefix
        self._digester = Digester()
        self.shape = Shape.PER_ACCOUNT
        self.failed: set[str] = set()

    def parts(self) -> Iterator[Part]:
        """The plan, in the order in which it has to be carried out. Raises AwsError."""
        found = self._catalog.definitions() if self._catalog.exists() else {}
        self.shape = recorded_shape(found.values()) or self.shape
        kept = sorted((one for one in found.values() if one.backup_of), key=lambda one: one.is_view)
        if not kept:
            reason = "nothing is kept of former definitions: there is nothing to put back"
            yield Part(ADOPTION, refusals=(Refusal(self._prefix, reason),))
            return
        for one in kept:
            yield self._bound(self._given_back(one, found), found)
        if not self.failed:
            yield self._bound(self._removed(found, {one.backup_of for one in kept}), found)

    def _bound(self, part: Part, found: Mapping[str, Found]) -> Part:
        if part.error:
            return part
        return replace(part, actual=actual_digest(part, self._catalog, found, self._digester))

    def _given_back(self, kept: Found, found: Mapping[str, Found]) -> Part:
        name = VIEWS if kept.is_view else account_of(kept.backup_of, self._prefix) or kept.backup_of
        refusal = foreign(kept)
        if refusal:
            return self._failing(Part(name, refusals=(refusal,)))
        held = found.get(kept.backup_of)
        try:
            partitions = self._read(kept)
            back = held is not None and is_former(held, kept)
            there = self._read(held) if back and held else {}
        except AwsError as error:
            return self._failing(Part(name, error=error))
        part = give_back(name, kept, held, partitions, there)
        tables = () if kept.is_view else (kept.definition.name, *((kept.backup_of,) if back else ()))
        part = replace(part, reads=tuple(map(Read, tables)), names=(kept.backup_of, kept.definition.name))
        return self._failing(part) if part.refusals else part

    def _failing(self, part: Part) -> Part:
        self.failed.add(part.name)
        return part

    def _read(self, found: Found) -> Mapping[tuple[str, ...], Partition]:
        if not isinstance(found.definition, Table):
            return {}
        return self._catalog.partitions(found.definition, None, None)

    def _removed(self, found: Mapping[str, Found], back: Collection[str]) -> Part:
        ours = [
            one
            for name, one in found.items()
            if one.version is not None and not one.backup_of and name not in back
        ]
        refusals = tuple(refusal for one in ours if (refusal := foreign(one)))
        gone = [] if refusals else sorted(ours, key=lambda one: (not one.is_view, one.definition.name))
        return Part(
            FORMER, tuple(map(deletion, gone)), refusals, names=tuple(one.definition.name for one in gone)
        )
