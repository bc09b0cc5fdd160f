"""What a statement demands of partition keys: conditions on texts, three-valued, never narrower than meant.

What is not understood is `ANYTHING`, so a partition that a condition leaves out is surely not read.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from datetime import date

EXPRESSION_LIMIT = 2_048
"""Characters of an Expression that Glue's GetPartitions takes."""

Op = Literal["=", "<>", "<", "<=", ">", ">=", "in", "not in", "like", "not like"]
_NEGATED: dict[str, Op] = {
    "=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">",
    "in": "not in", "not in": "in", "like": "not like", "not like": "like",
}  # fmt: skip
_TURNED: dict[str, Op] = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_ORDERED: dict[str, Callable[[str, str], bool]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compare:
    """A key compared with texts: one, or several for `in` and `not in`."""

    key: str
    op: Op
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; of no parts: anything."""

    parts: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Any:
    """One part holds; of no parts: nothing does."""

    parts: tuple[Condition, ...] = ()


Condition: TypeAlias = Compare | All | Any
ANYTHING = All()
NOTHING = Any()


def every(*parts: Condition) -> Condition:
    """All of these, in the simplest form."""
    flat: list[Condition] = []
    for part in parts:
        flat += part.parts if isinstance(part, All) else (part,)
    kept = tuple(dict.fromkeys(flat))
    if NOTHING in kept:
        return NOTHING
    return kept[0] if len(kept) == 1 else All(kept)


def either(*parts: Condition) -> Condition:
    """One of these, in the simplest form."""
    flat: list[Condition] = []
    for part in parts:
        flat += part.parts if isinstance(part, Any) else (part,)
    kept = tuple(dict.fromkeys(flat))
    if ANYTHING in kept:
        return ANYTHING
    return kept[0] if len(kept) == 1 else Any(kept)


def from_day(day: date) -> Condition:
    """The keys `year`, `month`, `day` name this day or a later one: zero-padded text sorts as days do."""
    return _bound(day, ">", ">=")


def until_day(day: date) -> Condition:
    """The keys `year`, `month`, `day` name this day or an earlier one."""
    return _bound(day, "<", "<=")


def _bound(day: date, beyond: Op, last: Op) -> Condition:
    year, month, number = f"{day.year:04}", f"{day.month:02}", f"{day.day:02}"
    inner = every(Compare("month", "=", (month,)), Compare("day", last, (number,)))
    within = either(Compare("month", beyond, (month,)), inner)
    return either(Compare("year", beyond, (year,)), every(Compare("year", "=", (year,)), within))


def negated(compare: Compare) -> Compare:
    """The opposite of a comparison."""
    return Compare(compare.key, _NEGATED[compare.op], compare.values)


def turned(op: Op) -> Op:
    """The comparison with its sides exchanged: `'07' < month` is `month > '07'`."""
    return _TURNED.get(op, op)


def mapped(condition: Condition, leaf: Callable[[Compare], Condition]) -> Condition:
    """The condition with each comparison replaced by what `leaf` says."""
    if isinstance(condition, Compare):
        return leaf(condition)
    parts = (mapped(part, leaf) for part in condition.parts)
    return every(*parts) if isinstance(condition, All) else either(*parts)


def on_keys(condition: Condition, keys: Collection[str]) -> Condition:
    """What the condition demands of these keys alone."""
    return mapped(condition, lambda leaf: leaf if leaf.key in keys else ANYTHING)


def keys_of(condition: Condition) -> set[str]:
    """The keys that it demands something of."""
    if isinstance(condition, Compare):
        return {condition.key}
    return {key for part in condition.parts for key in keys_of(part)}


def holds(condition: Condition, values: Mapping[str, str]) -> bool | None:
    """Whether the condition holds for values of some keys; None: the other keys decide."""
    if isinstance(condition, Compare):
        value = values.get(condition.key)
        return None if value is None else compared(value, condition)
    found = [holds(part, values) for part in condition.parts]
    decisive = isinstance(condition, Any)
    if decisive in found:
        return decisive
    return None if None in found else not decisive


def compared(value: str, compare: Compare) -> bool:
    """Whether a comparison holds for a value."""
    match compare.op:
        case "in":
            return value in compare.values
        case "not in":
            return value not in compare.values
        case "like":
            return _pattern(compare.values[0]).fullmatch(value) is not None
        case "not like":
            return _pattern(compare.values[0]).fullmatch(value) is None
        case op:
            return _ORDERED[op](value, compare.values[0])


def equal_values(condition: Condition, key: str) -> set[str] | None:
    """The values that a key must have one of; None: the condition does not say."""
    if isinstance(condition, Compare):
        said = condition.key == key and condition.op in {"=", "in"}
        return set(condition.values) if said else None
    found = [equal_values(part, key) for part in condition.parts]
    if isinstance(condition, All):
        sets = [one for one in found if one is not None]
        return set.intersection(*sets) if sets else None
    if not found or any(one is None for one in found):
        return None if found else set()
    return {value for one in found for value in one or ()}


def expression(condition: Condition) -> str:
    """The condition as Glue's GetPartitions takes it, perhaps wider: what is too long is left out.

    `LIKE` is not sent, for only Glue knows how it reads escapes. Returns "" when nothing is demanded.

    Raises:
        ValueError: nothing can hold, so there is nothing to ask for.
    """
    if condition == NOTHING:
        raise ValueError("no partition is meant")
    widened = mapped(condition, lambda leaf: ANYTHING if "like" in leaf.op else leaf)
    parts = widened.parts if isinstance(widened, All) else (widened,)
    texts = sorted(map(_text, parts), key=len)
    kept: list[str] = []
    for text in texts:
        if len(" AND ".join([*kept, text])) <= EXPRESSION_LIMIT:
            kept.append(text)
    return " AND ".join(kept)


def _text(condition: Condition) -> str:
    if isinstance(condition, Compare):
        quoted = [_quoted(value) for value in condition.values]
        if condition.op in {"in", "not in"}:
            return f"{condition.key} {condition.op.upper()} ({', '.join(quoted)})"
        return f"{condition.key} {condition.op} {quoted[0]}"
    word = " AND " if isinstance(condition, All) else " OR "
    return f"({word.join(map(_text, condition.parts))})"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


@lru_cache(maxsize=1_000)
def _pattern(like: str) -> re.Pattern[str]:
    return re.compile("".join(_pieces(like)), re.DOTALL)


def _pieces(like: str) -> Iterator[str]:
    for letter in like:
        yield {"%": ".*", "_": "."}.get(letter) or re.escape(letter)
