"""Where code is uploaded to: one bucket an account and region, made when it is needed, with a folder for each stack."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailhouse.core.policy import own_code
from trailhouse.deploy.template import Code
from trailhouse.errors import AccessDeniedError, AwsError, DeploymentError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from trailhouse.aws.gate import Gate

_BATCH = 1_000
_HOME = "us-east-1"
"""The region that CreateBucket is not told of
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html)."""


@dataclass(frozen=True, slots=True)
class CodeBucket:
    """The bucket `trailhouse-deploy-ACCOUNT-REGION`. Every call names the account that has to own it.

    Attributes:
        gate: calls leave through it.
        stack: whose folder is meant.
    """

    gate: Gate
    stack: str

    @property
    def name(self) -> str:
        """The bucket's name; asks who the caller is. Raises AwsError."""
        return own_code(self.gate.account(), self.gate.region)

    def exists(self) -> bool:
        """Whether it is there.

        Raises:
            DeploymentError: somebody else has it.
            AwsError: it cannot be found out.
        """
        return bucket_exists(self.gate, self.name)

    def make(self, tags: Mapping[str, str]) -> None:
        """Make it where it is absent, and see to it that it is closed: also after an interrupted run. Raises AwsError.

        Args:
            tags: for the bucket.
        """
        if not self.exists():
            place = {} if self.gate.region == _HOME else {"LocationConstraint": self.gate.region}
            given: dict[str, Any] = {"CreateBucketConfiguration": place} if place else {}
            try:
                self.gate.call("s3", "CreateBucket", Bucket=self.name, **given)
            except AwsError as error:
                if error.code != "BucketAlreadyOwnedByYou":  # made by another run, a moment ago
                    raise
        self._call(
            "PutPublicAccessBlock",
            PublicAccessBlockConfiguration=dict.fromkeys(
                ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
            ),
        )
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        self._call("PutBucketEncryption", ServerSideEncryptionConfiguration={"Rules": [rule]})
        self._call("PutBucketPolicy", Policy=json.dumps(tls_only(self.gate.partition, self.name)))
        if tags:
            found = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
            self._call("PutBucketTagging", Tagging={"TagSet": found})

    def place(self, kind: str, body: bytes, suffix: str) -> Code:
        """Where a body goes: the same bytes, the same key."""
        return Code(self.name, f"{self.stack}/{kind}-{hashlib.sha256(body).hexdigest()}{suffix}")

    def put(self, code: Code, body: bytes) -> bool:
        """Upload, unless it is there; whether it was done. Raises AwsError."""
        if code.key in self.listed(code.key):
            return False
        checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
        self._call("PutObject", Key=code.key, Body=body, ChecksumSHA256=checksum)
        return True

    def listed(self, prefix: str | None = None) -> list[str]:
        """The keys in the stack's folder, or those that begin with `prefix`. Raises AwsError."""
        asked = f"{self.stack}/" if prefix is None else prefix
        pages = self.gate.pages(
            "s3", "ListObjectsV2", Bucket=self.name, Prefix=asked, ExpectedBucketOwner=self.gate.account()
        )
        return [each["Key"] for page in pages for each in page.get("Contents", ())]

    def url(self, code: Code) -> str:
        """How CloudFormation is told of a template there; in any partition."""
        return f"{self.gate.client('s3').meta.endpoint_url.rstrip('/')}/{code.bucket}/{code.key}"

    def clear(self, keep: Iterable[str] = ()) -> int:
        """Delete what is in the stack's folder, but for the keys to keep; how many. Raises AwsError."""
        going = sorted(set(self.listed()) - set(keep))
        delete(self.gate, self.name, [{"Key": key} for key in going])
        return len(going)

    def remove(self) -> bool:
        """Delete the bucket if nothing is in it; whether it is gone. Raises AwsError."""
        if self.listed(""):
            return False
        self._call("DeleteBucket")
        return True

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - AWS's own
        owner = self.gate.account()
        return self.gate.call("s3", operation, Bucket=self.name, ExpectedBucketOwner=owner, **parameters)


def bucket_exists(gate: Gate, name: str) -> bool:
    """Whether the caller's account has a bucket.

    Raises:
        DeploymentError: it is somebody else's, or the caller may not look.
        AwsError: it cannot be found out.
    """
    try:
        gate.call("s3", "HeadBucket", Bucket=name, ExpectedBucketOwner=gate.account())
    except NotFoundError:
        return False
    except AccessDeniedError as error:
        raise DeploymentError(
            f"the bucket {name} is there, and {gate.account()} does not own it or may not list it: `trailhouse policy "
            "deployer` prints the permissions; if another account has that name, nothing can be deployed here"
        ) from error
    return True


def delete(gate: Gate, bucket: str, objects: Sequence[Mapping[str, str]]) -> None:
    """Delete objects of the caller's own bucket.

    Args:
        gate: calls leave through it.
        bucket: name.
        objects: `Key`, and `VersionId` where one is meant.

    Raises:
        AwsError: the first refusal.
    """
    for part in _batches(objects):
        answer = gate.call(
            "s3", "DeleteObjects", Bucket=bucket, ExpectedBucketOwner=gate.account(),
            Delete={"Objects": part, "Quiet": True},
        )  # fmt: skip
        for fault in answer.get("Errors", ()):
            raise AwsError(
                f"s3://{bucket}/{fault.get('Key', '')} was not deleted: {fault.get('Message') or fault.get('Code')}",
                code=str(fault.get("Code", "")), operation="s3 DeleteObjects", resource=bucket,
            )  # fmt: skip


def _batches(objects: Sequence[Mapping[str, str]]) -> Iterator[list[Mapping[str, str]]]:
    for start in range(0, len(objects), _BATCH):
        yield list(objects[start : start + _BATCH])


def tls_only(partition: str, bucket: str) -> dict[str, Any]:
    """A bucket's policy that refuses every request without TLS."""
    arn = f"arn:{partition}:s3:::{bucket}"
    statement = {
        "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }  # fmt: skip
    return {"Version": "2012-10-17", "Statement": [statement]}
