"""Athena's text becomes values of its types."""

from datetime import date, datetime
from decimal import Decimal
from math import inf, isnan

import pyarrow as pa
import pytest

from trailhouse.engine.athena_rows import batch_of, schema_of
from trailhouse.errors import AwsError


def read(kind: str, *texts: str | None, **more: int) -> list[object]:
    columns = [{"Name": "x", "Type": kind, **more}]
    rows = [{"Data": [{} if text is None else {"VarCharValue": text}]} for text in texts]
    found: list[object] = batch_of(rows, columns, schema_of(columns)).column(0).to_pylist()
    return found


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("boolean", "true", True), ("tinyint", "-1", -1), ("integer", "7", 7),
        ("bigint", "9223372036854775807", 2**63 - 1), ("double", "1.0E10", 1e10), ("double", "Infinity", inf),
        ("float", "0.5", 0.5), ("date", "2023-07-10", date(2023, 7, 10)),
        ("timestamp", "2023-07-10 11:00:00.123", datetime(2023, 7, 10, 11, 0, 0, 123_000)),  # noqa: DTZ001 - a timestamp without a zone
        ("timestamp with time zone", "2023-07-10 11:00:00.000 UTC", "2023-07-10 11:00:00.000 UTC"),
        ("varchar", "", ""), ("varbinary", "00 ff", "00 ff"), ("json", '{"a":1}', '{"a":1}'),
        ("row", "{a=1}", "{a=1}"), ("array", "[1, 2]", "[1, 2]"), ("map", "{k=v}", "{k=v}"),
        ("something new", "1", "1"),
    ],
)  # fmt: skip
def test_values(kind: str, text: str, value: object) -> None:
    assert read(kind, text, None) == [value, None]


def test_decimals_keep_their_digits() -> None:
    assert read("decimal", "1.10", Precision=10, Scale=2) == [Decimal("1.10")]
    assert schema_of([{"Name": "x", "Type": "decimal", "Precision": 10, "Scale": 2}]).types == [
        pa.decimal128(10, 2)
    ]


def test_not_a_number_is_one() -> None:
    (found,) = read("double", "NaN")
    assert isinstance(found, float)
    assert isnan(found)


@pytest.mark.parametrize(
    ("kind", "text"), [("bigint", "x"), ("boolean", "yes"), ("decimal", "x"), ("tinyint", "999")]
)
def test_what_does_not_fit_is_said(kind: str, text: str) -> None:
    with pytest.raises(AwsError, match=rf"column x: Athena says {kind}, and sends something else"):
        read(kind, text)


def test_short_rows_end_in_null() -> None:
    columns = [{"Name": name, "Type": "string"} for name in "ab"]
    found = batch_of([{"Data": [{"VarCharValue": "1"}]}], columns, schema_of(columns))
    assert found.to_pylist() == [{"a": "1", "b": None}]
