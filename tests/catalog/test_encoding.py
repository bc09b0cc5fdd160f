from __future__ import annotations

import base64
import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.catalog.encoding import encoded, encoded_partition, found, partition
from trailhouse.core.layout import Kind
from trailhouse.core.plan import diff_definition
from trailhouse.core.state import (
    CLOUDTRAIL_FORMAT,
    Format,
    Partition,
    Shape,
    Table,
    View,
    ViewColumn,
    hive_columns,
    mark,
)

MODEL = botocore.session.get_session().get_service_model("glue")
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
SOME = TEXT.filter(bool)  # Glue takes no empty ones here
NAMES = st.text("abcdefghijklmnopqrstuvwxyz_0123456789", min_size=1, max_size=12)
COLUMNS = st.lists(
    st.tuples(NAMES, st.sampled_from(["string", "struct<a:string>"])), unique_by=lambda c: c[0]
)
PARAMETERS = st.dictionaries(NAMES, TEXT, max_size=4).map(lambda made: tuple(sorted(made.items())))
FORMATS = st.builds(Format, TEXT, TEXT, SOME, PARAMETERS)
TABLES = st.builds(
    Table, NAMES, st.lists(NAMES, unique=True).map(tuple), TEXT, COLUMNS.map(tuple), FORMATS, PARAMETERS
)
VIEW_COLUMNS = st.lists(
    st.builds(ViewColumn, NAMES, st.just("string"), st.just("varchar")),
    unique_by=lambda c: c.name,
    max_size=5,
)
VIEWS = st.builds(View, NAMES, TEXT, VIEW_COLUMNS.map(tuple), PARAMETERS)
PARTITIONS = st.builds(Partition, st.lists(SOME, max_size=4).map(tuple), TEXT, COLUMNS.map(tuple), FORMATS)
ADDED = {"presto_view": "true", "comment": "Presto View"}


def view_text(body: object) -> str:
    return f"/* Presto View: {base64.b64encode(json.dumps(body).encode()).decode()} */"


def body_of(made: dict[str, Any]) -> dict[str, Any]:
    text = made["ViewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
    body: dict[str, Any] = json.loads(base64.b64decode(text))
    return body


def valid(made: dict[str, Any], shape: str) -> bool:
    return not ParamValidator().validate(made, MODEL.shape_for(shape)).has_errors()


@given(TABLES)
def test_a_table_comes_back_as_it_was(table: Table) -> None:
    made = encoded(table, "security")
    assert valid(made, "TableInput")
    assert found(made).definition == table


@given(VIEWS)
def test_a_view_comes_back_as_it_was(view: View) -> None:
    made = encoded(view, "security")
    back = found(made).definition
    assert valid(made, "TableInput")
    assert isinstance(back, View)
    assert (back.name, back.sql, back.columns) == (view.name, view.sql, view.columns)
    assert dict(back.parameters) == {**ADDED, **dict(view.parameters)}


@given(PARTITIONS)
def test_a_partition_comes_back_as_it_was(one: Partition) -> None:
    made = encoded_partition(one)
    assert valid(made, "PartitionInput")
    assert partition(made) == one


@given(st.one_of(TABLES, VIEWS), st.one_of(TABLES, VIEWS))
def test_what_was_written_over_something_else_differs_from_what_is_wanted_in_nothing(
    wanted: Table | View, before: Table | View
) -> None:
    marked = tuple(sorted({**dict(wanted.parameters), **mark(None, Shape.SINGLE)}.items()))
    wanted = type(wanted)(**{n: getattr(wanted, n) for n in wanted.__slots__} | {"parameters": marked})
    raw = encoded(before, "security")
    assert diff_definition(wanted, found(encoded(wanted, "security", raw))) == []


def test_a_view_is_in_athenas_encoding() -> None:
    made = encoded(View("v", "SELECT 1 AS a", (ViewColumn("a", "int", "integer"),)), "security")
    assert made["TableType"] == "VIRTUAL_VIEW"
    assert made["PartitionKeys"] == []
    assert made["ViewExpandedText"] == "/* Presto View */"
    assert made["Owner"]
    assert made["Parameters"] == ADDED
    assert made["StorageDescriptor"]["Columns"] == [{"Name": "a", "Type": "int"}]
    assert body_of(made) == {
        "originalSql": "SELECT 1 AS a",
        "catalog": "awsdatacatalog",
        "schema": "security",
        "columns": [{"name": "a", "type": "integer"}],
    }


def test_what_we_do_not_know_of_a_view_stays_when_it_is_written_again() -> None:
    body = {
        "originalSql": "SELECT 2",
        "isProtected": False,
        "isMultiDialect": {"trino": True},
        "owner": "arn:aws:iam::111122223333:user/a",
        "columns": [{"name": "a", "type": "bigint", "note": "kept"}, {"name": "gone", "type": "varchar"}],
    }
    raw = {
        "Name": "v",
        "Owner": "111122223333",
        "Description": "ours",
        "Retention": 3,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "theirs": "1", "trailhouse.kind": "Old"},
        "ViewOriginalText": view_text(body),
        "StorageDescriptor": {
            "Columns": [{"Name": "a", "Type": "bigint", "Comment": "c"}],
            "Compressed": True,
        },
    }
    made = encoded(View("v", "SELECT 1 AS a", (ViewColumn("a", "int", "integer"),)), "security", raw)
    assert (made["Owner"], made["Description"], made["Retention"]) == ("111122223333", "ours", 3)
    assert made["Parameters"] == {"presto_view": "true", "comment": "Presto View", "theirs": "1"}
    assert made["StorageDescriptor"]["Columns"] == [{"Name": "a", "Type": "int", "Comment": "c"}]
    assert made["StorageDescriptor"]["Compressed"] is True
    assert body_of(made) == {
        **body,
        "originalSql": "SELECT 1 AS a",
        "catalog": "awsdatacatalog",
        "schema": "security",
        "columns": [{"name": "a", "type": "integer", "note": "kept"}],
    }


def test_what_we_do_not_know_of_a_table_stays_when_it_is_written_again() -> None:
    table = Table("t", ("year",), "s3://b/new/", (("a", "string"),), CLOUDTRAIL_FORMAT, (("mine", "2"),))
    raw = {
        "Name": "t",
        "Description": "kept",
        "TargetTable": {"CatalogId": "111122223333"},
        "Parameters": {"theirs": "1", "mine": "1"},
        "PartitionKeys": [{"Name": "year", "Type": "string", "Comment": "of delivery"}],
        "StorageDescriptor": {
            "Location": "s3://b/old/",
            "Columns": [{"Name": "a", "Type": "int", "Comment": "note", "Parameters": {"x": "y"}}],
            "SerdeInfo": {"Name": "named", "SerializationLibrary": "old", "Parameters": {"old": "1"}},
            "StoredAsSubDirectories": True,
        },
    }
    made = encoded(table, "security", raw)
    assert made["Description"] == "kept"
    assert made["TargetTable"] == {"CatalogId": "111122223333"}
    assert made["Parameters"] == {"theirs": "1", "mine": "2"}
    assert made["PartitionKeys"] == raw["PartitionKeys"]
    assert made["StorageDescriptor"]["Columns"] == [
        {"Name": "a", "Type": "string", "Comment": "note", "Parameters": {"x": "y"}}
    ]
    assert made["StorageDescriptor"]["SerdeInfo"] == {
        "Name": "named",
        "SerializationLibrary": CLOUDTRAIL_FORMAT.serde,
        "Parameters": {"serialization.format": "1"},
    }
    assert made["StorageDescriptor"]["StoredAsSubDirectories"] is True


def test_what_else_a_partition_has_stays_when_it_is_written_again() -> None:
    one = Partition(("2026",), "s3://b/x/", hive_columns(Kind.CLOUDTRAIL), CLOUDTRAIL_FORMAT)
    made = encoded_partition(
        one, {"Parameters": {"numFiles": "3"}, "StorageDescriptor": {"Compressed": True}}
    )
    assert made["Parameters"] == {"numFiles": "3"}
    assert made["StorageDescriptor"]["Compressed"] is True
    assert partition(made) == one


def test_columns_and_formats_of_partitions_are_one_object() -> None:
    one = Partition(("1",), "s3://b/1/", hive_columns(Kind.CLOUDTRAIL), CLOUDTRAIL_FORMAT)
    back = partition(json.loads(json.dumps(encoded_partition(one))))
    assert back.columns is hive_columns(Kind.CLOUDTRAIL)
    assert back.format is CLOUDTRAIL_FORMAT


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "/* Presto View: not base64! */",
        "/* Presto View: AAAA */",
        "/* Presto View: " + base64.b64encode(b"\xff\xfe").decode() + " */",
        view_text([1, 2]),
        view_text({"columns": 3}),
        view_text({"originalSql": None}),
        "/* Presto View: " + base64.b64encode(b"[" * 100_000).decode() + " */",
    ],
)
def test_views_of_others_are_read_as_far_as_they_can_be(text: str) -> None:
    raw = {
        "Name": "v",
        "TableType": "VIRTUAL_VIEW",
        "ViewOriginalText": text,
        "StorageDescriptor": {"Columns": [{"Name": "a", "Type": "int"}, {"Name": "b"}]},
    }
    view = found(raw).definition
    assert view == View("v", text, (ViewColumn("a", "int", ""), ViewColumn("b", "", "")))


def test_columns_that_do_not_pair_show() -> None:
    columns = [
        {"name": "a", "type": "integer"},
        {"name": "b", "type": "varchar"},
        {"name": 3, "type": []},
        "x",
    ]
    raw = {
        "Name": "v",
        "TableType": "VIRTUAL_VIEW",
        "ViewOriginalText": view_text({"originalSql": "SELECT 1", "columns": columns}),
        "StorageDescriptor": {
            "Columns": [
                {"Name": "a", "Type": "int"},
                {"Name": "z", "Type": "int"},
                {"Name": "y", "Type": "date"},
            ]
        },
    }
    view = found(raw).definition
    assert isinstance(view, View)
    assert view.columns == (
        ViewColumn("a", "int", "integer"),
        ViewColumn("b", "", "varchar"),
        ViewColumn("y", "date", ""),
    )


@pytest.mark.parametrize(
    "raw",
    [
        {"Name": "bare"},
        {"Name": "view", "TableType": "VIRTUAL_VIEW"},
        {"Name": "iceberg", "TableType": "EXTERNAL_TABLE", "Parameters": {"table_type": "ICEBERG"}},
        {"Name": "crawler", "StorageDescriptor": {"Columns": [{"Name": "a"}], "SerdeInfo": {}}},
        {"Name": "link", "TargetTable": {"CatalogId": "1", "DatabaseName": "d", "Name": "n"}},
    ],
)
def test_tables_of_others_are_read_and_are_not_ours(raw: dict[str, Any]) -> None:
    one = found(raw)
    assert one.definition.name == raw["Name"]
    assert one.version is None
    assert one.raw is raw


def any_of(shape: Any, depth: int = 4) -> st.SearchStrategy[Any]:  # noqa: ANN401 - botocore ships no types
    """Whatever the model allows for a shape."""
    if shape.type_name == "structure":
        members = {n: any_of(s, depth - 1) for n, s in shape.members.items()} if depth else {}
        return st.fixed_dictionaries({}, optional=members)
    if shape.type_name == "list":
        return st.lists(any_of(shape.member, depth - 1), max_size=2)
    if shape.type_name == "map":
        return st.dictionaries(TEXT, TEXT, max_size=2)
    return {"boolean": st.booleans(), "integer": st.integers(), "long": st.integers()}.get(
        shape.type_name, TEXT
    )


@given(any_of(MODEL.shape_for("Table")))
def test_whatever_glue_holds_is_read(raw: dict[str, Any]) -> None:
    assert found(raw).definition.name == raw.get("Name", "")


@given(any_of(MODEL.shape_for("Partition")))
def test_whatever_partition_glue_holds_is_read(raw: dict[str, Any]) -> None:
    assert partition(raw).values == tuple(raw.get("Values", ()))
