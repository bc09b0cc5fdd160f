from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.config.settings import Settings
from trailhouse.core.policy import Role, role_policy
from trailhouse.deploy.values import (
    INLINE_LIMIT,
    names_of,
    nightly_settings,
    refuse_topic_elsewhere,
    runner_statements,
    substituted,
    values_of,
)
from trailhouse.errors import ConfigError

LOGS = "my-logs"


def settings(**given: object) -> Settings:
    return Settings(**{"s3_bucket_containing_logs": LOGS, **given})


def test_what_is_not_given_is_the_stack_s_own() -> None:
    values = values_of(settings())
    assert (values.topic, values.output_bucket, values.output_key, values.stack_key) == ("", "", "", "")
    assert values.own_bucket == "trailhouse-output-${AWS::AccountId}-${AWS::Region}"


def test_the_bucket_of_a_stack_has_no_capitals() -> None:
    assert values_of(settings(stack="My-Logs")).own_bucket.startswith("my-logs-output-")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"alarm_sns_arn": "arn:aws:sns:us-east-1:000000000000:myalarm"}, "not edited"),
        ({"s3_bucket_containing_logs": "MYBUCKET"}, "not edited"),
        ({"alarm_sns_arn": "arn:aws:sns:us-east-1:111122223333:a.fifo"}, "FIFO"),
        ({"sources": [{"uri": "./evidence"}]}, "is in S3, and ./evidence is not"),
        ({"sources": [{"uri": "s3://a-b-c/", "profile": "me"}]}, "give role_arn instead"),
        ({"sources": [{"uri": "s3://a-b-c/", "endpoint_url": "http://host"}]}, "leave endpoint_url out"),
        ({"endpoint_url": "http://host"}, "leave endpoint_url out"),
        ({"sources": [{"uri": "s3://ap-abc-s3alias/"}]}, "give the bucket itself"),
    ],
)
def test_what_is_nothing_for_a_nightly_run_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        values_of(settings(**given))


def test_a_topic_in_another_region_is_refused() -> None:
    given = settings(alarm_sns_arn="arn:aws:sns:us-east-1:111122223333:alarm")
    refuse_topic_elsewhere(given, values_of(given), "us-east-1")
    with pytest.raises(ConfigError, match="lies in another region"):
        refuse_topic_elsewhere(given, values_of(given), "eu-west-1")


def test_too_many_sources_for_one_role_are_refused_with_what_to_do() -> None:
    sources = [{"uri": f"s3://a-rather-long-name-of-a-bucket-{number:03}/AWSLogs/"} for number in range(70)]
    with pytest.raises(ConfigError, match=r"10,240.*give a folder that holds several.*second stack"):
        values_of(settings(sources=sources))


def test_what_fits_is_within_the_limit() -> None:
    sources = [{"uri": f"s3://bucket-{number:03}/AWSLogs/"} for number in range(40)]
    found = runner_statements(settings(sources=sources))
    assert len(json.dumps(found, separators=(",", ":"))) < INLINE_LIMIT


def test_the_runner_gets_what_the_policy_of_its_role_says() -> None:
    given = settings()
    found = runner_statements(given)
    expected = [one.as_json() for one in role_policy(Role.RUNNER, names_of(given))]
    assert [one["Sid"] for one in found] == [one["Sid"] for one in expected]
    assert [one["Action"] for one in found] == [one["Action"] for one in expected]


def test_digest_changes_with_what_the_run_needs_and_with_nothing_else() -> None:
    config = values_of(settings()).config
    assert values_of(settings(memory_mb=1024, schedule="rate(12 hours)")).config == config
    assert values_of(settings(database="security")).config != config


def test_the_run_gets_sources_with_their_access_and_not_the_caller_s() -> None:
    found = nightly_settings(
        settings(
            profile="me",
            role_arn="arn:aws:iam::111122223333:role/me",
            region="eu-west-1",
            sources=[
                {
                    "uri": "s3://a-b-c/x/",
                    "role_arn": "arn:aws:iam::444455556666:role/reader",
                    "external_id": "xy",
                }
            ],
        )
    )
    assert (found.profile, found.role_arn, found.region) == (None, None, None)
    assert found.sources[0].role_arn == "arn:aws:iam::444455556666:role/reader"
    assert found.sources[0].external_id == "xy"


@given(st.text(alphabet="ab${}*:AWS!", max_size=30))
def test_only_cloudformation_s_own_variables_are_filled(text: str) -> None:
    found = substituted(f"arn:${{AWS::Partition}}:{text}")
    inner = found["Fn::Sub"]
    # As CloudFormation reads it: a literal, or one of the pseudo parameters.
    read = inner.replace("${AWS::", "<").replace("${!", "${")
    assert read == f"arn:${{AWS::Partition}}:{text}".replace("${AWS::", "<")


def test_text_without_variables_stays_text() -> None:
    assert substituted(["a${*}b", {"x": ("y",)}]) == ["a${*}b", {"x": ["y"]}]
