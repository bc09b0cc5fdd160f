"""A deployment, step by step: looked at beforehand, proposed, carried out."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from trailhouse.aws.gate import Gate
from trailhouse.core.sizes import format_size
from trailhouse.deploy import change_set as changes
from trailhouse.deploy.code import CodeBucket
from trailhouse.deploy.events import ASK, Event, cause, follow, newest, since, validations
from trailhouse.deploy.kept import Place, static
from trailhouse.deploy.package import HANDLER, Package, build
from trailhouse.deploy.stack_status import Next, Stack, explanation, find, next_step, refuse_other
from trailhouse.deploy.template import Code, fill
from trailhouse.deploy.values import nightly_settings, refuse_topic_elsewhere, values_of
from trailhouse.errors import AccessDeniedError, ConfigError, DeploymentError, NotFoundError
from trailhouse.storage.access import general_access, location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from trailhouse.config import Settings, Source
    from trailhouse.deploy.change_set import ChangeSet, ResourceChange

    Say = Callable[[Event], object]

_DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
_AFTER = {
    "ROLLBACK_COMPLETE": "What was made is taken away again. Mend the cause and run `trailhouse deploy` again: "
    "it removes the empty stack and makes it anew",
    "UPDATE_ROLLBACK_COMPLETE": "All is as it was before. Mend the cause and run `trailhouse deploy` again",
}
_S3 = "s3://"
_TEMPLATE = re.compile(r"/template-[0-9a-f]{64}\.json\Z")
_PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a deployment would do.

    Attributes:
        changes: of resources, sorted.
        permissions: how what is granted changes, as lines.
        change_set: that carries it out; None: the stack's template and tags stay as they are, or there is no stack.
        protection: whether the stack is protected from deletion afterwards; None: that stays as it is.
        dry: it was only foreseen, and is not carried out.
    """

    changes: tuple[ResourceChange, ...]
    permissions: tuple[str, ...]
    change_set: ChangeSet | None
    protection: bool | None = None
    dry: bool = False


class Deployment:
    """A deployment of the nightly run of some settings.

    Attributes:
        gate: calls leave through it.
        bucket: where the code goes.
        name: of the stack.
    """

    def __init__(
        self,
        settings: Settings,
        now: datetime,
        *,
        handler: str = HANDLER,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Make no call yet.

        Args:
            settings: what is deployed.
            now: the current time, UTC: names the change set.
            handler: module that Lambda calls.
            wait: sleeps that many seconds.

        Raises:
            ConfigError: a setting is missing or is nothing for a nightly run.
            CredentialsError: there is no such profile.
        """
        self._settings, self._now, self._handler, self._wait = settings, now, handler, wait
        self.values = values_of(settings)
        self.gate = Gate(general_access(settings))
        self.name = settings.stack
        self.bucket = CodeBucket(self.gate, self.name)

    @property
    def place(self) -> str:
        """Account and region, for people. Raises AwsError."""
        return f"{self.gate.account()}, {self.gate.region}"

    def check(self) -> Iterator[str]:
        """Look whether what is deployed could work; what may be wrong, as sentences.

        Raises:
            ConfigError: a bucket or topic does not exist, or the topic lies elsewhere.
            AwsError: AWS cannot be asked at all.
        """
        self.gate.account()
        for source in self._settings.log_sources():
            yield from self._check_source(source)
        if self.values.topic:
            yield from self._check_topic(self.values.topic)

    def _check_source(self, source: Source) -> Iterator[str]:
        bucket, _, prefix = source.uri.removeprefix(_S3).partition("/")
        access = location(self._settings, source).access
        given: dict[str, Any] = (
            {"ExpectedBucketOwner": access.expected_owner} if access.expected_owner else {}
        )
        if access.requester_pays:
            given["RequestPayer"] = "requester"
        try:
            found = Gate(access).call("s3", "ListObjectsV2", Bucket=bucket, Prefix=prefix, MaxKeys=1, **given)
        except NotFoundError as error:
            key = "sources" if self._settings.sources else "s3_bucket_containing_logs"
            place = self._settings.origin(key).place
            raise ConfigError(
                f"{place}: {source.uri}: there is no bucket {bucket}: check the name"
            ) from error
        except AccessDeniedError as error:
            yield f"{source.uri} was not looked at, which the nightly run has to do with a role of its own: {error}"
        else:
            if not found.get("KeyCount"):
                yield f"nothing lies in {source.uri}: the nightly run finds what is delivered there later"

    def _check_topic(self, topic: str) -> Iterator[str]:
        refuse_topic_elsewhere(self._settings, self.values, self.gate.region)
        try:
            self.gate.call("sns", "GetTopicAttributes", TopicArn=topic)
        except NotFoundError as error:
            place = self._settings.origin("alarm_sns_arn").place
            raise ConfigError(
                f"{place}: there is no topic {topic}: check alarm_sns_arn, or leave it out"
            ) from error
        except AccessDeniedError as error:
            yield f"the topic could not be looked at: {error}"

    @cached_property
    def package(self) -> Package:
        """The package. Raises DeploymentError."""
        return build(nightly_settings(self._settings).to_json(), handler=self._handler)

    @cached_property
    def code(self) -> Code:
        """Where the package goes. Raises AwsError, DeploymentError."""
        return self.bucket.place("code", self.package.body, ".zip")

    @cached_property
    def template(self) -> dict[str, Any]:
        """What is deployed. Raises AwsError, DeploymentError."""
        place = Place(self.gate.partition, self.gate.region, self.gate.account())
        return static(fill(self.values, self.code), place)

    def package_line(self) -> str:
        """The package in a line. Raises DeploymentError."""
        found = self.package
        return (
            f"package: {len(found.files):,} files, {format_size(len(found.body))} zipped, "
            f"{format_size(found.unzipped)} unzipped, SHA-256 {found.sha256}"
        )

    def stack(self, say: Say) -> Stack | None:
        """The stack, once nobody is at work on it; None: there is none.

        Args:
            say: hears of the events of an operation that is under way.

        Raises:
            DeploymentError: it is a stack of something else.
            AwsError: CloudFormation cannot be asked.
        """
        return settled(self.gate, self.name, say, self._wait)

    def remove_dead(self, stack: Stack, say: Say) -> None:
        """Remove a stack that can only be made anew. Raises AwsError, DeploymentError."""
        remove_stack(self.gate, stack, say, self._wait)

    def propose(self, stack: Stack | None, *, dry: bool) -> Proposal | None:
        """What would change; None: nothing. Nothing is changed by it.

        Args:
            stack: as it is.
            dry: leave nothing behind, for it will not be carried out.

        Raises:
            DeploymentError: the stack cannot be changed as it is, or CloudFormation refuses the template.
            AwsError: a call is refused.
        """
        new = next_step(stack) is Next.CREATE
        if stack is not None and next_step(stack) is Next.STUCK:
            raise DeploymentError(explanation(stack))
        before: Mapping[str, Any] = {} if stack is None or new else changes.template_of(self.gate, stack.id)
        permissions = tuple(changes.permission_lines(before, self.template))
        wanted = self._settings.termination_protection
        protection = None if wanted == (stack is not None and stack.protected) else wanted
        if new and dry:
            return Proposal(changes.additions(self.template), permissions, None, protection, dry)
        self._make_way(dry=dry)
        request = changes.Request(
            self.name, f"trailhouse-{self._now:%Y%m%dT%H%M%SZ}", self.template, self._settings.tags, new
        )
        try:
            made = changes.create(self.gate, request, self.bucket, self._wait)
        except DeploymentError:
            if stack is None:
                self._forget()
            raise
        if made is None:
            return None if protection is None else Proposal((), (), None, protection, dry)
        if dry:
            changes.discard(self.gate, made.id, made.stack_id)
            self._tidy()
        return Proposal(made.changes, permissions, made, protection, dry)

    def _make_way(self, *, dry: bool) -> None:
        """See to the bucket where the template is too large for the call. Raises DeploymentError, AwsError."""
        if len(changes.template_text(self.template).encode()) <= changes.BODY_LIMIT:
            return
        if not dry:
            self.bucket.make(self._settings.tags)
        elif not self.bucket.exists():
            raise DeploymentError(
                f"the template has to go by the bucket {self.bucket.name}, which is gone: `trailhouse deploy` makes "
                "it anew, --dry-run makes nothing"
            )

    def decline(self, proposal: Proposal, stack: Stack | None) -> None:
        """Leave everything as it was. Raises AwsError."""
        if proposal.change_set is not None and not proposal.dry:
            changes.discard(self.gate, proposal.change_set.id, proposal.change_set.stack_id)
            if stack is None:
                self._forget()
        self._tidy()

    def _tidy(self) -> None:
        """Remove the template that a change set was made from, and the bucket if it is empty then. Raises AwsError."""
        if self.bucket.exists():
            self.bucket.clear(keep=[key for key in self.bucket.listed() if not _TEMPLATE.search(key)])
            self.bucket.remove()

    def _forget(self) -> None:
        """Remove the empty stack that CloudFormation makes for a change set to belong to. Raises AwsError."""
        found = find(self.gate, self.name)
        if found is not None and next_step(found) is Next.CREATE:
            self.gate.call("cloudformation", "DeleteStack", StackName=found.id)

    def carry_out(self, proposal: Proposal, say: Say) -> Stack:
        """Make the changes, follow them to the end, see to termination protection; the stack as it is then.

        Raises:
            DeploymentError: it failed; says what failed first, and what became of the stack.
            AwsError: a call is refused.
        """
        if proposal.dry:
            raise DeploymentError("this was only foreseen: run `trailhouse deploy` without --dry-run")
        if proposal.change_set is not None:
            self._execute(proposal.change_set, say)
        if proposal.protection is not None:
            self.gate.call(
                "cloudformation", "UpdateTerminationProtection", StackName=self.name,
                EnableTerminationProtection=proposal.protection,
            )  # fmt: skip
        return self.finish()

    def _execute(self, made: ChangeSet, say: Say) -> None:
        """Upload the code and make the changes. Raises DeploymentError, AwsError."""
        self.bucket.make(self._settings.tags)
        self.bucket.put(self.code, self.package.body)
        last = newest(self.gate, made.stack_id)
        changes.execute(self.gate, made)
        events = follow(self.gate, made.stack_id, last, say, self._wait)
        if events[-1].status not in _DONE:
            raise DeploymentError(failure(self.gate, self.name, events))

    def finish(self, *, dry: bool = False) -> Stack:
        """See to what is no part of the template: code that is not used any more goes.

        Args:
            dry: only look.

        Raises:
            DeploymentError: the stack is gone.
            AwsError: a call is refused.
        """
        stack = find(self.gate, self.name)
        if stack is None:
            raise DeploymentError(f"the stack {self.name} is gone: somebody else removed it")
        if dry:
            return stack
        if self.bucket.exists():
            self.bucket.clear(keep=[self.code.key])
        return stack


def settled(gate: Gate, name: str, say: Say, wait: Callable[[float], None]) -> Stack | None:
    """A stack of ours, once no operation on it is under way.

    Raises:
        DeploymentError: it is a stack of something else.
        AwsError: CloudFormation cannot be asked.
    """
    last = None
    while (stack := find(gate, name)) is not None:
        refuse_other(stack, partial(_template, gate, stack.id))
        if next_step(stack) is not Next.WAIT:
            break
        last = newest(gate, stack.id) if last is None else last
        wait(_PAUSE)
        for event in since(gate, stack.id, last):
            say(event)
            last = event.id
    return stack


def _template(gate: Gate, stack: str) -> Mapping[str, Any]:
    """The template of a stack; empty where it is YAML, which ours never are. Raises AwsError."""
    try:
        return changes.template_of(gate, stack)
    except ValueError:
        return {}


def remove_stack(gate: Gate, stack: Stack, say: Say, wait: Callable[[float], None]) -> None:
    """Delete a stack and follow it to the end.

    Raises:
        DeploymentError: something in it cannot be deleted.
        AwsError: a call is refused.
    """
    last = newest(gate, stack.id)
    gate.call("cloudformation", "DeleteStack", StackName=stack.id)
    if next_step(stack) is Next.CREATE:  # made for a change set that nobody carried out: nothing is in it
        return
    events = follow(gate, stack.id, last, say, wait)
    if events[-1].status != "DELETE_COMPLETE":
        raise DeploymentError(failure(gate, stack.name, events))


def failure(gate: Gate, name: str, events: tuple[Event, ...]) -> str:
    """What failed, and what follows, in words.

    Args:
        gate: calls leave through it, where CloudFormation says more when it is asked.
        name: of the stack.
        events: of the operation, oldest first.
    """
    first, last = cause(events), events[-1]
    why = (
        f"{first.name} ({first.kind}): {first.reason or first.status}"
        if first
        else "CloudFormation names none"
    )
    if first and ASK in first.reason:
        why = "; ".join(validations(gate, StackName=name)) or why
    after = _AFTER.get(last.status) or explanation(Stack(name, "", last.status, protected=False, outputs={}))
    return f"the stack {name} is in {last.status}. First cause: {why}\n{after or 'Mend it, and run the command again'}"
