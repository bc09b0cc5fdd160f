"""A source as the user names it, and the one thing that all sources have in common: none may overlap another."""

from dataclasses import dataclass, field

from trailhouse.aws.access import Access
from trailhouse.errors import SourceError


@dataclass(frozen=True, slots=True)
class Location:
    """A source as the user names it, with the access that it needs.

    Attributes:
        uri: a folder, file, glob pattern, archive, `-`, or `s3://bucket/prefix`.
        access: how to reach it, where it is in S3.
    """

    uri: str
    access: Access = field(default_factory=Access)


def overlap(first: str, second: str) -> SourceError:
    """The error for two sources that share objects."""
    if first == second:
        return SourceError(f"source {first} is given twice: give it once")
    return SourceError(
        f"sources {first} and {second} overlap, so objects would count twice: "
        "give only one of them, or parts that share nothing"
    )
