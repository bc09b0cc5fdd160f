"""`trailhouse runs`: what the nightly runs did, read back from their records."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from trailhouse.cli.call import INCOMPLETE
from trailhouse.cli.entries import entry, folded, numbered, since, wants_json, width_of
from trailhouse.core import record as records
from trailhouse.core.prices import format_money
from trailhouse.core.sizes import count_of
from trailhouse.core.times import format_duration, format_time
from trailhouse.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from trailhouse.aws.gate import Gate
    from trailhouse.cli.call import Call
    from trailhouse.core.record import Record
    from trailhouse.nightly.history import History

LIMIT = 20
_SHORTEST = 8

StackName = Annotated[
    str | None, typer.Option("--stack", metavar="NAME", help="Name of the stack, such as trailhouse.")
]
Name = Annotated[
    str | None,
    typer.Argument(metavar="[RUN]", help="One run whole: its name, how that begins, or when it began."),
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many, the newest.")]


def run(ctx: typer.Context, name: Name = None, limit: Limit = LIMIT, stack: StackName = None) -> int:
    """Show what the nightly runs did, newest first.

    --since and --until limit when they began. Each run leaves a record in the bucket for output.
    """
    from trailhouse.aws.gate import Gate  # noqa: PLC0415 - boto3 is heavy
    from trailhouse.deploy.standing import history  # noqa: PLC0415 - likewise
    from trailhouse.storage.access import general_access  # noqa: PLC0415 - likewise

    call: Call = replace(ctx.obj, flags={**ctx.obj.flags, "stack": stack})
    call.refuse_output("runs")
    for flag, value in (("--account", call.accounts), ("--region", call.regions)):
        if value:
            raise UsageError(f"{flag} limits answers, and a run is about all accounts: leave it out")
    gate = Gate(general_access(call.settings))
    past = history(call.settings, gate)
    try:
        if name is not None:
            return _one(call, past, name)
        return _many(call, past, limit)
    except NotFoundError as error:
        raise NotFoundError(f"{error}. {_next_step(call, gate)}", code=error.code) from error


def _next_step(call: Call, gate: Gate) -> str:
    return (
        f"The records of {call.settings.stack} in {gate.region} would be there: `trailhouse status` says whether it is "
        "deployed; output_s3_bucket names another bucket, --stack another stack"
    )


def _many(call: Call, past: History, limit: int) -> int:
    options = call.options
    found = list(islice(past.each(options.since, options.until), limit + 1))
    shown = found[:limit]
    call.show(table(shown, whole=str(call.form) != "table").to_reader())
    if len(found) > limit:
        call.console.note(f"the newest {limit:,}; --limit N shows more")
    if not found:
        when = " in that time" if options.since or options.until else ""
        call.console.note(
            f"no run of {past.stack} has left a record{when}: `trailhouse status` says whether it is deployed"
        )
    if past.others:
        call.console.note(f"runs of other stacks: {', '.join(sorted(past.others))} (--stack)")
    for why in past.unread.values():
        call.console.warn(why)
    return INCOMPLETE if past.unread else 0


def _one(call: Call, past: History, name: str) -> int:
    if call.since or call.until:
        raise UsageError("--since and --until choose among runs, and one is named: leave them out")
    as_json = wants_json(call, "a run")
    found = past.find(name)
    if as_json:
        sys.stdout.write(records.to_json(found))
        return 0
    sys.stdout.writelines(f"{line}\n" for line in lines(found, past.records.uri(found), width_of(call)))
    return 0


def table(found: Sequence[Record], *, whole: bool) -> pa.Table:
    """Runs as rows.

    Args:
        found: newest first.
        whole: everything that fits into a row; else what fits into 80 cells.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy

    names = _short([one.run for one in found])
    kinds = {int: pa.int64(), float: pa.float64(), str: pa.string()}
    columns = {**_COLUMNS, **_MORE} if whole else _COLUMNS
    rows = [_row(one, one.run if whole else names[one.run]) for one in found]
    return pa.Table.from_pylist(
        [{name: row[name] for name in columns} for row in rows],
        schema=pa.schema([(name, kinds[kind]) for name, kind in columns.items()]),
    )


_COLUMNS: Mapping[str, type] = {
    "started": str, "run": str, "outcome": str, "reason": str, "took": str, "changes": int, "failed": int,
}  # fmt: skip
_MORE: Mapping[str, type] = {
    "ended": str, "stack": str, "pieces": int, "seconds": float, "planned": int, "left_out": int, "warnings": int,
    "problems": int, "begun": int, "over": int, "cost": str, "trailhouse": str, "config": str,
}  # fmt: skip


def _row(one: Record, name: str) -> dict[str, str | int | float]:
    return {
        "started": format_time(one.started), "run": name, "outcome": str(one.outcome), "reason": one.reason,
        "took": format_duration(timedelta(seconds=round(one.seconds))), "changes": sum(one.done.values()),
        "failed": len(one.failed) + len(one.refused), "ended": since(one.ended), "stack": one.stack,
        "pieces": one.pieces, "seconds": one.seconds, "planned": sum(one.planned.values()),
        "left_out": len(one.left_out), "warnings": len(one.warnings), "problems": len(one.problems),
        "begun": len(one.begun), "over": len(one.ended_problems), "cost": one.cost,
        "trailhouse": one.versions.get("trailhouse", ""), "config": one.config,
    }  # fmt: skip


def _short(names: Sequence[str]) -> dict[str, str]:
    """Each name by how it begins: as little as tells it from the others."""
    length, different = _SHORTEST, len(set(names))
    while length < max(map(len, names), default=0) and len({name[:length] for name in names}) < different:
        length += 1
    return {name: name[:length] for name in names}


def lines(found: Record, address: str, width: int) -> Iterator[str]:
    """One run whole.

    Args:
        found: its record.
        address: where that is.
        width: cells of a line.
    """
    for label, text in _entries(found, address):
        yield from entry(label, text, width)
    for title, said in (("Failed", found.failed), ("Refused", found.refused), ("Left out", found.left_out)):
        yield from _reasons(title, list(said.items()), width)
    yield from _reasons("Warnings", [("", text) for text in found.warnings], width)
    for title, problems in (
        ("Open problems", found.problems), ("New with it", found.begun), ("Over with it", found.ended_problems),
    ):  # fmt: skip
        if problems:
            yield ""
            yield f"{title}: {len(problems):,}"
        for number, one in enumerate(problems, 1):
            parts = [
                ("Since", since(one.since)), ("What", one.what), ("Tried", one.tried), ("Run", one.command),
            ]  # fmt: skip
            yield from numbered(number, one.title, parts, width)


def _entries(found: Record, address: str) -> Iterator[tuple[str, str]]:
    yield "run", found.run
    yield "stack", found.stack
    yield "reason", found.reason
    yield "outcome", str(found.outcome)
    yield "started", format_time(found.started)
    yield "ended", since(found.ended) or "not yet, or it was cut off: `trailhouse status` says which"
    took = format_duration(timedelta(seconds=round(found.seconds)))
    yield "took", f"{took} of work in {count_of(found.pieces, 'piece')}, about {_money(found.cost)}"
    yield "caller", found.caller
    yield "database", found.place
    yield "config", found.config
    yield "versions", ", ".join(f"{name} {number}" for name, number in found.versions.items())
    yield "planned", _counted(found.planned) or "nothing"
    yield "done", _counted(found.done) or "nothing"
    yield (
        "calls",
        "\n".join(f"{service}: {_counted(made)}" for service, made in sorted(found.calls.items())) or "none",
    )
    days = [day for regions in found.freshness.values() for day in regions.values()]
    if days:
        accounts, regions = (
            count_of(len(found.freshness), "account"),
            len(set().union(*found.freshness.values())),
        )
        latest = f"last deliveries {min(days)} .. {max(days)}"
        yield "freshness", f"{accounts}, {count_of(regions, 'region')}, {latest}"
    yield "record", address


def _counted(found: Mapping[str, int]) -> str:
    return ", ".join(f"{what} {count:,}" for what, count in found.items())


def _money(cost: str) -> str:
    from decimal import Decimal, InvalidOperation  # noqa: PLC0415 - only here

    try:
        return format_money(Decimal(cost))
    except InvalidOperation:
        return cost


def _reasons(title: str, said: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    if said:
        yield ""
        yield f"{title}: {len(said):,}"
    for name, why in said:
        yield from folded(f"{name}: {why}" if name else why, width, "  ", "    ")
