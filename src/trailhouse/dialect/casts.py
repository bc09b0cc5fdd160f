"""CAST and TRY_CAST as Athena does them: strict about text, half up for numbers, from and to JSON."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sqlglot import exp

from trailhouse.dialect.trees import Refusal, bare, call, cast, string_of

_DType = exp.DType
_MILLIS = 3
_WHOLE: Mapping[exp.DType, str] = MappingProxyType(
    {_DType.BIGINT: "BIGINT", _DType.INT: "INTEGER", _DType.SMALLINT: "SMALLINT", _DType.TINYINT: "TINYINT"}
)
_SIMPLE: Mapping[exp.DType, tuple[str, str]] = MappingProxyType(
    {
        _DType.DOUBLE: ("athena_double", "DOUBLE"),
        _DType.BOOLEAN: ("athena_boolean", "BOOLEAN"),
        _DType.DATE: ("athena_date", "DATE"),
        _DType.TIMESTAMP: ("athena_timestamp", "TIMESTAMP"),
        _DType.TIMESTAMPTZ: ("athena_timestamptz", "TIMESTAMPTZ"),
        _DType.JSON: ("athena_json", "JSON"),
        _DType.IPADDRESS: ("athena_ipaddress", "UHUGEINT"),
        _DType.VARBINARY: ("encode", "BLOB"),
        **{kind: ("athena_bigint", name) for kind, name in _WHOLE.items()},
    }
)
_JSON_MAKERS = frozenset({"athena_json", "athena_json_extract", "athena_json_parse"})


def rewrite_cast(node: exp.Expr) -> exp.Expr:
    """Return DuckDB's expression for a cast whose operand is rewritten already."""
    done = _cast(node.this, node.args["to"], 0)
    return call("TRY", without_error(done)) if isinstance(node, exp.TryCast) else done


def without_error(tried: exp.Expr) -> exp.Expr:
    """Return what stands in a TRY with an address, or the test of one, that is null instead of an error."""
    if isinstance(tried, exp.Anonymous) and tried.name == "athena_ipaddress":
        return call("athena_ipaddress_or_null", *tried.expressions)
    if isinstance(tried, exp.Anonymous) and tried.name == "athena_in_network":
        return call("athena_in_network", tried.expressions[0], without_error(tried.expressions[1]))
    return tried


def _cast(source: exp.Expr, kind: exp.DataType, depth: int) -> exp.Expr:
    if kind.this in (_DType.VARCHAR, _DType.TEXT):
        return _varchar(source, kind)
    if kind.this in _SIMPLE:
        return _simple(source, kind)
    if kind.this is _DType.FLOAT:
        return cast(call("athena_double", source), "FLOAT")
    if kind.this is _DType.DECIMAL:
        return cast(call("athena_decimal_source", source), duckdb_type(kind))
    if kind.this in _NESTED:
        return _nested(source, kind, depth)
    raise Refusal(f"CAST to {kind.sql('trino')} is outside the supported dialect", kind)


def _varchar(source: exp.Expr, kind: exp.DataType) -> exp.Expr:
    if kind.expressions:
        return call("athena_text_limited", source, kind.expressions[0].this)
    return bare(source) if string_of(source) is not None else call("athena_text", source)


def _simple(source: exp.Expr, kind: exp.DataType) -> exp.Expr:
    name, target = _SIMPLE[kind.this]
    if (
        kind.this in (_DType.TIMESTAMP, _DType.TIMESTAMPTZ)
        and kind.expressions
        and int(kind.expressions[0].name) > _MILLIS
    ):
        raise Refusal(
            "timestamps are kept in milliseconds; a precision beyond 3 is outside the supported dialect", kind
        )
    done = call(name, source)
    return cast(done, target) if kind.this in _WHOLE and kind.this is not _DType.BIGINT else done


def _nested(source: exp.Expr, kind: exp.DataType, depth: int) -> exp.Expr:
    json = _NESTED[kind.this](cast(source, "VARCHAR"), kind, depth)
    if isinstance(source, exp.Anonymous) and source.name in _JSON_MAKERS:
        return json
    is_json = exp.EQ(this=call("typeof", source), expression=exp.Literal.string("JSON"))
    return exp.Case(ifs=[exp.If(this=is_json, true=json)], default=cast(source, duckdb_type(kind)))


def _from_json(text: exp.Expr, kind: exp.DataType, depth: int) -> exp.Expr:
    """Return the cast of a JSON text, which DuckDB sees as text, to a type."""
    if kind.this in (_DType.VARCHAR, _DType.TEXT):
        return call("native_json_varchar", text)
    if kind.this in _NESTED:
        return _NESTED[kind.this](text, kind, depth + 1)
    return _cast(cast(text, "JSON"), kind, depth + 1)


def _array(text: exp.Expr, kind: exp.DataType, depth: int) -> exp.Expr:
    item = exp.to_identifier(f"item{depth}_")
    body = _from_json(item, kind.expressions[0], depth)
    return call("list_transform", call("native_json_items", text), exp.Lambda(this=body, expressions=[item]))


def _map(text: exp.Expr, kind: exp.DataType, depth: int) -> exp.Expr:
    member = exp.to_identifier(f"item{depth}_")
    name: exp.Expr = exp.Dot(this=member.copy(), expression=exp.to_identifier("key"))
    value = exp.Dot(this=member.copy(), expression=exp.to_identifier("value"))
    if kind.expressions[0].this not in (_DType.VARCHAR, _DType.TEXT):
        name = _cast(name, kind.expressions[0], depth)
    entry = _pack({"key": name, "value": _from_json(value, kind.expressions[1], depth)})
    entries = call(
        "list_transform", call("native_json_members", text), exp.Lambda(this=entry, expressions=[member])
    )
    return call("map_from_entries", entries)


def _row(text: exp.Expr, kind: exp.DataType, depth: int) -> exp.Expr:
    fields = {}
    for place, field in enumerate(kind.expressions):
        if not isinstance(field, exp.ColumnDef):
            raise Refusal("CAST to a row needs a name for each field", kind)
        found = call("native_json_field", text, exp.Literal.string(field.name), exp.Literal.number(place))
        fields[field.name] = _from_json(found, field.args["kind"], depth)
    nothing = exp.EQ(
        this=exp.func("coalesce", text.copy(), exp.Literal.string("null")),
        expression=exp.Literal.string("null"),
    )
    return exp.Case(ifs=[exp.If(this=nothing, true=exp.Null())], default=_pack(fields))


def _pack(fields: Mapping[str, exp.Expr]) -> exp.Expr:
    pairs = (
        exp.PropertyEQ(this=exp.to_identifier(name, quoted=True), expression=bare(value))
        for name, value in fields.items()
    )
    return call("struct_pack", *pairs)


_NESTED: Mapping[exp.DType, Callable[[exp.Expr, exp.DataType, int], exp.Expr]] = MappingProxyType(
    {_DType.ARRAY: _array, _DType.MAP: _map, _DType.STRUCT: _row}
)


def duckdb_type(kind: exp.DataType) -> str:
    """Return the DuckDB name of an Athena type."""
    if kind.this in (_DType.VARCHAR, _DType.TEXT):
        return "VARCHAR"
    if kind.this in _SIMPLE:
        return _SIMPLE[kind.this][1]
    if kind.this is _DType.DECIMAL:
        width, scale = ([one.name for one in kind.expressions] + ["38", "0"][len(kind.expressions) :])[:2]
        return f"DECIMAL({width},{scale})"
    if kind.this is _DType.ARRAY:
        return f"{duckdb_type(kind.expressions[0])}[]"
    if kind.this is _DType.MAP:
        return f"MAP({duckdb_type(kind.expressions[0])}, {duckdb_type(kind.expressions[1])})"
    if kind.this is _DType.STRUCT and all(isinstance(one, exp.ColumnDef) for one in kind.expressions):
        fields = ", ".join(
            f"{exp.to_identifier(one.name, quoted=True).sql('duckdb')} {duckdb_type(one.args['kind'])}"
            for one in kind.expressions
        )
        return f"STRUCT({fields})"
    raise Refusal(f"the type {kind.sql('trino')} is outside the supported dialect", kind)
