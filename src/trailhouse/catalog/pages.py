"""Pages of partitions, read where they arrive.

A page of 1,000 partitions repeats one list of columns 1,000 times; botocore makes a dictionary of each of the
30,000, which takes a quarter of a second. Here each distinct list is read once: it is cut out of the text before
the rest of the page is read. The page is taken from the answer before botocore parses it (its `before-parse`
event), and botocore gets what is left: the token of the next page. Errors, and answers that are not as expected,
stay botocore's.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trailhouse.catalog.encoding import known_columns, known_format
from trailhouse.core.state import Columns, Partition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ANSWERED = 300
_REPEATED = 32
"""Distinct lists of columns and SerDes that are looked for in a page; others are read one by one."""
_LONG = re.compile(r'("(?:Columns|SerdeInfo)"\s*:\s*)(?=[\[{])')
_DECODER = json.JSONDecoder()


def watch(client: Any) -> None:  # noqa: ANN401 - botocore has no types
    """Let a Glue client answer GetPartitions with `Partition`s instead of dictionaries; again has no effect."""
    client.meta.events.register("before-parse.glue.GetPartitions", _take, unique_id="trailhouse-partitions")


def read(body: bytes) -> tuple[list[Partition], str | None]:
    """The partitions of a page, and the token of the next one.

    Raises:
        AttributeError, TypeError, ValueError: it is no page.
    """
    text, repeated = _shortened(body.decode())
    page = json.loads(text)
    if not isinstance(page, dict):
        raise TypeError("no object")
    token = page.get("NextToken")
    return list(_partitions(page.get("Partitions") or [], repeated)), _text(token) if token else None


def _take(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    if response_dict["status_code"] >= _ANSWERED:
        return
    try:
        partitions, token = read(response_dict["body"])
    except (ValueError, TypeError, AttributeError):
        return
    customized_response_dict["Partitions"] = partitions
    response_dict["body"] = json.dumps({"NextToken": token} if token else {}).encode()


def _shortened(text: str) -> tuple[str, list[str]]:
    """The page with numbers in place of what is long and comes again and again, and that as it is written.

    Quotes within strings are escaped, so such a member cannot be a part of one.
    """
    repeated: list[str] = []
    at = 0
    while len(repeated) < _REPEATED and (found := _LONG.search(text, at)):
        _, end = _DECODER.raw_decode(text, found.end())
        member = text[found.start() : end]
        text = text.replace(member, f"{found[1]}{len(repeated)}")
        repeated.append(member.removeprefix(found[1]))
        at = found.end()
    return text, repeated


def _partitions(page: list[dict[str, Any]], repeated: list[str]) -> Iterator[Partition]:
    same = dict[str, str]().setdefault  # regions, years and roots come again a thousand times
    for one in page:
        values = tuple([same(_text(value), value) for value in one.get("Values") or ()])
        kept: Mapping[str, Any] = one.get("StorageDescriptor") or {}
        columns, serde = kept.get("Columns"), kept.get("SerdeInfo")
        yield Partition(
            values,
            _text(kept.get("Location")),
            _columns(repeated[columns]) if isinstance(columns, int) else _read_columns(columns),
            known_format(
                _text(kept.get("InputFormat")),
                _text(kept.get("OutputFormat")),
                *(_serde(repeated[serde]) if isinstance(serde, int) else _read_serde(serde)),
            ),
        )


def _text(value: object) -> str:
    """A text, "" where there is none. Raises TypeError."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(value)
    return value


@lru_cache(maxsize=256)
def _columns(written: str) -> Columns:
    return _read_columns(json.loads(written))


def _read_columns(raw: list[dict[str, Any]] | None) -> Columns:
    return known_columns(tuple((_text(one.get("Name")), _text(one.get("Type"))) for one in raw or ()))


@lru_cache(maxsize=256)
def _serde(written: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    return _read_serde(json.loads(written))


def _read_serde(raw: Mapping[str, Any] | None) -> tuple[str, tuple[tuple[str, str], ...]]:
    held = raw or {}
    return _text(held.get("SerializationLibrary")), tuple(sorted((held.get("Parameters") or {}).items()))
