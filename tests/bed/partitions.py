"""The partitions of one table, a few dozen bytes each: millions of them are kept beside the product in a soak test.

Values are numbered, rows are columns of numbers, descriptors are kept once; a location is kept as a template of
the values where it is one.
"""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

DATES = ("year", "month", "day")
_HOLE = re.compile("\0(\\d+)\0")


class Body(NamedTuple):
    """What many partitions have in common. Texts are JSON."""

    location: tuple[str, ...]  # pieces: text, number of a value, text, ...; one piece if it is no template
    columns: bytes | None
    descriptor: bytes | None  # the other members, without braces
    rest: bytes  # members beside Values and StorageDescriptor, without braces


class Partitions:
    """Rows by number; a row that was deleted stays dead, and its number is not given again."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = tuple(keys)
        self.count = 0
        self.generation = 0
        self._numbers: list[dict[str, int]] = [{} for _ in keys]
        self._texts: list[list[str]] = [[] for _ in keys]
        self._columns = [array("I") for _ in keys]
        self._body = array("I")
        self._made = array("d")
        self._alive = bytearray()
        self._bodies: list[Body] = []
        self._body_numbers: dict[Body, int] = {}
        self._templates: list[tuple[str, ...]] = []
        # Two levels: the inner keys (dates) are the same few tuples for every outer one (account, region, root).
        dates = [n for n, key in enumerate(keys) if key in DATES] or [len(self.keys) - 1]
        self._inner = dates
        self._outer = [n for n in range(len(self.keys)) if n not in dates]
        self._rows: dict[tuple[int, ...], dict[tuple[int, ...], int]] = {}
        self._inner_keys: dict[tuple[int, ...], tuple[int, ...]] = {}

    def __len__(self) -> int:
        return len(self._alive)

    def find(self, values: Sequence[str]) -> int | None:
        """The row of these values."""
        numbers = [known.get(value) for known, value in zip(self._numbers, values, strict=True)]
        if None in numbers:
            return None
        return self._rows.get(tuple(numbers[n] for n in self._outer), {}).get(
            tuple(numbers[n] for n in self._inner)
        )

    def add(self, values: Sequence[str], body: Body, now: float) -> None:
        """A new row; the values must not be there."""
        row, numbers = len(self._alive), []
        for known, texts, column, value in zip(
            self._numbers, self._texts, self._columns, values, strict=True
        ):
            number = known.get(value)
            if number is None:
                number = known[value] = len(texts)
                texts.append(value)
            column.append(number)
            numbers.append(number)
        inner = tuple([numbers[n] for n in self._inner])
        inner = self._inner_keys.setdefault(inner, inner)
        self._rows.setdefault(tuple([numbers[n] for n in self._outer]), {})[inner] = row
        self._body.append(self._body_number(body))
        self._made.append(now)
        self._alive.append(1)
        self.count += 1
        self.generation += 1

    def replace(self, row: int, body: Body) -> None:
        """Another body for a row."""
        self._body[row] = self._body_number(body)

    def remove(self, row: int) -> None:
        """Forget a row."""
        numbers = [column[row] for column in self._columns]
        del self._rows[tuple(numbers[n] for n in self._outer)][tuple(numbers[n] for n in self._inner)]
        self._alive[row] = 0
        self.count -= 1
        self.generation += 1

    def values(self, row: int) -> list[str]:
        """A row's values."""
        return [texts[column[row]] for texts, column in zip(self._texts, self._columns, strict=True)]

    def body(self, row: int) -> Body:
        """A row's body."""
        return self._bodies[self._body[row]]

    def made(self, row: int) -> float:
        """When a row was added."""
        return self._made[row]

    def mask(self, key: int, test: Callable[[str], bool]) -> NDArray[np.bool_]:
        """Which rows have a value of that key that passes: each value is tested once."""
        if not len(self):
            return np.zeros(0, bool)
        passed = np.fromiter((test(text) for text in self._texts[key]), bool, len(self._texts[key]))
        return passed[np.frombuffer(self._columns[key], np.uint32)]

    def alive(self) -> NDArray[np.bool_]:
        """Which rows are there."""
        return np.frombuffer(bytes(self._alive), bool)

    def __iter__(self) -> Iterator[int]:
        return (row for row, alive in enumerate(self._alive) if alive)

    def location(self, row: int) -> str | None:
        """Where a row's objects lie."""
        body = self.body(row)
        return (
            None if body.descriptor is None or not body.location else render(body.location, self.values(row))
        )

    def template(self, location: str | None, values: Sequence[str]) -> tuple[str, ...]:
        """A location in pieces; those seen last are tried first."""
        if location is None:
            return ()
        for known in self._templates:
            if render(known, values) == location:
                return known
        marked = location
        for number in sorted(range(len(values)), key=lambda n: -len(values[n])):
            marked = marked.replace(f"/{values[number]}/", f"/\0{number}\0/", 1)
        pieces = tuple(_HOLE.split(marked))
        if len(pieces) == 1 or render(pieces, values) != location:
            return (location,)
        self._templates = [pieces, *self._templates[:3]]
        return pieces

    def _body_number(self, body: Body) -> int:
        number = self._body_numbers.get(body)
        if number is None:
            number = self._body_numbers[body] = len(self._bodies)
            self._bodies.append(body)
        return number


def render(pieces: tuple[str, ...], values: Sequence[str]) -> str:
    """A template with its values."""
    if len(pieces) == 1:
        return pieces[0]
    return "".join([values[int(piece)] if odd % 2 else piece for odd, piece in enumerate(pieces)])


def descriptor(body: Body, values: Sequence[str], *, columns: bool) -> msgspec.Raw | None:
    """A StorageDescriptor as JSON."""
    if body.descriptor is None:
        return None
    members = []
    if body.location:
        members.append(b'"Location":' + msgspec.json.encode(render(body.location, values)))
    if columns and body.columns is not None:
        members.append(b'"Columns":' + body.columns)
    if body.descriptor:
        members.append(body.descriptor)
    return msgspec.Raw(b"{" + b",".join(members) + b"}")
