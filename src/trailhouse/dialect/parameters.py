"""Parameters `:name` bound as literals in the tree, so that a value can never become SQL."""

import math
from collections.abc import Mapping

from sqlglot import exp

from trailhouse.dialect.mistake import nearest, place_of_word, wrong

_LIMIT = 2**63

type_of_value = str | int | float | bool | None


def bind(tree: exp.Expr, values: Mapping[str, type_of_value], sql: str) -> exp.Expr:
    """Return the tree with each parameter replaced by its value's literal.

    Raises:
        SqlError: a parameter has no value, a value has no parameter, or a number is not finite.
    """
    wanted = {node.name for node in tree.find_all(exp.Placeholder)}
    for name in sorted(wanted - values.keys()):
        raise wrong(
            f'parameter ":{name}" has no value', sql, place_of_word(sql, f":{name}"), nearest(name, values)
        )
    for name in sorted(values.keys() - wanted):
        raise wrong(f'the statement has no parameter ":{name}"', sql, None, nearest(name, wanted))
    for node in list(tree.find_all(exp.Placeholder)):
        node.replace(_literal(node.name, values[node.name], sql))
    return tree


def _literal(name: str, value: type_of_value, sql: str) -> exp.Expr:
    if value is None:
        return exp.Null()
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, str):
        if "\x00" in value:
            raise wrong(f'parameter ":{name}" holds a NUL character', sql, None)
        return exp.Literal.string(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise wrong(f'parameter ":{name}" is {value}, which SQL cannot write', sql, None)
    if isinstance(value, int) and not -_LIMIT < value < _LIMIT:
        raise wrong(f'parameter ":{name}" is too large for a bigint', sql, None)
    digits = repr(abs(value))
    if isinstance(value, float) and "e" not in digits:
        digits += "e0"  # without an exponent it would be a decimal
    number = exp.Literal.number(digits)
    return exp.Neg(this=number) if math.copysign(1, value) < 0 and value != 0 else number
