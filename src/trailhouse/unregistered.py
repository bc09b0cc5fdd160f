"""Why an answer from Athena or Trino is empty, or may be: told from partitions alone, without reading a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailhouse.core.conditions import NOTHING, Compare, Condition, keys_of
from trailhouse.core.sizes import count_of
from trailhouse.core.state import DATE_KEYS
from trailhouse.engine.partitions import registered_days

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from trailhouse.aws.gate import Gate
    from trailhouse.dialect import Scope
    from trailhouse.dialect.scans import Scan
    from trailhouse.engine.definitions import Definition, Definitions
    from trailhouse.engine.price import Price

MOST = 3
"""Lines that an explanation takes at most."""

_SHORT = {"month", "day"}


class Unregistered:
    """What a statement asks that no partition is registered for."""

    def __init__(self, gate: Gate, definitions: Definitions, scope: Scope, now: datetime) -> None:
        """Ask nothing yet; `now` is UTC."""
        self._gate = gate
        self._definitions = definitions
        self._scope = scope
        self._now = now

    def explain(self, readings: Sequence[Scan], price: Price, rows: int) -> list[str]:
        """At most three lines; with rows, only what cannot be meant is said.

        Args:
            readings: what the statement reads.
            price: of the statement.
            rows: how many rows the answer has.

        Raises:
            AwsError: Glue refuses.
        """
        if not readings or price.unknown:
            return []
        if price.partitions:
            lines = [*self._outside(price)]
            if not rows:
                lines.append(self._searched(price))
        else:
            lines = [*self._digits(readings), *self._nothing(readings)]
        return lines[:MOST]

    def _outside(self, price: Price) -> Iterator[str]:
        """Days of the window before the first and after the last partition."""
        if not price.days:
            return
        first, last = price.days
        since, until = self._scope.since, self._scope.until
        end = min(until, self._now) if until else None
        before = since and since.date().isoformat() < first
        after = end and end.date().isoformat() > last
        if before or after:
            yield (
                f"of the days asked for only {first} to {last} have partitions; others were not delivered, "
                "or not registered: see trailhouse plan"
            )

    def _searched(self, price: Price) -> str:
        span = f", {price.days[0]} to {price.days[-1]}" if price.days else ""
        where = f"{count_of(price.partitions, 'partition')}{span}"
        if not price.objects.high:
            archived = f", but {count_of(price.archived, 'archived object')}" if price.archived else ""
            return f"there is no object to read in the {where}{archived}: see trailhouse inventory --days"
        about = "" if price.objects.exact else "about "
        return f"no record in {about}{count_of(price.objects.value, 'object')} of {where} matches"

    def _digits(self, readings: Sequence[Scan]) -> Iterator[str]:
        leaves = (leaf for one in readings for leaf in _leaves(one.condition))
        if any(leaf.key in _SHORT and any(len(v) == 1 for v in leaf.values) for leaf in leaves):
            yield "months and days have two digits: month = '07'"

    def _nothing(self, readings: Sequence[Scan]) -> Iterator[str]:
        possible = [one for one in readings if one.condition != NOTHING]
        if not possible:
            yield "no table holds what is asked for (such as that account): see trailhouse inventory"
            return
        spans: list[tuple[date, date]] = []
        named = ""
        for reading in possible[:MOST]:
            table = self._definitions.find(reading.database, reading.name)
            if table is None or not table.keys:
                continue
            named = named or _named(table, reading.condition)
            span = registered_days(self._gate, table, reading.condition, self._now)
            spans += [span] if span else []
        if spans:
            first, last = min(span[0] for span in spans), max(span[1] for span in spans)
            yield (
                f"no partition is of the days asked for; registered are days from {first} to {last}: "
                "`trailhouse apply` registers what was delivered"
            )
        else:
            yield f"no partition {named or 'of what was asked for'} is registered: see trailhouse plan"


def _named(table: Definition, condition: Condition) -> str:
    """What a statement demands besides days, for people."""
    texts = [
        f"{leaf.key} {leaf.op} {' or '.join(leaf.values[:MOST])}"
        for leaf in _leaves(condition)
        if leaf.key in keys_of(condition) & set(table.text_keys) - set(DATE_KEYS)
    ]
    return f"of {table.name}" + (f" with {', '.join(dict.fromkeys(texts))}" if texts else "")


def _leaves(condition: Condition) -> Iterator[Compare]:
    if isinstance(condition, Compare):
        yield condition
        return
    for part in condition.parts:
        yield from _leaves(part)
