"""A source as the user names it, and the one thing that all sources have in common: none may overlap another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from trailhouse.aws.access import Access
from trailhouse.errors import SourceError


class AccessSettings(Protocol):
    """What of the settings says how to reach AWS; each means what `Access` says of it."""

    @property
    def endpoint_url(self) -> str | None:  # noqa: D102 - as the class says
        ...

    @property
    def profile(self) -> str | None:  # noqa: D102 - likewise
        ...

    @property
    def role_arn(self) -> str | None:  # noqa: D102 - likewise
        ...

    @property
    def external_id(self) -> str | None:  # noqa: D102 - likewise
        ...

    @property
    def region(self) -> str | None:  # noqa: D102 - likewise
        ...


class SourceSettings(AccessSettings, Protocol):
    """What the settings say of one source: its address, and the access that is its own."""

    @property
    def uri(self) -> str:  # noqa: D102 - as the class says
        ...

    @property
    def expected_bucket_owner(self) -> str | None:  # noqa: D102 - likewise
        ...

    @property
    def requester_pays(self) -> bool:  # noqa: D102 - likewise
        ...


@dataclass(frozen=True, slots=True)
class Location:
    """A source as the user names it, with the access that it needs.

    Attributes:
        uri: a folder, file, glob pattern, archive, `-`, or `s3://bucket/prefix`.
        access: how to reach it, where it is in S3.
    """

    uri: str
    access: Access = field(default_factory=Access)


def general_access(settings: AccessSettings) -> Access:
    """The access to everything that has none of its own."""
    return Access(
        endpoint_url=settings.endpoint_url,
        profile=settings.profile,
        role_arn=settings.role_arn,
        external_id=settings.external_id,
        region=settings.region,
    )


def location(settings: AccessSettings, source: SourceSettings) -> Location:
    """A source with its own access, or that of all."""
    own_role = source.role_arn is not None
    access = Access(
        endpoint_url=source.endpoint_url or settings.endpoint_url,
        profile=source.profile or settings.profile,
        role_arn=source.role_arn or settings.role_arn,
        external_id=source.external_id or (None if own_role else settings.external_id),
        region=source.region or settings.region,
        requester_pays=source.requester_pays,
        expected_owner=source.expected_bucket_owner,
    )
    return Location(source.uri, access)


def overlap(first: str, second: str) -> SourceError:
    """The error for two sources that share objects."""
    if first == second:
        return SourceError(f"source {first} is given twice: give it once")
    return SourceError(
        f"sources {first} and {second} overlap, so objects would count twice: "
        "give only one of them, or parts that share nothing"
    )
