"""What of an answer may be sent back: members that the service's own model takes."""

from __future__ import annotations

from typing import Any


def accepted(value: Any, shape: Any) -> Any:  # noqa: ANN401 - parsed JSON, and botocore has no types
    """A value without what a shape does not have, at any depth.

    Args:
        value: from an answer, as botocore parsed it.
        shape: botocore's model of what is to be sent.
    """
    if value is None:
        return None
    if shape.type_name == "structure":
        members = shape.members
        return {name: accepted(one, members[name]) for name, one in value.items() if name in members}
    if shape.type_name == "list":
        return [accepted(one, shape.member) for one in value]
    if shape.type_name == "map":
        return {key: accepted(one, shape.value) for key, one in value.items()}
    return value
