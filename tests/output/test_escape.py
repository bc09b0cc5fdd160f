import sys
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailhouse.output.cells import visible
from trailhouse.output.escape import escape


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain ~ text", "plain ~ text"),
        ("\x1b[2J\x07", r"\x1b[2J\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("a\tb\nc\rd", r"a\tb\nc\rd"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
        ("pay\u200bpal\ufeff", r"pay\u200bpal\ufeff"),
        ("\u3164\u115f\ufe0f", r"\u3164\u115f\ufe0f"),
        ("\ud800", r"\ud800"),
        ("\U000e0041\U000f0000", r"\U000e0041\U000f0000"),
        ("no\xa0break\u202f", r"no\xa0break\u202f"),
        ("é 한글 😀 עברית", "é 한글 😀 עברית"),
        ("C:\\x", "C:\\x"),
    ],
)
def test_escape(text: str, expected: str) -> None:
    assert escape(text) == expected


def test_no_character_that_controls_or_hides_gets_through() -> None:
    kept = [chr(number) for number in range(sys.maxunicode + 1) if escape(chr(number)) == chr(number)]
    hiding = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert [character for character in kept if unicodedata.category(character) in hiding] == []
    assert len(kept) > 100_000


@given(st.lists(st.none() | st.text()))
@settings(deadline=None)
def test_columns_are_escaped_as_single_values_are(values: list[str | None]) -> None:
    expected = [None if value is None else escape(value) for value in values]
    assert visible(pa.array(values, pa.large_string())).to_pylist() == expected
