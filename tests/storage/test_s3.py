import io
import pickle
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any, TypeAlias
from unittest import mock

import boto3
import obstore
import pytest

from trailhouse.errors import SourceError, StorageError
from trailhouse.storage import Access, Location, Sources, StoredObject, open_sources, s3

pytestmark = [pytest.mark.emulator, pytest.mark.usefixtures("keys")]
Client: TypeAlias = Any  # boto3 ships no types


@pytest.fixture
def client(endpoint: str, request: pytest.FixtureRequest) -> Client:
    found = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",  # noqa: S106 - of nobody
    )
    found.create_bucket(Bucket=bucket(request), CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return found


def bucket(request: pytest.FixtureRequest) -> str:
    return request.node.name.split("[")[0].replace("_", "-")[:60].strip("-")


@pytest.fixture
def name(client: Client, request: pytest.FixtureRequest) -> str:  # noqa: ARG001 - which makes the bucket
    return bucket(request)


def opened(endpoint: str, *sources: str, **access: Any) -> Sources:  # noqa: ANN401 - as Access takes them
    return open_sources(
        sources,
        stdin=io.BytesIO(),
        spool=Path("/nonexistent"),
        access=Access(endpoint_url=endpoint, **access),
    )


LOG = (
    "AWSLogs/111122223333/CloudTrail/us-east-1/2023/07/10/"
    "111122223333_CloudTrail_us-east-1_20230710T1230Z_x.json.gz"
)
# The emulator itself has no route for a newline in a key.
ODD = [
    "a//b", "a/./b", "a/../b", "/lead", "trail/ /x", "tab\tx", "ü€😀", "50%25", "a+b c",
    "#1?x=y",
    "~", "$", "back\\slash", "x\x01y", "a/", "q\"'<>&", "...", "a*b",
]  # fmt: skip


def test_every_key_is_listed_and_read(endpoint: str, client: Client, name: str) -> None:
    keys = [LOG, *ODD]
    for key in keys:
        client.put_object(Bucket=name, Key=f"p/{key}", Body=key.encode())
    client.put_object(Bucket=name, Key="p/", Body=b"")
    client.put_object(Bucket=name, Key="p2/other", Body=b"")
    found = opened(endpoint, f"s3://{name}/p")
    items = [*found.list()]
    assert [item.name for item in items] == sorted(keys)
    assert {(item.source, item.storage_class) for item in items} == {("p", "STANDARD")}
    for item, content in found.read_many(items):
        with found.open(item) as stream:
            assert stream.read() == content == found.read(item) == item.name.encode()


def test_plain_keys_are_read_by_obstore_as_they_are(endpoint: str, client: Client, name: str) -> None:
    plain = [key for key in [LOG, *ODD, "a/b/c!d.json.gz", "a+b", "=1,@:x/(y)'*"] if s3._PLAIN_KEY.match(key)]
    assert LOG in plain
    assert set(plain) & set(ODD) == {"...", "a*b"}
    for key in plain:
        client.put_object(Bucket=name, Key=key, Body=key.encode())
    found = opened(endpoint, f"s3://{name}")
    items = [*found.list()]
    with mock.patch.object(s3.S3Storage, "_chunks", side_effect=AssertionError):
        assert {item.name: content for item, content in found.read_many(items)} == {
            key: key.encode() for key in plain
        }


def test_the_same_tree_as_in_a_folder(endpoint: str, client: Client, name: str, tmp_path: Path) -> None:
    random = Random(7)
    tree = {f"{random.choice('ab')}/{random.choice('x!. ü')}{n}": random.randbytes(n * 50) for n in range(40)}
    for key, content in tree.items():
        client.put_object(Bucket=name, Key=f"deep/logs/{key}", Body=content)
        path = tmp_path / "logs" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    both = [opened(endpoint, source) for source in (f"s3://{name}/deep/logs", str(tmp_path / "logs"))]
    far, near = (
        [(item.source, item.name, content) for item, content in each.read_many(each.list())] for each in both
    )
    assert far == near == [("logs", key, tree[key]) for key in sorted(tree)]


def test_one_object_is_a_source(endpoint: str, client: Client, name: str) -> None:
    client.put_object(Bucket=name, Key="a/x.json", Body=b"1")
    found = opened(endpoint, f"s3://{name}/a/x.json")
    (item,) = found.list()
    assert (item.name, found.read(item)) == ("x.json", b"1")
    copy = pickle.loads(pickle.dumps(found))  # noqa: S301 - our own
    assert copy.read(item) == b"1"
    assert [*opened(endpoint, f"s3://{name}/a/x").list()] == []
    client.put_object(Bucket=name, Key="x.ZIP", Body=b"1")
    with pytest.raises(StorageError, match=r"x\.ZIP is an archive: copy it here"):
        [*opened(endpoint, f"s3://{name}/x.ZIP").list()]


def test_many_objects_keep_their_order(endpoint: str, client: Client, name: str) -> None:
    for number in range(60):
        client.put_object(Bucket=name, Key=f"{number:04}", Body=str(number).encode())
    found = opened(endpoint, f"s3://{name}/")
    client.put_object(Bucket=name, Key="0007", Body=b"longer")
    items = [*found.list()]
    with mock.patch.object(s3, "_AHEAD_BYTES", 20):
        assert [item for item, _ in found.read_many(items[::-1])] == items[::-1]
    reading = found.read_many(items)
    assert next(reading) == (items[0], b"0")
    reading.close()  # type: ignore[attr-defined]  # it is a generator


def test_a_change_after_listing_is_seen(endpoint: str, client: Client, name: str) -> None:
    client.put_object(Bucket=name, Key="x", Body=b"1")
    client.put_object(Bucket=name, Key="gone", Body=b"1")
    found = opened(endpoint, f"s3://{name}/")
    gone, item = found.list()
    client.put_object(Bucket=name, Key="x", Body=b"2")
    client.delete_object(Bucket=name, Key="gone")
    (_, first), (_, second) = found.read_many([gone, item])
    assert "gone (NoSuchKey): it is gone" in str(first)
    assert f"cannot read s3://{name}/x (PreconditionFailed): it changed" in str(second)
    with pytest.raises(StorageError, match="it changed"), found.open(item) as stream:
        stream.read()


def test_archived_objects_say_so(endpoint: str, client: Client, name: str) -> None:
    client.put_object(Bucket=name, Key="x", Body=b"1", StorageClass="GLACIER")
    found = opened(endpoint, f"s3://{name}/")
    (item,) = found.list()
    assert item.storage_class == "GLACIER"
    with pytest.raises(StorageError, match=r"InvalidObjectState.*archived: restore it"):
        found.read(item)


def test_what_cannot_be_reached_is_explained(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(
        StorageError, match=r"cannot list s3://no-such-bucket-here/ \(NoSuchBucket\): there is no"
    ):
        [*opened(endpoint, "s3://no-such-bucket-here").list()]
    with pytest.raises(StorageError, match="s3://b/: there is no profile nobody in "):
        [*opened(endpoint, "s3://b", profile="nobody").list()]
    with pytest.raises(StorageError, match="check the network"):
        [*opened("http://127.0.0.1:1", "s3://b").list()]
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(StorageError, match="there are no AWS credentials"):
        [*opened(endpoint, "s3://b").list()]
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("code", ["AccessDenied", "ExpiredToken", "SlowDown", "Odd"])
def test_refusals_name_the_next_step(endpoint: str, code: str) -> None:
    storage = opened(endpoint, "s3://bucket/p").storages[0]
    assert isinstance(storage, s3.S3Storage)
    error = s3.ClientError({"Error": {"Code": code, "Message": "server's words"}}, "GetObject")
    told = str(storage._explained("read", "p/x", error))
    assert told.startswith(f"cannot read s3://bucket/p/x ({code}): ")
    assert ("server's words" in told) == (code == "Odd")


def test_roles_are_assumed(endpoint: str, client: Client, name: str) -> None:
    client.put_object(Bucket=name, Key="x", Body=b"1")
    found = opened(
        endpoint,
        f"s3://{name}/",
        role_arn="arn:aws:iam::111122223333:role/reader",
        external_id="case",
        requester_pays=True,
        expected_owner="123456789012",
    )
    assert [content for _, content in found.read_many(found.list())] == [b"1"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("s3://b/x", "s3://b/x/"), ("s3://b", "s3://b/x"), ("s3://b/x/y", "s3://b/x"), ("s3://b/x", "s3://b/x")],
)
def test_overlapping_prefixes_are_refused(endpoint: str, one: str, other: str) -> None:
    with pytest.raises(SourceError, match=r"overlap|given twice"):
        opened(endpoint, one, other)


def test_neighbours_and_names(endpoint: str) -> None:
    found = opened(endpoint, "s3://b/CloudTrail", "s3://b/CloudTrail-Digest", "s3://c/CloudTrail/")
    assert [storage.uri for storage in found.storages] == [
        "s3://b/CloudTrail-Digest/", "s3://b/CloudTrail/", "s3://c/CloudTrail/"
    ]  # fmt: skip
    assert [storage.label for storage in found.storages] == [
        "CloudTrail-Digest",
        "CloudTrail",
        "CloudTrail~2",
    ]
    assert found.identity != opened("http://elsewhere", *[storage.uri for storage in found.storages]).identity
    with pytest.raises(SourceError, match="no UTF-8"):
        opened(endpoint, "s3://b/\udcff")
    with pytest.raises(StorageError, match="not a name or value that AWS takes"):
        [*opened(endpoint, "s3://b?/x").list()]
    with pytest.raises(SourceError, match="names no bucket"):
        opened(endpoint, "s3:///x")


def test_too_large_for_one_value(endpoint: str) -> None:
    with pytest.raises(StorageError, match="stream it"):
        opened(endpoint, "s3://b").read(StoredObject("b", "x", 2 << 30, "1"))


def test_obstore_failures_fall_back(endpoint: str, client: Client, name: str) -> None:
    client.put_object(Bucket=name, Key="x", Body=b"1")
    found = opened(endpoint, f"s3://{name}/")
    (item,) = found.list()
    with mock.patch.object(obstore, "get", side_effect=obstore.exceptions.GenericError("odd")):
        assert found.read(item) == b"1"


def test_heavy_imports_are_late() -> None:
    code = "import sys, trailhouse.storage; print(*{'boto3', 'botocore', 'obstore'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
        == "\n"
    )


def test_every_source_may_have_an_access_of_its_own() -> None:
    here, there = (
        Access(endpoint_url="http://127.0.0.1:1"),
        Access(profile="p", endpoint_url="http://127.0.0.1:2"),
    )

    def both(first: Access, second: Access) -> Sources:
        named = [Location("s3://same/logs", first), Location("s3://same/logs", second)]
        return open_sources(named, stdin=io.BytesIO(), spool=Path("/nonexistent"))

    found = both(here, there)
    assert [storage.access for storage in found.storages if isinstance(storage, s3.S3Storage)] == [
        here,
        there,
    ]
    assert [storage.label for storage in found.storages] == ["logs", "logs~2"]
    assert found.identity == both(there, here).identity
    with pytest.raises(SourceError, match="given twice"):
        both(here, Access(endpoint_url=here.endpoint_url, profile="q"))
