import gzip
import json
from types import SimpleNamespace

from trailhouse.demo import Parameters, objects

SIGNS = (
    "/Config/us-east-1/2026/3/2/",
    "/Config/ConfigWritabilityCheckFile",
    "/vpcflowlogs/us-east-1/2026/03/03/",
    "/aws-service=vpcflowlogs/aws-region=us-east-1/year=2026/",
    "/elasticloadbalancing/us-east-1/",
    "/ELBAccessLogTestFile",
    ".jsonl.gz",
    "/WAFLogs/",
)


def test_logs_of_other_services(demo: SimpleNamespace) -> None:
    assert [sign for sign in SIGNS if not any(sign in key for key in demo.keys)] == []


def test_folder_keys_are_empty() -> None:
    folders = {key: body for key, body in objects(Parameters(500, 1)) if key.endswith("/")}
    assert set(folders.values()) == {b""}
    assert {key.split("/")[-2] for key in folders} == {"CloudTrail", "CloudTrail-Digest"}


def test_digests_are_a_chain_that_names_delivered_files(demo: SimpleNamespace) -> None:
    keys = [key for key in demo.keys if "/CloudTrail-Digest/" in key]
    assert len(keys) == 14 * 24
    previous, named = None, 0
    listed = {}
    for line in (demo.folder / "files.tsv").read_text().splitlines()[1:]:
        listed[line.split("\t")[0]] = line.split("\t")[6]
    for key in keys:
        digest = json.loads(gzip.decompress((demo.folder / "bucket" / key).read_bytes()))
        assert digest["digestS3Object"] == key
        assert digest["previousDigestS3Object"] == previous
        previous = key
        for file in digest["logFiles"]:
            assert listed[file["s3Object"]] == file["hashValue"]
            named += 1
    assert named > 0
