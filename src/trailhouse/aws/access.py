"""How to reach AWS: no client yet, only what one is made from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach AWS.

    Attributes:
        endpoint_url: of another server that speaks for AWS, or None.
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


def partition_of(region: str) -> str:
    """The partition that a region lies in; an unknown one by how its name begins."""
    begins = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b"}
    return next((name for start, name in begins.items() if region.startswith(start)), "aws")
