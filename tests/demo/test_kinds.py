import json
from types import SimpleNamespace
from typing import Any

import pytest


def records(demo: SimpleNamespace, kind: str) -> list[dict[str, Any]]:
    keys = [key for key in demo.keys if f"/{kind}/" in key]
    return [record for key in keys for record in json.loads(demo.text(key))["Records"]]


def test_insights_come_in_pairs_without_a_principal(demo: SimpleNamespace) -> None:
    told = records(demo, "CloudTrail-Insight")
    states = {(one["sharedEventID"], one["insightDetails"]["state"]) for one in told}
    assert len(states) == 4
    assert not any("userIdentity" in one or "eventName" in one for one in told)


def test_network_activity_is_refused_now_and_then(demo: SimpleNamespace) -> None:
    told = records(demo, "CloudTrail-NetworkActivity")
    assert {one["eventCategory"] for one in told} == {"NetworkActivity"}
    assert {one.get("errorCode") for one in told} == {None, "VpceAccessDenied"}


@pytest.mark.parametrize("name", ["eventTime", "eventName", "eventID"])
def test_aggregated_records_lack(demo: SimpleNamespace, name: str) -> None:
    told = records(demo, "CloudTrail-Aggregated")
    assert told
    assert not any(name in one for one in told)
    assert all("eventId" in one and "timeWindow" in one for one in told)
