"""Glue's tables as a question sees them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from engine import catalogs
from engine.catalogs import BUCKET, DATABASE
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.engine.definitions import Definition, Definitions

if TYPE_CHECKING:
    from engine.catalogs import Elsewhere

pytestmark = pytest.mark.emulator


def find(name: str) -> Definition:
    found = Definitions(Gate(Access()), DATABASE).find(DATABASE, name)
    assert found is not None
    return found


@pytest.mark.usefixtures("elsewhere")
def test_a_table_has_its_keys_last() -> None:
    table = find("cloudtrail_111122223333")
    assert [name for name, _ in table.columns] == [*catalogs.COLUMNS, *catalogs.KEYS]
    assert table.text_keys == catalogs.KEYS
    assert (table.is_view, table.is_iceberg, table.columnar) == (False, False, False)


@pytest.mark.usefixtures("elsewhere")
def test_a_view_has_its_statement() -> None:
    view = find("cloudtrail")
    assert view.view.startswith("SELECT eventtime")
    assert (view.view_database, view.is_view) == (DATABASE, True)


@pytest.mark.parametrize("text", ["not ours", "/* Presto View: AAAA */", base64.b64encode(b"[]").decode()])
def test_a_view_that_cannot_be_read_is_a_view_all_the_same(elsewhere: Elsewhere, text: str) -> None:
    told: dict[str, Any] = {
        "Name": "odd", "TableType": "VIRTUAL_VIEW", "PartitionKeys": [], "ViewOriginalText": text,
        "StorageDescriptor": {"Columns": [{"Name": "x", "Type": "string"}]},
    }  # fmt: skip
    elsewhere.aws.client("glue").create_table(DatabaseName=DATABASE, TableInput=told)
    view = find("odd")
    assert (view.view, view.is_view) == ("", True)


def test_what_is_looked_up_once_is_known(elsewhere: Elsewhere) -> None:
    definitions = Definitions(Gate(Access()), DATABASE)
    assert definitions.every(DATABASE) == ["cloudtrail", "cloudtrail_111122223333", "cloudtrail_444455556666"]
    assert definitions.names.lookup(DATABASE, "cloudtrail") is not None
    assert definitions.find(DATABASE, "nothing") is definitions.find(DATABASE, "nothing") is None
    assert elsewhere.counts()["GetTable"] == 1


def test_numbers_and_columns_are_told_apart(elsewhere: Elsewhere) -> None:
    glue = elsewhere.aws.client("glue")
    storage = catalogs.storage(f"s3://{BUCKET}/p/")
    storage["InputFormat"] = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    keys = [{"Name": "year", "Type": "int"}, {"Name": "region", "Type": "varchar(20)"}]
    told = {"Name": "p", "TableType": "EXTERNAL_TABLE", "PartitionKeys": keys, "StorageDescriptor": storage}
    glue.create_table(DatabaseName=DATABASE, TableInput=told)
    table = find("p")
    assert (table.text_keys, table.columnar) == (("region",), True)
