"""The filter of GetPartitions: SQL's WHERE on partition keys, as Glue documents it, evaluated on whole columns."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    Node = Callable[["Rows"], Mask]
    Value = str | float

NUMBERS = {"int", "integer", "bigint", "long", "tinyint", "smallint"}
KEY_TYPES = {"string", "date", "timestamp", "decimal", *NUMBERS}
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*|\"[^\"]+\"|`[^`]+`)"
    r"|(?P<sign><>|!=|<=|>=|[=<>(),]))"
)
_COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "=": operator.eq, "<>": operator.ne, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_WORDS = {"and", "or", "not", "in", "like", "between", "is", "null"}


class ExpressionError(ValueError):
    """The text is no filter that Glue would take."""


class Rows(Protocol):
    """What an expression is evaluated on."""

    def __len__(self) -> int: ...
    def mask(self, key: int, test: Callable[[str], bool]) -> Mask:
        """Which rows have a value of that key that passes."""


def parse(text: str, keys: Sequence[tuple[str, str]]) -> Node:
    """A filter over keys (name, type); raises ExpressionError."""
    reader = _Reader(
        _tokens(text), {name.lower(): (number, kind) for number, (name, kind) in enumerate(keys)}
    )
    node = reader.either()
    if reader.kind:
        raise ExpressionError(f"unexpected '{reader.word}'")
    return node


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise ExpressionError(f"cannot read the expression at {text[at : at + 20]!r}")
        kind, word = match.lastgroup, match[match.lastgroup]
        if kind == "name" and word.lower() in _WORDS:
            kind, word = "word", word.lower()
        found.append((kind, word))
        at = match.end()
    return found


class _Reader:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[tuple[str, str]], keys: dict[str, tuple[int, str]]) -> None:
        self.tokens = tokens
        self.keys = keys
        self.at = 0

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    @property
    def word(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else "end of the expression"

    def take(self, *words: str) -> str:
        """The next word if it is one of these, else nothing."""
        if self.kind in ("word", "sign") and self.word in words:
            self.at += 1
            return self.tokens[self.at - 1][1]
        return ""

    def need(self, word: str) -> None:
        if not self.take(word):
            raise ExpressionError(f"expected '{word}' before '{self.word}'")

    def either(self) -> Node:
        node = self.both()
        while self.take("or"):
            node = _or(node, self.both())
        return node

    def both(self) -> Node:
        node = self.single()
        while self.take("and"):
            node = _and(node, self.single())
        return node

    def single(self) -> Node:
        if self.take("not"):
            return _not(self.single())
        if self.take("("):
            node = self.either()
            self.need(")")
            return node
        return self.comparison()

    def comparison(self) -> Node:
        if self.kind != "name":
            return self.mirrored()
        number, kind = self.key()
        if sign := self.take(*_COMPARE):
            return _test(number, kind, _compared(sign, self.value(kind)))
        negated = bool(self.take("not"))
        if self.take("is"):
            negated = bool(self.take("not"))
            self.need("null")
            return _test(number, "string", lambda _: negated)
        node = _test(number, kind, self.listed(kind))
        return _not(node) if negated else node

    def listed(self, kind: str) -> Callable[[Value], bool]:
        """What follows a key after IN, BETWEEN or LIKE."""
        if self.take("in"):
            self.need("(")
            values = [self.value(kind)]
            while self.take(","):
                values.append(self.value(kind))
            self.need(")")
            return lambda value: value in values
        if self.take("between"):
            low = self.value(kind)
            self.need("and")
            high = self.value(kind)
            return lambda value: low <= value <= high
        self.need("like")
        pattern = re.compile(_like(str(self.value("string"))), re.DOTALL)
        return lambda value: pattern.fullmatch(str(value)) is not None

    def mirrored(self) -> Node:
        """A literal on the left."""
        literal = (self.kind, self.word)
        at, self.at = self.at, self.at + 1
        sign = self.take(*_COMPARE)
        if literal[0] not in ("text", "number") or not sign:
            raise ExpressionError(f"unexpected '{literal[1]}'")
        if self.kind == "name":
            number, kind = self.key()
            after, self.at = self.at, at
            value = self.value(kind)
            self.at = after
            return _test(number, kind, _compared(_MIRROR.get(sign, sign), value))
        holds = _COMPARE[sign](literal[1], self.word)
        self.at += 1
        return lambda rows: np.full(len(rows), holds)

    def key(self) -> tuple[int, str]:
        name = self.word.strip('"`').lower()
        if name not in self.keys:
            raise ExpressionError(f"'{name}' is no partition key")
        if self.keys[name][1].split("(")[0] not in KEY_TYPES:
            raise ExpressionError(f"keys of type {self.keys[name][1]} cannot be filtered")
        self.at += 1
        return self.keys[name]

    def value(self, kind: str) -> Value:
        given, word = self.kind, self.word
        self.at += 1
        if given == "text" and kind not in NUMBERS:
            return word[1:-1].replace("''", "'")
        if given in ("number", "text") and kind in NUMBERS:
            return float(word.strip("'"))
        raise ExpressionError(f"'{word}' is no value for a key of type {kind}")


def _compared(sign: str, value: Value) -> Callable[[Value], bool]:
    compare = _COMPARE[sign]
    return lambda left: compare(left, value)


def _test(number: int, kind: str, test: Callable[[Value], bool]) -> Node:
    if kind in NUMBERS:
        return lambda rows: rows.mask(number, lambda text: test(float(text)))
    return lambda rows: rows.mask(number, test)


def _and(left: Node, right: Node) -> Node:
    return lambda rows: left(rows) & right(rows)


def _or(left: Node, right: Node) -> Node:
    return lambda rows: left(rows) | right(rows)


def _not(node: Node) -> Node:
    return lambda rows: ~node(rows)


def _like(pattern: str) -> str:
    return "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
