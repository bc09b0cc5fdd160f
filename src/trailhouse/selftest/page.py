"""docs/selftest.md, from the declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailhouse.selftest.assumptions import ASSUMPTIONS
from trailhouse.selftest.check import Api, Apply, Make, Put, Sql
from trailhouse.selftest.checks import CHECKS
from trailhouse.selftest.price import bill

if TYPE_CHECKING:
    from trailhouse.selftest.check import Check, Step

_LONGEST = 160
_INTRO = """# Self-test

<!-- written by tools/docs.py from the checks' declarations -->

Parts of trailhouse stand on what AWS documents, or on what was seen on Trino and on emulators, not on AWS itself.
`trailhouse selftest --live` asks AWS, in your own account, and prints a report to attach to an issue.

It is off by default: without `--live` it says what it would do and what that would cost, and stops. With it, it makes
a database `trailhouse_selftest_<random>` and a prefix `trailhouse-selftest/<random>/` in the bucket of `--bucket` (or
that of the results), both marked; it refuses if something is there under these names. It writes {objects} small
objects, asks {checks} questions by {statements} statements, and removes everything, after a failure and after Ctrl-C,
too; what could not be removed is listed. A bucket that keeps versions keeps them here, too.

Costs: {cost}. It takes some minutes; where the catalog makes partition indexes, perhaps twenty.

The report has no account numbers, names of buckets or ARNs unless `--show-names` is given. `trailhouse policy operator`
prints the permissions that it needs, in the bucket of the results; for another bucket, allow the same there. What is
not allowed leaves its questions open and stops nothing else.

A check is *confirmed*, *refuted* (with what was seen), or *could not be run* (with the reason). Exit codes: 0 all is
confirmed, 1 something is refuted or the run failed, 3 nothing is refuted, but something could not be run or removed.

## What we assume, and which check settles it

| assumption | why it is one | we rely on it in | settled by |
|---|---|---|---|
"""
_CHECKS = """
## The checks

| check | question | settles | first statement | expected |
|---|---|---|---|---|
"""


def page() -> str:
    """The page."""
    costs = bill(CHECKS)
    intro = _INTRO.format(
        objects=costs.objects, checks=len(CHECKS), statements=costs.statements, cost=costs.sentence()
    )
    assumptions = [
        f"| **{one.id}**: {_cell(one.statement)} | {one.mark} | {_cell(one.used)} | {_settlers(one.id)} |"
        for one in ASSUMPTIONS
    ]
    checks = [
        f"| `{one.id}` | {_cell(one.question)} | {', '.join(one.settles)} | {_code(statement(one))} | "
        f"{_cell(one.expect.describe())} |"
        for one in CHECKS
    ]
    return intro + "\n".join(assumptions) + "\n" + _CHECKS + "\n".join(checks) + "\n"


def statement(check: Check) -> str:
    """What a check asks in the end, for people."""
    return _shown(check.steps[-1] if not isinstance(check.steps[-1], Apply) else check.steps[0])


def _shown(step: Step) -> str:
    match step:
        case Sql(text):
            return " ".join(text.split())
        case Api():
            return f"{step.service} {step.operation}"
        case Apply(stage):
            return f"plan and apply {stage}, plan again"
        case Put() | Make():
            return "writes only"


def _settlers(assumption: str) -> str:
    found = [f"`{check.id}`" for check in CHECKS if assumption in check.settles]
    more = f" and {len(found) - 4} more" if len(found) > 4 else ""  # noqa: PLR2004 - a few are enough to find it
    return ", ".join(found[:4]) + more


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(text: str) -> str:
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return f"`{_cell(cut)}`"
