"""Statements come from the two lists, all of them and nothing else, and name what the configuration names."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws.iam import allows
from trailhouse.core import lake_formation
from trailhouse.core.delegated import Kind, Place, delegated, kinds
from trailhouse.core.operations import Use, operations
from trailhouse.core.policy import (
    MANAGED_LIMIT,
    USES,
    Folder,
    Names,
    Role,
    bucket_policy,
    document,
    key_policy,
    role_policy,
)

KEY = "arn:aws:kms:eu-west-1:111122223333:key/{}"
NAMES = Names(
    "aws", "eu-west-1", "111122223333",
    (Folder("my-logs", "x/AWSLogs/"), Folder("other", "AWSLogs/")), Folder("results"), Folder("results", "try/"),
    records=Folder("output", "trailhouse/"), lake=Folder("lake", "trail/"), database="security",
    code=Folder("code"), output=Folder("output"),
    log_keys=(KEY.format("logs"),), result_keys=(KEY.format("results"),), catalog_keys=(KEY.format("catalog"),),
    stack_keys=(KEY.format("stack"),),
    roles=("arn:aws:iam::444455556666:role/reader",),
)  # fmt: skip
PLAIN = replace(NAMES, lake=None, log_keys=(), result_keys=(), catalog_keys=(), stack_keys=(), roles=())
GLUE = "arn:aws:glue:eu-west-1:111122223333:"
READER = "arn:aws:iam::999900001111:role/analyst"


def may(role: Role, action: str, resource: str, names: Names = NAMES, **context: str) -> bool:
    found = {key.replace("_", ":"): value for key, value in context.items()}
    return allows(document(role_policy(role, names)), action, resource, found)


def actions(role: Role, names: Names = NAMES) -> set[str]:
    return {action for statement in role_policy(role, names) for action in statement.actions}


@pytest.mark.parametrize("role", Role)
def test_what_a_role_does_it_may_do_and_what_it_may_do_somebody_does(role: Role) -> None:
    called = {action for each in operations() if each.uses & set(USES[role]) for action in each.actions}
    taken = {
        action
        for use in USES[role]
        for row in delegated()
        if row.kind in kinds(use)
        for action in row.actions
    }
    assert actions(role) == called | taken
    for statement in role_policy(role, NAMES):
        assert {reason.action for reason in statement.reasons} == set(statement.actions)
        assert all(reason.page.startswith("https://docs.aws.amazon.com/") for reason in statement.reasons)


def test_every_operation_and_every_kind_of_statement_is_some_roles() -> None:
    used = {use for uses in USES.values() for use in uses}
    assert used == set(Use)
    assert {kind for use in Use for kind in kinds(use)} == set(Kind)
    assert {row.place for row in delegated()} <= set(Place)
    assert {row.kind for row in delegated()} == set(Kind)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("names", [NAMES, PLAIN])
def test_policies_are_documents_that_iam_takes(role: Role, names: Names) -> None:
    found = document(role_policy(role, names))
    sids = [statement["Sid"] for statement in found["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(re.fullmatch("[A-Za-z0-9]+", sid) for sid in sids)
    assert all(statement["Action"] and statement["Resource"] for statement in found["Statement"])
    assert len(json.dumps(found, separators=(",", ":"))) <= MANAGED_LIMIT
    assert found["Version"] == "2012-10-17"


def test_the_runner_reads_and_writes_its_records_and_puts_metrics_of_its_own() -> None:
    record = "arn:aws:s3:::output/trailhouse/runs/1.json"
    assert may(Role.RUNNER, "s3:GetObject", record)
    assert may(Role.RUNNER, "s3:PutObject", record)
    assert may(Role.RUNNER, "s3:ListBucket", "arn:aws:s3:::output", s3_prefix="trailhouse/runs/")
    assert not may(Role.RUNNER, "s3:ListBucket", "arn:aws:s3:::output", s3_prefix="results/")
    for resource in ("arn:aws:s3:::output/results/1.csv", "arn:aws:s3:::my-logs/x/AWSLogs/1"):
        assert not may(Role.RUNNER, "s3:GetObject", resource)
        assert not may(Role.RUNNER, "s3:PutObject", resource)
    assert may(Role.RUNNER, "kms:Decrypt", KEY.format("results"))
    assert may(Role.RUNNER, "cloudwatch:PutMetricData", "*", cloudwatch_namespace="trailhouse")
    assert not may(Role.RUNNER, "cloudwatch:PutMetricData", "*", cloudwatch_namespace="AWS/States")
    assert not may(Role.RUNNER, "s3:PutObject", record, replace(NAMES, records=None))


def test_a_boundary_of_what_is_deployed_cannot_be_left_out_or_taken_off() -> None:
    boundary, role = (
        "arn:aws:iam::111122223333:policy/edge",
        "arn:aws:iam::111122223333:role/trailhouse-runner-x",
    )
    bound = replace(NAMES, boundary=boundary)
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"):
        assert may(Role.DEPLOYER, action, role)
        assert not may(Role.DEPLOYER, action, role, bound)
        assert not may(
            Role.DEPLOYER, action, role, bound, iam_PermissionsBoundary=boundary.replace("edge", "none")
        )
        assert may(Role.DEPLOYER, action, role, bound, iam_PermissionsBoundary=boundary)
    assert may(Role.DEPLOYER, "iam:DeleteRolePermissionsBoundary", role)
    assert not may(Role.DEPLOYER, "iam:DeleteRolePermissionsBoundary", role, bound)
    assert actions(Role.DEPLOYER) - actions(Role.DEPLOYER, bound) == {"iam:DeleteRolePermissionsBoundary"}
    assert (
        len(json.dumps(document(role_policy(Role.DEPLOYER, bound)), separators=(",", ":"))) <= MANAGED_LIMIT
    )


def test_the_operator_sees_and_starts_the_nightly_run_of_the_stack() -> None:
    named = replace(NAMES, stack="logs")
    machine, execution = "arn:aws:states:eu-west-1:111122223333:stateMachine:{}", "execution:logs:1"
    assert may(Role.OPERATOR, "states:StartExecution", machine.format("logs"), named)
    assert not may(Role.OPERATOR, "states:StartExecution", machine.format("other"), named)
    assert may(
        Role.OPERATOR, "states:DescribeExecution", machine.replace("stateMachine:{}", execution), named
    )
    alarms = "arn:aws:sns:eu-west-1:111122223333:{}"
    assert may(Role.OPERATOR, "sns:GetTopicAttributes", alarms.format("logs-alarms"), named)
    given = replace(named, topic=alarms.format("given"))
    assert may(Role.OPERATOR, "sns:GetTopicAttributes", alarms.format("given"), given)
    assert not may(Role.OPERATOR, "sns:GetTopicAttributes", alarms.format("logs-alarms"), given)


def test_the_runner_writes_the_catalog_and_reads_no_log() -> None:
    table = f"{GLUE}table/security/cloudtrail_111122223333"
    for resource in (f"{GLUE}catalog", f"{GLUE}database/security", f"{GLUE}table/security/cloudtrail", table):
        assert may(Role.RUNNER, "glue:BatchCreatePartition", resource)
    for resource in (
        f"{GLUE}table/security/others",
        f"{GLUE}table/elsewhere/cloudtrail",
        f"{GLUE}database/x",
    ):
        assert not may(Role.RUNNER, "glue:BatchCreatePartition", resource)
    assert not {
        "athena:StartQueryExecution",
        "glue:DeleteDatabase",
    } & actions(Role.RUNNER)
    assert may(Role.RUNNER, "sts:AssumeRole", "arn:aws:iam::444455556666:role/reader")
    assert not may(Role.RUNNER, "sts:AssumeRole", "arn:aws:iam::444455556666:role/other")
    assert may(Role.RUNNER, "kms:GenerateDataKey", KEY.format("catalog"))
    assert not may(Role.RUNNER, "kms:Decrypt", KEY.format("logs"))


def test_listing_is_for_the_prefix_of_each_bucket() -> None:
    logs, other = "arn:aws:s3:::my-logs", "arn:aws:s3:::other"
    assert may(Role.RUNNER, "s3:ListBucket", logs, s3_prefix="x/AWSLogs/1/")
    assert may(Role.RUNNER, "s3:ListBucket", logs, s3_prefix="x/AWSLogs")
    assert may(Role.RUNNER, "s3:ListBucket", other, s3_prefix="AWSLogs/")
    assert not may(Role.RUNNER, "s3:ListBucket", other, s3_prefix="x/AWSLogs/")
    assert not may(Role.RUNNER, "s3:ListBucket", logs, s3_prefix="y/")
    assert not may(Role.RUNNER, "s3:ListBucket", logs)
    whole = replace(PLAIN, logs=(Folder("my-logs"),))
    assert may(Role.RUNNER, "s3:ListBucket", logs, whole)


def test_the_analyst_asks_and_changes_nothing_but_results() -> None:
    assert may(Role.ANALYST, "s3:GetObject", "arn:aws:s3:::my-logs/x/AWSLogs/1/a.json.gz")
    assert not may(Role.ANALYST, "s3:GetObject", "arn:aws:s3:::my-logs/y/secret")
    assert may(Role.ANALYST, "s3:PutObject", "arn:aws:s3:::results/any")
    assert not may(Role.ANALYST, "s3:PutObject", "arn:aws:s3:::my-logs/x/AWSLogs/1/a.json.gz")
    assert may(Role.ANALYST, "glue:GetDatabase", f"{GLUE}database/default")
    assert may(Role.ANALYST, "s3:GetObject", "arn:aws:s3:::lake/trail/data/x.parquet")
    assert not any(
        re.match(r"glue:(Batch)?(Create|Update|Delete)", action) for action in actions(Role.ANALYST)
    )
    assert not any(
        "lake" in arn for statement in role_policy(Role.ANALYST, PLAIN) for arn in statement.resources
    )


def test_the_operator_tries_in_a_place_of_its_own() -> None:
    assert may(Role.OPERATOR, "s3:DeleteObject", "arn:aws:s3:::results/try/x")
    assert not may(Role.OPERATOR, "s3:DeleteObject", "arn:aws:s3:::results/other")
    for kept in ("arn:aws:s3:::my-logs/x/AWSLogs/1", "arn:aws:s3:::lake/trail/x"):
        assert not may(Role.OPERATOR, "s3:DeleteObject", kept)
        assert not may(Role.OPERATOR, "s3:PutObject", kept)
    assert may(Role.OPERATOR, "glue:CreateTable", f"{GLUE}table/trailhouse_selftest_1/anything")
    assert may(Role.OPERATOR, "glue:DeleteDatabase", f"{GLUE}table/security/anything")
    assert may(
        Role.OPERATOR, "glue:GetTables", f"{GLUE}table/security/anything"
    )  # or a full database looks empty
    assert not may(Role.RUNNER, "glue:GetTables", f"{GLUE}table/security/anything")
    assert not may(Role.OPERATOR, "glue:DeleteTable", f"{GLUE}table/security/anything")


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn"])
def test_every_arn_is_of_the_partition(partition: str) -> None:
    names = replace(PLAIN, partition=partition)
    arns = {arn for role in Role for statement in role_policy(role, names) for arn in statement.resources}
    assert all(arn == "*" or arn.startswith(f"arn:{partition}:") for arn in arns)
    location = lake_formation.grants(Role.RUNNER, names, [READER])["Entries"][2]["Resource"]["DataLocation"]
    assert location["ResourceArn"] == f"arn:{partition}:s3:::my-logs/x/AWSLogs"


@given(st.text("a*?$[]{}./", min_size=1, max_size=8), st.text("ab*?$[]{}./", max_size=8))
def test_a_prefix_means_itself(prefix: str, key: str) -> None:
    names = replace(PLAIN, logs=(Folder("my-logs", f"{prefix}/"),))
    assert may(Role.ANALYST, "s3:GetObject", f"arn:aws:s3:::my-logs/{key}", names) == key.startswith(
        f"{prefix}/"
    )
    assert may(Role.RUNNER, "s3:ListBucket", "arn:aws:s3:::my-logs", names, s3_prefix=f"{prefix}/{key}")


def test_an_access_point_is_named_by_its_arn() -> None:
    point = "arn:aws:s3:eu-west-1:111122223333:accesspoint/trail"
    names = replace(PLAIN, logs=(Folder("trail-abc-s3alias", "AWSLogs/", point),))
    assert may(Role.ANALYST, "s3:GetObject", f"{point}/object/AWSLogs/1", names)
    assert may(Role.ANALYST, "s3:ListBucket", point, names, s3_prefix="AWSLogs/")
    assert not any("s3alias" in json.dumps(document(role_policy(role, names))) for role in Role)
    found = bucket_policy(names, "trail-abc-s3alias", [READER])
    assert {arn for statement in found for arn in statement.resources} == {point, f"{point}/object/AWSLogs/*"}


def test_a_shared_catalog_is_the_owners_and_the_workgroup_is_not() -> None:
    names = replace(PLAIN, catalog_account="999900001111")
    assert may(
        Role.ANALYST, "glue:GetTable", "arn:aws:glue:eu-west-1:999900001111:table/security/cloudtrail", names
    )
    assert not may(Role.ANALYST, "glue:GetTable", f"{GLUE}table/security/cloudtrail", names)
    workgroup = "arn:aws:athena:eu-west-1:111122223333:workgroup/primary"
    assert may(Role.ANALYST, "athena:StartQueryExecution", workgroup, names)
    entry = lake_formation.grants(Role.ANALYST, names, [READER])["Entries"][0]
    assert entry["Resource"]["Database"]["CatalogId"] == "999900001111"


def test_bucket_and_key_allow_others_to_read_and_nothing_else() -> None:
    found = document(bucket_policy(NAMES, "other", [READER]))
    assert {action for statement in found["Statement"] for action in statement["Action"]} == {
        "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"
    }  # fmt: skip
    assert all(statement["Principal"] == {"AWS": [READER]} for statement in found["Statement"])
    assert "my-logs" not in json.dumps(found)
    key = document(key_policy([READER]))["Statement"]
    assert [(each["Action"], each["Resource"]) for each in key] == [(["kms:Decrypt"], ["*"])]
