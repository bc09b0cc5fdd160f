"""Maps of CloudTrail Lake's, which are JSON text here, and `eventJson`, which is the record's columns here.

A value of such a map is a text: a string itself, a number or a boolean as it is written, an object or an array
as JSON. JSON's null is NULL.
"""

import re

from sqlglot import exp

from trailhouse.core.layout import Kind
from trailhouse.core.schema import RECORD_COLUMNS, Array, Column, Struct, Text
from trailhouse.dialect.json_text import JsonError, path_steps
from trailhouse.dialect.trees import Refusal, bare, call

NATIVE = frozenset(
    {
        "map_keys", "map_values", "map_entries", "map_filter", "map_concat", "transform_keys",
        "transform_values", "cardinality",
    }
)  # fmt: skip
"""Functions that take a whole map."""

_PLAIN = re.compile(r"[A-Za-z_]\w*")
_SCALAR = "scalar"


def element(held: exp.Expr, key: str) -> exp.Expr:
    """Return the value of a key of a map that is held as JSON text."""
    path = exp.Literal.string(f"$.{key}" if _PLAIN.fullmatch(key) else f'$["{_escaped(key)}"]')
    scalar = call("json_extract_scalar", held, path)
    nested = call("nullif", call("json_format", call("json_extract", held, path)), exp.Literal.string("null"))
    found = call("coalesce", scalar, nested)
    found.meta[_SCALAR] = scalar
    return found


def _escaped(key: str) -> str:
    return key.replace("\\", "\\\\").replace('"', '\\"')


def scalar_of(node: exp.Expr) -> exp.Expr | None:
    """Return what a map's value is if it is no object and no array; None: the node is no map's value."""
    found = node.meta.get(_SCALAR)
    return bare(found) if isinstance(found, exp.Expr) else None


def native(held: exp.Expr) -> exp.Expr:
    """Return a map that is held as JSON text as a map of texts."""
    kind = exp.DataType.build("map(varchar, json)", dialect="trino")
    parsed = exp.Cast(this=call("json_parse", held), to=kind)
    value = exp.column("v")
    text = call(
        "coalesce",
        call("json_extract_scalar", value, exp.Literal.string("$")),
        call("nullif", call("json_format", value), exp.Literal.string("null")),
    )
    names = [exp.to_identifier("k"), exp.to_identifier("v")]
    return call("try", call("transform_values", parsed, exp.Lambda(this=text, expressions=names)))


def record_part(node: exp.Anonymous, table: str) -> exp.Expr:
    """Return `json_extract(eventJson, '$...')` or `json_extract_scalar` as the columns that hold that part.

    Raises:
        Refusal: the path is none, or names what is in no column.
    """
    name, path = node.name.lower(), node.expressions[1]
    if not isinstance(path, exp.Literal) or not path.is_string:
        raise Refusal("the path into eventJson is no literal", node)
    try:
        steps = list(path_steps(path.name))
    except JsonError as fault:
        raise Refusal(str(fault), node) from None
    known = {one.json: one for one in RECORD_COLUMNS[Kind.CLOUDTRAIL]}
    if not steps or steps[0] not in known:
        hint = "the record is in columns here: name the field after $"
        raise Refusal(f"eventJson has no field of that name here: {path.name}", node, hint=hint)
    top = known[steps[0]]
    held: exp.Expr = exp.column(top.name, table=exp.to_identifier(table) if table else None)
    return _walked(name, node, held, top, steps[1:])


def _walked(name: str, node: exp.Expr, held: exp.Expr, at: Column, steps: list[str]) -> exp.Expr:
    if isinstance(at.type, Text):
        return _leaf(name, node, held, at, steps)
    inner, rest = (at.type.item, steps[1:]) if isinstance(at.type, Array) else (at.type, steps)
    if isinstance(at.type, Array) and steps and steps[0].isdecimal():
        held = call("element_at", held, exp.Literal.number(int(steps[0]) + 1))
    if isinstance(inner, Struct) and rest:
        field = next((one for one in inner.fields if one.json == rest[0]), None)
        if field is not None:
            inside = exp.Dot(this=held, expression=exp.to_identifier(field.name))
            return _walked(name, node, inside, field, rest[1:])
    hint = f"it is a column here: {at.name}"
    raise Refusal(f"that part of eventJson is no text and no JSON here ({at.json})", node, hint=hint)


def _leaf(name: str, node: exp.Expr, held: exp.Expr, at: Column, steps: list[str]) -> exp.Expr:
    opaque = isinstance(at.type, Text) and at.type.opaque
    if steps and not opaque:
        raise Refusal(f"{at.json} is a text, and has no parts", node)
    if steps:
        path = "$" + "".join(f"[{one}]" if one.isdecimal() else f'["{_escaped(one)}"]' for one in steps)
        plain = re.sub(r'\["([A-Za-z_]\w*)"\]', r".\1", path)
        return call(name, held, exp.Literal.string(plain))
    if opaque:
        return call(name, held, exp.Literal.string("$"))
    if name == "json_extract_scalar":
        return held
    if isinstance(at.type, Text) and at.type.boolean:
        return call("json_parse", held)
    return exp.Cast(this=bare(held), to=exp.DataType.build("json"))
