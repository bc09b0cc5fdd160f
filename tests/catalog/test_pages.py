from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.catalog import pages
from trailhouse.catalog.encoding import encoded_partition, partition
from trailhouse.core.layout import Kind
from trailhouse.core.state import CLOUDTRAIL_FORMAT, Partition, hive_columns

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
MAYBE = st.one_of(st.none(), TEXT)
DESCRIPTORS = st.fixed_dictionaries(
    {},
    optional={
        "Location": MAYBE,
        "Columns": st.lists(
            st.fixed_dictionaries({}, optional={"Name": TEXT, "Type": MAYBE, "Comment": TEXT})
        ),
        "InputFormat": MAYBE,
        "OutputFormat": MAYBE,
        "Compressed": st.booleans(),
        "SerdeInfo": st.fixed_dictionaries(
            {},
            optional={"SerializationLibrary": MAYBE, "Parameters": st.dictionaries(TEXT, TEXT), "Name": TEXT},
        ),
    },
)
PAGES = st.lists(
    st.fixed_dictionaries(
        {"Values": st.lists(TEXT)},
        optional={"StorageDescriptor": DESCRIPTORS, "CreationTime": st.floats(0, 1e10)},
    )
)


def body(page: object) -> bytes:
    return json.dumps(page, separators=(",", ":")).encode()


@given(PAGES)
def test_a_page_is_read_as_its_partitions_are_one_by_one(raw: list[dict[str, Any]]) -> None:
    read, token = pages.read(body({"Partitions": raw, "NextToken": "next"}))
    assert read == [partition(one) for one in raw]
    assert token == "next"  # noqa: S105 - of a page


LISTED = [{"Name": "a", "Type": "string"}]
SERDE = {"Parameters": {"a": "b"}}


@pytest.mark.parametrize(
    "described",
    [
        # Texts that look like what is cut out, and values that are equal to it elsewhere.
        [
            {"Location": '"Columns":[{"Name":"a"}]', "Columns": LISTED},
            {"Location": '"Columns":0', "Columns": LISTED},
        ],
        [{"SerdeInfo": {"a": "b"}}, {"SerdeInfo": SERDE}, {"SerdeInfo": {"a": "b"}}],
        [{"Columns": []}, {"Location": "s3://b/[]/{}/", "SerdeInfo": {}}, {"Columns": [{}]}],
        [{"Columns": LISTED, "SortColumns": LISTED, "Parameters": {"Columns": "[]"}}],
        [{"Columns": [{"Name": f"c{number}"}], "SerdeInfo": SERDE} for number in range(100)],
        [{"Columns": None, "SerdeInfo": None}, {"Columns": LISTED, "SerdeInfo": {"Parameters": None}}],
    ],
)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", " : ")])
def test_what_comes_again_is_cut_out_and_nothing_else(
    described: list[dict[str, Any]], separators: tuple[str, str]
) -> None:
    raw = [{"Values": [str(number)], "StorageDescriptor": one} for number, one in enumerate(described)]
    read, _ = pages.read(json.dumps({"Partitions": raw}, separators=separators).encode())
    assert read == [partition(one) for one in raw]


def test_partitions_of_ours_share_columns_and_format() -> None:
    one = Partition(("1",), "s3://b/1/", hive_columns(Kind.CLOUDTRAIL), CLOUDTRAIL_FORMAT)
    (read,), token = pages.read(body({"Partitions": [encoded_partition(one)]}))
    assert read == one
    assert read.columns is one.columns
    assert read.format is one.format
    assert token is None


@pytest.mark.parametrize("page", [b"", b"[]", b"{", b'{"Partitions":3}', b'{"Partitions":[{"Values":[1]}]}'])
def test_what_is_no_page_is_left_to_botocore(page: bytes) -> None:
    answer: dict[str, Any] = {"status_code": 200, "body": page}
    taken: dict[str, Any] = {}
    pages._take(answer, taken)
    assert (answer["body"], taken) == (page, {})


def test_errors_are_left_to_botocore() -> None:
    error = body({"__type": "EntityNotFoundException", "Message": "no"})
    answer: dict[str, Any] = {"status_code": 400, "body": error}
    taken: dict[str, Any] = {}
    pages._take(answer, taken)
    assert (answer["body"], taken) == (error, {})


def test_botocore_gets_the_token() -> None:
    answer: dict[str, Any] = {"status_code": 200, "body": body({"Partitions": [], "NextToken": "next"})}
    taken: dict[str, Any] = {}
    pages._take(answer, taken)
    assert json.loads(answer["body"]) == {"NextToken": "next"}
    assert taken == {"Partitions": []}
