from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import pytest
from botocore.exceptions import ClientError

from trailhouse.aws.access import Access
from trailhouse.aws.gate import Call, Gate, partition_of
from trailhouse.errors import AccessDeniedError, AwsError, CredentialsError, NotFoundError, UsageError


class Service(Protocol):
    """What conftest.py makes."""

    url: str
    seen: list[tuple[str, str]]

    def answer(self, *answers: tuple[int, dict[str, object]]) -> None: ...

    def refuse(self, code: str, words: str = "", status: int = 400) -> None: ...


@pytest.mark.emulator
def test_calls_and_pages_are_answered_and_recorded(endpoint: str) -> None:
    seen: list[Call] = []
    gate = Gate(Access(endpoint_url=endpoint), record=seen.append)
    gate.call("glue", "CreateDatabase", DatabaseInput={"Name": "logs"})
    for name in ("a", "b", "c"):
        gate.call("glue", "CreateTable", DatabaseName="logs", TableInput={"Name": name})
    pages = gate.pages("glue", "GetTables", DatabaseName="logs", PaginationConfig={"PageSize": 2})
    assert [[table["Name"] for table in page["TableList"]] for page in pages] in (
        [["a", "b"], ["c"]],
        [["a", "b", "c"]],
    )
    assert gate.account() == gate.account() == "123456789012"
    assert {(call.service, call.operation, call.code) for call in seen} == {
        ("glue", "CreateDatabase", ""),
        ("glue", "CreateTable", ""),
        ("glue", "GetTables", ""),
        ("sts", "GetCallerIdentity", ""),
    }
    assert sum(call.service == "sts" for call in seen) == 1
    assert seen[1].parameters["TableInput"] == {"Name": "a"}


@pytest.mark.emulator
def test_what_a_paginator_or_a_client_of_the_session_calls_is_recorded_too(endpoint: str) -> None:
    seen: list[Call] = []
    gate = Gate(Access(endpoint_url=endpoint), record=seen.append)
    client = gate.session.client("glue", endpoint_url=endpoint, region_name="eu-west-1")
    with pytest.raises(client.exceptions.EntityNotFoundException):
        [*client.get_paginator("get_tables").paginate(DatabaseName="nowhere")]
    with pytest.raises(LookupError, match=r"glue DeleteCrawler is not in core/operations\.py"):
        client.delete_crawler(Name="x")
    assert [(call.operation, call.code) for call in seen] == [("GetTables", "EntityNotFoundException")]


@pytest.mark.emulator
def test_a_role_is_assumed_through_the_gate(endpoint: str) -> None:
    seen: list[Call] = []
    role = "arn:aws:iam::111122223333:role/reader"
    gate = Gate(Access(endpoint_url=endpoint, role_arn=role, external_id="case"), record=seen.append)
    assert gate.account()
    assert [call.operation for call in seen] == ["AssumeRole", "GetCallerIdentity"]
    assert (seen[0].parameters["RoleArn"], seen[0].parameters["ExternalId"]) == (role, "case")


def test_an_operation_that_is_not_listed_is_never_sent(service: Service) -> None:
    gate = Gate(Access(endpoint_url=service.url))
    with pytest.raises(LookupError, match="glue CreateCrawler"):
        gate.call("glue", "CreateCrawler", Name="x")
    with pytest.raises(LookupError, match="athena ListWorkGroups"):
        [*gate.pages("athena", "ListWorkGroups")]
    with pytest.raises(LookupError, match="glue ListCrawlers"):
        gate.client("glue").list_crawlers()
    assert not service.seen


def test_errors_are_of_our_kind_and_later_pages_have_theirs(service: Service) -> None:
    gate = Gate(Access(endpoint_url=service.url))
    service.refuse("EntityNotFoundException", "Database logs not found.")
    with pytest.raises(
        NotFoundError, match=r"glue GetTable on arn:aws:glue:eu-west-1:\*:table/logs/x"
    ) as found:
        gate.call("glue", "GetTable", DatabaseName="logs", Name="x")
    assert (found.value.code, found.value.operation) == ("EntityNotFoundException", "glue GetTable")
    service.answer(
        (200, {"TableList": [{"Name": "a"}], "NextToken": "more"}),
        (400, {"__type": "AccessDeniedException", "Message": "no"}),
    )
    pages = gate.pages("glue", "GetTables", DatabaseName="logs")
    assert next(pages)["TableList"] == [{"Name": "a"}]
    with pytest.raises(AccessDeniedError, match="glue:GetTables on arn:aws:glue:eu-west-1"):
        next(pages)


def test_failures_of_clients_are_recorded_and_can_be_translated(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Call] = []
    gate = Gate(Access(endpoint_url=service.url), record=seen.append)
    service.refuse("ThrottlingException", "Rate exceeded")
    with pytest.raises(ClientError) as found:
        gate.client("athena").get_work_group(WorkGroup="w")
    assert "fewer requests" in str(gate.translate(found.value, "athena", "GetWorkGroup"))
    with pytest.raises(AwsError, match="check the network"):
        Gate(Access(endpoint_url="http://127.0.0.1:1"), record=seen.append).call(
            "glue", "GetDatabase", Name="x"
        )
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(CredentialsError, match="no AWS credentials"):
        Gate(Access(endpoint_url=service.url), record=seen.append).account()
    assert [call.code for call in seen] == [
        "ThrottlingException",
        "EndpointConnectionError",
        "NoCredentialsError",
    ]


def test_retries_are_bounded_and_recorded_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    seen: list[Call] = []
    gate = Gate(Access(endpoint_url=service.url), record=seen.append)
    service.answer((500, {"__type": "InternalServiceException"}), (200, {"Database": {"Name": "x"}}))
    assert gate.call("glue", "GetDatabase", Name="x")["Database"] == {"Name": "x"}
    service.refuse("InternalServiceException", "sorry", 500)
    with pytest.raises(AwsError, match="sorry"):
        gate.call("glue", "GetDatabase", Name="x")
    assert (len(service.seen), [call.code for call in seen]) == (5, ["", "InternalServiceException"])


def test_threads_share_one_client(service: Service) -> None:
    gate = Gate(Access(endpoint_url=service.url))
    with ThreadPoolExecutor(32) as pool:
        clients = {id(found) for found in pool.map(gate.client, ["glue"] * 64)}
        [*pool.map(lambda _: gate.call("glue", "GetDatabase", Name="x"), range(64))]
    assert len(clients) == 1
    assert len(service.seen) == 64
    assert all("app/trailhouse" in agent for _, agent in service.seen)


def test_region_and_partition(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Gate(Access(region="us-gov-west-1")).partition == "aws-us-gov"
    assert [*map(partition_of, ("cn-north-1", "eu-central-1", "moon-east-9"))] == ["aws-cn", "aws", "aws"]
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert Gate(Access(endpoint_url=service.url)).region == "us-east-1"
    with pytest.raises(UsageError, match="give --aws-region"):
        Gate(Access()).call("glue", "GetDatabase", Name="x")


def test_no_such_profile_and_nothing_to_assume_a_role_with(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CredentialsError, match="nobody"):
        Gate(Access(profile="nobody"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(CredentialsError, match="no AWS credentials"):
        Gate(Access(role_arn="arn:aws:iam::111122223333:role/reader"))


def test_the_environment_may_name_where_all_services_answer(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", service.url)
    Gate(Access()).call("glue", "GetDatabase", Name="x")
    assert service.seen[0][0] == "AWSGlue.GetDatabase"
