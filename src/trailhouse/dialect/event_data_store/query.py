"""Queries of CloudTrail Lake's SQL as queries of Athena's: what is in FROM, `*`, names, and the days to read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from trailhouse.dialect.event_data_store.columns import Form, Stored
from trailhouse.dialect.event_data_store.maps import native
from trailhouse.dialect.event_data_store.sources import Place, Source, source_of
from trailhouse.dialect.event_data_store.times import Bounds
from trailhouse.dialect.event_data_store.values import BOUNDS, Values, plain
from trailhouse.dialect.tables import Scope, day_conditions
from trailhouse.dialect.trees import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, timedelta

_SETS = (exp.Union, exp.Intersect, exp.Except)
_RESOURCES = ("accountid", "type", "arn", "arnprefix")
_OURS = ("arn", "accountid", "type")


@dataclass(slots=True)
class Queries:
    """Rewrites queries in place.

    Attributes:
        stores: what names of event data stores stand for, lower case.
        prefix: `table_prefix`.
        now: the present, UTC.
        late: how long after an event its file may have been delivered.
        bounds: for each reading of a store, what is demanded of its event times.
        starred: whether `*` of a store was written out.
    """

    stores: Mapping[str, Stored]
    prefix: str
    now: datetime
    late: timedelta
    bounds: list[Bounds] = field(default_factory=list)
    starred: bool = False
    values: Values = field(init=False)

    def __post_init__(self) -> None:
        """Let expressions rewrite the queries inside of them."""
        self.values = Values(self.now, self.query)

    def query(self, node: exp.Expr, place: Place) -> Mapping[str, Form] | None:
        """Rewrite a query; returns its columns with their forms, None where they are not known.

        Raises:
            Refusal: it holds what has no counterpart here.
        """
        place = self._with(node, place)
        if isinstance(node, exp.Select):
            return self._select(node, place)
        if isinstance(node, _SETS):
            found = self.query(node.this, place)
            self.query(node.expression, place)
            return found
        if isinstance(node, exp.Subquery):
            return self.query(node.this, place)
        return None

    def _with(self, node: exp.Expr, place: Place) -> Place:
        with_ = node.args.get("with_") or exp.With(expressions=[])
        for entry in with_.expressions:
            name = entry.alias.lower()
            seen = replace(place, withs={**place.withs, name: None}) if with_.args.get("recursive") else place
            columns = self.query(entry.this, replace(seen, sources=()))
            place = replace(place, withs={**place.withs, name: _renamed(columns, entry)})
        return place

    def _select(self, select: exp.Select, outer: Place) -> Mapping[str, Form] | None:
        joins = [*_joins(select)]
        entries = [one for one in [_from(select), *(join.this for join in joins)] if one is not None]
        place = Place(outer=outer.outer, withs=outer.withs, joined=_using(joins))
        for node in entries:
            source = self._source(node, place)
            place = replace(place, sources=(*place.sources, source))
        for join in joins:
            if join.args.get("on") is not None:
                join.set("on", self.values.value(join.args["on"], plain(place))[0])
        where = select.args.get("where")
        if where is not None:
            where.set("this", self.values.value(where.this, plain(place))[0])
        columns = self._outputs(select, place)
        named = replace(place, outputs=frozenset(columns or ()))
        for key, at in (("group", place), ("having", place), ("windows", place), ("order", named)):
            self._clause(select, key, at)
        self._days(select, place)
        return columns

    def _clause(self, select: exp.Select, key: str, place: Place) -> None:
        found = select.args.get(key)
        if isinstance(found, list):
            select.set(key, [self.values.value(one, place)[0] for one in found])
        elif isinstance(found, exp.Group):
            found.set("expressions", [self.values.value(one, place)[0] for one in found.expressions])
            for inner in ("grouping_sets", "rollup", "cube"):
                found.set(inner, [self.values.value(one, place)[0] for one in found.args.get(inner) or ()])
        elif isinstance(found, exp.Expr):
            select.set(key, self.values.value(found, place)[0])

    def _source(self, node: exp.Expr, place: Place) -> Source:
        alias = node.args.get("alias")
        name = node.alias.lower() if alias else ""
        if isinstance(node, exp.Table):
            source = source_of(node, place, self.stores, self.prefix)
            if source.stored is not None:
                _name_table(node, source.stored)
            taken = any(one.qualifier == source.qualifier for one in place.sources)
            if source.stored is None or node.alias or not taken:
                return source
            node.set("alias", exp.TableAlias(this=exp.to_identifier(source.alias)))
            return replace(source, qualifier=source.alias)
        if isinstance(node, exp.Unnest):
            columns = self._unnest(node, place)
            return Source(name, columns=columns)
        if isinstance(node, exp.Subquery):
            inner = Place(withs=place.withs, outer=place.outer)
            return Source(name, columns=_renamed(self.query(node.this, inner), node))
        return Source(name)

    def _unnest(self, node: exp.Unnest, place: Place) -> Mapping[str, Form] | None:
        typed = [self.values.value(one, place) for one in node.expressions]
        node.set("expressions", [native(one) if form is Form.MAP else one for one, form in typed])
        if any(form is Form.ROWS for _, form in typed):
            _reorder(node)
        columns = node.args["alias"].columns if node.args.get("alias") else []
        return {one.name.lower(): Form.OTHER for one in columns} or None

    def _outputs(self, select: exp.Select, place: Place) -> Mapping[str, Form] | None:
        columns: dict[str, Form] = {}
        items: list[exp.Expr] = []
        for item in self._unstarred(select, place):
            inner = item.this if isinstance(item, exp.Alias) else item
            name = item.alias if isinstance(item, exp.Alias) else _name_of(inner)
            new, form = self.values.value(inner, place)
            if isinstance(item, exp.Alias):
                item.set("this", new)
                new = item
            elif name and (_name_of(new) or "") != name:
                new = exp.alias_(new, name)
            items.append(new)
            if name:
                columns[name.lower()] = Form.OTHER if form in {Form.FLAG, Form.STRUCT} else form
        select.set("expressions", items)
        return None if any(one.is_star for one in items) else columns

    def _unstarred(self, select: exp.Select, place: Place) -> Iterator[exp.Expr]:
        for item in select.expressions:
            if not item.is_star or isinstance(item, exp.Anonymous):
                yield item
                continue
            table = item.table.lower() if isinstance(item, exp.Column) else ""
            sources = [one for one in place.sources if not table or one.alias == table]
            if all(one.stored is None for one in sources):
                yield item
                continue
            for source in sources:
                yield from self._columns(source, item, alone=len(place.sources) == 1)

    def _columns(self, source: Source, item: exp.Expr, *, alone: bool) -> Iterator[exp.Expr]:
        names = source.stored.shown if source.stored else source.columns
        if names is None:
            hint = "name the columns"
            raise Refusal("what * stands for beside an event data store is not known here", item, hint=hint)
        self.starred = self.starred or source.stored is not None
        for name in names:
            yield exp.column(name, table=None if alone else exp.to_identifier(source.alias))

    def _days(self, select: exp.Select, place: Place) -> None:
        """Add conditions on the days of delivery that follow from those on event times."""
        where = select.args.get("where")
        conditions: list[exp.Expr] = []
        for source in place.sources:
            if source.stored is None:
                continue
            found = Bounds()
            for part in _conjuncts(where.this) if where is not None else ():
                alias, bounds = part.meta.get(BOUNDS, ("", Bounds()))
                found = found.narrowed(bounds) if alias == source.alias else found
            self.bounds.append(found)
            for condition in day_conditions(Scope(found.since, found.until, late=self.late)):
                for one in condition.find_all(exp.Column) if len(place.sources) > 1 else ():
                    one.set("table", exp.to_identifier(source.qualifier))
                conditions.append(condition)
        if where is not None:
            where.set("this", _joined(where.this, conditions))


def _joined(first: exp.Expr, conditions: list[exp.Expr]) -> exp.Expr:
    for condition in conditions:
        first = exp.paren(first, copy=False) if isinstance(first, exp.Or) else first
        first = exp.And(this=first, expression=condition)
    return first


def _conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    """The conditions that hold for every row of the answer."""
    if isinstance(node, exp.And):
        yield from _conjuncts(node.this)
        yield from _conjuncts(node.expression)
    elif isinstance(node, exp.Paren):
        yield from _conjuncts(node.this)
    else:
        yield node


def _from(select: exp.Select) -> exp.Expr | None:
    found = select.args.get("from_")
    return found.this if found else None


def _joins(select: exp.Select) -> Iterator[exp.Join]:
    source = _from(select)
    yield from (source.args.get("joins") or ()) if source else ()
    yield from select.args.get("joins") or ()


def _using(joins: list[exp.Join]) -> frozenset[str]:
    return frozenset(one.name.lower() for join in joins for one in join.args.get("using") or ())


def _renamed(columns: Mapping[str, Form] | None, entry: exp.Expr) -> Mapping[str, Form] | None:
    """The columns of a query under the names that it is given."""
    alias = entry.args.get("alias")
    names = [one.name.lower() for one in alias.columns] if alias else []
    if not names:
        return columns
    forms = list((columns or {}).values())
    return (
        dict(zip(names, forms, strict=False))
        if len(forms) == len(names)
        else dict.fromkeys(names, Form.OTHER)
    )


def _name_of(node: exp.Expr) -> str:
    """The name that Athena gives a column of the result; empty: `_col0` and so on."""
    if isinstance(node, exp.Column | exp.Dot):
        return node.name.lower() if isinstance(node, exp.Column) else node.expression.name.lower()
    return ""


def _name_table(node: exp.Table, stored: Stored) -> None:
    database, _, name = stored.name.rpartition(".")
    node.set("this", exp.to_identifier(name))
    node.set("db", exp.to_identifier(database) if database else None)
    node.set("catalog", None)


def _reorder(node: exp.Unnest) -> None:
    """Name the fields of resources in our order: Lake's rows have another, and one field more."""
    alias = node.args.get("alias")
    names = list(alias.columns) if alias else []
    if alias is None or not names:
        return
    hint = "name all four: AS r(accountid, type, arn, arnprefix)"
    if len(node.expressions) != 1 or len(names) != len(_RESOURCES):
        raise Refusal(
            f"UNNEST(resources) gives 4 columns in CloudTrail Lake, and {len(names)} are named",
            node,
            hint=hint,
        )
    given = dict(zip(_RESOURCES, names, strict=True))
    extra = given["arnprefix"].name.lower()
    top = node.find_ancestor(exp.Select)
    for one in top.find_all(exp.Column) if top else ():
        if one.name.lower() == extra:
            raise Refusal("arnprefix is not in what trails deliver", one, hint="use the ARN")
    alias.set("columns", [given[name] for name in _OURS])
