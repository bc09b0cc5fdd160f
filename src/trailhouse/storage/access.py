"""How to reach S3, and the one thing that all sources have in common: none may overlap another."""

from dataclasses import dataclass

from trailhouse.errors import SourceError


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach S3.

    Attributes:
        endpoint_url: of another server that speaks S3, or None.
        profile: of the shared AWS configuration, or None.
        role_arn: to assume first, or None.
        external_id: that the role demands, or None.
        region: or None for the configured one.
        requester_pays: the reader pays for requests to the bucket.
        expected_owner: account that must own the bucket, or None.
    """

    endpoint_url: str | None = None
    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    region: str | None = None
    requester_pays: bool = False
    expected_owner: str | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """A source as the user names it, with the access that it needs.

    Attributes:
        uri: a folder, file, glob pattern, archive, `-`, or `s3://bucket/prefix`.
        access: how to reach it, where it is in S3.
    """

    uri: str
    access: Access = Access()


def overlap(first: str, second: str) -> SourceError:
    """The error for two sources that share objects."""
    if first == second:
        return SourceError(f"source {first} is given twice: give it once")
    return SourceError(
        f"sources {first} and {second} overlap, so objects would count twice: "
        "give only one of them, or parts that share nothing"
    )
