"""`trailhouse status`: deployment, schedule, alarms, runs, problems and freshness, and what cannot be told."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from moto.sns.models import sns_backends
from moto.stepfunctions.models import stepfunctions_backends

from bed.faults import Fault
from cli.kept_runs import ACCOUNT, OUTPUT, REGION, A, B, day, done, incomplete, keep, started
from cli.outcomes import Outcome, program
from trailhouse import __version__
from trailhouse.core.record import Outcome as Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bed.aws import Aws

    Status = Callable[..., Outcome]

pytestmark = pytest.mark.emulator

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:trailhouse-alarms"
NIGHTLY = "cron(0 6 * * ? *)"


@pytest.fixture
def status(
    aws: Aws, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Status:
    """`status` in this process, in an account where nothing is."""
    aws.restart()
    monkeypatch.chdir(tmp_path)  # where no configuration is
    aws.buckets.all.clear()
    aws.s3.log.clear()
    aws.other.clear()
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)

    return program(capfd, "status")


def deploy(aws: Aws, *, heard: bool = True, schedule: str = NIGHTLY, **outputs: str) -> None:
    """What a deployment leaves that is looked at."""
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "trailhouse-alarms"}}
    given = {"Version": __version__, "Topic": TOPIC, "OutputBucket": OUTPUT, **outputs}
    template = {
        "Resources": {"Topic": topic},
        "Outputs": {name: {"Value": value} for name, value in given.items()},
    }
    aws.client("cloudformation").create_stack(StackName="trailhouse", TemplateBody=json.dumps(template))
    target = {
        "Arn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:trailhouse",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/schedule",
    }
    if schedule:
        aws.client("scheduler").create_schedule(
            Name="trailhouse", ScheduleExpression=schedule, FlexibleTimeWindow={"Mode": "OFF"}, Target=target
        )
    # moto does not count subscriptions itself.
    sns_backends[ACCOUNT][REGION].topics[TOPIC].subscriptions_confimed = int(heard)


def document(found: Outcome) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(found.out)
    return read


def titles(found: Outcome) -> list[str]:
    return [one["title"] for one in document(found)["problems"]]


def test_all_is_well(aws: Aws, status: Status) -> None:
    deploy(aws)
    keep(aws, *(done(n) for n in range(7)))
    shown = status()
    assert (shown.code, shown.err) == (0, ""), shown.out
    lines = shown.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == f"stack      trailhouse, account {ACCOUNT}, {REGION}"
    assert lines[1] == f"deployed   CREATE_COMPLETE, trailhouse {__version__}"
    assert lines[2].startswith("next run   2")
    assert lines[2].endswith(f": {NIGHTLY}")
    assert f"alarms     {TOPIC}\n           1 confirmed subscription\n" in shown.out
    assert f"records    s3://{OUTPUT}/trailhouse/runs/" in shown.out
    assert sum(line.startswith(str(day(n))) for n in range(9) for line in lines) == 5
    assert "No open problems" in lines
    assert lines[-3:] == [
        "Last deliveries of 1 account in 2 regions, oldest first",
        f"  {day(1)}  {A}  us-east-1",
        f"  {day(0)}  {A}  eu-west-1",
    ]
    read = document(status("--json"))
    assert (read["problems"], read["unknown"], read["lacking"]) == ([], [], [])
    at = datetime.fromisoformat(read["schedule"]["next"])
    assert (at.hour, at.minute) == (6, 0)
    assert timedelta() < at - datetime.now(UTC) <= timedelta(days=1)
    assert len(read["runs"]) == 5
    assert {"account": A, "region": "eu-west-1", "last": str(day(0))} in read["freshness"]


def test_nothing_is_deployed(status: Status) -> None:
    shown = status()
    assert (shown.code, shown.err) == (3, "")
    assert "deployed   no\n" in shown.out
    assert "trailhouse: not deployed\n" in shown.out
    assert "Run: trailhouse deploy\n" in shown.out
    assert "next run" not in shown.out
    assert document(status("--json", "--stack", "other"))["problems"][0]["title"] == "other: not deployed"


def test_a_change_set_alone_is_no_deployment(aws: Aws, status: Status) -> None:
    aws.client("cloudformation").create_change_set(
        StackName="trailhouse",
        ChangeSetName="one",
        ChangeSetType="CREATE",
        TemplateBody='{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}',
    )
    assert titles(status("--json")) == ["trailhouse: not deployed"]


def test_problems_of_the_last_run_are_told_whole(aws: Aws, status: Status) -> None:
    deploy(aws)
    keep(aws, *(incomplete(n) for n in range(3)), done(3))
    shown = status()
    assert shown.code == 3
    assert f"Open problems: 1\n  1. {B}: left out of the run\n     Since: {day(3)}T00:00:00Z\n" in shown.out
    assert "     Run: trailhouse policy bucket\n" in shown.out
    assert f"  {B}: {day(1)} .. {day(0)}\n" in shown.out
    assert document(status("--json"))["lacking"] == [
        {"account": B, "first": str(day(1)), "last": str(day(0))}
    ]


def test_days_that_the_catalog_may_lack(aws: Aws, status: Status) -> None:
    deploy(aws, schedule="rate(1 day)")
    keep(aws, done(5))
    found = status("--json")
    # The schedule was made a moment ago: before it no run was to be expected.
    assert (found.code, titles(found)) == (0, [])
    assert document(found)["lacking"] == [{"account": None, "first": str(day(3)), "last": str(day(0))}]
    assert "  all accounts: " in status().out


def test_first_run_under_way(aws: Aws, status: Status) -> None:
    deploy(aws)
    shown = status()
    assert shown.code == 1
    assert "there are no records of runs" in " ".join(shown.out.split())
    aws.bucket(OUTPUT)
    shown = status()
    assert shown.code == 0
    assert "no run has left a record in" in shown.out


@pytest.mark.parametrize(
    ("expression", "told"), [("rate(12 hours)", "(rate(12 hours) is deployed)"), (NIGHTLY, "")]
)
def test_what_differs_from_the_configuration(
    aws: Aws, status: Status, monkeypatch: pytest.MonkeyPatch, expression: str, told: str
) -> None:
    monkeypatch.setenv("TRAILHOUSE_SOURCE", "s3://my-logs/AWSLogs/")
    deploy(aws, schedule=expression, Version="0.0.1", Config="f" * 64, OutputBucket="elsewhere")
    keep(aws, done(0))
    found = status("--json")
    assert found.code == 0
    changed, newer = document(found)["remarks"]
    assert "the configuration has changed since it was deployed: " in changed
    assert "output_s3_bucket (elsewhere is deployed)" in changed
    assert told in changed
    assert newer.startswith("trailhouse 0.0.1 is deployed")


def test_a_schedule_that_is_off_or_gone(aws: Aws, status: Status) -> None:
    deploy(aws)
    keep(aws, done(0))
    scheduler = aws.client("scheduler")
    kept = scheduler.get_schedule(Name="trailhouse")
    scheduler.update_schedule(
        State="DISABLED",
        **{name: kept[name] for name in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")},
    )
    found = status("--json")
    assert (found.code, titles(found)) == (3, ["trailhouse: switched off"])
    assert f"next run   never: {NIGHTLY} is switched off" in status().out
    scheduler.delete_schedule(Name="trailhouse")
    assert titles(status("--json")) == ["trailhouse: no schedule"]


def test_nobody_hears_the_alarms(aws: Aws, status: Status) -> None:
    deploy(aws, heard=False)
    keep(aws, done(0))
    found = status("--json")
    assert (found.code, titles(found)) == (3, ["nobody hears the alarms"])
    assert f"aws sns subscribe --topic-arn {TOPIC} " in document(found)["problems"][0]["command"]


def test_a_run_that_broke_off(aws: Aws, status: Status) -> None:
    deploy(aws)
    machine = aws.client("stepfunctions")
    aws.client("iam").create_role(RoleName="x", AssumeRolePolicyDocument="{}")
    arn = machine.create_state_machine(
        name="trailhouse",
        definition='{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/x",
    )["stateMachineArn"]
    begun = machine.start_execution(stateMachineArn=arn, name="night", input="{}")["executionArn"]
    keep(aws, done(0, run="night", outcome=Ended.RUNNING, ended=None), done(1, run="before"))
    found = status("--json")
    assert (found.code, titles(found)) == (0, [])
    assert document(found)["remarks"] == [
        f"a run is under way since {started(0):%Y-%m-%dT%H:%M:%SZ}; pieces done: 1"
    ]
    machine.stop_execution(executionArn=begun, error="Lambda.Unknown", cause="out of memory")
    found = status("--json")
    assert (found.code, titles(found)) == (3, ["night: broke off"])
    assert "ABORTED" in document(found)["problems"][0]["what"]


@pytest.mark.parametrize(
    ("operation", "what"),
    [
        ("cloudformation.DescribeStacks", "the stack trailhouse could not be looked at: cloudformation"),
        ("scheduler.GET /schedules/trailhouse", "the schedule could not be looked at: scheduler GetSchedule"),
        ("sns.GetTopicAttributes", "the topic for alarms could not be looked at: sns GetTopicAttributes"),
        ("ListObjectsV2", "the records of runs could not be read: s3 ListObjectsV2"),
    ],
)
@pytest.mark.usefixtures("keys")  # which try once
def test_what_cannot_be_looked_at_leaves_the_rest(
    aws: Aws, status: Status, operation: str, what: str
) -> None:
    deploy(aws)
    keep(aws, done(0))
    log = aws.s3.log if operation == "ListObjectsV2" else aws.other
    log.faults.append(Fault(operation, None, cut="before"))
    found = status("--json")
    assert found.code == 1
    assert document(found)["problems"] == []
    assert any(what in one for one in document(found)["unknown"]), document(found)["unknown"]
    shown = status()
    assert "Not known\n" in shown.out
    assert "No open problems" not in shown.out


def test_many_regions_are_summarised_and_all_in_json(aws: Aws, status: Status) -> None:
    deploy(aws)
    fresh = {f"{n:012}": {f"eu-x-{r}": day(n % 30) for r in range(5)} for n in range(100)}
    keep(aws, done(0, freshness=fresh))
    shown = status()
    assert len(shown.out.splitlines()) < 50
    assert f"  {day(29)}  000000000029  eu-x-0, eu-x-1, eu-x-2 and 2 more\n" in shown.out
    assert f"  later, until {day(0)}: regions of 80 accounts; --json has them all\n" in shown.out
    assert len(document(status("--json"))["freshness"]) == 500


def test_hostile_values_are_written_out(aws: Aws, status: Status) -> None:
    odd = "x\x1b[2J\u202e"
    deploy(aws, Version=odd.replace("\x1b", ""))
    problem = incomplete(0).problems[0]
    bad = type(problem)(problem.kind, odd, problem.since, f"{odd}\n{odd}", odd, odd)
    keep(aws, incomplete(0, problems=(bad,), freshness={odd: {odd: day(0)}}, reason=odd))
    shown = status()
    assert shown.code == 3
    assert "x\\x1b[2J\\u202e: left out of the run" in shown.out
    assert "\x1b" not in shown.out
    assert "\u202e" not in shown.out


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("-o", "a.json"), "has no result to write"),
        (("--since", "7d"), "`trailhouse runs` takes"),
        (("--format", "csv"), "a status is text, or JSON"),
    ],
)
def test_a_wrong_call_is_refused(status: Status, args: tuple[str, ...], told: str) -> None:
    shown = status(*args)
    assert (shown.code, shown.out) == (64, "")
    assert told in shown.err


def test_without_credentials_nothing_can_be_told(status: Status, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    shown = status()
    assert (shown.code, shown.out) == (1, "")
    assert "there are no AWS credentials" in shown.err


@pytest.fixture
def machine(aws: Aws, status: Status) -> Iterator[None]:
    """A state machine whose executions end after a moment, which moto's do not by themselves."""
    del status  # which empties the account
    deploy(aws)
    aws.client("iam").create_role(RoleName="x", AssumeRolePolicyDocument="{}")
    aws.client("stepfunctions").create_state_machine(
        name="trailhouse",
        definition='{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/x",
    )
    over = threading.Event()

    def end() -> None:
        while not over.wait(0.05):
            for machine in stepfunctions_backends[ACCOUNT][REGION].state_machines:
                for execution in machine.executions:
                    execution.status = "SUCCEEDED"

    thread = threading.Thread(target=end)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.mark.usefixtures("machine")
def test_an_alarm_is_tested(status: Status, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trailhouse.deploy.rehearsal.PAUSE", 0.01)
    topic = sns_backends[ACCOUNT][REGION].topics[TOPIC]
    topic.subscriptions_confimed, topic.subscriptions_pending = 2, 1
    shown = status("--test-alarm")
    assert shown.code == 0
    assert shown.out.startswith(
        f"published to {TOPIC}\nby arn:aws:states:{REGION}:{ACCOUNT}:execution:trailhouse:test-"
    )
    assert shown.out.endswith("\nconfirmed subscriptions: 2\n")
    assert shown.err.startswith("1 more are not confirmed: each was sent a link")


@pytest.mark.usefixtures("machine")
def test_an_alarm_that_nobody_hears(aws: Aws, status: Status, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trailhouse.deploy.rehearsal.PAUSE", 0.01)
    sns_backends[ACCOUNT][REGION].topics[TOPIC].subscriptions_confimed = 0
    shown = status("--test-alarm", "--json")
    assert (shown.code, document(shown)["audience"]) == (3, {"topic": TOPIC, "confirmed": 0, "pending": 0})
    aws.other.faults.append(Fault("sns.GetTopicAttributes", None, cut="before"))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    time.sleep(1)  # the second names the execution
    shown = status("--test-alarm")
    assert (shown.code, shown.out.count("\n")) == (0, 2)
    assert "who hears the topic could not be looked at" in shown.err


def test_an_alarm_cannot_be_tested_where_nothing_is_deployed(aws: Aws, status: Status) -> None:
    shown = status("--test-alarm")
    assert (shown.code, shown.out) == (1, "")
    assert "there is no stack trailhouse" in shown.err
    assert "`trailhouse deploy` makes it" in shown.err
    deploy(aws)
    shown = status("--test-alarm")
    assert shown.code == 1
    assert "its state machine is not" in shown.err
