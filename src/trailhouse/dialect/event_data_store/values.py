"""Expressions of CloudTrail Lake's SQL as expressions of Athena's over our tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlglot import exp

from trailhouse.core.layout import Kind
from trailhouse.dialect.event_data_store.columns import Form, field_of, refuse_elsewhere
from trailhouse.dialect.event_data_store.maps import NATIVE, element, native, record_part, scalar_of
from trailhouse.dialect.event_data_store.sources import Place, resolve
from trailhouse.dialect.event_data_store.times import Bounds, constant, literal, span_of
from trailhouse.dialect.trees import Refusal, bare, call, string_of

if TYPE_CHECKING:
    from collections.abc import Callable

Typed: TypeAlias = tuple[exp.Expr, Form]

_COMPARES = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_JOINED = (exp.And, exp.Or, exp.Paren)
_CONDITIONS = (*_JOINED, *_COMPARES, exp.In, exp.Between)
_QUERIES = (exp.Select, exp.Union, exp.Intersect, exp.Except, exp.Subquery)
_SAME_FORM = frozenset(
    {"min", "max", "arbitrary", "any_value", "min_by", "max_by", "coalesce", "greatest", "least"}
)
_WHOLE_PATHS = frozenset({"json_extract", "json_extract_scalar"})
_TURNED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
}
_TIMED = frozenset({Form.TIME, Form.DATE})
BOUNDS = "bounds"
"""The mark of a condition that bounds event times: (alias of the source, Bounds)."""


@dataclass(slots=True)
class Values:
    """Rewrites expressions; `query` rewrites the queries inside of them.

    Attributes:
        now: what `now()` is in constants that event times are compared with, UTC.
        query: rewrites a query at a place.
    """

    now: datetime
    query: Callable[[exp.Expr, Place], object]

    def value(self, node: exp.Expr, place: Place) -> Typed:
        """Return an expression as it is written here, with its form. Raises Refusal."""
        if isinstance(node, exp.Column | exp.Dot) and (parts := _names(node)):
            named = parts[0].lower() in place.lambdas
            return (node, Form.OTHER) if named else self._column(node, parts, place)
        if isinstance(node, _QUERIES):
            self.query(node, Place(outer=place, withs=place.withs))
            return node, Form.OTHER
        if not isinstance(node, _CONDITIONS):
            place = place.inside()
        handlers: tuple[tuple[tuple[type[exp.Expr], ...], Callable[[Any, Place], Typed]], ...] = (
            (_JOINED, self._joined),
            (_COMPARES, self._compare),
            ((exp.In, exp.Between), self._within),
            ((exp.Is,), self._is),
            ((exp.Anonymous,), self._called),
            ((exp.Bracket,), self._subscript),
            ((exp.Lambda,), self._lambda),
            ((exp.Ordered,), self._ordered),
        )
        handle = next((one for kinds, one in handlers if isinstance(node, kinds)), self._other)
        return handle(node, place)

    def _column(self, node: exp.Expr, parts: list[str], place: Place) -> Typed:
        found, form = resolve(node, parts, place)
        if form is Form.FLAG:
            text = found
            found = exp.TryCast(this=bare(text), to=exp.DataType.build("boolean"), safe=True)
            found.meta["text"] = text
        return found, form

    def _joined(self, node: exp.Expr, place: Place) -> Typed:
        form = Form.OTHER
        for key in ("this", "expression"):
            if node.args.get(key) is not None:
                form = self._set(node, key, place)
        return node, form if isinstance(node, exp.Paren) else Form.OTHER

    def _set(self, node: exp.Expr, key: str, place: Place) -> Form:
        """Rewrite one part of a node; returns the part's form."""
        new, form = self.value(node.args[key], place)
        node.set(key, new)
        return form

    def _compare(self, node: exp.Expr, place: Place) -> Typed:
        left = self._set(node, "this", place.inside())
        right = self._set(node, "expression", place.inside())
        _refuse_maps(node, left, right)
        if left in _TIMED or right in _TIMED:
            self._compare_times(node, left, right)
        for one, other in (("this", "expression"), ("expression", "this")):
            form = left if one == "this" else right
            _compare_texts(node, one, other, form, plain=place.plain)
        return node, Form.OTHER

    def _compare_times(self, node: exp.Expr, left: Form, right: Form) -> None:
        both = left in _TIMED and right in _TIMED
        fixed = "this" if both and constant(node.this, self.now) is not None else "expression"
        timed, other = ("this", "expression") if left in _TIMED else ("expression", "this")
        if both:
            timed, other = ("expression", "this") if fixed == "this" else ("this", "expression")
        moment = self._moment(node, other, day=Form.DATE in (left, right))
        if moment is None:
            return
        kind = type(node) if timed == "this" else _TURNED.get(type(node), type(node))
        _mark(node, node.args[timed], kind, moment)

    def _moment(self, node: exp.Expr, key: str, *, day: bool) -> datetime | None:
        """Write the constant that a time is compared with as a time; None: it is no constant."""
        other = node.args[key]
        moment = constant(other, self.now)
        if moment is None:
            text = string_of(other)
            if text is None:
                return None
            hint = "write it as '2026-11-01 00:00:00'"
            raise Refusal(f"a time is compared with {text!r}, which is none", other, hint=hint)
        exact = not day or moment == moment.replace(hour=0, minute=0, second=0, microsecond=0)
        node.set(key, literal(moment, day=day and exact))
        return moment

    def _within(self, node: exp.Expr, place: Place) -> Typed:
        form = self._set(node, "this", place.inside())
        _refuse_maps(node, form)
        if isinstance(node, exp.Between):
            ends = [self._end(node, key, form, place) for key in ("low", "high")]
            if events := _events(node.this):
                node.meta[BOUNDS] = (events[0], Bounds(ends[0], ends[1] and ends[1] + events[1]))
            return node, Form.OTHER
        if node.args.get("query") is not None:
            self._set(node, "query", place.inside())
            return node, Form.OTHER
        options = []
        for one in node.expressions:
            pair = exp.EQ(this=bare(node.this), expression=self.value(one, place.inside())[0])
            if form in _TIMED:
                self._compare_times(pair, form, Form.OTHER)
            elif form in {Form.FLAG, Form.TEXT}:
                _compare_texts(pair, "this", "expression", form, plain=False)
            options.append(pair.expression)
        node.set("expressions", options)
        scalar = scalar_of(node.this)
        if place.plain and scalar is not None and all(_scalar_text(one) for one in options):
            node.set("this", scalar)
        return node, Form.OTHER

    def _end(self, node: exp.Expr, key: str, form: Form, place: Place) -> datetime | None:
        other = self._set(node, key, place.inside())
        if form in _TIMED and other not in _TIMED:
            return self._moment(node, key, day=form is Form.DATE)
        return None

    def _is(self, node: exp.Is, place: Place) -> Typed:
        self._set(node, "this", place)
        text = node.this.meta.get("text")
        if isinstance(node.expression, exp.Null) and isinstance(text, exp.Expr):
            node.set("this", bare(text))
        return node, Form.OTHER

    def _lambda(self, node: exp.Lambda, place: Place) -> Typed:
        names = {one.name.lower() for one in node.expressions}
        self._set(node, "this", replace(place, lambdas=place.lambdas | names))
        return node, Form.OTHER

    def _ordered(self, node: exp.Ordered, place: Place) -> Typed:
        """A name alone is one of the result; in an expression it is one of FROM."""
        name = node.this.name.lower() if isinstance(node.this, exp.Column) and not node.this.table else ""
        if name in place.outputs:
            node.set("this", exp.column(name))
        else:
            self._set(node, "this", place)
        return node, Form.OTHER

    def _called(self, node: exp.Anonymous, place: Place) -> Typed:
        name = node.name.lower()
        typed = [self.value(one, place) for one in node.expressions]
        values, forms = [one for one, _ in typed], [form for _, form in typed]
        node.set("expressions", values)
        if name == "element_at" and len(values) == 2:  # noqa: PLR2004 - a map and its key
            return self._element(node, values, forms[0])
        if name in _WHOLE_PATHS and forms[:1] == [Form.WHOLE] and len(values) == 2:  # noqa: PLR2004 - value, path
            first = values[0]
            return record_part(node, first.text("table")), Form.TEXT
        if name in NATIVE:
            node.set("expressions", [_whole(*one) for one in typed])
        elif name not in {"count", "approx_distinct"}:
            _refuse_maps(node, *forms)
        if name == "date" and forms[:1] == [Form.TIME]:
            return _timed(node, values[0], timedelta(days=1)), Form.DATE
        if name == "date_trunc" and forms[1:] == [Form.TIME]:
            return _timed(node, values[1], span_of((string_of(values[0]) or "").lower())), Form.TIME
        if name == "date_add" and forms[2:] == [Form.TIME]:
            return node, Form.TIME
        kept = name in _SAME_FORM and forms[:1] != [] and forms[0] in _TIMED
        return node, forms[0] if kept else Form.OTHER

    def _element(self, node: exp.Expr, values: list[exp.Expr], form: Form) -> Typed:
        held, key = values
        text = string_of(key)
        if form is Form.MAP:
            whole = call("element_at", native(held), key)
            return (element(held, text) if text is not None else whole), Form.TEXT
        if form is Form.STRUCT:
            field = field_of(Kind.CLOUDTRAIL, "addendum", text or "")
            if field is None:
                hint = "it has reason, updatedFields, originalRequestID, originalEventID"
                raise Refusal(f"addendum has no field {text!r} here", node, hint=hint)
            return exp.Dot(this=held, expression=exp.to_identifier(field)), Form.TEXT
        _refuse_maps(node, form)
        return node, Form.OTHER

    def _subscript(self, node: exp.Expr, place: Place) -> Typed:
        if len(node.expressions) != 1:
            return self._other(node, place)
        held, form = self.value(node.this, place)
        key = self.value(node.expressions[0], place)[0]
        node.set("this", held)
        node.set("expressions", [key])
        return (
            self._element(node, [held, key], form) if form in {Form.MAP, Form.STRUCT} else (node, Form.OTHER)
        )

    def _other(self, node: exp.Expr, place: Place) -> Typed:
        forms = []
        for key, value in list(node.args.items()):
            if isinstance(value, exp.Expr) and key not in {"to", "_type", "unit", "alias"}:
                forms.append(self._set(node, key, place))
            elif isinstance(value, list):
                typed = [
                    self.value(one, place) if isinstance(one, exp.Expr) else (one, Form.OTHER)
                    for one in value
                ]
                node.set(key, [one for one, _ in typed])
                forms += [form for _, form in typed]
        if isinstance(node, exp.Cast):
            return self._cast(node, forms[0])
        if not isinstance(node, exp.Ordered | exp.Distinct | exp.Alias):
            _refuse_maps(node, *forms)
        if isinstance(node, exp.Add | exp.Sub) and Form.TIME in forms:
            return node, Form.OTHER if forms.count(Form.TIME) > 1 else Form.TIME
        if isinstance(node, exp.Filter | exp.Window) and forms:
            return node, forms[0]
        return node, Form.OTHER

    def _cast(self, node: exp.Cast, form: Form) -> Typed:
        kind = node.to.this
        if form is Form.MAP and kind == exp.DType.JSON:
            return call("json_parse", node.this), Form.OTHER
        _refuse_maps(node, form)
        if kind == exp.DType.DATE and form is Form.TIME:
            return _timed(node, node.this, timedelta(days=1)), Form.DATE
        return node, Form.TIME if kind in {exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ} and _moves(
            node
        ) else Form.OTHER


def _moves(node: exp.Cast) -> bool:
    """Whether a cast is of something else than a constant, which is a time by itself."""
    return not isinstance(node.this, exp.Literal)


def _names(node: exp.Expr) -> list[str]:
    """The names of a column and of the fields behind it; none, if it is something else."""
    behind: list[str] = []
    while isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
        behind.insert(0, node.expression.name)
        node = node.this
    if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
        return []
    return [one.name for one in node.parts] + behind


def _whole(node: exp.Expr, form: Form) -> exp.Expr:
    if form is Form.STRUCT:
        raise Refusal("addendum is a struct here", node, hint="write element_at(addendum, 'reason')")
    return native(node) if form is Form.MAP else node


def _refuse_maps(node: exp.Expr, *forms: Form) -> None:
    shown = node.name if isinstance(node, exp.Anonymous) else node.key.upper()
    if Form.MAP in forms:
        hint = "ask for one value: element_at(requestParameters, 'bucketName')"
        raise Refusal(f"{shown} takes no map, and this column is one in CloudTrail Lake", node, hint=hint)
    if Form.STRUCT in forms:
        raise Refusal("addendum is a struct here", node, hint="write element_at(addendum, 'reason')")


def _timed(node: exp.Expr, inner: exp.Expr, cut: timedelta | None) -> exp.Expr:
    """Mark an expression that cuts an event time down: it is earlier by less than `cut`."""
    events = _events(inner)
    if events and cut:
        node.meta["events"], node.meta["cut"] = events[0], events[1] + cut
    return node


def _events(node: exp.Expr) -> tuple[str, timedelta] | None:
    """The source whose event time an expression is, and how much later that may be."""
    alias = node.meta.get("events")
    return (alias, node.meta.get("cut", timedelta())) if isinstance(alias, str) and alias else None


def _mark(node: exp.Expr, timed: exp.Expr, kind: type[exp.Expr], moment: datetime) -> None:
    """Note what a comparison demands of event times."""
    events = _events(timed)
    if events is None:
        return
    since = moment if kind in {exp.GT, exp.GTE, exp.EQ} else None
    until = moment + events[1] if kind in {exp.LT, exp.LTE, exp.EQ} else None
    if since or until:
        node.meta[BOUNDS] = (events[0], Bounds(since, until))


def _scalar_text(node: exp.Expr) -> bool:
    text = string_of(node)
    return text is not None and not text.lstrip().startswith(("{", "["))


def _compare_texts(node: exp.Expr, one: str, other: str, form: Form, *, plain: bool) -> None:
    """Compare texts with texts where Lake compared booleans, and the value of a map in one call."""
    this, that = node.args[one], node.args[other]
    if isinstance(node, exp.EQ):
        refuse_elsewhere(this, that)
    said = _truth(that)
    if form is Form.FLAG and said is not None:
        text = this.meta.get("text")
        if plain and isinstance(text, exp.Expr):
            node.set(one, bare(text))
            node.set(other, exp.Literal.string("true" if said else "false"))
        else:
            node.set(other, exp.Boolean(this=said))
    elif form is Form.TEXT and isinstance(that, exp.Boolean):
        node.set(other, exp.Literal.string("true" if that.this else "false"))
    scalar = scalar_of(this)
    if plain and scalar is not None and isinstance(node, exp.EQ) and _scalar_text(node.args[other]):
        node.set(one, scalar)


def _truth(node: exp.Expr) -> bool | None:
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    text = (string_of(node) or "").lower()
    return text == "true" if text in {"true", "false"} else None


def plain(place: Place) -> Place:
    """Return the place of a condition of WHERE or ON."""
    return replace(place, plain=True)
