"""What the real engine hands over, in every text format."""

import csv
import io
import json
from io import BytesIO

import duckdb
import pyarrow.parquet as pq
import pytest

from trailhouse.output import Format, write

VALUES = {
    "1::HUGEINT": "1",
    "sum(5::BIGINT)": "5",
    "170141183460469231731687303715884105727::HUGEINT": "170141183460469231731687303715884105727",
    "1.50::DECIMAL(10,2)": "1.50",
    "1e0::DOUBLE": "1.0",
    "'nan'::DOUBLE": "NaN",
    "TIMESTAMP '2023-07-10 11:22:33'": "2023-07-10 11:22:33.000",
    "TIMESTAMP '2023-07-10 11:22:33.000001'": "2023-07-10 11:22:33.000001",
    "TIMESTAMPTZ '2023-07-10 11:22:33+02'": "2023-07-10 09:22:33.000 UTC",
    "TIMESTAMP_S '2023-07-10 11:22:33'": "2023-07-10 11:22:33.000",
    "DATE '2023-07-10'": "2023-07-10",
    "TIME '11:22:33'": "11:22:33.000",
    "INTERVAL 36 HOUR": "1 12:00:00.000",
    "INTERVAL 14 MONTH": "1-2",
    "true": "true",
    "NULL": "",
    "''": "",
    "'x'::BLOB": "78",
    "'a'::ENUM('a', 'b')": "a",
    "[1, NULL]": "[1,null]",
    "[1, 2]::INT[2]": "[1,2]",
    "{'a': 'x\"', 'b': {'c': []}}": '{"a":"x\\"","b":{"c":[]}}',
    "MAP {'k': 1.5}": '{"k":1.5}',
    "uuid '00000000-0000-0000-0000-000000000001'": "00000000-0000-0000-0000-000000000001",
}


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@pytest.mark.parametrize(("expression", "expected"), VALUES.items())
def test_one_value(connection: duckdb.DuckDBPyConnection, expression: str, expected: str) -> None:
    stream = BytesIO()
    write(connection.sql(f"SELECT {expression} AS v").to_arrow_reader(), Format.CSV, stream)
    rows = list(csv.reader(io.StringIO(stream.getvalue().decode())))
    assert rows == [["v"], [expected]]


def test_all_at_once_with_nulls(connection: duckdb.DuckDBPyConnection) -> None:
    columns = ", ".join(f"{expression} AS c{index}" for index, expression in enumerate(VALUES))
    nulls = ", ".join("NULL" for _ in VALUES)
    relation = f"SELECT {columns} UNION ALL SELECT {nulls}"
    for form in (Format.TABLE, Format.LINE, Format.JSON, Format.PARQUET):
        stream = BytesIO()
        assert write(connection.sql(relation).to_arrow_reader(1), form, stream).rows == 2
        if form is Format.JSON:
            first, second = json.loads(stream.getvalue(), parse_float=str)
            assert set(second.values()) == {None}
            assert first["c2"] == 170141183460469231731687303715884105727
            assert first["c3"] == "1.50"
        if form is Format.PARQUET:
            assert pq.read_metadata(BytesIO(stream.getvalue())).num_rows == 2
