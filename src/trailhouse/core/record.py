"""What one nightly run did, as it is kept: one JSON document a run, which `runs` and `status` read back.

The document is written again after each piece of the run, with the outcome `running`, and once more at its end.
Members that are not known are ignored, so that an older trailhouse reads what a newer one added; a document that
must not be read so has a higher `version`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from trailhouse.core import problem as problems
from trailhouse.core.times import format_time, parse_time
from trailhouse.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trailhouse.core.problem import Problem

VERSION = 1
PREFIX = "trailhouse/runs/"
"""Where the records are in the bucket for output."""
_STAMP = "%Y%m%dT%H%M%SZ"


class Outcome(StrEnum):
    """How a run ended.

    `incomplete` did all that could be done and left something out. `running` is not over, or was cut off.
    """

    RUNNING = "running"
    DONE = "done"
    INCOMPLETE = "incomplete"
    FAILED = "failed"

    @property
    def succeeded(self) -> bool:
        """Whether the catalog was looked after, perhaps not all of it."""
        return self in {Outcome.DONE, Outcome.INCOMPLETE}


@dataclass(frozen=True, slots=True)
class Record:
    """One nightly run. Times are UTC.

    Attributes:
        run: the name of its execution.
        stack: that it belongs to.
        reason: `schedule`, `deployment` or `by hand`.
        started: when its execution began: the run's present, in each of its pieces.
        ended: when it was closed; None while it runs.
        outcome: how it ended.
        caller: ARN of whoever it ran as.
        place: ARN of the database.
        config: digest of the configuration.
        sources: digest of where its sources lie; "" in older records.
        versions: of trailhouse, Python, boto3.
        pieces: how many it took so far.
        planned: how many changes were planned, by what they do, such as `create partition`.
        done: how many were carried out.
        failed: what was not carried out and why: by account, `tables`, `views`.
        refused: parts whose plan refused itself, and why.
        left_out: views that were not written as planned, and why.
        warnings: what the plan remarks.
        calls: how many calls were made, by service and operation.
        seconds: that its pieces took, in all.
        cost: what that costs at list prices, US dollars.
        freshness: by account and region, the last day of delivery that was found.
        problems: those that are open at its end.
        begun: those that were not open before.
        ended_problems: those that were open before and are over.
    """

    run: str
    stack: str
    reason: str
    started: datetime
    ended: datetime | None = None
    outcome: Outcome = Outcome.RUNNING
    caller: str = ""
    place: str = ""
    config: str = ""
    sources: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    pieces: int = 0
    planned: Mapping[str, int] = field(default_factory=dict)
    done: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    calls: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    seconds: float = 0.0
    cost: str = "0"
    freshness: Mapping[str, Mapping[str, date]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    begun: tuple[Problem, ...] = ()
    ended_problems: tuple[Problem, ...] = ()

    @property
    def key(self) -> str:
        """Where it is kept in the bucket for output: newer runs sort after older ones."""
        return f"{PREFIX}{self.started:%Y/%m/%d}/{self.started.strftime(_STAMP)}-{self.run}.json"

    @property
    def complete(self) -> bool:
        """Whether nothing was left out."""
        return not (self.failed or self.refused or self.left_out)


def to_json(record: Record) -> str:
    """The document, with sorted keys and a line break at its end."""
    raw: dict[str, Any] = {name: getattr(record, name) for name in _PLAIN}
    raw |= {name: _listed(getattr(record, name)) for name in _PROBLEMS}
    raw |= {
        "version": VERSION,
        "started": format_time(record.started),
        "ended": format_time(record.ended) if record.ended else None,
        "outcome": str(record.outcome),
        "warnings": list(record.warnings),
        "seconds": round(record.seconds, 3),
        "freshness": {
            account: {region: day.isoformat() for region, day in regions.items()}
            for account, regions in record.freshness.items()
        },
    }
    return json.dumps(raw, indent=1, sort_keys=True) + "\n"


def from_json(text: str | bytes, name: str) -> Record:
    """What `to_json` wrote.

    Args:
        text: the document.
        name: its address, for messages.

    Raises:
        CatalogError: it is no record of a run, or of a version that is not known here.
    """
    try:
        raw = json.loads(text)
        version = int(raw["version"])
    except (ValueError, TypeError, KeyError) as error:
        raise CatalogError(f"{name} is no record of a run, or is damaged") from error
    if version > VERSION:
        raise CatalogError(
            f"{name} was written by a newer trailhouse (format {version}, known here: {VERSION}): upgrade this one"
        )
    try:
        return _read(raw)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CatalogError(f"{name} is no record of a run, or is damaged: {error!r}") from error


_PLAIN = (
    "run", "stack", "reason", "caller", "place", "config", "sources", "versions", "pieces", "planned", "done",
    "failed", "refused", "left_out", "calls", "cost",
)  # fmt: skip
_PROBLEMS = ("problems", "begun", "ended_problems")
_TEXTS = ("run", "stack", "reason", "caller", "place", "config", "sources", "cost")
_COUNTS = ("planned", "done")
_SAID = ("versions", "failed", "refused", "left_out")


def _listed(found: Iterable[Problem]) -> list[dict[str, str]]:
    return [one.as_json() for one in found]


def _read(raw: Mapping[str, Any]) -> Record:
    known: dict[str, Any] = {name: str(raw[name]) for name in _TEXTS if name in raw}
    known |= {name: {str(k): int(v) for k, v in raw[name].items()} for name in _COUNTS if name in raw}
    known |= {name: {str(k): str(v) for k, v in raw[name].items()} for name in _SAID if name in raw}
    known |= {name: tuple(map(problems.from_json, raw.get(name, ()))) for name in _PROBLEMS}
    calls = raw.get("calls", {}).items()
    freshness = raw.get("freshness", {}).items()
    return Record(
        **known,
        started=_time(raw["started"]),
        ended=_time(raw["ended"]) if raw.get("ended") else None,
        outcome=Outcome(raw["outcome"]),
        pieces=int(raw.get("pieces", 0)),
        warnings=tuple(map(str, raw.get("warnings", ()))),
        calls={service: {name: int(n) for name, n in made.items()} for service, made in calls},
        seconds=float(raw.get("seconds", 0)),
        freshness={
            account: {region: date.fromisoformat(day) for region, day in regions.items()}
            for account, regions in freshness
        },
    )


def _time(text: str) -> datetime:
    return parse_time(text, datetime.min)  # noqa: DTZ901 - absolute times need no clock
