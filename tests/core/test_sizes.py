import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.core.sizes import count_of, format_size, parse_size


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("512", 512), ("10GB", 10**10), ("10 gb", 10**10), ("1.5MB", 1_500_000), ("2GiB", 2 * 2**30),
     ("3k", 3_000), ("4 bytes", 4), ("1PB", 10**15)],
)  # fmt: skip
def test_parse_size(text: str, expected: int) -> None:
    assert parse_size(text) == expected


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "1e3", "10 XB", "1,5GB", "\u0663GB"])
def test_parse_size_says_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match="such as 10GB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_999, "1.0 MB"), (10**10, "10.0 GB")],
)
def test_format_size(count: int, expected: str) -> None:
    assert format_size(count) == expected


@given(st.integers(min_value=0, max_value=10**15))
def test_what_is_shown_is_read_back_to_within_a_tenth(count: int) -> None:
    assert parse_size(format_size(count)) == pytest.approx(count, rel=0.051)


def test_one_is_not_many() -> None:
    assert [count_of(n, "row") for n in (0, 1, 2000)] == ["0 rows", "1 row", "2,000 rows"]
    assert [count_of(n, "file is", "files are") for n in (1, 2)] == ["1 file is", "2 files are"]
