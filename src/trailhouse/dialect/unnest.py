"""UNNEST of arrays, of arrays of rows (a column for each field) and of maps, with or without ordinality."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlglot import exp

from trailhouse.dialect.kinds import is_map, named_expressions
from trailhouse.dialect.trees import Refusal, call

_ROWS: Mapping[str, int] = MappingProxyType({"resources": 3})  # arn, accountid, type
_PAIRS = frozenset({"map_entries"})
_MAP_WIDTH = 2


def measure(tree: exp.Expr) -> None:
    """Note at each UNNEST how many columns its operands give; to be called before functions are rewritten."""
    named = named_expressions(tree)
    for node in tree.find_all(exp.Unnest):
        widths = [_width(one, named) for one in node.expressions]
        node.meta["widths"] = _settle(node, widths)
        node.meta["maps"] = [is_map(one, named) for one in node.expressions]


def _width(node: exp.Expr, named: Mapping[str, exp.Expr]) -> int | None:
    if is_map(node, named):
        return _MAP_WIDTH
    if isinstance(node, exp.Column) and node.name.lower() in _ROWS:
        return _ROWS[node.name.lower()]
    if isinstance(node, exp.Anonymous) and node.name.lower() in _PAIRS:
        return _MAP_WIDTH
    if isinstance(node, exp.Anonymous) and node.name.lower() == "zip":
        return len(node.expressions)
    if isinstance(node, exp.Cast | exp.TryCast) and node.to.this is exp.DType.ARRAY:
        item = node.to.expressions[0]
        return len(item.expressions) if item.this is exp.DType.STRUCT else 1
    return None


def _settle(node: exp.Unnest, widths: list[int | None]) -> list[int]:
    """Return the widths, the one unknown found from the number of column names."""
    names = _names(node)
    if not names:
        return []
    unknown = [place for place, width in enumerate(widths) if width is None]
    left = len(names) - sum(width or 0 for width in widths)
    if len(unknown) == 1 and left >= 1:
        widths = [left if width is None else width for width in widths]
    settled = [width or 1 for width in widths]
    if sum(settled) != len(names):
        what = f"UNNEST gives {sum(settled)} columns here, and {len(names)} are named"
        raise Refusal(
            what,
            node.args.get("alias"),
            hint="name a column for each field of a row, two for a map",
            unsupported=False,
        )
    return settled


def _names(node: exp.Unnest) -> list[exp.Identifier]:
    alias = node.args.get("alias")
    return list(alias.args.get("columns") or ()) if alias else []


def rewrite_unnest(node: exp.Expr) -> exp.Expr:
    """Return the lateral subquery that stands for an UNNEST whose operands are rewritten already."""
    names = _names(node)  # type: ignore[arg-type]  # only called for Unnest
    offset = node.args.get("offset")
    lists = [
        call("map_entries", one) if is_map else one
        for one, is_map in zip(node.expressions, node.meta["maps"], strict=True)
    ]
    select = _columns(lists, node.meta["widths"], offset) if names else _unnamed(lists, offset, node)
    alias = node.args.get("alias")
    columns = names + ([offset] if isinstance(offset, exp.Identifier) else [])
    named = exp.TableAlias(this=alias.this if alias else exp.to_identifier("unnest_"), columns=columns)
    if isinstance(node.parent, exp.From):
        return exp.Subquery(this=select, alias=named)
    return exp.Lateral(this=exp.Subquery(this=select), alias=named)


def _columns(lists: list[exp.Expr], widths: list[int], offset: object) -> exp.Select:
    """Return a SELECT of rows with a column for each name; a list is worked out once, in the inner SELECT."""
    inner: list[exp.Expr] = []
    outer: list[exp.Expr] = []
    for place, (one, width) in enumerate(zip(lists, widths, strict=True)):
        item = f"item{place}_"
        inner.append(exp.alias_(call("unnest", call("athena_rowless", one) if width == 1 else one), item))
        if width == 1:
            outer.append(exp.column(item))
        else:
            fields = range(1, width + 1)
            outer += [
                call("struct_extract_at", exp.column(item), exp.Literal.number(field)) for field in fields
            ]
    if offset:
        longest = call(
            "greatest", *(call("coalesce", call("len", one), exp.Literal.number(0)) for one in lists)
        )
        inner.append(
            exp.alias_(call("unnest", call("generate_series", exp.Literal.number(1), longest)), "place_")
        )
        outer.append(exp.column("place_"))
    return _over(inner, outer)


def _over(inner: Sequence[exp.Expr], outer: Sequence[exp.Expr]) -> exp.Select:
    rows = exp.Subquery(
        this=exp.Select(expressions=list(inner)), alias=exp.TableAlias(this=exp.to_identifier("rows_"))
    )
    return exp.Select(expressions=list(outer), from_=exp.From(this=rows))


def _unnamed(lists: list[exp.Expr], offset: object, node: exp.Expr) -> exp.Select:
    if len(lists) != 1 or offset:
        raise Refusal("UNNEST needs column names here", node, hint="write UNNEST(...) AS t(name, ...)")
    return _over([exp.alias_(call("unnest", lists[0]), "row_")], [call("unnest", exp.column("row_"))])
