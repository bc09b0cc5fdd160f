"""How the functions of the allow-list are written for DuckDB, where a name alone does not do."""

import re
from collections.abc import Callable

from sqlglot import exp

from trailhouse.dialect import formats
from trailhouse.dialect.trees import Refusal, bare, call, cast, string_of, substitute

Render = Callable[[list[exp.Expr]], exp.Expr]
Wrap = Callable[[exp.Expr, list[exp.Expr]], exp.Expr]

MANY = 99


def to(name: str) -> Render:
    """Return the rendering that only changes the name."""
    return lambda args: call(name, *args)


# Conditions and comparison


def extreme(name: str) -> Render:
    """Greatest and least: NULL if any argument is."""

    def render(args: list[exp.Expr]) -> exp.Expr:
        nulls = [exp.Is(this=bare(arg), expression=exp.Null()) for arg in args]
        return exp.Case(ifs=[exp.If(this=exp.or_(*nulls), true=exp.Null())], default=call(name, *args))

    return render


def concat(args: list[exp.Expr]) -> exp.Expr:
    """Join with ||, which is NULL if any part is."""
    joined = args[0]
    for arg in args[1:]:
        joined = exp.DPipe(this=joined, expression=arg, safe=False)
    return exp.Paren(this=joined)


# JSON


def json_path(args: list[exp.Expr]) -> str | None:
    """Return DuckDB's path for a plain literal path, None for others."""
    path = string_of(args[1])
    if path is None:
        return None
    steps = formats.json_steps(path)
    if not steps or any(step.isdecimal() or re.search(r'["\\*]', step) for step in steps):
        return None
    return "$" + "".join(f'."{step}"' for step in steps)


def json_scalar(args: list[exp.Expr]) -> exp.Expr:
    """json_extract_scalar, the quick way where the path is plain names."""
    quick = json_path(args)
    if quick is None:
        return call("athena_json_scalar", *args)
    return call("athena_json_scalar_quick", *args, exp.Literal.string(quick))


def json_extract(args: list[exp.Expr]) -> exp.Expr:
    """json_extract; a wrong literal path is refused here and now."""
    json_path(args)
    return call("athena_json_extract", *args)


# Arrays, maps and lambdas


def checked_lambda(arg: exp.Expr, name: str, count: int) -> exp.Lambda:
    """Return the argument as a lambda of so many parameters; raises Refusal otherwise."""
    if not isinstance(arg, exp.Lambda) or len(arg.expressions) != count:
        raise Refusal(f"{name}() takes a lambda of {count} argument{'s' * (count > 1)}", arg)
    return arg


def over_list(name: str, target: str, outer: str = "") -> Render:
    """Return the rendering of a function that takes a list and a lambda."""

    def render(args: list[exp.Expr]) -> exp.Expr:
        done = call(target, args[0], checked_lambda(args[1], name, 1))
        return call(outer, done) if outer else done

    return render


def none_match(args: list[exp.Expr]) -> exp.Expr:
    """none_match: not any_match."""
    return exp.Paren(this=exp.Not(this=over_list("none_match", "list_transform", "athena_any")(args)))


def reduce(args: list[exp.Expr]) -> exp.Expr:
    """reduce: DuckDB's, with the last lambda put around the state."""
    step, last = checked_lambda(args[2], "reduce", 2), checked_lambda(args[3], "reduce", 1)
    state = call("list_reduce", args[0], step, args[1])
    return substitute(last.this, {last.expressions[0].name: state})


def entry(part: str) -> exp.Expr:
    """Return a part of the map entry that a lambda over entries sees."""
    return exp.Dot(this=exp.to_identifier("entry_"), expression=exp.to_identifier(part))


def over_map(name: str, kept: Callable[[exp.Expr], exp.Expr]) -> Render:
    """Return the rendering of a function that takes a map and a lambda of key and value."""

    def render(args: list[exp.Expr]) -> exp.Expr:
        body = checked_lambda(args[1], name, 2)
        names = [one.name for one in body.expressions]
        done = substitute(body.this, {names[0]: entry("key"), names[1]: entry("value")})
        return call("map_from_entries", kept_call(args[0], done))

    def kept_call(source: exp.Expr, body: exp.Expr) -> exp.Expr:
        function = "list_filter" if name == "map_filter" else "list_transform"
        lambda_ = exp.Lambda(this=kept(body), expressions=[exp.to_identifier("entry_")])
        return call(function, call("map_entries", source), lambda_)

    return render


def pair(key: exp.Expr, value: exp.Expr) -> exp.Expr:
    """Return a map entry."""
    return call(
        "struct_pack",
        exp.PropertyEQ(this=exp.to_identifier("key"), expression=key),
        exp.PropertyEQ(this=exp.to_identifier("value"), expression=value),
    )


def zip_with(args: list[exp.Expr]) -> exp.Expr:
    """zip_with, by place: the shorter list gives NULL."""
    body = checked_lambda(args[2], "zip_with", 2)
    at = exp.to_identifier("place_")
    items = {
        one.name: exp.Bracket(this=bare(source), expressions=[at.copy()])
        for one, source in zip(body.expressions, args, strict=False)
    }
    places = call(
        "generate_series", exp.Literal.number(1), call("greatest", call("len", args[0]), call("len", args[1]))
    )
    return call("list_transform", places, exp.Lambda(this=substitute(body.this, items), expressions=[at]))


def array_sort(args: list[exp.Expr]) -> exp.Expr:
    """array_sort: NULL last."""
    return call("list_sort", args[0], exp.Literal.string("ASC"), exp.Literal.string("NULLS LAST"))


def contains(args: list[exp.Expr]) -> exp.Expr:
    """contains: a CIDR test for an address, else membership."""
    name = args[1].name if isinstance(args[1], exp.Anonymous) else ""
    if name == "athena_ipaddress" or string_of(args[0]) is not None:
        return call("athena_in_network", *args)
    return call("athena_contains", *args)


def map_of(args: list[exp.Expr]) -> exp.Expr:
    """map: of two arrays, or empty."""
    if len(args) == 1:
        raise Refusal("map() takes two arrays or nothing", args[0])
    return call("map", *args)


def row(args: list[exp.Expr]) -> exp.Expr:
    """A row without names."""
    return call("row", *args)


# Time


def interval(unit: str, count: exp.Expr) -> exp.Expr:
    """Return an interval of so many units."""
    name, times = formats.interval_unit(unit)
    whole = cast(count, "BIGINT")
    return call(
        name,
        cast(exp.Mul(this=whole, expression=exp.Literal.number(times)), "INTEGER")
        if times > 1
        else cast(whole, "INTEGER"),
    )


def unit(arg: exp.Expr, function: str) -> str:
    """Return a unit given as a literal; raises Refusal for others."""
    name = string_of(arg)
    if name is None or name.lower() not in formats.UNITS:
        raise Refusal(f"{function}() takes one of the units {', '.join(formats.UNITS)} as a literal", arg)
    return name.lower()


def date_add(args: list[exp.Expr]) -> exp.Expr:
    """date_add keeps the type of its date."""
    return call("athena_date_add", args[2], interval(unit(args[0], "date_add"), args[1]))


def date_diff(args: list[exp.Expr]) -> exp.Expr:
    """date_diff counts whole units."""
    name = exp.Literal.string(unit(args[0], "date_diff"))
    return call("date_sub", name, call("athena_wall", args[1]), call("athena_wall", args[2]))


def date_trunc(args: list[exp.Expr]) -> exp.Expr:
    """date_trunc keeps the type of its date."""
    return call("athena_date_trunc", exp.Literal.string(unit(args[0], "date_trunc")), args[1])


def literal_format(arg: exp.Expr, function: str) -> str:
    """Return a format given as a literal; raises Refusal for others."""
    text = string_of(arg)
    if text is None:
        raise Refusal(f"{function}() needs its format as a literal", arg)
    return text


def formatted(function: str, target: str, turn: Callable[[str], str]) -> Render:
    """Return the rendering of a function with a date format."""

    def render(args: list[exp.Expr]) -> exp.Expr:
        pattern = exp.Literal.string(turn(literal_format(args[1], function)))
        return call(target, call("athena_wall", args[0]) if target == "strftime" else args[0], pattern)

    return render


def parse_datetime(args: list[exp.Expr]) -> exp.Expr:
    """parse_datetime: text without a zone is UTC."""
    pattern = exp.Literal.string(formats.joda(literal_format(args[1], "parse_datetime")))
    return exp.AtTimeZone(this=call("strptime", args[0], pattern), zone=exp.Literal.string("UTC"))


def part(name: str) -> Render:
    """Return the rendering of a part of a date."""
    return lambda args: formats.date_part(name, args[0])


def utc(kind: str) -> Render:
    """Return the rendering of a move to a time zone: UTC at once, others marked for the caller around it."""

    def render(args: list[exp.Expr]) -> exp.Expr:
        zone = string_of(args[1])
        if zone is None or zone.upper() not in ("UTC", "Z", "+00:00"):
            return call("athena_zoned", *args)
        return cast(args[0], kind)

    return render


def with_timezone(args: list[exp.Expr]) -> exp.Expr:
    """with_timezone, in UTC."""
    if (string_of(args[1]) or "").upper() not in ("UTC", "Z", "+00:00"):
        raise Refusal("with_timezone() is supported for 'UTC' only", args[1])
    return exp.AtTimeZone(this=cast(args[0], "TIMESTAMP"), zone=exp.Literal.string("UTC"))


def sequence(args: list[exp.Expr]) -> exp.Expr:
    """Sequence with or without a step."""
    return call("athena_sequence" if len(args) == 2 else "athena_sequence_step", *args)  # noqa: PLR2004 - from, to


# Text


def text_format(args: list[exp.Expr]) -> exp.Expr:
    """format: its texts and arguments joined."""
    parts: list[exp.Expr] = [exp.Literal.string("")]
    rest = list(args[1:])
    for text, mark in formats.printf(literal_format(args[0], "format")):
        parts.append(exp.Literal.string(text))
        if mark and not rest:
            raise Refusal("format() has fewer arguments than places", args[0])
        if mark == "s":
            parts.append(call("athena_format_text", rest.pop(0)))
        elif mark == "d":
            parts.append(cast(cast(rest.pop(0), "BIGINT"), "VARCHAR"))
    return concat([part for part in parts if part.name or not isinstance(part, exp.Literal)] or parts[:1])


def digest(name: str) -> Render:
    """Return the rendering of a digest, which DuckDB gives in hex."""
    return lambda args: call("unhex", call(name, *args))


def url(part: str) -> Render:
    """Return the rendering of a part of a URL."""
    return lambda args: call("native_url_part", args[0], exp.Literal.string(part))


# Aggregates


def case(condition: exp.Expr) -> exp.Expr:
    """Return 1 where a condition is true."""
    return exp.Case(ifs=[exp.If(this=condition, true=exp.Literal.number(1))])


def probe(whole: exp.Expr) -> exp.Expr:
    """Return the same call of any_value: it has the argument's type and is never computed."""
    copy = whole.copy()
    inner = next(one for one in copy.find_all(exp.Anonymous) if one.name in ("sum", "avg"))
    arg = inner.expressions[0]
    inner.set("this", "any_value")
    inner.set("expressions", [arg.expressions[0] if isinstance(arg, exp.Distinct) else arg])
    return copy


def sum_type(whole: exp.Expr, _: list[exp.Expr]) -> exp.Expr:
    """Give a sum the type that Athena gives it."""
    never = exp.If(this=exp.false(), true=probe(whole))
    return call("cast_to_type", whole, exp.Case(ifs=[never], default=cast(exp.Literal.number(0), "BIGINT")))


def avg_check(whole: exp.Expr, _: list[exp.Expr]) -> exp.Expr:
    """Refuse the average of decimals when the types are known."""
    return call("athena_average", whole, probe(whole))


def entries(args: list[exp.Expr]) -> exp.Expr:
    """Return the list of entries that an aggregate of keys and values starts from."""
    return call("list", pair(args[0], args[1]))


def outer(name: str) -> Callable[[exp.Expr, list[exp.Expr]], exp.Expr]:
    """Return the change that puts a macro around an aggregate."""
    return lambda whole, _: call(name, whole)


def percentile(args: list[exp.Expr]) -> exp.Expr:
    """approx_percentile: the exact one."""
    return call("quantile_disc", *args)


def distinct_count(args: list[exp.Expr]) -> exp.Expr:
    """approx_distinct: the exact count."""
    return call("count", exp.Distinct(expressions=[args[0]]))


def bigint(whole: exp.Expr, _: list[exp.Expr]) -> exp.Expr:
    """Give an aggregate the type bigint."""
    return cast(whole, "BIGINT")
