from __future__ import annotations

import re
from typing import Any

import pytest

from deploy.stacks import CODE, CONFIGS
from trailhouse.cli.app import app
from trailhouse.config.settings import Settings
from trailhouse.deploy.template import fill
from trailhouse.deploy.values import values_of
from trailhouse.nightly.deployment import DIMENSION, METRICS, SUCCEEDED

DOCUMENTED = {
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName",)),
}
OURS = {(METRICS, SUCCEEDED, (DIMENSION,))}
TEXT_LIMIT = 1_024  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html


def alarms(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: one["Properties"]
        for name, one in template["Resources"].items()
        if one["Type"] == "AWS::CloudWatch::Alarm"
    }


@pytest.fixture
def least() -> dict[str, dict[str, Any]]:
    return alarms(fill(values_of(Settings(**CONFIGS["least"])), CODE))


def test_every_alarm_watches_a_metric_that_somebody_puts(filled: dict[str, Any]) -> None:
    found = alarms(filled)
    assert len(found) == 2
    for alarm in found.values():
        dimensions = tuple(each["Name"] for each in alarm["Dimensions"])
        assert (alarm["Namespace"], alarm["MetricName"], dimensions) in DOCUMENTED | OURS


def test_each_goes_to_the_topic_when_it_begins_and_when_it_ends(filled: dict[str, Any]) -> None:
    topic = filled["Outputs"]["Topic"]["Value"]
    for alarm in alarms(filled).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [topic]
        assert alarm["ActionsEnabled"]


def test_no_success_for_26_hours_is_known_even_when_nothing_ran(least: dict[str, dict[str, Any]]) -> None:
    alarm = least["NoSuccessAlarm"]
    assert alarm["TreatMissingData"] == "breaching"
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (3600, 26, 26)
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Sum",
        "LessThanThreshold",
        1,
    )
    assert alarm["Dimensions"] == [{"Name": "Stack", "Value": "trailhouse"}]
    assert "in the first hours after a deployment" in alarm["AlarmDescription"]
    assert "told to this topic once, when it begins, and not every night" in alarm["AlarmDescription"]
    assert "how they ended, says trailhouse runs --stack trailhouse." in alarm["AlarmDescription"]


def test_each_text_can_be_acted_on(filled: dict[str, Any]) -> None:
    commands = {command.name for command in app.registered_commands}
    for alarm in alarms(filled).values():
        text = alarm["AlarmDescription"]
        assert len(text) <= TEXT_LIMIT
        assert text.isascii()
        for word in ("What: ", "Since: ", "Tried: ", "Do: "):
            assert word in text
        named = set(re.findall(r"trailhouse (\w+) --stack", text))
        assert named
        assert named <= commands


def test_the_queue_s_alarm_watches_the_queue_that_schedule_and_rule_fall_back_to(
    filled: dict[str, Any],
) -> None:
    resources = filled["Resources"]
    queue = {"Fn::GetAtt": ["Undelivered", "Arn"]}
    assert resources["Schedule"]["Properties"]["Target"]["DeadLetterConfig"]["Arn"] == queue
    assert resources["ScanRule"]["Properties"]["Targets"][0]["DeadLetterConfig"]["Arn"] == queue
    (dimension,) = resources["UndeliveredAlarm"]["Properties"]["Dimensions"]
    assert dimension["Value"] == {"Fn::GetAtt": ["Undelivered", "QueueName"]}
