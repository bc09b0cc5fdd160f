"""JSON as Athena reads it: paths, scalars, canonical text. Number text of a scalar is never rewritten.

Values are found by walking the text from its start, as Athena's streaming reader does: what lies before a
defect is still found, and the first of two equal names wins.
"""

import json
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from json.decoder import scanstring  # type: ignore[attr-defined]  # untyped, there since Python 2.6
from typing import TypeAlias

_PATH_STEP = re.compile(r'\.([\w:$/@|]+)|\[(\d+)\]|\["((?:[^"\\]|\\["\\])*)"\]')
_PLAIN_FROM, _PLAIN_BELOW = 1e-3, 1e7  # Java writes doubles between these without an exponent
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_ESCAPED = re.compile(r'["\\\x00-\x1f]')
_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonError(ValueError):
    """The text is not JSON, or the value is not of the kind asked for."""


class Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a JSON object in their order, repeated names kept."""

    pairs: list[tuple[str, "Json"]]


Json: TypeAlias = "bool | str | Number | list[Json] | Members | None"


@lru_cache(maxsize=512)
def path_steps(path: str) -> tuple[str, ...]:
    """Return the steps of a JSON path such as `$.a["b c"][0]`; raises JsonError for any other form."""
    steps, at = [], 1
    while path.startswith("$") and at < len(path):
        found = _PATH_STEP.match(path, at)
        if not found:
            break
        name, index, quoted = found.groups()
        steps.append(re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else name or index)
        at = found.end()
    if not path.startswith("$") or at < len(path):
        raise JsonError(f"Invalid JSON path: '{path}'")
    return tuple(steps)


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t", "\n", "\r") and at < len(text):
        at += 1
    return at


def _string(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] != '"':
        raise JsonError("a string is missing")
    try:
        value, end = scanstring(text, at + 1, True)
    except ValueError as fault:
        raise JsonError(str(fault)) from None
    return value, end


def _name(text: str, at: int) -> tuple[str, int]:
    """Return a member's name and where its value starts."""
    name, at = _string(text, at)
    at = _skip(text, at)
    if text[at : at + 1] != ":":
        raise JsonError("a colon is missing")
    return name, _skip(text, at + 1)


def _next(text: str, at: int, close: str) -> tuple[bool, int]:
    """Return whether another item follows, and where."""
    at = _skip(text, at)
    mark = text[at : at + 1]
    if mark not in (",", close) or not mark:
        raise JsonError("a comma is missing")
    return mark == ",", _skip(text, at + 1)


def _constant(name: str) -> None:
    raise JsonError(f"{name} is not JSON")


_SCAN = json.JSONDecoder(
    object_pairs_hook=Members, parse_float=Number, parse_int=Number, parse_constant=_constant
).scan_once  # type: ignore[attr-defined]  # the C scanner; it gives a value and where it ends


def _value(text: str, at: int) -> tuple[Json, int]:
    """Parse the value at a position; returns it and where it ends."""
    try:
        value, end = _SCAN(text, at)
    except (StopIteration, ValueError, RecursionError):
        raise JsonError("not a JSON value") from None
    if isinstance(value, Number) and (text[end : end + 1].isalnum() or text[end : end + 1] in tuple("+-._")):
        raise JsonError("not a JSON number")
    return value, end


def _step(text: str, at: int, step: str) -> int | None:
    """Return where the member or item named by a step starts, None if there is none."""
    mark, at = text[at : at + 1], _skip(text, at + 1)
    if mark not in ("{", "[") or text[at : at + 1] in ("}", "]"):
        return None
    if mark == "[" and not step.isdecimal():
        return None
    more, place = True, 0
    while more:
        name = str(place)
        if mark == "{":
            name, at = _name(text, at)
        if name == step:
            return at
        _, at = _value(text, at)
        more, at = _next(text, at, "}" if mark == "{" else "]")
        place += 1
    return None


def find(text: str, path: str) -> tuple[bool, Json]:
    """Return whether a path leads to a value, and the value. Malformed text leads nowhere."""
    steps = path_steps(path)
    try:
        value, _ = _value(text, _skip(text, 0))
    except JsonError:
        return _find_before_defect(text, steps)
    for step in steps:
        there, value = _child(value, step)
        if not there:
            return False, None
    return True, value


def _child(value: Json, step: str) -> tuple[bool, Json]:
    if isinstance(value, Members):
        return next(((True, item) for name, item in value.pairs if name == step), (False, None))
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return True, value[int(step)]
    return False, None


def _find_before_defect(text: str, steps: tuple[str, ...]) -> tuple[bool, Json]:
    try:
        at: int | None = _skip(text, 0)
        for step in steps:
            at = _step(text, at or 0, step)
            if at is None:
                return False, None
        return True, _value(text, at or 0)[0]
    except JsonError:
        return False, None


def parse(text: str) -> Json:
    """Return the value of a whole JSON text; raises JsonError if there is anything else in it."""
    value, end = _value(text, _skip(text, 0))
    if _skip(text, end) != len(text):
        raise JsonError(f"Cannot convert value to JSON: '{text}'")
    return value


def printable(text: str) -> str:
    """Return text with lone surrogates replaced, so that it can be stored as UTF-8."""
    return _SURROGATE.sub("?", text)


def quoted(text: str) -> str:
    """Return a JSON string literal."""
    escaped = _ESCAPED.sub(lambda found: _ESCAPES.get(found.group(), f"\\u{ord(found.group()):04X}"), text)
    return f'"{printable(escaped)}"'


def scientific(value: float) -> str:
    """Return a double as Athena's CAST AS varchar writes it: 1.0E0, -2.5E-3, NaN, Infinity."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0E0" if math.copysign(1, value) < 0 else "0E0"
    sign, digits, exponent = _digits(value)
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def plain(value: float) -> str:
    """Return a double as JSON and format() write it."""
    size = abs(value)
    if not math.isfinite(value):
        return scientific(value)
    if size == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    if not _PLAIN_FROM <= size < _PLAIN_BELOW:
        return scientific(value)
    sign, digits, exponent = _digits(value)
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    return f"{sign}{digits[: exponent + 1].ljust(exponent + 1, '0')}.{digits[exponent + 1 :] or '0'}"


def _digits(value: float) -> tuple[str, str, int]:
    """Return sign, the shortest digits that read back the same, and the decimal exponent of the first."""
    mantissa, _, exponent = f"{value!r}".lower().partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, part = mantissa.lstrip("-").partition(".")
    digits = (whole + part).lstrip("0")
    leading = len(whole.lstrip("0")) - 1 if whole.strip("0") else -(len(part) - len(part.lstrip("0"))) - 1
    return sign, digits.rstrip("0") or "0", leading + int(exponent or 0)


def canonical(value: Json, *, sort: bool = False) -> str:
    """Return the text of Athena's json type: no spaces, doubles in their shortest form.

    Raises:
        JsonError: the value is nested too deeply to be written.
    """
    try:
        return _canonical(value, sort=sort)
    except RecursionError:
        raise JsonError("the JSON value is nested too deeply") from None


def _canonical(value: Json, *, sort: bool) -> str:
    if isinstance(value, Members):
        pairs = sorted(dict(value.pairs).items()) if sort else value.pairs
        return "{" + ",".join(f"{quoted(name)}:{_canonical(item, sort=sort)}" for name, item in pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_canonical(item, sort=sort) for item in value) + "]"
    if isinstance(value, Number):
        return _number(value)
    if isinstance(value, str):
        return quoted(value)
    return {True: "true", False: "false", None: "null"}[value]


def _number(text: Number) -> str:
    if text.lstrip("-").isdecimal():
        return "0" if text == "-0" else str(text)
    value = float(text)
    return plain(value) if math.isfinite(value) else f'"{scientific(value)}"'


def scalar(value: Json) -> str | None:
    """Return a scalar's text as json_extract_scalar gives it; None for null, objects and arrays."""
    if value is None or isinstance(value, list | Members):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return printable(value)
