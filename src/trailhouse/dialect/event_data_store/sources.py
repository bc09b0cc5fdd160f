"""What stands in FROM of CloudTrail Lake's SQL, and what a column's name means there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from trailhouse.core.layout import Kind
from trailhouse.core.views import events_name, kind_name
from trailhouse.dialect.event_data_store.columns import Form, Stored, absent, column
from trailhouse.dialect.event_data_store.ids import store_named
from trailhouse.dialect.mistake import nearest
from trailhouse.dialect.trees import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlglot import exp

_KINDS = (Kind.INSIGHT, Kind.NETWORKACTIVITY, Kind.CLOUDTRAIL)


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of FROM.

    Attributes:
        alias: what its columns are qualified with, lower case.
        qualifier: the same as it is written here.
        stored: a table in a store's place; None: a query, or an array laid out.
        columns: of anything else, its columns with their forms; None: not known.
    """

    alias: str
    qualifier: str = ""
    stored: Stored | None = None
    columns: Mapping[str, Form] | None = None

    def has(self, name: str) -> bool:
        """Tell whether it has a column."""
        return name in (self.stored.columns if self.stored else self.columns or ())


@dataclass(frozen=True, slots=True)
class Place:
    """What names mean where an expression stands.

    Attributes:
        sources: entries of FROM.
        outer: the statement around a subquery.
        withs: WITH names and their columns.
        outputs: names of the result's columns, where they can be named (ORDER BY).
        plain: whether the expression is joined to WHERE or ON by AND and OR alone.
        joined: columns that USING makes one of two.
        lambdas: names of the lambdas around.
    """

    sources: tuple[Source, ...] = ()
    outer: Place | None = None
    withs: Mapping[str, Mapping[str, Form] | None] = field(default_factory=lambda: MappingProxyType({}))
    outputs: frozenset[str] = frozenset()
    plain: bool = False
    joined: frozenset[str] = frozenset()
    lambdas: frozenset[str] = frozenset()

    def inside(self) -> Place:
        """Return the place of a part that is not joined by AND and OR alone."""
        return replace(self, plain=False) if self.plain else self


def stored_as(name: str, prefix: str) -> Stored | None:
    """Return the table of that name, if it is one that can stand for an event data store."""
    last = name.rsplit(".", maxsplit=1)[-1].lower()
    if last == events_name(prefix):
        return Stored(name, timed=True)
    for kind in _KINDS:
        base = kind_name(prefix, kind)
        account = last.removeprefix(f"{base}_")
        if last == base or (last != account and len(account) == 12 and account.isdecimal()):  # noqa: PLR2004 - ids
            return Stored(name, kind)
    return None


def source_of(table: exp.Table, place: Place, stores: Mapping[str, Stored], prefix: str) -> Source:
    """Return what a name in FROM is.

    Raises:
        Refusal: it is neither a store, nor a table of ours, nor a WITH name.
    """
    name, alias = table.name, (table.alias or table.name).lower()
    if not table.db and name.lower() in place.withs:
        return Source(alias, columns=place.withs[name.lower()])
    store = store_named(name)
    found = stores.get((store or name).lower())
    if found is None and store is not None:
        found = Stored(events_name(prefix), timed=True)
    found = found or stored_as(".".join(filter(None, (table.db, name))), prefix)
    if found is None:
        hint = f"if it is an event data store, say what it stands for: --store '{name}={events_name(prefix)}'"
        raise Refusal(f'unknown table "{name}"', table, hint=hint, unsupported=False)
    return Source(alias, table.alias or found.name.rpartition(".")[2], found)


def resolve(node: exp.Expr, parts: list[str], place: Place) -> tuple[exp.Expr, Form]:
    """Return what a name means: its expression here and its form.

    Args:
        node: the column as it stands.
        parts: its names, from the left.
        place: where it stands.

    Raises:
        Refusal: nothing here has that name, or several have.
    """
    lowered = [one.lower() for one in parts]
    at: Place | None = place
    while at is not None:
        found = _resolve(node, lowered, at)
        if found is not None:
            return found
        at = at.outer
    if _open(place) or (len(lowered) == 1 and lowered[0] in place.outputs):
        return node, Form.OTHER
    raise _unknown(node, parts, place)


def _resolve(node: exp.Expr, names: list[str], place: Place) -> tuple[exp.Expr, Form] | None:
    qualified = [one for one in place.sources if one.alias == names[0]] if len(names) > 1 else []
    if qualified:
        return _of(node, qualified[0], names[1:], qualified[0].qualifier, place)
    owners = [one for one in place.sources if one.has(names[0])]
    if len(owners) > 1 and names[0] not in place.joined:
        hint = "write " + " or ".join(f'"{one.alias}".{names[0]}' for one in owners)
        raise Refusal(f'"{names[0]}" is in several tables', node, hint=hint, unsupported=False)
    return _of(node, owners[0], names, "", place) if owners else None


def _of(
    node: exp.Expr, source: Source, names: list[str], qualifier: str, place: Place
) -> tuple[exp.Expr, Form]:
    if source.stored is None:
        form = (source.columns or {}).get(names[0], Form.OTHER) if len(names) == 1 else Form.OTHER
        return node, form
    if not source.has(names[0]):
        raise _unknown(node, names, place)
    found, form = column(source.stored, names, qualifier, node)
    if form is Form.TIME:
        found.meta["events"] = source.alias if names[0].startswith("event") else ""
    return found, form


def _open(place: Place | None) -> bool:
    """Whether something in FROM has columns that are not known."""
    while place is not None:
        if any(one.stored is None and one.columns is None for one in place.sources):
            return True
        place = place.outer
    return False


def _unknown(node: exp.Expr, parts: list[str], place: Place) -> Refusal:
    name = next((one for one in parts if absent(one.lower())), parts[0])
    if told := absent(name.lower()):
        return Refusal(f'there is no column "{name}" here', node, hint=told)
    known = {
        name for one in place.sources for name in (one.stored.columns if one.stored else one.columns or ())
    }
    near = ", ".join(nearest(name, known))
    return Refusal(
        f'unknown column "{name}"', node, hint=f"nearest: {near}" if near else "", unsupported=False
    )
