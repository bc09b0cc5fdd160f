"""What the deployed run makes is read by a real Trino."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bed.cloud import Cloud, Unavailable
from deploy.deployment import FIRST, SECOND, THIRD, Deployment, days_before

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bed.trino import Trino

pytestmark = [pytest.mark.trino, pytest.mark.slow]
DATABASE = "deployed"


@pytest.fixture
def here(trino: Trino, tmp_path: Path) -> Iterator[Deployment]:
    """A configuration for an account whose catalog and buckets are Trino's."""
    (tmp_path / "cloud").mkdir()
    try:
        with Cloud(tmp_path / "cloud", lend=trino.aws) as cloud:
            found = Deployment(cloud, tmp_path)
            found.configure(database=DATABASE)
            yield found
    except Unavailable as reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))


def test_what_nights_made_is_read(here: Deployment, trino: Trino) -> None:
    today = here.cloud.now().date()
    days = days_before(today, 3)
    old = (FIRST, "us-east-1"), (FIRST, "eu-west-1"), (SECOND, "us-east-1")
    here.deliver(days, *old)
    here.run("deploy", "--yes")
    assert here.wait(1)["status"] == "SUCCEEDED"
    day = "year || '-' || month || '-' || day"
    shown = f"SELECT account, region, {day}, count(*) FROM {{}} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    first = sorted((*place, str(day), 1) for place in old for day in days)
    assert trino.query(shown.format("cloudtrail"), schema=DATABASE) == first

    # A night is missed; then there are a new day, a new account, a new region.
    new = [today + timedelta(days=each) for each in (1, 2)]
    places = *old, (THIRD, "us-east-1"), (FIRST, "xx-new-1")
    here.deliver(new, *places)
    assert here.morning(new[-1])["status"] == "SUCCEEDED"
    second = sorted([*first, *((*place, str(day), 1) for place in places for day in new)])
    for name in ("cloudtrail", "cloudtrail_events"):
        assert trino.query(shown.format(name), schema=DATABASE) == second
    asked = f"SELECT eventid FROM cloudtrail_{FIRST} WHERE region = 'xx-new-1' ORDER BY 1"
    assert trino.query(asked, schema=DATABASE) == [(f"{FIRST}-xx-new-1-{day}",) for day in new]
