"""The whole run with a real Trino behind Athena's API: what can be confirmed there is, the rest is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bed.athena import Front, StrictAthena
from selftest.athena_words import MISSING, spoken
from selftest.rig import BUCKET, Rig
from trailhouse.selftest import CHECKS
from trailhouse.selftest.check import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed.trino import Trino
    from trailhouse.selftest.runner import Run

pytestmark = [pytest.mark.trino, pytest.mark.emulator, pytest.mark.timeout(1500)]

OTHERWISE = {
    "reading.text_object": "Trino's reader fails on an object where text is declared",
    "reading.archived": "Trino opens archived objects",
    "reading.restored_flag": "likewise",
    "partitions.tail": "Trino matches columns of JSON by name",
    "partitions.swapped": "likewise",
    "partitions.struct": "likewise",
    "partitions.double_slash": "Trino takes // as it is",
    "projection.space": "Trino trims an enum's values",
    "projection.years_ago": "Trino knows days and smaller units only",
    "sql.zoned_view": "Trino's views take times with a zone",
    "sql.view_keys": "Trino writes keys of its own",
    "iceberg.time": "the stand-in's table keeps microseconds",
    "iceberg.many": "Trino allows more than 100 writers",
}
"""What Trino is known to do in another way than Athena is said to."""

UNASKED = {
    "shapes.listed_columns", "partitions.listed", "iceberg.optimize", "iceberg.vacuum", "limits.metadata_rows",
    "limits.glue_partitions", "limits.public_keys",
}  # fmt: skip
"""Statements that only Athena has, and services that no emulator has."""


@pytest.fixture(scope="module")
def done(trino: Trino) -> Iterator[tuple[Rig, Run]]:
    with (
        pytest.MonkeyPatch.context() as patch,
        Front(trino.aws, StrictAthena(spoken(trino), looks=0)) as front,
    ):
        for name, value in front.environment(trino.aws).items():
            patch.setenv(name, value)
        patch.setenv("AWS_MAX_ATTEMPTS", "2")
        patch.setattr("trailhouse.engine.athena.FIRST_PAUSE", 0.01)
        trino.aws.bucket(BUCKET)
        rig = Rig(front.url, trino.aws)
        yield rig, rig.run()


def test_every_check_ends_as_it_must_on_trino(done: tuple[Rig, Run]) -> None:
    _, run = done
    expected = {check.id: Verdict.CONFIRMED for check in CHECKS}
    expected |= dict.fromkeys(OTHERWISE, Verdict.REFUTED) | dict.fromkeys(UNASKED, Verdict.NOT_RUN)
    unlike = {
        one.check: (one.verdict, one.seen) for one in run.outcomes if one.verdict != expected[one.check]
    }
    assert not unlike
    assert len(run.outcomes) == len(CHECKS)


def test_what_the_stand_in_lacks_is_named(done: tuple[Rig, Run]) -> None:
    _, run = done
    seen = {one.check: one.seen for one in run.outcomes}
    for check, statement in (("iceberg.optimize", "OPTIMIZE"), ("iceberg.vacuum", "VACUUM")):
        assert f"{MISSING} {statement}" in seen[check]


def test_it_keeps_its_price_and_leaves_nothing(done: tuple[Rig, Run]) -> None:
    rig, run = done
    assert run.purse.spent < run.purse.limit
    assert not run.stopped
    assert run.left.things == []
    assert not [key for key in rig.aws.buckets.all[BUCKET].objects if key.startswith("trailhouse-selftest/")]
    assert rig.place.database not in rig.databases()
