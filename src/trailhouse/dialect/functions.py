"""The allow-list: every function that is answered here as Athena answers it, with its rendering for DuckDB."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlglot import exp

from trailhouse.dialect import formats
from trailhouse.dialect.trees import Refusal, bare, call, cast, string_of, substitute

type_of_render = Callable[[list[exp.Expression]], exp.Expression]
_MANY = 99


@dataclass(frozen=True, slots=True)
class Function:
    """A supported function.

    Attributes:
        name: Athena's name, lower case.
        group: the heading in the documentation.
        least: fewest arguments.
        most: most arguments.
        render: makes DuckDB's expression from the arguments, which are rewritten already.
        wrap: for aggregates whose result needs a change: takes the whole call with FILTER and OVER.
        aggregate: DISTINCT, ORDER BY and FILTER may stand with it.
    """

    name: str
    group: str
    least: int
    most: int
    render: type_of_render
    wrap: Callable[[exp.Expression, list[exp.Expression]], exp.Expression] | None = None
    aggregate: bool = False


def _to(name: str) -> type_of_render:
    return lambda args: call(name, *args)


def _named(group: str, names: str, *, aggregate: bool = False) -> list[Function]:
    """Return functions from words `name[=duckdb name]/least[-most]`."""
    found = []
    for word in names.split():
        left, _, arity = word.partition("/")
        name, _, target = left.partition("=")
        least, _, most = arity.partition("-")
        limit = _MANY if most == "n" else int(most or least)
        found.append(Function(name, group, int(least), limit, _to(target or name), aggregate=aggregate))
    return found


def _macro(name: str) -> type_of_render:
    return _to(f"athena_{name}")


# Conditions and comparison


def _extreme(name: str) -> type_of_render:
    def render(args: list[exp.Expression]) -> exp.Expression:
        nulls = [exp.Is(this=bare(arg), expression=exp.Null()) for arg in args]
        return exp.Case(ifs=[exp.If(this=exp.or_(*nulls), true=exp.Null())], default=call(name, *args))

    return render


def _concat(args: list[exp.Expression]) -> exp.Expression:
    joined = args[0]
    for arg in args[1:]:
        joined = exp.DPipe(this=joined, expression=arg, safe=False)
    return exp.Paren(this=joined)


# JSON


def _json_path(args: list[exp.Expression]) -> str | None:
    """Return DuckDB's path for a plain literal path, None for others."""
    path = string_of(args[1])
    if path is None:
        return None
    steps = formats.json_steps(path)
    if not steps or any(step.isdecimal() or re.search(r'["\\*]', step) for step in steps):
        return None
    return "$" + "".join(f'."{step}"' for step in steps)


def _json_scalar(args: list[exp.Expression]) -> exp.Expression:
    quick = _json_path(args)
    if quick is None:
        return call("athena_json_scalar", *args)
    return call("athena_json_scalar_quick", *args, exp.Literal.string(quick))


def _json_extract(args: list[exp.Expression]) -> exp.Expression:
    _json_path(args)
    return call("athena_json_extract", *args)


# Arrays, maps and lambdas


def _lambda(arg: exp.Expression, name: str, count: int) -> exp.Lambda:
    if not isinstance(arg, exp.Lambda) or len(arg.expressions) != count:
        raise Refusal(f"{name}() takes a lambda of {count} argument{'s' * (count > 1)}", arg)
    return arg


def _over_list(name: str, target: str, outer: str = "") -> type_of_render:
    def render(args: list[exp.Expression]) -> exp.Expression:
        done = call(target, args[0], _lambda(args[1], name, 1))
        return call(outer, done) if outer else done

    return render


def _none_match(args: list[exp.Expression]) -> exp.Expression:
    return exp.Paren(this=exp.Not(this=_over_list("none_match", "list_transform", "athena_any")(args)))


def _reduce(args: list[exp.Expression]) -> exp.Expression:
    step, last = _lambda(args[2], "reduce", 2), _lambda(args[3], "reduce", 1)
    state = call("list_reduce", args[0], step, args[1])
    return substitute(last.this, {last.expressions[0].name: state})


def _entry(part: str) -> exp.Expression:
    return exp.Dot(this=exp.to_identifier("entry_"), expression=exp.to_identifier(part))


def _over_map(name: str, kept: Callable[[exp.Expression], exp.Expression]) -> type_of_render:
    def render(args: list[exp.Expression]) -> exp.Expression:
        body = _lambda(args[1], name, 2)
        names = [one.name for one in body.expressions]
        done = substitute(body.this, {names[0]: _entry("key"), names[1]: _entry("value")})
        return call("map_from_entries", kept_call(args[0], done))

    def kept_call(source: exp.Expression, body: exp.Expression) -> exp.Expression:
        function = "list_filter" if name == "map_filter" else "list_transform"
        lambda_ = exp.Lambda(this=kept(body), expressions=[exp.to_identifier("entry_")])
        return call(function, call("map_entries", source), lambda_)

    return render


def _pair(key: exp.Expression, value: exp.Expression) -> exp.Expression:
    return call(
        "struct_pack",
        exp.PropertyEQ(this=exp.to_identifier("key"), expression=key),
        exp.PropertyEQ(this=exp.to_identifier("value"), expression=value),
    )


def _zip_with(args: list[exp.Expression]) -> exp.Expression:
    body = _lambda(args[2], "zip_with", 2)
    at = exp.to_identifier("place_")
    items = {
        one.name: exp.Bracket(this=bare(source), expressions=[at.copy()])
        for one, source in zip(body.expressions, args, strict=False)
    }
    places = call(
        "generate_series", exp.Literal.number(1), call("greatest", call("len", args[0]), call("len", args[1]))
    )
    return call("list_transform", places, exp.Lambda(this=substitute(body.this, items), expressions=[at]))


def _array_sort(args: list[exp.Expression]) -> exp.Expression:
    return call("list_sort", args[0], exp.Literal.string("ASC"), exp.Literal.string("NULLS LAST"))


def _contains(args: list[exp.Expression]) -> exp.Expression:
    name = args[1].name if isinstance(args[1], exp.Anonymous) else ""
    if name == "athena_ipaddress" or string_of(args[0]) is not None:
        return call("athena_in_network", *args)
    return call("athena_contains", *args)


def _map(args: list[exp.Expression]) -> exp.Expression:
    if len(args) == 1:
        raise Refusal("map() takes two arrays or nothing", args[0])
    return call("map", *args)


def _row(args: list[exp.Expression]) -> exp.Expression:
    return call("row", *args)


# Time


def _interval(unit: str, count: exp.Expression) -> exp.Expression:
    name, times = formats.interval_unit(unit)
    whole = cast(count, "BIGINT")
    return call(
        name,
        cast(exp.Mul(this=whole, expression=exp.Literal.number(times)), "INTEGER")
        if times > 1
        else cast(whole, "INTEGER"),
    )


def _unit(arg: exp.Expression, function: str) -> str:
    unit = string_of(arg)
    if unit is None or unit.lower() not in formats.UNITS:
        raise Refusal(f"{function}() takes one of the units {', '.join(formats.UNITS)} as a literal", arg)
    return unit.lower()


def _date_add(args: list[exp.Expression]) -> exp.Expression:
    return call("athena_date_add", args[2], _interval(_unit(args[0], "date_add"), args[1]))


def _date_diff(args: list[exp.Expression]) -> exp.Expression:
    unit = exp.Literal.string(_unit(args[0], "date_diff"))
    return call("date_sub", unit, call("athena_wall", args[1]), call("athena_wall", args[2]))


def _date_trunc(args: list[exp.Expression]) -> exp.Expression:
    return call("athena_date_trunc", exp.Literal.string(_unit(args[0], "date_trunc")), args[1])


def _format(arg: exp.Expression, function: str) -> str:
    text = string_of(arg)
    if text is None:
        raise Refusal(f"{function}() needs its format as a literal", arg)
    return text


def _formatted(function: str, target: str, turn: Callable[[str], str]) -> type_of_render:
    def render(args: list[exp.Expression]) -> exp.Expression:
        pattern = exp.Literal.string(turn(_format(args[1], function)))
        return call(target, call("athena_wall", args[0]) if target == "strftime" else args[0], pattern)

    return render


def _parse_datetime(args: list[exp.Expression]) -> exp.Expression:
    pattern = exp.Literal.string(formats.joda(_format(args[1], "parse_datetime")))
    return exp.AtTimeZone(this=call("strptime", args[0], pattern), zone=exp.Literal.string("UTC"))


def _part(name: str) -> type_of_render:
    return lambda args: formats.date_part(name, args[0])


def _utc(function: str, kind: str) -> type_of_render:
    def render(args: list[exp.Expression]) -> exp.Expression:
        zone = string_of(args[1])
        if zone is None or zone.upper() not in ("UTC", "Z", "+00:00"):
            return call("athena_zoned", *args)
        return cast(args[0], kind)

    return render


def _with_timezone(args: list[exp.Expression]) -> exp.Expression:
    if (string_of(args[1]) or "").upper() not in ("UTC", "Z", "+00:00"):
        raise Refusal("with_timezone() is supported for 'UTC' only", args[1])
    return exp.AtTimeZone(this=cast(args[0], "TIMESTAMP"), zone=exp.Literal.string("UTC"))


def _sequence(args: list[exp.Expression]) -> exp.Expression:
    return call("athena_sequence" if len(args) == 2 else "athena_sequence_step", *args)  # noqa: PLR2004


# Text


def _text_format(args: list[exp.Expression]) -> exp.Expression:
    parts: list[exp.Expression] = [exp.Literal.string("")]
    rest = list(args[1:])
    for text, mark in formats.printf(_format(args[0], "format")):
        parts.append(exp.Literal.string(text))
        if mark and not rest:
            raise Refusal("format() has fewer arguments than places", args[0])
        if mark == "s":
            parts.append(call("athena_format_text", rest.pop(0)))
        elif mark == "d":
            parts.append(cast(cast(rest.pop(0), "BIGINT"), "VARCHAR"))
    return _concat([part for part in parts if part.name or not isinstance(part, exp.Literal)] or parts[:1])


def _flip(target: str) -> type_of_render:
    return lambda args: call(target, *reversed(args))


def _digest(name: str) -> type_of_render:
    return lambda args: call("unhex", call(name, *args))


def _url(part: str) -> type_of_render:
    return lambda args: call("native_url_part", args[0], exp.Literal.string(part))


# Aggregates


def _case(condition: exp.Expression) -> exp.Expression:
    return exp.Case(ifs=[exp.If(this=condition, true=exp.Literal.number(1))])


def _probe(whole: exp.Expression) -> exp.Expression:
    """Return the same call of any_value: it has the argument's type and is never computed."""
    copy = whole.copy()
    inner = next(one for one in copy.find_all(exp.Anonymous) if one.name in ("sum", "avg"))
    arg = inner.expressions[0]
    inner.set("this", "any_value")
    inner.set("expressions", [arg.expressions[0] if isinstance(arg, exp.Distinct) else arg])
    return copy


def _sum_type(whole: exp.Expression, _: list[exp.Expression]) -> exp.Expression:
    never = exp.If(this=exp.false(), true=_probe(whole))
    return call("cast_to_type", whole, exp.Case(ifs=[never], default=cast(exp.Literal.number(0), "BIGINT")))


def _avg_check(whole: exp.Expression, _: list[exp.Expression]) -> exp.Expression:
    return call("athena_average", whole, _probe(whole))


def _entries(args: list[exp.Expression]) -> exp.Expression:
    return call("list", _pair(args[0], args[1]))


def _outer(name: str) -> Callable[[exp.Expression, list[exp.Expression]], exp.Expression]:
    return lambda whole, _: call(name, whole)


def _percentile(args: list[exp.Expression]) -> exp.Expression:
    return call("quantile_disc", *args)


def _distinct_count(args: list[exp.Expression]) -> exp.Expression:
    return call("count", exp.Distinct(expressions=[args[0]]))


def _bigint(whole: exp.Expression, _: list[exp.Expression]) -> exp.Expression:
    return cast(whole, "BIGINT")


def _one(group: str, name: str, least: int, most: int, render: type_of_render) -> Function:
    return Function(name, group, least, most, render)


def _aggregate(name: str, arity: tuple[int, int], render: type_of_render, wrap: object = None) -> Function:
    return Function(name, "Aggregates", *arity, render, wrap, aggregate=True)  # type: ignore[arg-type]  # one caller a line below


_LISTED: list[Function] = [
    *_named("Conditions", "coalesce/1-n nullif/2 try/1"),
    _one("Conditions", "greatest", 1, _MANY, _extreme("greatest")),
    _one("Conditions", "least", 1, _MANY, _extreme("least")),
    *_named(
        "Numbers",
        "abs/1 round/1-2 cbrt/1 exp/1 power/2 pow=power/2 mod=athena_modulus/2 pi/0 radians/1 degrees/1",
    ),
    *_named(
        "Numbers",
        "sin/1 cos/1 tan/1 asin/1 acos/1 atan/1 atan2/2 is_nan=isnan/1 is_finite=isfinite/1 is_infinite=isinf/1",
    ),
    *_named(
        "Numbers",
        "ceil=athena_ceil/1 ceiling=athena_ceil/1 floor=athena_floor/1 truncate=athena_truncate/1 sqrt=athena_sqrt/1",
    ),
    *_named(
        "Numbers",
        "ln=athena_ln/1 log2=athena_log2/1 log10=athena_log10/1 log=athena_log/2 sign=athena_sign/1",
    ),
    *_named(
        "Numbers",
        "bitwise_and=athena_bit_and/2 bitwise_or=athena_bit_or/2 bitwise_xor=athena_bit_xor/2 bitwise_not=athena_bit_not/1",
    ),
    *_named(
        "Numbers",
        "from_base=native_from_base/2 to_base=athena_to_base/2 nan=athena_nan/0 infinity=athena_infinity/0 e=athena_e/0",
    ),
    *_named(
        "Text",
        "lower/1 upper/1 length/1 replace=athena_replace/2-3 reverse/1 lpad/3 rpad/3 concat_ws/2-n chr/1 codepoint=unicode/1",
    ),
    *_named(
        "Text", "starts_with/2 strpos/2 split=athena_split/2-3 split_part=athena_split_part/3 translate/3"
    ),
    *_named(
        "Text",
        "substr=athena_substr/2-3 substring=athena_substr/2-3 trim=athena_trim/1 ltrim=athena_ltrim/1 rtrim=athena_rtrim/1",
    ),
    *_named(
        "Text",
        "levenshtein_distance=native_levenshtein/2 hamming_distance=athena_hamming/2 split_to_map=athena_split_to_map/3",
    ),
    _one("Text", "concat", 2, _MANY, _concat),
    _one("Text", "format", 1, _MANY, _text_format),
    *_named("Regular expressions", "regexp_like=regexp_matches/2 regexp_extract=athena_regexp_extract/2-3"),
    *_named("Regular expressions", "regexp_extract_all/2-3 regexp_replace=athena_regexp_replace/2-3"),
    *_named("Regular expressions", "regexp_split=regexp_split_to_array/2 regexp_count=athena_regexp_count/2"),
    *_named(
        "Binary",
        "to_hex=hex/1 from_hex=unhex/1 to_base64/1 from_base64=native_base64_bytes/1 to_utf8=encode/1",
    ),
    *_named(
        "Binary", "from_utf8=native_utf8_text/1 sha512=native_sha512_bytes/1 crc32=native_crc32_number/1"
    ),
    _one("Binary", "md5", 1, 1, _digest("md5")),
    _one("Binary", "sha1", 1, 1, _digest("sha1")),
    _one("Binary", "sha256", 1, 1, _digest("sha256")),
    *(
        _one("URL", f"url_extract_{name}", 1, 1, _url(part))
        for name, part in (
            ("host", "host"),
            ("path", "path"),
            ("query", "query"),
            ("fragment", "fragment"),
            ("protocol", "scheme"),
        )
    ),
    _one("URL", "url_extract_port", 1, 1, lambda args: cast(_url("port")(args), "BIGINT")),
    *_named(
        "URL",
        "url_extract_parameter=native_url_parameter/2 url_encode=native_url_encode/1 url_decode=native_url_decode/1",
    ),
    _one("JSON", "json_extract", 2, 2, _json_extract),
    _one("JSON", "json_extract_scalar", 2, 2, _json_scalar),
    *_named(
        "JSON",
        "json_parse=athena_json_parse/1 json_format=athena_json_format/1 json_array_length=athena_json_array_length/1",
    ),
    *_named(
        "JSON",
        "json_array_contains=athena_json_array_contains/2 json_size=athena_json_size/2 is_json_scalar=athena_is_json_scalar/1",
    ),
    *_named(
        "Arrays",
        "cardinality=athena_cardinality/1 element_at=athena_element_at/2 array_distinct=athena_distinct/1",
    ),
    *_named(
        "Arrays", "array_intersect=athena_intersect/2 array_except=athena_except/2 array_union=athena_union/2"
    ),
    *_named(
        "Arrays",
        "arrays_overlap=athena_overlap/2 array_join=athena_join/2-3 array_position=athena_position/2",
    ),
    *_named(
        "Arrays",
        "array_max=athena_array_max/1 array_min=athena_array_min/1 array_remove=athena_array_remove/2",
    ),
    *_named("Arrays", "slice=athena_slice/3 flatten/1 zip=list_zip/2-n repeat=athena_repeat/2"),
    _one("Arrays", "array_sort", 1, 1, _array_sort),
    _one("Arrays", "contains", 2, 2, _contains),
    _one("Arrays", "sequence", 2, 3, _sequence),
    _one("Arrays", "row", 1, _MANY, _row),
    _one("Lambdas", "filter", 2, 2, _over_list("filter", "list_filter")),
    _one("Lambdas", "transform", 2, 2, _over_list("transform", "list_transform")),
    _one("Lambdas", "any_match", 2, 2, _over_list("any_match", "list_transform", "athena_any")),
    _one("Lambdas", "all_match", 2, 2, _over_list("all_match", "list_transform", "athena_all")),
    _one("Lambdas", "none_match", 2, 2, _none_match),
    _one("Lambdas", "reduce", 4, 4, _reduce),
    _one("Lambdas", "zip_with", 3, 3, _zip_with),
    _one("Lambdas", "map_filter", 2, 2, _over_map("map_filter", lambda body: body)),
    _one(
        "Lambdas",
        "transform_keys",
        2,
        2,
        _over_map("transform_keys", lambda body: _pair(body, _entry("value"))),
    ),
    _one(
        "Lambdas",
        "transform_values",
        2,
        2,
        _over_map("transform_values", lambda body: _pair(_entry("key"), body)),
    ),
    _one("Maps", "map", 0, 2, _map),
    *_named(
        "Maps",
        "map_keys/1 map_values/1 map_entries/1 map_from_entries=athena_map_from_entries/1 map_concat/2-n",
    ),
    _one("Time", "date_add", 3, 3, _date_add),
    _one("Time", "date_diff", 3, 3, _date_diff),
    _one("Time", "date_trunc", 2, 2, _date_trunc),
    _one("Time", "date_parse", 2, 2, _formatted("date_parse", "strptime", formats.mysql)),
    _one("Time", "date_format", 2, 2, _formatted("date_format", "strftime", formats.mysql)),
    _one("Time", "format_datetime", 2, 2, _formatted("format_datetime", "strftime", formats.joda)),
    _one("Time", "parse_datetime", 2, 2, _parse_datetime),
    *(_one("Time", name, 1, 1, _part(name)) for name in formats.PARTS if name != "timezone"),
    *_named(
        "Time",
        "from_iso8601_timestamp=athena_iso_timestamp/1 from_iso8601_date=athena_iso_date/1 to_iso8601=athena_iso_text/1",
    ),
    *_named(
        "Time",
        "to_unixtime=athena_unixtime/1 from_unixtime=athena_from_unixtime/1 last_day_of_month=last_day/1",
    ),
    *_named("Time", "date=athena_date/1 now=athena_now/0"),
    _one("Time", "at_timezone", 2, 2, _utc("at_timezone", "TIMESTAMPTZ")),
    _one("Time", "with_timezone", 2, 2, _with_timezone),
    _aggregate("count", (1, 1), _to("count")),
    _aggregate("count_if", (1, 1), lambda args: call("count", _case(args[0]))),
    _aggregate("sum", (1, 1), _to("sum"), _sum_type),
    _aggregate("avg", (1, 1), _to("avg"), _avg_check),
    *_named(
        "Aggregates",
        "min/1-2 max/1-2 array_agg=list/1 arbitrary=any_value/1 any_value/1 bool_and/1 bool_or/1 every=bool_and/1",
        aggregate=True,
    ),
    *_named(
        "Aggregates",
        "stddev/1 stddev_samp/1 stddev_pop/1 variance/1 var_samp/1 var_pop/1 corr/2 covar_samp/2 covar_pop/2",
        aggregate=True,
    ),
    *_named("Aggregates", "geometric_mean=geomean/1", aggregate=True),
    _aggregate("bitwise_and_agg", (1, 1), _to("bit_and"), _bigint),
    _aggregate("bitwise_or_agg", (1, 1), _to("bit_or"), _bigint),
    _aggregate("max_by", (2, 3), lambda args: call("arg_max" if args[2:] else "arg_max_null", *args)),
    _aggregate("min_by", (2, 3), lambda args: call("arg_min" if args[2:] else "arg_min_null", *args)),
    _aggregate("approx_distinct", (1, 2), _distinct_count),
    _aggregate("approx_percentile", (2, 2), _percentile),
    _aggregate("histogram", (1, 1), _to("histogram"), _outer("athena_histogram")),
    _aggregate("map_agg", (2, 2), _entries, _outer("athena_map_agg")),
    _aggregate("multimap_agg", (2, 2), _entries, _outer("athena_multimap_agg")),
    *_named("Windows", "row_number/0 rank/0 dense_rank/0 percent_rank/0 cume_dist/0 ntile/1"),
    *_named("Windows", "lag/1-3 lead/1-3 first_value/1 last_value/1 nth_value/2"),
    _one("Aggregates", "grouping", 1, _MANY, _to("grouping")),
]

FUNCTIONS: Mapping[str, Function] = MappingProxyType({one.name: one for one in _LISTED})
WINDOW_ONLY = frozenset(one.name for one in _LISTED if one.group == "Windows")

REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "checksum": "its value depends on Trino's own hash",
        "typeof": "type names differ between the engines",
        "random": "its value is never the same twice",
        "rand": "its value is never the same twice",
        "uuid": "its value is never the same twice",
        "shuffle": "its value is never the same twice",
        "json_value": "use json_extract_scalar",
        "json_query": "use json_extract",
        "json_exists": "use json_extract(...) IS NOT NULL",
        "approx_most_frequent": "its value depends on Trino's own sketch",
        "date_sub": "Athena has no such function; use date_add with a negative count",
        "current_user": "there is no such user here",
    }
)
