"""Athena or Trino for programs: `trailhouse.connect`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.core.prices import PRICE_PER_TB
from trailhouse.core.sizes import parse_size
from trailhouse.engine.trino import Server
from trailhouse.errors import UsageError
from trailhouse.options import Options, When, duration, moment, texts
from trailhouse.remote import AthenaDoor, Remote, TrinoDoor, athena_door, trino_door
from trailhouse.unregistered import Unregistered

if TYPE_CHECKING:
    from collections.abc import Sequence


def connect(  # noqa: PLR0913 - keywords, each of them optional
    engine: Literal["athena", "trino"] = "athena", *,
    database: str = "default", workgroup: str = "primary", output_s3_bucket: str = "default",
    since: When = None, until: When = None, accounts: Sequence[str] = (), regions: Sequence[str] = (),
    late: timedelta | str = timedelta(days=1), max_scan: int | str | None = None,
    price_per_tb: Decimal | float = PRICE_PER_TB,
    trino_url: str | None = None, trino_catalog: str = "awsdatacatalog", trino_user: str = "trailhouse",
    profile: str | None = None, role_arn: str | None = None, external_id: str | None = None,
    aws_region: str | None = None, endpoint_url: str | None = None,
) -> Remote:  # fmt: skip
    """Logs that are asked where they are; nothing is called before it is needed.

    Args:
        engine: What answers: `athena`, or `trino`, which needs `trino_url` and the extra `trino`.
        database: Of the tables.
        workgroup: Athena's.
        output_s3_bucket: For Athena's results, where the workgroup does not say.
        since: Events from then on, as `trailhouse.open` takes it.
        until: Events before then.
        accounts: Accounts; empty: all.
        regions: Region folders; empty: all.
        late: How long after an event its file may have been delivered.
        max_scan: Bytes that a statement may read at most, or text such as `10GB`.
        price_per_tb: What Athena charges for a terabyte, in US dollars.
        trino_url: Trino's server.
        trino_catalog: Its catalog that holds the database.
        trino_user: Who asks.
        profile: Of the AWS configuration.
        role_arn: Role to assume.
        external_id: That the role asks for.
        aws_region: Of the AWS services.
        endpoint_url: A server that speaks for AWS.

    Raises:
        UsageError: The window is empty, no Trino is named, or a value cannot be read.
        CredentialsError: There is no such profile.
    """
    now = datetime.now(UTC)  # noqa: TID251 - the library is called where the command line is not
    options = Options(moment(since, now), moment(until, now), texts(accounts), texts(regions), duration(late))
    gate = Gate(Access(endpoint_url, profile, role_arn, external_id, aws_region))
    door: AthenaDoor | TrinoDoor
    if engine == "athena":
        per_tb = Decimal(str(price_per_tb))
        door = athena_door(
            gate, database=database, workgroup=workgroup, output_bucket=output_s3_bucket, per_tb=per_tb, now=now
        )  # fmt: skip
    else:
        server = Server(trino_url, trino_catalog, trino_user) if trino_url else None
        door = trino_door(server, database=database, gate=gate, now=now)
    return opened(door, gate, options, now=now, max_scan=_bytes(max_scan))


def opened(
    door: AthenaDoor | TrinoDoor,
    gate: Gate,
    options: Options,
    *,
    now: datetime,
    max_scan: int | None,
    sources: Sequence[str] = (),
) -> Remote:
    """An engine elsewhere with its limit, and what explains its empty answers."""
    known = door.definitions
    unregistered = None if known is None else Unregistered(gate, known, options.scope, now)
    return Remote(door, options, now=now, max_scan=max_scan, unregistered=unregistered, sources=sources)


def _bytes(given: int | str | None) -> int | None:
    try:
        return parse_size(given) if isinstance(given, str) else given
    except ValueError as error:
        raise UsageError(f"max_scan: {error}") from None
