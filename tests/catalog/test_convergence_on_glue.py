"""The same flow on the strict Glue and on an emulated S3: what is called, and what is there afterwards."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bed.faults import Fault, broken, denied, expired, throttle
from catalog.layouts import ACCOUNTS, KINDS, REGIONS, TODAY, Layout, Log, layouts, organization
from catalog.runs import DATABASE, PREFIX, aim, carry_out, tally
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.catalog.convergence import Convergence
from trailhouse.catalog.glue import GlueCatalog
from trailhouse.errors import AwsError, CredentialsError
from trailhouse.storage import Location
from trailhouse.storage.discovery import Discovery
from trailhouse.storage.listing import S3Lister

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from bed.aws import Aws
    from trailhouse.catalog.application import Report
    from trailhouse.core.plan import Part

pytestmark = pytest.mark.emulator

DAY = timedelta(days=1)
READS = {"GetDatabase", "GetTables", "GetTable", "GetPartitions", "GetPartitionIndexes",
         "GetDataCatalogEncryptionSettings"}  # fmt: skip
SHAPES = ({"tables": "per_account"}, {"tables": "single"})


class House:
    """One AWS, emptied, and one layout in it. Clients are made once: that costs more than all that is done here."""

    def __init__(self, aws: Aws, gate: Gate, layout: Layout) -> None:
        self.aws, self.gate, self.layout = aws, gate, layout
        self.catalog = GlueCatalog(gate, DATABASE, PREFIX, wait=lambda _: None)
        self.regions: tuple[str, ...] = ()
        aws.glue.heal()
        if self.catalog.exists():
            gate.client("glue").delete_database(Name=DATABASE)
        aws.buckets.all.clear()
        for bucket, keys in layout.buckets.items():
            aws.buckets.make(bucket).put_all((key, b"{}") for key in keys)
        self.calls()

    def plan(self, today: date = TODAY, **options: Any) -> list[Part]:  # noqa: ANN401 - as Aim takes them
        wanted = aim(today, regions=self.regions, **options)
        with Discovery(map(Location, self.layout.sources), today=today, lister=self.lister) as discovery:
            return [*Convergence(self.catalog, discovery, wanted).parts()]

    def apply(self, today: date = TODAY, **options: Any) -> Report:  # noqa: ANN401 - as Aim takes them
        return carry_out(self.catalog, self.plan(today, **options))

    def lister(self, access: Access) -> S3Lister:
        return S3Lister(access, self.gate)

    def calls(self) -> Counter[str]:
        """Calls to Glue since the last look."""
        found = Counter(self.aws.glue.counts)
        self.aws.glue.counts.clear()
        return found

    def locations(self) -> list[tuple[str, str]]:
        """Every partition of every raw table: the table, and its place."""
        glue = _plain(self.aws)
        tables = [
            t
            for page in glue.get_paginator("get_tables").paginate(DatabaseName=DATABASE)
            for t in page["TableList"]
        ]
        names = [table["Name"] for table in tables if table["TableType"] == "EXTERNAL_TABLE"]
        return [
            (name, one["StorageDescriptor"]["Location"])
            for name in names
            for page in glue.get_paginator("get_partitions").paginate(DatabaseName=DATABASE, TableName=name)
            for one in page["Partitions"]
        ]


@pytest.fixture(scope="module")
def gate(aws: Aws) -> Iterator[Gate]:
    """The way there, for all tests of this file."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_MAX_ATTEMPTS", "1")
        made = Gate(Access(endpoint_url=aws.url, region="us-east-1"))
        made.client("glue")
        made.client("s3")
        yield made


@cache
def _plain(aws: Aws) -> Any:  # noqa: ANN401 - botocore has no types
    """A client that nobody listens at."""
    return aws.client("glue")


def raw_name(log: Log, tables: str) -> str:
    kind = log.kind.removeprefix("CloudTrail").replace("-", "_").lower()
    return f"cloudtrail{kind}_{'raw' if tables == 'single' else log.account}"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(layout=layouts(), options=st.sampled_from(SHAPES))
def test_generated_buckets(aws: Aws, gate: Gate, layout: Layout, options: dict[str, str]) -> None:
    house = House(aws, gate, layout)
    assert house.apply(**options).complete
    house.calls()
    assert tally(house.plan(**options)).changes == 0
    assert set(house.calls()) <= READS
    held = house.locations()
    for log in layout.delivered(90):
        found = [name for name, place in held if log.uri.startswith(place)]
        assert found == [raw_name(log, options["tables"])], log.uri


@pytest.fixture
def house(request: pytest.FixtureRequest, aws: Aws, gate: Gate) -> House:
    return House(aws, gate, request.param)


TWO = organization(2, 1, 90)
ALL_REGIONS = (*(f"r{number}" for number in range(33)), "eu-west-1")


@pytest.mark.parametrize("house", [TWO], indirect=True)
@pytest.mark.parametrize("options", SHAPES)
def test_two_accounts_and_ninety_days(house: House, options: dict[str, str]) -> None:
    """The predecessor made 566 calls; all 34 regions have a partition for today and for tomorrow."""
    house.regions = ALL_REGIONS
    assert house.apply(**options).complete
    first = house.calls()
    assert first.total() <= 110
    assert first["BatchCreatePartition"] == 2 * 2  # 89 days, and two days of 34 regions
    assert tally(house.plan(**options)).changes == 0
    second = house.calls()
    assert second.total() <= 10
    assert set(second) <= READS


@pytest.mark.parametrize("house", [organization(20, 5, 10)], indirect=True)
def test_calls_grow_as_they_should(house: House) -> None:
    accounts, regions, days, known = 20, 5, 10, 8
    house.regions = tuple(f"eu-west-{number}" for number in range(1, known + 1))
    listed = house.aws.s3.log.counts
    listed.clear()
    assert house.apply().complete
    partitions = regions * (days + 1) + (known - regions) * 2
    batches = -(-partitions // 100)
    assert house.calls() == {
        "GetDatabase": 2,
        "GetDataCatalogEncryptionSettings": 1,
        "CreateDatabase": 1,
        "CreateTable": accounts + 2,
        "BatchCreatePartition": accounts * batches,
        "GetTable": accounts,
        "UpdateTable": accounts,
    }
    assert sum(listed.values()) <= 3 + accounts * (3 + 6 * regions)

    listed.clear()
    assert house.apply(TODAY + DAY).complete
    assert house.calls() == {
        "GetDatabase": 2,
        "GetDataCatalogEncryptionSettings": 1,
        "GetTables": 1,
        "GetPartitions": accounts,
        "BatchCreatePartition": accounts,
    }
    assert sum(listed.values()) <= 3 + accounts * (3 + 6 * regions)


@pytest.mark.parametrize("house", [organization(20, 5, 10)], indirect=True)
def test_calls_grow_as_they_should_with_one_table(house: House) -> None:
    accounts = 20
    assert house.apply(tables="single").complete
    found = house.calls()
    assert found["BatchCreatePartition"] == accounts
    assert found["CreateTable"] == 1 + accounts + 2
    assert found["CreatePartitionIndex"] <= 2
    assert found.total() <= 2 * accounts + 20


SMALL = Layout(
    [
        Log("logs", "AWSLogs", account, KINDS[0], region, TODAY)
        for account in ACCOUNTS[:3]
        for region in REGIONS[:2]
    ]
)


def unsent(skip: int) -> Fault:
    """The connection breaks before anything is done."""
    return Fault("*", 1, cut="before", skip=skip)


def unanswered(skip: int) -> Fault:
    """It is done, and the connection breaks before that is told."""
    return Fault("*", 1, cut="after", skip=skip)


@pytest.mark.parametrize("house", [SMALL], indirect=True)
@pytest.mark.parametrize("options", SHAPES)
@pytest.mark.parametrize("skip", [0, 4, 9])
@pytest.mark.parametrize(
    "fault", [throttle, broken, denied, expired, unsent, unanswered], ids=lambda fault: fault.__name__
)
def test_whatever_goes_wrong_one_clean_run_mends_it(
    house: House,
    options: dict[str, str],
    skip: int,
    fault: Any,  # noqa: ANN401 - makes a fault
) -> None:
    foreign = {
        "Name": "cloudtrail_by_hand",
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": {"Columns": []},
    }
    glue = house.gate.client("glue")
    glue.create_database(DatabaseInput={"Name": DATABASE})
    glue.create_table(DatabaseName=DATABASE, TableInput=foreign)
    parts = house.plan(**options)
    before = glue.get_table(DatabaseName=DATABASE, Name="cloudtrail_by_hand")["Table"]
    house.aws.glue.inject(fault(skip=skip))
    with suppress(CredentialsError, *([AwsError] if options["tables"] == "single" else [])):
        carry_out(house.catalog, parts)
    assert house.aws.glue.log.counts.total() > skip
    house.aws.glue.heal()
    assert house.apply(**options).complete
    assert tally(house.plan(**options)).changes == 0
    held = house.locations()
    for log in house.layout.logs:
        assert [name for name, place in held if log.uri.startswith(place)] == [
            raw_name(log, options["tables"])
        ]
    assert glue.get_table(DatabaseName=DATABASE, Name="cloudtrail_by_hand")["Table"] == before


@pytest.mark.slow
@pytest.mark.parametrize("options", SHAPES)
@pytest.mark.parametrize("cut", ["before", "after"])
def test_cut_off_at_every_write(aws: Aws, gate: Gate, options: dict[str, str], cut: str) -> None:
    """As if the process had been killed there: nothing reaches the catalog from then on."""
    house = House(aws, gate, SMALL)
    assert house.apply(**options).complete
    whole = sorted(house.locations())
    writes = sum(count for name, count in house.calls().items() if name not in READS)
    assert writes > len(ACCOUNTS[:3]) * 2
    for at in range(writes):
        house = House(aws, gate, SMALL)
        last = Fault("*", 1, cut="after", skip=at, when=_writes) if cut == "after" else None
        aws.glue.inject(*filter(None, [last]), Fault("*", None, cut="before", skip=at, when=_writes))
        report = None
        with suppress(AwsError):
            report = house.apply(**options)
        aws.glue.heal()
        # An answer that was lost is looked for, and what was the last write was done then.
        assert report is None or not report.complete or (cut, at) == ("after", writes - 1)
        assert house.apply(**options).complete
        assert sorted(house.locations()) == whole
        assert tally(house.plan(**options)).changes == 0


def _writes(operation: str, _: object) -> bool:
    return operation not in READS


@pytest.mark.parametrize("house", [SMALL], indirect=True)
@pytest.mark.parametrize(
    "fault",
    [
        {"code": "SlowDown", "status": 503}, {"code": "InternalError", "status": 500},
        {"code": "AccessDenied", "status": 403}, {"cut": "before"}, {"cut": "during"}, {"seconds": 0.3},
    ],
    ids=["throttled", "broken", "denied", "cut", "cut in the middle", "slow"],
)  # fmt: skip
def test_one_account_cannot_be_listed(house: House, fault: dict[str, Any]) -> None:
    """The others are done, it is named; the next run does it, too."""
    account = ACCOUNTS[1]
    struck = Fault("*", None, when=lambda _, asked: account in str(asked), **fault)
    house.aws.s3.log.faults.append(struck)
    parts = house.plan()
    report = carry_out(house.catalog, parts)
    house.aws.s3.log.faults.clear()
    done = [name for name, _ in house.locations()]
    assert {f"cloudtrail_{ACCOUNTS[0]}", f"cloudtrail_{ACCOUNTS[2]}"} <= set(done)
    slow = "seconds" in fault
    assert (f"cloudtrail_{account}" in done) == slow
    assert list(report.failed) == ([] if slow else [account])
    assert house.apply().complete
    assert tally(house.plan()).changes == 0
    assert f"cloudtrail_{account}" in [name for name, _ in house.locations()]


@pytest.mark.parametrize("house", [SMALL], indirect=True)
def test_partitions_that_glue_refuses_singly_are_tried_again_the_next_time(house: House) -> None:
    parts = house.plan()
    odd = Fault(
        "BatchCreatePartition",
        None,
        code="InvalidInputException",
        partial=lambda values: values[0] == "us-east-1",
    )
    house.aws.glue.inject(odd)
    report = carry_out(house.catalog, parts)
    assert sorted(report.failed) == sorted(ACCOUNTS[:3])
    held = house.locations()
    assert len([place for _, place in held if "eu-west-1" in place]) == 2 * 3
    assert not [place for _, place in held if "us-east-1" in place]
    house.aws.glue.heal()
    assert house.apply().complete
    assert tally(house.plan()).changes == 0
