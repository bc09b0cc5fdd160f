"""The template without the CDK: `template.json` is the stack with symbols for values, and here they are filled in.

`tools/template.py` writes the file anew; a test fails when it is stale, and another when a filled template is not
what the CDK makes of the same values.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeAlias

from trailhouse.deploy.values import Values

if TYPE_CHECKING:
    from collections.abc import Mapping

Template: TypeAlias = dict[str, Any]

NAME = "template.json"
_SYMBOL = re.compile(r"<<([a-z_]+)>>")
_NO_VALUE = {"Ref": "AWS::NoValue"}
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Code:
    """Where the function's package lies.

    Attributes:
        bucket: in the region of the stack.
        key: of the object; another key is what makes CloudFormation take the new package.
    """

    bucket: str
    key: str


def symbol(name: str) -> str:
    """What stands for a value in the file."""
    return f"<<{name}>>"


def is_symbol(value: object) -> bool:
    """Whether it stands for a value."""
    return isinstance(value, str) and _SYMBOL.fullmatch(value) is not None


def symbols() -> tuple[Values, Code]:
    """Values and code with a symbol in each place.

    The CDK looks at numbers, and at yes or no, unless they are references: so their symbols are.
    """
    found: dict[str, Any] = {each.name: symbol(each.name) for each in fields(Values)}
    found |= {
        each.name: {"Ref": symbol(each.name)} for each in fields(Values) if each.type in {"int", "bool"}
    }
    found |= {"runner_statements": (symbol("runner_statements"),), "tags": ()}
    return Values(**found), Code(symbol("code_bucket"), symbol("code_key"))


def load() -> Template:
    """The template with its symbols, read-only: of a shared copy, fill it in."""
    return json.loads(_text())  # type: ignore[no-any-return]  # a JSON object, which a test makes sure of


@cache
def _text() -> str:
    return files("trailhouse.deploy").joinpath(NAME).read_text("utf-8")


def fill(values: Values, code: Code | None) -> Template:
    """The template of a configuration, as CloudFormation takes it.

    Args:
        values: of the configuration.
        code: where the package lies; None makes it two parameters of the template, `CodeBucket` and `CodeKey`.
    """
    raw = load()
    given = values.as_mapping()
    if code is None:
        given |= {"code_bucket": {"Ref": "CodeBucket"}, "code_key": {"Ref": "CodeKey"}}
        raw["Parameters"] = _PARAMETERS
    else:
        given |= {"code_bucket": code.bucket, "code_key": code.key}
    conditions = {name: _holds(each, given) for name, each in raw.pop("Conditions", {}).items()}
    raw["Resources"] = {
        name: {key: part for key, part in resource.items() if key != "Condition"}
        for name, resource in raw["Resources"].items()
        if conditions.get(resource.get("Condition"), True)
    }
    filled: Template = _filled(raw, given, conditions)
    return filled


_PARAMETERS = {
    "CodeBucket": {
        "Type": "String",
        "Description": "Bucket, in the region of the stack, that holds the package of the function "
        "(trailhouse template --package FILE writes the package)",
    },
    "CodeKey": {
        "Type": "String",
        "Description": "Key of the package there; a new package needs a new key, or the function keeps the old one",
    },
}


def _holds(condition: Any, given: Mapping[str, Any]) -> bool:  # noqa: ANN401 - JSON
    """Whether a condition holds; it is one value's being there or not."""
    if "Fn::Not" in condition:
        return not _holds(condition["Fn::Not"][0], given)
    first, second = (_value(each, given) for each in condition["Fn::Equals"])
    return bool(first == second)


def _filled(part: Any, given: Mapping[str, Any], conditions: Mapping[str, bool]) -> Any:  # noqa: ANN401 - JSON
    """A part of the template with values for symbols, and without what its condition rules out."""
    if isinstance(part, str):
        return _value(part, given)
    if isinstance(part, list):
        return [one for each in part for one in _spliced(_filled(each, given, conditions), each)]
    return _filled_object(part, given, conditions) if isinstance(part, dict) else part


def _filled_object(part: Mapping[str, Any], given: Mapping[str, Any], conditions: Mapping[str, bool]) -> Any:  # noqa: ANN401 - JSON
    if part == _NO_VALUE:
        return _MISSING
    if is_symbol(part.get("Ref")):
        return _value(part["Ref"], given)
    if "Fn::If" in part:
        name, then, otherwise = part["Fn::If"]
        return _filled(then if conditions[name] else otherwise, given, conditions)
    found = {key: _filled(each, given, conditions) for key, each in part.items()}
    return {key: each for key, each in found.items() if each is not _MISSING}


def _spliced(found: Any, symbol_of: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """An element of a list: nothing, itself, or the list that its symbol stands for."""
    if found is _MISSING:
        return []
    return found if isinstance(found, list) and is_symbol(symbol_of) else [found]


def _value(text: str, given: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """The value of a symbol, of its own type; symbols within a text as text."""
    whole = _SYMBOL.fullmatch(text)
    if whole:
        return given[whole[1]]
    return _SYMBOL.sub(lambda found: str(given[found[1]]), text)
