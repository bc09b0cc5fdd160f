"""Taking the nightly run away again: its stack, its code, and what the configuration does not keep."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailhouse.aws.gate import Gate
from trailhouse.core.policy import own_output
from trailhouse.deploy.change_set import template_of
from trailhouse.deploy.code import CodeBucket, bucket_exists, delete
from trailhouse.deploy.deployment import remove_stack, settled
from trailhouse.deploy.kept import is_kept
from trailhouse.errors import DeploymentError
from trailhouse.storage.access import general_access

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trailhouse.config import Settings
    from trailhouse.deploy.deployment import Say
    from trailhouse.deploy.stack_status import Stack

CATALOG, OUTPUT = "catalog", "output"
"""What a configuration can keep."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a removal takes away, the catalog apart.

    Attributes:
        stack: that goes; None: there is none.
        resources: of the stack that go with it: type and name, sorted.
        retained: that stay: type and name, sorted.
        code: how many objects of code go.
        output: name of the bucket for output that is emptied and goes; "": none does.
        keeps: name of the bucket for output that stays; "": there is none.
    """

    stack: Stack | None
    resources: tuple[tuple[str, str], ...]
    retained: tuple[tuple[str, str], ...]
    code: int
    output: str
    keeps: str

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return self.stack is None and not self.code and not self.output


class Removal:
    """The removal of the nightly run of some settings; interrupted, it can be run again.

    Attributes:
        gate: calls leave through it.
        bucket: where the code is.
        name: of the stack.
    """

    def __init__(self, settings: Settings, *, wait: Callable[[float], None] = time.sleep) -> None:
        """Make no call yet.

        Args:
            settings: names, and what is kept.
            wait: sleeps that many seconds.

        Raises:
            CredentialsError: there is no such profile.
        """
        self._settings, self._wait = settings, wait
        self.gate = Gate(general_access(settings))
        self.name = settings.stack
        self.bucket = CodeBucket(self.gate, self.name)

    def look(self, say: Say) -> Outlook:
        """What there is, once nobody is at work on the stack; nothing is changed.

        Args:
            say: hears of the events of an operation that is under way.

        Raises:
            DeploymentError: the stack is one of something else or protected, or a bucket of ours is somebody else's.
            AwsError: AWS cannot be asked.
        """
        stack = settled(self.gate, self.name, say, self._wait)
        if stack is not None and stack.protected:
            raise DeploymentError(
                f"the stack {self.name} is protected from deletion: set `termination_protection: false` and run "
                "`trailhouse deploy`, or aws cloudformation update-termination-protection "
                f"--no-enable-termination-protection --region {self.gate.region} --stack-name {self.name}"
            )
        resources = sorted(self._resources(stack)) if stack else []
        own = self._own_output()
        kept = OUTPUT in self._settings.keep
        return Outlook(
            stack,
            tuple((kind, name) for kind, name, stays in resources if not stays),
            tuple((kind, name) for kind, name, stays in resources if stays),
            len(self.bucket.listed()) if self.bucket.exists() else 0,
            "" if kept else own,
            own if kept else "",
        )

    def _resources(self, stack: Stack) -> Iterator[tuple[str, str, bool]]:
        """Type, name, and whether it stays, of everything in the stack."""
        parts = template_of(self.gate, stack.id).get("Resources", {})
        found = self.gate.call("cloudformation", "DescribeStackResources", StackName=stack.id)
        for each in found["StackResources"]:
            if each["ResourceStatus"] != "DELETE_COMPLETE":
                stays = is_kept(parts.get(each["LogicalResourceId"], {}))
                yield each["ResourceType"], each.get("PhysicalResourceId") or each["LogicalResourceId"], stays

    def _own_output(self) -> str:
        """The bucket for output that a stack of ours made, if it is there."""
        if self._settings.output_s3_bucket != "default":
            return ""  # the user's own
        name = own_output(self.name, self.gate.account(), self.gate.region)
        return name if bucket_exists(self.gate, name) else ""

    def remove_stack(self, stack: Stack, say: Say) -> None:
        """Delete the stack and follow it to the end.

        Raises:
            DeploymentError: something in it cannot be deleted.
            AwsError: a call is refused.
        """
        remove_stack(self.gate, stack, say, self._wait)

    def remove_code(self) -> bool:
        """Delete the code, and its bucket if nothing else is in it; whether that is gone. Raises AwsError."""
        if not self.bucket.exists():
            return True
        self.bucket.clear()
        return self.bucket.remove()

    def remove_output(self, name: str) -> int:
        """Delete a bucket of ours and all that is in it, old versions too; how many objects. Raises AwsError."""
        count = 0
        owner = self.gate.account()
        for page in self.gate.pages("s3", "ListObjectVersions", Bucket=name, ExpectedBucketOwner=owner):
            going = [
                {"Key": each["Key"], "VersionId": each["VersionId"]}
                for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
            ]
            delete(self.gate, name, going)
            count += len(going)
        self.gate.call("s3", "DeleteBucket", Bucket=name, ExpectedBucketOwner=owner)
        return count
