"""The strict Glue refuses what AWS refuses: each limit is shown refused once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from bed.faults import Fault, broken, denied, throttle
from bed.glue import StrictGlue

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = dict.fromkeys(("aws_access_key_id", "aws_secret_access_key"), "test")
KEYS = ("region", "year", "month", "day")
COLUMNS = [{"Name": "eventname", "Type": "string"}, {"Name": "eventtime", "Type": "string"}]


SESSION = boto3.Session()  # a model is read once


def client(session: boto3.Session | None = None, **options: Any) -> Any:
    once = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    return (session or SESSION).client("glue", "us-east-1", config=once, **KEY, **options)


def located(location: str) -> dict[str, Any]:
    return {"Columns": COLUMNS, "Location": location, "SerdeInfo": {"SerializationLibrary": "json"}}


def table(name: str = "logs", **more: Any) -> dict[str, Any]:
    keys = [{"Name": key, "Type": "string"} for key in KEYS]
    return {"Name": name, "StorageDescriptor": located("s3://b/"), "PartitionKeys": keys, **more}


def partition(*values: str) -> dict[str, Any]:
    return {"Values": list(values), "StorageDescriptor": located(f"s3://b/{'/'.join(values)}/")}


def day(number: int, region: str = "eu-west-1") -> dict[str, Any]:
    return partition(region, "2024", f"{number // 28 + 1:02d}", f"{number % 28 + 1:02d}")


IN = {"DatabaseName": "security", "TableName": "logs"}


@pytest.fixture
def strict() -> StrictGlue:
    return StrictGlue()


@pytest.fixture(params=["in process", "http"])
def glue(strict: StrictGlue, request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "http":
        with strict.serve() as server:
            made = client(endpoint_url=server.url)
            yield _filled(made)
            made.close()
    else:
        made = client()
        strict.attach(made)
        yield _filled(made)


def _filled(made: Any) -> Any:
    made.create_database(DatabaseInput={"Name": "security"})
    made.create_table(DatabaseName="security", TableInput=table())
    return made


@pytest.fixture
def near(strict: StrictGlue) -> Any:
    made = client()
    strict.attach(made)
    return _filled(made)


def refused(glue: Any, operation: str, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        getattr(glue, operation)(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_partition_comes_back_as_it_was_given(glue: Any) -> None:
    given = {**day(3), "Parameters": {"a": "b"}}
    assert "Errors" not in glue.batch_create_partition(**IN, PartitionInputList=[given])
    [found] = glue.get_partitions(**IN)["Partitions"]
    assert {key: found[key] for key in given} == given
    assert (found["DatabaseName"], found["TableName"], found["CatalogId"]) == (
        "security",
        "logs",
        "123456789012",
    )
    assert glue.get_partition(**IN, PartitionValues=given["Values"])["Partition"] == found
    assert glue.batch_get_partition(**IN, PartitionsToGet=[{"Values": given["Values"]}])["Partitions"] == [
        found
    ]


@pytest.mark.parametrize(
    ("operation", "listed", "most", "entry"),
    [
        ("batch_create_partition", "PartitionInputList", 100, day),
        (
            "batch_update_partition", "Entries", 100,
            lambda n: {"PartitionValueList": day(n)["Values"], "PartitionInput": day(n)},
        ),
        ("batch_delete_partition", "PartitionsToDelete", 25, lambda n: {"Values": day(n)["Values"]}),
        ("batch_get_partition", "PartitionsToGet", 1000, lambda n: {"Values": ["r", str(n), "1", "1"]}),
    ],
)  # fmt: skip
def test_batches_have_a_size(glue: Any, operation: str, listed: str, most: int, entry: Any) -> None:
    getattr(glue, operation)(**IN, **{listed: [entry(n) for n in range(most)]})
    code, said = refused(glue, operation, **IN, **{listed: [entry(n) for n in range(most + 1)]})
    assert code == "ValidationException"
    assert f"less than or equal to {most}" in said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"Parameters": {"projection.values": "x" * 512_001}}, "less than or equal to 512000"),
        ({"Parameters": {"projection.values": "é" * 256_001}}, "less than or equal to 512000"),
        ({"ViewOriginalText": "x" * 409_601}, "less than or equal to 409600"),
        ({"ViewExpandedText": "é" * 204_801}, "less than or equal to 409600"),
        ({"Description": "x" * 2_049}, "less than or equal to 2048"),
        ({"Name": "x" * 256}, "less than or equal to 255"),
        ({"Name": ""}, "greater than or equal to 1"),
        ({"Name": "a\nb"}, "regular expression"),
        ({"Name": None}, "must not be null"),
        ({"Retention": "1"}, "of type integer"),
        ({"Parameters": {"": "x"}}, "greater than or equal to 1"),
        (
            {"StorageDescriptor": {"Columns": [{"Name": "a", "Type": "x" * 131_073}]}},
            "less than or equal to 131072",
        ),
        ({"StorageDescriptor": {"Location": "x" * 2_057}}, "less than or equal to 2056"),
    ],
)
def test_the_model_bounds_every_member(near: Any, changed: dict[str, Any], said: str) -> None:
    code, message = refused(
        near, "create_table", DatabaseName="security", TableInput={**table("other"), **changed}
    )
    assert code == "ValidationException"
    assert said in message


def test_members_that_the_model_does_not_have_are_refused(strict: StrictGlue) -> None:
    status, body = strict.answer("GetTable", b'{"DatabaseName": "a", "Name": "b", "Colour": "red"}')
    assert status == 400
    assert b"Unknown member 'Colour'" in body


def test_partitions_are_bounded_too(near: Any) -> None:
    long = partition("eu-west-1", "2024", "01", "x" * 1025)
    assert "1024" in refused(near, "batch_create_partition", **IN, PartitionInputList=[long])[1]
    odd = day(1)
    odd["StorageDescriptor"] = {**odd["StorageDescriptor"], "InputFormat": "x" * 129}
    assert "128" in refused(near, "batch_create_partition", **IN, PartitionInputList=[odd])[1]
    assert "2056" in refused(
        near, "create_partition", **IN, PartitionInput={**day(1), "StorageDescriptor": located("x" * 2057)}
    )[1]  # fmt: skip
    bare = {"StorageDescriptor": located("s3://b/")}
    assert refused(near, "create_partition", **IN, PartitionInput=bare)[0] == "InvalidInputException"


def test_expression_and_pages_have_a_size(near: Any) -> None:
    long = " or ".join(["region = 'x'"] * 150)
    assert "2048" in refused(near, "get_partitions", **IN, Expression=long)[1]
    assert "1000" in refused(near, "get_partitions", **IN, MaxResults=1001)[1]
    assert "100" in refused(near, "get_tables", DatabaseName="security", MaxResults=101)[1]
    assert "10" in refused(near, "get_partitions", **IN, Segment={"SegmentNumber": 0, "TotalSegments": 11})[1]
    assert (
        refused(near, "get_partitions", **IN, Segment={"SegmentNumber": 2, "TotalSegments": 2})[0]
        == "InvalidInputException"
    )
    assert refused(near, "get_partitions", **IN, NextToken="bogus")[0] == "InvalidInputException"


@pytest.mark.parametrize("operation", ["batch_create_partition", "create_partition"])
def test_values_fit_the_keys(near: Any, operation: str) -> None:
    short = partition("eu-west-1", "2024", "01")
    asked = (
        {"PartitionInputList": [day(1), short]}
        if operation.startswith("batch")
        else {"PartitionInput": short}
    )
    assert refused(near, operation, **IN, **asked)[0] == "InvalidInputException"
    assert near.get_partitions(**IN)["Partitions"] == []


def test_what_is_not_there_is_not_found(near: Any) -> None:
    gone = {"DatabaseName": "security", "TableName": "gone"}
    one = [{"Values": ["a", "b", "c", "d"]}]
    for operation, parameters in (
        ("get_database", {"Name": "gone"}),
        ("create_table", {"DatabaseName": "gone", "TableInput": table()}),
        ("get_tables", {"DatabaseName": "gone"}),
        ("get_table", {"DatabaseName": "security", "Name": "gone"}),
        ("update_table", {"DatabaseName": "security", "TableInput": table("gone")}),
        ("delete_table", {"DatabaseName": "security", "Name": "gone"}),
        ("batch_create_partition", {**gone, "PartitionInputList": [day(1)]}),
        ("batch_delete_partition", {**gone, "PartitionsToDelete": one}),
        ("get_partitions", gone),
        ("get_partition", {**IN, "PartitionValues": one[0]["Values"]}),
        ("update_partition", {**IN, "PartitionValueList": day(1)["Values"], "PartitionInput": day(1)}),
        ("delete_partition", {**IN, "PartitionValues": one[0]["Values"]}),
        ("get_partition_indexes", gone),
    ):
        assert refused(near, operation, **parameters)[0] == "EntityNotFoundException", operation


def test_what_is_there_is_not_made_again(near: Any) -> None:
    assert refused(near, "create_database", DatabaseInput={"Name": "Security"})[0] == "AlreadyExistsException"
    assert (
        refused(near, "create_table", DatabaseName="SECURITY", TableInput=table("LOGS"))[0]
        == "AlreadyExistsException"
    )
    near.create_partition(**IN, PartitionInput=day(1))
    assert refused(near, "create_partition", **IN, PartitionInput=day(1))[0] == "AlreadyExistsException"


def test_batches_tell_their_errors_one_by_one(near: Any) -> None:
    near.batch_create_partition(**IN, PartitionInputList=[day(1), day(2)])
    [error] = near.batch_create_partition(**IN, PartitionInputList=[day(2), day(3)])["Errors"]
    assert error["PartitionValues"] == day(2)["Values"]
    assert error["ErrorDetail"]["ErrorCode"] == "AlreadyExistsException"
    update = [{"PartitionValueList": day(n)["Values"], "PartitionInput": day(n)} for n in (3, 4)]
    [error] = near.batch_update_partition(**IN, Entries=update)["Errors"]
    assert error["PartitionValueList"] == day(4)["Values"]
    [error] = near.batch_delete_partition(
        **IN, PartitionsToDelete=[{"Values": day(n)["Values"]} for n in (1, 9)]
    )["Errors"]
    assert error["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    assert {p["Values"][3] for p in near.get_partitions(**IN)["Partitions"]} == {"03", "04"}
    [error] = near.batch_delete_table(DatabaseName="security", TablesToDelete=["logs", "gone"])["Errors"]
    assert error["TableName"] == "gone"


def test_values_of_a_partition_cannot_be_changed(near: Any) -> None:
    near.create_partition(**IN, PartitionInput=day(1))
    code, _ = refused(
        near, "update_partition", **IN, PartitionValueList=day(1)["Values"], PartitionInput=day(2)
    )
    assert code == "InvalidInputException"


def test_each_partition_keeps_its_own_columns(near: Any) -> None:
    near.batch_create_partition(**IN, PartitionInputList=[day(1), day(2)])
    wider = day(2)
    wider["StorageDescriptor"]["Columns"] = [*COLUMNS, {"Name": "useragent", "Type": "string"}]
    near.update_partition(**IN, PartitionValueList=wider["Values"], PartitionInput=wider)
    found = {p["Values"][3]: p["StorageDescriptor"] for p in near.get_partitions(**IN)["Partitions"]}
    assert [len(where["Columns"]) for where in found.values()] == [2, 3]
    bare = near.get_partitions(**IN, ExcludeColumnSchema=True)["Partitions"]
    assert all("Columns" not in p["StorageDescriptor"] and p["StorageDescriptor"]["Location"] for p in bare)


def test_a_stale_update_is_refused(glue: Any) -> None:
    first = glue.get_table(DatabaseName="security", Name="logs")["Table"]["VersionId"]
    glue.update_table(
        DatabaseName="security", TableInput=table(Owner="one"), VersionId=first, SkipArchive=True
    )
    code, said = refused(
        glue, "update_table", DatabaseName="security", TableInput=table(Owner="two"), VersionId=first
    )
    assert code == "ConcurrentModificationException"
    assert said == "Update table failed due to concurrent modifications."
    shown = glue.get_table(DatabaseName="security", Name="logs")["Table"]
    assert (shown["Owner"], shown["VersionId"]) == ("one", "1")


def test_of_many_updates_at_once_one_wins(strict: StrictGlue, near: Any) -> None:
    outcomes: list[str] = []

    def update(number: int) -> None:
        asked = {"DatabaseName": "security", "TableInput": table(Owner=f"o{number}"), "VersionId": "0"}
        try:
            near.update_table(**asked)
            outcomes.append("done")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=update, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["ConcurrentModificationException"] * 7 + ["done"]
    assert strict.counts["UpdateTable"] == 8


def test_versions_are_kept_unless_skipped(near: Any) -> None:
    for owner, skip in (("one", False), ("two", True), ("three", False)):
        near.update_table(DatabaseName="security", TableInput=table(Owner=owner), SkipArchive=skip)
    versions = near.get_table_versions(DatabaseName="security", TableName="logs")["TableVersions"]
    assert [(v["VersionId"], v["Table"].get("Owner")) for v in versions] == [
        ("3", "three"),
        ("2", "two"),
        ("0", None),
    ]


def test_names_are_kept_in_lower_case(near: Any) -> None:
    near.create_table(DatabaseName="Security", TableInput=table("MiXed"))
    names = [t["Name"] for t in near.get_tables(DatabaseName="SECURITY")["TableList"]]
    assert names == ["logs", "mixed"]
    assert near.get_table(DatabaseName="security", Name="MIXED")["Table"]["DatabaseName"] == "security"


def test_lists_of_tables_come_in_pages_and_by_pattern(strict: StrictGlue, near: Any) -> None:
    for number in range(7):
        near.create_table(DatabaseName="security", TableInput=table(f"cloudtrail_{number}"))
    strict.page = 3
    pages = list(
        near.get_paginator("get_tables").paginate(DatabaseName="security", Expression="cloudtrail_.*")
    )
    assert [len(page["TableList"]) for page in pages] == [3, 3, 1]
    assert len(near.get_tables(DatabaseName="security", Expression="cloudtrail*")["TableList"]) == 3
    assert refused(near, "get_tables", DatabaseName="security", Expression="(")[0] == "InvalidInputException"


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("day = '02'", "02"),
        ("day <> '02' and day <= '03'", "01 03"),
        ("'03' < day", "04 05"),
        ("day between '02' and '03'", "02 03"),
        ("day not between '02' and '04'", "01 05"),
        ("day in ('01', '05') or day like '%4'", "01 04 05"),
        ("not (day = '01' or day = '02')", "03 04 05"),
        ("region = 'eu-west-1' AND (year = '2024' AND month = '01') AND day > '04'", "05"),
        ("`day` = '01' or \"DAY\" = '02'", "01 02"),
        ("day = 'it''s'", ""),
        ("day is null", ""),
        ("day is not null and day like '_1'", "01"),
        ("1 = 1", "01 02 03 04 05"),
        ("", "01 02 03 04 05"),
    ],
)
def test_expressions_are_evaluated(near: Any, expression: str, days: str) -> None:
    near.batch_create_partition(**IN, PartitionInputList=[day(n) for n in range(5)])
    found = near.get_partitions(**IN, Expression=expression)["Partitions"]
    assert " ".join(p["Values"][3] for p in found) == days


@pytest.mark.parametrize(
    "wrong",
    ["eventname = 'x'", "day =", "day = 1", "day ~ '1'", "day = '1' day", "lower(day) = '1'", "(day='1'"],
)
def test_expressions_of_another_kind_are_refused(near: Any, wrong: str) -> None:
    assert refused(near, "get_partitions", **IN, Expression=wrong)[0] == "InvalidInputException"


def test_numbers_are_compared_as_numbers(near: Any) -> None:
    near.create_table(
        DatabaseName="security", TableInput=table("n", PartitionKeys=[{"Name": "hour", "Type": "int"}])
    )
    at = {"DatabaseName": "security", "TableName": "n"}
    near.batch_create_partition(**at, PartitionInputList=[partition(str(n)) for n in range(12)])
    found = near.get_partitions(**at, Expression="hour >= 9 and hour <> 10")["Partitions"]
    assert [p["Values"] for p in found] == [["9"], ["11"]]


def test_partitions_come_in_pages_and_segments(strict: StrictGlue, near: Any) -> None:
    near.batch_create_partition(**IN, PartitionInputList=[day(n) for n in range(10)])
    strict.partition_page = 4
    pages = near.get_paginator("get_partitions").paginate(**IN)
    assert [len(page["Partitions"]) for page in pages] == [4, 4, 2]
    segments = [
        near.get_paginator("get_partitions").paginate(**IN, Segment={"SegmentNumber": n, "TotalSegments": 3})
        for n in range(3)
    ]
    seen = [tuple(p["Values"]) for pages in segments for page in pages for p in page["Partitions"]]
    assert sorted(seen) == sorted(tuple(day(n)["Values"]) for n in range(10))


def test_pages_hold_while_partitions_go(strict: StrictGlue, near: Any) -> None:
    near.batch_create_partition(**IN, PartitionInputList=[day(n) for n in range(6)])
    strict.partition_page = 2
    first = near.get_partitions(**IN)
    near.delete_partition(**IN, PartitionValues=day(0)["Values"])
    rest = near.get_partitions(**IN, NextToken=first["NextToken"])
    assert [p["Values"] for p in rest["Partitions"]] == [day(2)["Values"], day(3)["Values"]]


def test_partition_indexes_have_limits(strict: StrictGlue, near: Any) -> None:
    def index(name: str, *keys: str) -> dict[str, Any]:
        return {**IN, "PartitionIndex": {"IndexName": name, "Keys": list(keys)}}

    strict.index_seconds = 60
    near.create_partition_index(**index("days", "year", "month", "day"))
    [shown] = near.get_partition_indexes(**IN)["PartitionIndexDescriptorList"]
    assert shown["IndexStatus"] == "CREATING"
    assert [key["Name"] for key in shown["Keys"]] == ["year", "month", "day"]
    assert refused(near, "delete_partition_index", **IN, IndexName="days")[0] == "ConflictException"
    assert (
        refused(near, "delete_table", DatabaseName="security", Name="logs")[0] == "ResourceNotReadyException"
    )
    assert refused(near, "create_partition_index", **index("days", "day"))[0] == "AlreadyExistsException"
    assert refused(near, "create_partition_index", **index("x", "eventname"))[0] == "InvalidInputException"
    near.create_partition_index(**index("b", "region"))
    near.create_partition_index(**index("c", "region", "year"))
    assert (
        refused(near, "create_partition_index", **index("d", "day"))[0]
        == "ResourceNumberLimitExceededException"
    )


def test_encrypted_catalogs_have_no_partition_indexes(strict: StrictGlue, near: Any) -> None:
    strict.encrypted = True
    mode = near.get_data_catalog_encryption_settings()["DataCatalogEncryptionSettings"]["EncryptionAtRest"]
    assert mode["CatalogEncryptionMode"] == "SSE-KMS"
    asked = {"IndexName": "days", "Keys": ["day"]}
    assert refused(near, "create_partition_index", **IN, PartitionIndex=asked)[0] == "GlueEncryptionException"


def test_there_are_only_so_many(strict: StrictGlue, near: Any) -> None:
    strict.tables_per_database, strict.partitions_per_table = 1, 2
    limit = "ResourceNumberLimitExceededException"
    assert refused(near, "create_table", DatabaseName="security", TableInput=table("more"))[0] == limit
    errors = near.batch_create_partition(**IN, PartitionInputList=[day(n) for n in range(3)])["Errors"]
    assert [error["ErrorDetail"]["ErrorCode"] for error in errors] == [limit]


def test_keys_stay_while_there_are_partitions(near: Any) -> None:
    near.create_partition(**IN, PartitionInput=day(1))
    other = table(PartitionKeys=[{"Name": "account", "Type": "string"}])
    assert (
        refused(near, "update_table", DatabaseName="security", TableInput=other)[0] == "InvalidInputException"
    )


def test_another_account_s_catalog_is_closed(near: Any) -> None:
    code, _ = refused(near, "get_table", DatabaseName="security", Name="logs", CatalogId="999999999999")
    assert code == "AccessDeniedException"


def test_faults_strike_as_often_as_told(strict: StrictGlue, glue: Any) -> None:
    def get() -> Any:
        return glue.get_table(DatabaseName="security", Name="logs")

    strict.inject(throttle("GetTable", skip=1), broken("GetTable", skip=1))
    assert get()
    assert refused(glue, "get_table", DatabaseName="security", Name="logs")[0] == "ThrottlingException"
    assert refused(glue, "get_table", DatabaseName="security", Name="logs")[0] == "InternalServiceException"
    assert get()
    strict.inject(denied("GetTable", when=lambda _, asked: asked["Name"] == "logs"))
    assert refused(glue, "get_table", DatabaseName="security", Name="logs")[0] == "AccessDeniedException"
    strict.heal()
    assert get()


@pytest.mark.parametrize(("cut", "there"), [("before", 0), ("after", 1)])
def test_connections_break_before_or_after_the_deed(
    strict: StrictGlue, glue: Any, cut: str, there: int
) -> None:
    strict.inject(Fault("BatchCreatePartition", cut=cut))
    with pytest.raises(ConnectionClosedError):
        glue.batch_create_partition(**IN, PartitionInputList=[day(1)])
    assert len(glue.get_partitions(**IN)["Partitions"]) == there


def test_parts_of_a_batch_fail_on_demand(strict: StrictGlue, near: Any) -> None:
    strict.inject(
        Fault(
            "BatchCreatePartition", partial=lambda values: values[3] == "02", code="InternalServiceException"
        )
    )
    [error] = near.batch_create_partition(**IN, PartitionInputList=[day(n) for n in range(3)])["Errors"]
    assert error["PartitionValues"] == day(1)["Values"]
    assert len(near.get_partitions(**IN)["Partitions"]) == 2
    strict.inject(Fault("BatchGetPartition", partial=lambda values: values[3] == "01"))
    asked = [{"Values": day(n)["Values"]} for n in range(3)]
    answer = near.batch_get_partition(**IN, PartitionsToGet=asked)
    assert answer["UnprocessedKeys"] == asked[:1]
    assert len(answer["Partitions"]) == 1


def test_calls_are_written_down(strict: StrictGlue, near: Any) -> None:
    near.get_tables(DatabaseName="security")
    assert [call.operation for call in strict.calls] == ["CreateDatabase", "CreateTable", "GetTables"]
    assert strict.calls[-1].parameters == {"DatabaseName": "security"}
    assert strict.counts == {"CreateDatabase": 1, "CreateTable": 1, "GetTables": 1}


def test_a_session_s_clients_need_no_socket(strict: StrictGlue) -> None:
    session = boto3.Session()
    strict.attach(session)
    assert client(session).get_databases()["DatabaseList"] == []


def test_locations_that_are_no_template_come_back_too(near: Any) -> None:
    odd = [
        {**day(n), "StorageDescriptor": located(where)}
        for n, where in enumerate(("s3://else/x", "s3://b/2024", ""))
    ]
    none = {"Values": day(9)["Values"]}
    near.batch_create_partition(**IN, PartitionInputList=[*odd, none])
    found = near.get_partitions(**IN)["Partitions"]
    assert [p.get("StorageDescriptor", {}).get("Location") for p in found] == [
        "s3://else/x",
        "s3://b/2024",
        "",
        None,
    ]
