"""What outlives its stack: a bucket with a name without variables, so that the next stack takes it over.

CloudFormation only does that for static names
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEPT = {"Retain", "RetainExceptOnCreate"}
_BUCKET = "AWS::S3::Bucket"
"""The type of all that is kept."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stack is.

    Attributes:
        partition: `aws`, `aws-us-gov`, `aws-cn`.
        region: of the stack.
        account: likewise.
    """

    partition: str
    region: str
    account: str


def is_kept(resource: Mapping[str, Any]) -> bool:
    """Whether a resource of a template stays when its stack goes."""
    return resource.get("DeletionPolicy") in _KEPT


def static(template: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """The template with names instead of variables where a bucket outlives the stack.

    Args:
        template: filled in.
        place: where the stack is.
    """
    resources: Mapping[str, Mapping[str, Any]] = template["Resources"]
    return {**template, "Resources": {name: _with_name(one, place) for name, one in resources.items()}}


def _with_name(resource: Mapping[str, Any], place: Place) -> Mapping[str, Any]:
    """A resource; a bucket that is kept has its name written out, where that is made of the place alone."""
    if not is_kept(resource) or resource["Type"] != _BUCKET:
        return resource
    properties = resource.get("Properties", {})
    given = properties.get("BucketName")
    name = _written_out(given.get("Fn::Sub"), place) if isinstance(given, dict) else ""
    return {**resource, "Properties": {**properties, "BucketName": name}} if name else resource


def _written_out(text: object, place: Place) -> str:
    """A name without variables; "" where it has others than those of the place."""
    if not isinstance(text, str):
        return ""
    for variable, known in (
        ("Partition", place.partition),
        ("Region", place.region),
        ("AccountId", place.account),
    ):
        text = text.replace(f"${{AWS::{variable}}}", known)
    return "" if "${" in text else text
