"""Small trees: calls, casts, literals, substitution in lambdas."""

from collections.abc import Mapping

from sqlglot import exp


class Refusal(Exception):  # noqa: N818 - it never leaves the package: translate() turns it into an SqlError
    """Something outside the dialect, with the node it was found at."""

    def __init__(
        self, what: str, node: exp.Expr | None = None, *, hint: str = "", unsupported: bool = True
    ) -> None:
        super().__init__(what)
        self.what = what
        self.node = node
        self.hint = hint
        self.unsupported = unsupported


def call(name: str, *args: exp.Expr) -> exp.Anonymous:
    """Return a function call; the arguments are copied if they stand elsewhere."""
    return exp.Anonymous(this=name, expressions=[bare(arg) for arg in args])


def bare(node: exp.Expr) -> exp.Expr:
    """Return the node, or a copy if it has a place in another tree."""
    return node.copy()


def cast(node: exp.Expr, kind: str) -> exp.Cast:
    """Return a cast to one of DuckDB's types."""
    return exp.Cast(this=bare(node), to=exp.DataType.build(kind, dialect="duckdb"))


def string_of(node: exp.Expr) -> str | None:
    """Return the text of a string literal, None for anything else."""
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def substitute(body: exp.Expr, values: Mapping[str, exp.Expr]) -> exp.Expr:
    """Return a lambda's body with its parameters replaced; inner lambdas may shadow them."""
    root = exp.Paren(this=body.copy())
    for node in list(root.find_all(exp.Identifier)):
        value = values.get(node.name)
        if value is None or _shadowed(node, root):
            continue
        place: exp.Expr = node
        if isinstance(node.parent, exp.Column) and not node.parent.table:
            place = node.parent
        elif isinstance(node.parent, exp.Column) and node.arg_key != "table":
            continue
        elif isinstance(node.parent, exp.Column):
            _deref(node.parent, value)
            continue
        elif (isinstance(node.parent, exp.Dot) and node.arg_key == "expression") or isinstance(
            node.parent, exp.PropertyEQ | exp.ColumnDef | exp.DataType
        ):
            continue
        place.replace(value.copy())
    return root


def _deref(column: exp.Column, value: exp.Expr) -> None:
    column.replace(exp.Dot(this=value.copy(), expression=exp.to_identifier(column.name, quoted=True)))


def _shadowed(node: exp.Expr, root: exp.Expr) -> bool:
    at = node.parent
    while at is not None and at is not root:
        if isinstance(at, exp.Lambda) and any(one.name == node.name for one in at.expressions):
            return True
        at = at.parent
    return False
