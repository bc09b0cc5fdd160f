from typing import Any, TypeAlias
from uuid import uuid4

import boto3
import pytest

from trailhouse.aws.access import Access
from trailhouse.aws.gate import Call, Gate
from trailhouse.core.deliveries import Stored
from trailhouse.errors import NotFoundError
from trailhouse.storage.listing import S3Lister, stored_state

pytestmark = [pytest.mark.emulator, pytest.mark.usefixtures("keys")]
Client: TypeAlias = Any  # boto3 ships no types


@pytest.fixture
def client(endpoint: str) -> Client:
    return boto3.client("s3", endpoint_url=endpoint)


@pytest.fixture
def bucket(client: Client) -> str:
    name = f"logs-{uuid4()}"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return name


def put(client: Client, bucket: str, *keys: str, **options: str) -> None:
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=b"", **options)


def test_files_and_folders_of_one_level(endpoint: str, client: Client, bucket: str) -> None:
    put(
        client,
        bucket,
        "p/",
        "p/a/b",
        "p/a/c",
        "p/x",
        "p//deep",
        "p/ü %2B+/x",
        "p/t\tab/x",
        "p/_$folder$",
        "q/y",
    )
    lister = S3Lister(Access(endpoint_url=endpoint))
    assert sorted(lister.children(bucket, "p/")) == ["", "/", "_$folder$", "a/", "t\tab/", "x", "ü %2B+/"]
    assert sorted(lister.children(bucket, "")) == ["p/", "q/"]
    assert [*lister.children(bucket, "nothing/")] == []


@pytest.mark.parametrize("page", [10, pytest.param(1000, marks=pytest.mark.slow)])
def test_more_folders_than_a_page_holds(
    endpoint: str,
    client: Client,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
    page: int,
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", str(page))
    accounts = [f"{number:012}" for number in range(page + 3)]
    put(client, bucket, *(f"AWSLogs/{account}/" for account in accounts))
    calls: list[Call] = []
    access = Access(endpoint_url=endpoint)
    lister = S3Lister(access, Gate(access, record=calls.append))
    assert [*lister.children(bucket, "AWSLogs/")] == [f"{account}/" for account in accounts]
    assert len(calls) == 2
    first = lister.children(bucket, "AWSLogs/")
    assert next(first) == f"{accounts[0]}/"
    assert len(calls) == 3  # the second page is not fetched before it is needed


def test_classes_of_the_first_objects(endpoint: str, client: Client, bucket: str) -> None:
    put(client, bucket, "d/a", "d/b", StorageClass="GLACIER")
    put(client, bucket, "d/c", "e/a")
    lister = S3Lister(Access(endpoint_url=endpoint))
    assert lister.objects(bucket, "d/", 2) == (Stored("GLACIER"), Stored("GLACIER"))
    assert lister.objects(bucket, "d/", 100)[2] == Stored("STANDARD")
    assert lister.objects(bucket, "nothing/", 1) == ()


def test_what_the_source_asks_for_goes_along(endpoint: str, client: Client, bucket: str) -> None:
    put(client, bucket, "a/x")
    calls: list[Call] = []
    access = Access(endpoint_url=endpoint, requester_pays=True, expected_owner="123456789012")
    lister = S3Lister(access, Gate(access, record=calls.append))
    assert [*lister.children(bucket, "")] == ["a/"]
    lister.objects(bucket, "a/", 1)
    assert [(call.parameters["RequestPayer"], call.parameters["ExpectedBucketOwner"]) for call in calls] == [
        ("requester", "123456789012")
    ] * 2
    assert calls[1].parameters["OptionalObjectAttributes"] == ["RestoreStatus"]
    plain = S3Lister(Access(endpoint_url=endpoint), Gate(Access(endpoint_url=endpoint), record=calls.append))
    assert [*plain.children(bucket, "a/")] == ["x"]
    assert {*calls[-1].parameters} == {"Bucket", "Prefix", "Delimiter"}


def test_a_bucket_that_is_not_there(endpoint: str) -> None:
    with pytest.raises(NotFoundError, match="no-such-bucket-here"):
        [*S3Lister(Access(endpoint_url=endpoint)).children("no-such-bucket-here", "")]


def test_no_region_needs_to_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert S3Lister(Access())._gate.region == "eu-west-1"
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert S3Lister(Access())._gate.region == "us-east-1"
    assert S3Lister(Access(region="cn-north-1"))._gate.region == "cn-north-1"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({}, Stored("STANDARD")),
        ({"StorageClass": "GLACIER"}, Stored("GLACIER")),
        ({"StorageClass": "GLACIER", "RestoreStatus": {"IsRestoreInProgress": True}}, Stored("GLACIER")),
        (
            {
                "StorageClass": "DEEP_ARCHIVE",
                "RestoreStatus": {"IsRestoreInProgress": False, "RestoreExpiryDate": "2026-03-02"},
            },
            Stored("DEEP_ARCHIVE", restored=True),
        ),
    ],
)
def test_a_copy_is_there_when_its_restore_has_ended(entry: dict[str, Any], expected: Stored) -> None:
    assert stored_state(entry) == expected
