"""The forms of SQL that pass: which nodes of the tree, and which of their parts. The rest is refused."""

from collections.abc import Mapping
from types import MappingProxyType

from sqlglot import exp

from trailhouse.dialect.trees import Refusal

_QUERY = {"with_", "this", "expression", "distinct", "order", "limit", "offset"}
_PARTS: Mapping[type[exp.Expr], set[str]] = MappingProxyType(
    {
        exp.Select: {
            "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset",
            "distinct", "with_", "windows",
        },
        exp.Union: _QUERY,
        exp.Intersect: _QUERY,
        exp.Except: _QUERY,
        exp.Subquery: {"this", "alias", "with_", "order", "limit", "offset", "joins"},
        exp.Table: {"this", "db", "catalog", "alias", "joins"},
        exp.Join: {"this", "side", "kind", "on", "using", "method"},
        exp.Distinct: {"expressions"},
        exp.Star: set(),
        exp.Group: {"expressions", "grouping_sets", "rollup", "cube"},
        exp.Column: {"this", "table", "db", "catalog"},
        exp.Unnest: {"expressions", "alias", "offset"},
        exp.TableAlias: {"this", "columns"},
        exp.CTE: {"this", "alias"},
        exp.Cast: {"this", "to", "_type"},
        exp.TryCast: {"this", "to", "safe", "_type"},
        exp.In: {"this", "expressions", "query"},
        exp.GroupConcat: {"this", "separator"},
        exp.Window: {"this", "partition_by", "order", "spec", "over", "alias"},
        exp.Ordered: {"this", "desc", "nulls_first"},
        exp.Limit: {"expression"},
        exp.Interval: {"this", "unit"},
    }
)  # fmt: skip
_WHOLE: tuple[type[exp.Expr], ...] = (
    exp.Values, exp.Tuple, exp.With, exp.From, exp.Where, exp.Having, exp.Order, exp.Offset,
    exp.Fetch, exp.LimitOptions, exp.GroupingSets, exp.Rollup, exp.Cube, exp.WindowSpec,
    exp.IgnoreNulls, exp.RespectNulls, exp.Filter, exp.Identifier, exp.Dot, exp.Alias, exp.Literal,
    exp.Boolean, exp.Null, exp.Paren, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE,
    exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Like, exp.Escape, exp.Between, exp.Is,
    exp.Exists, exp.Any, exp.All, exp.Case, exp.If, exp.DataType, exp.DataTypeParam, exp.ColumnDef,
    exp.Extract, exp.StrPosition, exp.Trim, exp.Bracket, exp.Array, exp.Anonymous, exp.Lambda,
    exp.Var, exp.AtTimeZone, exp.CurrentDate, exp.CurrentTimestamp, exp.Localtimestamp, exp.Add,
    exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.DPipe, exp.HexString, exp.ParseJSON,
    exp.UnicodeString, exp.Placeholder,
)  # fmt: skip
_PASS = frozenset(_WHOLE) | frozenset(_PARTS)
_JOINS = ("", "INNER", "OUTER", "CROSS")
_LARGEST = 2**63
_NAMES = {
    "sample": "TABLESAMPLE",
    "TableSample": "TABLESAMPLE",
    "Concat": "two string literals side by side",
    "Lateral": "LATERAL",
    "IntervalSpan": "an interval of several units",
}
_TOP: tuple[type[exp.Expr], ...] = (
    exp.Select,
    exp.Union,
    exp.Intersect,
    exp.Except,
    exp.Values,
    exp.Subquery,
)


def check(tree: exp.Expr) -> None:
    """Raise Refusal for the first form outside the dialect."""
    if not isinstance(tree, _TOP):
        raise Refusal(
            f"{tree.key.upper()} statements do not pass; SELECT, WITH, VALUES, SHOW and DESCRIBE do", tree
        )
    for node in tree.walk():
        if type(node) not in _PASS:
            name = _NAMES.get(type(node).__name__, type(node).__name__)
            raise Refusal(f"{name} is outside the supported dialect", node)
        _check_parts(node)
        _check_values(node)


def _check_parts(node: exp.Expr) -> None:
    allowed = _PARTS.get(type(node))
    for key, value in node.args.items() if allowed is not None else ():
        if value and allowed is not None and key not in allowed:
            raise Refusal(f"{_NAMES.get(key, key.strip('_').upper())} is outside the supported dialect", node)


def _check_values(node: exp.Expr) -> None:
    if isinstance(node, exp.Join) and (node.kind.upper() not in _JOINS or node.method):
        raise Refusal(f"{node.method} {node.kind} JOIN is outside the supported dialect".strip(), node)
    if (
        isinstance(node, exp.Literal)
        and not node.is_string
        and str(node.this).isdecimal()
        and int(node.this) >= _LARGEST
    ):
        raise Refusal(
            f"{node.this} is too large for a bigint", node, hint="write DECIMAL '...'", unsupported=False
        )
    if isinstance(node, exp.Select) and not node.expressions:
        raise Refusal("SELECT names nothing to select", node, unsupported=False)
    if isinstance(node, exp.LimitOptions) and (node.args.get("with_ties") or node.args.get("percent")):
        raise Refusal("FETCH FIRST ... WITH TIES is outside the supported dialect", node)
    if isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
        _refuse_source(node)
    if isinstance(node, exp.Placeholder) and not node.this:
        raise Refusal("a parameter has no name", node, hint="write :name", unsupported=False)


def _refuse_source(node: exp.Table) -> None:
    name = node.this.name or type(node.this).__name__
    raise Refusal(
        f"{name}() is no table", node, hint="only tables, subqueries, VALUES and UNNEST can stand in FROM"
    )
