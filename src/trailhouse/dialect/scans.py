"""Which tables a statement reads, and what it demands of their partition keys: through views, WITH, joins, unions.

Conditions move inwards where Athena's engine moves them, too: through projections that name a column or a
constant, through GROUP BY and DISTINCT, through windows for the columns that they are partitioned by. What
cannot move demands nothing, so more may be counted than is read, never less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlglot import exp

from trailhouse.core.conditions import (
    ANYTHING,
    NOTHING,
    Compare,
    Condition,
    compared,
    every,
    mapped,
)
from trailhouse.dialect.demands import Resolve, demanded, text_of
from trailhouse.dialect.grammar import parse

_DEEPEST = 16
_SETS = (exp.Union, exp.Intersect, exp.Except)
_QUERIES = (exp.Select, exp.Subquery, *_SETS)


@dataclass(frozen=True, slots=True)
class Name:
    """What a name in FROM stands for.

    Attributes:
        columns: all of them, in order, lower case.
        view: its statement, "" for a table.
        database: that the names in the view's statement are of, where they do not say.
    """

    columns: tuple[str, ...]
    view: str = ""
    database: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """One reading of one table.

    Attributes:
        database: where the table is.
        name: its own.
        condition: what is demanded of its columns.
    """

    database: str
    name: str
    condition: Condition


Lookup: TypeAlias = Callable[[str, str], Name | None]


@dataclass(frozen=True, slots=True)
class _With:
    """A WITH entry: its statement, and what it sees itself."""

    query: exp.Expr
    names: Sequence[str]
    seen: _Withs


_Withs: TypeAlias = Mapping[str, "_With | None"]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in statements within statements we are."""

    withs: _Withs
    database: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class _Source:
    """One entry of FROM."""

    node: exp.Expr
    alias: str
    columns: Sequence[str] | None
    alone: bool


def scans(tree: exp.Expr, lookup: Lookup, database: str) -> tuple[Scan, ...]:
    """Every reading of a table by a statement, with what it demands.

    Args:
        tree: the statement, as `parse` returns it; not changed.
        lookup: what a name in a database stands for; None for what is no table of the catalog.
        database: for names that do not say.

    Raises:
        SqlError: a view's statement cannot be read.
    """
    walk = _Walk(lookup)
    walk.query(tree, ANYTHING, _Place({}, database))
    return tuple(walk.found)


@dataclass(slots=True)
class _Walk:
    lookup: Lookup
    found: list[Scan] = field(default_factory=list)

    def query(self, node: exp.Expr, outer: Condition, place: _Place) -> None:
        """Walk a query whose answer has to meet `outer`, in the names of its own columns."""
        place = _with_entries(node, place)
        if node.args.get("limit") or node.args.get("offset"):
            outer = ANYTHING
        if isinstance(node, exp.Select):
            self._select(node, outer, place)
        elif isinstance(node, exp.Subquery):
            self.query(node.this, outer, place)
        elif isinstance(node, _SETS):
            self._union(node, outer, place)
        else:
            self._nested(node, place)

    def _union(self, node: exp.Expr, outer: Condition, place: _Place) -> None:
        left, right = node.this, node.expression
        self.query(left, outer, place)
        self.query(right, _renamed(outer, _outputs(left), _outputs(right)), place)
        self._nested_in(node, {"this", "expression", "with_"}, place)

    def _select(self, select: exp.Select, outer: Condition, place: _Place) -> None:
        joins = list(_joins(select))
        nodes = [one for one in [_from(select), *(join.this for join in joins)] if one is not None]
        sources = [self._source(one, place, alone=len(nodes) == 1) for one in nodes]
        pushed = _projected(select, outer)
        where = select.args.get("where")
        for number, source in enumerate(sources):
            resolve = _resolver(source, sources)
            demands = [_read(pushed, resolve)]
            demands += [demanded(where.this, resolve)] if where else []
            demands += [
                demanded(join.args["on"], resolve)
                for at, join in enumerate(joins, 1)
                if join.args.get("on") and _on_binds(join, number, at)
            ]
            self._read(source, every(*demands), place)
        for join in joins:
            self._nested(join.args.get("on"), place)
        self._nested_in(select, {"from_", "joins", "with_"}, place)

    def _read(self, source: _Source, condition: Condition, place: _Place) -> None:
        """Walk one entry of FROM."""
        node, alias = source.node, source.node.args.get("alias")
        renamed = [one.name.lower() for one in alias.columns] if alias else []
        if isinstance(node, exp.Subquery):
            self.query(node.this, _renamed(condition, renamed, _outputs(node.this)), place)
            return
        if not isinstance(node, exp.Table):
            self._nested(node, place)
            return
        if renamed:
            condition = _renamed(condition, renamed, self._own_columns(node, place))
        name = node.name.lower()
        if not node.db and name in place.withs:
            self._entry(place.withs[name], condition, place)
        else:
            self._table(node.db.lower() or place.database, name, condition, place)

    def _entry(self, entry: _With | None, condition: Condition, place: _Place) -> None:
        if entry is not None:
            condition = _renamed(condition, entry.names, _outputs(entry.query))
            self.query(entry.query, condition, _Place(entry.seen, place.database, place.depth))

    def _table(self, database: str, name: str, condition: Condition, place: _Place) -> None:
        known = self.lookup(database, name)
        if known is None or not known.view:
            self.found.append(Scan(database, name, condition))
        elif place.depth < _DEEPEST and condition != NOTHING:
            inner = _Place({}, known.database or database, place.depth + 1)
            self.query(parse(known.view), condition, inner)

    def _source(self, node: exp.Expr, place: _Place, *, alone: bool) -> _Source:
        alias = (node.alias or (node.name if isinstance(node, exp.Table) else "")).lower()
        return _Source(node, alias, self._columns(node, place), alone)

    def _columns(self, node: exp.Expr, place: _Place) -> Sequence[str] | None:
        alias = node.args.get("alias")
        if alias and alias.columns:
            return [one.name.lower() for one in alias.columns]
        return self._own_columns(node, place)

    def _own_columns(self, node: exp.Expr, place: _Place) -> Sequence[str] | None:
        if isinstance(node, exp.Subquery):
            return self._output_columns(node.this, place)
        name = node.name.lower()
        if isinstance(node, exp.Table) and not node.db and name in place.withs:
            entry = place.withs[name]
            if entry is None:
                return None
            inner = _Place(entry.seen, place.database, place.depth)
            return entry.names or self._output_columns(entry.query, inner)
        known = self.lookup(node.text("db").lower() or place.database, name)
        return known.columns if known else None

    def _output_columns(self, query: exp.Expr, place: _Place) -> Sequence[str] | None:
        """The names of a query's columns; of `*`, those of the one table that it is over."""
        names = _outputs(query)
        if names is None and isinstance(query, exp.Select) and not list(_joins(query)):
            inner = _from(query)
            return None if inner is None else self._columns(inner, _with_entries(query, place))
        return names

    def _nested_in(self, node: exp.Expr, but: set[str], place: _Place) -> None:
        for key, value in node.args.items():
            for one in value if isinstance(value, list) else [value]:
                if key not in but and isinstance(one, exp.Expr):
                    self._nested(one, place)

    def _nested(self, node: exp.Expr | None, place: _Place) -> None:
        """Walk the queries that stand inside an expression."""
        if isinstance(node, _QUERIES):
            self.query(node, ANYTHING, place)
        elif node is not None:
            self._nested_in(node, set(), place)


def _with_entries(node: exp.Expr, place: _Place) -> _Place:
    with_ = node.args.get("with_")
    if not with_:
        return place
    withs = dict(place.withs)
    for entry in with_.expressions:
        name = entry.alias.lower()
        seen = {**withs, name: None} if with_.args.get("recursive") else dict(withs)
        names = [one.name.lower() for one in entry.args["alias"].columns]
        withs[name] = _With(entry.this, names, seen)
    return _Place(withs, place.database, place.depth)


def _from(select: exp.Expr) -> exp.Expr | None:
    found = select.args.get("from_")
    return found.this if found else None


def _joins(select: exp.Expr) -> Iterator[exp.Join]:
    source = _from(select)
    yield from (source.args.get("joins") or ()) if source else ()
    yield from select.args.get("joins") or ()


def _on_binds(join: exp.Join, source: int, joined: int) -> bool:
    """Whether rows of a source that do not meet a join's ON are surely not in the answer."""
    side = join.side.upper()
    return not side or (side == "LEFT" and source == joined) or (side == "RIGHT" and source != joined)


def _resolver(source: _Source, sources: Sequence[_Source]) -> Resolve:
    def resolve(column: exp.Column) -> str | None:
        name, table = column.name.lower(), column.table.lower()
        if table:
            return name if table == source.alias else None
        if source.alone:
            return name
        if any(one.columns is None for one in sources):
            return None
        owners = [one for one in sources if one.columns is not None and name in one.columns]
        return name if owners == [source] else None

    return resolve


def _outputs(query: exp.Expr) -> list[str] | None:
    """The names of a query's columns in order; None where `*` hides them."""
    while isinstance(query, (exp.Subquery, *_SETS)):
        query = query.this
    if not isinstance(query, exp.Select) or any(one.is_star for one in query.expressions):
        return None
    return [one.alias_or_name.lower() for one in query.expressions]


def _renamed(condition: Condition, names: Sequence[str] | None, own: Sequence[str] | None) -> Condition:
    """A condition on columns by these names as one on the same columns by their own."""
    if not names and own is None:
        return condition
    if not names or own is None:
        return condition if own is not None and not names else ANYTHING
    places = dict(zip(names, own, strict=False))

    def leaf(compare: Compare) -> Condition:
        name = places.get(compare.key)
        return ANYTHING if name is None else Compare(name, compare.op, compare.values)

    return mapped(condition, leaf)


_Leaves: TypeAlias = Callable[[Resolve], Condition]


def _projected(select: exp.Select, outer: Condition) -> _Leaves:
    """A condition on what a SELECT answers, as one on what it reads."""
    starred = any(one.is_star for one in select.expressions)
    named = {one.alias_or_name.lower(): one.unalias() for one in select.expressions if not one.is_star}
    windows = [set(_partitioned(window)) for one in named.values() for window in one.find_all(exp.Window)]

    def condition(resolve: Resolve) -> Condition:
        def leaf(compare: Compare) -> Condition:
            behind = named.get(compare.key) or (exp.column(compare.key) if starred else None)
            text = text_of(behind)
            if text is not None:
                return ANYTHING if compared(text, compare) else NOTHING
            if not isinstance(behind, exp.Column):
                return ANYTHING
            if any(behind.name.lower() not in columns for columns in windows):
                return ANYTHING
            name = resolve(behind)
            return ANYTHING if name is None else Compare(name, compare.op, compare.values)

        return mapped(outer, leaf)

    return condition


def _read(pushed: _Leaves, resolve: Resolve) -> Condition:
    return pushed(resolve)


def _partitioned(window: exp.Window) -> Iterator[str]:
    for one in window.args.get("partition_by") or ():
        if isinstance(one, exp.Column):
            yield one.name.lower()
