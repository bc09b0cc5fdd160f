"""What plan, apply, ddl and destroy work on, opened from the settings."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from trailhouse.aws.gate import Gate
from trailhouse.catalog.aim import Aim
from trailhouse.catalog.glue import GlueCatalog
from trailhouse.errors import SourceError
from trailhouse.storage.access import AccessSettings, general_access, location
from trailhouse.storage.discovery import Discovery
from trailhouse.storage.listing import S3Lister

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from trailhouse.aws.session import Call
    from trailhouse.storage.access import SourceSettings

_S3 = "s3://"
_LISTED = "cloudtrail"  # the service whose regions are taken for all that exist


class CatalogSettings(AccessSettings, Protocol):
    """What of the settings decides about the catalog: `config.Settings`, or what the nightly run carries of them."""

    @property
    def database(self) -> str:
        """Of all tables and views."""
        ...

    @property
    def table_prefix(self) -> str:
        """Name of the main table and beginning of the others."""
        ...

    @property
    def tables(self) -> str:
        """`auto`, `per_account` or `single`."""
        ...

    @property
    def partitions(self) -> str:
        """`registered` or `projected`."""
        ...

    @property
    def partition_days(self) -> int:
        """Days back of which partitions are made at first."""
        ...

    def log_sources(self) -> Sequence[SourceSettings]:
        """The sources to read. Raises ConfigError when there are none."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """The catalog of the settings.

    Attributes:
        catalog: the database in Glue.
        gate: what its calls pass.
    """

    catalog: GlueCatalog
    gate: Gate
    database: str

    @property
    def place(self) -> str:
        """The database's ARN; asks who the caller is. Raises AwsError."""
        gate = self.gate
        return f"arn:{gate.partition}:glue:{gate.region}:{gate.account()}:database/{self.database}"


def open_catalog(settings: CatalogSettings, record: Callable[[Call], None] | None = None) -> Opened:
    """Open the catalog; no call is made.

    Args:
        settings: database, prefix, access, region.
        record: hears of every call to the catalog.

    Raises:
        CredentialsError: there is no such profile.
        UsageError: no region is set.
    """
    gate = Gate(general_access(settings), record=record)
    return Opened(GlueCatalog(gate, settings.database, settings.table_prefix), gate, settings.database)


@contextmanager
def open_sources(
    settings: CatalogSettings, today: date, command: str, record: Callable[[Call], None] | None = None
) -> Iterator[Discovery]:
    """Open the sources to find out what is delivered; no call is made.

    Args:
        settings: sources and access.
        today: the current day, UTC.
        command: for whom, to say so.
        record: hears of every call to the sources.

    Raises:
        ConfigError: no source is given.
        SourceError: a source is not in S3.
        CredentialsError: there is no such profile.
    """
    sources = settings.log_sources()
    local = [source.uri for source in sources if not source.uri.startswith(_S3)]
    if local:
        raise SourceError(
            f"`trailhouse {command}` is about logs in S3, and {local[0]} is on this machine: its files need no "
            "catalog, `trailhouse query` reads them as they are; for logs in S3 name --source s3://BUCKET/PREFIX"
        )
    places, lister = [location(settings, source) for source in sources], partial(S3Lister, record=record)
    with Discovery(places, today=today, lister=lister) as discovery:
        yield discovery


def aim_of(
    settings: CatalogSettings,
    today: date,
    regions: Sequence[str],
    *,
    everything: bool = False,
    targets: Sequence[str] = (),
    allow_deletes: bool = False,
) -> Aim:
    """What the settings and the command ask for.

    Args:
        settings: names, shape, days back.
        today: the current day, UTC.
        regions: those that exist, see `known_regions`.
        everything: all days that there are.
        targets: only these accounts.
        allow_deletes: also where much is taken away.
    """
    return Aim(
        settings.database,
        settings.table_prefix,
        today,
        tables=settings.tables,
        projected=settings.partitions == "projected",
        days=None if everything else settings.partition_days,
        regions=tuple(regions),
        targets=tuple(dict.fromkeys(targets)),
        allow_deletes=allow_deletes,
    )


def known_regions(gate: Gate) -> tuple[str, ...]:
    """The regions of the gate's partition that are known here, sorted; no call is made. Raises UsageError."""
    return tuple(sorted(gate.session.get_available_regions(_LISTED, partition_name=gate.partition)))
