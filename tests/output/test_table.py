from collections.abc import Callable
from io import BytesIO

import pyarrow as pa
from rich.cells import cell_len

from trailhouse.output import Format, write

Text = Callable[..., str]


def test_layout(text: Text) -> None:
    out = text(Format.TABLE, {"eventname": ["AssumeRole", None, ""], "n": [1, 23, None]}, width=40)
    assert out == (
        "eventname      n\n----------  ----\nAssumeRole     1\nNULL          23\n            NULL\n"
    )


def test_wide_characters_keep_the_columns_straight(text: Text) -> None:
    out = text(Format.TABLE, {"name": ["한글", "é", "plain"], "n": [1, 2, 3]}, width=40)
    assert {cell_len(line) for line in out.splitlines()} == {len("plain  1")}


def test_values_cannot_break_out_of_their_cell(text: Text) -> None:
    out = text(Format.TABLE, {"agent\x1b": ["a\nb\x1b[2J\u202e"], "x": ["y"]}, width=80)
    header, rule, row = out.splitlines()
    assert header.split() == ["agent\\x1b", "x"]
    assert row == "a\\nb\\x1b[2J\\u202e  y"
    assert len(rule) == len(row)


def test_a_rare_row_that_does_not_fit_is_a_record(text: Text) -> None:
    out = text(Format.TABLE, {"a": ["x"] * 19 + ["w" * 100] + ["z"], "b": ["y"] * 21}, width=40)
    lines = out.splitlines()
    assert lines[0] == "a  b"
    assert lines[21:] == ["", "a = " + "w" * 100, "b = y", "", "z  y"]


def test_rows_that_mostly_do_not_fit_are_all_records(text: Text) -> None:
    columns = {"name": ["a" * 50, "b"], "value": ["c" * 50, None]}
    out = text(Format.TABLE, columns, width=60)
    assert out == text(Format.LINE, columns)
    assert out.splitlines() == [f" name = {'a' * 50}", f"value = {'c' * 50}", "", " name = b", "value = NULL"]


def test_many_columns_become_records(text: Text) -> None:
    out = text(Format.TABLE, {f"column_{n}": [n] for n in range(40)}, width=80)
    assert out.splitlines()[0] == " column_0 = 0"


def test_without_a_terminal_one_absurd_value_does_not_pad_the_rest(text: Text) -> None:
    out = text(Format.TABLE, {"a": ["x"] * 999 + ["w" * 60_000], "b": ["y"] * 1_000})
    assert len(out) < 80_000
    assert out.splitlines()[2] == "x  y"


def test_rows_after_the_sample_follow_its_layout(text: Text) -> None:
    out = text(Format.TABLE, {"a": ["x"] * 20_000 + ["longer"], "n": range(20_001)}, width=40)
    assert out.splitlines()[-4:] == ["", "a = longer", "n = 20000", ""]


def test_colour_only_where_wanted() -> None:
    table = pa.table({"n": [1]})
    streams = {width: BytesIO() for width in (40, None)}
    for width, stream in streams.items():
        write(table.to_reader(), Format.TABLE, stream, width=width, colour=True)
    assert streams[40].getvalue().startswith(b"\x1b[1mn\x1b[0m\n")
    assert streams[None].getvalue() == b"n\n-\n1\n"


def test_no_rows_still_name_the_columns(text: Text) -> None:
    assert text(Format.TABLE, {"n": pa.array([], pa.int64())}, width=40) == "n\n-\n"


def test_trailing_columns_in_the_header_of_numbers(text: Text) -> None:
    assert text(Format.TABLE, {"count": [5]}, width=40) == "count\n-----\n    5\n"
