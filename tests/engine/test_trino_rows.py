"""Trino's types and values become Arrow's."""

from datetime import date, datetime
from decimal import Decimal
from math import isnan
from typing import Any

import pyarrow as pa
import pytest

from trailhouse.engine.trino_rows import batch_of, reading
from trailhouse.errors import EngineError

MOMENT = datetime(2023, 7, 10, 11)  # noqa: DTZ001 - Trino's timestamps have no zone


@pytest.mark.parametrize(
    ("kind", "arrow", "value", "read"),
    [
        ("varchar(10)", pa.string(), "a", "a"),
        ("boolean", pa.bool_(), True, True),
        ("bigint", pa.int64(), 7, 7),
        ("decimal(10,2)", pa.decimal128(10, 2), "1.10", Decimal("1.10")),
        ("date", pa.date32(), "2023-07-10", date(2023, 7, 10)),
        ("timestamp(3)", pa.timestamp("ms"), "2023-07-10 11:00:00.123", MOMENT.replace(microsecond=123_000)),
        ("timestamp(6)", pa.timestamp("us"), "2023-07-10 11:00:00.000001", MOMENT.replace(microsecond=1)),
        ("timestamp(9)", pa.string(), "2023-07-10 11:00:00.000000001", "2023-07-10 11:00:00.000000001"),
        ("timestamp(3) with time zone", pa.string(), "2023-07-10 11:00:00.000 UTC", "2023-07-10 11:00:00.000 UTC"),
        ("interval day to second", pa.string(), "1 00:00:00.000", "1 00:00:00.000"),
        ("array(bigint)", pa.list_(pa.int64()), [1, None], [1, None]),
        ("map(varchar, array(bigint))", pa.map_(pa.string(), pa.list_(pa.int64())), {"k": [1]}, [("k", [1])]),
        ('row(arn varchar, "a ""b" bigint)', pa.struct([("arn", pa.string()), ('a "b', pa.int64())]),
         ["x", None], {"arn": "x", 'a "b': None}),
        ("row(bigint, row(x decimal(3,1)))",
         pa.struct([("field0", pa.int64()), ("field1", pa.struct([("x", pa.decimal128(3, 1))]))]),
         [1, ["1.5"]], {"field0": 1, "field1": {"x": Decimal("1.5")}}),
    ],
)  # fmt: skip
def test_values(kind: str, arrow: pa.DataType, value: Any, read: Any) -> None:  # noqa: ANN401 - any value
    one = reading(kind)
    assert one.type == arrow
    assert batch_of([[value], [None]], ["x"], [one]).column(0).to_pylist() == [read, None]


def test_not_a_number_is_one() -> None:
    (found,) = batch_of([["NaN"]], ["x"], [reading("double")]).column(0).to_pylist()
    assert isnan(found)


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(EngineError, match="column x: Trino sends something else than int64"):
        batch_of([["y"]], ["x"], [reading("bigint")])
