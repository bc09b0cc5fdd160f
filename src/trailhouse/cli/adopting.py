"""Agreeing to replace what is not ours: by its count, typed or given, never by --yes alone."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trailhouse.core.sizes import count_of
from trailhouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailhouse.catalog.aim import Aim
    from trailhouse.catalog.opening import Opened
    from trailhouse.cli.call import Call
    from trailhouse.cli.planning import Flow
    from trailhouse.core.plan import Tally
    from trailhouse.storage.discovery import Discovery


def agreed(call: Call, tally: Tally, given: int | None) -> bool:
    """Whether the tables that a plan takes over may be replaced; True where it takes none over.

    Args:
        call: who can answer.
        tally: of the plan.
        given: `--adopt-count`.

    Raises:
        UsageError: the count given is another, or is missing where nobody can type it.
    """
    count = tally.taken_over
    tables = count_of(count, "table")
    if given is not None:
        if given != count:
            raise UsageError(
                f"--adopt-count {given}: the plan replaces {tables} that trailhouse did not make"
            )
        return True
    if not count:
        return True
    if call.no_input or not sys.stdin.isatty():
        raise UsageError(
            f"{tables} that trailhouse did not make would be replaced, and --yes does not cover that: read the plan, "
            f"then say --adopt-count {count}"
        )
    call.console.note(f"{tables} that trailhouse did not make will be replaced. Type their number to go on:")
    return sys.stdin.readline().strip().replace(",", "") == str(count)


@contextmanager
def open_flow(
    call: Call, opened: Opened, aim: Aim, command: str, *, adopt: bool = False, undo: bool = False
) -> Iterator[tuple[Flow, Discovery | None]]:
    """What makes the plan, and the sources that it looks at, if any.

    Args:
        call: settings.
        opened: the catalog.
        aim: what is asked for.
        command: for whom, to say so.
        adopt: take over what is the predecessor's.
        undo: give it back; no source is looked at.

    Raises:
        ConfigError: no source is given.
        SourceError: a source is not in S3.
        CredentialsError: there is no such profile.
    """
    from trailhouse.catalog.adoption import Adoption  # noqa: PLC0415 - boto3 is heavy
    from trailhouse.catalog.opening import open_sources  # noqa: PLC0415 - likewise
    from trailhouse.catalog.undo import Undo  # noqa: PLC0415 - likewise

    if undo:
        yield Undo(opened.catalog, aim.prefix), None
        return
    with open_sources(call.settings, aim.today, command) as discovery:
        yield Adoption(opened.catalog, discovery, aim, adopt=adopt), discovery
