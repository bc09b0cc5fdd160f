"""What a statement would read: partitions exactly, objects by listing, beyond that a sample with its range."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bed.faults import denied
from engine import catalogs
from engine.catalogs import BUCKET, DATABASE, NOW, OBJECTS, SIZE
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Call, Gate
from trailhouse.core.prices import PRICE_PER_TB, Estimate, counted
from trailhouse.dialect import Scope, Statement
from trailhouse.dialect.remote import prepare, readings
from trailhouse.engine.definitions import Definitions
from trailhouse.engine.price import Estimator, Price
from trailhouse.errors import AccessDeniedError, SqlError

if TYPE_CHECKING:
    from engine.catalogs import Elsewhere

pytestmark = pytest.mark.emulator

ONE = "cloudtrail_111122223333"


def price(sql: str, record: list[Call] | None = None, **requests: dict[str, str]) -> Price:
    gate = Gate(Access(), record=record.append if record is not None else None)
    definitions = Definitions(gate, DATABASE)
    statement = prepare(sql, definitions.names, params={}, scope=Scope())
    return Estimator(gate, definitions, requests).price(readings(statement, definitions.names), NOW)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("sql", "partitions"),
    [
        ("SELECT * FROM cloudtrail", 12),
        (f"SELECT * FROM {ONE}", 6),
        ("SELECT * FROM cloudtrail WHERE account = '444455556666' AND region = 'us-east-1'", 3),
        ("SELECT * FROM cloudtrail WHERE year = '2023' AND month = '07' AND day BETWEEN '11' AND '31'", 8),
        ("SELECT * FROM cloudtrail WHERE day LIKE '1_' AND region NOT LIKE 'eu%'", 6),
        ("SELECT * FROM cloudtrail WHERE concat(year, month, day) = '20230710'", 12),
        ("SELECT * FROM cloudtrail WHERE eventtime >= '2023-07-12'", 12),
        (
            f"SELECT * FROM {ONE} a JOIN {ONE} b ON a.eventname = b.eventname AND b.day = '10' WHERE a.day = '10'",
            4,
        ),
        ("SELECT * FROM cloudtrail WHERE account = '000000000000'", 0),
        (f"SELECT * FROM {ONE} WHERE region = '" + "x" * 3_000 + "' OR region = 'us-east-1'", 3),
        ("SELECT 1", 0),
        ("SHOW TABLES", 0),
    ],
)
def test_partitions_and_bytes_are_exact(sql: str, partitions: int) -> None:
    found = price(sql)
    assert found.partitions == partitions
    assert found.objects == counted(partitions * OBJECTS)
    assert found.size == counted(partitions * OBJECTS * SIZE)


def test_no_log_is_read_and_every_folder_is_listed_once(elsewhere: Elsewhere) -> None:
    calls: list[Call] = []
    price(f"SELECT * FROM {ONE} a, {ONE} b", calls)
    names = [call.operation for call in calls]
    assert sorted(set(names)) == ["GetPartitions", "GetTable", "ListObjectsV2"]
    assert names.count("ListObjectsV2") == 6
    assert "GetObject" not in elsewhere.counts()


@pytest.mark.usefixtures("elsewhere")
def test_the_catalog_filters_as_far_as_it_can() -> None:
    calls: list[Call] = []
    price(f"SELECT * FROM {ONE} WHERE year = '2023' AND day IN ('10', '11') AND region LIKE 'eu%'", calls)
    (asked,) = [call.parameters for call in calls if call.operation == "GetPartitions"]
    assert asked["Expression"] == "year = '2023' AND day IN ('10', '11')"
    assert asked["ExcludeColumnSchema"] is True


def test_what_athena_leaves_out_is_not_counted(elsewhere: Elsewhere) -> None:
    place = catalogs.folder("111122223333", "us-east-1", "2023-07-10")
    s3 = elsewhere.aws.client("s3")
    for name in ("_hidden", ".hidden", ""):
        s3.put_object(Bucket=BUCKET, Key=place + name, Body=b"x")
    s3.put_object(Bucket=BUCKET, Key=place + "old.json.gz", Body=b"xx", StorageClass="DEEP_ARCHIVE")
    found = price(f"SELECT * FROM {ONE} WHERE region = 'us-east-1' AND day = '10'")
    assert (found.objects, found.archived) == (counted(OBJECTS), 1)


def many(elsewhere: Elsewhere, folders: int) -> None:
    glue = elsewhere.aws.client("glue")
    catalogs.table(glue, "many", ("n",), "s3://many-logs/many/")
    elsewhere.aws.bucket("many-logs", ((f"many/{n}/x.json.gz", b"x" * (n % 100)) for n in range(folders)))
    for start in range(0, folders, 100):
        inputs = [
            {"Values": [f"{n:05}"], "StorageDescriptor": catalogs.storage(f"s3://many-logs/many/{n}/")}
            for n in range(start, min(start + 100, folders))
        ]
        glue.batch_create_partition(DatabaseName=DATABASE, TableName="many", PartitionInputList=inputs)


@pytest.mark.slow
def test_two_hundred_folders_are_listed_and_of_more_a_sample(elsewhere: Elsewhere) -> None:
    many(elsewhere, 600)
    all_of_them = price("SELECT * FROM many WHERE n < '00200'")
    assert (all_of_them.listed, all_of_them.folders, all_of_them.size.exact) == (200, 200, True)
    sample = price("SELECT * FROM many")
    assert (sample.listed, sample.existing, sample.folders, sample.partitions) == (200, 600, 600, 600)
    assert sample.objects.value == 600
    assert sample.size.low <= sum(n % 100 for n in range(600)) <= sample.size.high
    assert sample == price("SELECT * FROM many")
    assert (
        "200 of 600 folders listed, chosen at random (seed 0); ranges are the 95 % interval" in sample.how()
    )
    assert sample.how() in sample.sentence(PRICE_PER_TB)


def test_folders_that_do_not_exist_are_found_out_in_few_listings(elsewhere: Elsewhere) -> None:
    said = {
        "projection.enabled": "true", "projection.day.type": "date", "projection.day.format": "yyyy/MM/dd",
        "projection.day.range": "2020/01/01,NOW",
        "storage.location.template": f"s3://{BUCKET}/AWSLogs/111122223333/CloudTrail/us-east-1/${{day}}/",
    }  # fmt: skip
    catalogs.table(elsewhere.aws.client("glue"), "sparse", ("day",), f"s3://{BUCKET}/AWSLogs/", **said)
    calls: list[Call] = []
    found = price("SELECT * FROM sparse", calls)
    assert (found.partitions, found.existing, found.listed) == (1_297, 3, 3)
    assert found.size == counted(3 * OBJECTS * SIZE)
    assert found.how() == "all 3 existing folders (of 1,297) listed"
    assert [call.operation for call in calls].count("ListObjectsV2") < 60


def test_a_sample_of_nothing_says_nothing(elsewhere: Elsewhere) -> None:
    catalogs.table(elsewhere.aws.client("glue"), "flat", ("n",), f"s3://{BUCKET}/")
    bucket = (f"{n:03}/_hidden" for n in range(250))
    elsewhere.aws.bucket("flat-logs", ((key, b"x") for key in bucket))
    parts = [
        {"Values": [f"{n:03}"], "StorageDescriptor": catalogs.storage(f"s3://flat-logs/{n:03}/")}
        for n in range(250)
    ]
    for start in range(0, 250, 100):
        elsewhere.aws.client("glue").batch_create_partition(
            DatabaseName=DATABASE, TableName="flat", PartitionInputList=parts[start : start + 100]
        )
    found = price("SELECT * FROM flat")
    assert found.unknown == (
        "200 of 250 folders, chosen at random, hold no object, and the others are not known",
    )


@pytest.mark.usefixtures("elsewhere")
def test_requests_carry_what_the_bucket_demands() -> None:
    calls: list[Call] = []
    price("SELECT * FROM cloudtrail", calls, **{BUCKET: {"RequestPayer": "requester"}})
    lists = [call.parameters for call in calls if call.operation == "ListObjectsV2"]
    assert {one["RequestPayer"] for one in lists} == {"requester"}


def test_projected_partitions_are_computed(elsewhere: Elsewhere) -> None:
    glue = elsewhere.aws.client("glue")
    said = {
        "projection.enabled": "true", "storage.location.template": f"s3://{BUCKET}/AWSLogs/${{account}}/x/${{day}}/",
        "projection.account.type": "enum", "projection.account.values": "1,2",
        "projection.day.type": "date", "projection.day.range": "NOW-4DAYS,NOW", "projection.day.format": "yyyy/MM/dd",
    }  # fmt: skip
    catalogs.table(glue, "projected", ("account", "day"), f"s3://{BUCKET}/AWSLogs/", **said)
    found = price("SELECT * FROM projected WHERE day >= '2023/07/19'")
    assert (found.partitions, found.spread) == (4, {"account": 2})
    assert elsewhere.counts().get("GetPartitions") is None
    catalogs.table(glue, "broken", ("account",), f"s3://{BUCKET}/", **{"projection.enabled": "true"})
    with pytest.raises(
        SqlError, match=r"broken: its partitions cannot be computed: projection.account.type is not"
    ):
        price("SELECT * FROM broken")


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        (
            {"table_type": "ICEBERG"},
            "lake is an Iceberg table without metadata_location: it was not made whole",
        ),
        ({}, None),
    ],
)
def test_what_cannot_be_told_is_a_reason(
    elsewhere: Elsewhere, parameters: dict[str, str], reason: str | None
) -> None:
    catalogs.table(elsewhere.aws.client("glue"), "lake", (), f"s3://{BUCKET}/AWSLogs/", **parameters)
    found = price("SELECT * FROM lake")
    assert found.unknown == ((reason,) if reason else ())
    assert found.partitions == (0 if reason else 1)
    if reason:
        refusal = found.refusal(10**12)
        assert refusal is not None
        assert reason in refusal


def test_a_denied_listing_is_an_error(elsewhere: Elsewhere) -> None:
    elsewhere.aws.s3.log.faults.append(denied("ListObjectsV2", times=None, status=403))
    with pytest.raises(AccessDeniedError, match="ListBucket"):
        price("SELECT * FROM cloudtrail")


def test_a_place_that_is_none_in_s3_is_said(elsewhere: Elsewhere) -> None:
    catalogs.table(elsewhere.aws.client("glue"), "odd", (), "hdfs://x/y")
    with pytest.raises(SqlError, match="'hdfs://x/y', which is no place in S3"):
        price("SELECT * FROM odd")


def test_the_sentence_is_one_for_people() -> None:
    exact = Price(31, 31, 31, 31, counted(1_204), counted(12_300_000))
    assert exact.sentence(PRICE_PER_TB) == "31 partitions, 1,204 objects, 12.3 MB: $0.000065"
    assert exact.sentence(None) == "31 partitions, 1,204 objects, 12.3 MB"
    large = Price(
        9_000, 9_000, 9_000, 200, Estimate(90_000, 80_000, 100_000), Estimate(3 * 10**11, 10**11, 5 * 10**11)
    )
    assert large.sentence(PRICE_PER_TB) == (
        "9,000 partitions, about 90,000 objects (80,000 to 100,000), about 300.0 GB (100.0 GB to 500.0 GB): "
        "$1.50 ($0.50 to $2.50), and about $0.081 for S3 requests (200 of 9,000 folders listed, chosen at "
        "random (seed 0); ranges are the 95 % interval)"
    )


def test_a_refusal_names_the_filter_that_would_help() -> None:
    found = Price(60, 60, 60, 60, counted(60), counted(10**9), spread={"day": 2, "account": 30, "region": 1})
    refusal = found.refusal(10**6)
    assert refusal == (
        "not run: it would read 1.0 GB, and --max-scan is 1.0 MB: narrow it by account (30 are touched): "
        "--account, or account = '...'"
    )
    assert found.refusal(10**9) is None
    sampled = Price(60, 60, 60, 20, counted(60), Estimate(10**9, 9 * 10**8, 11 * 10**8))
    assert "about 1.0 GB (900.0 MB to 1.1 GB)" in (sampled.refusal(10**9) or "")
    assert "ask for fewer objects" in (sampled.refusal(10**9) or "")


def test_programs_get_the_same() -> None:
    found = Price(31, 31, 31, 31, counted(1_204), counted(12_300_000), days=("2023-07-10", "2023-07-11"))
    told = json.loads(json.dumps(found.as_json(Decimal(5))))
    assert told["bytes"] == {"value": 12_300_000, "low": 12_300_000, "high": 12_300_000}
    assert told["cost_usd"] == {"value": "0.000065", "low": "0.000065", "high": "0.000065"}
    assert (told["seed"], told["how"]) == (None, "all 31 folders listed")
    assert found.as_json(None)["cost_usd"] is None
    assert Price(unknown=("x",)).as_json(Decimal(5))["bytes"] is None


def test_statement_of_an_unknown_form_has_no_price() -> None:
    assert readings(Statement("SELECT * FROM x MATCH_RECOGNIZE (y)", "", ()), None) is None  # type: ignore[arg-type]  # is not asked
    assert Estimator(None, None).price(None, NOW).unknown  # type: ignore[arg-type]  # is not asked
