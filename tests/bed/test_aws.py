"""The emulated AWS: S3's protocol where the product and Trino rely on it, and who answers what."""

from __future__ import annotations

import gzip
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import obstore
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ResponseStreamingError
from obstore.store import S3Store

from bed.faults import Fault, broken, throttle
from bed.shim import as_lines

if TYPE_CHECKING:
    from bed.aws import Aws
    from bed.buckets import Bucket

pytestmark = pytest.mark.emulator
FOLDER = "AWSLogs/111122223333/CloudTrail/eu-west-1/2024/01/02/"
KEY = f"{FOLDER}111122223333_CloudTrail_eu-west-1_20240102T0005Z_aaaaaaaaaaaaaaaa.json.gz"
RECORD = {
    "eventName": "PutObject", "requestParameters": {"n": 1.0, "t": [{}]}, "responseElements": None,
    "additionalEventData": "text", "addendum": {"reason": "x", "updatedFields": ["a"]},
}  # fmt: skip


def logfile(*records: dict[str, Any]) -> bytes:
    return gzip.compress(json.dumps({"Records": records}, indent=1).encode())


@pytest.fixture(scope="module")
def s3(aws: Aws) -> Any:
    return aws.client("s3")


@pytest.fixture(scope="module")
def shown(aws: Aws) -> Any:
    return aws.client("s3", endpoint_url=aws.trino_url)


@pytest.fixture
def bucket(aws: Aws, request: pytest.FixtureRequest) -> Bucket:
    name = request.node.name.lower().replace("_", "-")[:60].rstrip("-[")
    return aws.bucket(name.split("[")[0])


def refused(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"]


def test_objects_come_back(s3: Any, bucket: Bucket) -> None:
    odd = "a b/ü%2F+&<x>//./y\t.txt"
    s3.put_object(
        Bucket=bucket.name, Key=odd, Body=b"0123456789", Metadata={"signature": "ab"}, ContentType="text/x"
    )
    found = s3.get_object(Bucket=bucket.name, Key=odd, Range="bytes=2-4")
    assert (found["Body"].read(), found["ContentRange"]) == (b"234", "bytes 2-4/10")
    assert s3.get_object(Bucket=bucket.name, Key=odd, Range="bytes=-3")["Body"].read() == b"789"
    head = s3.head_object(Bucket=bucket.name, Key=odd)
    assert (head["ContentLength"], head["Metadata"], head["ContentType"]) == (
        10,
        {"signature": "ab"},
        "text/x",
    )
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket.name)["Contents"]] == [odd]
    assert refused(s3.get_object, Bucket=bucket.name, Key="gone") == "NoSuchKey"
    assert refused(s3.get_object, Bucket="gone-bucket", Key="x") == "NoSuchBucket"
    assert refused(s3.get_object, Bucket=bucket.name, Key=odd, Range="bytes=10-") == "InvalidRange"


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_listings_come_in_pages_with_folders(aws: Aws, s3: Any, bucket: Bucket, size: int) -> None:
    keys = ["a/1/x", "a/1/y", "a/2/x", "a/3", "a/4/", "a/4/x", "b", "z/ü/1", "z/\U00010348/1", "z/\ufffd"]
    bucket.put_all((key, b"") for key in keys)
    aws.buckets.page = size
    try:
        pages = list(
            s3.get_paginator("list_objects_v2").paginate(Bucket=bucket.name, Prefix="a/", Delimiter="/")
        )
        folders = [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", ())]
        assert folders == ["a/1/", "a/2/", "a/4/"]
        assert [o["Key"] for page in pages for o in page.get("Contents", ())] == ["a/3"]
        flat = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket.name)
        assert [o["Key"] for page in flat for o in page["Contents"]] == sorted(keys, key=str.encode)
        after = s3.list_objects_v2(Bucket=bucket.name, StartAfter="a/3", MaxKeys=1)
        assert [o["Key"] for o in after["Contents"]] == ["a/4/"]
    finally:
        aws.buckets.page = 1000


def test_of_many_conditional_puts_one_wins(s3: Any, bucket: Bucket) -> None:
    outcomes: list[str] = []

    def put(number: int) -> None:
        try:
            s3.put_object(Bucket=bucket.name, Key="lock", Body=str(number).encode(), IfNoneMatch="*")
            outcomes.append("done")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["PreconditionFailed"] * 7 + ["done"]
    etag = s3.head_object(Bucket=bucket.name, Key="lock")["ETag"]
    s3.put_object(Bucket=bucket.name, Key="lock", Body=b"next", IfMatch=etag)
    assert (
        refused(s3.put_object, Bucket=bucket.name, Key="lock", Body=b"late", IfMatch=etag)
        == "PreconditionFailed"
    )


def test_archived_objects_are_listed_and_not_read(s3: Any, bucket: Bucket) -> None:
    bucket.put("cold", b"x", storage_class="GLACIER")
    bucket.put("warming", b"x", storage_class="DEEP_ARCHIVE", restore="running")
    bucket.put("warm", b"x", storage_class="GLACIER", restore=str(time.time() + 3600))
    listed = s3.list_objects_v2(Bucket=bucket.name, OptionalObjectAttributes=["RestoreStatus"])["Contents"]
    states = {
        o["Key"]: (o["StorageClass"], o.get("RestoreStatus", {}).get("IsRestoreInProgress")) for o in listed
    }
    assert states == {
        "cold": ("GLACIER", None),
        "warming": ("DEEP_ARCHIVE", True),
        "warm": ("GLACIER", False),
    }
    assert refused(s3.get_object, Bucket=bucket.name, Key="cold") == "InvalidObjectState"
    assert refused(s3.get_object, Bucket=bucket.name, Key="warming") == "InvalidObjectState"
    assert s3.get_object(Bucket=bucket.name, Key="warm")["Body"].read() == b"x"
    assert "expiry-date" in s3.head_object(Bucket=bucket.name, Key="warm")["Restore"]


def test_owner_payer_and_alias(aws: Aws, s3: Any, bucket: Bucket) -> None:
    bucket.put("k", b"x")
    assert (
        refused(s3.get_object, Bucket=bucket.name, Key="k", ExpectedBucketOwner="999999999999")
        == "AccessDenied"
    )
    assert (
        s3.get_object(Bucket=bucket.name, Key="k", ExpectedBucketOwner="123456789012")["ContentLength"] == 1
    )
    bucket.requester_pays = True
    assert refused(s3.list_objects_v2, Bucket=bucket.name) == "AccessDenied"
    assert s3.list_objects_v2(Bucket=bucket.name, RequestPayer="requester")["KeyCount"] == 1
    bucket.requester_pays = False
    aws.buckets.aliases["logs-abc-s3alias"] = bucket.name
    assert s3.get_object(Bucket="logs-abc-s3alias", Key="k")["ContentLength"] == 1


def test_large_objects_go_in_parts(s3: Any, bucket: Bucket) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket.name, Key="big")["UploadId"]
    part = {"Bucket": bucket.name, "Key": "big", "UploadId": upload}
    tags = [s3.upload_part(**part, PartNumber=n, Body=bytes([64 + n]) * 5)["ETag"] for n in (1, 2)]
    parts = [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(tags, 1)]
    s3.complete_multipart_upload(**part, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=bucket.name, Key="big")["Body"].read() == b"AAAAABBBBB"
    s3.copy_object(Bucket=bucket.name, Key="copy", CopySource={"Bucket": bucket.name, "Key": "big"})
    s3.delete_objects(Bucket=bucket.name, Delete={"Objects": [{"Key": "big"}]})
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket.name)["Contents"]] == ["copy"]
    assert refused(s3.abort_multipart_upload, **part) == "NoSuchUpload"


def test_obstore_reads_and_writes(aws: Aws, bucket: Bucket) -> None:
    keys = {"access_key_id": "testing", "secret_access_key": "testing"}
    options = {"allow_http": True}
    store = S3Store(bucket.name, endpoint=aws.url, region="us-east-1", client_options=options, **keys)
    obstore.put(store, "folder/one", b"0123456789")
    assert bytes(obstore.get(store, "folder/one").bytes()) == b"0123456789"
    assert bytes(obstore.get_range(store, "folder/one", start=2, length=3)) == b"234"
    assert [o["path"] for page in obstore.list(store, "folder") for o in page] == ["folder/one"]


def test_faults_of_s3(aws: Aws, s3: Any, bucket: Bucket) -> None:
    bucket.put("k", b"x" * 1000)
    get = {"Bucket": bucket.name, "Key": "k"}
    aws.s3.log.faults += [throttle("GetObject"), broken("GetObject")]
    assert refused(s3.get_object, **get) == "SlowDown"
    assert refused(s3.get_object, **get) == "InternalError"
    aws.s3.log.faults.append(Fault("GetObject", cut="before", when=lambda _, asked: asked["Key"] == "k"))
    with pytest.raises(ConnectionClosedError):
        s3.get_object(**get)
    aws.s3.log.faults.append(Fault("GetObject", cut="during"))
    with pytest.raises((ResponseStreamingError, ConnectionClosedError)):
        s3.get_object(**get)["Body"].read()
    assert s3.get_object(**get)["Body"].read() == b"x" * 1000


def test_trino_sees_lines_of_the_same_keys(s3: Any, shown: Any, aws: Aws, bucket: Bucket) -> None:
    bucket.put_all([(KEY, logfile(RECORD, RECORD)), ("AWSLogs/1/CloudTrail-Digest/x.json.gz", b"digest")])
    whole = shown.get_object(Bucket=bucket.name, Key=KEY)["Body"].read()
    lines = gzip.decompress(whole).decode().split("\n")
    assert len(lines) == 2
    expected = {**RECORD, "requestParameters": json.dumps(RECORD["requestParameters"], indent=1)}
    found = json.loads(lines[0])
    assert json.loads(found["requestParameters"]) == RECORD["requestParameters"]
    assert "1.0" in found["requestParameters"]
    assert json.loads(found["addendum"]["updatedFields"]) == ["a"]
    kept = {key: value for key, value in expected.items() if key not in ("requestParameters", "addendum")}
    assert {key: found[key] for key in kept} == kept
    sizes = {o["Key"]: o["Size"] for o in shown.list_objects_v2(Bucket=bucket.name)["Contents"]}
    assert sizes == {KEY: len(whole), "AWSLogs/1/CloudTrail-Digest/x.json.gz": 6}
    assert shown.head_object(Bucket=bucket.name, Key=KEY)["ContentLength"] == len(whole)
    part = shown.get_object(Bucket=bucket.name, Key=KEY, Range="bytes=5-9")
    assert (part["Body"].read(), part["ContentRange"]) == (whole[5:10], f"bytes 5-9/{len(whole)}")
    assert s3.get_object(Bucket=bucket.name, Key=KEY)["Body"].read() == logfile(RECORD, RECORD)
    assert aws.trino_s3.log.calls[-1].parameters["Range"] == "bytes=5-9"


@pytest.mark.parametrize(
    "body",
    [b"", b"no gzip", gzip.compress(b"{}", mtime=0), gzip.compress(b'{"Records": 1}', mtime=0), b"\x1f\x8bx"],
    ids=("empty", "no gzip", "no records", "records are no list", "cut off"),
)
def test_what_cannot_be_read_is_shown_as_it_is(body: bytes) -> None:
    assert as_lines(body) == body


def test_trino_s_glue_names_formats_that_it_knows(aws: Aws) -> None:
    ours, theirs = aws.client("glue"), aws.client("glue", endpoint_url=aws.trino_url)
    ours.create_database(DatabaseInput={"Name": "formats"})
    where = {
        "InputFormat": "com.amazon.emr.cloudtrail.CloudTrailInputFormat",
        "SerdeInfo": {"SerializationLibrary": "com.amazon.emr.hive.serde.CloudTrailSerde"},
    }
    ours.create_table(DatabaseName="formats", TableInput={"Name": "t", "StorageDescriptor": where})
    assert ours.get_table(DatabaseName="formats", Name="t")["Table"]["StorageDescriptor"] == where
    seen = theirs.get_table(DatabaseName="formats", Name="t")["Table"]["StorageDescriptor"]
    assert seen["InputFormat"] == "org.apache.hadoop.mapred.TextInputFormat"
    assert seen["SerdeInfo"]["SerializationLibrary"] == "org.apache.hive.hcatalog.data.JsonSerDe"


def test_the_rest_is_moto_s(aws: Aws) -> None:
    assert aws.client("sts").get_caller_identity()["Account"] == "123456789012"
    assert aws.client("kms").list_keys()["Keys"] == []
    assert aws.client("athena").list_work_groups()["WorkGroups"]
    assert aws.client("lakeformation").get_data_lake_settings()["DataLakeSettings"]
    role = aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    assert aws.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"][
        "SessionToken"
    ]
    assert {"sts.GetCallerIdentity", "kms.ListKeys", "iam.CreateRole"} <= set(aws.other.counts)
    assert refused(aws.client("kms").describe_key, KeyId="gone") == "NotFoundException"
