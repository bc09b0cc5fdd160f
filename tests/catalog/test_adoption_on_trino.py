"""After a takeover a real Trino answers by the old names, in both shapes, and by nothing of the old definitions."""

from __future__ import annotations

import gzip
import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from predecessor import tables as old
from predecessor.bucket import key
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.catalog.adoption import Adoption
from trailhouse.catalog.application import Application
from trailhouse.catalog.convergence import Aim
from trailhouse.catalog.glue import GlueCatalog
from trailhouse.catalog.port import Restrictions
from trailhouse.storage import Location
from trailhouse.storage.discovery import Discovery

if TYPE_CHECKING:
    from bed.trino import Trino

pytestmark = [pytest.mark.trino, pytest.mark.emulator]

A, B = "111122223333", "444455556666"
TODAY = date(2026, 3, 2)
BUCKET = "adopted-logs"
DAYS = (date(2025, 9, 1), date(2026, 3, 1), TODAY)  # the first is older than partition_days


def records(account: str, day: date) -> bytes:
    record = {
        "eventID": f"{account}-{day}",
        "eventName": "GetObject",
        "eventTime": f"{day}T00:00:01Z",
        "userIdentity": {"type": "Root", "accountId": account},
    }
    return gzip.compress(json.dumps({"Records": [record]}).encode())


@pytest.mark.parametrize("shape", ["per_account", "single"])
def test_every_event_is_there_by_its_old_name(
    trino: Trino, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in trino.aws.environment().items():
        monkeypatch.setenv(name, value)
    database = f"adopted_{shape}"
    trino.aws.bucket(BUCKET, ((key(a, day), records(a, day)) for a in (A, B) for day in DAYS))
    trino.aws.glue.index_seconds = 0
    leave_behind(trino, database)
    catalog = GlueCatalog(Gate(Access(region="us-east-1")), database, "cloudtrail")
    monkeypatch.setattr(catalog, "restrictions", Restrictions)
    application = Application(catalog, database, "cloudtrail")
    with Discovery([Location(f"s3://{BUCKET}", Access(region="us-east-1"))], today=TODAY) as discovery:
        flow = Adoption(catalog, discovery, Aim(database, "cloudtrail", TODAY, tables=shape), adopt=True)
        for part in flow.parts():
            assert not part.refusals
            application.carry_out(part)
    assert application.report.complete
    every = sorted((f"{account}-{day}",) for account in (A, B) for day in DAYS)
    for name in ("cloudtrail", "cloudtrail_events"):
        assert sorted(trino.query(f"SELECT eventid FROM {name}", schema=database)) == every
    mine = sorted(one for one in every if one[0].startswith(A))
    assert sorted(trino.query(f"SELECT eventid FROM cloudtrail_{A}", schema=database)) == mine


def leave_behind(trino: Trino, database: str) -> None:
    def ask(operation: str, **parameters: Any) -> None:  # noqa: ANN401 - as Glue takes them
        status, body = trino.aws.glue.answer(operation, json.dumps(parameters).encode())
        assert status == 200, body

    ask("CreateDatabase", DatabaseInput={"Name": database})
    for account in (A, B):
        place = old.folder(BUCKET, account)
        ask("CreateTable", DatabaseName=database, TableInput=old.table(account, place))
        inputs = list(old.partitions(place, ["eu-west-1"], TODAY, 200))
        for start in range(0, len(inputs), 100):
            some = inputs[start : start + 100]
            name = f"cloudtrail_{account}"
            ask("BatchCreatePartition", DatabaseName=database, TableName=name, PartitionInputList=some)
    ask("CreateTable", DatabaseName=database, TableInput=old.view([A, B], database=database))
