from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from catalog.layouts import ORG, TODAY, Layout, Log
from catalog.runs import discover
from listings import MemoryLister
from trailhouse.core.deliveries import Archived, Delivery, group_by_account
from trailhouse.core.layout import Kind
from trailhouse.core.record import Record
from trailhouse.errors import AccessDeniedError, AwsError
from trailhouse.nightly.watch import Watch, _from_day

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
ONE, TWO = "000000000001", "000000000002"
BEFORE = Record("before", "trailhouse", "schedule", NOW - timedelta(days=1))


def logs(
    account: str,
    *ages: int,
    region: str = "eu-west-1",
    root: str = f"AWSLogs/{ORG}",
    kind: str = "CloudTrail",
) -> list[Log]:
    return [Log("logs", root, account, kind, region, TODAY - timedelta(days=age)) for age in ages]


def watched(
    found: list[Log], before: Record | None = None, since: date | None = None, broken: str = ""
) -> Watch:
    """A watch that has seen everything."""
    layout = Layout(found, sources=["s3://logs"])
    refused = {f"AWSLogs/{ORG}/{broken}/": AccessDeniedError("no")} if broken else {}
    lister = MemoryLister(layout.buckets, broken=refused)
    with discover(layout, lister=lister) as discovery:
        watch = Watch(discovery, NOW, before)
        assert [account for account, _ in watch.each(watch.folders(), since or TODAY - timedelta(days=40))]
    return watch


def test_the_last_day_of_each_region() -> None:
    watch = watched(
        [*logs(ONE, 0, 1, 5), *logs(ONE, 3, region="r"), *logs(ONE, 2, region="r", root="AWSLogs")]
    )
    assert watch.observed[ONE].latest == {"eu-west-1": TODAY, "r": TODAY - timedelta(days=2)}
    assert watch.observed[ONE].silences == ()


def test_other_kinds_count_where_there_is_nothing_else() -> None:
    watch = watched(
        [*logs(ONE, 3), *logs(ONE, 0, kind="CloudTrail-Insight"), *logs(TWO, 1, kind="CloudTrail-Insight")]
    )
    assert watch.observed[ONE].latest == {"eu-west-1": TODAY - timedelta(days=3)}
    assert watch.observed[TWO].latest == {"eu-west-1": TODAY - timedelta(days=1)}


def test_the_last_known_day_stays_while_there_is_a_folder() -> None:
    known = date(2026, 1, 1)
    before = replace(BEFORE, freshness={ONE: {"eu-west-1": known, "gone": known}})
    assert watched(logs(ONE, 60), before).observed[ONE].latest == {"eu-west-1": known}


def test_silences() -> None:
    regular = range(3, 30)
    watch = watched([*logs(ONE, *regular), *logs(TWO, *regular, region="r"), *logs(TWO, 0)])
    assert [one.subject for one in watch.observed[ONE].silences] == [ONE]
    assert [one.subject for one in watch.observed[TWO].silences] == [f"{TWO}/r"]


def test_a_silence_that_is_known_stays_word_for_word() -> None:
    (known,) = watched(logs(ONE, *range(3, 30))).observed[ONE].silences
    known = replace(known, what="as it was told")
    assert watched(logs(ONE, 60), replace(BEFORE, problems=(known,))).observed[ONE].silences == (known,)


def test_what_cannot_be_looked_at_is_not_judged() -> None:
    watch = watched([*logs(ONE, 0), *logs(TWO, 0)], broken=TWO)
    assert set(watch.observed) == {ONE}


def test_who_asks_gets_the_days_that_were_asked_for() -> None:
    layout = Layout(logs(ONE, 0, 5, 20), sources=["s3://logs"])
    since = TODAY - timedelta(days=6)
    with discover(layout) as discovery:
        watch = Watch(discovery, NOW, None)
        ((_, found),) = watch.each(watch.folders(), since)
        folders = group_by_account(watch.folders())[ONE]
        again = watch.deliveries(folders, since)
        everything = watch.deliveries(folders, None)
    assert not isinstance(found, AwsError)
    assert found == again
    assert [len(one.days) for one in (*found, *everything)] == [2, 3]
    assert watch.observed[ONE].latest == {"eu-west-1": TODAY}


def test_archives_are_cut_with_the_days() -> None:
    days = tuple(TODAY - timedelta(days=age) for age in (9, 6, 3))
    kept = Archived("GLACIER", days[0], days[1], restored=False)
    gone = Archived("DEEP_ARCHIVE", days[0], days[0], restored=False)
    with discover(Layout(logs(ONE, 0), sources=["s3://logs"])) as discovery:
        folder = discovery.folders()[0]
    one = Delivery(folder, Kind.CLOUDTRAIL, "r", days, (gone, kept))
    (found,) = _from_day((one,), days[1])
    assert (found.days, found.archived) == (days[1:], (kept._replace(first=days[1]),))
    assert _from_day((one,), None) == (one,)
