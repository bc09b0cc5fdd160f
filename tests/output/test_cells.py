import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from trailhouse.output.cells import json_text, plain_text, unique_names

MOMENT = datetime(2023, 7, 10, 11, 22, 33, 456_000)  # noqa: DTZ001 - Athena's plain timestamps have no zone


@pytest.mark.parametrize(
    ("column", "plain", "as_json"),
    [
        (pa.array([1], pa.uint64()), "1", "1"),
        (pa.array([True]), "true", "true"),
        (pa.array([1.0]), "1.0", "1.0"),
        (pa.array([1e20]), "1e+20", "1e+20"),
        (pa.array([0.5], pa.float32()), "0.5", "0.5"),
        (pa.array([float("nan")]), "NaN", "null"),
        (pa.array([float("-inf")]), "-Infinity", "null"),
        (pa.array([Decimal("0.000000000001")]), "0.000000000001", "0.000000000001"),
        (pa.array([10**37], pa.decimal128(38, 0)), "1" + "0" * 37, "1" + "0" * 37),
        (pa.array([MOMENT], pa.timestamp("us")), "2023-07-10 11:22:33.456", '"2023-07-10 11:22:33.456"'),
        (pa.array([MOMENT], pa.timestamp("ms")), "2023-07-10 11:22:33.456", '"2023-07-10 11:22:33.456"'),
        (pa.array([1_000_000_001], pa.timestamp("ns")), "1970-01-01 00:00:01.000000001", None),
        (pa.array([1_000_001], pa.timestamp("us")), "1970-01-01 00:00:01.000001", None),
        (pa.array([0], pa.timestamp("s")), "1970-01-01 00:00:00.000", None),
        (
            pa.array([MOMENT.replace(tzinfo=UTC)], pa.timestamp("us", "Europe/Berlin")),
            "2023-07-10 11:22:33.456 UTC",
            '"2023-07-10T11:22:33.456Z"',
        ),
        (pa.array([date(2023, 7, 10)]), "2023-07-10", '"2023-07-10"'),
        (pa.array([time(1, 2, 3)]), "01:02:03.000", '"01:02:03.000"'),
        (pa.array([pa.MonthDayNano([14, 0, 0])]), "1-2", '"1-2"'),
        (pa.array([pa.MonthDayNano([0, -1, -1_000_000])]), "-1 00:00:00.001", None),
        (pa.array([timedelta(hours=30)]), "1 06:00:00.000", None),
        (pa.array([b"\x00\xff"]), "00ff", '"00ff"'),
        (pa.array(["a"]).dictionary_encode(), "a", '"a"'),
        (pa.array(["a"], pa.string_view()), "a", '"a"'),
        (pa.array([b"a"], pa.binary_view()), "61", '"61"'),
        (pa.RunEndEncodedArray.from_arrays([1], ["a"]), "a", '"a"'),
        (pa.array(["{}"], pa.json_()), "{}", '"{}"'),
        (pa.array([[1, None]], pa.list_(pa.int8(), 2)), "[1,null]", "[1,null]"),
        (pa.array([[1], []], pa.large_list(pa.int8())).slice(1), "[]", "[]"),
        (pa.array([{}], pa.struct([])), "{}", "{}"),
        (pa.array([[(1, "x")]], pa.map_(pa.int8(), pa.string())), '{"1":"x"}', '{"1":"x"}'),
        (pa.array([[{"a": [["b"]]}, None]]), '[{"a":[["b"]]},null]', '[{"a":[["b"]]},null]'),
        (pa.nulls(1), None, "null"),
        (pa.array([None], pa.struct([("a", pa.int8())])), None, "null"),
        (pa.array([None], pa.map_(pa.string(), pa.string())), None, "null"),
    ],
)
def test_values(column: pa.Array, plain: str | None, as_json: str | None) -> None:
    assert plain_text(column).to_pylist() == [plain]
    assert json_text(column).to_pylist() == [json.dumps(plain) if as_json is None else as_json]


def test_slices_see_their_own_rows_only() -> None:
    column = pa.array([[("a", 1)], None, [("b", 2), ("c", None)]], pa.map_(pa.string(), pa.int8()))
    assert json_text(column.slice(1)).to_pylist() == ["null", '{"b":2,"c":null}']


def test_text_that_is_no_utf8_is_shown() -> None:
    buffers = [None, pa.py_buffer(b"\0\0\0\0\3\0\0\0"), pa.py_buffer(b"a\xed\xff")]
    column = pa.Array.from_buffers(pa.string(), 1, buffers)
    assert plain_text(column).to_pylist() == [r"a\xed\xff"]
    nested = pa.StructArray.from_arrays([column], ["a"])
    assert json_text(nested).to_pylist() == ['{"a":"a\\\\xed\\\\xff"}']


def test_unique_names() -> None:
    assert unique_names(["a", "a", "a_2", "b", "a"]) == ["a", "a_3", "a_2", "b", "a_4"]
