"""Event data stores in the text of CloudTrail Lake's SQL: their ids stand there as no engine reads them.

`FROM 3f852e4a-4e8f-8bd1-bcf6-c1234567890a` is no SQL, so ids are put into quotes before the text is read. So
are ARNs, of which the id is the end, and what sample queries have in an id's place: `$EDS_ID`, `<store id>`.
"""

import re

_ARN = r"arn:[\w-]+:cloudtrail:[\w-]*:\d*:eventdatastore/(?P<tail>[\w-]+)"
_ID = r"[0-9A-Za-z]+(?:-[0-9A-Za-z]+){2,}|\d\w{7,}"
_BLANK = r"\$\{[^{}\s]*\}|\$\w+|\{[^{}\"']*\}|<[^<>\"']*>"
_FULL = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_NAMED = re.compile(rf"(?:{_ARN}|{_ID}|{_BLANK})")
_PLACE = re.compile(
    rf"(?:\b(?:FROM|JOIN)\s+(?P<name>{_ARN}|{_ID}|{_BLANK})|,\s*(?P<next>{_FULL}))", re.IGNORECASE
)
_HIDDEN = re.compile(r"'(?:[^']|'')*'?|--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)


def quote_stores(sql: str) -> str:
    """Return a statement in which the ids of event data stores after FROM and JOIN are quoted names."""
    masked = _HIDDEN.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), sql)
    parts, at = [], 0
    for found in _PLACE.finditer(masked):
        name = "name" if found["name"] else "next"
        parts += [sql[at : found.start(name)], f'"{found["tail"] or found[name]}"']
        at = found.end(name)
    return "".join((*parts, sql[at:]))


def store_named(name: str) -> str | None:
    """Return the event data store that a name in FROM names by an id, an ARN or a blank; None: none."""
    found = _NAMED.fullmatch(name)
    return None if found is None else found["tail"] or name
