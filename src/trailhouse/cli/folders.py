"""What lies in sources in S3 by their folders alone: seconds where a listing of every file takes hours."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from trailhouse.core.sizes import count_of
from trailhouse.errors import AwsError, UsageError
from trailhouse.output import escape
from trailhouse.output.progress import INTERVAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailhouse.cli.call import Call
    from trailhouse.core.deliveries import AccountFolder, Delivery, OddityCount
    from trailhouse.storage.discovery import Discovery

_S3 = "s3://"


class FolderDay(NamedTuple):
    """A day that has a folder, ready to print."""

    logroot: str
    account: str
    kind: str
    region: str
    day: str


class FolderSpan(NamedTuple):
    """The first and last day of a region, ready to print; the storage class of its oldest days if archived."""

    logroot: str
    account: str
    kind: str
    region: str
    first_day: str
    last_day: str
    archived: str


@dataclass(slots=True)
class Folders:
    """What was found.

    Attributes:
        deliveries: with at least a day, sorted by account.
        failed: accounts and sources that could not be listed, and why.
        oddities: what is no delivery.
        services: other services' folders, by name.
    """

    deliveries: list[Delivery] = field(default_factory=list)
    failed: list[tuple[str, AwsError]] = field(default_factory=list)
    oddities: tuple[OddityCount, ...] = ()
    services: tuple[tuple[str, int], ...] = ()

    def as_days(self) -> Iterator[FolderDay]:
        """A row a day."""
        for one in self.deliveries:
            for day in one.days:
                yield FolderDay(
                    one.folder.logroot, one.folder.account, str(one.kind), one.region, day.isoformat()
                )

    def as_spans(self) -> Iterator[FolderSpan]:
        """A row a region."""
        for one in self.deliveries:
            archived = ", ".join(part.storage_class for part in one.archived)
            place = one.folder.logroot, one.folder.account, str(one.kind), one.region
            yield FolderSpan(*place, one.days[0].isoformat(), one.days[-1].isoformat(), archived)

    def in_words(self) -> Iterator[str]:
        """The whole in a few lines: deliveries, and everything that is none."""
        accounts = {one.folder.account for one in self.deliveries}
        regions = {one.region for one in self.deliveries}
        yield f"logs of {count_of(len(accounts), 'account')} in {count_of(len(regions), 'region')}, by their folders"
        for service, count in self.services:
            yield f"{count_of(count, 'folder')} of another service: {escape(service)}"
        for found in self.oddities:
            if found.oddity.name != "SERVICE":
                named = ", ".join(map(escape, found.samples[:3]))
                yield f"{found.oddity} ({found.count:,}): {named}"

    def failures(self) -> Iterator[str]:
        """A line for each account and source that could not be listed."""
        for name, error in self.failed:
            yield f"{escape(name)} is left out: {error}"


def all_in_s3(call: Call) -> bool:
    """Whether no source is local. Raises ConfigError."""
    return all(source.uri.startswith(_S3) for source in call.settings.log_sources())


def find_folders(call: Call, *, ends: bool) -> Folders:
    """Look for the deliveries of the accounts, regions and days asked for.

    Args:
        call: with the sources; its window is that of events.
        ends: only the first and last day of each region, and few between.

    Raises:
        UsageError: a source is not in S3.
        AwsError: nothing can be listed.
    """
    from trailhouse.storage.discovery import Discovery  # noqa: PLC0415 - heavy

    if not all_in_s3(call):
        raise UsageError("--quick is for sources in S3; local ones are listed in no time without it")
    found = Folders()
    with Discovery(call.locations(), today=call.now.date(), ends=ends) as discovery:
        survey = discovery.survey()
        if survey.failed and not survey.folders:
            raise survey.failed[0][1]
        found.failed += survey.failed
        accounts = call.options.accounts
        folders = [folder for folder in survey.folders if not accounts or folder.account in accounts]
        _collect(call, discovery, folders, found)
        found.oddities, found.services = discovery.oddities, discovery.services
    return found


def _collect(call: Call, discovery: Discovery, folders: list[AccountFolder], found: Folders) -> None:
    needed = call.options.needed
    total, said = len({folder.account for folder in folders}), time.monotonic()
    for number, (account, outcome) in enumerate(discovery.each(folders, needed.first)):
        if isinstance(outcome, AwsError):
            found.failed.append((account, outcome))
            continue
        found.deliveries += filter(None, (_within(one, call) for one in outcome))
        if time.monotonic() - said >= INTERVAL:
            said = time.monotonic()
            call.console.note(f"{number + 1:,} of {count_of(total, 'account')}")


def _within(one: Delivery, call: Call) -> Delivery | None:
    """The part of a delivery that is asked for; None where there is none."""
    needed = call.options.needed
    days = tuple(day for day in one.days if needed.last is None or day <= needed.last)
    wanted = days and (not needed.regions or one.region in needed.regions)
    return replace(one, days=days) if wanted else None
