import pyarrow as pa
import pytest

from trailhouse.lake.days import by_day, day_ranges, same_days

LAST = "\U0010ffff"


@pytest.mark.parametrize(
    ("days", "ranges"),
    [
        (set(), []),
        ({"2024-05-01"}, [("2024-05-01", "2024-05-01" + LAST)]),
        ({"2024-05-01", "2024-05-02", "2024-05-04"}, [
            ("2024-05-01", "2024-05-02" + LAST), ("2024-05-04", "2024-05-04" + LAST),
        ]),
        ({"2024-05-31", "2024-06-01", None}, [
            ("2024-05-31", "2024-05-31" + LAST), ("2024-06-01", "2024-06-01" + LAST),
        ]),
        ({"soon", ""}, [("", LAST), ("soon", "soon" + LAST)]),
    ],
)  # fmt: skip
def test_days_that_follow_each_other_are_one_range(
    days: set[str | None], ranges: list[tuple[str, str]]
) -> None:
    assert day_ranges(days) == ranges
    condition, values = same_days(days)
    assert values == [end for both in ranges for end in both]
    assert condition.count("BETWEEN") == len(ranges)
    assert ("IS NULL" in condition) is (None in days)


def test_the_last_of_too_many_ranges_takes_the_rest() -> None:
    ranges = day_ranges({f"{1000 + n}-01-01" for n in range(300)})
    assert len(ranges) == 200
    assert ranges[-1] == ("1199-01-01", "1299-01-01" + LAST)


def test_rows_by_day() -> None:
    days = [("2024", "05", "02"), ("2024", "05", "01"), (None, None, None), ("2024", "05", "02")]
    rows = pa.Table.from_pylist(
        [{"year": y, "month": m, "day": d, "n": n} for n, (y, m, d) in enumerate(days)],
        schema=pa.schema([*((name, pa.string()) for name in ("year", "month", "day")), ("n", pa.int64())]),
    )
    found = {day: part.column("n").to_pylist() for day, part in by_day(rows)}
    assert found == {("2024", "05", "01"): [1], ("2024", "05", "02"): [0, 3], (None, None, None): [2]}
