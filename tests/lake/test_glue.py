from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from lake.clouds import DATABASE, LAKE, LOGS, URI
from lake.lakes import NOW, event, key, pack
from trailhouse.core.layout import Kind
from trailhouse.core.schema import FILES_COLUMNS, lake_columns
from trailhouse.errors import CatalogError, LakeError
from trailhouse.lake.s3_files import S3Files
from trailhouse.lake.tables import LEDGER, WATERMARK

if TYPE_CHECKING:
    from lake.clouds import Cloud

pytestmark = pytest.mark.emulator

TABLE = "cloudtrail_lake"


@pytest.fixture
def filled(cloud: Cloud) -> Cloud:
    """A lake of one file."""
    cloud.aws.bucket(LOGS).put(key(), pack({"Records": [event("a"), event("b")]}))
    cloud.ingest()
    return cloud


@pytest.mark.slow
def test_the_tables_are_what_the_contract_says(filled: Cloud) -> None:
    for name, columns in ((TABLE, lake_columns(Kind.CLOUDTRAIL)), (LEDGER, FILES_COLUMNS)):
        table = filled.table(name)
        assert table.metadata.format_version == 2
        assert table.location() == f"{URI}/{name}"
        assert [field.name for field in table.schema().fields] == [column.name for column in columns]
        names = {field.field_id: field.name for field in table.schema().fields}
        spec = [(names[field.source_id], str(field.transform)) for field in table.spec().fields]
        assert spec == [(day, "identity") for day in ("year", "month", "day")]
        order = [names[field.source_id] for field in table.sort_order().fields]
        assert order == [n for n in ("account", "region", "eventtime") if n in names.values()]
        assert table.properties["commit.retry.num-retries"] == "0"
        mapped = json.loads(table.properties["schema.name-mapping.default"])
        assert {field["names"][0]: field["field-id"] for field in mapped} == {n: i for i, n in names.items()}
        for task in table.scan().plan_files():
            fields = pq.read_schema(io.BytesIO(filled.object(task.file.file_path)))
            assert [int(field.metadata[b"PARQUET:field_id"]) for field in fields] == list(names)
            day = [field.name for field in table.schema().fields if field.name in {"year", "month", "day"}]
            assert dict(zip(day, task.file.partition, strict=True)) == {
                "year": "2024",
                "month": "05",
                "day": "01",
            }
            assert task.file.record_count == {TABLE: 2, LEDGER: 1}[name]


@pytest.mark.slow
def test_any_reader_has_the_rows(filled: Cloud) -> None:
    """PyIceberg by the catalog; DuckDB by the files that the snapshot names."""
    own = filled.table(TABLE).scan("day = '01'", selected_fields=("eventid", "logfile")).to_arrow()
    assert sorted(own["eventid"].to_pylist()) == ["a", "b"]
    assert set(own["logfile"].to_pylist()) == {f"s3://{LOGS}/{key()}"}
    assert filled.ask("SELECT eventid, writer FROM t ORDER BY 1") == [("a", "workers"), ("b", "workers")]
    assert filled.table(TABLE).scan("day = '02'").to_arrow().num_rows == 0


def test_names_begin_with_the_prefix(cloud: Cloud) -> None:
    cloud.aws.bucket(LOGS).put(key(), pack({"Records": [event("a")]}))
    cloud.ingest(lake=cloud.lake(prefix="trail"))
    names = [
        table["Name"] for table in cloud.aws.client("glue").get_tables(DatabaseName=DATABASE)["TableList"]
    ]
    assert sorted(names) == ["trail_files", "trail_lake"]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"Name": TABLE}, "is no Iceberg table: remove it"),
        ({"Name": TABLE, "Parameters": {"table_type": "HIVE"}}, "is no Iceberg table: remove it"),
    ],
)
def test_tables_of_others_are_not_touched(cloud: Cloud, table: dict[str, object], reason: str) -> None:
    cloud.aws.client("glue").create_table(DatabaseName=DATABASE, TableInput=table)
    cloud.aws.bucket(LOGS).put(key(), pack({"Records": [event("a")]}))
    with pytest.raises(CatalogError, match=reason):
        cloud.ingest()
    assert cloud.aws.glue.counts["UpdateTable"] == 0


@pytest.mark.slow
def test_a_lake_elsewhere_is_not_taken_for_this_one(filled: Cloud) -> None:
    filled.uri = f"s3://{LAKE}/other"
    with pytest.raises(CatalogError, match=r"lies at s3://my-lake/cloudtrail/cloudtrail_lake .* set `lake`"):
        filled.ingest()


@pytest.mark.slow
def test_lost_metadata_is_told(filled: Cloud) -> None:
    bucket = filled.aws.buckets.all[LAKE]
    for name in [name for name in bucket.objects if name.endswith(".metadata.json")]:
        bucket.remove(name)
    with pytest.raises(LakeError, match=r"the lake s3://my-lake/cloudtrail is damaged \(table"):
        filled.ingest()


@pytest.mark.slow
def test_what_another_program_does_meanwhile_is_not_written_over(filled: Cloud) -> None:
    """Its commit stays; this run's is refused, and the next run's is not."""
    filled.aws.bucket(LOGS).put(key(number=1), pack({"Records": [event("c")]}))
    lake = filled.lake()
    lake.tables.files()
    with filled.table(LEDGER).transaction() as other:
        other.set_properties({"somebody": "else"})
    with pytest.raises(LakeError, match=f"the table {LEDGER} of the lake was changed by somebody else"):
        lake.tables.seal(NOW.date())
    assert filled.table(LEDGER).properties["somebody"] == "else"
    assert filled.ingest().files == 1
    filled.check()


def test_files_are_read_through_the_gate(cloud: Cloud) -> None:
    from trailhouse.lake.gate_io import GateIO  # noqa: PLC0415 - heavy

    reader = GateIO(S3Files(cloud.gate, URI))
    place = f"{URI}/a"
    assert not reader.new_input(place).exists()
    with pytest.raises(FileNotFoundError):
        reader.new_input(place).open()
    output = reader.new_output(place)
    assert not output.exists()
    with output.create() as stream:
        stream.write(b"content")
        stream.close()
    assert (len(output), len(reader.new_output(place)), len(reader.new_input(place))) == (7, 7, 7)
    assert output.exists()
    assert reader.new_input(place).open().read() == b"content"
    reader.delete(place)
    reader.delete(output)
    assert cloud.objects() == []


@pytest.mark.slow
def test_only_files_with_events_of_these_days_are_compared(cloud: Cloud) -> None:
    """By the bounds that the manifests have of event times, whatever day they were delivered on."""
    for number, day in enumerate(("2024-05-01", "2024-05-02", "2024-05-03")):
        records = [event(f"{number}", day), *([event("odd", eventTime=None)] if number == 2 else [])]
        cloud.aws.bucket(LOGS).put(key(day, number), pack({"Records": records}))
    cloud.aws.bucket(LOGS).put(key("2024-05-09", 9), pack({"Records": [event("late", "2024-05-01")]}))
    cloud.ingest()
    tables = cloud.lake().tables

    def days(*events: str | None) -> list[str]:
        found = tables.files_of_days(TABLE, frozenset(events))
        return [path.partition("/day=")[2][:2] for path in found]

    assert days("2024-05-01") == ["01", "09"]
    assert days("2024-05-02", "2024-05-03") == ["02", "03"]
    assert days(None) == ["03"]
    assert days("2024-05-07") == days() == []
    beyond = [
        f"{1000 + n}-01-01" for n in range(400)
    ]  # more ranges than are told apart: the last takes in the rest
    assert days(*beyond, "2024-05-02") == ["01", "02", "09"]


@pytest.mark.slow
def test_a_commit_is_known_when_others_stand_on_it(filled: Cloud) -> None:
    catalog = filled.lake()._catalog._catalog
    first = filled.table(LEDGER).metadata_location
    assert catalog._landed(DATABASE, LEDGER, first)
    with filled.table(LEDGER).transaction() as other:
        other.set_properties({"somebody": "else"})
    assert catalog._landed(DATABASE, LEDGER, first)
    assert not catalog._landed(DATABASE, LEDGER, first.replace("00", "99"))
    assert not catalog._landed(DATABASE, "never_there", first)


def test_a_watermark_that_is_none_is_told(cloud: Cloud) -> None:
    tables = cloud.lake().tables
    tables.note(LEDGER, {WATERMARK: "soon"})
    with pytest.raises(LakeError, match=r"is damaged .trailhouse\.watermark of the ledger is 'soon'"):
        tables.watermark()
