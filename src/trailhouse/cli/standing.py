"""How the nightly run stands, as text."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING

from trailhouse.cli.entries import entry, folded, numbered, since
from trailhouse.cli.runs import table
from trailhouse.core.freshness import EVERYBODY
from trailhouse.core.sizes import count_of
from trailhouse.core.times import format_duration, format_time
from trailhouse.output import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trailhouse.core.freshness import Fresh, Lack
    from trailhouse.core.standing import Audience, Scheduled, Standing

MOST_LINES = 20
"""Lines of freshness that are shown; the oldest are, and the others are counted."""
_MOST_REGIONS = 3
_MINUTE = timedelta(minutes=1)
_UNKNOWN = "not known, see below"


def lines(standing: Standing, width: int) -> Iterator[str]:
    """All of it, line by line.

    Args:
        standing: what was found.
        width: cells of a line.
    """
    for label, text in _entries(standing):
        yield from entry(label, text, width)
    yield from _runs(standing, width)
    yield from _problems(standing, width)
    yield from _lacking(standing.lacking, width)
    yield from _freshness(standing.fresh, width)
    yield from _listed("Worth knowing", standing.remarks, width)
    yield from _listed("Not known", standing.doubts, width)


def _entries(standing: Standing) -> Iterator[tuple[str, str]]:
    yield "stack", f"{standing.stack}, account {standing.account}, {standing.region}"
    found = standing.deployed
    if found is None:
        yield "deployed", _UNKNOWN
    elif not found.status:
        yield "deployed", "no"
    else:
        yield "deployed", f"{found.status}{f', trailhouse {found.version}' if found.version else ''}"
    if found is None or found.status:
        yield "next run", _next(standing)
        yield "alarms", _audience(standing.audience)
    yield "records", standing.place


def _next(standing: Standing) -> str:
    found: Scheduled | None = standing.scheduled
    if found is None:
        return _UNKNOWN
    if not found.expression:
        return "never: there is no schedule"
    if not found.enabled:
        return f"never: {found.expression} is switched off"
    if found.next is None:
        return f"by {found.expression}, UTC"
    return f"{format_time(found.next)}, in {_roughly(found.next - standing.now)}: {found.expression}"


def _roughly(length: timedelta) -> str:
    """A length of time to the minute."""
    return format_duration(length - length % _MINUTE) if length >= _MINUTE else "less than a minute"


def _audience(found: Audience | None) -> str:
    if found is None:
        return _UNKNOWN
    if found.confirmed is None:
        return found.topic
    pending = f", {found.pending:,} not confirmed" if found.pending else ""
    return f"{found.topic}\n{count_of(found.confirmed, 'confirmed subscription')}{pending}"


def _runs(standing: Standing, width: int) -> Iterator[str]:
    if not standing.runs:
        return
    from trailhouse.output import Format, write  # noqa: PLC0415 - loads Arrow

    out = BytesIO()
    write(table(standing.runs, whole=False).to_reader(), Format.TABLE, out, width=width)
    yield ""
    yield "Last runs"
    yield from out.getvalue().decode().splitlines()


def _problems(standing: Standing, width: int) -> Iterator[str]:
    found = standing.concerns
    if not found and standing.doubts:
        return  # whether there are some is not known
    yield ""
    yield f"Open problems: {len(found):,}" if found else "No open problems"
    for number, one in enumerate(found, 1):
        parts = [("Since", since(one.since)), ("What", one.what), ("Tried", one.tried), ("Run", one.command)]
        yield from numbered(number, one.title, parts, width)


def _lacking(found: Sequence[Lack], width: int) -> Iterator[str]:
    if found:
        yield ""
        yield "Days that the catalog may lack (the next run that succeeds makes up for them)"
    for one in found[:MOST_LINES]:
        whose = "all accounts" if one.account == EVERYBODY else one.account
        days = f"{one.first} .. {one.last}" if one.first else f"none is known to be there, until {one.last}"
        yield from folded(f"{whose}: {days}", width, "  ", "    ")
    if len(found) > MOST_LINES:
        yield f"  and {count_of(len(found) - MOST_LINES, 'account')} more; --json has them all"


def _freshness(found: Sequence[Fresh], width: int) -> Iterator[str]:
    if not found:
        return
    yield ""
    accounts, regions = {one.account for one in found}, {region for one in found for region in one.regions}
    yield (
        f"Last deliveries of {count_of(len(accounts), 'account')} in {count_of(len(regions), 'region')}, oldest first"
    )
    for one in found[:MOST_LINES]:
        named = ", ".join(one.regions[:_MOST_REGIONS])
        more = f" and {len(one.regions) - _MOST_REGIONS} more" if len(one.regions) > _MOST_REGIONS else ""
        yield from folded(f"{one.last}  {one.account}  {named}{more}", width, "  ", " " * 28)
    rest = found[MOST_LINES:]
    if rest:
        count = count_of(len({one.account for one in rest}), "account")
        yield f"  later, until {rest[-1].last}: regions of {count}; --json has them all"


def _listed(title: str, said: Sequence[str], width: int) -> Iterator[str]:
    if said:
        yield ""
        yield escape(title)
    for one in said:
        for line in one.split("\n"):
            yield from folded(line, width, "  ", "    ")
