"""What is wrong with text that is no statement, in our words: the parser's are names of its own classes."""

import re

from sqlglot.errors import ParseError

from trailhouse.dialect.mistake import Place, place_at, wrong
from trailhouse.errors import SqlError

PIECE = re.compile(
    r"""'(?:[^']|'')*(?P<text>'?)|"(?:[^"]|"")*(?P<name>"?)|--[^\n]*|/\*.*?(?P<comment>\*/|\Z)"""
    r"""|;|[^'"\-/;]+|.""",
    re.DOTALL,
)
"""Texts, names and comments, each to its end or to the end of the statement; `;`; and what is between."""

_CLOSING = {
    "text": "close it with ' and write a quote inside of a text twice: 'it''s'",
    "name": 'close it with "',
    "comment": "close it with */",
}
_HEX = re.compile(r"\bx'[^']*'", re.IGNORECASE)
_MISSING = re.compile(r"Expect(?:ing|ed) (?P<what>\W|[A-Z]+\b|type\b)(?:.* after (?P<where>[A-Z]+))?")
_FORMS = {
    "Expected CTE to have alias": "WITH is written WITH name AS (SELECT ...)",
    "Failed to parse any statement following CTE": "after WITH name AS (...) a SELECT has to follow",
}


def misread(fault: ParseError, sql: str) -> SqlError:
    """Return the error for a statement that the parser could take apart, but not put together."""
    first = fault.errors[0] if fault.errors else {}
    near, told = first.get("highlight") or "", first.get("description") or ""
    line, column = first.get("line"), first.get("col")
    place = Place(line, max(column - len(near) + 1, 1)) if line and column else None
    what = f'syntax error near "{near}"' if near else "syntax error"
    at_end = not (first.get("end_context") or "").strip("; \t\n")
    before = (first.get("start_context") or "").split()[-1:]
    return wrong(f"{what}: {_reason(told, at_end=at_end)}", sql, place, (), _hint(near, told, before))


def _reason(told: str, *, at_end: bool) -> str:
    if told in _FORMS:
        return _FORMS[told]
    if told.startswith("Expected table name"):
        return "the name of a table is missing"
    if told.startswith("Required keyword"):
        return "something has to follow it" if at_end else "something is missing before it"
    if found := _MISSING.match(told):
        what = "a type" if found["what"].lower() == "type" else found["what"]
        return f"{what} is missing" + (f" in {found['where']}(...)" if found["where"] else "")
    return "it cannot stand here"


def _hint(near: str, told: str, before: list[str]) -> str:
    if near == "`":
        return 'names are quoted with "'
    if near == ")" and told.startswith("Invalid"):
        return "there is one more ) than ("
    if before and before[0].upper() in {"GROUP", "ORDER", "PARTITION"}:
        return f"write {before[0].upper()} BY"
    return ""


def unreadable(sql: str) -> SqlError:
    """Return the error for text that does not even fall into words."""
    for piece in PIECE.finditer(sql):
        for kind, closing in _CLOSING.items():
            if piece[kind] == "":
                place = place_at(sql, piece.start())
                return wrong(f"the {kind} that begins here does not end", sql, place, (), closing)
    if found := _HEX.search(sql):
        place = place_at(sql, found.start())
        return wrong("X'...' takes pairs of hexadecimal digits", sql, place)
    return wrong("this cannot be read as SQL", sql, None)
