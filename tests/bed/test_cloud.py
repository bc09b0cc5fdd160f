"""The emulated account for deployments is what it says: one small stack, with a role that lacks something."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from bed.buckets import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.cloud import Cloud

pytestmark = [pytest.mark.cdk, pytest.mark.emulator, pytest.mark.slow]

CODE = """
import importlib.util, os, sys, urllib.request
def handle(event, context):
    import urllib.error
    return {"path": sys.path, "found": [n for n in ("trailhouse", "boto3", "pytest") if importlib.util.find_spec(n)],
            "endpoint": os.environ["AWS_ENDPOINT_URL"], "key": os.environ["AWS_ACCESS_KEY_ID"], "event": event,
            "leaked": sorted(n for n in os.environ if n.startswith(("TRAILHOUSE", "VIRTUAL", "PYTEST")))}
"""
ARN = f"arn:aws:%s:us-east-1:{ACCOUNT}:%s"
MACHINE, QUEUE = ARN % ("states", "stateMachine:small"), ARN % ("sqs", "small-dead")


def role(service: str, *statements: tuple[str, str]) -> dict[str, Any]:
    allowed = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in statements]
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": f"{service}.amazonaws.com"},
    }
    policies = [{"PolicyName": "its", "PolicyDocument": {"Version": "2012-10-17", "Statement": allowed}}]
    properties: dict[str, Any] = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    return {"Type": "AWS::IAM::Role", "Properties": properties | ({"Policies": policies} if allowed else {})}


def stack(*, invoke: str = "lambda:InvokeFunction", start: str = "states:StartExecution") -> str:
    """A function, a machine that calls it, a schedule that starts the machine, a queue for what fails."""
    steps = {
        "StartAt": "Call",
        "States": {"Call": {
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True, "OutputPath": "$.Payload",
            "Parameters": {"FunctionName": "${Function}", "Payload": {"at.$": "$$.Execution.StartTime", "in.$": "$"}},
        }},
    }  # fmt: skip
    resources = {
        "FunctionRole": role("lambda", ("s3:ListBucket", "arn:aws:s3:::small-*")),
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {
            "Code": {"ZipFile": CODE}, "Handler": "index.handle", "Runtime": "python3.13", "FunctionName": "small",
            "Role": {"Fn::GetAtt": ["FunctionRole", "Arn"]},
        }},
        "MachineRole": role("states", (invoke, ARN % ("lambda", "function:small"))),
        "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
            "StateMachineName": "small", "RoleArn": {"Fn::GetAtt": ["MachineRole", "Arn"]},
            "DefinitionString": {"Fn::Sub": [json.dumps(steps), {"Function": {"Fn::GetAtt": ["Function", "Arn"]}}]},
        }},
        "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "small-dead"}},
        "ScheduleRole": role("scheduler", (start, MACHINE), ("sqs:SendMessage", QUEUE)),
        "Schedule": {"Type": "AWS::Scheduler::Schedule", "Properties": {
            "ScheduleExpression": "cron(0 6 * * ? *)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Name": "small",
            "Target": {"Arn": {"Ref": "Machine"}, "RoleArn": {"Fn::GetAtt": ["ScheduleRole", "Arn"]},
                       "Input": '{"at": "<aws.scheduler.scheduled-time>"}', "DeadLetterConfig": {"Arn": QUEUE}},
        }},
    }  # fmt: skip
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})


@pytest.fixture
def deploy(cloud: Cloud) -> Any:
    """Make a stack."""
    formation = cloud.client("cloudformation")

    def deployed(template: str) -> None:
        formation.create_stack(StackName="small", TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
        formation.get_waiter("stack_create_complete").wait(StackName="small", WaiterConfig={"Delay": 1})

    return deployed


def until(found: Callable[[], Any], seconds: float = 20) -> Any:
    """What is found, as soon as there is something."""
    end = time.monotonic() + seconds
    while not (seen := found()) and time.monotonic() < end:
        time.sleep(0.1)
    return seen


def runs(cloud: Cloud) -> list[dict[str, Any]]:
    """The machine's executions that have ended."""
    states = cloud.client("stepfunctions")
    listed = states.list_executions(stateMachineArn=MACHINE)["executions"]
    found = [states.describe_execution(executionArn=each["executionArn"]) for each in listed]
    return [each for each in found if each["status"] != "RUNNING"]


def key(cloud: Cloud, name: str, *statements: tuple[str, str]) -> dict[str, str]:
    """The keys of a user who may do that."""
    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    found = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in statements]
    if found:
        document = json.dumps({"Version": "2012-10-17", "Statement": found})
        iam.put_user_policy(UserName=name, PolicyName="its", PolicyDocument=document)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}


def test_each_service_answers_for_its_own(cloud: Cloud) -> None:
    cloud.bucket("our-logs", [("AWSLogs/1", b"ours")])
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="their-bucket")
    s3.put_object(Bucket="their-bucket", Key="k", Body=b"theirs")
    assert s3.get_object(Bucket="our-logs", Key="AWSLogs/1")["Body"].read() == b"ours"
    assert s3.get_object(Bucket="their-bucket", Key="k")["Body"].read() == b"theirs"
    assert s3.head_object(Bucket="their-bucket", Key="k")["ContentLength"] == 6
    assert set(cloud.buckets.all) == {"our-logs"}
    glue = cloud.client("glue")
    glue.create_database(DatabaseInput={"Name": "security"})
    with pytest.raises(ClientError, match=r"tableInput\.name"):  # the strict catalog, not ministack's
        glue.create_table(DatabaseName="security", TableInput={"Name": "x" * 300})
    assert cloud.client("sts").get_caller_identity()["Account"] == ACCOUNT


def test_permissions_are_looked_at_whoever_answers(cloud: Cloud) -> None:
    cloud.bucket("guarded-logs", [("a", b"")])
    cloud.client("s3").create_bucket(Bucket="guarded-other")
    keys = key(cloud, "reader", ("s3:ListBucket", "arn:aws:s3:::guarded-logs"), ("glue:GetDatabase", "*"))
    s3 = cloud.client("s3", **keys)
    assert s3.list_objects_v2(Bucket="guarded-logs")["KeyCount"] == 1
    for refused in (
        lambda: s3.get_object(Bucket="guarded-logs", Key="a"),
        lambda: s3.list_objects_v2(Bucket="guarded-other"),
        lambda: cloud.client("glue", **keys).create_database(DatabaseInput={"Name": "other"}),
        lambda: cloud.client("sqs", **keys).create_queue(QueueName="mine"),
    ):
        with pytest.raises(ClientError, match="not authorized to perform"):
            refused()
    mine = {(each.action, each.allowed) for each in cloud.used if each.principal.endswith("user/reader")}
    assert mine == {
        ("s3:ListBucket", True), ("s3:ListBucket", False), ("s3:GetObject", False),
        ("glue:CreateDatabase", False), ("sqs:CreateQueue", False),
    }  # fmt: skip


def test_a_boundary_takes_away(cloud: Cloud) -> None:
    cloud.bucket("bounded-logs")
    keys = key(cloud, "bounded", ("s3:*", "*"))
    iam = cloud.client("iam")
    allowed = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "glue:*", "Resource": "*"}],
    }
    boundary = iam.create_policy(PolicyName="edge", PolicyDocument=json.dumps(allowed))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName="bounded", PermissionsBoundary=boundary)
    with pytest.raises(ClientError, match="not authorized"):
        cloud.client("s3", **keys).list_objects_v2(Bucket="bounded-logs")


def test_a_signature_by_the_wrong_secret_is_refused(cloud: Cloud) -> None:
    keys = key(cloud, "forged") | {"aws_secret_access_key": "wrong"}
    with pytest.raises(ClientError, match="signature"):
        cloud.client("sqs", **keys).list_queues()


def test_a_schedule_starts_a_machine_whose_function_has_nothing_of_this_environment(
    cloud: Cloud, deploy: Callable[[str], None]
) -> None:
    deploy(stack())
    morning = (cloud.now() + timedelta(days=1)).replace(hour=5, minute=59, second=58, microsecond=0)
    cloud.move(morning)
    assert runs(cloud) == []
    assert until(lambda: runs(cloud))
    (run,) = runs(cloud)
    assert run["status"] == "SUCCEEDED", run
    told = json.loads(run["output"])
    six = morning.replace(hour=6, minute=0, second=0)
    assert told["event"]["in"]["at"] == f"{six:%Y-%m-%dT06:00:00Z}"
    began = datetime.fromisoformat(told["event"]["at"])
    assert six <= began < six + timedelta(seconds=10)
    assert told["endpoint"] == cloud.url
    assert told["found"] == ["boto3"]  # the runtime's
    assert told["leaked"] == []
    assert not [each for each in told["path"] if "site-packages" in each or "src" in each]
    asked = {(each.role.split("-")[1], each.action) for each in cloud.used if each.role.startswith("small-")}
    assert {("ScheduleRole", "states:StartExecution"), ("MachineRole", "lambda:InvokeFunction")} <= asked
    assert cloud.ask("who", key=told["key"])["arn"].endswith("/small")


def test_a_machine_that_may_not_call_its_function_fails(cloud: Cloud, deploy: Callable[[str], None]) -> None:
    deploy(stack(invoke="lambda:GetFunction"))
    cloud.client("stepfunctions").start_execution(stateMachineArn=MACHINE)
    assert until(lambda: runs(cloud))
    (run,) = runs(cloud)
    assert run["status"] == "FAILED"
    assert "not authorized to perform: lambda:InvokeFunction" in run["cause"]


@pytest.mark.parametrize("how", ["gone", "forbidden"])
def test_what_a_schedule_cannot_deliver_is_in_the_dead_letter_queue(
    cloud: Cloud, deploy: Callable[[str], None], how: str
) -> None:
    deploy(stack(start="states:StartExecution" if how == "gone" else "states:ListExecutions"))
    if how == "gone":
        cloud.client("stepfunctions").delete_state_machine(stateMachineArn=MACHINE)
    cloud.move((cloud.now() + timedelta(days=1)).replace(hour=5, minute=59, second=59))
    sqs = cloud.client("sqs")
    url = sqs.get_queue_url(QueueName="small-dead")["QueueUrl"]
    assert url.startswith(cloud.url)
    asked = {"QueueUrl": url, "MessageAttributeNames": ["All"]}
    (message,) = until(lambda: sqs.receive_message(**asked).get("Messages"))
    code = message["MessageAttributes"]["ERROR_CODE"]["StringValue"]
    assert code == {"gone": "StateMachineDoesNotExist", "forbidden": "AccessDeniedException"}[how]


def test_what_aws_puts_is_put_for_it(cloud: Cloud) -> None:
    watch = cloud.client("cloudwatch")
    watch.put_metric_alarm(
        AlarmName="deep", Namespace="AWS/SQS", MetricName="Depth", Statistic="Maximum", Period=60, Threshold=0,
        EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold", Dimensions=[{"Name": "Q", "Value": "q"}],
    )  # fmt: skip
    cloud.metric("AWS/SQS", "Depth", 1, Q="q")
    assert watch.describe_alarms(AlarmNames=["deep"])["MetricAlarms"][0]["StateValue"] == "ALARM"
    cloud.ask(
        "query", run="q-1", workgroup="primary", state="CANCELLED", reason="Bytes scanned limit was exceeded"
    )
    found = cloud.client("athena").get_query_execution(QueryExecutionId="q-1")["QueryExecution"]["Status"]
    assert found["State"] == "CANCELLED"
