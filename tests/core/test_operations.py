from __future__ import annotations

from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

import trailhouse
from trailhouse.core.operations import Resource, Use, find, operations, target


def test_every_operation_is_in_its_services_model() -> None:
    session = botocore.session.Session()
    for operation in operations():
        assert operation.name in session.get_service_model(operation.service).operation_names


def test_every_operation_is_there_once_and_complete() -> None:
    found = operations()
    assert len({(each.service, each.name) for each in found}) == len(found)
    for each in found:
        assert each.uses <= set(Use)
        assert each.uses or each.name == "HeadBucket"
        assert each.resource
        service = {"stepfunctions": "states"}.get(
            each.service, each.service.replace("-", "")
        )  # as IAM spells it
        assert all(action.startswith(f"{service}:") for action in each.actions)
        assert each.page.startswith("https://docs.aws.amazon.com/service-authorization/")
    assert find("s3", "HeadBucket").actions == ("s3:ListBucket",)


def test_what_is_not_listed_is_named() -> None:
    with pytest.raises(LookupError, match="glue CreateCrawler is not in core/operations"):
        find("glue", "CreateCrawler")


@pytest.mark.parametrize(
    ("service", "name", "parameters", "expected"),
    [
        ("s3", "GetObject", {"Bucket": "b", "Key": "x/y"}, "s3:::b/x/y"),
        ("s3", "GetObject", {"Bucket": "b", "Key": "{key}"}, "s3:::b/{key}"),
        ("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "x"}, "s3:::b"),
        ("glue", "GetDatabase", {"Name": "d"}, "glue:*:*:database/d"),
        ("glue", "CreateDatabase", {"DatabaseInput": {"Name": "d"}}, "glue:*:*:database/d"),
        ("glue", "DeleteDatabase", {"Name": "d"}, "glue:*:*:database/d"),
        ("glue", "GetTable", {"DatabaseName": "d", "Name": "t"}, "glue:*:*:table/d/t"),
        ("glue", "CreateTable", {"DatabaseName": "d", "TableInput": {"Name": "t"}}, "glue:*:*:table/d/t"),
        ("glue", "GetPartitions", {"DatabaseName": "d", "TableName": "t"}, "glue:*:*:table/d/t"),
        ("glue", "GetTables", {"DatabaseName": "d"}, "glue:*:*:table/d/*"),
        ("glue", "GetDataCatalogEncryptionSettings", {}, "glue:*:*:catalog"),
        ("athena", "GetWorkGroup", {"WorkGroup": "w"}, "athena:*:*:workgroup/w"),
        ("athena", "StopQueryExecution", {"QueryExecutionId": "q"}, "athena:*:*:workgroup/*"),
        ("sts", "AssumeRole", {"RoleArn": "arn:aws-cn:iam::111122223333:role/x"}, "iam::111122223333:role/x"),
        ("sts", "AssumeRole", {}, "iam::*:role/*"),
        ("lakeformation", "ListPermissions", {}, "*"),
    ],
)  # fmt: skip
def test_what_a_call_is_about(service: str, name: str, parameters: dict[str, object], expected: str) -> None:
    assert target(find(service, name), parameters) == expected


def test_every_resource_can_be_told() -> None:
    assert all(target(operation, {}) for operation in operations())
    assert {kind for operation in operations() for kind in operation.resource} <= set(Resource)


def test_every_operation_is_called_somewhere() -> None:
    """What nobody calls is not granted."""
    package = Path(trailhouse.__file__).parent
    text = "".join(
        path.read_text("utf-8")
        for path in package.rglob("*.py")
        if path.name not in {"operations.py", "policy.py"}
    )
    roles = {"AssumeRole"}  # botocore's own
    unused = [
        str(each)
        for each in operations()
        if f'"{each.name}"' not in text
        and f".{xform_name(each.name)}(" not in text
        and each.name not in roles
    ]
    assert not unused
