"""The library as docs/python.md shows it. It is type-checked strictly, and run as a test."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import trailhouse

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def ask(source: str, workdir: Path) -> dict[str, object]:
    """Ask a few questions in every way there is; return what came out."""
    with trailhouse.open(source, workdir=workdir) as house:
        found = house.inventory()
        print(f"{found.logs.files} files of {len(found.accounts)} accounts")

        report = house.ingest()
        print(f"{report.records} records taken in")

        for row in house.query(
            "SELECT eventname, count(*) AS n FROM cloudtrail_events GROUP BY 1 ORDER BY 1"
        ):
            print(row["eventname"], row["n"])

        answer = house.query("SELECT eventid FROM cloudtrail WHERE eventname = :name", name="ConsoleLogin")
        table: pa.Table = answer.arrow()

        frame: pd.DataFrame = house.query("SELECT account, eventtime FROM cloudtrail").df()
        return {
            "files": found.logs.files,
            "records": report.records,
            "logins": table.num_rows,
            "rows": len(frame),
        }


def ask_a_part(source: str, workdir: Path) -> int:
    """Limit what is asked: by time, account and region."""
    house = trailhouse.open(
        source,
        since=date(2026, 1, 5),
        until="2026-01-06T00:00:00Z",
        accounts=["111122223333"],
        regions=["eu-west-1"],
        late=timedelta(hours=36),
        workdir=workdir,
    )
    with house:
        return len(list(house.query("SELECT eventid FROM cloudtrail_events")))


def ask_wrongly(source: str, workdir: Path) -> str:
    """Every error of the product has one root; its message names the place and the nearest names."""
    with trailhouse.open(source, workdir=workdir) as house:
        try:
            house.query("SELECT evntname FROM cloudtrail")
        except trailhouse.TrailhouseError as error:
            return str(error)
    return ""


if __name__ == "__main__":
    print(ask(sys.argv[1], Path(sys.argv[2])))
