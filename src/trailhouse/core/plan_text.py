"""A plan for people: `+` create, `~` update with what differs, `-/+` replace, `-` delete; days and regions counted.

Nothing is escaped here: whoever shows a line does that.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from trailhouse.core import sizes
from trailhouse.core.plan import Action, Change, Target, merged_parameters
from trailhouse.core.state import ACCOUNT_KEYS, Partition, Table, View, partition_day

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trailhouse.core.plan import Part, Tally
    from trailhouse.core.state import Definition

SIGNS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.DELETE: "-",
    Action.CHECK: "?",
}

_MOST_REGIONS = 4
_LONG = 100
_PLURALS = {Target.INDEX: "indexes"}
_COUNTED = (Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE)
_ABSENT = "(none)"
_COMPLETE = ("complete",)


def part_lines(part: Part, *, verbose: bool = False) -> Iterator[str]:
    """A part's changes, line by line; none where there are none.

    Args:
        part: of a plan.
        verbose: show each partition, and what definitions are made of.
    """
    if part.error is not None:
        yield f"! {part.name}: not planned"
    changes = part.changes if verbose else _without_marks(part.changes)
    for (target, name), group in groupby(changes, lambda change: (change.target, change.name)):
        if target is Target.PARTITION:
            yield from _partition_lines(list(group), name, verbose=verbose)
        else:
            for change in group:
                yield from _definition_lines(change, verbose=verbose)


def _without_marks(changes: Sequence[Change]) -> list[Change]:
    """The changes, but for those that only mark a table as complete that the same part makes."""
    made = {one.name for one in changes if (one.target, one.action) == (Target.TABLE, Action.CREATE)}
    return [one for one in changes if one.why != _COMPLETE or one.name not in made]


def summary(tally: Tally) -> str:
    """The whole plan in a line: `4 tables, 3,060 partitions to create; 1 view to update`."""
    return _counts(tally.counts, {action: f" to {action}" for action in _COUNTED})


def done(counts: Mapping[tuple[Target, Action], int]) -> str:
    """What was carried out, in a line: `4 tables, 3,060 partitions created; 1 view updated`."""
    return _counts(counts, {action: f" {action}d" for action in _COUNTED})


def _counts(counts: Mapping[tuple[Target, Action], int], verbs: Mapping[Action, str]) -> str:
    said = [
        ", ".join(found) + verb
        for action, verb in verbs.items()
        if (found := [count_of(n, target) for target in Target if (n := counts.get((target, action), 0))])
    ]
    return "; ".join(said) or "nothing"


def count_of(count: int, target: Target) -> str:
    """A number with its noun: `1 table`, `3,060 partitions`."""
    return sizes.count_of(count, target, _PLURALS.get(target, ""))


def _definition_lines(change: Change, *, verbose: bool) -> Iterator[str]:
    sign = SIGNS[change.action]
    if change.target is Target.INDEX:
        yield f"{sign} index {change.name} ({', '.join(change.values)})"
        return
    if change.why == _COMPLETE and not verbose:
        yield f"{sign} table {change.name}: its partitions are complete then"
        return
    why = f" ({', '.join(change.why)})" if change.action is Action.REPLACE else ""
    yield f"{sign} {change.target} {change.name}{why}"
    before, after = change.before, change.after
    if isinstance(before, Partition) or isinstance(after, Partition):
        return
    if change.action is Action.UPDATE and before and after:
        yield from _differences(before, after, verbose=verbose)
    elif verbose and after:
        yield from _content(after)


def _differences(before: Definition, after: Definition, *, verbose: bool) -> Iterator[str]:
    if isinstance(before, Table) and isinstance(after, Table):
        yield from _columns(before.columns, after.columns)
        yield from _changed("location", before.location, after.location)
        yield from _changed("format", str(before.format), str(after.format))
    elif isinstance(before, View) and isinstance(after, View):
        yield from _columns(
            tuple((c.name, c.hive) for c in before.columns), tuple((c.name, c.hive) for c in after.columns)
        )
        yield from _statement(before.sql, after.sql, verbose=verbose)
    here, there = dict(before.parameters), merged_parameters(after, before)
    for key in sorted(here.keys() | there.keys()):
        yield from _changed(key, here.get(key, _ABSENT), there.get(key, _ABSENT))


def _statement(before: str, after: str, *, verbose: bool) -> Iterator[str]:
    """Statements are long: their first difference says enough, unless all is asked for."""
    if before == after:
        return
    if verbose:
        yield f"    sql: {before}"
        yield f"      -> {after}"
        return
    at = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), None)
    start = max(0, (min(len(before), len(after)) if at is None else at) - _LONG // 4)
    yield f"    sql, from character {start}: {_short(before[start:])} -> {_short(after[start:])}"


def _content(after: Definition) -> Iterator[str]:
    if isinstance(after, Table):
        yield f"    location: {after.location}"
        yield f"    partition keys: {', '.join(after.keys)}"
        yield f"    columns: {len(after.columns)}"
    else:
        yield f"    sql: {after.sql}"
    for key, value in after.parameters:
        yield f"    {key}: {value}"


def _columns(before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]) -> Iterator[str]:
    here, there = dict(before), dict(after)
    for name in [name for name in there if name not in here]:
        yield f"    + column {name} {_short(there[name])}"
    for name in [name for name in here if name not in there]:
        yield f"    - column {name} {_short(here[name])}"
    for name in [name for name in there if name in here and here[name] != there[name]]:
        yield f"    ~ column {name}: {_short(here[name])} -> {_short(there[name])}"
    if here == there and tuple(before) != tuple(after):
        yield "    ~ order of the columns"


def _changed(what: str, before: str, after: str) -> Iterator[str]:
    if before != after:
        yield f"    {what}: {_short(before)} -> {_short(after)}"


def _short(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[:_LONG]}..."


def _partition_lines(changes: list[Change], table: str, *, verbose: bool) -> Iterator[str]:
    order = list(SIGNS)
    for action, why in sorted({(c.action, c.why) for c in changes}, key=lambda s: (order.index(s[0]), s[1])):
        same = [change for change in changes if (change.action, change.why) == (action, why)]
        reason = f" ({', '.join(why)})" if why else ""
        count = count_of(len(same), Target.PARTITION)
        yield f"{SIGNS[action]} {count} of {table}{_span(same)}{reason}"
        shown = same if verbose else same[: action is Action.UPDATE]
        for change in shown:
            yield f"    {SIGNS[action]} {'/'.join(change.values)}"
            yield from _partition_difference(change)
        if 0 < len(shown) < len(same):
            yield f"    and {len(same) - len(shown):,} more"


def _partition_difference(change: Change) -> Iterator[str]:
    before, after = change.before, change.after
    if isinstance(before, Partition) and isinstance(after, Partition):
        lines = [
            *_columns(before.columns, after.columns),
            *_changed("location", before.location, after.location),
            *_changed("format", str(before.format), str(after.format)),
        ]
        yield from (f"  {line}" for line in lines)


def _span(changes: Sequence[Change]) -> str:
    """Account, first and last day, regions; values end with those of `ACCOUNT_KEYS` in any shape."""
    own = len(ACCOUNT_KEYS)
    whole = [change.values for change in changes if len(change.values) >= own]
    days = sorted(day for values in whole if (day := partition_day(ACCOUNT_KEYS, values[-own:])))
    if not days:
        return ""
    accounts = sorted({values[0] for values in whole if len(values) > own})
    regions = sorted({values[-own] for values in whole})
    named = ", ".join(regions) if len(regions) <= _MOST_REGIONS else f"{len(regions)} regions"
    of_account = f" for {', '.join(accounts)}" if accounts else ""
    return f"{of_account}, {days[0]} .. {days[-1]}, {named}"
