"""Athena for programs, by one call. The runs are scripted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import trailhouse
from bed.athena import Table
from engine.catalogs import DATABASE, Elsewhere, started
from trailhouse.errors import LimitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.emulator


@pytest.fixture
def catalog(monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    with started() as found:
        for name, value in found.aws.environment().items():
            monkeypatch.setenv(name, value)
        yield found


def test_a_question_is_priced_asked_and_explained(catalog: Elsewhere) -> None:
    with trailhouse.connect(
        database=DATABASE, accounts="111122223333", since="2023-07-11", late="0s"
    ) as house:
        result = house.query("SELECT count(*) AS n FROM cloudtrail WHERE eventname = :name", name="o'hara")
        assert (list(result), result.columns) == ([{"n": 1}], ["n"])
        assert "eventname = 'o''hara'" in catalog.asked[0]
        assert house.price(result.statement).partitions == 4
        assert house.tables()["cloudtrail_111122223333"][0] == ("eventtime", "string")
        catalog.table = Table([("n", "bigint")], [])
        none = house.query("SELECT eventname AS n FROM cloudtrail WHERE year = '2024'")
        assert "registered are days from" in house.explain(none.statement, none.arrow().num_rows)[0]
        about = house.provenance(none.statement, house._now)
        assert about.run["workgroup"] == "primary"


def test_a_limit_holds(catalog: Elsewhere) -> None:
    house = trailhouse.connect(database=DATABASE, max_scan="1kB")
    with pytest.raises(LimitError, match=r"--max-scan is 1\.0 kB"):
        house.query("SELECT * FROM cloudtrail")
    assert catalog.athena.runs == {}


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(UsageError, match="max_scan: 'x' is no size"):
        trailhouse.connect(max_scan="x")
    with pytest.raises(UsageError, match="no Trino is named"):
        trailhouse.connect("trino")
    with pytest.raises(UsageError, match="account ids have 12 digits"):
        trailhouse.connect(accounts="1")
