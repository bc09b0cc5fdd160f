"""`trailhouse selftest`: what we assume of AWS, asked in the user's own account."""

from __future__ import annotations

import json
import re
import secrets
import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from trailhouse.cli.call import INCOMPLETE
from trailhouse.core.sizes import count_of
from trailhouse.core.times import format_time
from trailhouse.errors import AwsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trailhouse.aws.gate import Gate
    from trailhouse.cli.call import Call
    from trailhouse.selftest import Place, Run
    from trailhouse.selftest.check import Check

_BUCKET = re.compile(r"(?:s3://)?([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/?")
_TOKEN_BYTES = 5


def run(
    ctx: typer.Context,
    live: Annotated[bool, typer.Option("--live", help="Do it; without, say what it does and costs.")] = False,
    bucket: Annotated[
        str | None,
        typer.Option(metavar="s3://NAME", help="Bucket of yours to work in; that of Athena's results."),
    ] = None,
    check: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only checks whose name begins so; repeatable."),
    ] = None,
    show_names: Annotated[
        bool, typer.Option("--show-names", help="Leave account numbers and names in the report.")
    ] = False,
) -> int:
    """Check in your account what is assumed of AWS.

    In a scratch database and prefix, which are removed again. The report can be attached to an issue.
    docs/selftest.md lists the questions.
    """
    call: Call = ctx.obj
    call.refuse_output("selftest")
    from trailhouse.selftest import CHECKS, bill  # noqa: PLC0415 - heavy

    checks = _chosen(CHECKS, check or ())
    costs = bill(checks, call.settings.price_per_tb)
    where = _bucket(bucket) if bucket else ""
    if not live:
        _describe(checks, costs.sentence(), where or "the bucket of Athena's results")
        return 0
    from trailhouse.selftest import LIMIT  # noqa: PLC0415 - heavy

    if costs.total > LIMIT:
        raise UsageError(f"it would cost {costs.sentence()}: choose fewer with --check")
    return _live(call, checks, where, show_names=show_names)


def _chosen(checks: Sequence[Check], names: Sequence[str]) -> tuple[Check, ...]:
    """The checks asked for, and those of the same theme before them, which may make what they read."""
    if not names:
        return tuple(checks)
    found = [number for number, one in enumerate(checks) if one.id.startswith(tuple(names))]
    if not found:
        raise UsageError(f"--check {', '.join(names)}: there is no such check: see docs/selftest.md")
    last = {checks[number].theme: number for number in found}
    return tuple(one for number, one in enumerate(checks) if number <= last.get(one.theme, -1))


def _bucket(text: str) -> str:
    found = _BUCKET.fullmatch(text)
    if found is None:
        raise UsageError(
            f"--bucket {text}: give a bucket of yours, such as s3://my-scratch; the folder in it is chosen here"
        )
    return found[1]


def _describe(checks: Sequence[Check], price: str, where: str) -> None:
    write = sys.stdout.write
    write(f"trailhouse selftest --live asks AWS {count_of(len(checks), 'question')}, {price}.\n")
    write(
        f"It makes a database trailhouse_selftest_<random> and s3://{where}/trailhouse-selftest/<random>/, refuses if\n"
        "they exist, and removes them at the end. Nothing else is touched. The questions:\n"
        if " " not in where
        else "It makes a database trailhouse_selftest_<random> and a prefix trailhouse-selftest/<random>/ in\n"
        f"{where}, refuses if they exist, and removes them at the end. The questions:\n"
    )
    sys.stdout.writelines(f"  {line}\n" for line in _questions(checks))
    write("Nothing was done. Add --live to do it.\n")


def _questions(checks: Sequence[Check]) -> Iterator[str]:
    """Each question once, where it is asked first, and how often it comes again (of another shape, say)."""
    times = Counter(check.question for check in checks)
    for check in checks:
        more = times.pop(check.question, 0) - 1
        if more >= 0:
            yield f"{check.id}{f' and {more} more' if more else ''}: {check.question}"


def _live(call: Call, checks: Sequence[Check], bucket: str, *, show_names: bool) -> int:
    from trailhouse.aws.gate import Gate  # noqa: PLC0415 - heavy
    from trailhouse.selftest import Purse, Selftest, as_json, as_text, bill, redaction  # noqa: PLC0415 - heavy
    from trailhouse.storage.access import general_access  # noqa: PLC0415 - heavy
    from trailhouse.versions import versions  # noqa: PLC0415 - heavy

    settings = call.settings
    gate = Gate(general_access(settings))
    place = _place(gate, bucket or settings.output_s3_bucket)
    costs = bill(checks, settings.price_per_tb)
    call.console.note(f"database {place.database}, s3://{place.bucket}/{place.prefix}; {costs.sentence()}")
    if not call.confirm("Do it?"):
        return 1
    purse = Purse(settings.price_per_tb, spent=costs.ours)
    test = Selftest(
        gate, place, checks, workgroup=settings.workgroup, today=call.now.date(), purse=purse,
        say=call.console.note,
    )  # fmt: skip
    done = test.run()
    redact = redaction(place, gate.account(), settings.workgroup, on=not show_names)
    about = {**versions(), "athena": _engine(gate, settings.workgroup), "region": gate.region}
    about["when"] = format_time(call.now)
    document = as_json(done, checks, about, redact)
    if call.json or call.format == "json":
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in as_text(document))
    if done.left.things:
        call.console.warn("not removed:\n" + "\n".join(done.left.things))
    return _code(done)


def _place(gate: Gate, bucket: str) -> Place:
    from trailhouse.selftest import Place  # noqa: PLC0415 - heavy

    token = secrets.token_hex(_TOKEN_BYTES)
    if bucket != "default":
        return Place(bucket, token)
    account = gate.account()
    # Anybody can make a bucket of this name first: it has to be the caller's own.
    return Place(f"aws-athena-query-results-{account}-{gate.region}", token, account)


def _engine(gate: Gate, workgroup: str) -> str:
    """Athena's version, as far as the workgroup says it."""
    try:
        found = gate.call("athena", "GetWorkGroup", WorkGroup=workgroup)
    except AwsError:
        return "unknown"
    version = found.get("WorkGroup", {}).get("Configuration", {}).get("EngineVersion", {})
    return str(version.get("EffectiveEngineVersion", "unknown"))


def _code(done: Run) -> int:
    from trailhouse.selftest.check import Verdict  # noqa: PLC0415 - heavy

    if done.interrupted:
        return 130
    if done.error or done.count(Verdict.REFUTED):
        return 1
    return INCOMPLETE if done.count(Verdict.NOT_RUN) or done.left.things else 0
