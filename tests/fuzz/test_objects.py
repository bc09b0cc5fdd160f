"""Hostile objects: every good record is found, nothing else is, and every object gets its verdict."""

import random
from dataclasses import replace

import pytest

from fuzz.objects import Hostile, hostile_objects
from trailhouse.core.layout import Kind
from trailhouse.lake.reader import DEFAULT_LIMITS, Delivery, Limits, Verdict, read

pytestmark = pytest.mark.slow

SMALL = Limits(whole=3000, window=1500, most=8 << 20)
SLOW = ("bomb", "absurd nesting")


def read_all(
    hostiles: list[Hostile], limits: Limits = DEFAULT_LIMITS, chunk: int = 1 << 20
) -> tuple[dict[int, list[str]], dict[int, Verdict]]:
    """Ids and verdict of each object, by number."""
    deliveries = (
        Delivery(
            number,
            Kind.CLOUDTRAIL if hostile.claimed else None,
            [hostile.stored[i : i + chunk] for i in range(0, len(hostile.stored), chunk)],
        )
        for number, hostile in enumerate(hostiles)
    )
    ids: dict[int, list[str]] = {number: [] for number in range(len(hostiles))}
    verdicts: dict[int, Verdict] = {}
    for reading in read(deliveries, limits=limits, batch_bytes=1 << 20):
        for batch in reading.batches.values():
            batch.validate(full=True)
            pairs = zip(batch.column("object").to_pylist(), batch.column("eventid").to_pylist(), strict=True)
            for number, event_id in pairs:
                ids[number].append(event_id)
        verdicts |= {verdict.number: verdict for verdict in reading.verdicts}
    return ids, verdicts


def in_windows(hostile: Hostile) -> Hostile:
    """What is known of an object that is read in windows.

    Other members between two lists may look like a fault, and a broken line that has a window to itself claims
    nothing where no key does.
    """
    unsure = hostile.name == "Records twice" or (hostile.name == "lines" and not hostile.claimed)
    return replace(hostile, flawed=None) if unsure else hostile


def check(hostiles: list[Hostile], ids: dict[int, list[str]], verdicts: dict[int, Verdict]) -> None:
    for number, hostile in enumerate(hostiles):
        verdict = verdicts[number]
        place = (hostile.name, number, [flaw.reason for flaw in verdict.flaws], hostile.stored[:2000])
        assert tuple(ids[number]) == hostile.good, place
        assert verdict.records == len(hostile.good), place
        assert verdict.stored_bytes == len(hostile.stored), place
        if hostile.flawed is not None:
            assert bool(verdict.misfits) == hostile.flawed, place
        assert bool(verdict.form) == bool(
            hostile.good or verdict.misfits or (hostile.claimed and verdict.form)
        ), place


@pytest.mark.parametrize("part", range(10))
def test_a_thousand_hostile_objects(part: int) -> None:
    hostiles = list(hostile_objects(seed=part, count=100))
    check(hostiles, *read_all(hostiles))
    assert sum(len(hostile.good) for hostile in hostiles) > 200


def test_hostile_objects_in_windows_and_chunks() -> None:
    hostiles = [h for h in hostile_objects(seed=2, count=400) if h.name not in SLOW]
    check([in_windows(h) for h in hostiles], *read_all(hostiles, SMALL, chunk=700))


def test_the_same_seed_gives_the_same_objects() -> None:
    assert list(hostile_objects(3, 60)) == list(hostile_objects(3, 60))
    assert list(hostile_objects(3, 60)) != list(hostile_objects(4, 60))


def test_any_change_of_any_byte_is_survived() -> None:
    dice = random.Random(5)
    for hostile in hostile_objects(seed=5, count=300):
        stored = bytearray(hostile.stored)
        for _ in range(dice.randint(1, 4)):
            if stored:
                stored[dice.randrange(len(stored))] = dice.randrange(256)
        changed = Hostile(hostile.name, bytes(stored), (), None, hostile.claimed)
        ids, verdicts = read_all([changed])
        assert len(ids[0]) == verdicts[0].records


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(20))
def test_twenty_thousand_hostile_objects(part: int) -> None:
    hostiles = list(hostile_objects(seed=1000 + part, count=1000))
    check(hostiles, *read_all(hostiles))
    small = [hostile for hostile in hostiles if hostile.name not in SLOW]
    check([in_windows(hostile) for hostile in small], *read_all(small, SMALL, chunk=700))
