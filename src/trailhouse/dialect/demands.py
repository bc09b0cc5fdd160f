"""What an expression demands of columns that are compared with texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from sqlglot import exp

from trailhouse.core.conditions import (
    ANYTHING,
    NOTHING,
    Compare,
    Condition,
    Op,
    either,
    every,
    negated,
    turned,
)

Resolve: TypeAlias = Callable[[exp.Column], str | None]
"""The name of a column where it is meant, None for a column of something else."""

_COMPARES: Mapping[type[exp.Expr], Op] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip


def demanded(node: exp.Expr, resolve: Resolve, *, no: bool = False) -> Condition:
    """What an expression demands of the columns that resolve; `no`: what its opposite does."""
    if isinstance(node, exp.Paren | exp.Not):
        return demanded(node.this, resolve, no=no is not isinstance(node, exp.Not))
    if isinstance(node, exp.And | exp.Or):
        parts = [demanded(one, resolve, no=no) for one in node.flatten()]
        return every(*parts) if isinstance(node, exp.And) is not no else either(*parts)
    if isinstance(node, exp.Boolean):
        return ANYTHING if bool(node.this) is not no else NOTHING
    if isinstance(node, exp.Between):
        low = _compare(node.this, ">=", [node.args["low"]], resolve, no=no)
        high = _compare(node.this, "<=", [node.args["high"]], resolve, no=no)
        return either(low, high) if no else every(low, high)
    return _comparison(node, resolve, no=no)


def _comparison(node: exp.Expr, resolve: Resolve, *, no: bool) -> Condition:
    if isinstance(node, exp.In) and node.expressions and not node.args.get("query"):
        return _compare(node.this, "in", node.expressions, resolve, no=no)
    if isinstance(node, exp.Like):
        return _compare(node.this, "like", [node.expression], resolve, no=no)
    op = _COMPARES.get(type(node))
    if op is None:
        return ANYTHING
    if text_of(node.this) is not None:
        return _compare(node.expression, turned(op), [node.this], resolve, no=no)
    return _compare(node.this, op, [node.expression], resolve, no=no)


def _compare(
    column: exp.Expr, op: Op, values: Sequence[exp.Expr], resolve: Resolve, *, no: bool
) -> Condition:
    texts = [text for text in map(text_of, values) if text is not None]
    name = resolve(column) if isinstance(column, exp.Column) else None
    if name is None or len(texts) != len(values):
        return ANYTHING
    found = Compare(name, op, tuple(texts))
    return negated(found) if no else found


def text_of(node: exp.Expr | None) -> str | None:
    """The text of a literal, also of one in parentheses or cast to varchar."""
    while isinstance(node, exp.Paren) or (
        isinstance(node, exp.Cast) and node.to.this is exp.DType.VARCHAR and not node.to.expressions
    ):
        node = node.this
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None
