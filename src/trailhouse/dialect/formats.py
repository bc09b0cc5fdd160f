"""Formats and units: MySQL's and Joda's date patterns, Java's format(), parts of a date, JSON paths."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sqlglot import exp

from trailhouse.dialect import json_text
from trailhouse.dialect.trees import Refusal, call

UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
_INTERVALS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "millisecond": ("to_milliseconds", 1),
        "second": ("to_seconds", 1),
        "minute": ("to_minutes", 1),
        "hour": ("to_hours", 1),
        "day": ("to_days", 1),
        "week": ("to_days", 7),
        "month": ("to_months", 1),
        "quarter": ("to_months", 3),
        "year": ("to_years", 1),
    }
)
_PLAIN_PARTS = ("year", "quarter", "month", "day", "hour", "minute", "second")
PARTS: Mapping[str, str] = MappingProxyType(
    {name: name for name in _PLAIN_PARTS}
    | {
        "week": "week",
        "week_of_year": "week",
        "day_of_month": "day",
        "day_of_week": "isodow",
        "dow": "isodow",
        "day_of_year": "dayofyear",
        "doy": "dayofyear",
        "year_of_week": "isoyear",
        "yow": "isoyear",
        "millisecond": "millisecond",
    }
)
_MYSQL: Mapping[str, str] = MappingProxyType(
    {
        "a": "%a", "b": "%b", "c": "%-m", "d": "%d", "e": "%-d", "f": "%f", "H": "%H", "h":
        "%I", "I": "%I", "i": "%M", "j": "%j", "k": "%-H", "l": "%-I", "M": "%B", "m": "%m",
        "p": "%p", "r": "%I:%M:%S %p", "S": "%S", "s": "%S", "T": "%H:%M:%S", "v": "%V", "W":
        "%A", "x": "%G", "Y": "%Y", "y": "%y", "%": "%%",
    }
)  # fmt: skip
_JODA: Mapping[str, str] = MappingProxyType(
    {
        "yyyy": "%Y", "YYYY": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M":
        "%-m", "dd": "%d", "d": "%-d", "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm":
        "%M", "m": "%-M", "ss": "%S", "s": "%-S", "SSS": "%g", "EEEE": "%A", "EEE": "%a", "E":
        "%a", "a": "%p", "DDD": "%j",
    }
)  # fmt: skip
_JODA_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")


def mysql(pattern: str) -> str:
    """Return DuckDB's pattern for one of date_format and date_parse; raises Refusal for a letter outside."""

    def turn(found: re.Match[str]) -> str:
        letter = found.group(1)
        if letter not in _MYSQL:
            raise Refusal(f"%{letter} in a date format is not supported")
        return _MYSQL[letter]

    return re.sub(r"%(.)", turn, pattern, flags=re.DOTALL)


def joda(pattern: str) -> str:
    """Return DuckDB's pattern for one of format_datetime's; raises Refusal for a letter outside."""
    done, at = "", 0
    for found in _JODA_TOKEN.finditer(pattern):
        quoted, letter = found.groups()
        if found.start() != at:
            break
        at = found.end()
        if letter:
            if found.group() not in _JODA:
                raise Refusal(f"{found.group()} in a date format is not supported")
            done += _JODA[found.group()]
        else:
            text = (quoted.replace("''", "'") or "'") if quoted is not None else found.group()
            done += text.replace("%", "%%")
    if at != len(pattern):
        raise Refusal(f"the date format {pattern!r} cannot be read")
    return done


def printf(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of a format with the mark that follows each: s, d, or nothing at the end."""
    at = 0
    text = ""
    for found in re.finditer(r"%(.?)", pattern, re.DOTALL):
        text += pattern[at : found.start()]
        at = found.end()
        if found.group(1) == "%":
            text += "%"
            continue
        if found.group(1) == "n":
            text += "\n"
            continue
        if found.group(1) not in ("s", "d"):
            raise Refusal(f"{found.group()} in format() is not supported; %s, %d, %n and %% are")
        yield text, found.group(1)
        text = ""
    yield text + pattern[at:], ""


def interval_unit(unit: str) -> tuple[str, int]:
    """Return DuckDB's interval function for a unit, and how many of its units make one."""
    return _INTERVALS[unit]


def date_part(name: str, source: exp.Expr) -> exp.Expr:
    """Return the part of a date or timestamp, counted as Athena counts."""
    part = PARTS.get(name)
    if part is None:
        raise Refusal(f"the date part {name} is not supported", source)
    found = call("date_part", exp.Literal.string(part), source)
    if part == "millisecond":
        return exp.Paren(this=exp.Mod(this=found, expression=exp.Literal.number(1000)))
    return found


def json_steps(path: str) -> tuple[str, ...]:
    """Return the steps of a JSON path; raises Refusal for one that Athena does not read either."""
    try:
        return json_text.path_steps(path)
    except json_text.JsonError as fault:
        raise Refusal(str(fault), hint='write $.name, $["any name"] or $[0]', unsupported=False) from None
