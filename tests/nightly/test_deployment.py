from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from trailhouse.aws.session import Call
from trailhouse.core import policy
from trailhouse.core.operations import find
from trailhouse.nightly import deployment
from trailhouse.nightly.deployment import Calls, Deployment, versions
from trailhouse.nightly.settings import NightlySettings, NightlySource

if TYPE_CHECKING:
    import pytest


def test_calls_are_counted_from_any_thread() -> None:
    calls = Calls()
    threads = [
        threading.Thread(target=lambda: [calls.add(Call("glue", "GetTable", {})) for _ in range(500)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    calls.add(Call("s3", "PutObject", {}, "AccessDenied"))
    assert calls.by_service() == {"glue": {"GetTable": 2_000}, "s3": {"PutObject": 1}}


def test_opening_makes_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    settings = NightlySettings((NightlySource("s3://logs"),), region="eu-central-1")
    opened = Deployment(settings, "trailhouse", "output")
    assert opened.region == "eu-central-1"
    assert {"eu-central-1", "us-east-1"} <= set(opened.regions())
    assert "cn-north-1" not in opened.regions()
    assert opened.calls.by_service() == {}


def test_the_metric_is_one_that_the_policy_allows() -> None:
    assert deployment.METRICS == policy.METRICS
    assert find("cloudwatch", "PutMetricData").actions == ("cloudwatch:PutMetricData",)


def test_versions_need_no_package_metadata() -> None:
    assert set(versions()) == {"trailhouse", "python", "boto3"}
