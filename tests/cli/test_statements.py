import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.cli.statements import in_text, split_statements


@pytest.mark.parametrize(
    ("text", "statements", "rest"),
    [
        ("", [], ""),
        ("SELECT 1", [], "SELECT 1"),
        ("SELECT 1;", ["SELECT 1"], ""),
        ("SELECT 1; SELECT\n 2 ;x", ["SELECT 1", "SELECT\n 2"], "x"),
        ("SELECT ';'", [], "SELECT ';'"),
        ("SELECT 'it''s; ' ;", ["SELECT 'it''s; '"], ""),
        ('SELECT "a;b";', ['SELECT "a;b"'], ""),
        ("SELECT 1 -- a; b", [], "SELECT 1 -- a; b"),
        ("SELECT 1 /* ; */;", ["SELECT 1 /* ; */"], ""),
        ("SELECT 1 /* ;", [], "SELECT 1 /* ;"),
        ("SELECT 4-1/2;", ["SELECT 4-1/2"], ""),
        ("SELECT 'open;", [], "SELECT 'open;"),
        (";;  ; -- only a comment", [], ""),
        ("-- first\nSELECT 1;", ["-- first\nSELECT 1"], ""),
    ],
)
def test_split_statements(text: str, statements: list[str], rest: str) -> None:
    assert split_statements(text) == (statements, rest)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("SELECT 'a", True),
        ("SELECT 'a'", False),
        ("'a'' b", True),
        ("-- it's", False),
        ("\"a'", False),
    ],
)
def test_in_text(text: str, expected: bool) -> None:  # noqa: FBT001 - from the list above
    assert in_text(text) is expected


@given(st.text(alphabet="a';\"-/*\n "))
def test_any_text_is_split(text: str) -> None:
    statements, rest = split_statements(text + "'\"*/\n;")
    assert all(statement in text + "'\"*/\n;" for statement in [*statements, rest])
