"""What a run found, as problems: each says what was seen, what was tried and what to run next."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from trailhouse.catalog.convergence import FORMER, TABLES, VIEWS
from trailhouse.core.layout import Kind
from trailhouse.core.problem import Problem, ProblemKind
from trailhouse.core.rhythm import EVERYWHERE
from trailhouse.core.sizes import count_of
from trailhouse.errors import (
    AccessDeniedError,
    AwsError,
    ConflictError,
    CredentialsError,
    ThrottledError,
    TrailhouseError,
)

if TYPE_CHECKING:
    from datetime import date

    from trailhouse.catalog.application import Failure
    from trailhouse.core.rhythm import Silence

SHARED = (TABLES, VIEWS, FORMER)
"""Names of parts that are no account."""
_ATTEMPTS = "each call was tried up to 8 times, with growing pauses"
_LONGEST_CAUSE = 1_000


def delivering(account: str, kind: Kind, region: str) -> str:
    """What a silence is about: `111122223333`, `111122223333/eu-west-1`, `111122223333/CloudTrail-Aggregated/*`."""
    if kind is Kind.CLOUDTRAIL:
        return f"{account}/{region}" if region else account
    return f"{account}/{kind}/{region or '*'}"


def silent(account: str, kind: Kind, region: str, found: Silence, now: datetime) -> Problem:
    """Somebody who used to deliver and does not any more."""
    where = f"in {region}" if region != EVERYWHERE else "in any region"
    what = f"{kind} logs" if kind is not Kind.CLOUDTRAIL else "logs"
    command = ["trailhouse", "inventory", "--quick", "--account", account]
    command += ["--region", region] if region != EVERYWHERE else []
    return Problem(
        ProblemKind.SILENT,
        delivering(account, kind, region),
        datetime.combine(found.since, time(), UTC),
        f"account {account} delivered no {what} {where} since {found.last}; before that, its deliveries were at most "
        f"{count_of(found.gap, 'day')} apart. Look whether its trail still runs and may still write: "
        "aws cloudtrail get-trail-status",
        f"its folders of every day from {found.since} to {now.date()} were looked for in all sources",
        shlex.join(command),
    )


def gone(account: str, last: date, now: datetime) -> Problem:
    """An account that delivered not long ago, and has no folder any more in any source."""
    return Problem(
        ProblemKind.SILENT,
        delivering(account, Kind.CLOUDTRAIL, EVERYWHERE),
        datetime.combine(last + timedelta(days=1), time(), UTC),
        f"account {account} has no folder any more, and delivered until {last}: its logs were moved or deleted, or the "
        "run may not see them any more",
        f"looked for in all sources on {now.date()}; what the catalog holds of it was left as it is",
        shlex.join(["trailhouse", "inventory", "--quick", "--account", account]),
    )


def failure(name: str, found: Failure, now: datetime) -> Problem:
    """A part of the plan that could not be planned, or not be carried out."""
    left = f" ({count_of(found.changes, 'change')} left)" if found.changes else ""
    kind = ProblemKind.VIEW if name in SHARED else ProblemKind.ACCOUNT
    return Problem(kind, name, now, f"{found.error}{left}", _tried(found.error), command(found.error, name))


def refused(name: str, reason: str, now: datetime) -> Problem:
    """A part that must not be carried out as it is."""
    return Problem(
        ProblemKind.REFUSED,
        name,
        now,
        reason,
        "nothing of it was changed; it is planned again in every run",
        "trailhouse plan" if name in SHARED else f"trailhouse plan --target {name}",
    )


def left_out(view: str, why: str, now: datetime) -> Problem:
    """A view that is not as it was planned."""
    tried = "it is written again in the next run"
    return Problem(ProblemKind.VIEW, view, now, why, tried, "trailhouse plan")


def failed(error: TrailhouseError, now: datetime) -> Problem:
    """A run that could not go on."""
    name = type(error).__name__
    subject = f"{error.operation} {error.code}".strip() if isinstance(error, AwsError) else ""
    return Problem(ProblemKind.RUN, subject or name, now, str(error), _tried(error), command(error))


def ended(error: str, cause: str, now: datetime) -> Problem:
    """A piece that ended without an answer: out of time or memory, or by a fault of ours.

    Args:
        error: its name, such as `Sandbox.Timedout`.
        cause: what Lambda says about it: JSON with `errorMessage`, or any text.
        now: of the run, UTC.
    """
    return Problem(
        ProblemKind.RUN,
        error or "unknown error",
        now,
        f"the function ended without an answer: {error or 'unknown error'}: {_message(cause)}",
        "passing faults of Lambda were tried again; what is done stays, and the next run goes on from there",
        "trailhouse runs",
    )


def command(error: TrailhouseError, name: str = "") -> str:
    """What to run next about an error.

    Args:
        error: that was met.
        name: of the part that it is about; "": of all.
    """
    target = f" --target {name}" if name and name not in SHARED else ""
    if isinstance(error, AccessDeniedError):
        return _granting(error)
    if isinstance(error, CredentialsError):
        return "trailhouse status"
    if isinstance(error, ThrottledError | ConflictError):
        return f"trailhouse apply{target}"
    return f"trailhouse plan{target}"


def _granting(error: AccessDeniedError) -> str:
    """What grants what is missing; the message says where. The role's own policy comes with each deployment."""
    words = str(error)
    for kind in ("lakeformation", "kms"):
        if f"trailhouse policy {kind}" in words:
            return f"{_POLICY}{kind}"
    return f"{_POLICY}bucket" if error.operation.startswith("s3 ") else "trailhouse deploy"


def addressed(problem: Problem, stack: str, caller: str) -> Problem:
    """A problem whose command can be given as it stands.

    Args:
        problem: as it was found.
        stack: of the run; commands take `trailhouse` where they are not told.
        caller: ARN of whoever the run is, `arn:aws:sts::ACCOUNT:assumed-role/ROLE/NAME`; or "".
    """
    said = problem.command
    role = _ASSUMED.fullmatch(caller)
    if said.startswith(_POLICY) and role and "--principal" not in said:
        said += f" --principal arn:{role[1]}:iam::{role[2]}:role/{role[3]}"
        said += " --as runner" if said.startswith(f"{_POLICY}lakeformation") else ""
    if said.startswith(_OF_STACK) and stack != _STACK and "--stack" not in said:
        said += f" --stack {stack}"
    return replace(problem, command=said)


_POLICY = "trailhouse policy "
_STACK = "trailhouse"
_OF_STACK = ("trailhouse deploy", "trailhouse runs", "trailhouse status")
_ASSUMED = re.compile(r"arn:(aws[a-z-]*):sts::([0-9]{12}):assumed-role/([^/]+)/.+")


def _tried(error: TrailhouseError) -> str:
    if isinstance(error, AccessDeniedError | CredentialsError):
        return "asked once: a refusal only comes again; the next run asks again"
    if isinstance(error, ConflictError):
        return "planned and carried out once more, and met again"
    if isinstance(error, AwsError):
        return f"{_ATTEMPTS}; the next run tries again"
    return "nothing; the next run tries again"


def _message(cause: str) -> str:
    """What a cause says, without the stack trace that Lambda adds."""
    try:
        raw = json.loads(cause)
    except ValueError:
        raw = None
    said = str(raw["errorMessage"]) if isinstance(raw, dict) and "errorMessage" in raw else cause
    return (said.strip().splitlines() or ["no cause is known"])[0][:_LONGEST_CAUSE]
