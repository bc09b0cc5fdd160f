"""Turns a checked Athena tree into a DuckDB tree: functions by the allow-list, forms by the rules here."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sqlglot import exp

from trailhouse.dialect import formats, once, unnest
from trailhouse.dialect.casts import rewrite_cast, without_error
from trailhouse.dialect.functions import FUNCTIONS, REFUSED, WINDOW_ONLY, Function
from trailhouse.dialect.kinds import note_dates
from trailhouse.dialect.mistake import nearest
from trailhouse.dialect.trees import Refusal, call, cast, string_of

_LOCAL_TIME = frozenset(formats.PARTS) | {"date_format", "format_datetime"}
_NUMBERS = frozenset(
    {
        "athena_divide",
        "athena_modulus",
        "athena_bigint",
        "athena_double",
        "athena_cardinality",
        "athena_unixtime",
    }
    | {"count", "sum", "avg", "length", "strpos", "date_part", "date_sub", "abs", "round", "len"}
)
_UTC_NAMES = ("UTC", "Z", "+00:00")
_INTERVAL_UNITS = ("second", "minute", "hour", "day", "week", "month", "year")


def rewrite(tree: exp.Expr) -> exp.Expr:
    """Return DuckDB's tree for a checked one, which is changed in place.

    Raises:
        Refusal: a function or form outside the dialect.
    """
    unnest.measure(tree)
    note_dates(tree)
    root = exp.Paren(this=tree)
    for node in reversed(list(tree.walk(bfs=True))):
        rule = _RULES.get(type(node))
        if rule is not None:
            node.replace(rule(node))
    for node in reversed([one for one in root.find_all(exp.Anonymous) if "wrap" in one.meta]):
        _wrap(node)
    for node in root.find_all(exp.Anonymous):
        if node.name == "athena_zoned":
            hint = "AT TIME ZONE passes inside date_format, extract, year() ... and CAST AS timestamp or date"
            raise Refusal("a time zone other than UTC cannot be shown here", node, hint=hint)
    once.limit(root)
    done: exp.Expr = root.this
    done.pop()
    return done


def _wrap(node: exp.Anonymous) -> None:
    """Put an aggregate's outer change around its call, FILTER and OVER included."""
    function = FUNCTIONS[node.meta.pop("wrap")]
    top: exp.Expr = node
    while (
        isinstance(top.parent, exp.Filter | exp.Window | exp.IgnoreNulls | exp.RespectNulls)
        and top.arg_key == "this"
    ):
        top = top.parent
    if function.wrap is not None:
        hold = exp.Placeholder()
        top.replace(hold)
        hold.replace(function.wrap(top, []))


def _function(node: exp.Expr) -> exp.Expr:
    name = node.name.lower()
    function = FUNCTIONS.get(name)
    if function is None:
        raise _unknown(name, node)
    args = list(node.expressions)
    _check_call(function, args, node)
    if args and name in _LOCAL_TIME:
        args[0] = _wall(args[0])
    if name == "try":
        args[0] = without_error(args[0])
    done: exp.Expr = function.render(args)
    if name == "sequence" and node.meta["dates"][0]:
        done.set("this", "athena_sequence_days" if len(args) == 2 else "athena_sequence_days_step")  # noqa: PLR2004 - no step
    if function.wrap is not None:
        done.meta["wrap"] = name
    return done


def _unknown(name: str, node: exp.Expr) -> Refusal:
    if name in REFUSED:
        return Refusal(f"{name}() is not supported: {REFUSED[name]}", node)
    near = nearest(name, FUNCTIONS)
    return Refusal(
        f"{name}() is outside the supported dialect", node, hint=f"nearest: {', '.join(near)}" if near else ""
    )


def _check_call(function: Function, args: list[exp.Expr], node: exp.Expr) -> None:
    count = len(args[0].expressions) if args and isinstance(args[0], exp.Distinct) else len(args)
    if not function.least <= count <= function.most:
        least, most = function.least, function.most
        takes = str(least) if least == most else f"{least} or more" if most > 9 else f"{least} to {most}"  # noqa: PLR2004 - any number
        raise Refusal(f"{function.name}() takes {takes} arguments, not {count}", node, unsupported=False)
    if any(isinstance(arg, exp.Distinct | exp.Order) for arg in args) and not function.aggregate:
        raise Refusal(f"DISTINCT and ORDER BY cannot stand in {function.name}()", node)
    if any(isinstance(arg, exp.Star) for arg in args) and function.name != "count":
        raise Refusal(f"{function.name}(*) is not supported", node)
    over = node.find_ancestor(exp.Window, exp.Select)
    if function.name in WINDOW_ONLY and not isinstance(over, exp.Window):
        raise Refusal(f"{function.name}() needs OVER (...)", node, unsupported=False)


def _wall(node: exp.Expr) -> exp.Expr:
    """Return the wall clock's timestamp for a value moved to a time zone, anything else as it is."""
    if isinstance(node, exp.Anonymous) and node.name == "athena_zoned":
        source, zone = node.expressions
        return exp.AtTimeZone(this=cast(source, "TIMESTAMPTZ"), zone=zone.copy())
    return node


def _at_time_zone(node: exp.Expr) -> exp.Expr:
    zone = node.args["zone"]
    if (string_of(zone) or "").upper() in _UTC_NAMES:
        return cast(node.this, "TIMESTAMPTZ")
    return call("athena_zoned", node.this, zone)


def _cast(node: exp.Expr) -> exp.Expr:
    if node.args["to"].this in (exp.DType.TIMESTAMP, exp.DType.DATE):
        node.set("this", _wall(node.this))
    return rewrite_cast(node)


def _is_number(node: exp.Expr) -> bool:
    """Tell whether an operand, rewritten already, is a number for certain."""
    if isinstance(node, exp.Paren | exp.Neg):
        return _is_number(node.this)
    if isinstance(node, exp.Add | exp.Sub):
        return _is_number(node.this) or _is_number(node.expression)
    if isinstance(node, exp.Anonymous):
        return node.name in _NUMBERS
    return isinstance(node, exp.Mul) or (isinstance(node, exp.Literal) and not node.is_string)


def _dated(name: str) -> Callable[[exp.Expr], exp.Expr]:
    """Return the rule for + or -, which keep a date a date."""

    def rule(node: exp.Expr) -> exp.Expr:
        left, right = node.meta["dates"]
        if left and right and name == "athena_subtract":
            return call("athena_between_dates", node.this, node.expression)
        if left or right:
            return call(f"{name}_date", node.this, node.expression)
        if _is_number(node.this) or _is_number(node.expression):
            return node
        return call(name, node.this, node.expression)

    return rule


def _binary(name: str) -> Callable[[exp.Expr], exp.Expr]:
    return lambda node: call(name, node.this, node.expression)


def _bracket(node: exp.Expr) -> exp.Expr:
    if len(node.expressions) != 1 or isinstance(node.expressions[0], exp.Slice):
        raise Refusal("a subscript takes one index", node)
    return call("athena_subscript", node.this, node.expressions[0])


def _extract(node: exp.Expr) -> exp.Expr:
    return formats.date_part(node.name.lower(), _wall(node.expression))


def _strpos(node: exp.Expr) -> exp.Expr:
    return call("strpos", node.this, node.args["substr"])


def _trim(node: exp.Expr) -> exp.Expr:
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get((node.args.get("position") or "").upper(), "trim")
    letters = node.args.get("expression")
    return call(name, node.this, letters) if letters else call(f"athena_{name}", node.this)


def _listagg(node: exp.Expr) -> exp.Expr:
    order = node.this if isinstance(node.this, exp.Order) else None
    value = order.this if order else node.this
    separator: exp.Expr = node.args.get("separator") or exp.Literal.string("")
    if order:
        separator = exp.Order(this=separator, expressions=order.expressions)
    if isinstance(value, exp.Distinct):
        return call("string_agg", exp.Distinct(expressions=list(value.expressions)), separator)
    return call("string_agg", value, separator)


def _interval(node: exp.Expr) -> exp.Expr:
    unit = node.args.get("unit")
    text = string_of(node.this)
    if not isinstance(unit, exp.Var) or unit.name.lower() not in _INTERVAL_UNITS or text is None:
        raise Refusal("an interval is written INTERVAL '1' DAY here", node)
    if not text.strip().lstrip("+-").isdecimal():
        raise Refusal(f"an interval of {text!r} is not supported; write a whole number", node)
    return node


def _today(_: exp.Expr) -> exp.Expr:
    return cast(call("athena_now"), "DATE")


def _local_now(_: exp.Expr) -> exp.Expr:
    return cast(call("athena_now"), "TIMESTAMP")


_RULES: Mapping[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = MappingProxyType(
    {
        exp.Anonymous: _function,
        exp.Div: _binary("athena_divide"),
        exp.Mod: _binary("athena_modulus"),
        exp.Add: _dated("athena_add"),
        exp.Sub: _dated("athena_subtract"),
        exp.Bracket: _bracket,
        exp.Cast: _cast,
        exp.TryCast: _cast,
        exp.Extract: _extract,
        exp.StrPosition: _strpos,
        exp.Trim: _trim,
        exp.GroupConcat: _listagg,
        exp.Interval: _interval,
        exp.AtTimeZone: _at_time_zone,
        exp.CurrentTimestamp: lambda _: call("athena_now"),
        exp.CurrentDate: _today,
        exp.Localtimestamp: _local_now,
        exp.ParseJSON: lambda node: call("athena_json_parse", node.this),
        exp.Unnest: unnest.rewrite_unnest,
    }
)
