"""Arrow columns as text, whole columns at a time: for people as Athena prints them, and as JSON."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from trailhouse.output.escape import escape

TEXT = pa.large_string()
_BASIC_END = 0x10000


def plain_text(column: pa.Array) -> pa.Array:
    """Return each value as Athena prints it; NULL stays NULL.

    Times have three digits of a second (more where they count), zoned ones end in ` UTC`; binary is
    hexadecimal; nested values are JSON text.
    """
    column = _unwrapped(column)
    kind = column.type
    if _is_text(kind):
        return sound(column)
    if pa.types.is_nested(kind):
        return pc.if_else(column.is_null(), pa.scalar(None, TEXT), json_text(column))
    for applies, render in _PLAIN:
        if applies(kind):
            return render(column)
    return _by_python(column)


def json_text(column: pa.Array) -> pa.Array:
    """Return each value as JSON; NULL is `null`, and so are NaN and the infinities.

    Integers and decimals keep all their digits. Zoned times are ISO 8601 (`2023-07-10T11:22:33.000Z`),
    times without a zone are Athena's text.
    """
    column = _unwrapped(column)
    kind = column.type
    if pa.types.is_struct(kind):
        text = _struct(column)
    elif pa.types.is_map(kind):
        text = _map(column)
    elif _is_list(kind):
        text = _list(column)
    elif pa.types.is_floating(kind):
        text = pc.if_else(pc.is_finite(column), plain_text(column), pa.scalar(None, TEXT))
    elif pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind):
        text = plain_text(column)
    elif pa.types.is_timestamp(kind) and kind.tz is not None:
        iso = pc.replace_substring(pc.replace_substring(plain_text(column), " UTC", "Z"), " ", "T")
        text = joined('"', iso, '"')
    else:
        text = json_string(plain_text(column))
    return text.fill_null("null")


def json_string(column: pa.Array) -> pa.Array:
    """Return a column of text as JSON strings; what cannot be seen is escaped, NULL stays NULL."""
    unseen = pc.invert(pc.ascii_is_printable(column))
    escaped = column
    if pc.any(pc.match_substring_regex(column, r'["\\]')).as_py():
        escaped = pc.replace_substring(pc.replace_substring(column, "\\", "\\\\"), '"', '\\"')
    if pc.any(unseen).as_py():
        # The rare ones start again from the value itself.
        escaped = map_where(unseen, pc.if_else(unseen, column, escaped), _json_inside)
    return joined('"', escaped, '"')


def joined(*parts: pa.Array | str) -> pa.Array:
    """Return the parts of each row one after the other; NULL where any part is."""
    scalars = [pa.scalar(part, TEXT) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*scalars, pa.scalar("", TEXT))


def visible(column: pa.Array) -> pa.Array:
    """Return a column of text with every value as `escape` shows it; NULL stays NULL."""
    return map_where(pc.invert(pc.ascii_is_printable(column)), column, escape)


def map_where(mask: pa.Array, column: pa.Array, change: Callable[[str], str]) -> pa.Array:
    """Return the column of text with `change` made to the values where `mask` is true.

    The mask comes from a vectorised test, so that Python touches only the rare values.
    """
    mask = pc.fill_null(mask, fill_value=False)
    if not pc.any(mask).as_py():
        return column
    changed = pa.array([change(value) for value in column.filter(mask).to_pylist()], pa.large_string())
    return pc.replace_with_mask(column, mask, changed)


def sound(column: pa.Array) -> pa.Array:
    r"""Return a column of text that is UTF-8 throughout; bytes that are not come out as `\xff`."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        raw = column.view(pa.binary() if pa.types.is_string(column.type) else pa.large_binary())
        texts = [
            None if value is None else value.decode("utf-8", "backslashreplace") for value in raw.to_pylist()
        ]
        return pa.array(texts, TEXT)
    return column.cast(TEXT)


def _unwrapped(column: pa.Array) -> pa.Array:
    if isinstance(column, pa.ExtensionArray):
        return _unwrapped(column.storage)
    if pa.types.is_dictionary(column.type):
        return _unwrapped(column.dictionary_decode())
    if pa.types.is_run_end_encoded(column.type):
        return _unwrapped(pc.run_end_decode(column))
    if column.type in (pa.string_view(), pa.binary_view()):
        return column.cast(TEXT if column.type == pa.string_view() else pa.large_binary())
    return column


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_list(kind: pa.DataType) -> bool:
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list,
             pa.types.is_list_view, pa.types.is_large_list_view)  # fmt: skip
    return any(test(kind) for test in tests)


def _cast(column: pa.Array) -> pa.Array:
    return column.cast(TEXT)


def _float(column: pa.Array) -> pa.Array:
    text = column.cast(pa.float64()).cast(TEXT) if pa.types.is_float16(column.type) else column.cast(TEXT)
    whole = pc.match_substring_regex(text, r"^-?\d+$")
    text = pc.if_else(whole, joined(text, ".0"), text)
    if pc.all(pc.is_finite(column)).as_py() is False:
        text = pc.replace_substring(pc.replace_substring(text, "nan", "NaN"), "inf", "Infinity")
    return text


def _decimal(column: pa.Array) -> pa.Array:
    text = column.cast(TEXT)
    return map_where(pc.match_substring(text, "E"), text, lambda value: format(Decimal(value), "f"))


def _clock(column: pa.Array) -> pa.Array:
    """Return times with at least three digits of a second, and more where they are not zero."""
    text = column.cast(TEXT)
    text = pc.replace_substring_regex(text, r"(:\d{2}:\d{2})$", r"\1.000")
    return pc.replace_substring_regex(text, r"(\.\d{3}(?:\d{3})??)(?:000)+$", r"\1")


def _timestamp(column: pa.Array) -> pa.Array:
    if column.type.tz is None:
        return _clock(column)
    return joined(_clock(column.cast(pa.timestamp(column.type.unit))), " UTC")


def _binary(column: pa.Array) -> pa.Array:
    return pa.array([None if value is None else value.hex() for value in column.to_pylist()], TEXT)


def _interval(column: pa.Array) -> pa.Array:
    kind = pa.month_day_nano_interval()
    values = (None if value is None else _interval_text(*value) for value in column.cast(kind).to_pylist())
    return pa.array(values, TEXT)


def _duration(column: pa.Array) -> pa.Array:
    milliseconds = column.cast(pa.duration("ms"), safe=False).cast(pa.int64()).to_pylist()
    texts = (None if each is None else _interval_text(0, 0, each * 1_000_000) for each in milliseconds)
    return pa.array(texts, TEXT)


def _interval_text(months: int, days: int, nanoseconds: int) -> str:
    """Return `Y-M` for months and `D HH:MM:SS.mmm` for the rest, as Athena does."""
    total = days * 86_400_000 + nanoseconds // 1_000_000
    sign, total = ("-" if total < 0 else ""), abs(total)
    seconds, milliseconds = divmod(total, 1000)
    clock = f"{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{milliseconds:03d}"
    span = f"{sign}{seconds // 86_400} {clock}"
    if not months:
        return span
    years = f"{'-' if months < 0 else ''}{abs(months) // 12}-{abs(months) % 12}"
    return f"{years} {span}" if total else years


def _by_python(column: pa.Array) -> pa.Array:
    return pa.array([None if value is None else str(value) for value in column.to_pylist()], TEXT)


_PLAIN: list[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], pa.Array]]] = [
    (lambda kind: bool(pa.types.is_integer(kind) or pa.types.is_boolean(kind)), _cast),
    (pa.types.is_floating, _float),
    (pa.types.is_decimal, _decimal),
    (pa.types.is_timestamp, _timestamp),
    (pa.types.is_time, _clock),
    (pa.types.is_interval, _interval),
    (pa.types.is_duration, _duration),
    (lambda kind: bool(pa.types.is_date(kind) or pa.types.is_null(kind)), _cast),
    (lambda kind: bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
                       or pa.types.is_fixed_size_binary(kind)), _binary),
]  # fmt: skip


def _struct(column: pa.Array) -> pa.Array:
    names = [column.type.field(index).name for index in range(column.type.num_fields)]
    texts = [json_text(field) for field in column.flatten()]
    rows = object_text(names, texts) if names else pa.repeat(pa.scalar("{}", TEXT), len(column))
    return pc.if_else(column.is_valid(), rows, pa.scalar(None, TEXT))


def object_text(names: list[str], texts: list[pa.Array]) -> pa.Array:
    """Return a JSON object a row from the names and the JSON texts of its values."""
    parts: list[pa.Array | str] = []
    for index, (name, text) in enumerate(zip(names, texts, strict=True)):
        parts += [f"{',' if index else '{'}{_json_name(name)}:", text]
    return joined(*parts, "}")


def _list(column: pa.Array) -> pa.Array:
    return joined("[", _glued(column, json_text(column.flatten())), "]")


def _map(column: pa.Array) -> pa.Array:
    entries = column.cast(
        pa.list_(pa.struct([("key", column.type.key_type), ("value", column.type.item_type)]))
    )
    keys, values = entries.flatten().flatten()
    pairs = joined(json_string(plain_text(keys)), ":", json_text(values))
    return joined("{", _glued(entries, pairs), "}")


def _glued(column: pa.Array, items: pa.Array) -> pa.Array:
    """Return the items of each list with commas between; NULL for a list that is NULL."""
    lengths = pc.list_value_length(column).fill_null(0).cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths)])
    lists = pa.ListArray.from_arrays(offsets, items)
    return pc.if_else(column.is_valid(), pc.binary_join(lists, pa.scalar(",", TEXT)), pa.scalar(None, TEXT))


def _json_name(name: str) -> str:
    return f'"{_json_inside(name)}"'


def _json_inside(text: str) -> str:
    plain: str = json.dumps(text, ensure_ascii=False)[1:-1]
    return "".join(each if each.isprintable() else _unit(each) for each in plain)


def _unit(character: str) -> str:
    number = ord(character)
    if number < _BASIC_END:
        return f"\\u{number:04x}"
    rest = number - _BASIC_END
    return f"\\u{0xD800 + (rest >> 10):04x}\\u{0xDC00 + (rest & 0x3FF):04x}"


def unique_names(names: list[str]) -> list[str]:
    """Return the columns' names with repeated ones told apart: `n`, `n_2`, `n_3`."""
    taken, result = set(names), []
    seen: dict[str, Any] = {}
    for name in names:
        seen[name] = count = seen.get(name, 0) + 1
        unique = name
        while count > 1 and unique in taken:
            unique, count = f"{name}_{count}", count + 1
        taken.add(unique)
        result.append(unique)
    return result
