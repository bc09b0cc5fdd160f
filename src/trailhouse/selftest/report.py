"""The report of a run, to attach to an issue: as text and as JSON, without names unless they are asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from trailhouse.core.prices import format_money
from trailhouse.core.sizes import count_of
from trailhouse.selftest.assumptions import ASSUMPTIONS
from trailhouse.selftest.bucket import bucket
from trailhouse.selftest.check import Verdict
from trailhouse.selftest.checks.records import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trailhouse.selftest.check import Check
    from trailhouse.selftest.runner import Run
    from trailhouse.selftest.scratch import Place

_ARN = re.compile(r"arn:aws[a-z-]*:[^\s\"',)]+")
_DIGITS = re.compile(r"(?<![0-9A-Za-z])[0-9]{12}(?![0-9A-Za-z])")
_ADDRESS = re.compile(r"s3://[a-z0-9][a-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Redaction:
    """Takes names out of a text.

    Attributes:
        names: to be replaced, and by what; longer ones first.
        on: whether it does.
    """

    names: tuple[tuple[str, str], ...]
    on: bool = True

    def __call__(self, text: str) -> str:
        """The text without account numbers, names of buckets, ARNs; generated accounts stay."""
        if not self.on:
            return text
        for name, instead in self.names:
            text = text.replace(name, instead)
        text = _ARN.sub("<arn>", text)
        text = _ADDRESS.sub(lambda found: found[0] if found[0] == "s3://<bucket>" else "s3://<bucket>", text)
        return _DIGITS.sub(lambda found: found[0] if found[0] in _generated() else "<account>", text)


def redaction(place: Place, account: str, workgroup: str, *, on: bool) -> Redaction:
    """What a report must not say.

    Args:
        place: whose bucket it is.
        account: the caller's.
        workgroup: its name stays if it is everybody's `primary`.
        on: False: everything may be said.
    """
    found = {place.bucket: "<bucket>", account: "<account>"}
    if workgroup != "primary":
        found[workgroup] = "<workgroup>"
    names = sorted(((name, instead) for name, instead in found.items() if name), key=lambda one: -len(one[0]))
    return Redaction(tuple(names), on)


def as_json(run: Run, checks: Sequence[Check], about: Mapping[str, Any], redact: Redaction) -> dict[str, Any]:
    """The report for programs.

    Args:
        run: what came of it.
        checks: all that were to be made.
        about: versions, region, when.
        redact: takes names out.
    """
    by_id = {check.id: check for check in checks}
    outcomes = [
        {
            "check": one.check, "question": by_id[one.check].question, "verdict": str(one.verdict),
            "seen": redact(one.seen), "seconds": round(one.seconds, 1), "settles": list(by_id[one.check].settles),
        }
        for one in run.outcomes
    ]  # fmt: skip
    return {
        **about,
        "counts": {str(verdict): run.count(verdict) for verdict in Verdict},
        "statements": run.purse.statements, "cost_usd": str(run.purse.spent), "seconds": round(run.seconds, 1),
        "stopped": redact(run.stopped), "left": [redact(one) for one in run.left.things],
        "checks": outcomes, "assumptions": settled(run, checks),
    }  # fmt: skip


def settled(run: Run, checks: Sequence[Check]) -> dict[str, str]:
    """Each assumption with its worst verdict: refuted, else could not be run, else confirmed."""
    worst = (Verdict.REFUTED, Verdict.NOT_RUN, Verdict.CONFIRMED)
    verdicts = {one.check: one.verdict for one in run.outcomes}
    found = {}
    for assumption in ASSUMPTIONS:
        own = {verdicts.get(check.id, Verdict.NOT_RUN) for check in checks if assumption.id in check.settles}
        found[assumption.id] = str(next((one for one in worst if one in own), Verdict.NOT_RUN))
    return found


def as_text(document: Mapping[str, Any]) -> Iterator[str]:
    """The same for people, line by line."""
    about = [
        f"{name} {document[name]}" for name in ("trailhouse", "athena", "region", "when") if name in document
    ]
    yield "trailhouse selftest: " + ", ".join(about)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in document["counts"].items())
    money = format_money(Decimal(document["cost_usd"]))
    yield f"{counts}; {count_of(document['statements'], 'statement')}, at most {money}, {document['seconds']} s"
    if document["stopped"]:
        yield f"It did not go to its end: {document['stopped']}"
    for verdict in (Verdict.REFUTED, Verdict.NOT_RUN, Verdict.CONFIRMED):
        some = [one for one in document["checks"] if one["verdict"] == verdict]
        if some:
            yield ""
            yield f"{str(verdict).capitalize()}:"
        for one in some:
            yield f"  {one['check']}: {one['question']}"
            if one["seen"]:
                yield f"    {' '.join(one['seen'].split())}"
    yield ""
    yield "Everything that was made is removed." if not document["left"] else "Not removed:"
    yield from (f"  {one}" for one in document["left"])


def _generated() -> set[str]:
    return {ACCOUNT, *(file.account for file in bucket().files)}
