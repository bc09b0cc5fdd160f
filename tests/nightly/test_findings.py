from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from trailhouse.catalog.application import Failure
from trailhouse.core.layout import Kind
from trailhouse.core.rhythm import EVERYWHERE, Silence
from trailhouse.errors import (
    AccessDeniedError,
    AwsError,
    CatalogError,
    ConflictError,
    CredentialsError,
    StalePlanError,
    ThrottledError,
    TrailhouseError,
)
from trailhouse.nightly import findings

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
ACCOUNT = "111122223333"


@pytest.mark.parametrize(
    ("error", "command"),
    [
        (AccessDeniedError("no", operation="s3 ListObjectsV2"), "trailhouse policy bucket"),
        (AccessDeniedError("no", operation="glue GetTable"), "trailhouse deploy"),
        (AccessDeniedError("see `trailhouse policy kms`", operation="s3 GetObject"), "trailhouse policy kms"),
        (AccessDeniedError("see `trailhouse policy lakeformation`", operation="glue GetTable"),
         "trailhouse policy lakeformation"),
        (CredentialsError("expired"), "trailhouse status"),
        (ThrottledError("slower"), f"trailhouse apply --target {ACCOUNT}"),
        (ConflictError("changed"), f"trailhouse apply --target {ACCOUNT}"),
        (AwsError("broken"), f"trailhouse plan --target {ACCOUNT}"),
        (CatalogError("newer"), f"trailhouse plan --target {ACCOUNT}"),
    ],
)  # fmt: skip
def test_the_command_to_run(error: TrailhouseError, command: str) -> None:
    problem = findings.failure(ACCOUNT, Failure(error), NOW)
    assert (problem.command, problem.identity) == (command, ("account", ACCOUNT))
    assert problem.what == str(error)
    assert problem.tried


def test_what_is_left_is_counted() -> None:
    problem = findings.failure("views", Failure(AwsError("broken"), 3), NOW)
    assert problem.what == "broken (3 changes left)"
    assert (problem.kind, problem.command) == ("view", "trailhouse plan")


def test_a_run_that_failed_is_named_by_its_error() -> None:
    error = AwsError("broken", code="InternalServiceException", operation="glue GetTables")
    assert findings.failed(error, NOW).subject == "glue GetTables InternalServiceException"
    assert findings.failed(StalePlanError("stale"), NOW).subject == "StalePlanError"


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (json.dumps({"errorMessage": "out of time", "stackTrace": ["a.py"]}), "out of time"),
        ("signal: killed\nat line 3", "signal: killed"),
        ("", "no cause is known"),
        ("[1]", "[1]"),
        (json.dumps({"errorType": "x"}), '{"errorType": "x"}'),
    ],
)
def test_a_cause_is_told_without_its_trace(cause: str, said: str) -> None:
    problem = findings.ended("Lambda.Unknown", cause, NOW)
    assert problem.what == f"the function ended without an answer: Lambda.Unknown: {said}"
    assert problem.identity == ("run", "Lambda.Unknown")
    assert findings.ended("", "", NOW).subject == "unknown error"


@pytest.mark.parametrize(
    ("kind", "region", "subject"),
    [
        (Kind.CLOUDTRAIL, EVERYWHERE, ACCOUNT),
        (Kind.CLOUDTRAIL, "eu-west-1", f"{ACCOUNT}/eu-west-1"),
        (Kind.AGGREGATED, EVERYWHERE, f"{ACCOUNT}/CloudTrail-Aggregated/*"),
        (Kind.AGGREGATED, "eu-west-1", f"{ACCOUNT}/CloudTrail-Aggregated/eu-west-1"),
    ],
)
def test_what_a_silence_is_about(kind: Kind, region: str, subject: str) -> None:
    problem = findings.silent(ACCOUNT, kind, region, Silence(date(2026, 2, 27), 2), NOW)
    assert problem.subject == subject
    assert problem.since == datetime(2026, 2, 27, tzinfo=UTC)
    assert "since 2026-02-26; before that, its deliveries were at most 2 days apart" in problem.what


def test_commands_are_safe_to_paste() -> None:
    problem = findings.silent(ACCOUNT, Kind.CLOUDTRAIL, "$(rm -rf /)", Silence(date(2026, 2, 27), 1), NOW)
    assert problem.command.endswith("--region '$(rm -rf /)'")


def test_refusals_and_views() -> None:
    assert findings.refused("tables", "foreign", NOW).command == "trailhouse plan"
    assert findings.left_out("cloudtrail", "without some", NOW).identity == ("view", "cloudtrail")


CALLER = "arn:aws-cn:sts::111122223333:assumed-role/trail-runner-cn-north-1/trail"
ROLE = "arn:aws-cn:iam::111122223333:role/trail-runner-cn-north-1"


@pytest.mark.parametrize(
    ("command", "stack", "caller", "complete"),
    [
        ("trailhouse policy bucket", "trail", CALLER, f"trailhouse policy bucket --principal {ROLE}"),
        ("trailhouse policy kms", "trailhouse", CALLER, f"trailhouse policy kms --principal {ROLE}"),
        (
            "trailhouse policy lakeformation", "trail", CALLER,
            f"trailhouse policy lakeformation --principal {ROLE} --as runner",
        ),
        ("trailhouse policy bucket", "trail", "arn:aws:iam::111122223333:user/me", "trailhouse policy bucket"),
        ("trailhouse policy bucket", "trail", "", "trailhouse policy bucket"),
        ("trailhouse deploy", "trail", CALLER, "trailhouse deploy --stack trail"),
        ("trailhouse runs", "trailhouse", CALLER, "trailhouse runs"),
        ("trailhouse plan --target 111122223333", "trail", CALLER, "trailhouse plan --target 111122223333"),
    ],
)  # fmt: skip
def test_a_command_can_be_given_as_it_stands(command: str, stack: str, caller: str, complete: str) -> None:
    found = replace(findings.failed(AwsError("no"), NOW), command=command)
    once = findings.addressed(found, stack, caller)
    assert once.command == complete
    assert findings.addressed(once, stack, caller) == once
