from datetime import date

import pytest

from trailhouse.lake.watermark import sealable

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("waiting", "first"),
    [
        ((), date(2026, 2, 27)),
        (("", ""), date(2026, 2, 27)),
        (("2026-02-28", ""), date(2026, 2, 27)),
        (("2026-02-20", "2026-02-11"), date(2026, 2, 11)),
    ],
)
def test_a_day_is_sealed_two_days_after_its_end_if_nothing_waits(
    waiting: tuple[str, ...], first: date
) -> None:
    assert sealable(TODAY, *waiting) == first
