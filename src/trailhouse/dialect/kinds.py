"""What the text of an expression alone tells about its type: is it a map, is it a date."""

from collections.abc import Callable, Mapping

from sqlglot import exp

_MAPS = frozenset(
    {
        "map", "map_agg", "histogram", "multimap_agg", "map_filter", "map_concat", "transform_keys",
        "transform_values", "split_to_map", "map_from_entries",
    }
)  # fmt: skip
_DATES = frozenset({"date", "from_iso8601_date", "last_day_of_month"})
_FIRST = frozenset(
    {"try", "coalesce", "nullif", "greatest", "least", "min", "max", "arbitrary", "any_value", "lag", "lead"}
)
_FIRST_TOO = frozenset({"first_value", "last_value", "nth_value", "max_by", "min_by"})
_LAST = frozenset({"date_trunc", "date_add"})
_DEEPEST = 8

type_of_names = Mapping[str, exp.Expr]


def named_expressions(tree: exp.Expr) -> type_of_names:
    """Return the expressions behind the names that a statement gives."""
    found = {one.alias.lower(): one.this for one in tree.find_all(exp.Alias) if one.alias}
    for alias in tree.find_all(exp.TableAlias):
        names = [one.name.lower() for one in alias.args.get("columns") or ()]
        found.update(zip(names, _sources(alias.parent), strict=False))
    return found


def _sources(node: exp.Expr | None) -> list[exp.Expr]:
    """Return the expressions behind the columns of VALUES, a subquery or a WITH entry."""
    while isinstance(node, exp.Subquery | exp.CTE | exp.Union | exp.Intersect | exp.Except):
        node = node.this
    if isinstance(node, exp.Select):
        return [one.this if isinstance(one, exp.Alias) else one for one in node.expressions]
    if isinstance(node, exp.Values) and isinstance(node.expressions[0], exp.Tuple):
        return list(node.expressions[0].expressions)
    return []


def is_map(node: exp.Expr, named: type_of_names) -> bool:
    """Tell whether an expression is a map."""
    return _follow(node, named, _map_at, 0)


def is_date(node: exp.Expr, named: type_of_names) -> bool:
    """Tell whether an expression is a date."""
    return _follow(node, named, _date_at, 0)


def _follow(node: exp.Expr, named: type_of_names, at: Callable[[exp.Expr], bool], depth: int) -> bool:
    if at(node):
        return True
    following: exp.Expr | None = None
    if isinstance(node, exp.Filter | exp.Window | exp.Paren | exp.IgnoreNulls | exp.RespectNulls):
        following = node.this
    elif isinstance(node, exp.Anonymous) and node.expressions:
        name = node.name.lower()
        if name in _FIRST | _FIRST_TOO:
            following = node.expressions[0]
        elif name in _LAST and at is _date_at:
            following = node.expressions[-1]
    elif isinstance(node, exp.Case | exp.If):
        ifs = node.args.get("ifs") or [node]
        following = ifs[0].args.get("true")
    elif isinstance(node, exp.Add | exp.Sub) and at is _date_at:
        return any(_follow(one, named, at, depth + 1) for one in (node.this, node.expression)) and any(
            isinstance(one, exp.Interval) for one in (node.this, node.expression)
        )
    elif isinstance(node, exp.Column):
        following = named.get(node.name.lower())
    return following is not None and depth < _DEEPEST and _follow(following, named, at, depth + 1)


def _map_at(node: exp.Expr) -> bool:
    if isinstance(node, exp.Cast | exp.TryCast):
        return bool(node.to.this is exp.DType.MAP)
    if isinstance(node, exp.Column):
        return node.name.lower() == "attributes" and node.table.lower() == "webidfederationdata"
    return isinstance(node, exp.Anonymous) and node.name.lower() in _MAPS


def _date_at(node: exp.Expr) -> bool:
    if isinstance(node, exp.Cast | exp.TryCast):
        return bool(node.to.this is exp.DType.DATE)
    return isinstance(node, exp.CurrentDate) or (
        isinstance(node, exp.Anonymous) and node.name.lower() in _DATES
    )


def note_dates(tree: exp.Expr) -> None:
    """Mark sums, differences and sequences of dates, before their parts are rewritten."""
    named = named_expressions(tree)
    for node in tree.find_all(exp.Add, exp.Sub, exp.Anonymous):
        if isinstance(node, exp.Anonymous):
            if node.name.lower() == "sequence" and node.expressions:
                node.meta["dates"] = (is_date(node.expressions[0], named), False)
        else:
            node.meta["dates"] = (is_date(node.this, named), is_date(node.expression, named))
