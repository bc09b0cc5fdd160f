"""What outlives its stack: it has names without variables, so that the next stack takes it over.

CloudFormation only does that for static names
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEPT = {"Retain", "RetainExceptOnCreate"}
_NAMES = {
    "AWS::S3::Bucket": "BucketName",
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::Logs::LogGroup": "LogGroupName",
}
"""By type, the property that identifies it."""


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
    """The template with names instead of variables where something outlives the stack.

    Args:
        template: filled in.
        place: where the stack is.
    """
    resources: Mapping[str, Mapping[str, Any]] = template["Resources"]
    names = {name: found for name, one in resources.items() if (found := _name(one, place))}
    return {
        **template,
        "Resources": {name: _with_name(one, names, names.get(name, "")) for name, one in resources.items()},
    }


def _name(resource: Mapping[str, Any], place: Place) -> str:
    """The name of what outlives the stack, where it is made of the place alone."""
    key = _NAMES.get(resource["Type"], "")
    value = resource.get("Properties", {}).get(key)
    if not is_kept(resource) or not isinstance(value, dict) or not isinstance(value.get("Fn::Sub"), str):
        return ""
    text: str = value["Fn::Sub"]
    for variable, known in (
        ("Partition", place.partition),
        ("Region", place.region),
        ("AccountId", place.account),
    ):
        text = text.replace(f"${{AWS::{variable}}}", known)
    return "" if "${" in text else text


def _with_name(resource: Mapping[str, Any], names: Mapping[str, str], own: str) -> Mapping[str, Any]:
    """A resource with its own name, or with that of the one that it belongs to."""
    key = _NAMES.get(resource["Type"], "")
    properties = resource.get("Properties", {})
    if own:
        return {**resource, "Properties": {**properties, key: own}}
    value = properties.get(key)
    of = value.get("Ref", "") if isinstance(value, dict) else ""
    if not is_kept(resource) or of not in names:
        return resource
    return {**resource, "Properties": {**properties, key: names[of]}, "DependsOn": [of]}
