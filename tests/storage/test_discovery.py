import time
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import islice
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listings import ComputedLister, MemoryLister
from trailhouse.aws.session import PARALLEL
from trailhouse.core.deliveries import (
    RECORD_KINDS,
    AccountFolder,
    Archived,
    Delivery,
    Oddity,
    Stored,
    is_reachable,
    list_budget,
    window_end,
)
from trailhouse.core.layout import Kind, LogKey, classify, format_key
from trailhouse.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    NotFoundError,
    SourceError,
    ThrottledError,
)
from trailhouse.storage import Location
from trailhouse.storage.discovery import Discovery
from trailhouse.storage.listing import Lister
from trailhouse.storage.search import parse_source

A, B, C = "111122223333", "444455556666", "777788889999"
ORG = "o-abcdefghij"
TODAY = date(2026, 3, 2)
DAY = timedelta(days=1)

Place = tuple[str, str, Kind, str, date]


def log(
    root: str,
    account: str = A,
    region: str = "eu-west-1",
    day: date = TODAY,
    kind: Kind = Kind.CLOUDTRAIL,
    n: int = 1,
) -> str:
    """A key as CloudTrail writes it."""
    stamp = day.strftime("%Y%m%dT1230Z")
    year, month, number = day.strftime("%Y/%m/%d").split("/")
    return format_key(LogKey(root, account, kind, region, year, month, number, stamp, f"{n:016}"))


def discover(lister: Lister, *uris: str, **options: Any) -> Discovery:  # noqa: ANN401 - as Discovery takes them
    return Discovery(map(Location, uris), today=TODAY, lister=lambda _: lister, **options)


def everything(house: Discovery, since: date | None = None) -> list[Delivery]:
    found: list[Delivery] = []
    for _, outcome in house.each(house.folders(), since):
        assert not isinstance(outcome, AwsError)
        found += outcome
    return found


def places(found: Sequence[Delivery]) -> list[Place]:
    return [
        (one.folder.logroot, one.folder.account, one.kind, one.region, day)
        for one in found
        for day in one.days
    ]


def odd(house: Discovery) -> dict[Oddity, int]:
    return {found.oddity: found.count for found in house.oddities}


ROOTS = ["AWSLogs", f"AWSLogs/{ORG}", f"{ORG}/AWSLogs", f"{ORG}/AWSLogs/{ORG}", "p/AWSLogs", f"{A}/AWSLogs",
         "a/b/c/d/AWSLogs", "AWSLogs/AWSLogs"]  # fmt: skip


@pytest.mark.parametrize("root", ROOTS)
def test_every_spelling_of_a_source_means_the_same(root: str) -> None:
    keys = [log(root), log(root, B)]
    path = root.split("/")
    for depth in range(len(path) + 1):
        for slash in ("", "/"):
            uri = f"s3://logs/{'/'.join(path[:depth])}{slash}"
            with discover(MemoryLister({"logs": keys}), uri) as house:
                assert house.folders() == (AccountFolder("logs", root, A), AccountFolder("logs", root, B)), (
                    uri
                )
                assert house.oddities == ()


@pytest.mark.parametrize("slash", ["", "/", "//"])
@pytest.mark.parametrize("root", [*ROOTS, "copies", ""])
def test_a_source_can_be_a_part_of_an_account(root: str, slash: str) -> None:
    other = log(root, A, "eu-west-1", TODAY - 40 * DAY)
    keys = [log(root), other, log(root, B), log(root, A, "us-east-1"), log(root, kind=Kind.INSIGHT)]
    parts = log(root).split("/")[:-1]
    for depth in range(len(parts) - 5, len(parts) + 1):
        uri = f"s3://logs/{'/'.join(parts[:depth])}{slash}"
        with discover(MemoryLister({"logs": keys}), uri) as house:
            below = "/".join(parts[:depth]) + "/"
            expected = sorted(place_of("logs", key) for key in keys if key.startswith(below))
            assert sorted(places(everything(house))) == expected, uri
            expected = [place for place in expected if place[-1] == TODAY]
            assert sorted(places(everything(house, TODAY - DAY))) == expected, uri


def place_of(bucket: str, key: str) -> Place:
    found = classify(key)
    assert isinstance(found, LogKey)
    root = f"{bucket}/{found.root}".removesuffix("/")
    return (
        root,
        found.account,
        found.kind,
        found.region,
        date(int(found.year), int(found.month), int(found.day)),
    )


def test_nothing_lies_there() -> None:
    for uri in (
        "s3://logs",
        f"s3://logs/AWSLogs/{A}",
        f"s3://logs/AWSLogs/{A}/CloudTrail",
        "s3://logs/nothing",
    ):
        with discover(MemoryLister({"logs": []}), uri) as house:
            assert (house.folders(), house.oddities) == ((), ())


def test_one_account_has_several_roots_in_several_buckets() -> None:
    roots = [
        ("logs", "AWSLogs"),
        ("logs", f"AWSLogs/{ORG}"),
        ("tower", f"{ORG}/AWSLogs"),
        ("tower", f"{ORG}/AWSLogs/{ORG}"),
    ]
    buckets = {bucket: [log(root) for name, root in roots if name == bucket] for bucket in ("logs", "tower")}
    with discover(MemoryLister(buckets), "s3://logs/AWSLogs", "s3://tower") as house:
        ((account, found),) = house.each(house.folders(), TODAY)
    assert account == A
    assert not isinstance(found, AwsError)
    assert [one.location(TODAY) for one in found] == [
        f"s3://{bucket}/{root}/{A}/CloudTrail/eu-west-1/2026/03/02/" for bucket, root in roots
    ]


def test_the_same_folder_by_two_sources_counts_once() -> None:
    keys = [log("AWSLogs", region=region) for region in ("eu-west-1", "us-east-1")]
    uris = [f"s3://logs/AWSLogs/{A}/CloudTrail/eu-west-1", f"s3://logs/AWSLogs/{A}/CloudTrail/eu-west-1/2026/03",
            f"s3://logs/AWSLogs/{A}/CloudTrail/us-east-1"]  # fmt: skip
    with discover(MemoryLister({"logs": keys}), *uris) as house:
        assert [one.region for one in everything(house)] == ["eu-west-1", "us-east-1"]


def test_a_folder_that_an_earlier_run_found_needs_no_search() -> None:
    with discover(MemoryLister({"logs": [log("AWSLogs")]}), "s3://logs/AWSLogs") as house:
        (found,) = house.deliveries([AccountFolder("logs", "AWSLogs", A)], TODAY)
        assert found.days == (TODAY,)
        with pytest.raises(SourceError, match=r"s3://other/AWSLogs/111122223333/ lies in no source"):
            house.deliveries([AccountFolder("other", "AWSLogs", A)], TODAY)


def test_sources_that_are_none() -> None:
    for uri, message in [
        ("/folder", "is not in S3"),
        ("s3://", "names no bucket"),
        ("s3:///x", "names no bucket"),
        (f"s3://arn:aws:s3:eu-west-1:{A}:accesspoint/mine/AWSLogs", "give its alias"),
    ]:
        with pytest.raises(SourceError, match=message):
            parse_source(Location(uri))
    alias = parse_source(Location("s3://mine-abcdefghijklmnopqrstuvwxyz12345-s3alias/AWSLogs"))
    assert alias.bucket == "mine-abcdefghijklmnopqrstuvwxyz12345-s3alias"
    below = f"s3://logs/{log('AWSLogs')}"
    with (
        discover(MemoryLister({"logs": []}), below) as house,
        pytest.raises(SourceError, match="below a day"),
    ):
        house.folders()


@pytest.mark.parametrize(
    "root", ["foo//AWSLogs", "/AWSLogs", "a\tb/AWSLogs", "./AWSLogs", "AWSLogs/", "AWSLogs/\x01"]
)
def test_keys_that_athena_cannot_reach_are_told(root: str) -> None:
    good = log("AWSLogs", B)
    with discover(MemoryLister({"logs": [log(root), good]}), "s3://logs") as house:
        assert places(everything(house)) == [place_of("logs", good)]
        assert odd(house) == {Oddity.UNREACHABLE: 1}


@pytest.mark.parametrize("uri", ["s3://logs/foo//AWSLogs", "s3://logs/foo//AWSLogs/", "s3://logs/foo"])
def test_two_slashes_in_a_source_are_taken_as_one_and_what_lies_behind_them_is_told(uri: str) -> None:
    for keys, unreachable in (([log("foo/AWSLogs")], 0), ([log("foo//AWSLogs"), log("foo/AWSLogs")], 1)):
        with discover(MemoryLister({"logs": keys}), uri) as house:
            assert [folder.root for folder in house.folders()] == ["foo/AWSLogs"]
            assert odd(house).get(Oddity.UNREACHABLE, 0) == unreachable


def test_copies_outside_awslogs_count_where_the_source_names_them() -> None:
    keys = [log("AWSLogs", B), log("case/copies"), log(f"case/mine/{ORG}")]
    with discover(MemoryLister({"logs": keys}), "s3://logs") as house:
        assert [folder.account for folder in house.folders()] == [B]
        (found,) = house.oddities
        assert (found.oddity, found.count) == (Oddity.OUTSIDE, 2)
        assert found.samples == (f"s3://logs/case/copies/{A}/", f"s3://logs/case/mine/{ORG}/{A}/")
    with discover(MemoryLister({"logs": keys}), "s3://logs/case/copies", "s3://logs/case/mine") as house:
        assert [folder.root for folder in house.folders()] == ["case/copies", f"case/mine/{ORG}"]


def test_what_lies_beside_is_counted_and_named() -> None:
    keys = [log("AWSLogs"), log("AWSLogs", kind=Kind.DIGEST), f"AWSLogs/{A}/", f"AWSLogs/{A}/CloudTrail/",
            f"AWSLogs/{A}/CloudTrail_$folder$", f"AWSLogs/{A}/Config/eu-west-1/2026/3/2/ConfigHistory/x.json.gz",
            f"AWSLogs/{A}/vpcflowlogs/eu-west-1/2026/03/02/x.log.gz", f"AWSLogs/{A}/cloudtrail/x",
            f"AWSLogs/{A}/CloudTrail-New/eu-west-1/x", "AWSLogs/aws-account-id=1/x", f"AWSLogs/{A}/CloudTrail/x.gz",
            f"AWSLogs/{A}/CloudTrail/2026/03/02/x.json.gz", f"AWSLogs/{A}/CloudTrail/eu-west-1/2026/3/2/x.json.gz",
            f"AWSLogs/{A}/CloudTrail/eu-west-1/2026/02/31/x.json.gz", f"AWSLogs/{A}/CloudTrail/eu-west-1/old/x.gz",
            "readme.txt", "AWSLogs/readme.txt"]  # fmt: skip
    with discover(MemoryLister({"logs": keys}), "s3://logs") as house:
        assert places(everything(house)) == [place_of("logs", keys[0])]
        assert odd(house) == {
            Oddity.SERVICE: 2, Oddity.UNKNOWN: 3, Oddity.UNDATED: 4, Oddity.FILE: 2,
        }  # fmt: skip
        assert house.services == (("Config", 1), ("vpcflowlogs", 1))
        samples = {found.oddity: found.samples for found in house.oddities}
        assert samples[Oddity.FILE] == (
            f"s3://logs/AWSLogs/{A}/CloudTrail/x.gz",
            "s3://logs/AWSLogs/readme.txt",
        )


def test_kinds_are_those_of_records_unless_others_are_asked_for() -> None:
    keys = [log("AWSLogs", kind=kind) for kind in Kind]
    with discover(MemoryLister({"logs": keys}), "s3://logs") as house:
        assert {one.kind for one in everything(house)} == {*RECORD_KINDS}
    with discover(MemoryLister({"logs": keys}), "s3://logs", kinds=[Kind.DIGEST]) as house:
        assert [one.kind for one in everything(house)] == [Kind.DIGEST]


def test_the_window_reaches_to_tomorrow_and_everything_beyond() -> None:
    days = [TODAY - 90 * DAY, TODAY - 89 * DAY, TODAY, TODAY + DAY, TODAY + 2 * DAY, TODAY + 999 * DAY]
    keys = [*(log("AWSLogs", day=day) for day in days), log("AWSLogs", region="xx-quiet-1", day=days[0])]
    with discover(MemoryLister({"logs": keys}), "s3://logs") as house:
        assert [one.days for one in everything(house, TODAY - 89 * DAY)] == [tuple(days[1:4]), ()]
        assert [one.days for one in everything(house)] == [tuple(days), (days[0],)]


def test_the_ends_alone_take_few_calls() -> None:
    days = [TODAY - 40 * number * DAY for number in range(40)]
    keys = [*(log("AWSLogs", day=day) for day in days), f"AWSLogs/{A}/CloudTrail/eu-west-1/2026/99/01/x.gz",
            f"AWSLogs/{A}/CloudTrail/eu-west-1/0000/01/01/x.gz"]  # fmt: skip
    lister = MemoryLister({"logs": keys})
    with discover(lister, "s3://logs/AWSLogs", ends=True, archive=False) as house:
        (found,) = everything(house)
        assert (found.days[0], found.days[-1]) == (days[-1], days[0])
        assert odd(house) == {Oddity.UNDATED: 2}
    assert lister.calls <= 1 + 2 + 7


def test_the_search_for_awslogs_is_limited_and_says_so() -> None:
    keys = [*(f"data/{number}/x" for number in range(400)), log("a/b/c/d/e/AWSLogs"), log("AWSLogs")]
    lister = MemoryLister({"logs": keys})
    with discover(lister, "s3://logs") as house:
        assert [folder.root for folder in house.folders()] == ["AWSLogs"]
        assert odd(house)[Oddity.UNSEARCHED] >= 140
    assert lister.calls < 270
    keys = [*(f"{number:05}/x" for number in range(10_500)), log("AWSLogs")]
    with discover(MemoryLister({"logs": keys}), "s3://logs") as house:
        assert [folder.root for folder in house.folders()] == ["AWSLogs"]


def test_folders_that_may_not_be_listed() -> None:
    denied = AccessDeniedError("no", code="AccessDenied")
    keys = [log("AWSLogs"), "private/x"]
    with discover(MemoryLister({"logs": keys}, broken={"private/": denied}), "s3://logs") as house:
        assert len(house.folders()) == 1
        assert odd(house) == {Oddity.CLOSED: 1}
    for prefix in ("", "AWSLogs/"):
        with discover(MemoryLister({"logs": keys}, broken={prefix: denied}), "s3://logs") as house:
            with pytest.raises(AccessDeniedError):
                house.folders()
            assert house.survey() == ((), (("s3://logs", denied),))


def test_one_failing_source_is_told_and_the_others_go_on() -> None:
    gone = NotFoundError("gone")
    lister = MemoryLister({"logs": [log("AWSLogs")], "gone": []}, broken={"x/": gone})
    with discover(lister, "s3://gone/x", "s3://logs") as house:
        assert house.survey() == ((AccountFolder("logs", "AWSLogs", A),), (("s3://gone/x", gone),))


def test_one_failing_account_does_not_stop_the_others() -> None:
    keys = [log("AWSLogs", account, region) for account in (A, B, C) for region in ("eu-west-1", "us-east-1")]
    broken = {
        f"AWSLogs/{A}/": AccessDeniedError("no"),
        f"AWSLogs/{B}/CloudTrail/us-east-1/2026/03/": ThrottledError("slow"),
    }
    with discover(MemoryLister({"logs": keys}, broken=broken), "s3://logs/AWSLogs") as house:
        outcomes = [*house.each(house.folders(), TODAY)]
        assert outcomes[0] == (A, broken[f"AWSLogs/{A}/"])
        assert outcomes[1] == (B, broken[f"AWSLogs/{B}/CloudTrail/us-east-1/2026/03/"])
        assert outcomes[2][0] == C
        assert not isinstance(outcomes[2][1], AwsError)
    expired = {f"AWSLogs/{A}/": CredentialsError("expired")}
    lister = MemoryLister({"logs": keys}, broken=expired)
    with discover(lister, "s3://logs/AWSLogs") as house, pytest.raises(CredentialsError):
        [*house.each(house.folders(), TODAY)]


def test_accounts_come_in_order_and_only_some_are_fetched_ahead() -> None:
    accounts = [f"{number:012}" for number in range(200)]
    lister = ComputedLister(accounts, ["eu-west-1"], [TODAY])
    with discover(lister, "s3://logs/AWSLogs") as house:
        folders = house.folders()[::-1]
        before = lister.calls
        stream = house.each(folders, TODAY)
        assert [account for account, _ in islice(stream, 3)] == accounts[:3]
        stream.close()  # type: ignore[attr-defined]  # a generator
    assert lister.calls - before <= 40 * 5


def test_calls_go_side_by_side_but_not_more_than_a_client_has_connections() -> None:
    accounts, regions = [f"{number:012}" for number in range(30)], [f"eu-west-{n}" for n in range(8)]
    lister = ComputedLister(accounts, regions, [TODAY], latency=0.002)
    with discover(lister, "s3://logs") as house:
        everything(house, TODAY)
    assert 8 < lister.most <= PARALLEL


def test_list_calls_stay_within_the_budget() -> None:
    accounts, regions = [f"{number:012}" for number in range(20)], [f"eu-west-{n}" for n in range(1, 6)]
    for days, expected in ((10, 4), (90, 6)):
        lister = ComputedLister(accounts, regions, [TODAY - number * DAY for number in range(days)])
        with discover(lister, "s3://logs") as house:
            folders = house.folders()
            assert lister.calls == 3  # the bucket, AWSLogs, the organization
            found = everything(house, TODAY - (days - 1) * DAY)
        assert (len(found), {len(one.days) for one in found}) == (100, {days})
        assert lister.calls - 3 <= len(folders) * list_budget(len(regions), days)
        assert lister.calls - 3 <= len(folders) * (3 + expected * len(regions))


def test_the_archive_is_found_by_age_with_few_calls() -> None:
    regions, days = (
        ["eu-west-1", "eu-west-2", "us-east-1"],
        [TODAY - number * DAY for number in range(90)][::-1],
    )
    keys = [log("AWSLogs", A, region, day, n=n) for region in regions for day in days for n in range(3)]

    def stored(key: str) -> Stored:
        day = place_of("logs", key)[-1]
        large = key.endswith("2.json.gz")  # small objects are not moved
        deep, cold = TODAY - 60 * DAY, TODAY - 30 * DAY
        return (
            Stored("DEEP_ARCHIVE" if day < deep else "GLACIER", restored=day > deep)
            if large and day < cold
            else Stored("STANDARD")
        )

    lister = MemoryLister({"logs": keys}, stored=stored)
    with discover(lister, "s3://logs/AWSLogs") as house:
        found = everything(house, days[0])
    expected = (
        Archived("DEEP_ARCHIVE", days[0], TODAY - 61 * DAY, restored=False),
        Archived("GLACIER", TODAY - 60 * DAY, TODAY - 31 * DAY, restored=False),
    )
    assert [one.archived for one in found] == [expected] * 3
    assert lister.calls <= 1 + list_budget(3) + 2 + 2 * 7 + 2 * 5
    with discover(MemoryLister({"logs": keys}, stored=stored), "s3://logs/AWSLogs", archive=False) as house:
        assert {one.archived for one in everything(house, days[0])} == {()}


# Layouts against a plain listing of every key.

_prefixes = st.sampled_from(
    ["", "p/", "team/prod/", f"{ORG}/", f"{A}/", f"team/{A}/", "AWSLogs/", "p//", "/", "a\nb/", "./"]
)
_roots = st.builds(
    lambda prefix, awslogs, organization: f"{prefix}{awslogs}{organization}".removesuffix("/"),
    _prefixes,
    st.sampled_from(["AWSLogs/", "AWSLogs/", "AWSLogs/", ""]),
    st.sampled_from(["", f"{ORG}/"]),
)
_days = st.sampled_from([TODAY - n * DAY for n in (-400, -2, -1, 0, 1, 2, 31, 60, 89, 90, 400)])
_regions = st.sampled_from(
    ["eu-west-1", "us-gov-west-1", "cn-north-1", "xx-new-99", "ü", "a b", "2026", "tab\t"]
)
_logs = st.builds(
    log, _roots, st.sampled_from([A, B]), _regions, _days, st.sampled_from(Kind), st.integers(1, 2)
)
_strangers = st.builds(
    "{}/{}".format,
    _roots,
    st.sampled_from([
        "", "notes.txt", "AAAABBBBCCCC/CloudTrail/x", f"{A}/", f"{A}/CloudTrail/", f"{A}/CloudTrail_$folder$",
        f"{A}/Config/eu-west-1/2026/3/2/ConfigHistory/x.json.gz", f"{A}/vpcflowlogs/eu-west-1/2026/03/02/x.log.gz",
        f"{A}/CloudTrail/eu-west-1/2026/3/2/x.json.gz", f"{A}/CloudTrail/eu-west-1/2026/02/30/x.json.gz",
        f"{A}/CloudTrail/eu-west-1/2026/x.json.gz", f"{A}/CloudTrail/2026/03/02/x.json.gz", f"{A}/CloudTrail//x",
        f"{A}/cloudtrail/eu-west-1/2026/03/02/x.json.gz",
    ]),
)  # fmt: skip
_keys = st.lists(_logs | _logs | _strangers, min_size=1, max_size=14)
_EXPLAINED = {Oddity.UNREACHABLE, Oddity.OUTSIDE, Oddity.UNKNOWN}


def is_inside(root: list[str]) -> bool:
    return root[-1:] == ["AWSLogs"] or (root[-2:-1] == ["AWSLogs"] and root[-1] == ORG)


def in_reach(key: str, source: list[str]) -> bool:
    """Whether a log's folder is one that the source means: in AWSLogs, or where the source names it."""
    parts = key.split("/")
    if not all(map(is_reachable, parts[:-1])):
        return False
    root = parts[:-7]
    below = root[len(source) :]
    return len(root) < len(source) or is_inside(root) or below in ([], [ORG])


@settings(max_examples=120)
@given(_keys, st.data())
def test_every_log_lies_under_exactly_one_day_found(keys: list[str], data: st.DataObject) -> None:
    compare_with_a_plain_listing(keys, data)


@pytest.mark.slow
@settings(max_examples=2000)
@given(_keys, st.data())
def test_every_log_of_many_layouts_lies_under_exactly_one_day_found(
    keys: list[str], data: st.DataObject
) -> None:
    compare_with_a_plain_listing(keys, data)


def compare_with_a_plain_listing(keys: list[str], data: st.DataObject) -> None:
    folder = data.draw(st.sampled_from(keys)).split("/")[:-1]
    source = folder[: data.draw(st.integers(0, len(folder)))]
    while not all(source):
        source.pop()  # of what is written with two slashes there are tests above
    since = data.draw(st.sampled_from([None, TODAY - 31 * DAY, TODAY - 89 * DAY, TODAY + DAY]))
    prefix = "".join(f"{part}/" for part in source)
    wanted = [
        key
        for key in keys
        if key.startswith(prefix)
        and isinstance(found := classify(key), LogKey)
        and found.kind in RECORD_KINDS
        and (since is None or since <= place_of("b", key)[-1] <= window_end(TODAY))
    ]
    with discover(
        MemoryLister({"b": keys}), f"s3://b/{prefix}"[: data.draw(st.sampled_from([None, -1]))]
    ) as house:
        deliveries = everything(house, since)
        oddities = {found.oddity for found in house.oddities}
    days = places(deliveries)
    assert len(days) == len(set(days))
    assert set(days) >= {place_of("b", key) for key in wanted if in_reach(key, source)}
    day_folders = [one.location(day) for one in deliveries for day in one.days]
    for key in wanted:
        above = [place for place in day_folders if f"s3://b/{key}".startswith(place)]
        assert len(above) == in_reach(key, source)
        assert above or oddities & _EXPLAINED
    for place in day_folders:
        assert any(f"s3://b/{key}".startswith(place) for key in keys)
        assert place.startswith(f"s3://b/{prefix}")
        assert "//" not in place.removeprefix("s3://")


@pytest.mark.soak
def test_an_organization_of_a_thousand_accounts_in_a_night() -> None:
    accounts, regions = [f"{number:012}" for number in range(1000)], [f"eu-west-{n}" for n in range(20)]
    lister = ComputedLister(accounts, regions, [TODAY - n * DAY for n in range(90)], latency=0.02)
    process, started = psutil.Process(), time.monotonic()
    before = process.memory_info().rss
    with discover(lister, "s3://logs") as house:
        folders = house.folders()
        for since in (TODAY - 31 * DAY, TODAY - 89 * DAY):
            lister.calls, found = 0, 0
            for _, outcome in house.each(folders, since):
                assert not isinstance(outcome, AwsError)
                found += sum(len(one.days) for one in outcome)
            assert found == 20_000 * ((TODAY - since).days + 1)
            print(
                f"{lister.calls:,} LISTs in {time.monotonic() - started:.0f} s, CPU {process.cpu_times().user:.0f} s"
            )
            assert lister.calls <= 1000 * list_budget(len(regions), (TODAY - since).days + 1)
    assert process.memory_info().rss - before < 64 << 20
