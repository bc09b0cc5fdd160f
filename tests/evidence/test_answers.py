"""The corpus through `apply` and a real Trino: what the manifest counts, and what the local product answers."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from evidence.catalogs import FEW, places
from evidence.rows import DAY as DATE
from evidence.rows import DELIVERY, counted, differences, identities, midnight_pairs, of_arrow, of_trino

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import trailhouse
    from bed.trino import Trino
    from evidence.catalogs import Case
    from evidence.rows import Row

    Local = Callable[..., list[Row]]

pytestmark = [pytest.mark.trino, pytest.mark.emulator, pytest.mark.corpus]

MIDNIGHT_PAIRS = 0  # the second trail of the corpus delivers at 12:30
ACCOUNT, DAY = "123837392027", "year = '2023' AND month = '07' AND day = '10'"
# cloudtrail-partitioner's README: "the last" rows, errors of a day, what a user did, an address everywhere.
README = (
    f"SELECT * FROM cloudtrail_{ACCOUNT} WHERE region = 'us-east-1' AND {DAY}",
    (
        f"SELECT useridentity.arn, errorcode, count(*) AS count FROM cloudtrail_{ACCOUNT} WHERE {DAY} "
        "AND errorcode != '' GROUP BY errorcode, useridentity.arn ORDER BY count DESC LIMIT 50"
    ),
    (
        f"SELECT eventname, count(*) AS COUNT FROM cloudtrail_{ACCOUNT} WHERE {DAY} "
        "AND useridentity.arn like '%bert-jan%' GROUP BY eventname ORDER BY COUNT DESC"
    ),
    (
        "SELECT recipientaccountid, count(*) AS COUNT FROM cloudtrail WHERE year = '2023' AND month = '07' "
        "AND sourceipaddress = '192.0.2.0' GROUP BY recipientaccountid ORDER BY COUNT DESC"
    ),
)


def everything(trino: Trino, case: Case, name: str) -> list[Row]:
    return of_trino(trino.ask(f"SELECT * FROM {name} WHERE {case.everything}", schema=case.database))


@pytest.fixture(scope="module")
def delivered(trino: Trino) -> Callable[[Case], list[Row]]:
    """All rows of `cloudtrail`, read once a catalog."""
    read: dict[str, list[Row]] = {}

    def of(case: Case) -> list[Row]:
        if case.database not in read:
            read[case.database] = everything(trino, case, "cloudtrail")
        return read[case.database]

    return of


@pytest.fixture(scope="module")
def manifest(corpus: Path) -> dict[str, Any]:
    return dict(json.loads((corpus / "manifest.json").read_text()))


def test_as_delivered_they_are_the_local_rows(
    case: Case, delivered: Callable[[Case], list[Row]], local: Local
) -> None:
    """Every column of every row: structs, `resources`, `tlsdetails`, opaque text by its meaning."""
    ours, theirs = delivered(case), local("cloudtrail", case.bucket)
    assert len(ours) > 3000
    assert differences(counted(ours), counted(theirs)) == []
    for name in ("useridentity", "resources", "tlsdetails", "requestparameters"):
        assert sum(row[name] is not None for row in ours) > 0, name


def test_counts_are_the_manifest_s(
    trino: Trino,
    catalog: Callable[[str], Case],
    delivered: Callable[[Case], list[Row]],
    manifest: dict[str, Any],
) -> None:
    for shape in ("per_account", "single", "adopted"):
        case = catalog(shape)
        insights = everything(trino, case, "cloudtrail_insight")
        rows = delivered(case)
        assert {"CloudTrail": len(rows), "CloudTrail-Insight": len(insights)} == manifest["records_by_folder"]
        rows = rows + insights
        assert Counter("-".join(row[key] for key in DATE) for row in rows) == manifest["by_key_day"]
        once = {row["eventid"]: row for row in rows}
        assert len(once) == manifest["events_unique"]
        listed = "".join(f"{event}\n" for event in sorted(once))
        assert hashlib.sha256(listed.encode()).hexdigest() == manifest["sha256_of_sorted_eventIDs"]
        found = once.values()
        assert Counter(map(owner, found)) == manifest["by_account"]
        assert Counter(row["awsregion"] for row in found) == manifest["by_region"]
        assert (
            Counter(f"{owner(row)}/{row['awsregion']}/{row['eventtime'][:10]}" for row in found)
            == manifest["by_account_region_day"]
        )


def owner(row: Row) -> str:
    return str(row["recipientaccountid"] or row["useridentity"][3])


def test_insights_have_their_own_table(trino: Trino, case: Case, local: Local) -> None:
    if case.bucket == FEW:  # none is delivered on the days that are projected, so there is no such name
        names = {row[0] for row in trino.query("SHOW TABLES", schema=case.database)}
        assert not [name for name in names if "insight" in name]
        return
    ours = everything(trino, case, "cloudtrail_insight")
    assert [row["eventtype"] for row in ours] == ["AwsCloudTrailInsight"]
    assert differences(counted(ours), counted(local("cloudtrail_insight"))) == []


def test_events_are_there_once(
    trino: Trino, case: Case, delivered: Callable[[Case], list[Row]], local: Local
) -> None:
    """As often as locally; which copy of an event is shown is not promised."""
    ours, theirs = everything(trino, case, "cloudtrail_events"), local("cloudtrail_events", case.bucket)
    pairs = midnight_pairs(delivered(case))
    assert pairs.total() == MIDNIGHT_PAIRS
    assert len(ours) < len(delivered(case))
    assert differences(identities(ours), identities(theirs) + pairs) == []
    assert differences(counted(ours, DELIVERY), counted(theirs, DELIVERY)) == []


def test_an_account_s_name_has_its_rows(
    trino: Trino, case: Case, delivered: Callable[[Case], list[Row]]
) -> None:
    one = everything(trino, case, f"cloudtrail_{ACCOUNT}")
    wanted = [row for row in delivered(case) if row["account"] == ACCOUNT]
    added = () if "account" in one[0] else ("account", "logfile")  # what views add to a table
    assert len(one) > 2000
    assert differences(counted(one), counted(wanted, added)) == []


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_the_readme_s_questions(trino: Trino, case: Case, house: trailhouse.Trailhouse, number: int) -> None:
    sql = README[number - 1]
    if case.bucket == FEW and number == 4:
        # Every day of the month, in every region, would be listed: minutes, here.
        sql = sql.replace("sourceipaddress = '192.0.2.0'", "day = '10' AND sourceipaddress = '192.168.10.20'")
    ours = trino.ask(sql, schema=case.database)
    theirs = house.query(sql).arrow()
    assert ours.rows, sql
    names = set(ours.columns) & set(theirs.column_names)
    assert {"region", "year", "month", "day"} < names if number == 1 else len(names) == len(ours.columns)
    pair = [
        counted({name: row[name] for name in names} for row in rows)
        for rows in (of_trino(ours), of_arrow(theirs))
    ]
    assert differences(*pair) == []


def test_a_changed_value_and_a_lost_file_are_seen(
    trino: Trino, catalog: Callable[[str], Case], local: Local
) -> None:
    """The comparison itself: one field of a struct, one opaque value, one file."""
    case = catalog("single")
    held = trino.aws.buckets.all[case.bucket]
    day = [place for place in places(trino.aws, case.bucket) if place.day == "2023/07/19"]

    theirs = [row for row in local("cloudtrail") if row["logfile"] in {place.key for place in day}]

    def told() -> list[str]:
        sql = "SELECT * FROM cloudtrail WHERE year = '2023' AND month = '07' AND day = '19'"
        ours = of_trino(trino.ask(sql, schema=case.database))
        return differences(counted(ours), counted(theirs))

    assert told() == []
    stored = held.objects[day[0].key]
    records = json.loads(gzip.decompress(stored.body))["Records"]
    altered = [
        {**records[0], "userIdentity": {**records[0]["userIdentity"], "accessKeyId": "ANOTHER"}},
        {**records[0], "requestParameters": {"another": 1}},
    ]
    try:
        for one in altered:
            body = json.dumps({"Records": [one, *records[1:]]}).encode()
            held.put(day[0].key, gzip.compress(body))
            assert [line.split(":")[0] for line in told()] == ["only the first (1)", "only the second (1)"]
        held.remove(day[0].key)
        assert {line.partition(" (")[0] for line in told()} == {"only the second"}
    finally:
        held.store(day[0].key, stored)
    assert told() == []
