"""`deploy` and `undeploy` as they are called: everything that one has to see, and nothing left."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from bed.buckets import ACCOUNT
from cli.outcomes import Outcome
from trailhouse.cli import main
from trailhouse.core.policy import Folder, Names, Role, document, own_code, own_output, role_policy
from trailhouse.deploy import change_set, deployment
from trailhouse.deploy.template import fill

if TYPE_CHECKING:
    from pathlib import Path

    from bed.cloud import Cloud
    from trailhouse.deploy.template import Code
    from trailhouse.deploy.values import Values

pytestmark = [pytest.mark.cdk, pytest.mark.emulator, pytest.mark.slow]
REGION, STACK = "us-east-1", "trail"
OUTPUT, CODE = own_output(STACK, ACCOUNT, REGION), own_code(ACCOUNT, REGION)
NOTHING = f"Nothing to do: the stack {STACK} in {ACCOUNT}, {REGION} is as it should be.\n"


class Here:
    """A configuration in a folder, the account that it is deployed to, and the program in this process."""

    def __init__(self, cloud: Cloud, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.cloud, self.folder, self._capfd = cloud, folder, capfd
        self.configure()

    def configure(self, **settings: object) -> None:
        """Write the configuration; JSON is YAML."""
        given = {
            "s3_bucket_containing_logs": "trail-logs", "alarm_sns_arn": None, "region": REGION, "stack": STACK,
            "database": "security", "partition_days": 3,
        } | settings  # fmt: skip
        (self.folder / "trailhouse.yaml").write_text(
            "".join(f"{name}: {json.dumps(value)}\n" for name, value in given.items()), "utf-8"
        )

    def __call__(self, *args: str) -> Outcome:
        """Run the program."""
        with pytest.raises(SystemExit) as left:
            main([*args, "-c", str(self.folder / "trailhouse.yaml")])
        out, err = self._capfd.readouterr()
        assert "Traceback" not in err
        return Outcome(int(left.value.code or 0), out, err)

    def status(self) -> str:
        """The stack's."""
        found = self.cloud.client("cloudformation").describe_stacks()["Stacks"]
        return next((each["StackStatus"] for each in found if each["StackName"] == STACK), "")

    def protected(self) -> bool:
        """Whether the stack cannot be deleted."""
        (found,) = self.cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return bool(found["EnableTerminationProtection"])


@pytest.fixture
def here(
    cloud: Cloud, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Here:
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    cloud.glue.index_seconds = 0
    cloud.bucket("trail-logs", [("AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/02/x.json.gz", b"{}")])
    return Here(cloud, tmp_path, capfd)


def everything(cloud: Cloud) -> set[str]:
    """What there is in the account, of every service that a stack could leave something in."""

    def ask(service: str) -> Any:  # noqa: ANN401 - boto3 has no types
        return cloud.client(service)

    found = {
        "bucket": [each["Name"] for each in ask("s3").list_buckets()["Buckets"]],
        "function": [each["FunctionName"] for each in ask("lambda").list_functions()["Functions"]],
        "machine": [each["name"] for each in ask("stepfunctions").list_state_machines()["stateMachines"]],
        "schedule": [each["Name"] for each in ask("scheduler").list_schedules()["Schedules"]],
        "queue": ask("sqs").list_queues().get("QueueUrls", []),
        "topic": [each["TopicArn"] for each in ask("sns").list_topics()["Topics"]],
        "rule": [each["Name"] for each in ask("events").list_rules()["Rules"]],
        "alarm": [each["AlarmName"] for each in ask("cloudwatch").describe_alarms()["MetricAlarms"]],
        "role": [each["RoleName"] for each in ask("iam").list_roles()["Roles"]],
        "log group": [each["logGroupName"] for each in ask("logs").describe_log_groups()["logGroups"]],
        "workgroup": [each["Name"] for each in ask("athena").list_work_groups()["WorkGroups"]],
        "stack": [each["StackName"] for each in ask("cloudformation").describe_stacks()["Stacks"]],
        "database": [each["Name"] for each in ask("glue").get_databases()["DatabaseList"]],
    }  # fmt: skip
    return {f"{kind} {name}" for kind, names in found.items() for name in names}


def settle(here: Here) -> None:
    """Wait for the run that a deployment starts: it makes tables, which a test looks for."""
    states = here.cloud.client("stepfunctions")
    for machine in states.list_state_machines()["stateMachines"]:
        for _ in range(300):
            running = states.list_executions(
                stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING"
            )
            if not running["executions"]:
                break
            time.sleep(0.1)


def test_from_nothing_and_back_again(here: Here) -> None:
    before = everything(here.cloud)
    dry = here("deploy", "--dry-run", "--detailed-exitcode")
    assert dry.code == 2
    assert "+ AWS::Lambda::Function Function\n" in dry.out
    assert "  + FunctionRole: " in dry.out
    assert "glue:BatchCreatePartition" in dry.out
    assert everything(here.cloud) == before  # a dry run leaves nothing

    done = here("deploy", "--yes")
    assert done.code == 0, done.err
    assert dry.out == done.out
    assert "CREATE_COMPLETE      Function (AWS::Lambda::Function)" in done.err
    assert "The first run has started" in done.err
    assert "trailhouse status" in done.err
    assert here.status() == "CREATE_COMPLETE"
    settle(here)

    again = here("deploy", "--dry-run", "--detailed-exitcode")
    assert (again.code, again.out) == (0, NOTHING)
    again = here("deploy", "--no-input")  # nothing is asked where nothing is to be done
    assert (again.code, again.out) == (0, NOTHING)

    here.configure(memory_mb=1024, workgroup_limit="500GB")
    shown = here("deploy", "--dry-run", "--json")
    changes = {each["name"]: each for each in json.loads(shown.out)["changes"]}
    assert (changes["Function"]["action"], changes["Function"]["what"]) == ("modify", ["MemorySize"])
    assert changes["Workgroup"]["what"] == ["WorkGroupConfiguration"]
    assert here("deploy", "--no-input").code == 64
    assert here.status() == "CREATE_COMPLETE"
    changed = here("deploy", "--yes")
    assert changed.code == 0, changed.err
    assert "The next run comes as scheduled" in changed.err  # nothing that a run sees has changed
    assert here.status() == "UPDATE_COMPLETE"
    function = here.cloud.client("lambda").get_function_configuration(FunctionName=STACK)
    assert function["MemorySize"] == 1024
    settle(here)

    remove_and_remove_again(here, before)


def remove_and_remove_again(here: Here, before: set[str]) -> None:
    """What stays is what the configuration says; and nothing, where it says so."""
    asked = here("undeploy", "--no-input")
    assert asked.code == 64
    assert f"    - AWS::Lambda::Function {STACK}\n" in asked.err
    assert f"    bucket {OUTPUT} (keep: output)\n" in asked.err
    assert "    tables and views (keep: catalog)\n" in asked.err
    assert here.status() == "UPDATE_COMPLETE"
    gone = here("undeploy", "--yes")
    assert gone.code == 0, gone.err
    assert gone.err.endswith(f"Removed: the nightly run {STACK}.\n")
    assert everything(here.cloud) - before == {f"bucket {OUTPUT}", "database security"}

    for _ in range(2):
        empty = here("undeploy", "--no-input")
        assert empty.code == 0
        assert f"There is no stack {STACK} in {ACCOUNT}, {REGION}." in empty.err
        assert empty.err.endswith("nothing of it is left.\n")

    here.configure(keep=[])
    rest = here("undeploy", "--yes")
    assert rest.code == 0, rest.err
    assert f"- bucket {OUTPUT} with everything in it" in rest.err
    assert everything(here.cloud) == before
    assert here("undeploy", "--yes").err.endswith("nothing of it is left.\n")


def test_interrupted_it_goes_on(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    before = everything(here.cloud)
    with monkeypatch.context() as patched:
        patched.setattr(deployment, "follow", cut)
        left = here("deploy", "--yes")
    assert left.code == 130
    assert "CloudFormation goes on without us: `trailhouse deploy` again follows it" in left.err
    again = here("deploy", "--no-input")
    assert (again.code, again.out) == (0, NOTHING)
    settle(here)
    with monkeypatch.context() as patched:
        patched.setattr(deployment, "follow", cut)
        left = here("undeploy", "--yes")
    assert left.code == 130
    assert "run `trailhouse undeploy` again, it goes on from there" in left.err
    assert f"bucket {CODE}" in everything(here.cloud)
    gone = here("undeploy", "--yes")
    assert gone.code == 0, gone.err
    assert everything(here.cloud) - before == {f"bucket {OUTPUT}", "database security"}


def test_what_an_earlier_stack_left_is_taken_over(here: Here) -> None:
    """As far as here: the emulator's check of names knows no imports, so it is not carried out."""
    assert here("deploy", "--yes").code == 0
    settle(here)
    assert here("undeploy", "--yes").code == 0
    again = here("deploy", "--no-input")
    assert again.code == 64
    assert "= AWS::S3::Bucket OutputBucket\n" in again.out
    assert "1 to take over." in again.out
    assert here.status() == ""  # what was made for the question is gone


def unmade(values: Values, code: Code | None) -> dict[str, Any]:
    """A template whose topic cannot be made."""
    template = fill(values, code)
    template["Resources"]["Topic"]["Properties"]["KmsMasterKeyId"] = {
        "Fn::GetAtt": ["OutputBucket", "Nothing"]
    }
    return template


def test_a_stack_of_a_change_set_that_nobody_carried_out_goes(here: Here) -> None:
    """As a `deploy` leaves it that was killed at its question."""
    before = everything(here.cloud)
    formation = here.cloud.client("cloudformation")
    template = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    formation.create_change_set(
        StackName=STACK, ChangeSetName="one", ChangeSetType="CREATE", TemplateBody=template
    )
    assert here.status() == "REVIEW_IN_PROGRESS"
    assert here("deploy", "--dry-run").code == 0
    gone = here("undeploy", "--yes")
    assert gone.code == 0, gone.err
    assert everything(here.cloud) == before


def test_a_stack_of_something_else_is_left_alone(here: Here) -> None:
    template = json.dumps({"Description": "The shop", "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    here.cloud.client("cloudformation").create_stack(StackName=STACK, TemplateBody=template)
    before = everything(here.cloud)
    for args in (("deploy", "--yes"), ("deploy", "--dry-run"), ("undeploy", "--yes")):
        refused = here(*args)
        assert (refused.code, refused.out) == (1, "")
        assert f"the stack {STACK} was not made by trailhouse" in refused.err
        assert "Give another --stack" in refused.err
    assert everything(here.cloud) == before


def test_a_failed_deployment_says_why_and_is_made_anew(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(deployment, "fill", unmade)
        failed = here("deploy", "--yes")
    assert failed.code == 1
    assert "CREATE_FAILED" in failed.err
    last = failed.err.splitlines()[-2:]
    assert last[0].startswith(f"error: the stack {STACK} is in ROLLBACK_COMPLETE. First cause: ")
    assert "Topic (AWS::SNS::Topic): " in last[0]
    assert last[1].startswith(
        "What was made is taken away again. Mend the cause and run `trailhouse deploy` again"
    )
    assert here.status() == "ROLLBACK_COMPLETE"

    asked = here("deploy", "--no-input")
    assert asked.code == 64
    assert "it has to be removed and made anew" in asked.err
    done = here("deploy", "--yes")
    assert done.code == 0, done.err
    assert here.status() == "CREATE_COMPLETE"


def test_what_is_in_the_way_is_named(here: Here) -> None:
    here.cloud.client("logs").create_log_group(logGroupName=f"/aws/lambda/{STACK}")
    failed = here("deploy", "--yes")
    assert failed.code == 1
    assert f"FunctionLogs ({{LogGroupName=/aws/lambda/{STACK}}})" in failed.err
    assert here.status() == ""  # what was made for the question is gone


def broken(values: Values, code: Code | None) -> dict[str, Any]:
    """A template whose function has no code."""
    template = fill(values, code)
    template["Resources"]["Function"]["Properties"]["Code"]["S3Key"] = "absent.zip"
    return template


def test_a_failed_update_leaves_all_as_it_was(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    assert here("deploy", "--yes").code == 0

    with monkeypatch.context() as patched:
        patched.setattr(deployment, "fill", broken)
        failed = here("deploy", "--yes")
    assert failed.code == 1
    assert "is in UPDATE_ROLLBACK_COMPLETE. First cause: Function (AWS::Lambda::Function): " in failed.err
    assert failed.err.splitlines()[-1].startswith("All is as it was before.")
    assert here("deploy", "--no-input").out == NOTHING


def test_a_protected_stack_stays(here: Here) -> None:
    here.configure(termination_protection=True)
    made = here("deploy", "--yes")
    assert made.code == 0
    assert "~ termination protection: on\n" in made.out
    assert here.protected()
    assert here("deploy", "--no-input").out == NOTHING
    refused = here("undeploy", "--yes")
    assert refused.code == 1
    assert f"the stack {STACK} is protected from deletion: set `termination_protection: false`" in refused.err
    here.configure()
    assert here("undeploy", "--yes").code == 1  # the stack counts, whatever this configuration says


def test_protection_alone_is_shown_and_asked(here: Here) -> None:
    assert here("deploy", "--yes").code == 0
    for wanted, word in ((True, "on"), (False, "off")):
        here.configure(termination_protection=wanted)
        shown = (
            f"~ termination protection: {word}\n"
            f"Stack {STACK} in {ACCOUNT}, {REGION}: only termination protection.\n"
        )
        dry = here("deploy", "--dry-run", "--detailed-exitcode")
        assert (dry.code, dry.out) == (2, shown)
        listed = json.loads(here("deploy", "--dry-run", "--json").out)
        assert (listed["changes"], listed["termination_protection"]) == ([], wanted)
        asked = here("deploy", "--no-input")
        assert (asked.code, asked.out) == (64, shown)
        assert here.protected() is not wanted  # nothing is done unasked
        done = here("deploy", "--yes")
        assert (done.code, done.out) == (0, shown)
        assert here.protected() is wanted
        again = here("deploy", "--no-input", "--detailed-exitcode")
        assert (again.code, again.out) == (0, NOTHING)
    assert here("undeploy", "--yes").code == 0


def test_a_large_template_goes_by_s3(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_set, "BODY_LIMIT", 1_000)
    before = everything(here.cloud)
    refused = here("deploy", "--no-input")
    assert refused.code == 64
    assert everything(here.cloud) == before
    done = here("deploy", "--yes")
    assert done.code == 0, done.err
    listed = here.cloud.client("s3").list_objects_v2(Bucket=CODE)["Contents"]
    assert [each["Key"].partition("-")[0] for each in listed] == [
        "trail/code"
    ]  # the template is not needed any more
    here.configure(memory_mb=1024)
    assert here("deploy", "--dry-run", "--detailed-exitcode").code == 2
    assert here.cloud.client("s3").list_objects_v2(Bucket=CODE)["Contents"] == listed


def test_what_could_not_work_is_said_before(here: Here) -> None:
    here.configure(s3_bucket_containing_logs="absent-logs")
    wrong = here("deploy", "--dry-run")
    assert wrong.code == 64
    assert "trailhouse.yaml:1: s3://absent-logs/AWSLogs/: there is no bucket absent-logs" in wrong.err
    here.configure(alarm_sns_arn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:alarm")
    wrong = here("deploy", "--dry-run")
    assert wrong.code == 64
    assert "lies in another region" in wrong.err
    here.configure(alarm_sns_arn=f"arn:aws:sns:{REGION}:{ACCOUNT}:absent")
    wrong = here("deploy", "--dry-run")
    assert wrong.code == 64
    assert f"there is no topic arn:aws:sns:{REGION}:{ACCOUNT}:absent" in wrong.err
    here.cloud.bucket("empty-logs")
    here.configure(s3_bucket_containing_logs="empty-logs")
    assert "warning: nothing lies in s3://empty-logs/AWSLogs/" in here("deploy", "--dry-run").err


def test_the_deployers_policy_is_enough(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(
        "aws", REGION, ACCOUNT, (Folder("trail-logs", "AWSLogs/"),), Folder(OUTPUT), Folder(OUTPUT, "x/"),
        records=Folder(OUTPUT, "trailhouse/"), code=Folder(CODE), output=Folder(OUTPUT), stack=STACK,
    )  # fmt: skip
    iam = here.cloud.client("iam")
    iam.create_user(UserName="deployer")
    policy = json.dumps(document(role_policy(Role.DEPLOYER, names)))
    iam.put_user_policy(UserName="deployer", PolicyName="its", PolicyDocument=policy)
    made = iam.create_access_key(UserName="deployer")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", made["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", made["SecretAccessKey"])
    done = here("deploy", "--yes")
    assert done.code == 0, done.err
    assert "s3://trail-logs/AWSLogs/ was not looked at" in done.err
    here.configure(memory_mb=1024)
    assert here("deploy", "--yes").code == 0
    assert here("undeploy", "--yes").code == 0
    mine = [each for each in here.cloud.used if each.principal.endswith(":user/deployer")]
    assert {each.action for each in mine if not each.allowed} == {"s3:ListBucket"}
    used = {each.action for each in mine}
    print(f"\nallowed to the deployer and asked for: {', '.join(sorted(used))}")
    assert "cloudformation:ExecuteChangeSet" in used
