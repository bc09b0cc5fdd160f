"""The truth of a demo against an oracle that knows gzip and JSON, and nothing of the package."""

import gzip
import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

KEY = re.compile(r"(.*)/(\d{12})/CloudTrail/([^/]+)/(\d{4})/(\d\d)/(\d\d)/")


DAY = "year = '2019' AND month = '09' AND day = '30'"
README = (
    f"SELECT * FROM cloudtrail_000000000000 WHERE region = 'us-east-1' AND {DAY} LIMIT 5;",
    (
        f"SELECT useridentity.arn, errorcode, count(*) AS count FROM cloudtrail_000000000000 WHERE {DAY} "
        "AND errorcode != '' GROUP BY errorcode, useridentity.arn ORDER BY count DESC LIMIT 50;"
    ),
    (
        "SELECT eventname, count(*) AS COUNT FROM cloudtrail_000000000000 WHERE year = '2019' AND "
        "month = '09' and day = '30' AND useridentity.arn like '%alice%' GROUP BY eventname "
        "ORDER BY COUNT DESC"
    ),
    (
        "SELECT recipientaccountid, count(*) AS COUNT FROM cloudtrail WHERE year = '2019' AND month = '09' "
        "AND sourceipaddress = '1.2.3.4' GROUP BY recipientaccountid ORDER BY COUNT DESC"
    ),
)


@pytest.fixture(params=["demo", "quiet"])
def made(request: pytest.FixtureRequest) -> SimpleNamespace:
    return request.getfixturevalue(request.param)


def rows(made: SimpleNamespace) -> list[dict[str, str]]:
    lines = (made.folder / "files.tsv").read_text().splitlines()
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"), strict=True)) for line in lines[1:]]


def place(key: str) -> tuple[str, str, str, str]:
    match = KEY.match(key)
    assert match, key
    root, account, region, *day = match.groups()
    return root, account, region, "-".join(day)


def identity(record: dict[str, Any]) -> tuple[Any, ...]:
    names = ("eventID", "eventTime", "eventSource", "eventName", "recipientAccountId")
    return tuple(record.get(name) for name in names)


def test_files_tsv_is_every_file_with_its_records_sizes_and_hash(made: SimpleNamespace) -> None:
    listed = rows(made)
    assert sorted(row["key"] for row in listed) == made.keys
    for row in listed:
        body = (made.folder / "bucket" / row["key"]).read_bytes()
        assert len(body) == int(row["compressed_bytes"])
        if row["verdict"] == "records":
            content = gzip.decompress(body) if row["key"].endswith(".gz") else body
            assert len(json.loads(content)["Records"]) == int(row["records"])
            assert len(content) == int(row["uncompressed_bytes"])
            assert hashlib.sha256(content).hexdigest() == row["sha256_uncompressed"]
            assert f"/{row['kind']}/" in row["key"]
        else:
            assert "/CloudTrail/" not in row["key"]


def test_counts_of_kinds_and_files(made: SimpleNamespace) -> None:
    document = made.truth.document
    records: Counter[str] = Counter()
    files: Counter[tuple[str, str]] = Counter()
    for row in rows(made):
        records[row["kind"]] += int(row["records"])
        files[row["kind"], row["verdict"]] += 1
    assert document["counts"]["cloudtrail_insight"] == records["CloudTrail-Insight"] > 0
    assert document["counts"]["cloudtrail_networkactivity"] == records["CloudTrail-NetworkActivity"] > 0
    assert document["counts"]["cloudtrail_aggregated"] == records["CloudTrail-Aggregated"] > 0
    assert {(f["kind"], f["verdict"]): f["files"] for f in document["files"]} == files


def test_delivered_and_distinct(made: SimpleNamespace) -> None:
    document = made.truth.document
    keyed = {identity(record) for _, record in made.records if "eventID" in record}
    without = sum("eventID" not in record for _, record in made.records)
    assert without > 0
    assert made.truth.delivered == len(made.records)
    assert made.truth.distinct == len(keyed) + without == document["parameters"]["events"]
    assert document["duplicates"] == len(made.records) - len(keyed) - without


def test_ids(made: SimpleNamespace) -> None:
    ids = sorted({record["eventID"] for _, record in made.records if "eventID" in record})
    document = made.truth.document
    assert document["distinct_event_ids"] == len(ids)
    expected = hashlib.sha256("".join(f"{id_}\n" for id_ in ids).encode()).hexdigest()
    assert document["sha256_of_sorted_event_ids"] == expected


def test_counts_by_account_region_root_and_days(made: SimpleNamespace) -> None:
    document = made.truth.document
    places = [place(key) for key, _ in made.records]
    names = ("by_root", "by_account", "by_region", "by_delivery_day")
    for at, name in enumerate(names):
        assert document[name] == Counter(place[at] for place in places), name
    events = {
        identity(record) if "eventID" in record else at: record for at, (_, record) in enumerate(made.records)
    }
    assert document["by_event_day"] == Counter(record["eventTime"][:10] for record in events.values())


def test_answers_of_the_four_queries(made: SimpleNamespace) -> None:
    asked = made.truth.document["questions"]
    first, second, third, fourth = made.truth.document["answers"]
    day = f"{asked['year']}-{asked['month']}-{asked['day']}"
    here = [
        (place(key)[2], record)
        for key, record in made.records
        if place(key)[1] == asked["account"] and place(key)[3] == day
    ]
    ids = sorted(record["eventID"] for region, record in here if region == asked["region"])
    assert sorted((made.folder / first["eventids_file"]).read_text().split()) == ids
    assert first["matching"] == len(ids) >= 5
    errors = Counter(
        (record["userIdentity"].get("arn"), record["errorCode"])
        for _, record in here
        if record.get("errorCode")
    )
    assert {(arn, error): n for arn, error, n in second["all_rows"]} == errors
    assert second["groups"] == len(errors)
    assert second["rows"] == second["all_rows"][:50]
    names = Counter(
        record["eventName"] for _, record in here if asked["user"] in record["userIdentity"].get("arn", "")
    )
    assert dict(third["rows"]) == names
    month = day[:7]
    recipients = Counter(
        record.get("recipientAccountId")
        for key, record in made.records
        if place(key)[3][:7] == month and record.get("sourceIPAddress") == asked["address"]
    )
    assert dict(fourth["rows"]) == recipients
    for answer in (second, third, fourth):
        counts = [row[-1] for row in answer["rows"]]
        assert counts == sorted(counts, reverse=True)


def test_the_questions_are_worth_asking(demo: SimpleNamespace) -> None:
    _, second, third, fourth = demo.truth.document["answers"]
    assert 2 <= second["groups"] <= 50
    assert len(third["rows"]) > 5
    assert len(fourth["rows"]) >= 3


def test_the_written_truth_is_the_returned_one(demo: SimpleNamespace) -> None:
    text = (demo.folder / "truth.json").read_text(encoding="utf-8")
    assert json.loads(text) == demo.truth.document


def test_the_source_holds_nothing_but_the_bucket(demo: SimpleNamespace) -> None:
    names = {path.name for path in Path(demo.folder).iterdir()}
    assert names == {"bucket", "truth.json", "files.tsv", "query1_eventids.txt"}
    assert {path.name for path in (demo.folder / "bucket").iterdir()} == {"AWSLogs"}


def test_the_readme_queries_are_asked_as_they_are_written(demo: SimpleNamespace) -> None:
    asked = demo.truth.document["questions"]
    written = "\n".join(README)
    changed = {
        "000000000000": asked["account"],
        "'2019'": f"'{asked['year']}'",
        "'09'": f"'{asked['month']}'",
        "'30'": f"'{asked['day']}'",
        "alice": asked["user"],
        "1.2.3.4": asked["address"],
    }
    for old, new in changed.items():
        written = written.replace(old, new)
    assert [answer["sql"] for answer in demo.truth.document["answers"]] == written.split("\n")
