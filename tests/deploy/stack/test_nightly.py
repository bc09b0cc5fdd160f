"""The stack: what holds for every configuration, what the judges of templates say, and `cdk synth` itself."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deploy.stacks import CODE, CONFIGS, synthesised
from trailhouse.config.settings import Settings
from trailhouse.deploy.template import fill
from trailhouse.deploy.values import values_of
from trailhouse.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
SCAN = ROOT / ".venv-scan" / "bin" / "checkov"
UNBOUNDED = {
    # What `*` alone may stand for, and why.
    "sts:GetCallerIdentity": "it has no resource",
    "lakeformation:GetDataLakeSettings": "it has no resource",
    "lakeformation:ListPermissions": "it has no resource",
    "cloudwatch:PutMetricData": "it has no resource; the namespace is a condition",
    "logs:CreateLogDelivery": "log delivery has no resource",
    "logs:DeleteLogDelivery": "log delivery has no resource",
    "logs:DescribeLogGroups": "state machines ask for all",
    "logs:DescribeResourcePolicies": "resource policies have no ARN",
    "logs:GetLogDelivery": "log delivery has no resource",
    "logs:ListLogDeliveries": "log delivery has no resource",
    "logs:PutResourcePolicy": "resource policies have no ARN",
    "logs:UpdateLogDelivery": "log delivery has no resource",
}


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {
        name: one.get("Properties", {})
        for name, one in template["Resources"].items()
        if one["Type"] == f"AWS::{kind}"
    }


def statements(role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in role["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


# --- what holds for every configuration -------------------------------------------------------------------------------


def test_no_wildcard_of_a_role_is_unexplained(filled: dict[str, Any]) -> None:
    for name, role in of_type(filled, "IAM::Role").items():
        for statement in statements(role):
            actions = set(listed(statement["Action"]))
            assert not [action for action in actions if "*" in action], name
            if "*" in listed(statement["Resource"]):
                assert actions <= set(UNBOUNDED), name
            if "cloudwatch:PutMetricData" in actions:
                assert statement["Condition"] == {"StringEquals": {"cloudwatch:namespace": "trailhouse"}}


def test_roles_are_taken_on_by_the_services_of_this_account_only(filled: dict[str, Any]) -> None:
    for name, role in of_type(filled, "IAM::Role").items():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        service = trust["Principal"]["Service"]
        # A function is not known to Lambda's trust; the others say for which account they come.
        assert ("Condition" in trust) == (service != "lambda.amazonaws.com"), name


def test_boundary_keys_and_retention_are_everywhere(filled: dict[str, Any], settings: Settings) -> None:
    for role in of_type(filled, "IAM::Role").values():
        assert role.get("PermissionsBoundary") == settings.permissions_boundary
    for group in of_type(filled, "Logs::LogGroup").values():
        assert group["RetentionInDays"] == settings.log_retention_days
        assert group.get("KmsKeyId") == settings.stack_key
    (queue,) = of_type(filled, "SQS::Queue").values()
    assert queue.get("KmsMasterKeyId") == settings.stack_key
    assert queue.get("SqsManagedSseEnabled", False) == (settings.stack_key is None)


@pytest.mark.parametrize("name", ["MachineRole", "ScanMachineRole"])
def test_machines_may_put_messages_into_that_queue_only(
    filled: dict[str, Any], settings: Settings, name: str
) -> None:
    found = [one for one in statements(of_type(filled, "IAM::Role")[name]) if "sqs:" in str(one["Action"])]
    assert [(one["Action"], one["Resource"]) for one in found] == [
        ("sqs:SendMessage", {"Fn::GetAtt": ["Undelivered", "Arn"]})
    ]
    keys = [
        one["Resource"]
        for one in statements(of_type(filled, "IAM::Role")[name])
        if one["Sid"] == "KeyOfQueue"
    ]
    assert keys == ([settings.stack_key] if settings.stack_key else [])


def test_it_goes_to_any_region_of_any_partition() -> None:
    text = json.dumps(fill(values_of(Settings(**CONFIGS["least"])), CODE)).replace(CODE.bucket, "")
    assert not re.findall(r"arn:aws[a-z-]*:|[a-z]{2}-[a-z]+-\d\b|\b\d{12}\b", text)
    assert not re.findall(r'"AWS::(?:Region|AccountId|Partition)\w+"', text)


def test_only_the_bucket_for_output_stays(filled: dict[str, Any], settings: Settings) -> None:
    kept = {name for name, one in filled["Resources"].items() if one.get("DeletionPolicy") == "Retain"}
    assert kept == ({"OutputBucket"} if settings.output_s3_bucket == "default" else set())


def test_functions_write_only_to_groups_that_the_stack_ends(filled: dict[str, Any]) -> None:
    groups = of_type(filled, "Logs::LogGroup")
    for function in of_type(filled, "Lambda::Function").values():
        assert function["LoggingConfig"]["LogGroup"]["Ref"] in groups
    granted = {
        action
        for role in of_type(filled, "IAM::Role").values()
        for one in statements(role)
        for action in listed(one["Action"])
    }
    assert "logs:CreateLogGroup" not in granted


def test_the_workgroup_decides(filled: dict[str, Any], settings: Settings) -> None:
    (group,) = of_type(filled, "Athena::WorkGroup").values()
    found = group["WorkGroupConfiguration"]
    assert found["EnforceWorkGroupConfiguration"] is True
    assert found["BytesScannedCutoffPerQuery"] == settings.workgroup_limit >= 10_000_000
    encryption = found["ResultConfiguration"]["EncryptionConfiguration"]
    expected = {"EncryptionOption": "SSE_S3"}
    if settings.output_key:
        expected = {"EncryptionOption": "SSE_KMS", "KmsKey": settings.output_key}
    assert encryption == expected


def test_the_bucket_is_closed_and_forgets() -> None:
    found = of_type(fill(values_of(Settings(**CONFIGS["least"])), CODE), "S3::Bucket")["OutputBucket"]
    assert set(found["PublicAccessBlockConfiguration"].values()) == {True}
    rules = {one["Id"]: one for one in found["LifecycleConfiguration"]["Rules"]}
    assert (rules["results"]["Prefix"], rules["results"]["ExpirationInDays"]) == ("athena/", 30)
    assert (rules["records"]["Prefix"], rules["records"]["ExpirationInDays"]) == ("trailhouse/", 400)


def test_the_schedule_and_its_role(filled: dict[str, Any], settings: Settings) -> None:
    (found,) = of_type(filled, "Scheduler::Schedule").values()
    assert found["ScheduleExpression"] == settings.schedule
    assert found["ScheduleExpressionTimezone"] == "UTC"
    assert found["Target"]["RetryPolicy"]["MaximumRetryAttempts"] > 0
    assert json.loads(found["Target"]["Input"]) == {"reason": "schedule"}
    role = of_type(filled, "IAM::Role")["ScheduleRole"]
    allowed = {action for one in statements(role) for action in listed(one["Action"])}
    assert {"states:StartExecution", "sqs:SendMessage"} <= allowed
    assert ("kms:GenerateDataKey" in allowed) == bool(settings.stack_key)


def test_a_change_of_config_or_version_begins_a_run_and_nothing_else_does(settings: Settings) -> None:
    values = values_of(settings)
    first = of_type(fill(values, CODE), "CloudFormation::CustomResource")["FirstRun"]
    assert (first["Config"], first["Version"]) == (values.config, values.version)
    assert set(first) == {"ServiceToken", "ServiceTimeout", "Machine", "Config", "Version"}


def test_outputs_are_those_that_others_read(filled: dict[str, Any]) -> None:
    assert set(filled["Outputs"]) == {
        "StateMachine", "Function", "RunnerRole", "Topic", "OutputBucket", "Workgroup", "Version", "Config",
    }  # fmt: skip


# --- judges of templates ----------------------------------------------------------------------------------------------


@pytest.mark.cdk
@pytest.mark.slow
def test_cfn_lint_is_clean(filled: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    path.write_text(json.dumps(filled, indent=1))
    regions = ["eu-west-1", "us-gov-west-1", "cn-north-1"]
    command = [Path(sys.executable).with_name("cfn-lint"), "--regions", *regions, "--", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert (done.returncode, done.stdout) == (0, "")


def checkov(template: dict[str, Any], path: Path) -> set[tuple[str, str]]:
    """The findings: check, resource."""
    path.write_text(json.dumps(template, indent=1))
    command = [
        SCAN,
        "--file",
        path,
        "--framework",
        "cloudformation",
        "--quiet",
        "--skip-download",
        "-o",
        "json",
    ]
    environment = {"PATH": os.environ["PATH"], "HOME": str(path.parent)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    found = json.loads(done.stdout)["results"]
    assert not found.get("parsing_errors")
    return {(one["check_id"], one["resource"].rpartition(".")[2]) for one in found["failed_checks"]}


@pytest.mark.cdk
@pytest.mark.slow
@pytest.mark.parametrize("name", ["least", "most"])
def test_checkov_finds_what_is_excused_and_nothing_else(name: str, tmp_path: Path) -> None:
    if not SCAN.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            "no .venv-scan: `make test` makes it"
        )
    template = fill(values_of(Settings(**CONFIGS[name])), CODE)
    assert checkov(template, tmp_path / "template.json") == set()
    excused = {
        (one["id"], resource): one["comment"]
        for resource, found in template["Resources"].items()
        for one in found.get("Metadata", {}).get("checkov", {}).get("skip", ())
    }
    assert all(excused.values())
    if name == "least":  # with keys, some of the exceptions are not needed
        for each in template["Resources"].values():
            each.pop("Metadata", None)
        assert checkov(template, tmp_path / "bare.json") == set(excused)


@pytest.mark.cdk
@pytest.mark.slow
def test_cdk_nag_and_the_cdk_s_own_checks_are_clean(cdk: Any, settings: Settings, tmp_path: Path) -> None:  # noqa: ANN401 - a module
    from cdk_nag import AwsSolutionsChecks  # noqa: PLC0415 - starts Node

    # A finding ends the synthesis.
    synthesised(cdk, settings, tmp_path, AwsSolutionsChecks)
    reports = list(tmp_path.glob("*NagReport*.csv"))
    for report in reports:
        assert "Non-Compliant" not in report.read_text().replace("Non-Compliant (Acknowledged)", "")


@pytest.mark.cdk
@pytest.mark.slow
def test_tags_go_to_the_stack_which_hands_them_on(cdk: Any, tmp_path: Path) -> None:  # noqa: ANN401 - a module
    settings = Settings(**CONFIGS["most"])
    template = synthesised(cdk, settings, tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    assert manifest["artifacts"]["trailhouse"]["properties"]["tags"] == settings.tags
    assert "cost centre" not in json.dumps(template)


# --- cdk synth --------------------------------------------------------------------------------------------------------


def test_locks_name_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    assert not [name for name, one in lock["packages"].items() if "resolved" in one]
    assert lock["packages"]["node_modules/aws-cdk"]["version"] == "2.1148.1"
    assert "omit-lockfile-registry-resolved=true" in (ROOT / ".npmrc").read_text("utf-8").splitlines()


def test_a_python_that_is_too_old_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.spec_from_file_location("cdk_app", ROOT / "tools" / "cdk.py")
    assert spec
    assert spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    monkeypatch.setattr(tool.sys, "version_info", (3, 9, 1))
    assert tool.main() == 1
    assert "python3 is 3.9 here, and 3.11 or newer is needed" in capsys.readouterr().err


def synth(node: Path, folder: Path, **config: object) -> subprocess.CompletedProcess[str]:
    """Run `cdk synth` with nothing on the path but node and python3."""
    path = folder / "bin"
    path.mkdir()
    (path / "node").symlink_to(node)
    (path / "python3").symlink_to(shutil.which("python3") or sys.executable)
    file = folder / "config.yaml"
    file.write_text(json.dumps(config))
    cdk = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
    environment = {
        "PATH": f"{path}:/bin",
        "HOME": str(folder),
        "CI": "true",
        "TRAILHOUSE_CONFIG": str(file),
    }
    return subprocess.run(
        [node, cdk, "synth", "--quiet", "--output", folder / "out"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.mark.cdk
@pytest.mark.slow
def test_cdk_synth_from_a_checkout(node: Path, tmp_path: Path) -> None:
    done = synth(node, tmp_path, s3_bucket_containing_logs="my-logs", termination_protection=True)
    assert done.returncode == 0, done.stdout + done.stderr
    made = json.loads((tmp_path / "out" / "trailhouse.template.json").read_text("utf-8"))
    expected = fill(values_of(Settings(s3_bucket_containing_logs="my-logs")), CODE)
    for template in (made, expected):
        template["Resources"]["Function"]["Properties"].pop("Code")
    assert made == expected
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert manifest["artifacts"]["trailhouse"]["properties"]["terminationProtection"] is True
    (package,) = (tmp_path / "out").glob("asset.*.zip")
    assert package.stat().st_size > 1_000_000


@pytest.mark.cdk
@pytest.mark.slow
def test_an_unedited_configuration_is_told_in_a_line(node: Path, tmp_path: Path) -> None:
    done = synth(node, tmp_path, s3_bucket_containing_logs="MYBUCKET")
    assert done.returncode != 0
    assert "s3_bucket_containing_logs is still 'MYBUCKET', not edited" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.cdk
@pytest.mark.slow
@pytest.mark.usefixtures("cdk")
def test_the_bucket_of_an_earlier_stack_can_be_taken_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """CloudFormation imports what has a static name, and the CDK's command says where it deploys to."""
    from trailhouse.deploy.stack.app import main  # noqa: PLC0415 - starts Node

    config = tmp_path / "config.yaml"
    config.write_text("s3_bucket_containing_logs: my-logs\n")
    environ = {
        "CDK_OUTDIR": str(tmp_path / "out"),
        "CDK_DEFAULT_ACCOUNT": "111122223333",
        "CDK_DEFAULT_REGION": "eu-west-1",
        "TRAILHOUSE_CONFIG": str(config),
    }
    assert main(environ) == 0
    made = json.loads((tmp_path / "out" / "trailhouse.template.json").read_text("utf-8"))
    bucket = of_type(made, "S3::Bucket")["OutputBucket"]
    assert bucket["BucketName"] == "trailhouse-output-111122223333-eu-west-1"

    config.write_text(
        "s3_bucket_containing_logs: my-logs\nalarm_sns_arn: arn:aws:sns:us-east-1:111122223333:a\n"
    )
    assert main(environ) == ConfigError.exit_code
    assert "lies in another region" in capsys.readouterr().err
