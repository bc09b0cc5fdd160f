"""Text that is no statement: what is said of it, and where."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.dialect.grammar import parse
from trailhouse.errors import SqlError, UnsupportedSqlError


def said(sql: str) -> str:
    with pytest.raises(SqlError) as caught:
        parse(sql)
    return str(caught.value)


@pytest.mark.parametrize(
    ("sql", "what", "hint"),
    [
        ("SELECT * FROM", 'near "FROM": the name of a table is missing (line 1, column 10)', ""),
        ("SELECT * FROM t WHERE", 'near "WHERE": something has to follow it (line 1, column 17)', ""),
        (
            "SELECT 1 FROM t WHERE a\n AND OR b",
            'near "OR": something is missing before it (line 2, column 6)',
            "",
        ),
        ("SELECT count( FROM t", 'near "t": ) is missing (line 1, column 20)', ""),
        ("SELECT CAST(1 AS) FROM t", 'near ")": a type is missing in CAST(...) (line 1, column 17)', ""),
        ("SELECT CAST(1 bigint)", 'near "bigint": AS is missing in CAST(...) (line 1, column 15)', ""),
        (
            "SELECT 1 FROM t)",
            'near ")": it cannot stand here (line 1, column 16)',
            "there is one more ) than (",
        ),
        ("SELECT 1 FROM t GROUP a", 'near "a": it cannot stand here (line 1, column 23)', "write GROUP BY"),
        (
            "SELECT `a` FROM t",
            'near "`": it cannot stand here (line 1, column 10)',
            'names are quoted with "',
        ),
        ("WITH", 'near "WITH": WITH is written WITH name AS (SELECT ...) (line 1, column 1)', ""),
    ],
)
def test_where_a_statement_goes_wrong(sql: str, what: str, hint: str) -> None:
    lines = said(sql).splitlines()
    assert lines[0] == f"syntax error {what}"
    assert lines[3:] == ([hint] if hint else [])


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("SELECT 'it's'", "the text that begins here does not end (line 1, column 13)"),
        ("SELECT 'a'';", "the text that begins here does not end (line 1, column 8)"),
        ('SELECT 1\nFROM "t', "the name that begins here does not end (line 2, column 6)"),
        ("SELECT 1 /* '", "the comment that begins here does not end (line 1, column 10)"),
        ("SELECT X'zz'", "X'...' takes pairs of hexadecimal digits (line 1, column 8)"),
    ],
)
def test_what_does_not_end(sql: str, what: str) -> None:
    assert said(sql).splitlines()[0] == what


@pytest.mark.parametrize("sql", ["", ";", "-- nothing", "/* nothing */ ;"])
def test_nothing_is_no_statement(sql: str) -> None:
    assert said(sql) == "there is no statement"


def test_a_comment_behind_the_semicolon_is_no_other_statement() -> None:
    assert parse("SELECT 1; -- done").sql() == parse("SELECT 1").sql()


def test_the_place_of_a_second_statement_is_behind_texts() -> None:
    assert "(line 1, column 11)" in said("SELECT ';'; SELECT 2")


def test_nesting_has_an_end() -> None:
    with pytest.raises(UnsupportedSqlError, match="nested too deeply"):
        parse("SELECT " + "(" * 20_000 + "1" + ")" * 20_000)


WORDS = st.sampled_from(
    [
        *"()[],.;=<>+-*/'\"`",
        "SELECT",
        "FROM",
        "WHERE",
        "AND",
        "NOT",
        "CAST",
        "AS",
        "a",
        "1",
        "'x'",
        "GROUP",
        "BY",
    ]
)


@given(st.lists(WORDS, max_size=12))
def test_the_parser_does_not_speak(words: list[str]) -> None:
    said = ""
    try:
        parse("SELECT " + " ".join(words))
    except SqlError as error:
        said = str(error).split("\n")[0]
    assert re.search(r"sqlglot|Token|Error|class|keyword|Expect|got", said) is None
