import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailhouse.errors import OutputError
from trailhouse.output import Format, format_of, write

Text = Callable[..., str]
HOSTILE = "curl\x1b]0;x\x07\x1b[2J\u202efdp.exe\u200b\x9b31m"


def lines(form: Format, table: pa.Table) -> str:
    stream = BytesIO()
    write(table.to_reader(max_chunksize=3), form, stream)
    return stream.getvalue().decode()


def test_csv_of_a_count_is_as_plain_as_can_be(text: Text) -> None:
    assert text(Format.CSV, {"n": [5767]}) == "n\n5767\n"


def test_csv_tells_null_from_empty(text: Text) -> None:
    assert text(Format.CSV, {"a": ["", None, "x"], "b": [1, None, 3]}) == 'a,b\n"",1\n,\nx,3\n'
    assert text(Format.CSV, {"a": [None, "x"]}) == 'a\n""\nx\n'


def test_csv_makes_formulas_harmless_in_text_only(text: Text) -> None:
    values = ["=cmd()", "+1", "-1", "@x", "\tx", "\rx", "\uff1dx", "a=b", '="a,b"']
    numbers = list(range(-4, 5))
    rows = list(csv.reader(io.StringIO(text(Format.CSV, {"=a": values, "n": numbers}), newline="")))
    assert rows[0] == ["'=a", "n"]
    assert [row[0] for row in rows[1:]] == [value if value == "a=b" else f"'{value}" for value in values]
    assert [row[1] for row in rows[1:]] == list(map(str, numbers))


def test_csv_for_a_terminal_is_harmless(text: Text) -> None:
    out = text(Format.CSV, {"agent": [HOSTILE]}, width=80)
    assert out.splitlines()[1].isprintable()
    assert HOSTILE in text(Format.CSV, {"agent": [HOSTILE]})


@pytest.mark.parametrize("form", [Format.JSON, Format.NDJSON])
def test_json_is_exact_and_yet_harmless_to_look_at(text: Text, form: Format) -> None:
    out = text(form, {"a\x1b": [HOSTILE, "=cmd()", "plain", None, 'q"\\\n', "한글 é 😀"]})
    assert all(line.isprintable() for line in out.splitlines())
    assert "한글 é 😀" in out
    records = json.loads(out) if form is Format.JSON else list(map(json.loads, out.splitlines()))
    assert [record["a\x1b"] for record in records] == [
        HOSTILE,
        "=cmd()",
        "plain",
        None,
        'q"\\\n',
        "한글 é 😀",
    ]


def test_json_keeps_digits_and_has_no_nan(text: Text) -> None:
    out = text(
        Format.NDJSON,
        {
            "i": pa.array([2**63 - 1]),
            "d": pa.array([Decimal("12345678901234567890123456789.000000001")]),
            "nan": pa.array([float("nan")]),
            "inf": pa.array([float("-inf")]),
            "f": pa.array([0.1]),
        },
    )
    assert out == (
        '{"i":9223372036854775807,"d":12345678901234567890123456789.000000001,"nan":null,"inf":null,"f":0.1}\n'
    )


def test_repeated_names_are_told_apart_where_names_are_keys(text: Text) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], names=["n", "n", "n_2"])
    assert json.loads(text(Format.NDJSON, table)) == {"n": 1, "n_3": 2, "n_2": 3}
    assert text(Format.CSV, table) == "n,n,n_2\n1,2,3\n"


@pytest.mark.parametrize(
    ("form", "expected"), [(Format.JSON, "[]\n"), (Format.NDJSON, ""), (Format.CSV, "n\n"), (Format.LINE, "")]
)
def test_no_rows(text: Text, form: Format, expected: str) -> None:
    assert text(form, {"n": pa.array([], pa.int64())}) == expected


def test_nested_values_are_json_text(text: Text) -> None:
    columns = {
        "s": pa.array([{"a": [1, None], "b": 'x"'}]),
        "m": pa.array([[("k", 1)]], pa.map_("string", "int8")),
    }
    rows = list(csv.reader(io.StringIO(text(Format.CSV, columns))))
    assert rows[1] == ['{"a":[1,null],"b":"x\\""}', '{"k":1}']
    assert json.loads(text(Format.NDJSON, columns)) == {"s": {"a": [1, None], "b": 'x"'}, "m": {"k": 1}}


def test_parquet_keeps_types_and_goes_in_groups() -> None:
    table = pa.table({"n": range(300_000), "s": pa.array([{"a": 1}] * 300_000)})
    stream = BytesIO()
    written = write(table.to_reader(max_chunksize=2_048), Format.PARQUET, stream)
    assert written.rows == 300_000
    again = pq.ParquetFile(BytesIO(stream.getvalue()))
    assert again.read().equals(table)
    assert again.num_row_groups == 3


def test_parquet_knows_no_intervals() -> None:
    table = pa.table({"i": pa.array([pa.MonthDayNano([0, 3, 0])]), "n": [1]}).rename_columns(["i", "i"])
    stream = BytesIO()
    write(table.to_reader(), Format.PARQUET, stream)
    assert pq.read_table(BytesIO(stream.getvalue())).to_pylist() == [{"i": "3 00:00:00.000", "i_2": 1}]


def test_parquet_says_what_it_cannot_hold() -> None:
    table = pa.table({"s": pa.array([[pa.MonthDayNano([0, 3, 0])]])})
    with pytest.raises(OutputError, match="parquet cannot hold this result"):
        write(table.to_reader(), Format.PARQUET, BytesIO())


def test_parquet_is_not_for_terminals() -> None:
    with pytest.raises(OutputError, match=r"--output FILE\.parquet"):
        write(pa.table({"n": [1]}).to_reader(), Format.PARQUET, BytesIO(), width=80)


def test_formats_by_suffix() -> None:
    names = ["a.csv", "b.JSON", "c.ndjson", "d.jsonl", "e.parquet", "f.txt", "g.csv.gz"]
    assert [format_of(Path(name)) for name in names] == [
        "csv",
        "json",
        "ndjson",
        "ndjson",
        "parquet",
        "table",
        "csv",
    ]
    for name in ("x.xlsx", "x", "x.gz"):
        with pytest.raises(OutputError, match=r"end it in \.csv, \.json"):
            format_of(Path(name))


def test_footer_is_for_people() -> None:
    reader = [pa.table({"n": range(count)}).to_reader() for count in (1, 1234, 2)]
    forms = [Format.TABLE, Format.LINE, Format.CSV]
    footers = [write(each, form, BytesIO()).footer for each, form in zip(reader, forms, strict=True)]
    assert footers == ["1 row", "1,234 rows", ""]


def test_a_broken_pipe_ends_quietly() -> None:
    code = (
        "import sys, pyarrow as pa\n"
        "from trailhouse.output import Format, write\n"
        "table = pa.table({'n': range(2_000_000)})\n"
        "done = write(table.to_reader(max_chunksize=10_000), Format.CSV, sys.stdout.buffer)\n"
        "assert not done.complete and 0 < done.rows < 2_000_000, done\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert os.read(child.stdout.fileno(), 2) == b"n\n"
        child.stdout.close()
        errors = child.stderr.read()
    assert (child.returncode, errors) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_behind_standard_output_says_so() -> None:
    table = pa.table({"n": range(100_000)})
    with (
        Path("/dev/full").open("wb") as full,
        pytest.raises(OutputError, match="No space left on device: choose another place"),
    ):
        write(table.to_reader(), Format.CSV, full)


TABLES = st.lists(
    st.tuples(
        st.none() | st.text(),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.lists(st.none() | st.text(), max_size=3),
        st.none() | st.booleans(),
        st.none() | st.fixed_dictionaries({"x": st.none() | st.text(), "y": st.none() | st.integers(0, 9)}),
    ),
    max_size=10,
)
SCHEMA = pa.schema(
    [
        ("t", pa.string()),
        ("i", pa.int64()),
        ("l", pa.list_(pa.string())),
        ("b", pa.bool_()),
        ("s", pa.struct([("x", pa.string()), ("y", pa.int8())])),
    ]
)


def table_of(rows: list[tuple[object, ...]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA)


@pytest.mark.slow
@given(TABLES)
@settings(deadline=None)
def test_json_round_trip(rows: list[tuple[object, ...]]) -> None:
    table = table_of(rows)
    assert json.loads(lines(Format.JSON, table)) == table.to_pylist()
    records = [json.loads(line) for line in lines(Format.NDJSON, table).split("\n")[:-1]]
    assert records == table.to_pylist()


@given(TABLES)
@settings(deadline=None)
def test_csv_round_trip(rows: list[tuple[object, ...]]) -> None:
    out = list(csv.reader(io.StringIO(lines(Format.CSV, table_of(rows)), newline="")))
    assert out[0] == SCHEMA.names
    for (given_text, number, items, *_), found in zip(rows, out[1:], strict=True):
        assert found[0] in {given_text or "", f"'{given_text}"}
        assert found[1] == ("" if number is None else str(number))
        assert (json.loads(found[2]) if found[2] else None) == items


@pytest.mark.slow
@given(TABLES)
@settings(deadline=None)
def test_what_is_shown_can_be_seen(rows: list[tuple[object, ...]]) -> None:
    table = table_of(rows)
    for form in (Format.TABLE, Format.LINE):
        assert all(line.isprintable() for line in lines(form, table).split("\n"))
