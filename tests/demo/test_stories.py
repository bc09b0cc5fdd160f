from types import SimpleNamespace
from typing import Any

import pytest

from trailhouse.demo.organization import organization
from trailhouse.demo.scene import Parameters, scene

NAMES = {"leaked-key", "root-login", "role-chain", "logging-off", "s3-ransom"}


def story(demo: SimpleNamespace, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A story's truth and its records, one of each event, in the order of time."""
    told = next(told for told in demo.truth.document["stories"] if told["name"] == name)
    ids = set(told["event_ids"])
    found = {record["eventID"]: record for _, record in demo.records if record.get("eventID") in ids}
    assert set(found) == ids
    return told, sorted(found.values(), key=lambda record: record["eventTime"])


def test_all_stories_are_told_or_none(demo: SimpleNamespace, quiet: SimpleNamespace) -> None:
    assert {told["name"] for told in demo.truth.document["stories"]} == NAMES
    assert quiet.truth.document["stories"] == []


@pytest.mark.parametrize("name", ["StopLogging", "DeleteTrail", "CopyObject", "CreateAccessKey"])
def test_no_stories_leave_no_trace(demo: SimpleNamespace, quiet: SimpleNamespace, name: str) -> None:
    assert any(record["eventName"] == name for _, record in demo.records)
    assert not any(record["eventName"] == name for _, record in quiet.records)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_truth_of_a_story_is_in_its_records(demo: SimpleNamespace, name: str) -> None:
    told, records = story(demo, name)
    assert told["first_event_time"] == records[0]["eventTime"]
    assert told["last_event_time"] == records[-1]["eventTime"]
    assert told["addresses"] == sorted({record["sourceIPAddress"] for record in records})
    assert told["accounts"] == sorted({record["recipientAccountId"] for record in records})
    identities = [record["userIdentity"] for record in records]
    assert told["principals"] == sorted({identity["arn"] for identity in identities if "arn" in identity})


def test_the_leaked_key_was_used_elsewhere_only_in_the_story(demo: SimpleNamespace) -> None:
    told, _ = story(demo, "leaked-key")
    (key,) = told["access_keys"]
    used = [
        (record["sourceIPAddress"], record["eventID"])
        for _, record in demo.records
        if record.get("userIdentity", {}).get("accessKeyId") == key
    ]
    inside = {address for address, id_ in used if id_ in told["event_ids"]}
    outside = {address for address, id_ in used if id_ not in told["event_ids"]}
    assert inside == set(told["addresses"])
    assert outside
    assert not inside & outside


def test_root_logs_in_without_mfa(demo: SimpleNamespace) -> None:
    _, records = story(demo, "root-login")
    logins = [record for record in records if record["eventName"] == "ConsoleLogin"]
    assert [record["responseElements"]["ConsoleLogin"] for record in logins] == ["Failure", "Success"]
    assert {record["additionalEventData"]["MFAUsed"] for record in logins} == {"No"}
    assert {record["userIdentity"]["type"] for record in records} == {"Root"}


def test_the_role_chain_can_be_followed_over_three_accounts(demo: SimpleNamespace) -> None:
    told, records = story(demo, "role-chain")
    assert len(told["accounts"]) == 3
    hops = [record for record in records if record["eventName"] == "AssumeRole"]
    assert [len([h for h in hops if h["sharedEventID"] == hop["sharedEventID"]]) for hop in hops] == [2] * 4
    keys = {record["userIdentity"].get("accessKeyId") for record in records}
    assert {hop["responseElements"]["credentials"]["accessKeyId"] for hop in hops} <= keys


def test_the_trail_that_is_switched_off_delivers_no_more(
    demo: SimpleNamespace, quiet: SimpleNamespace
) -> None:
    told, records = story(demo, "logging-off")
    (account,) = told["accounts"]
    stopped = next(
        r["eventTime"] for r in records if r["eventName"] == "StopLogging" and "errorCode" not in r
    )
    own = f"AWSLogs/{account}/CloudTrail/"
    times = [record["eventTime"] for key, record in demo.records if key.startswith(own)]
    assert times
    assert max(times) <= stopped
    assert any(record["eventTime"] > stopped for key, record in demo.records if f"/{own[8:]}" in key)
    assert any(record["eventTime"] > stopped for key, record in quiet.records if key.startswith(own))


def test_objects_are_held_to_ransom(demo: SimpleNamespace) -> None:
    _, records = story(demo, "s3-ransom")
    copied = [record for record in records if record["eventName"] == "CopyObject"]
    assert len(copied) == 60
    customer = "x-amz-server-side-encryption-customer-algorithm"
    assert {record["requestParameters"][customer] for record in copied} == {"AES256"}
    assert records[-1]["eventName"] == "PutObject"


def test_names_are_shuffled_by_the_seed() -> None:
    plots = [scene(Parameters(500, seed)).plot for seed in range(12)]
    assert len({plot.victim for plot in plots}) > 5
    assert len({plot.attacker for plot in plots}) == 12
    assert len({plot.leak for plot in plots}) > 10
    assert len({organization(seed).id for seed in range(12)}) == 12
