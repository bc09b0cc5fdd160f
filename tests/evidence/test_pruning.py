"""What a question reads, by what Trino asks of S3: the files of its day, region and account, and no others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from evidence.catalogs import places

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.trino import Trino
    from evidence.catalogs import Case, Place

pytestmark = [pytest.mark.trino, pytest.mark.emulator, pytest.mark.corpus]

# A day on which two accounts deliver from three regions.
ACCOUNT, OTHER, REGION, DATE = "111111111111", "123456789012", "us-east-1", "2024/01/15"
DAY = "year = '2024' AND month = '01' AND day = '15'"
IN_REGION = f"{DAY} AND region = '{REGION}'"


@pytest.fixture
def day(trino: Trino, case: Case) -> list[Place]:
    """All CloudTrail objects of the day."""
    found = [p for p in places(trino.aws, case.bucket) if p.day == DATE and p.kind == "CloudTrail"]
    assert len({place.region for place in found}) == 3
    assert {place.account for place in found} == {ACCOUNT, OTHER}
    return found


@pytest.fixture
def read(trino: Trino, case: Case) -> Callable[[str], set[str]]:
    """The keys that a question reads; `eventid` is always among what it asks for."""

    def asked(rest: str) -> set[str]:
        reading = trino.stats(f"SELECT count(*), count(eventid) FROM {rest}", schema=case.database)
        assert reading.rows[0][0] > 0
        prefix = f"s3://{case.bucket}/"
        assert all(file.startswith(prefix) for file in reading.files)
        return {file.removeprefix(prefix) for file in reading.files}

    return asked


def keys(found: list[Place], *, account: str = "", region: str = "") -> set[str]:
    return {p.key for p in found if account in ("", p.account) and region in ("", p.region)}


def test_one_account_s_day_and_region(day: list[Place], read: Callable[[str], set[str]]) -> None:
    assert read(f"cloudtrail_{ACCOUNT} WHERE {IN_REGION}") == keys(day, account=ACCOUNT, region=REGION)
    assert read(f"cloudtrail_{ACCOUNT} WHERE {DAY}") == keys(day, account=ACCOUNT)
    # Every condition counts: the sets that the others are held against differ.
    sizes = (keys(day), keys(day, account=ACCOUNT), keys(day, account=ACCOUNT, region=REGION))
    assert len(sizes[0]) > len(sizes[1]) > len(sizes[2]) > 0


def test_everyone_s_day_and_region(day: list[Place], read: Callable[[str], set[str]]) -> None:
    assert read(f"cloudtrail WHERE {IN_REGION}") == keys(day, region=REGION)
    assert read(f"cloudtrail WHERE {DAY}") == keys(day)


def test_events_of_a_day(day: list[Place], read: Callable[[str], set[str]]) -> None:
    """The region cannot keep anything unread: another copy of an event may lie in another region's folder."""
    assert read(f"cloudtrail_events WHERE {DAY}") == keys(day)
    assert read(f"cloudtrail_events WHERE {IN_REGION}") == keys(day)


def test_one_account_by_condition(day: list[Place], read: Callable[[str], set[str]]) -> None:
    """The folder's account does it; the record's own, `recipientaccountid`, cannot."""
    for name in ("cloudtrail", "cloudtrail_events"):
        assert read(f"{name} WHERE {DAY} AND account = '{ACCOUNT}'") == keys(day, account=ACCOUNT)
        assert read(f"{name} WHERE {DAY} AND recipientaccountid = '{ACCOUNT}'") == keys(day)


def test_an_account_s_branch_is_alone(trino: Trino, catalog: Callable[[str], Case]) -> None:
    """Of a union's branches one is planned."""
    case = catalog("per_account")

    def stages(sql: str) -> int:
        told = trino.query(f"EXPLAIN (TYPE DISTRIBUTED) {sql}", schema=case.database)
        return len(re.findall(r"(?m)^Fragment \d+", told[0][0]))

    for name in ("cloudtrail", "cloudtrail_events"):
        assert stages(f"SELECT count(*) FROM {name} WHERE account = '{ACCOUNT}' AND year > '2025'") <= 3
    assert stages("SELECT count(*) FROM cloudtrail WHERE year > '2025'") > 50
