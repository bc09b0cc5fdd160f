"""The corpus in four catalogs, and the local product's answers about it; each once a session, when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import trailhouse
from evidence.catalogs import CORPUS, FEW, Case, apply, leave_behind, places, reading
from evidence.rows import of_arrow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bed.trino import Trino
    from evidence.rows import Row

# Days of delivery, accounts: what can be projected, two roots, two regions on a day, and records of two accounts.
DAYS = ("2023/07/10", "2024/01/15", "2024/08/01")
ACCOUNTS = ("123837392027", "123456789012", "111111111111", "309303190113", "017622104382")
SHAPES = ("per_account", "single", "projected", "adopted")
# Partitions of today and tomorrow in every region have no files and take long to list; the corpus ends in 2025.
_HELD = "year < '2026'"


@pytest.fixture(scope="session")
def bucket(trino: Trino, corpus: Path) -> str:
    """The corpus."""
    return trino.load(CORPUS, corpus)


@pytest.fixture(scope="session")
def catalog(trino: Trino, bucket: str) -> Callable[[str], Case]:
    """A catalog of a shape, applied when it is first asked for."""
    made: dict[str, Case] = {}
    makers = {"adopted": _adopted, "projected": _projected}

    def of(shape: str) -> Case:
        if shape not in made:
            made[shape] = makers.get(shape, _registered)(trino, bucket, shape)
        return made[shape]

    return of


@pytest.fixture(params=SHAPES)
def case(request: pytest.FixtureRequest, catalog: Callable[[str], Case]) -> Case:
    """Each catalog."""
    return catalog(request.param)


@pytest.fixture(scope="session")
def house(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[trailhouse.Trailhouse]:
    """The local product on the corpus."""
    with trailhouse.open(str(corpus), workdir=tmp_path_factory.mktemp("lake")) as opened:
        yield opened


@pytest.fixture(scope="session")
def local(house: trailhouse.Trailhouse, trino: Trino) -> Callable[[str, str], list[Row]]:
    """All rows of a name, as the local product has them of a bucket."""
    read: dict[str, list[Row]] = {}

    def of(name: str, within: str = CORPUS) -> list[Row]:
        if name not in read:
            read[name] = of_arrow(house.query(f"SELECT * FROM {name}").arrow())
        keys = {place.key for place in places(trino.aws, within)}
        return [row for row in read[name] if row["logfile"] in keys]

    return of


def _registered(trino: Trino, bucket: str, shape: str) -> Case:
    apply(trino.aws, bucket, database=f"evidence_{shape}", tables=shape)
    return Case(f"evidence_{shape}", bucket, _HELD)


def _adopted(trino: Trino, bucket: str, _shape: str) -> Case:
    """After cloudtrail-partitioner, with a configuration that says nothing."""
    database = "evidence_adopted"
    count = leave_behind(trino.aws, bucket, database)
    apply(trino.aws, bucket, "--adopt", "--adopt-count", str(count), database=database)
    return Case(database, bucket, _HELD)


def _projected(trino: Trino, bucket: str, _shape: str) -> Case:
    """Part of the corpus: projection is for few accounts and years."""
    every = trino.aws.buckets.all[bucket].objects
    held = [place for place in places(trino.aws, bucket) if place.account in ACCOUNTS and place.day in DAYS]
    trino.aws.bucket(FEW, ((place.key, every[place.key].body) for place in held))
    database = "evidence_projected"
    apply(trino.aws, FEW, database=database, tables="single", partitions="projected")
    return Case(database, FEW, reading(held))
