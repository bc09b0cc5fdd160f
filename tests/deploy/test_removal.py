"""The way back, in steps that can each be done again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from trailhouse.config import load
from trailhouse.core.policy import own_output
from trailhouse.deploy import deployment, removal
from trailhouse.deploy.deployment import settled
from trailhouse.deploy.events import Event
from trailhouse.deploy.removal import Removal
from trailhouse.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from trailhouse.config import Settings
    from trailhouse.deploy.stack_status import Stack

pytestmark = pytest.mark.emulator
OUTPUT = own_output("trail", "123456789012", "eu-west-1")
TEMPLATE = {
    "Description": "trailhouse 1.0: it",
    "Resources": {
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "trail-alarms"}},
        "Output": {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "Properties": {"BucketName": OUTPUT},
        },
    },
}
PLACE = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}


@pytest.fixture
def client(endpoint: str, keys: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Clients without the gate; nothing stays."""
    del keys
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    yield boto3.client
    formation, s3 = boto3.client("cloudformation"), boto3.resource("s3")
    for each in formation.describe_stacks()["Stacks"]:
        formation.delete_stack(StackName=each["StackName"])
    for bucket in s3.buckets.all():
        bucket.object_versions.delete()
        bucket.delete()


@pytest.fixture
def settings(tmp_path: Path, client: Callable[[str], Any]) -> Callable[..., Settings]:
    del client

    def made(**given: object) -> Settings:
        path = tmp_path / "trailhouse.yaml"
        path.write_text("".join(f"{name}: {json.dumps(value)}\n" for name, value in given.items()), "utf-8")
        return load({"stack": "trail", "region": "eu-west-1"}, {}, path)

    return made


def never(seconds: float) -> None:
    raise AssertionError(f"nobody waits here, and not for {seconds} s")


def deployed(client: Callable[[str], Any]) -> None:
    """A stack, its code, and something in its bucket for output."""
    client("cloudformation").create_stack(StackName="trail", TemplateBody=json.dumps(TEMPLATE))
    s3, code = client("s3"), "trailhouse-deploy-123456789012-eu-west-1"
    s3.create_bucket(Bucket=code, **PLACE)
    s3.put_object(Bucket=code, Key="trail/code-1.zip", Body=b"1")
    s3.put_bucket_versioning(Bucket=OUTPUT, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket=OUTPUT, Key="trailhouse/runs/1.json", Body=body)
    s3.delete_object(Bucket=OUTPUT, Key="trailhouse/runs/1.json")


def buckets(client: Callable[[str], Any]) -> list[str]:
    return [each["Name"] for each in client("s3").list_buckets()["Buckets"]]


def test_what_goes_and_what_stays_is_known_before(
    client: Callable[[str], Any], settings: Callable[..., Settings]
) -> None:
    deployed(client)
    outlook = Removal(settings(), wait=never).look(print)
    assert outlook.stack is not None
    assert [kind for kind, _ in outlook.resources] == ["AWS::SNS::Topic"]
    assert outlook.retained == (("AWS::S3::Bucket", OUTPUT),)
    assert (outlook.code, outlook.output, outlook.keeps) == (1, "", OUTPUT)
    assert not outlook.empty
    all_of_it = Removal(settings(keep=[]), wait=never).look(print)
    assert (all_of_it.output, all_of_it.keeps) == (OUTPUT, "")
    named = Removal(settings(keep=[], output_s3_bucket="mine"), wait=never).look(print)
    assert (named.output, named.keeps) == ("", "")  # a bucket that the user named is the user's


def test_a_stack_of_something_else_is_not_even_shown(
    client: Callable[[str], Any], settings: Callable[..., Settings]
) -> None:
    other = {"Description": "The shop", "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    client("cloudformation").create_stack(StackName="trail", TemplateBody=json.dumps(other))
    with pytest.raises(DeploymentError, match=r"trail was not made by trailhouse.*another --stack"):
        Removal(settings(), wait=never).look(print)


def test_a_protected_stack_is_refused_whatever_the_configuration_says(
    client: Callable[[str], Any], settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The emulator protects nothing, so the stack is told as protected."""
    deployed(client)

    def protected(*given: Any) -> Stack:  # noqa: ANN401 - as they come
        found = settled(*given)
        assert found is not None
        return replace(found, protected=True)

    monkeypatch.setattr(removal, "settled", protected)
    for configured in (True, False):
        with pytest.raises(
            DeploymentError, match=r"is protected from deletion: .*`trailhouse deploy`"
        ) as refused:
            Removal(settings(termination_protection=configured), wait=never).look(print)
        assert "--region eu-west-1 --stack-name trail" in str(refused.value)


def test_it_is_removed_step_by_step_and_again(
    client: Callable[[str], Any], settings: Callable[..., Settings]
) -> None:
    deployed(client)
    going = Removal(settings(keep=[]), wait=never)
    outlook = going.look(print)
    assert outlook.stack is not None
    heard: list[str] = []
    going.remove_stack(outlook.stack, lambda event: heard.append(event.status))
    assert heard[-1] == "DELETE_COMPLETE"
    rest = going.look(print)  # as after an interruption
    assert (rest.stack, rest.code, rest.output, rest.empty) == (None, 1, OUTPUT, False)
    assert going.remove_code()
    assert going.remove_code()
    assert going.remove_output(OUTPUT) == 3  # two versions, and the mark of the deletion
    assert buckets(client) == []
    assert going.look(print).empty


def test_the_code_of_another_stack_stays(
    client: Callable[[str], Any], settings: Callable[..., Settings]
) -> None:
    deployed(client)
    code = "trailhouse-deploy-123456789012-eu-west-1"
    client("s3").put_object(Bucket=code, Key="other/code-2.zip", Body=b"2")
    assert not Removal(settings(), wait=never).remove_code()
    assert [each["Key"] for each in client("s3").list_objects_v2(Bucket=code)["Contents"]] == [
        "other/code-2.zip"
    ]


def test_a_removal_that_fails_names_the_cause(
    client: Callable[[str], Any], settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No emulator fails here, so the events are told."""
    deployed(client)
    going = Removal(settings(), wait=never)
    stack = going.look(print).stack
    assert stack is not None

    def told(*_: object) -> tuple[Event, ...]:
        now = datetime(2026, 3, 2, tzinfo=UTC)
        kinds = (("Topic", "AWS::SNS::Topic", "in use"), ("trail", "AWS::CloudFormation::Stack", "[Topic]"))
        return tuple(Event(n, now, n, kind, "x", "DELETE_FAILED", why) for n, kind, why in kinds)

    monkeypatch.setattr(deployment, "follow", told)
    with pytest.raises(
        DeploymentError, match=r"DELETE_FAILED. First cause: Topic \(AWS::SNS::Topic\): in use"
    ):
        going.remove_stack(stack, print)
