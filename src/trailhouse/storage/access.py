"""A source as the user names it, and the one thing that all sources have in common: none may overlap another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trailhouse.aws.access import Access
from trailhouse.errors import SourceError

if TYPE_CHECKING:
    from trailhouse.config import Settings, Source


@dataclass(frozen=True, slots=True)
class Location:
    """A source as the user names it, with the access that it needs.

    Attributes:
        uri: a folder, file, glob pattern, archive, `-`, or `s3://bucket/prefix`.
        access: how to reach it, where it is in S3.
    """

    uri: str
    access: Access = field(default_factory=Access)


def general_access(settings: Settings) -> Access:
    """The access to everything that has none of its own."""
    return Access(
        endpoint_url=settings.endpoint_url,
        profile=settings.profile,
        role_arn=settings.role_arn,
        external_id=settings.external_id,
        region=settings.region,
    )


def location(settings: Settings, source: Source) -> Location:
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
