"""`inventory --quick` and `init` on sources in S3: by folders alone."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
import yaml

from trailhouse.cli import main
from trailhouse.core.layout import Kind, LogKey, format_key

pytestmark = pytest.mark.emulator

A, B = "111122223333", "444455556666"
ORG = "o-abcdefghij"
Run = Callable[..., tuple[int, str, str]]


def log(root: str, account: str, region: str, day: date) -> str:
    year, month, number = day.isoformat().split("-")
    return format_key(
        LogKey(
            root, account, Kind.CLOUDTRAIL, region, year, month, number, f"{year}{month}{number}T1230Z", "x"
        )
    )


KEYS = [
    *(log("trails/AWSLogs", A, "eu-west-1", date(2025, month, 3)) for month in range(1, 13)),
    log(f"trails/AWSLogs/{ORG}", B, "us-east-1", date(2026, 1, 2)),
    f"trails/AWSLogs/{A}/Config/eu-west-1/2025/1/3/x.json.gz",
    f"trails/AWSLogs/{A}/CloudTrail/eu-west-1/notes.txt",
]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*args: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([str(arg) for arg in args])
        return int(left.value.code or 0), *capfd.readouterr()

    return call


@pytest.fixture
def bucket(endpoint: str, keys: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:  # noqa: ARG001 - they are set
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "AWS_DEFAULT_REGION": "us-east-1",
        "TRAILHOUSE_ENDPOINT_URL": endpoint,
        "TRAILHOUSE_WORKDIR": str(tmp_path / "work"),
    }.items():
        monkeypatch.setenv(name, value)
    client, name = boto3.client("s3", endpoint_url=endpoint), f"logs-{uuid4()}"
    client.create_bucket(Bucket=name)
    for number, key in enumerate(KEYS):
        client.put_object(
            Bucket=name, Key=key, Body=b"", StorageClass="GLACIER" if number < 3 else "STANDARD"
        )
    return name


def test_a_row_a_region_with_its_span(run: Run, bucket: str) -> None:
    code, out, err = run("-s", f"s3://{bucket}", "inventory", "--quick", "--json")
    assert (code, json.loads(out)) == (0, [
        {"logroot": f"{bucket}/trails/AWSLogs", "account": A, "kind": "CloudTrail", "region": "eu-west-1",
         "first_day": "2025-01-03", "last_day": "2025-12-03", "archived": "GLACIER"},
        {"logroot": f"{bucket}/trails/AWSLogs/{ORG}", "account": B, "kind": "CloudTrail", "region": "us-east-1",
         "first_day": "2026-01-02", "last_day": "2026-01-02", "archived": ""},
    ])  # fmt: skip
    assert "logs of 2 accounts in 2 regions, by their folders" in err
    assert "1 folder of another service: Config" in err
    assert f"s3://{bucket}/trails/AWSLogs/{A}/CloudTrail/eu-west-1/notes.txt" in err


def test_a_row_a_day_of_what_is_asked_for(run: Run, bucket: str) -> None:
    asked = ("--account", A, "--since", "2025-03-01", "--until", "2025-05-31", "--region", "eu-west-1")
    code, out, _ = run("-s", f"s3://{bucket}/trails", *asked, "inventory", "--quick", "--days", "--json")
    assert code == 0
    assert [row["day"] for row in json.loads(out)] == ["2025-03-03", "2025-04-03", "2025-05-03"]


def test_quick_is_refused_where_it_cannot_be(run: Run, bucket: str, tmp_path: Path) -> None:
    code, _, err = run("-s", tmp_path, "inventory", "--quick")
    assert (code, "--quick is for sources in S3" in err) == (64, True)
    code, _, err = run("-s", f"s3://{bucket}", "inventory", "--quick", "-o", "x.json")
    assert (code, "leave it out" in err) == (64, True)
    code, _, err = run("-s", "s3://no-such-bucket-here", "inventory", "--quick")
    assert (code, "no-such-bucket-here" in err) == (1, True)


def test_a_source_that_fails_is_told_and_the_rest_shown(run: Run, bucket: str) -> None:
    code, out, err = run(
        "-s", f"s3://{bucket}", "-s", "s3://no-such-bucket-here", "inventory", "--quick", "--json"
    )
    assert (code, len(json.loads(out))) == (3, 2)
    assert "s3://no-such-bucket-here is left out" in err


@pytest.mark.parametrize(
    ("source", "whole"), [("", True), ("/trails/AWSLogs/", True), (f"/trails/AWSLogs/{ORG}", False)]
)
def test_init_looks_at_folders(run: Run, bucket: str, source: str, whole: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    code, _, err = run("init", f"s3://{bucket}{source}")
    assert code == 0, err
    text = Path("trailhouse.yaml").read_text("utf-8")
    written = yaml.safe_load(text)
    if whole:
        assert (written["s3_bucket_containing_logs"], written["cloudtrail_prefix"]) == (bucket, "trails")
    else:
        assert written["sources"] == [f"s3://{bucket}{source}"]
    assert "2026-01-02" in text
    assert "by their folders" in err


def test_init_counts_files_where_there_are_no_such_folders(run: Run, bucket: str) -> None:
    code, _, err = run("init", f"s3://{bucket}/trails/AWSLogs/{A}/Config")
    assert code == 0
    assert "0 log files" in err
