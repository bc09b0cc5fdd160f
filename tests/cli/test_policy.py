from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bed.transport import JSON, Answer, Request, Server
from trailhouse.cli import main

ACCOUNT = ("--account-id", "111122223333")
READER = "arn:aws:iam::999900001111:role/analyst"
POINT = "arn:aws:s3:eu-west-1:111122223333:accesspoint/trail"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1"
Policy = Callable[..., tuple[int, str, str]]


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Policy:
    """`trailhouse policy` with a configuration; AWS cannot be reached."""
    monkeypatch.chdir(tmp_path)
    Path("trailhouse.yaml").write_text(
        "s3_bucket_containing_logs: my-logs\ndatabase: security\nregion: eu-west-1\n", "utf-8"
    )

    def call(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["policy", *args])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return int(left.value.code or 0), out, err

    return call


def statements(out: str) -> dict[str, Any]:
    return {each["Sid"]: each for each in json.loads(out)["Statement"]}


@pytest.mark.parametrize("role", ["runner", "operator", "analyst"])
def test_the_policy_of_a_role_is_json_with_the_names_of_the_configuration(policy: Policy, role: str) -> None:
    code, out, err = policy(role, *ACCOUNT)
    assert code == 0
    told = "results are taken to go to s3://aws-athena-query-results-111122223333-eu-west-1/"
    assert (told in err) == (role != "runner")
    found = statements(out)
    assert (
        "arn:aws:glue:eu-west-1:111122223333:table/security/cloudtrail_*"
        in found["TablesCatalog"]["Resource"]
    )
    assert (
        found["LogsList"]["Condition"] == {"StringLike": {"s3:prefix": ["AWSLogs", "AWSLogs/*"]}}
        or role == "operator"
    )
    results = "arn:aws:s3:::aws-athena-query-results-111122223333-eu-west-1/*"
    assert (results in found.get("ResultsObjects", {}).get("Resource", [])) == (role != "runner")


def test_a_named_format_explains_each_action(policy: Policy) -> None:
    _, out, _ = policy("runner", *ACCOUNT, "--format", "csv")
    rows = [*csv.DictReader(io.StringIO(out))]
    (row,) = [row for row in rows if row["why"] == "glue BatchCreatePartition"]
    assert (row["sid"], row["action"]) == ("TablesCatalog", "glue:BatchCreatePartition")
    assert row["page"].endswith("list_awsglue.html")
    _, _, err = policy("runner", *ACCOUNT, "--format", "table")
    assert "rows" in err


def test_bucket_key_and_lake_formation(policy: Policy) -> None:
    _, out, _ = policy("bucket", *ACCOUNT, "--principal", READER, "--principal", "999900001111")
    assert statements(out)["TrailhouseLogsObjects"] == {
        "Sid": "TrailhouseLogsObjects",
        "Effect": "Allow",
        "Principal": {"AWS": [READER, "arn:aws:iam::999900001111:root"]},
        "Action": ["s3:GetObject"],
        "Resource": ["arn:aws:s3:::my-logs/AWSLogs/*"],
    }
    _, out, _ = policy("kms", "--principal", READER)
    assert statements(out)["TrailhouseLogKeys"]["Action"] == ["kms:Decrypt"]
    _, out, _ = policy("lakeformation", *ACCOUNT, "--principal", "999900001111", "--as", "runner")
    assert json.loads(out)["Entries"][0]["Principal"] == {"DataLakePrincipalIdentifier": "999900001111"}


def test_keys_lake_and_access_points(policy: Policy) -> None:
    Path("trailhouse.yaml").write_text(
        "lake: s3://lake/x\nregion: us-gov-west-1\nsources: [s3://trail-1-s3alias/AWSLogs]\n", "utf-8"
    )
    keys = ("--kms-key", KEY, "--results-key", KEY, "--catalog-key", KEY)
    _, out, _ = policy("analyst", *ACCOUNT, *keys, "--access-point", f"trail-1-s3alias={POINT}")
    found = statements(out)
    assert found["LogKeys"]["Action"] == ["kms:Decrypt"]
    assert found["ResultKeys"]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert found["CatalogKeys"]["Action"] == ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
    assert found["LakeObjects"]["Resource"] == ["arn:aws-us-gov:s3:::lake/x/*"]
    assert found["LogsObjects"]["Resource"] == [f"{POINT}/object/AWSLogs/*"]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("runner", "--account-id", "12"), "12 digits"),
        (("analyst", *ACCOUNT, "--catalog-account", "x"), "--catalog-account x: account ids"),
        (("bucket", *ACCOUNT), "give --principal"),
        (("bucket", *ACCOUNT, "--principal", "me"), "--principal me: give an ARN"),
        (("bucket", *ACCOUNT, "--principal", READER, "--bucket", "b"), "--bucket b is none of the sources"),
        (("runner", *ACCOUNT, "-s", "s3://x-s3alias/"), "give --access-point x-s3alias=arn:aws:s3:"),
        (("runner", *ACCOUNT, "--access-point", "x=y"), "give ALIAS=arn"),
        (("analyst", *ACCOUNT, "--kms-key", "alias/x"), "give the key's ARN"),
        (("analyst", *ACCOUNT, "--results", "results"), "--results results: give an address"),
        (("runner", *ACCOUNT, "-s", "."), "no source is in S3"),
        (("runner", *ACCOUNT, "-o", "x.json"), "leave it out"),
        (("bucket", *ACCOUNT, "-s", "s3://aaa/", "-s", "s3://bbb/", "--principal", READER), "give --bucket aaa or bbb"),
        (("owner", *ACCOUNT), "'owner'"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_said(policy: Policy, args: tuple[str, ...], told: str) -> None:
    code, out, err = policy(*args)
    assert (code, out) == (64, "")
    assert told in err


def test_without_credentials_it_says_how_to_do_without(policy: Policy) -> None:
    code, _, err = policy("runner")
    assert code == 1
    assert "there are no AWS credentials" in err
    assert "give --account-id" in err


def test_more_than_a_managed_policy_takes_is_said(policy: Policy) -> None:
    sources = [arg for number in range(60) for arg in ("-s", f"s3://bucket-number-{number:03}/AWSLogs/")]
    _, out, err = policy("analyst", *ACCOUNT, *sources)
    assert "more than a managed policy takes (6,144)" in err
    assert len(statements(out)) > 60


def test_the_workgroup_decides_where_results_go(
    policy: Policy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its own location, where AWS is asked; what is given, where it is not."""
    found: list[tuple[int, bytes]] = [(200, b"{}")]

    def answer(request: Request) -> Answer:
        if request.credential[3] == "sts":
            body = (
                b"<R><GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult></R>"
            )
            return Answer(200, body, {"Content-Type": "text/xml"})
        return Answer(*found[0], {"Content-Type": JSON})

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    with Server(answer) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        group = {"Configuration": {"ResultConfiguration": {"OutputLocation": "s3://theirs/here"}}}
        found[0] = 200, json.dumps({"WorkGroup": group}).encode()
        _, out, err = policy("analyst")
        assert statements(out)["ResultsObjects"]["Resource"] == ["arn:aws:s3:::theirs/here/*"]
        assert err == ""
        monkeypatch.setenv("OUTPUT_S3_BUCKET", "ours")
        _, out, _ = policy("analyst")
        assert statements(out)["ResultsObjects"]["Resource"] == ["arn:aws:s3:::ours/*"]
        found[0] = 400, b'{"__type": "AccessDeniedException"}'
        _, _, err = policy("analyst")
        assert "where workgroup primary writes could not be read: access denied: athena:GetWorkGroup" in err
    _, out, err = policy("analyst", *ACCOUNT, "--results", "s3://given/x/")
    assert statements(out)["ResultsObjects"]["Resource"] == ["arn:aws:s3:::given/x/*"]
    assert err == ""
