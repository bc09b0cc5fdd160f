"""Walk JSON text without a parser: where values start and end, in text that may be broken or absurd.

Nothing here recurses, so nesting costs no stack, and every function works on byte offsets, so a value's exact
text is a slice. This is the slow path; msgspec reads everything that is well-formed and expected.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*"', re.DOTALL)
# Strings, brackets, or a quote that opens a string without an end.
_TOKEN = re.compile(rb'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*"|[{}\[\]"]', re.DOTALL)
_ATOM = re.compile(rb"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_OPEN = b"{["
_PAIR = {ord("}"): ord("{"), ord("]"): ord("[")}


class ScanError(Exception):
    """The text is not JSON at `position` (a byte offset)."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position


def skip_space(text: bytes, at: int) -> int:
    """The offset of the first byte at or after `at` that is not white space."""
    match = _SPACE.match(text, at)
    return match.end() if match else at


def value_end(text: bytes, at: int) -> int:
    """The offset after the value that starts at `at`.

    Raises:
        ScanError: The value has no end, or its brackets or quotes do not match.
    """
    if at >= len(text):
        raise ScanError("the text ends where a value should start", at)
    if text[at] in _OPEN:
        return _container_end(text, at)
    match = (_STRING if text[at] == ord('"') else _ATOM).match(text, at)
    if match is None:
        raise ScanError("this is no JSON value", at)
    return match.end()


def _container_end(text: bytes, at: int) -> int:
    opened = bytearray()
    for match in _TOKEN.finditer(text, at):
        first = text[match.start()]
        if first in _OPEN:
            opened.append(first)
        elif first in _PAIR:
            if opened.pop() != _PAIR[first]:
                raise ScanError("brackets do not match", match.start())
            if not opened:
                return match.end()
        elif match.end() - match.start() == 1:
            raise ScanError("a string has no end", match.start())
    raise ScanError("the text ends inside a value", at)


def elements(text: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of every element of the array at `at`.

    Raises:
        ScanError: The array is broken; what was yielded before is good. The error's position is where the
            element that cannot be read starts.
    """
    at = skip_space(text, at + 1)
    if text[at : at + 1] == b"]":
        return
    while True:
        try:
            end = value_end(text, at)
        except ScanError as error:
            raise ScanError(error.reason, at) from error
        after = skip_space(text, end)
        if text[after : after + 1] not in (b",", b"]"):
            raise ScanError("a comma or ] is missing" if after < len(text) else "the text ends here", at)
        yield at, end
        if text[after : after + 1] == b"]":
            return
        at = skip_space(text, after + 1)


def members(text: bytes, at: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield name (its exact text, with quotes), start and end of every member of the object at `at`.

    Raises:
        ScanError: The object is broken; what was yielded before is good.
    """
    at = skip_space(text, at + 1)
    if text[at : at + 1] == b"}":
        return
    while True:
        name = _STRING.match(text, at)
        if name is None:
            raise ScanError("a member's name is missing", at)
        colon = skip_space(text, name.end())
        if text[colon : colon + 1] != b":":
            raise ScanError("a colon is missing", colon)
        start = skip_space(text, colon + 1)
        end = value_end(text, start)
        yield name.group(), start, end
        after = skip_space(text, end)
        if text[after : after + 1] == b"}":
            return
        if text[after : after + 1] != b",":
            raise ScanError("a comma or } is missing", after)
        at = skip_space(text, after + 1)
