"""Walk JSON text without a parser: where values start and end, in text that may be broken or absurd.

Nothing here recurses, so nesting costs no stack, and every function works on byte offsets, so a value's exact
text is a slice. This is the slow path; msgspec reads everything that is well-formed and expected.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SPACE = re.compile(rb"[ \t\r\n]*")
_PLAIN = rb'[^"\\\x00-\x1f]*+'
_STRING = re.compile(rb'"%b(?:\\.%b)*+"' % (_PLAIN, _PLAIN), re.DOTALL)
# Strings, runs of brackets, or a quote that opens a string without an end.
_TOKEN = re.compile(_STRING.pattern + rb'|[{\[]++|\}++|\]++|"', re.DOTALL)
# A string, a name or a word that the end of the text has cut off.
_CUT_OFF = re.compile(rb'(?:"%b(?:\\.%b)*+(?:\\|"\s*)?|[a-zA-Z0-9.+-]*)\Z' % (_PLAIN, _PLAIN), re.DOTALL)
_ATOM = re.compile(rb"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_OPEN = b"{["
_PAIR = {ord("}"): ord("{"), ord("]"): ord("[")}
_CLOSE = {opening: bytes([closing]) for closing, opening in _PAIR.items()}
# As `_STRING`, and every escape is one of JSON's (half a surrogate pair is).
_STRICT_STRING = rb'"%b(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})%b)*+"' % (_PLAIN, _PLAIN)
_SCALAR = re.compile(_STRICT_STRING + rb"|" + _ATOM.pattern)
_NAME = re.compile(_STRICT_STRING + rb"[ \t\r\n]*:[ \t\r\n]*")


class ScanError(Exception):
    """The text is not JSON.

    Attributes:
        reason: What is wrong.
        position: Byte offset of the value that cannot be read.
        noticed: Byte offset where that showed; at the text's end, more text might have helped.
    """

    def __init__(self, reason: str, position: int, noticed: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position
        self.noticed = position if noticed is None else noticed


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
            opened += match.group()
        elif first in _PAIR:
            count = min(len(match.group()), len(opened))
            if opened[-count:] != bytes((_PAIR[first],)) * count:
                raise ScanError("brackets do not match", match.start())
            del opened[-count:]
            if not opened:
                return match.start() + count
        elif match.end() - match.start() == 1:
            raise ScanError("a string has no end", match.start(), _noticed(text, match.start()))
    raise ScanError("the text ends inside a value", at, len(text))


def checked_end(text: bytes, at: int) -> int:
    """As `value_end`, and every comma, colon, number and escape in the value is checked too.

    Raises:
        ScanError: The value is no JSON, noticed at the first byte that cannot be.
    """
    opened = bytearray()
    while True:
        scalar = _SCALAR.match(text, at)
        if scalar:
            at = scalar.end()
        elif text[at : at + 1] in (b"{", b"["):
            opened.append(text[at])
            at = skip_space(text, at + 1)
            if text[at : at + 1] != _CLOSE[opened[-1]]:
                at = _name_end(text, at) if opened[-1] == ord("{") else at
                continue
        else:
            raise ScanError("this is no JSON value", at, _noticed(text, at))
        following = _following(text, at, opened)
        if not opened:
            return following
        at = following


def _following(text: bytes, at: int, opened: bytearray) -> int:
    """Close what closes at `at`; the offset of the next value, or the end when nothing is open any more."""
    while opened:
        at = skip_space(text, at)
        if text[at : at + 1] == b",":
            at = skip_space(text, at + 1)
            return _name_end(text, at) if opened[-1] == ord("{") else at
        if text[at : at + 1] != _CLOSE[opened[-1]]:
            raise ScanError("a comma or a bracket is missing", at, _noticed(text, at))
        opened.pop()
        at += 1
    return at


def _name_end(text: bytes, at: int) -> int:
    name = _NAME.match(text, at)
    if name is None:
        raise ScanError("a member's name is missing", at, _noticed(text, at))
    return name.end()


def _noticed(text: bytes, at: int) -> int:
    return len(text) if _CUT_OFF.match(text, at) else at


def elements(
    text: bytes, at: int, end_of: Callable[[bytes, int], int] = value_end
) -> Iterator[tuple[int, int]]:
    """Yield start and end of every element of the array at `at`.

    Args:
        text: JSON.
        at: Where the array starts.
        end_of: `value_end`, or `checked_end` to stop early in an element that is broken.

    Raises:
        ScanError: The array is broken; what was yielded before is good. The error's position is where the
            element that cannot be read starts, or where a comma should stand.
    """
    at = skip_space(text, at + 1)
    if text[at : at + 1] == b"]":
        return
    while True:
        try:
            end = end_of(text, at)
        except ScanError as error:
            raise ScanError(error.reason, at, error.noticed) from error
        yield at, end
        after = skip_space(text, end)
        if text[after : after + 1] == b"]":
            return
        if text[after : after + 1] != b",":
            raise ScanError("a comma or ] is missing" if after < len(text) else "the text ends here", after)
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
