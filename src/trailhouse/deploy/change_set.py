"""A stack's changes before they are made: asked of CloudFormation, shown, and carried out.

See https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from trailhouse.core.sizes import count_of
from trailhouse.deploy.events import ASK, validations
from trailhouse.errors import AwsError, DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from trailhouse.aws.gate import Gate
    from trailhouse.deploy.code import CodeBucket

BODY_LIMIT = 51_200
"""Bytes of a template that a call carries itself; a larger one goes by S3
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html)."""

_NOTHING = ("didn't contain changes", "No updates are to be performed")
_PAUSE = 0.5
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]


class Act(StrEnum):
    """What happens to a resource; the value is how lines begin."""

    ADD = "+"
    MODIFY = "~"
    REPLACE = "-/+"
    MAYBE = "-/~"
    REMOVE = "-"
    IMPORT = "="
    OTHER = "?"


_WORDS = {
    Act.ADD: "to add", Act.MODIFY: "to change", Act.REPLACE: "to replace", Act.MAYBE: "to change or replace",
    Act.REMOVE: "to remove", Act.IMPORT: "to take over", Act.OTHER: "in another way",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What happens to one resource.

    Attributes:
        act: what.
        name: of the resource in the template.
        kind: its type, such as `AWS::Lambda::Function`.
        what: names of the properties and attributes that change, sorted; of a resource that is there.
        stays: it only leaves the stack, and is not deleted.
    """

    act: Act
    name: str
    kind: str
    what: tuple[str, ...] = ()
    stays: bool = False

    def __str__(self) -> str:
        what = f": {', '.join(self.what)}" if self.what else ""
        return f"{self.act} {self.kind} {self.name}{what}{' (it stays, outside of the stack)' if self.stays else ''}"


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """The changes of a stack, ready to be carried out.

    Attributes:
        id: ARN of the change set.
        stack_id: ARN of the stack.
        changes: sorted; none where only tags or outputs change.
    """

    id: str
    stack_id: str
    changes: tuple[ResourceChange, ...]


_ACTS = {"Add": Act.ADD, "Modify": Act.MODIFY, "Remove": Act.REMOVE, "Import": Act.IMPORT}


def change_of(found: Mapping[str, Any]) -> ResourceChange:
    """A change from CloudFormation's answer."""
    kind = _ACTS.get(found["Action"], Act.OTHER)
    if kind is Act.MODIFY:
        kind = {"True": Act.REPLACE, "Conditional": Act.MAYBE}.get(found.get("Replacement", ""), kind)
    targets = [detail.get("Target", {}) for detail in found.get("Details", ())]
    what = {target.get("Name") or target.get("Attribute", "") for target in targets} | {
        *found.get("Scope", ())
    }
    named = (
        {each for each in what if each and each != "Properties"}
        if kind not in {Act.ADD, Act.IMPORT}
        else set()
    )
    stays = kind is Act.REMOVE and found.get("PolicyAction") == "Retain"
    return ResourceChange(
        kind, found["LogicalResourceId"], found["ResourceType"], tuple(sorted(named)), stays
    )


def additions(template: Mapping[str, Any]) -> tuple[ResourceChange, ...]:
    """What a template adds where nothing is yet: CloudFormation is not asked.

    Args:
        template: without conditions.
    """
    return _sorted(ResourceChange(Act.ADD, name, one["Type"]) for name, one in template["Resources"].items())


def summary(changes: Iterable[ResourceChange]) -> str:
    """All changes in a line: `2 resources to add, 1 to replace`."""
    counts = Counter(change.act for change in changes)
    found = [(count, _WORDS[act]) for act in Act if (count := counts[act])]
    first = [f"{count_of(count, 'resource')} {words}" for count, words in found[:1]]
    return ", ".join([*first, *(f"{count} {words}" for count, words in found[1:])]) or "only tags or outputs"


def _sorted(changes: Iterable[ResourceChange]) -> tuple[ResourceChange, ...]:
    return tuple(sorted(changes, key=lambda change: (change.kind, change.name)))


# --- permissions ---------------------------------------------------------------------------------------------------


def permissions(template: Mapping[str, Any]) -> dict[str, frozenset[tuple[str, str]]]:
    """What each resource of a template that grants permissions grants: actions, and on what, as JSON.

    Args:
        template: of CloudFormation; may be empty.
    """
    found = {name: frozenset(_granted(each)) for name, each in template.get("Resources", {}).items()}
    return {name: grants for name, grants in found.items() if grants}


def _granted(part: object) -> Iterator[tuple[str, str]]:
    if isinstance(part, list):
        for each in part:
            yield from _granted(each)
    elif isinstance(part, dict):
        if "Effect" in part and "Action" in part:
            rest = {key: value for key, value in part.items() if key not in {"Action", "Sid"}}
            actions = part["Action"] if isinstance(part["Action"], list) else [part["Action"]]
            denies = "deny " if part["Effect"] == "Deny" else ""
            yield from ((f"{denies}{action}", json.dumps(rest, sort_keys=True)) for action in actions)
        else:
            for each in part.values():
                yield from _granted(each)


def permission_lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """How the permissions of two templates differ, a line a resource and direction.

    Args:
        before: the stack's template, empty where there is none.
        after: the new one.
    """
    old, new = permissions(before), permissions(after)
    none: frozenset[tuple[str, str]] = frozenset()
    for name in sorted({*old, *new}):
        gone, come = old.get(name, none) - new.get(name, none), new.get(name, none) - old.get(name, none)
        lost, gained = {action for action, _ in gone}, {action for action, _ in come}
        if gained - lost:
            yield f"+ {name}: {', '.join(sorted(gained - lost))}"
        if lost - gained:
            yield f"- {name}: {', '.join(sorted(lost - gained))}"
        if lost & gained:
            yield f"~ {name}, on other resources or conditions: {', '.join(sorted(lost & gained))}"


# --- at CloudFormation ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """What a change set is made from.

    Attributes:
        stack: name.
        name: of the change set, new each time.
        template: filled in.
        tags: of the stack and all that is in it.
        new: there is no stack yet.
    """

    stack: str
    name: str
    template: Mapping[str, Any]
    tags: Mapping[str, str]
    new: bool


def template_text(template: Mapping[str, Any]) -> str:
    """A template as CloudFormation is given it: small."""
    return json.dumps(template, separators=(",", ":"))


def create(
    gate: Gate, request: Request, bucket: CodeBucket, wait: Callable[[float], None] = time.sleep
) -> ChangeSet | None:
    """Have CloudFormation compute the changes; None where there are none.

    Args:
        gate: calls leave through it.
        request: what is wanted.
        bucket: where a template goes that is too large for the call.
        wait: sleeps that many seconds.

    Raises:
        DeploymentError: CloudFormation cannot make it.
        AwsError: a call is refused.
    """
    text = template_text(request.template)
    given: dict[str, Any] = {"TemplateBody": text}
    if len(text.encode()) > BODY_LIMIT:
        place = bucket.place("template", text.encode(), ".json")
        bucket.put(place, text.encode())
        given = {"TemplateURL": bucket.url(place)}
    made = gate.call(
        "cloudformation", "CreateChangeSet", StackName=request.stack, ChangeSetName=request.name,
        ChangeSetType="CREATE" if request.new else "UPDATE", Capabilities=_CAPABILITIES,
        Tags=[{"Key": key, "Value": value} for key, value in sorted(request.tags.items())],
        # What an earlier stack of this name left, as it had to, is taken over.
        ImportExistingResources=True, Description="trailhouse deploy", **given,
    )  # fmt: skip
    status, reason, changes = _settled(gate, made, wait)
    if status == "CREATE_COMPLETE":
        return ChangeSet(made["Id"], made["StackId"], changes)
    if ASK in reason:
        reason = "; ".join(validations(gate, ChangeSetName=made["Id"], StackName=made["StackId"])) or reason
    discard(gate, made["Id"], made["StackId"])
    if any(words in reason for words in _NOTHING):
        return None
    raise DeploymentError(f"CloudFormation makes no change set for the stack {request.stack}: {reason}")


def _settled(
    gate: Gate, made: Mapping[str, Any], wait: Callable[[float], None]
) -> tuple[str, str, tuple[ResourceChange, ...]]:
    """Status, reason and changes of a change set, once CloudFormation is done with it."""
    while True:
        pages = _described(gate, made)
        status, reason = pages[0]["Status"], pages[0].get("StatusReason", "")
        if status in {"CREATE_COMPLETE", "FAILED"}:
            found = [change_of(each["ResourceChange"]) for page in pages for each in page.get("Changes", ())]
            return status, reason, _sorted(found)
        wait(_PAUSE)


def _described(gate: Gate, made: Mapping[str, Any]) -> list[dict[str, Any]]:
    # The stack is named, too, for permissions are on stacks.
    pages = gate.pages(
        "cloudformation", "DescribeChangeSet", ChangeSetName=made["Id"], StackName=made["StackId"]
    )
    return list(pages)


def execute(gate: Gate, change_set: ChangeSet) -> None:
    """Have CloudFormation begin with the changes; what a first one that fails has made, goes. Raises AwsError."""
    gate.call(
        "cloudformation", "ExecuteChangeSet", ChangeSetName=change_set.id, StackName=change_set.stack_id,
        RetainExceptOnCreate=True,
    )  # fmt: skip


def discard(gate: Gate, change_set: str, stack: str) -> None:
    """Delete a change set that is not carried out.

    Args:
        gate: calls leave through it.
        change_set: its ARN.
        stack: that it belongs to.

    Raises:
        AwsError: the call is refused.
    """
    gate.call("cloudformation", "DeleteChangeSet", ChangeSetName=change_set, StackName=stack)


def template_of(gate: Gate, stack: str) -> dict[str, Any]:
    """The template of a stack as it was given; empty where it is none of ours or cannot be read. Raises AwsError."""
    try:
        found = gate.call("cloudformation", "GetTemplate", StackName=stack, TemplateStage="Original")[
            "TemplateBody"
        ]
    except AwsError as error:
        if error.code == "ValidationError":
            return {}
        raise
    return dict(found) if isinstance(found, dict) else dict(json.loads(found))
