"""Iceberg tables are priced by their manifests: a real table, written by PyIceberg through the strict Glue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType, NestedField, StringType

from engine import catalogs
from engine.catalogs import BUCKET, DATABASE, NOW
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Call, Gate
from trailhouse.core.prices import counted
from trailhouse.dialect import Scope
from trailhouse.dialect.remote import prepare, readings
from trailhouse.engine.definitions import Definitions
from trailhouse.engine.iceberg import METADATA
from trailhouse.engine.price import Estimator, Price

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from engine.catalogs import Elsewhere

pytestmark = pytest.mark.emulator

KEYS = ("year", "month", "day")
DAYS = (("2026", "11", "19"), ("2026", "11", "20"), ("2026", "12", "01"))


@pytest.fixture
def lake(elsewhere: Elsewhere) -> Table:
    said = {"access-key-id": "testing", "secret-access-key": "testing", "region": "us-east-1"}
    options = {f"{kind}.{name}": value for kind in ("glue", "s3") for name, value in said.items()}
    url = elsewhere.aws.url
    catalog = load_catalog("bed", **{"type": "glue", "glue.endpoint": url, "s3.endpoint": url, **options})
    fields = [NestedField(at, name, StringType()) for at, name in enumerate((*KEYS, "eventname"), 1)]
    schema = Schema(*fields, NestedField(5, "logrecord", LongType()))
    spec = PartitionSpec(
        *(PartitionField(at, 1000 + at, IdentityTransform(), k) for at, k in enumerate(KEYS, 1))
    )
    table = catalog.create_table(
        (DATABASE, "lake"), schema, location=f"s3://{BUCKET}/lake", partition_spec=spec
    )
    for size, day in enumerate(DAYS, 1):
        rows = [
            {**dict(zip(KEYS, day, strict=True)), "eventname": "x" * 50, "logrecord": n}
            for n in range(size * 100)
        ]
        table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
    return table


def price(sql: str, calls: list[Call] | None = None) -> Price:
    gate = Gate(Access(), record=calls.append if calls is not None else None)
    definitions = Definitions(gate, DATABASE)
    statement = prepare(sql, definitions.names, params={}, scope=Scope())
    return Estimator(gate, definitions).price(readings(statement, definitions.names), NOW)


@pytest.mark.parametrize(
    ("where", "days"),
    [
        ("", (0, 1, 2)),
        ("WHERE day = '20'", (1,)),
        ("WHERE year = '2026' AND (month > '11' OR (month = '11' AND day >= '20'))", (1, 2)),
        ("WHERE day IN ('19', '01') AND month <> '12'", (0,)),
        ("WHERE day NOT IN ('19')", (1, 2)),
        ("WHERE day LIKE '2%'", (0, 1, 2)),
        ("WHERE logrecord > 5 AND month < '12'", (0, 1)),
        ("WHERE day = '02'", ()),
    ],
)
def test_files_are_those_of_the_days(lake: Table, where: str, days: tuple[int, ...]) -> None:
    wanted = {DAYS[day] for day in days}
    files = [task.file for task in lake.scan().plan_files()]
    sizes = [f.file_size_in_bytes for f in files if tuple(f.partition[at] for at in range(3)) in wanted]
    found = price(f"SELECT eventname FROM lake {where}")
    assert found.unknown == ()
    assert (found.partitions, found.objects) == (len(days), counted(len(days)))
    assert found.size == counted(sum(sizes))
    assert len(sizes) == len(days)
    assert found.at_most


def test_what_was_deleted_is_not_read(lake: Table) -> None:
    lake.delete("day = '20'")
    assert price("SELECT * FROM lake").objects == counted(2)


@pytest.mark.usefixtures("lake")
def test_only_metadata_is_read(elsewhere: Elsewhere) -> None:
    calls: list[Call] = []
    found = price("SELECT * FROM lake a, lake b WHERE a.day = '20' AND b.day = '20'", calls)
    assert found.objects == counted(2)
    read = [call.parameters["Key"] for call in calls if call.operation == "GetObject"]
    assert read
    assert all("/metadata/" in key for key in read)
    assert "by the manifests" in found.how()
    assert found.spread == {"day": 1}
    assert elsewhere.aws.glue.log.refused == []


def test_metadata_that_is_none_is_a_reason(elsewhere: Elsewhere) -> None:
    elsewhere.aws.client("s3").put_object(Bucket=BUCKET, Key="odd/v1.metadata.json", Body=b"{}")
    said = {"table_type": "ICEBERG", METADATA: f"s3://{BUCKET}/odd/v1.metadata.json"}
    catalogs.table(elsewhere.aws.client("glue"), "odd", (), f"s3://{BUCKET}/odd", **said)
    (reason,) = price("SELECT * FROM odd").unknown
    assert "cannot be understood" in reason
