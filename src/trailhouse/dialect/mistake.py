"""The one form of a message about SQL: what is wrong, where, the line with a caret, the nearest names."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from trailhouse.errors import SqlError, UnsupportedSqlError

_MOST = 3
_ODD_QUOTES = ("\u201c", "\u201d", "\u201e", "\u2018", "\u2019")
_QUIET = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a statement something stands; lines and columns count from 1."""

    line: int
    column: int


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three known names that look most like a name, best first."""
    names = {one.lower(): one for one in known}
    return [names[one] for one in difflib.get_close_matches(name.lower(), names, _MOST, 0.5)]


def place_of(node: exp.Expr | None, sql: str, name: str = "") -> Place | None:
    """Return where a node stands; where the parser kept no place, the first mention of the name."""
    for one in node.walk() if node is not None else ():
        if "start" in one.meta:
            return place_at(sql, one.meta["start"])
    return place_of_word(sql, name) if name else None


def place_of_word(sql: str, name: str) -> Place | None:
    """Return where a word first stands in a statement."""
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql, re.IGNORECASE)
    return place_at(sql, found.start()) if found else None


def place_at(sql: str, offset: int) -> Place:
    """Return line and column of a character offset."""
    return Place(sql.count("\n", 0, offset) + 1, offset - (sql.rfind("\n", 0, offset) + 1) + 1)


def message(what: str, sql: str, place: Place | None, near: Sequence[str] = (), hint: str = "") -> str:
    """Return the message: what, place, the line with a caret, the nearest names, a hint."""
    lines = [what + (f" (line {place.line}, column {place.column})" if place else "")]
    source = sql.split("\n")
    if place and place.line <= len(source):
        shown = _QUIET.sub(" ", source[place.line - 1])
        lines += [f"  {shown}", "  " + " " * (place.column - 1) + "^"]
    if near:
        lines.append("nearest: " + ", ".join(near))
    if hint:
        lines.append(hint)
    return "\n".join(lines)


def wrong(what: str, sql: str, place: Place | None, near: Sequence[str] = (), hint: str = "") -> SqlError:
    """Return the error for a statement that is wrong on Athena, too."""
    return SqlError(message(what, sql, place, near, hint))


def unsupported(
    what: str, sql: str, place: Place | None, near: Sequence[str] = (), hint: str = ""
) -> SqlError:
    """Return the error for what is outside the tested dialect."""
    return UnsupportedSqlError(message(what, sql, place, near, hint))


def quotes_hint(name: str, sql: str) -> str:
    """Return what to say of an unknown name that may have been meant as a text; empty: nothing."""
    if name.startswith(_ODD_QUOTES):
        return "a text stands in plain single quotes: '...'"
    return f"a text stands in single quotes: '{name}'" if f'"{name}"' in sql else ""


_NATIVE = re.compile(r"exception occurred while executing the UDF: \w+: ([^\n]*)")
_OWN = re.compile(r"Could not convert string 'athena: (.*?)' to INT64", re.DOTALL)
_COLUMN = re.compile(
    r'Referenced column "([^"]+)" (?:not found|was not found)|does not have a column named "([^"]+)"'
    r'|column "([^"]+)" does not exist'
)
_FIELD = re.compile(r'Could not find key "([^"]+)" in struct')
_NO_FIELDS = re.compile(r"Cannot extract field '([^']+)' from expression")
_ANYWHERE = re.IGNORECASE | re.DOTALL
_CAST = re.compile(r"Cannot cast|cannot be cast")
_TABLE = re.compile(r'Referenced table "([^"]+)" not found|Table with name (\S+) does not exist')
_GROUP = re.compile(r'column "([^"]+)" must appear in the GROUP BY clause')
_CANDIDATES = re.compile(r"Candidate (?:bindings|Entries|entries)?:?(.*)", re.DOTALL)


def explain_duckdb_error(error_text: str, sql: str, tables: Mapping[str, Sequence[str]]) -> SqlError:
    """Return the error in our form for what only DuckDB noticed.

    Args:
        error_text: DuckDB's message.
        sql: the statement as the user wrote it, for place and caret.
        tables: the tables with their column names, for the nearest names.
    """
    text = error_text.strip()
    if own := _OWN.search(text) or _NATIVE.search(text):
        what = own.group(1).strip()
        return wrong(what, sql, None, (), _cast_hint(what, sql))
    if found := _FIELD.search(text) or _NO_FIELDS.search(text):
        return _unknown_field(found.group(1), _candidates(text), sql)
    if found := _COLUMN.search(text):
        name = next(filter(None, found.groups()))
        known = {column for columns in tables.values() for column in columns} | {*_candidates(text)}
        hint = quotes_hint(name, sql)
        return wrong(f'unknown column "{name}"', sql, place_of_word(sql, name), nearest(name, known), hint)
    if found := _TABLE.search(text):
        name = next(filter(None, found.groups()))
        return wrong(f'unknown table "{name}"', sql, place_of_word(sql, name), nearest(name, tables))
    if found := _GROUP.search(text):
        name = found.group(1)
        return wrong(
            f'"{name}" must be an aggregate expression or appear in GROUP BY', sql, place_of_word(sql, name)
        )
    first = re.sub(r"^[\w ]+ Error: ", "", text.split("\n")[0])
    return wrong(re.sub(r"\b(?:athena|native)_(\w+)", r"\1", first), sql, None)


def _unknown_field(name: str, fields: Sequence[str], sql: str) -> SqlError:
    """Return the error for a field of a struct; no fields: it is none."""
    place = place_of_word(sql, name)
    if fields:
        return wrong(f'unknown field "{name}"', sql, place, nearest(name, fields) or fields)
    hint = f"where it holds JSON: json_extract_scalar(column, '$.{name}')"
    return wrong(f'what stands before "{name}" has no fields', sql, place, (), hint)


def _candidates(text: str) -> list[str]:
    """Return the names that DuckDB offers instead, without their tables."""
    found = re.findall(r'"([^"]+)"', "".join(_CANDIDATES.findall(text)))
    return [one.split(".")[-1] for one in found]


def _cast_hint(what: str, sql: str) -> str:
    if (
        not _CAST.search(what)
        or re.search(r"\bAND\b.*\bregexp_like|regexp_like.*\bAND\b", sql, _ANYWHERE) is None
    ):
        return ""
    return "conditions joined by AND run in any order, and none protects another: use TRY_CAST"
