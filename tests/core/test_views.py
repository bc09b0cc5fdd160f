"""The names and their statements."""

import pytest

from trailhouse.core.layout import Kind
from trailhouse.core.views import kind_name, local_views


def test_all_names_of_a_lake() -> None:
    views = local_views("ct", {}, [], {Kind.CLOUDTRAIL: ["111122223333"]})
    assert [view.name for view in views] == [
        "ct_files", "ct_lake", "ct", "ct_111122223333", "ct_insight_lake", "ct_insight",
        "ct_networkactivity_lake", "ct_networkactivity", "ct_aggregated_lake", "ct_aggregated", "ct_events",
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), [(Kind.CLOUDTRAIL, "ct"), (Kind.INSIGHT, "ct_insight")])
def test_the_name_of_a_kind(kind: Kind, name: str) -> None:
    assert kind_name("ct", kind) == name


def test_no_view_takes_columns_by_star() -> None:
    views = local_views("ct", {Kind.CLOUDTRAIL: ["/a'b.parquet"]}, ["/l.parquet"], {})
    assert [view.name for view in views if "*" in view.sql] == []
    lake = next(view for view in views if view.name == "ct_lake")
    assert "'/a''b.parquet'" in lake.sql
    assert "hive_partitioning = false" in lake.sql


def test_events_are_the_lake_without_duplicates() -> None:
    events = local_views("ct", {}, [], {})[-1]
    assert events.sql.endswith("FROM ct_lake WHERE NOT duplicate")
    assert events.columns[-1].name == "eventtimestamp"
