"""How many accounts: what the plan says and what the server does agree."""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bed.trino import TrinoError
from evidence.catalogs import apply, run
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.catalog.glue import GlueCatalog
from trailhouse.core.deliveries import AccountFolder, Delivery
from trailhouse.core.desired import MOST_BRANCHES, WARN_FROM, Design, partitions, raw_table, shared_views
from trailhouse.core.layout import Kind
from trailhouse.core.plan import Action, Change, Target
from trailhouse.core.state import Shape, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bed.trino import Trino

pytestmark = [pytest.mark.trino, pytest.mark.emulator]

MOST_STAGES = 150  # Trino's own; Athena's is not documented
REGION = "eu-west-1"
TWICE_STAGES = 5  # beside two a branch
TODAY = datetime.now(UTC).date()
DAY = f"year = '{TODAY:%Y}' AND month = '{TODAY:%m}' AND day = '{TODAY:%d}'"
KNOWN = "(VALUES ('GetObject', 'data'), ('ListBuckets', 'look')) AS known (name, class) ON eventname = name"
# Typical questions of an investigation: who did what how often, ranked; and when, in order, beside a list of names.
RANKED = f"""
    WITH often AS (
        SELECT useridentity.arn AS arn, eventname, count(*) AS n, count(DISTINCT sourceipaddress) AS places
        FROM cloudtrail_events WHERE {DAY} AND region = '{REGION}' GROUP BY 1, 2
    )
    SELECT arn, eventname, n, rank() OVER (PARTITION BY arn ORDER BY n DESC, places) AS place,
        sum(n) OVER (PARTITION BY eventname) AS everyone
    FROM often JOIN {KNOWN} ORDER BY n DESC, arn LIMIT 20
"""
HISTORY = f"""
    SELECT useridentity.arn, eventname, class, count(*) OVER (PARTITION BY eventname) AS everyone,
        rank() OVER (PARTITION BY useridentity.arn ORDER BY eventtime) AS place
    FROM cloudtrail_events JOIN {KNOWN} WHERE {DAY} ORDER BY 1
"""
# Stages beside the branches.
QUESTIONS = {f"SELECT count(*) FROM cloudtrail WHERE {DAY}": 1, RANKED: 4, HISTORY: 6}
TWICE = f"""
    SELECT first.eventname, count(*) FROM cloudtrail_events AS first JOIN cloudtrail_events AS later
    ON first.useridentity.accountid = later.useridentity.accountid AND first.eventtime <= later.eventtime
    WHERE {" AND ".join(f"{name}.{one}" for name in ("first", "later") for one in DAY.split(" AND "))}
    GROUP BY first.eventname ORDER BY 2 DESC LIMIT 10
"""


def accounts(count: int) -> list[str]:
    return [f"{number:012}" for number in range(700_000_000_001, 700_000_000_001 + count)]


def key(account: str) -> str:
    name = f"{account}_CloudTrail_{REGION}_{TODAY:%Y%m%d}T0005Z_AbCdEfGhIjKlMnOp.json.gz"
    return f"AWSLogs/{account}/CloudTrail/{REGION}/{TODAY:%Y/%m/%d}/{name}"


def record(account: str) -> bytes:
    one = {"eventID": f"e-{account}", "eventName": "GetObject", "eventTime": f"{TODAY}T00:00:01Z",
           "userIdentity": {"type": "Root", "accountId": account, "arn": account}}  # fmt: skip
    return gzip.compress(json.dumps({"Records": [one]}).encode())


def bucket_of(trino: Trino, count: int) -> str:
    name = f"branches-{count}"
    trino.aws.bucket(name, ((key(account), record(account)) for account in accounts(count)))
    return name


@pytest.mark.parametrize("count", [WARN_FROM - 1, WARN_FROM])
def test_the_plan_warns_before_a_question_stops(trino: Trino, count: int) -> None:
    bucket = bucket_of(trino, count)
    said = run(
        trino.aws, "plan", "-s", f"s3://{bucket}", database="branches_warned", tables="per_account",
        partition_days="1",
    )  # fmt: skip
    assert said.code == 0
    assert (f"a union of {count} tables" in said.err) == (count == WARN_FROM)


@pytest.fixture(scope="module")
def tables(trino: Trino) -> str:
    """A table with a file for each of 151 accounts, as a plan would make them; no view."""
    bucket, design = bucket_of(trino, 151), Design("branches_151", "cloudtrail", Shape.PER_ACCOUNT)
    carry_out(trino, design, [Change(Action.CREATE, Target.DATABASE, design.database), *made(design, bucket)])
    return design.database


def made(design: Design, bucket: str) -> Iterator[Change]:
    for account in accounts(151):
        folder = AccountFolder(bucket, "AWSLogs", account)
        table = raw_table(design, Kind.CLOUDTRAIL, folder)
        yield Change(Action.CREATE, Target.TABLE, table.name, after=table)
        delivered = [Delivery(folder, Kind.CLOUDTRAIL, REGION, (TODAY,))]
        for one in partitions(design, Kind.CLOUDTRAIL, delivered, TODAY, []).values():
            yield Change(Action.CREATE, Target.PARTITION, table.name, one.values, after=one)


def carry_out(trino: Trino, design: Design, changes: Sequence[Change]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in trino.aws.environment().items():
            patch.setenv(name, value)
        catalog = GlueCatalog(Gate(Access(endpoint_url=trino.aws.url)), design.database, design.prefix)
        failed = [outcome.error for outcome in catalog.carry_out(changes) if outcome.error]
    assert failed == []


def with_views(trino: Trino, tables: str, branches: int) -> str:
    """The two views over so many of the tables, in a database of their own; its name."""
    design = Design(f"branches_views_{branches}", "cloudtrail", Shape.PER_ACCOUNT)
    some = shared_views(
        Design(tables, "cloudtrail", Shape.PER_ACCOUNT), {Kind.CLOUDTRAIL: accounts(branches)}
    )
    here = [
        View(
            view.name,
            view.sql.replace(f'FROM "{tables}"."cloudtrail")', f'FROM "{design.database}"."cloudtrail")'),
            view.columns,
            view.parameters,
        )
        for view in some
    ]
    views = [Change(Action.CREATE, Target.VIEW, view.name, after=view) for view in here]
    carry_out(trino, design, [Change(Action.CREATE, Target.DATABASE, design.database), *views])
    return design.database


def stages(trino: Trino, sql: str, database: str) -> int:
    told = trino.query(f"EXPLAIN (TYPE DISTRIBUTED) {sql}", schema=database)
    return len(re.findall(r"(?m)^Fragment \d+", told[0][0]))


def test_ten_accounts_are_a_union(trino: Trino) -> None:
    bucket = bucket_of(trino, 10)
    said = apply(trino.aws, bucket, database="branches_10", tables="per_account", partition_days="1")
    assert "union" not in said.err + said.out
    for name in ("cloudtrail", "cloudtrail_events"):
        found = trino.query(
            f"SELECT account FROM {name} WHERE {DAY} AND region = '{REGION}'", schema="branches_10"
        )
        assert sorted(found) == [(account,) for account in accounts(10)]
    rows = trino.query(RANKED, schema="branches_10")
    assert rows == [(account, "GetObject", 1, 1, 10) for account in accounts(10)]


def test_151_accounts_are_refused_by_both(trino: Trino, tables: str) -> None:
    said = run(
        trino.aws, "apply", "--all", "--yes", "-s", "s3://branches-151", database="branches_refused",
        tables="per_account",
    )  # fmt: skip
    assert said.code == 1
    assert "a union of 151 tables cannot be planned" in said.err
    databases = trino.aws.client("glue").get_databases()["DatabaseList"]
    assert "branches_refused" not in [database["Name"] for database in databases]
    database = with_views(trino, tables, 151)
    with pytest.raises(TrinoError) as caught:
        trino.query(f"SELECT count(*) FROM cloudtrail WHERE {DAY}", schema=database)
    assert caught.value.name == "QUERY_HAS_TOO_MANY_STAGES"
    # Naming an account still works.
    one = f"SELECT count(*) FROM cloudtrail_events WHERE {DAY} AND account = '{accounts(151)[-1]}'"
    assert trino.query(one, schema=database) == [(1,)]


def test_the_most_branches_leave_room_for_a_question(trino: Trino, tables: str) -> None:
    """Stages grow by one with each branch; so few branches tell where the server stops, and many show it."""
    few, other = with_views(trino, tables, 5), with_views(trino, tables, 7)
    for sql, own in QUESTIONS.items():
        assert [stages(trino, sql, few), stages(trino, sql, other)] == [5 + own, 7 + own], sql
    assert stages(trino, TWICE, few) == 2 * 5 + TWICE_STAGES
    assert MOST_BRANCHES + max(QUESTIONS.values()) <= MOST_STAGES
    # From where the plan warns, a question that names them twice stops first.
    assert 2 * (WARN_FROM - 1) + TWICE_STAGES <= MOST_STAGES
    # What is counted is what the server's limit counts.
    enough = 5 + QUESTIONS[HISTORY]
    assert len(trino.query(HISTORY, schema=few, session={"query_max_stage_count": str(enough)})) == 5
    with pytest.raises(TrinoError, match=f"stages in the query .{enough}. exceeds"):
        trino.query(HISTORY, schema=few, session={"query_max_stage_count": str(enough - 1)})


def test_the_most_branches_are_answered(trino: Trino, tables: str) -> None:
    most = with_views(trino, tables, MOST_BRANCHES)
    assert len(trino.query(HISTORY, schema=most)) == MOST_BRANCHES


def test_a_thousand_accounts_in_one_table(trino: Trino) -> None:
    """What `tables: auto` makes of them."""
    bucket, database = bucket_of(trino, 1000), "branches_1000"
    apply(trino.aws, bucket, database=database, partition_days="1")
    assert trino.aws.client("glue").get_table(DatabaseName=database, Name="cloudtrail_raw")
    account = accounts(1000)[-1]
    for name in (f"cloudtrail_{account}", "cloudtrail", "cloudtrail_events"):
        sql = f"SELECT count(*), min(eventid) FROM {name} WHERE {DAY} AND account = '{account}'"
        assert trino.query(sql, schema=database) == [(1, f"e-{account}")]
    sql = f"SELECT count(*), count(DISTINCT account) FROM cloudtrail WHERE {DAY} AND region = '{REGION}'"
    assert trino.query(sql, schema=database) == [(1000, 1000)]
