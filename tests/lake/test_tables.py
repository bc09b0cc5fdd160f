import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from lake.lakes import ACCOUNTS, DAYS, LAKES, Lake, event, fill, key, store
from trailhouse.core.layout import Kind
from trailhouse.core.schema import FILES_COLUMNS, lake_columns
from trailhouse.errors import LakeError
from trailhouse.lake.columns import arrow_schema
from trailhouse.lake.tables import BATCH, LEDGER, SqliteCatalog, TableFiles, Tables, table_name, tables


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake of some batches that tests leave as it is."""
    folder = tmp_path_factory.mktemp("tables")
    (folder / "bucket").mkdir()
    fill(folder / "bucket")
    lake = Lake(folder / "bucket", folder / "work" / "lake")
    lake.ingest(batch_json=12_000)
    return lake


@pytest.fixture
def own(bucket: Path, lake: Lake) -> Lake:
    """A lake of one file, to be damaged."""
    store(bucket, key(), event("a"))
    lake.ingest()
    return lake


def opened(lake: Lake, name: str) -> Table:
    """As any other program would open it."""
    catalog = SqlCatalog(
        "trailhouse", uri=f"sqlite:///{lake.workspace.catalog}", warehouse=os.fspath(lake.root)
    )
    try:
        return catalog.load_table(f"default.{name}")
    finally:
        catalog.close()


def test_names() -> None:
    assert table_name(Kind.CLOUDTRAIL) == "cloudtrail_lake"
    assert table_name(Kind.INSIGHT) == "cloudtrail_insight_lake"
    assert set(tables()) == {*LAKES, LEDGER}


def test_iceberg_reads_what_is_there(filled: Lake) -> None:
    rows = opened(filled, "cloudtrail_lake").scan().to_arrow()
    assert rows.num_rows == filled.one("SELECT count(*) FROM t")
    found = sorted(
        zip(
            rows["logfile"].to_pylist(),
            rows["logrecord"].to_pylist(),
            rows["eventid"].to_pylist(),
            strict=True,
        )
    )
    assert found == filled.ask("SELECT logfile, logrecord, eventid FROM t ORDER BY ALL")
    users = rows["useridentity"].to_pylist()
    assert {user["accountid"] for user in users} == {ACCOUNTS[0]}
    ledger = opened(filled, LEDGER).scan().to_arrow()
    assert sorted(ledger["logfile"].to_pylist()) == sorted(filled.ledger())


def test_iceberg_prunes_by_day_and_by_column(filled: Lake) -> None:
    scan = opened(filled, "cloudtrail_lake").scan("day = '02' AND month = '05'")
    days = {task.file.partition[2] for task in scan.plan_files()}
    assert days == {"02"}
    assert scan.to_arrow().num_rows == filled.one("SELECT count(*) FROM t WHERE day = '02'")
    account = opened(filled, "cloudtrail_lake").scan(
        f"account = '{ACCOUNTS[1]}'", selected_fields=("eventid",)
    )
    assert account.to_arrow().num_rows == filled.one(
        f"SELECT count(*) FROM t WHERE account = '{ACCOUNTS[1]}'"
    )


def test_schema_partitions_and_order(filled: Lake) -> None:
    table = opened(filled, "cloudtrail_lake")
    assert _shape(table.schema().as_arrow()) == _shape(arrow_schema(lake_columns(Kind.CLOUDTRAIL)))
    names = {f.field_id: f.name for f in table.schema().fields}
    assert [names[f.source_id] for f in table.spec().fields] == ["year", "month", "day"]
    assert {str(f.transform) for f in table.spec().fields} == {"identity"}
    assert [names[f.source_id] for f in table.sort_order().fields] == ["account", "region", "eventtime"]
    assert table.properties["commit.retry.num-retries"] == "0"
    ledger = opened(filled, LEDGER)
    assert ledger.spec().is_unpartitioned()
    assert _shape(ledger.schema().as_arrow()) == _shape(arrow_schema(FILES_COLUMNS))


def _shape(kind: Any) -> Any:  # noqa: ANN401 - schemas and types of any depth
    """Names and types, whatever the width of their offsets."""
    if isinstance(kind, pa.Schema) or pa.types.is_struct(kind):
        return [(field.name, _shape(field.type)) for field in kind]
    if pa.types.is_map(kind):
        return "map", _shape(kind.key_type), _shape(kind.item_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return "list", _shape(kind.value_type)
    return str(kind).removeprefix("large_")


def test_data_files_carry_the_tables_field_ids(filled: Lake) -> None:
    for name in ("cloudtrail_lake", LEDGER):
        with closing(Tables(filled.workspace)) as tables_:
            expected = _ids(tables_.write_schema(name))
        assert len(set(expected.values())) == len(expected) > 10
        schema = opened(filled, name).schema()
        assert {path: schema.find_field(path).field_id for path in expected} == expected
        for path in filled.files(name):
            assert _ids(pq.read_schema(path)) == expected


def _ids(schema: pa.Schema) -> dict[str, int]:
    found: dict[str, int] = {}

    def add(field: pa.Field, path: str) -> None:
        found[path] = int(field.metadata[b"PARQUET:field_id"])
        if pa.types.is_struct(field.type):
            for inner in field.type:
                add(inner, f"{path}.{inner.name}")
        elif pa.types.is_list(field.type):
            add(field.type.value_field, f"{path}.element")
        elif pa.types.is_map(field.type):
            add(field.type.key_field, f"{path}.key")
            add(field.type.item_field, f"{path}.value")

    for field in schema:
        add(field, field.name)
    return found


def test_rows_are_sorted_and_of_one_day_in_every_file(filled: Lake) -> None:
    for path in filled.files("cloudtrail_lake"):
        rows = pq.read_table(
            path, columns=["account", "region", "eventtime", "year", "month", "day"]
        ).to_pylist()
        order = [(row["account"], row["region"], row["eventtime"]) for row in rows]
        assert order == sorted(order)
        (day,) = {(row["year"], row["month"], row["day"]) for row in rows}
        assert f"/year={day[0]}/month={day[1]}/day={day[2]}/" in path


def test_days_that_nobody_tells(bucket: Path, lake: Lake) -> None:
    store(bucket, "a.json.gz", event("a", eventTime=None))
    lake.ingest()
    rows = opened(lake, "cloudtrail_lake").scan("day IS NULL").to_arrow()
    assert rows["eventid"].to_pylist() == ["a"]


def test_every_commit_names_its_batch(filled: Lake) -> None:
    batches = {row[0] for row in filled.ask("SELECT DISTINCT batch FROM t", table=LEDGER)}
    tables_ = Tables(filled.workspace)
    assert tables_.batches(LEDGER) == batches == tables_.batches("cloudtrail_lake")
    tables_.close()
    snapshots = opened(filled, LEDGER).snapshots()
    assert {s.summary[BATCH] for s in snapshots if s.summary} == batches


def test_the_list_of_files_follows_commits(bucket: Path, own: Lake) -> None:
    tables_ = Tables(own.workspace)
    before = tables_.files()["cloudtrail_lake"]
    assert tables_.files()["cloudtrail_lake"] == before
    store(bucket, key(DAYS[0], 77), event("late"))
    own.ingest()
    after = tables_.files()["cloudtrail_lake"]
    assert set(before.paths) < set(after.paths)
    assert after.rows == before.rows + 1 == own.one("SELECT count(*) FROM t")
    tables_.close()


def test_reading_needs_no_iceberg_library(filled: Lake) -> None:
    filled.files(LEDGER)  # from now on kept
    tables_ = Tables(filled.workspace)
    tables_.files()
    assert isinstance(tables_.catalog, SqliteCatalog)
    assert not tables_.catalog.opened


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "3",
        '{"cloudtrail_lake": 1}',
        '{"cloudtrail_lake": [null, 3, "x"]}',
        '{"a": []}',
    ],
)
def test_a_damaged_list_of_files_is_made_anew(filled: Lake, text: str) -> None:
    before = filled.files("cloudtrail_lake")
    (filled.root / "files.json").write_text(text)
    assert filled.files("cloudtrail_lake") == before
    assert set(json.loads((filled.root / "files.json").read_text())) <= set(tables())


def test_without_a_catalog_there_is_nothing(lake: Lake) -> None:
    lake.workspace.prepare(["x"])
    assert set(Tables(lake.workspace).files().values()) == {TableFiles((), 0)}
    sqlite3.connect(lake.workspace.catalog).close()
    lake.workspace.catalog.touch()
    assert set(Tables(lake.workspace).files().values()) == {TableFiles((), 0)}


def _garble(lake: Lake) -> None:
    lake.workspace.catalog.write_bytes(b"this is no database" * 1000)


def _lose_metadata(lake: Lake) -> None:
    for path in (lake.workspace.warehouse).rglob("*.metadata.json"):
        path.unlink()
    (lake.root / "files.json").unlink(missing_ok=True)


def _garble_metadata(lake: Lake) -> None:
    for path in (lake.workspace.warehouse).rglob("*.metadata.json"):
        path.write_text("{}")
    (lake.root / "files.json").unlink(missing_ok=True)


def _lose_manifests(lake: Lake) -> None:
    for path in (lake.workspace.warehouse).rglob("*.avro"):
        path.unlink()
    (lake.root / "files.json").unlink(missing_ok=True)


@pytest.mark.parametrize("damage", [_garble, _lose_metadata, _garble_metadata, _lose_manifests])
def test_damage_is_told_with_the_way_out(own: Lake, damage: Any) -> None:  # noqa: ANN401 - a function
    damage(own)
    with pytest.raises(LakeError, match=r"is damaged .*`trailhouse clean`"):
        own.ingest()


def test_a_folder_that_was_moved_is_told(own: Lake, tmp_path: Path) -> None:
    """And nothing in it is removed."""
    own.root.rename(tmp_path / "elsewhere")
    moved = Lake(own.source, tmp_path / "elsewhere")
    before = sorted(moved.root.rglob("*.parquet"))
    with pytest.raises(LakeError, match=r"the folder was moved.*`trailhouse clean`"):
        moved.ingest()
    assert sorted(moved.root.rglob("*.parquet")) == before != []


def test_a_lost_data_file_is_told(own: Lake) -> None:
    for path in own.files(LEDGER):
        Path(path).unlink()
    with pytest.raises(LakeError, match=r"is damaged .*`trailhouse clean`"):
        own.ingest()
