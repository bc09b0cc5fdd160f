import json
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from statistics import median
from types import SimpleNamespace

from trailhouse.core.layout import Kind, LogKey, classify

STAMP = re.compile(r"_(\d{8}T\d{4}Z)")


def stamp(key: str) -> datetime:
    match = STAMP.search(key.rpartition("/")[2])
    assert match
    return datetime.strptime(match[1], "%Y%m%dT%H%MZ").replace(tzinfo=UTC)


def moment(record: dict[str, str]) -> datetime:
    return datetime.strptime(record["eventTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def copies(demo: SimpleNamespace) -> dict[str, list[str]]:
    """Keys by event id, of events that were delivered more than once."""
    keys = defaultdict(list)
    for key, record in demo.records:
        keys[record.get("eventID"), record["eventName"]].append(key)
    return {id_: found for (id_, _), found in keys.items() if id_ and len(found) > 1}


def test_keys_are_what_the_layout_knows(demo: SimpleNamespace) -> None:
    kinds = Counter()
    for key in demo.keys:
        classified = classify(key)
        if isinstance(classified, LogKey):
            kinds[classified.kind] += 1
            assert f"/{classified.account}/{classified.kind}/{classified.region}/" in key
        else:
            assert "/CloudTrail" not in key
    assert set(kinds) == set(Kind)


def test_twelve_accounts_one_with_a_leading_zero(demo: SimpleNamespace) -> None:
    accounts = demo.truth.document["by_account"]
    assert len(accounts) == 12
    assert sum(number.startswith("0") for number in accounts) == 1


def test_one_account_moves_from_the_plain_root_to_the_organizations(demo: SimpleNamespace) -> None:
    first: dict[tuple[str, bool], datetime] = {}
    last: dict[tuple[str, bool], datetime] = {}
    for key, record in demo.records:
        at = re.search(r"(\d{12})/CloudTrail", key)
        assert at
        plain = at[1], key.startswith(f"AWSLogs/{at[1]}/")
        first[plain] = min(first.get(plain, moment(record)), moment(record))
        last[plain] = max(last.get(plain, moment(record)), moment(record))
    moved = [number for number, plain in first if plain and last[number, True] < first[number, False]]
    assert len(moved) == 1


def test_second_trails_repeat_management_events_word_for_word(demo: SimpleNamespace) -> None:
    texts = defaultdict(set)
    for _, record in demo.records:
        texts[record.get("eventID")].add(json.dumps(record))
    repeated = copies(demo)
    assert len(repeated) > 300
    assert all(len(texts[id_]) == 1 for id_ in repeated)
    shapes = Counter(len(found) for found in repeated.values())
    assert set(shapes) == {2}
    data = {record.get("eventID") for _, record in demo.records if record.get("eventCategory") == "Data"}
    assert not data & set(repeated)


def test_copies_lie_in_one_root_or_two_with_equal_stamps_or_others(demo: SimpleNamespace) -> None:
    pairs = list(copies(demo).values())
    roots = {len({key.split("/CloudTrail/")[0] for key in found}) for found in pairs}
    assert roots == {1, 2}
    late = {max(map(stamp, found)) - min(map(stamp, found)) for found in pairs}
    assert {timedelta(0), timedelta(minutes=5), timedelta(minutes=10)} <= late


def test_some_copies_lie_on_either_side_of_midnight(demo: SimpleNamespace) -> None:
    assert any(len({stamp(key).date() for key in found}) == 2 for found in copies(demo).values())


def test_files_are_delivered_minutes_after_their_events_but_for_late_ones(demo: SimpleNamespace) -> None:
    delays = sorted((stamp(key) - moment(record)) for key, record in demo.records)
    assert timedelta(minutes=2) < delays[0]
    assert timedelta(minutes=3) < median(delays) < timedelta(minutes=9)
    late = [delay for delay in delays if delay > timedelta(hours=1)]
    document = demo.truth.document
    assert len(late) == document["late_records"] > 0
    assert document["late_files"] == len(
        {k for k, r in demo.records if stamp(k) - moment(r) > timedelta(hours=1)}
    )


def test_records_a_file(demo: SimpleNamespace) -> None:
    sizes = Counter(key for key, _ in demo.records).values()
    assert 2 <= median(sizes) <= 20
    assert max(sizes) > 80


def test_some_files_are_not_in_the_order_of_time(demo: SimpleNamespace) -> None:
    times = defaultdict(list)
    for key, record in demo.records:
        times[key].append(moment(record))
    several = [found for found in times.values() if len(found) > 4]
    share = sum(found != sorted(found) for found in several) / len(several)
    assert 0.2 < share < 0.9


def test_global_events_in_other_region_folders(demo: SimpleNamespace) -> None:
    assert any(r["awsRegion"] == "us-east-1" and "/us-east-1/" not in key for key, r in demo.records)


def test_curious_files(demo: SimpleNamespace) -> None:
    names = [key.rpartition("/")[2] for key in demo.keys if "/CloudTrail/" in key]
    assert any(name.endswith(".json") for name in names)
    assert any(name.endswith("Z.json.gz") for name in names)
    assert any(re.search(r"Z[A-Za-z0-9]{16}\.json\.gz$", name) for name in names)
    delivered = {key for key, _ in demo.records}
    assert [key for key in demo.keys if "/CloudTrail/" in key and key not in delivered]
