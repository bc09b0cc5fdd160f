"""What a service's own model says of a request: members, lengths, patterns, bounds. Nothing is listed by hand."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import botocore.session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.model import OperationModel, ServiceModel, Shape

    Check = Callable[[Any, str], Iterator[str]]

# The documentation counts these in bytes; the model's bound is the same number.
IN_BYTES = {"ParametersMapValue", "ViewTextString"}
_SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "long": (int,), "double": (float, int), "float": (float, int),
    "boolean": (bool,), "timestamp": (float, int, str), "blob": (str,),
}  # fmt: skip


@functools.cache
def service(name: str) -> ServiceModel:
    """The model of a service, as the installed botocore has it."""
    return botocore.session.get_session().get_service_model(name)


def faults(operation: OperationModel, parameters: Any) -> list[str]:
    """What is wrong with a request; empty if nothing is."""
    shape = operation.input_shape
    return [] if shape is None else list(_check(shape)(parameters, ""))


def shape_faults(service_name: str, shape: str, value: Any, path: str) -> list[str]:
    """The same for one shape of a service."""
    return list(_check(service(service_name).shape_for(shape))(value, path))


_CHECKS: dict[tuple[int, str], Check] = {}


def _check(shape: Shape) -> Check:
    """The check of a shape; made once. Shapes may contain themselves, so members are looked up late."""
    key = (id(shape._shape_resolver._shape_map), shape.name)
    if key not in _CHECKS:
        kind = shape.type_name
        _CHECKS[key] = {"structure": _structure, "list": _list, "map": _map}.get(kind, _scalar)(shape)
    return _CHECKS[key]


def _structure(shape: Any) -> Check:
    members = dict(shape.members)
    names = {member: member[:1].lower() + member[1:] for member in members}

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"Value at '{path}' must be a structure"
            return
        for required in shape.required_members:
            if value.get(required) is None:
                where = _below(path, names[required])
                yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
        for name, item in value.items():
            if name not in members:
                yield f"Unknown member '{_below(path, name)}'"
            elif item is not None:
                yield from _check(members[name])(item, _below(path, names[name]))

    return check


def _list(shape: Any) -> Check:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"Value at '{path}' must be a list"
            return
        yield from _bounds(len(value), low, high, path, "have length")
        member = _check(shape.member)
        for number, item in enumerate(value, 1):
            yield from member(item, f"{path}.{number}.member")

    return check


def _map(shape: Any) -> Check:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"Value at '{path}' must be a map"
            return
        yield from _bounds(len(value), low, high, path, "have length")
        for key, item in value.items():
            yield from _check(shape.key)(key, f"{path}.key")
            if item is not None:
                yield from _check(shape.value)(item, f"{path}.{key[:60]}.value")

    return check


def _scalar(shape: Any) -> Check:
    types = _SCALARS[shape.type_name]
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    pattern = _pattern(shape.metadata.get("pattern"))
    allowed = frozenset(shape.metadata.get("enum") or ())
    text, in_bytes = shape.type_name == "string", shape.name in IN_BYTES

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            yield f"Value at '{path}' must be of type {shape.type_name}"
            return
        if text:
            length = len(value.encode("utf-8", "surrogatepass")) if in_bytes else len(value)
            yield from _bounds(length, low, high, path, "have length")
            if pattern and not pattern.fullmatch(value):
                yield f"Value at '{path}' failed to satisfy constraint: Member must satisfy regular expression pattern"
            if allowed and value not in allowed:
                yield f"Value at '{path}' failed to satisfy constraint: Member must satisfy enum value set"
        elif low is not None or high is not None:
            yield from _bounds(value, low, high, path, "have value")

    return check


def _bounds(size: float, low: float | None, high: float | None, path: str, what: str) -> Iterator[str]:
    said = f"Value at '{path}' failed to satisfy constraint: Member must {what}"
    if low is not None and size < low:
        yield f"{said} greater than or equal to {low}"
    if high is not None and size > high:
        yield f"{said} less than or equal to {high}"


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _pattern(text: str | None) -> re.Pattern[str] | None:
    """The model's patterns are Java's: surrogates are written in pairs, and classes by Unicode property."""
    if text is None or r"\p{" in text:  # only transaction ids have a property in theirs
        return None
    return re.compile(text.replace(r"\uD800\uDC00-\uDBFF\uDFFF", "\U00010000-\U0010ffff"))
