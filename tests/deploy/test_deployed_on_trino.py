"""What the deployed run makes is read by a real Trino."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.cloud import Cloud, Unavailable
from deploy.deployment import DATABASE, FIRST, LOGS, SECOND, Deployment, days_before

if TYPE_CHECKING:
    from pathlib import Path

    from bed.trino import Trino

pytestmark = [pytest.mark.trino, pytest.mark.slow]


def test_what_a_night_made_is_read(trino: Trino, tmp_path: Path) -> None:
    folder = tmp_path / "cloud"
    folder.mkdir()
    database = f"deployed_{DATABASE}"
    try:
        cloud = Cloud(folder, lend=trino.aws).__enter__()
    except Unavailable as reason:
        pytest.skip(str(reason))
    with cloud:
        here = Deployment(cloud, tmp_path)
        here.configure(database=database)
        today = cloud.now().date()
        days = days_before(today, 3)
        here.deliver(days, (FIRST, "us-east-1"), (FIRST, "eu-west-1"), (SECOND, "us-east-1"))
        here.run("deploy", "--yes")
        assert here.wait(1)["status"] == "SUCCEEDED"
        here.run("undeploy", "--yes")
    told = trino.query(
        "SELECT account, region, year || '-' || month || '-' || day, count(*) FROM cloudtrail GROUP BY 1, 2, 3",
        schema=database,
    )
    places = (FIRST, "us-east-1"), (FIRST, "eu-west-1"), (SECOND, "us-east-1")
    assert sorted(told) == sorted((*place, str(day), 1) for place in places for day in days)
    once = trino.query(f"SELECT eventid FROM cloudtrail_{FIRST} WHERE region = 'eu-west-1'", schema=database)
    assert sorted(once) == [(f"{FIRST}-eu-west-1-{day}",) for day in days]
    assert trino.query("SELECT count(DISTINCT eventid) FROM cloudtrail_events", schema=database) == [(9,)]
    assert LOGS in trino.aws.buckets.all
