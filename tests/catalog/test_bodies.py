from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.catalog import bodies
from trailhouse.catalog.encoding import encoded_partition
from trailhouse.core.state import Format, Partition

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)
FORMATS = st.builds(
    Format, TEXT, TEXT, TEXT, st.dictionaries(TEXT, TEXT).map(lambda d: tuple(sorted(d.items())))
)
PARTITIONS = st.builds(Partition, st.lists(TEXT, max_size=4).map(tuple), TEXT, PAIRS, FORMATS)
ONE = Partition(("1",), "s3://b/1/", (("a", "string"),), Format("i", "o", "s"))


def sent(parameters: dict[str, Any]) -> dict[str, Any]:
    """The request's body after botocore and the hooks."""
    context: dict[str, Any] = {}
    bodies._take(parameters, context)
    request = {"body": json.dumps(parameters).encode()}
    bodies._put(request, context)
    body: dict[str, Any] = json.loads(request["body"])
    return body


@given(st.lists(PARTITIONS, min_size=1, max_size=3), TEXT)
def test_partitions_are_sent_as_they_would_be_one_by_one(listed: list[Partition], name: str) -> None:
    expected = {"TableName": name, "PartitionInputList": [encoded_partition(one) for one in listed]}
    assert sent({"TableName": name, "PartitionInputList": listed}) == expected


@pytest.mark.parametrize("listed", [[], [{"Values": ["1"]}], None])
def test_lists_of_anything_else_stay_as_they_are(listed: object) -> None:
    assert sent({"TableName": "t", "PartitionInputList": listed}) == {
        "TableName": "t",
        "PartitionInputList": listed,
    }


def test_a_request_that_is_written_in_another_way_is_not_sent() -> None:
    with pytest.raises(RuntimeError, match="botocore"):
        bodies._put({"body": b"{}"}, {bodies._WRITTEN: bodies.written([ONE])})
