"""Keeps nested macro calls small: what a macro names many times is worked out once, before it.

DuckDB's macros are text: an argument is put wherever its name stands, so that calls within calls
multiply. From a size on, the arguments of a call are gathered in a row, and a lambda over that one row
makes the call.
"""

from sqlglot import exp

from trailhouse.dialect.trees import bare, call

_TIMES = 8  # how often a macro mentions an argument, roughly
_LARGE = _TIMES * _TIMES
_ROW = "once_"


def limit(tree: exp.Expr) -> None:
    """Change a rewritten tree in place, so that no argument grows beyond a size."""
    sizes: dict[int, int] = {}
    for node in reversed(list(tree.walk(bfs=True))):
        size = 1 + sum(sizes.get(id(child), 1) for child in node.iter_expressions())
        if isinstance(node, exp.Anonymous) and node.name.startswith("athena_"):
            gathered = size * _TIMES > _LARGE * _TIMES and _gather(node, sizes)
            size = size + _TIMES if gathered else size * _TIMES
        sizes[id(node)] = size


def _gather(node: exp.Anonymous, sizes: dict[int, int]) -> bool:
    large = [
        one for one in node.expressions if sizes.get(id(one), 1) > _TIMES and not isinstance(one, exp.Lambda)
    ]
    if not large:
        return False
    fields = []
    for place, one in enumerate(large):
        name = exp.to_identifier(f"part{place}")
        fields.append(exp.PropertyEQ(this=name, expression=bare(one)))
        one.replace(exp.Dot(this=exp.to_identifier(_ROW), expression=name.copy()))
    body = exp.Lambda(this=node.copy(), expressions=[exp.to_identifier(_ROW)])
    row = exp.Array(expressions=[call("struct_pack", *fields)])
    node.set("this", "list_extract")
    node.set("expressions", [call("list_transform", row, body), exp.Literal.number(1)])
    return True
