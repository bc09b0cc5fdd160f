"""How the nightly run stands: what is deployed, when it begins next, who hears its alarms, what its records say."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from trailhouse.core import record as records
from trailhouse.core.freshness import Fresh, Lack, freshness
from trailhouse.core.record import Outcome, Record
from trailhouse.core.times import format_duration, format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

OVERDUE = timedelta(hours=26)
"""How long there may be no success: the same as in the alarm of the stack."""
_RUNNING = "RUNNING"
_IN_PROGRESS = "_IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class Deployed:
    """The stack.

    Attributes:
        status: such as `UPDATE_COMPLETE`; "": there is no such stack.
        version: of trailhouse in it, "" where it does not say so.
        config: digest of its configuration, likewise.
        trouble: why it cannot be used or changed as it is, and what helps; "" where it can.
    """

    status: str
    version: str = ""
    config: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """The schedule.

    Attributes:
        expression: in EventBridge Scheduler's words; "": there is no schedule.
        enabled: whether it is on.
        created: when it was made, UTC.
        next: when it begins next, UTC; None where that cannot be told.
    """

    expression: str
    enabled: bool = True
    created: datetime | None = None
    next: datetime | None = None


@dataclass(frozen=True, slots=True)
class Audience:
    """Who hears the alarms.

    Attributes:
        topic: ARN.
        confirmed: subscriptions that are told; None where that is for the topic's owner to know.
        pending: subscriptions that were never confirmed.
    """

    topic: str
    confirmed: int | None
    pending: int = 0


@dataclass(frozen=True, slots=True)
class Execution:
    """What Step Functions says of a run whose record is not closed.

    Attributes:
        state: such as `RUNNING` or `FAILED`.
        cause: what it says about its end, or "".
    """

    state: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that somebody has to do something about.

    Attributes:
        kind: that of a problem in a record, or `deployment`, `schedule`, `alarms`, `overdue`.
        title: in a line.
        since: from when on, UTC; None where that is not known.
        what: what was seen.
        tried: what was done about it, or "".
        command: to run next.
    """

    kind: str
    title: str
    since: datetime | None
    what: str
    tried: str
    command: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What was found. A part that is None could not be looked at: `doubts` say why.

    Attributes:
        now: the present, UTC.
        stack: its name.
        account: that it is in.
        region: likewise.
        version: of trailhouse here.
        config: digest of the configuration here, or "" where it is none for a nightly run.
        place: address of the records.
        deployed: the stack.
        scheduled: its schedule.
        audience: of its alarms.
        execution: of the last run, where its record is not closed.
        runs: the last ones, newest first.
        success: when the last run began that succeeded, UTC; None: none is known.
        lacking: days that the catalog may lack.
        differs: settings that are others than those deployed.
        doubts: what could not be found out, and why.
    """

    now: datetime
    stack: str
    account: str
    region: str
    version: str
    config: str
    place: str
    deployed: Deployed | None = None
    scheduled: Scheduled | None = None
    audience: Audience | None = None
    execution: Execution | None = None
    runs: tuple[Record, ...] = ()
    success: datetime | None = None
    lacking: tuple[Lack, ...] = ()
    differs: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def fresh(self) -> tuple[Fresh, ...]:
        """The last deliveries as the newest run knew them that looked, the oldest first."""
        return freshness(next((one.freshness for one in self.runs if one.freshness), {}))

    @property
    def concerns(self) -> tuple[Concern, ...]:
        """All that somebody has to do something about."""
        return tuple(_concerns(self))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is worth knowing and harms nothing."""
        return tuple(_remarks(self))


def _concerns(standing: Standing) -> Iterator[Concern]:
    yield from _of_deployment(standing)
    yield from _of_schedule(standing)
    yield from _of_runs(standing)
    yield from _of_alarms(standing)
    closed = next((one for one in standing.runs if one.outcome is not Outcome.RUNNING), None)
    for one in closed.problems if closed else ():
        yield Concern(str(one.kind), one.title, one.since, one.what, one.tried, one.command)


def _of_deployment(standing: Standing) -> Iterator[Concern]:
    found = standing.deployed
    where = f"account {standing.account}, {standing.region}"
    if found and not found.status:
        what = f"there is no stack {standing.stack} in {where}, so nothing runs at night"
        yield Concern("deployment", f"{standing.stack}: not deployed", None, what, "", "trailhouse deploy")
    elif found and found.trouble:
        title = f"{standing.stack}: the stack is in {found.status}"
        yield Concern("deployment", title, None, found.trouble, "", "trailhouse deploy")


def _of_schedule(standing: Standing) -> Iterator[Concern]:
    found, stack = standing.scheduled, standing.deployed
    if found is None or (stack and stack.status.endswith(_IN_PROGRESS)):
        return
    if not found.expression:
        what = f"the stack {standing.stack} is there and its schedule is not: somebody removed it"
        yield Concern("schedule", f"{standing.stack}: no schedule", None, what, "", "trailhouse deploy")
    elif not found.enabled:
        what = f"the schedule {found.expression} is switched off: no run begins by itself"
        command = "trailhouse deploy, or switch it on in EventBridge Scheduler"
        yield Concern("schedule", f"{standing.stack}: switched off", None, what, "", command)


def _of_runs(standing: Standing) -> Iterator[Concern]:
    last, found = next(iter(standing.runs), None), standing.execution
    if last and last.outcome is Outcome.RUNNING and found and found.state != _RUNNING:
        said = f": {found.cause}" if found.cause else ""
        what = f"its record was never closed, and its execution is {found.state}{said}"
        command = f"trailhouse runs {last.run}"
        yield Concern("run", f"{last.run}: broke off", last.started, what, "", command)
    known = [one for one in (standing.success, _made(standing)) if one]
    if known and standing.now - max(known) > OVERDUE:
        since = max(known)
        length = format_duration(timedelta(hours=(standing.now - since) // timedelta(hours=1)))
        what = f"no run succeeded for {length}" + ("" if standing.success else ", and none before")
        yield Concern("overdue", f"{standing.stack}: {what}", since, what, "", "trailhouse runs")


def _made(standing: Standing) -> datetime | None:
    """When the schedule was made; before that no run was to be expected."""
    return standing.scheduled.created if standing.scheduled else None


def _of_alarms(standing: Standing) -> Iterator[Concern]:
    found = standing.audience
    if found is None or found.confirmed is None or found.confirmed:
        return
    wait = f" ({found.pending:,} not confirmed: each was sent a link to follow)" if found.pending else ""
    yield Concern(
        "alarms",
        "nobody hears the alarms",
        None,
        f"the topic {found.topic} has no confirmed subscription{wait}",
        "",
        f"aws sns subscribe --topic-arn {found.topic} --protocol email --notification-endpoint YOU@EXAMPLE.COM",
    )


def _remarks(standing: Standing) -> Iterator[str]:
    found = standing.deployed
    if found and found.status:
        if found.status.endswith(_IN_PROGRESS):
            yield f"the stack {standing.stack} is being changed ({found.status})"
        digests = found.config and standing.config and found.config != standing.config
        if digests or standing.differs:
            named = f": {', '.join(standing.differs)}" if standing.differs else ""
            yield f"the configuration has changed since it was deployed{named}; deploy again: `trailhouse deploy`"
        if found.version and found.version != standing.version:
            here = f"{standing.version} is installed here"
            yield f"trailhouse {found.version} is deployed, and {here}; deploy again: `trailhouse deploy`"
        if not standing.runs and not standing.doubts:
            yield f"no run has left a record in {standing.place} yet: the first begins with the deployment"
    last = next(iter(standing.runs), None)
    if (
        last
        and last.outcome is Outcome.RUNNING
        and not (standing.execution and standing.execution.state != _RUNNING)
    ):
        yield f"a run is under way since {format_time(last.started)}; pieces done: {last.pieces:,}"


def as_json(standing: Standing) -> dict[str, Any]:
    """All of it, as JSON's types; times are UTC, ISO 8601."""
    import json  # noqa: PLC0415 - only here

    return {
        "stack": standing.stack,
        "account": standing.account,
        "region": standing.region,
        "now": format_time(standing.now),
        "deployed": _plain(standing.deployed),
        "installed": {"version": standing.version, "config": standing.config},
        "schedule": _plain(standing.scheduled),
        "alarms": _plain(standing.audience),
        "records": standing.place,
        "success": _plain(standing.success),
        "runs": [json.loads(records.to_json(one)) for one in standing.runs],
        "problems": [_plain(one) for one in standing.concerns],
        "freshness": [
            {"account": one.account, "region": region, "last": one.last.isoformat()}
            for one in standing.fresh
            for region in one.regions
        ],
        "lacking": [
            {
                "account": one.account or None,
                "first": one.first and one.first.isoformat(),
                "last": one.last.isoformat(),
            }
            for one in standing.lacking
        ],
        "remarks": list(standing.remarks),
        "unknown": list(standing.doubts),
    }


def _plain(found: Deployed | Scheduled | Audience | Concern | datetime | None) -> Any:  # noqa: ANN401 - JSON
    if isinstance(found, datetime):
        return format_time(found)
    if found is None:
        return None
    return {
        name: _plain(value) if isinstance(value, datetime) else value for name, value in asdict(found).items()
    }
