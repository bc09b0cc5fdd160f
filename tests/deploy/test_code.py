"""The bucket of code: closed, one folder a stack, gone when nothing is left in it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.deploy.code import CodeBucket, bucket_exists, delete, tls_only
from trailhouse.errors import AccessDeniedError, AwsError, DeploymentError

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.emulator


@pytest.fixture
def gate(endpoint: str, keys: None) -> Gate:
    del keys
    return Gate(Access(), endpoint_url=endpoint)


@pytest.fixture
def s3(gate: Gate) -> Iterator[Any]:
    """S3 without the gate; nothing stays in it."""
    client = boto3.client("s3", endpoint_url=gate.endpoint_url)
    yield client
    for name in [each["Name"] for each in client.list_buckets()["Buckets"]]:
        for each in client.list_objects_v2(Bucket=name).get("Contents", ()):
            client.delete_object(Bucket=name, Key=each["Key"])
        client.delete_bucket(Bucket=name)
    client.close()


@pytest.fixture
def bucket(gate: Gate, s3: Any) -> CodeBucket:  # noqa: ANN401 - boto3 has no types
    del s3
    return CodeBucket(gate, "trail")


@pytest.fixture
def made(bucket: CodeBucket, s3: Any) -> CodeBucket:  # noqa: ANN401 - boto3 has no types
    """The bucket, without its policy: moto reads a Deny without its condition."""
    bucket.make({})
    s3.delete_bucket_policy(Bucket=bucket.name)
    return bucket


def test_it_is_made_closed(bucket: CodeBucket, s3: Any) -> None:  # noqa: ANN401 - boto3 has no types
    assert not bucket.exists()
    bucket.make({"team": "security"})
    assert bucket.name == "trailhouse-deploy-123456789012-eu-west-1"
    assert bucket.exists()
    name = bucket.name
    assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] == "eu-west-1"
    (rule,) = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert len(block) == 4
    assert all(block.values())
    assert json.loads(s3.get_bucket_policy(Bucket=name)["Policy"]) == tls_only("aws", name)
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "team", "Value": "security"}]


def test_made_again_it_is_closed_again(bucket: CodeBucket, s3: Any) -> None:  # noqa: ANN401 - boto3 has no types
    """A run that was cut off between two calls is mended by the next."""
    s3.create_bucket(Bucket=bucket.name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    bucket.make({})
    bucket.make({})
    assert s3.get_bucket_policy(Bucket=bucket.name)["Policy"]


def test_at_home_there_is_no_location(endpoint: str, keys: None, bucket: CodeBucket) -> None:
    del keys
    home = CodeBucket(Gate(Access(region="us-east-1"), endpoint_url=endpoint), bucket.stack)
    home.make({})
    assert home.name.endswith("-us-east-1")
    assert home.exists()


def test_the_same_bytes_are_uploaded_once(made: CodeBucket, s3: Any) -> None:  # noqa: ANN401 - boto3 has no types
    code = made.place("code", b"zip", ".zip")
    assert code.key == f"trail/code-{hashlib.sha256(b'zip').hexdigest()}.zip"
    assert made.put(code, b"zip")
    assert not made.put(code, b"zip")
    assert s3.get_object(Bucket=code.bucket, Key=code.key)["Body"].read() == b"zip"
    assert made.url(code) == f"{made.gate.endpoint_url}/{code.bucket}/{code.key}"


def test_a_stack_clears_its_own_folder(made: CodeBucket, gate: Gate) -> None:
    other = CodeBucket(gate, "trail-other")
    codes = [made.place("code", body, ".zip") for body in (b"1", b"2")]
    for code, body in zip(codes, (b"1", b"2"), strict=True):
        made.put(code, body)
    other.put(other.place("code", b"3", ".zip"), b"3")
    assert made.clear(keep=[codes[1].key]) == 1
    assert made.listed() == [codes[1].key]
    assert made.clear() == 1
    assert not made.remove()  # the other stack's code is in it
    assert other.clear() == 1
    assert other.remove()
    assert not made.exists()


def test_what_cannot_be_deleted_is_named(monkeypatch: pytest.MonkeyPatch, gate: Gate) -> None:
    """S3 answers 200 with faults for each key, which moto does not play."""
    faults = {"Errors": [{"Key": "a", "Code": "AccessDenied", "Message": "no"}]}

    def call(_: Gate, _service: str, operation: str, /, **_parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - as the gate's
        return {"Account": "1"} if operation == "GetCallerIdentity" else faults

    monkeypatch.setattr(Gate, "call", call)
    with pytest.raises(AwsError, match="s3://b/a was not deleted: no") as caught:
        delete(gate, "b", [{"Key": "a"}])
    assert caught.value.code == "AccessDenied"


def test_a_bucket_of_somebody_else_is_refused(monkeypatch: pytest.MonkeyPatch, gate: Gate) -> None:
    """Moto has no buckets of others."""
    gate.account()
    call = Gate.call

    def denied(self: Gate, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - as the gate's
        if operation == "HeadBucket":
            assert parameters["ExpectedBucketOwner"] == "123456789012"
            raise AccessDeniedError("403")
        return call(self, service, operation, **parameters)

    monkeypatch.setattr(Gate, "call", denied)
    with pytest.raises(DeploymentError, match="b is there, and 123456789012 does not own it"):
        bucket_exists(gate, "b")
