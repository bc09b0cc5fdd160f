"""What failed first, and when an operation is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from trailhouse.deploy.events import Event, cause, ends, event_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STACK = "arn:aws:cloudformation:eu-west-1:111122223333:stack/trail/1"


def event(
    status: str, name: str = "Role", reason: str = "", kind: str = "AWS::IAM::Role", physical: str = ""
) -> Event:
    return Event(f"{name}-{status}", NOON, name, kind, physical, status, reason)


def whole(status: str, reason: str = "", physical: str = STACK) -> Event:
    return event(status, "trail", reason, "AWS::CloudFormation::Stack", physical)


def test_the_first_cause_is_no_consequence() -> None:
    events = [
        whole("CREATE_IN_PROGRESS"),
        event("CREATE_FAILED", "Topic", "Resource creation cancelled"),
        event("CREATE_FAILED", "Role", "a policy is malformed"),
        event("CREATE_FAILED", "Queue", "later"),
        whole("ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Role]."),
        whole("ROLLBACK_COMPLETE"),
    ]
    found = cause(events)
    assert found is not None
    assert (found.name, found.reason) == ("Role", "a policy is malformed")


def test_where_only_the_stack_failed_it_is_the_cause() -> None:
    events = [whole("CREATE_FAILED", "Validation failed"), whole("ROLLBACK_COMPLETE")]
    found = cause(events)
    assert found is not None
    assert found.reason == "Validation failed"
    assert cause([whole("UPDATE_COMPLETE")]) is None


@pytest.mark.parametrize(
    ("status", "over"),
    [
        ("CREATE_COMPLETE", True), ("ROLLBACK_COMPLETE", True), ("DELETE_FAILED", True),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", False), ("ROLLBACK_IN_PROGRESS", False),
    ],
)  # fmt: skip
def test_the_stack_itself_says_when_it_is_over(status: str, over: bool) -> None:  # noqa: FBT001 - as pytest gives it
    assert ends(whole(status), STACK) == over
    assert not ends(event(status), STACK)
    assert not ends(whole(status, physical="arn:nested"), STACK)


def test_an_event_is_read_in_utc_and_without_tokens() -> None:
    east = timezone(timedelta(hours=9))
    found = event_of(
        {
            "EventId": "1", "Timestamp": datetime(2026, 3, 2, 21, 30, 5, tzinfo=east), "LogicalResourceId": "Role",
            "ResourceType": "AWS::IAM::Role", "ResourceStatus": "CREATE_FAILED",
            "ResourceStatusReason": "no such policy (RequestToken: abc-1, HandlerErrorCode: NotFound)",
        }
    )  # fmt: skip
    assert str(found) == "12:30:05 CREATE_FAILED        Role (AWS::IAM::Role): no such policy"
