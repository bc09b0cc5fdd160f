"""What a real Trino makes of the tables, partitions and views that the catalog wrote."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from catalog.changes import run
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.catalog.glue import GlueCatalog
from trailhouse.core.deliveries import AccountFolder, Delivery
from trailhouse.core.desired import Design, account_views, partitions, raw_table, shared_views
from trailhouse.core.layout import Kind
from trailhouse.core.plan import Action, Change, Target
from trailhouse.core.schema import events_columns, trino_type, view_columns
from trailhouse.core.state import Partition, Shape, Table, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bed.trino import Trino
    from trailhouse.core.schema import Column

pytestmark = [pytest.mark.trino, pytest.mark.emulator]

ACCOUNTS = ("111122223333", "444455556666")
DAY = date(2026, 1, 31)
BUCKET = "catalog-trino"


def change(after: Table | View | Partition, table: str = "") -> Change:
    if isinstance(after, Partition):
        return Change(Action.CREATE, Target.PARTITION, table, after.values, after=after)
    target = Target.TABLE if isinstance(after, Table) else Target.VIEW
    return Change(Action.CREATE, target, after.name, after=after)


def wanted(design: Design) -> Iterator[Change]:
    """Everything for two accounts and one day, in order."""
    yield Change(Action.CREATE, Target.DATABASE, design.database)
    for account in ACCOUNTS:
        folder = AccountFolder(BUCKET, "AWSLogs", account)
        delivery = Delivery(folder, Kind.CLOUDTRAIL, "eu-west-1", (DAY,))
        table = raw_table(design, Kind.CLOUDTRAIL, folder)
        yield change(table)
        made = partitions(design, Kind.CLOUDTRAIL, [delivery], DAY, ["eu-west-1"])
        yield from (change(one, table.name) for one in made.values())
        yield from map(change, account_views(design, Kind.CLOUDTRAIL, [account]))
    yield from map(change, shared_views(design, {Kind.CLOUDTRAIL: ACCOUNTS}))


def records(account: str) -> bytes:
    record = {"eventID": f"e-{account}", "eventName": "GetObject", "eventTime": "2026-01-31T00:00:01Z",
              "userIdentity": {"type": "Root", "accountId": account}}  # fmt: skip
    return gzip.compress(json.dumps({"Records": [record]}).encode())


def key(account: str) -> str:
    name = f"{account}_CloudTrail_eu-west-1_20260131T0005Z_AbCdEfGhIjKlMnOp.json.gz"
    return f"AWSLogs/{account}/CloudTrail/eu-west-1/2026/01/31/{name}"


@pytest.fixture(scope="module")
def bucket(trino: Trino) -> None:
    trino.aws.bucket(BUCKET, [(key(account), records(account)) for account in ACCOUNTS])


@pytest.fixture
def opened(trino: Trino, bucket: None, monkeypatch: pytest.MonkeyPatch) -> Gate:  # noqa: ARG001 - filled
    for name, value in trino.aws.environment().items():
        monkeypatch.setenv(name, value)
    return Gate(Access(endpoint_url=trino.aws.url))


@pytest.fixture(params=[Shape.PER_ACCOUNT, Shape.SINGLE])
def design(request: pytest.FixtureRequest) -> Design:
    return Design(f"catalog_{request.param}", "cloudtrail", request.param)


@pytest.fixture
def catalog(opened: Gate, design: Design) -> GlueCatalog:
    made = GlueCatalog(opened, design.database, design.prefix)
    run(made, *wanted(design))
    return made


def assert_columns(view: Sequence[Column], trino: Trino, name: str, schema: str) -> None:
    told = trino.ask(f"SELECT * FROM {name} LIMIT 0", schema=schema)
    assert list(zip(told.columns, told.types, strict=True)) == [
        (column.name, trino_type(column.type).replace("timestamp(3)", "timestamp"))  # Trino's default
        for column in view
    ]


@pytest.mark.usefixtures("catalog")
def test_what_was_written_is_read(trino: Trino, design: Design) -> None:
    assert_columns(view_columns(Kind.CLOUDTRAIL), trino, "cloudtrail", design.database)
    assert_columns(events_columns(), trino, "cloudtrail_events", design.database)
    sql = "SELECT account, useridentity.accountid, eventid, logfile FROM cloudtrail ORDER BY account"
    assert trino.query(sql, schema=design.database) == [
        (account, account, f"e-{account}", f"s3://{BUCKET}/{key(account)}") for account in ACCOUNTS
    ]
    one = f"SELECT count(*) FROM cloudtrail_{ACCOUNTS[0]} WHERE year = '2026' AND day = '31'"
    assert trino.query(one, schema=design.database) == [(1,)]
    assert trino.query("SELECT count(*) FROM cloudtrail_events", schema=design.database) == [(2,)]


def test_a_view_that_was_written_again_is_read(trino: Trino, catalog: GlueCatalog, design: Design) -> None:
    found = catalog.definitions()["cloudtrail_events"]
    view = found.definition
    assert isinstance(view, View)
    eventid = next(column for column in view.columns if column.name == "eventid")
    shorter = replace(view, sql='SELECT "eventid" FROM "cloudtrail"', columns=(eventid,))
    run(catalog, Change(Action.UPDATE, Target.VIEW, view.name, (), view, shorter, (), found.revision))
    assert sorted(trino.query("SELECT * FROM cloudtrail_events", schema=design.database)) == [
        (f"e-{account}",) for account in ACCOUNTS
    ]
