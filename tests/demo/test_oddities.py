from types import SimpleNamespace

import pytest

from trailhouse.demo import oddities


@pytest.fixture(scope="module")
def text(demo: SimpleNamespace) -> str:
    keys = [key for key in demo.keys if "/CloudTrail/" in key]
    return "\n".join(demo.text(key) for key in keys)


@pytest.mark.parametrize("number", [*oddities.NUMBERS])
def test_numbers_keep_their_text(text: str, number: str) -> None:
    assert f'"bytesTransferredIn":{number},' in text


@pytest.mark.parametrize("exact", [*oddities.EXACT])
def test_exact_texts(text: str, exact: str) -> None:
    assert f'"requestParameters":{exact}' in text


def test_agents_addresses_and_names(demo: SimpleNamespace) -> None:
    records = [record for _, record in demo.records]
    assert {record.get("userAgent") for record in records} >= set(oddities.AGENTS)
    assert {record.get("sourceIPAddress") for record in records} >= set(oddities.ADDRESSES)
    created = {r["requestParameters"]["userName"] for r in records if r["eventName"] == "CreateUser"}
    assert created >= set(oddities.NAMES)


@pytest.mark.parametrize("at", range(len(oddities.FIELDS)))
def test_fields(demo: SimpleNamespace, at: int) -> None:
    wanted = oddities.FIELDS[at]
    assert any({k: record.get(k, "absent") for k in wanted} == wanted for _, record in demo.records)


@pytest.mark.parametrize(
    "sign",
    [
        '"sessionIssuer":{}',
        '"webIdFederationData":{}',
        '"sessionContext":{}',
        '"userIdentity":{}',
        '"eventVersion":"1.0"',
    ],
)
def test_signs(text: str, sign: str) -> None:
    assert sign in text


def test_identities_without_type_and_of_every_type(demo: SimpleNamespace) -> None:
    types = {(record.get("userIdentity") or {}).get("type") for _, record in demo.records}
    assert types >= {
        None,
        "AssumedRole",
        "AWSAccount",
        "AWSService",
        "Directory",
        "IAMUser",
        "IdentityCenterUser",
    }
    assert types >= {"Root", "SAMLUser", "Unknown", "WebIdentityUser"}


@pytest.mark.parametrize(
    "name", ["userIdentity", "sourceIPAddress", "userAgent", "requestID", "eventID", "recipientAccountId"]
)
def test_missing_fields(demo: SimpleNamespace, name: str) -> None:
    assert any(name not in record for _, record in demo.records)


def test_one_id_for_two_events(demo: SimpleNamespace) -> None:
    document = demo.truth.document
    without = sum("eventID" not in record for _, record in demo.records)
    assert document["distinct_event_ids"] == demo.truth.distinct - without - 1


def test_sizes(demo: SimpleNamespace, text: str) -> None:
    assert "x" * 18115 in text
    assert any(len(str(record)) > 60_000 for _, record in demo.records)


def test_a_region_that_no_list_knows(demo: SimpleNamespace) -> None:
    assert demo.truth.document["by_region"][oddities.UNKNOWN_REGION] > 0
