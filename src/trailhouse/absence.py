"""Why an answer is empty, or may be: told from the ledger and the lake, without reading a log.

What a statement compares accounts, regions, days and names of events with is looked up; what is not there
is said, with what is there instead.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from trailhouse.core.sizes import count_of
from trailhouse.core.views import kind_name
from trailhouse.dialect.grammar import parse
from trailhouse.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trailhouse.core.layout import Kind
    from trailhouse.dialect import Statement
    from trailhouse.engine.duckdb import DuckDB

MOST = 3
"""Lines that an explanation takes at most."""

_PLACES = {"account": "account", "recipientaccountid": "account", "region": "region", "awsregion": "region"}
_NAMES = ("eventname", "eventsource", "errorcode")
_TIMES = ("eventtime", "eventtimestamp")
_KEYS = ("year", "month", "day")
_COLUMNS = (*_PLACES, *_NAMES, "eventtime", *_KEYS)
_DAY = len("2023-07-10")
_SOME = 3


@dataclass(slots=True)
class Asked:
    """What a statement looks for, by its literals.

    Attributes:
        values: By column: texts that it is compared with for equality.
        first: First day of events, `2023-07-10` or the beginning of one; empty: no bound.
        last: Last day, likewise.
    """

    values: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    first: str = ""
    last: str = ""

    def from_day(self, day: str) -> None:
        """Narrow to days from that one on."""
        self.first = max(self.first, day[:_DAY])

    def to_day(self, day: str) -> None:
        """Narrow to days up to that one."""
        self.last = min(self.last or day[:_DAY], day[:_DAY])


def asked(sql: str) -> Asked:
    """What a statement of Athena's dialect looks for; what is denied in it is left out."""
    found = Asked()
    for node in parse(sql).find_all(exp.EQ, exp.In, exp.GTE, exp.GT, exp.LT, exp.LTE, exp.Between, exp.Like):
        if node.find_ancestor(exp.Not, exp.Or) is None:
            _add(found, node)
    return found


def _add(found: Asked, node: exp.Expr) -> None:
    column = node.this.find(exp.Column)
    name = column.name.lower() if column else ""
    texts = [one.this for one in _operands(node) if isinstance(one, exp.Literal) and one.is_string]
    if name in _TIMES and texts:
        if isinstance(node, exp.EQ | exp.GTE | exp.GT | exp.Between | exp.Like):
            found.from_day(texts[0].partition("%")[0])
        if isinstance(node, exp.EQ | exp.LT | exp.LTE | exp.Between):
            found.to_day(texts[-1])
        elif isinstance(node, exp.Like):
            found.to_day(texts[0].partition("%")[0] + "~")
    elif isinstance(node, exp.EQ | exp.In) and isinstance(node.this, exp.Column):
        found.values[name].update(texts)


def _operands(node: exp.Expr) -> Iterator[exp.Expr]:
    found = [node.args.get("expression"), node.args.get("low"), node.args.get("high")]
    for one in (*found, *node.expressions):
        if one is not None:
            yield one.this if isinstance(one, exp.Cast) else one


class Absence:
    """What is in one state of a lake, of the kinds that a statement asks."""

    def __init__(self, engine: DuckDB, prefix: str, kinds: Sequence[Kind], deferred: int) -> None:
        """Look at a lake; `deferred` objects were left out of it as outside of the window."""
        self._engine = engine
        self._views = [kind_name(prefix, kind) for kind in kinds]
        self._deferred = deferred

    def explain(self, statement: Statement, rows: int) -> list[str]:
        """At most three lines about what a statement asks and the lake does not have.

        Args:
            statement: What was asked.
            rows: How many rows the answer has; with rows, only what cannot be meant is said.
        """
        if not self._views:
            return []
        try:
            looked_for = asked(statement.athena)
        except SqlError:
            return []  # SHOW and DESCRIBE look for nothing
        empty = [view for view in self._views if self._is_empty(view)]
        if empty:
            names = " and ".join(empty)
            if self._deferred:
                others = (
                    f"{count_of(self._deferred, 'file is', 'files are')} of other days, accounts or regions"
                )
                return [f"no log of what was asked is in {names}; {others}: see trailhouse inventory"]
            return [f"there are no records in {names} at all: see trailhouse inventory"]
        lines = [*self._places(looked_for), *self._days(looked_for)]
        if not rows and not lines:
            lines = [*self._names(looked_for), self._searched()]
        return lines[:MOST]

    def _is_empty(self, view: str) -> bool:
        first = self._engine.ask(f'SELECT 1 FROM "{view}" LIMIT 1')  # noqa: S608 - a name of ours
        rows: int = first.read_all().num_rows
        return rows == 0

    def _places(self, looked_for: Asked) -> Iterator[str]:
        for column, place in _PLACES.items():
            wanted = looked_for.values.get(column, set())
            present = self._distinct(column) if wanted else []
            for value in sorted(wanted - set(present))[:_SOME]:
                near = get_close_matches(value, present, n=1) or present[:_SOME]
                there = f"there are {len(present)}, such as {', '.join(near)}" if present else "there is none"
                yield f"{place} {value!r} is not in these logs; {there}: see trailhouse inventory"

    def _days(self, looked_for: Asked) -> Iterator[str]:
        keys = {key: sorted(looked_for.values[key]) for key in _KEYS if looked_for.values.get(key)}
        within = " AND ".join(f"{key} IN (SELECT unnest(?))" for key in keys)
        if keys and not self._any(within, list(keys.values())):
            named = ", ".join(f"{key} {' or '.join(values)}" for key, values in keys.items())
            if any(len(value) == 1 for value in keys.get("month", []) + keys.get("day", [])):
                named += " (months and days have two digits: 07)"
            span = self._span("concat_ws('-', year, month, day)")
            yield f"no log of {named} is here; by delivery, {span}: see trailhouse inventory --days"
        first, last = looked_for.first, looked_for.last
        if (first or last) and not self._any("eventtime BETWEEN ? AND ?", [first, (last or "9") + "~"]):
            to = f" to {last.rstrip('~')}" if last else ""
            words = f"{' from ' if first else ''}{first}{to}"
            yield f"no event{words} is in these logs; {self._span()}: see trailhouse inventory --days"

    def _names(self, looked_for: Asked) -> Iterator[str]:
        for column in _NAMES:
            wanted = looked_for.values.get(column, set())
            present = self._distinct(column) if wanted else []
            for value in sorted(wanted - set(present))[:1]:
                lower = {one.lower(): one for one in present}
                near = [lower[one] for one in get_close_matches(value.lower(), lower, n=_SOME)]
                hint = f"; nearest: {', '.join(near)}" if near else ""
                yield f"{column} {value!r} does not occur{hint}"

    def _searched(self) -> str:
        return f"none of {count_of(self._values('count(*)', 'true')[0], 'record')} matches; {self._span()}"

    def _span(self, day: str = "substr(eventtime, 1, 10)") -> str:
        first, last = self._values(f"min({day})", "true") + self._values(f"max({day})", "true")
        others = count_of(self._deferred, "file")
        left = f" (left out, outside of what was asked: {others})" if self._deferred else ""
        return (f"they hold {first} to {last}" if first else "they hold no event") + left

    def _any(self, where: str, values: Sequence[object]) -> bool:
        return bool(self._values("true", f"{where} LIMIT 1", values))

    def _distinct(self, column: str) -> list[str]:
        return sorted(self._values(f"DISTINCT {column}", f"{column} IS NOT NULL"))

    def _values(self, what: str, where: str, values: Sequence[object] = ()) -> list[Any]:
        """One column over the kinds' views together; a column that a kind lacks is NULL there."""
        branches = [self._branch(name) for name in self._views]
        sql = f"SELECT {what} FROM ({' UNION ALL '.join(branches)}) WHERE {where}"  # noqa: S608 - words of ours
        found: list[Any] = self._engine.ask(sql, values).read_all().column(0).to_pylist()
        return found

    def _branch(self, view: str) -> str:
        having = {column.name for column in self._engine.views[view].columns}
        columns = (name if name in having else f"CAST(NULL AS VARCHAR) AS {name}" for name in _COLUMNS)
        return f'SELECT {", ".join(columns)} FROM "{view}"'  # noqa: S608 - names of ours
