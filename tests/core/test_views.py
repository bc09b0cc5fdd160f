"""The names and their statements."""

from datetime import date

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhouse.core import views
from trailhouse.core.layout import Kind
from trailhouse.core.schema import events_columns, view_columns
from trailhouse.core.views import hybrid_events_view, hybrid_view, kind_name, local_views, named_tables


def test_all_names_of_a_lake() -> None:
    made = local_views("ct", {}, [], {Kind.CLOUDTRAIL: ["111122223333"]})
    assert [view.name for view in made] == [
        "ct_files", "ct_lake", "ct", "ct_111122223333", "ct_insight_lake", "ct_insight",
        "ct_networkactivity_lake", "ct_networkactivity", "ct_aggregated_lake", "ct_aggregated", "ct_events",
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), [(Kind.CLOUDTRAIL, "ct"), (Kind.INSIGHT, "ct_insight")])
def test_the_name_of_a_kind(kind: Kind, name: str) -> None:
    assert kind_name("ct", kind) == name


def test_no_view_takes_columns_by_star() -> None:
    made = local_views("ct", {Kind.CLOUDTRAIL: ["/a'b.parquet"]}, ["/l.parquet"], {})
    assert [view.name for view in made if "*" in view.sql] == []
    lake = next(view for view in made if view.name == "ct_lake")
    assert "'/a''b.parquet'" in lake.sql
    assert "hive_partitioning = false" in lake.sql


def test_events_are_the_lake_without_duplicates() -> None:
    events = local_views("ct", {}, [], {})[-1]
    assert events.sql.endswith("FROM ct_lake WHERE NOT duplicate")
    assert events.columns[-1].name == "eventtimestamp"


@given(st.dates(min_value=date(1, 1, 1)), st.dates(min_value=date(1, 1, 1)))
def test_every_day_is_on_one_side_of_the_watermark(day: date, watermark: date) -> None:
    found = duckdb.execute(
        f"SELECT {views._before(watermark)}, {views._since(watermark)} "
        f"FROM (SELECT '{day.year:04}' AS year, '{day.month:02}' AS month, '{day.day:02}' AS day)"
    ).fetchall()
    assert found == [(day < watermark, day >= watermark)]


@pytest.mark.parametrize("accounts", [None, ["111122223333", "444455556666"]])
def test_hybrid_views_take_sealed_days_from_the_lake(accounts: list[str] | None) -> None:
    raw = {"ct_raw"} if accounts is None else {f"ct_{account}" for account in accounts}
    records = hybrid_view("db", "ct", accounts, date(2026, 3, 9))
    events = hybrid_events_view("db", "ct", accounts, date(2026, 3, 9))
    assert (records.name, records.columns) == ("ct", view_columns(Kind.CLOUDTRAIL))
    assert (events.name, events.columns) == ("ct_events", events_columns())
    for view in (records, events):
        assert "*" not in view.sql
        assert named_tables(view.sql) == {"ct_lake", *raw}
        assert view.sql.count("day >= '09'") == len(raw)
        assert view.sql.count("day < '09'") == 1
    assert events.sql.count("NOT duplicate") == 1
