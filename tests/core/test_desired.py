from __future__ import annotations

import base64
import json
from datetime import date, timedelta

import pytest

from trailhouse.core import desired
from trailhouse.core.deliveries import AccountFolder, Delivery
from trailhouse.core.desired import Design, Projection
from trailhouse.core.layout import Kind
from trailhouse.core.state import Shape

A, B = "111122223333", "444455556666"
TODAY = date(2026, 3, 2)
DAY = timedelta(days=1)
FOLDER = AccountFolder("logs", "p/AWSLogs", A)


def design(shape: Shape, **options: bool) -> Design:
    return Design("d", "cloudtrail", shape, **options)


def test_today_and_tomorrow_everywhere_and_every_day_that_has_logs() -> None:
    other = AccountFolder("logs", "p/AWSLogs/o-abcdefghij", A)
    deliveries = [
        Delivery(FOLDER, Kind.CLOUDTRAIL, "eu-west-1", (TODAY - 9 * DAY, TODAY)),
        Delivery(other, Kind.CLOUDTRAIL, "xx-new-1", ()),
        Delivery(FOLDER, Kind.INSIGHT, "sa-east-1", (TODAY,)),
    ]
    shape = design(Shape.PER_ACCOUNT)
    made = desired.partitions(shape, Kind.CLOUDTRAIL, deliveries, TODAY, ["us-east-1"])
    near = [("2026", "03", "02"), ("2026", "03", "03")]
    roots = ("logs/p/AWSLogs", "logs/p/AWSLogs/o-abcdefghij")
    everywhere = {
        (r, *day, root) for r in ("eu-west-1", "us-east-1", "xx-new-1") for day in near for root in roots
    }
    assert set(made) == everywhere | {("eu-west-1", "2026", "02", "21", "logs/p/AWSLogs")}
    one = made["eu-west-1", "2026", "02", "21", "logs/p/AWSLogs"]
    assert one.location == f"s3://logs/p/AWSLogs/{A}/CloudTrail/eu-west-1/2026/02/21/"
    single = desired.partitions(design(Shape.SINGLE), Kind.CLOUDTRAIL, deliveries, TODAY, ["us-east-1"])
    assert set(single) == {(A, *values) for values in made}


def test_raw_tables() -> None:
    table = desired.raw_table(design(Shape.PER_ACCOUNT), Kind.INSIGHT, FOLDER)
    assert (table.name, table.location) == (
        f"cloudtrail_insight_{A}", f"s3://logs/p/AWSLogs/{A}/CloudTrail-Insight/",
    )  # fmt: skip
    assert dict(table.parameters)["read_restored_glacier_objects"] == "true"
    single = desired.raw_table(design(Shape.SINGLE), Kind.CLOUDTRAIL, FOLDER)
    assert (single.name, single.location, single.keys[0]) == (
        "cloudtrail_raw",
        "s3://logs/p/AWSLogs/",
        "account",
    )
    assert single.indexes == (("account", "year", "month", "day"), ("year", "month", "day"))
    assert dict(single.parameters)["partition_filtering.enabled"] == "true"
    plain = desired.raw_table(design(Shape.SINGLE, indexes=False, restored=False), Kind.CLOUDTRAIL, FOLDER)
    assert plain.indexes == ()
    assert not {"partition_filtering.enabled", "read_restored_glacier_objects"} & set(dict(plain.parameters))


def test_projection_lists_and_counts() -> None:
    projection = Projection((A, B), ("eu-west-1", "us-east-1"), ("logs/AWSLogs",), (2025, 2026))
    table = desired.raw_table(design(Shape.PROJECTED), Kind.CLOUDTRAIL, FOLDER, projection)
    parameters = dict(table.parameters)
    assert table.projected
    assert parameters["projection.account.values"] == f"{A},{B}"
    assert parameters["projection.year.range"] == "2025,2026"
    assert (parameters["projection.day.digits"], parameters["projection.year.digits"]) == ("2", "4")
    assert parameters["storage.location.template"].endswith("/CloudTrail/${region}/${year}/${month}/${day}/")
    assert "injected" not in parameters.values()
    assert projection.partitions == 2 * 2 * 1 * 2 * 372
    assert desired.unprojectable(projection) == ""


@pytest.mark.parametrize(
    ("projection", "reason"),
    [
        (
            Projection((A,), ("r",), ("a/AWSLogs", "b/AWSLogs"), (2026, 2026)),
            "for one bucket, and there are 2",
        ),
        (
            Projection(("1",) * 21, ("r",), ("a",), (2026, 2026)),
            "21 accounts x 1 regions x 1 roots x 1 years",
        ),
        (Projection(("1",) * 20, ("r",) * 34, ("a",), (2022, 2026)), "= 1,264,800 partitions"),
    ],
)
def test_what_is_too_much_to_project(projection: Projection, reason: str) -> None:
    assert reason in desired.unprojectable(projection)


def test_views_in_an_order_in_which_they_can_be_made() -> None:
    accounts = {Kind.CLOUDTRAIL: [A, B], Kind.INSIGHT: [B]}
    for shape in (Shape.PER_ACCOUNT, Shape.SINGLE):
        made = desired.shared_views(design(shape), accounts)
        assert [view.name for view in made] == ["cloudtrail", "cloudtrail_insight", "cloudtrail_events"]
        assert "SELECT *" not in "".join(view.sql for view in made)
        hybrid = desired.shared_views(design(shape), accounts, date(2026, 3, 9))
        assert [view.name for view in hybrid] == [view.name for view in made]
        assert [view.name for view in hybrid if "cloudtrail_lake" in view.sql] == [
            "cloudtrail",
            "cloudtrail_events",
        ]
        assert hybrid[1] == made[1]
        assert [view.columns for view in hybrid] == [view.columns for view in made]
    assert desired.account_views(design(Shape.PER_ACCOUNT), Kind.CLOUDTRAIL, [A]) == []
    (view,) = desired.account_views(design(Shape.SINGLE), Kind.INSIGHT, [A])
    assert view.name == f"cloudtrail_insight_{A}"
    assert [view.name for view in desired.shared_views(design(Shape.SINGLE), {Kind.INSIGHT: [A]})] == [
        "cloudtrail_insight"
    ]


@pytest.mark.parametrize(
    ("configured", "projected", "recorded", "accounts", "shape"),
    [
        ("auto", False, None, 50, Shape.PER_ACCOUNT),
        ("auto", False, None, 51, Shape.SINGLE),
        ("auto", False, Shape.PER_ACCOUNT, 5000, Shape.PER_ACCOUNT),
        ("auto", False, Shape.SINGLE, 1, Shape.SINGLE),
        ("auto", False, Shape.PROJECTED, 1, Shape.SINGLE),
        ("per_account", False, Shape.SINGLE, 1, Shape.PER_ACCOUNT),
        ("single", True, Shape.SINGLE, 1, Shape.PROJECTED),
    ],
)
def test_the_shape(
    configured: str,
    projected: bool,  # noqa: FBT001 - a row of the table
    recorded: Shape | None,
    accounts: int,
    shape: Shape,
) -> None:
    found = desired.choose_shape(configured, projected=projected, recorded=recorded, accounts=accounts)
    assert found is shape


def test_no_view_that_glue_would_not_keep() -> None:
    accounts = [f"{number:012}" for number in range(desired.MOST_BRANCHES)]
    for prefix, longer in (("cloudtrail", False), ("c" * 128, True)):
        named = Design("d" * 200 if longer else "d", prefix, Shape.PER_ACCOUNT)
        union = desired.shared_views(named, {Kind.CLOUDTRAIL: accounts})[0]
        kept = base64.b64encode(json.dumps({"originalSql": union.sql}).encode())
        assert (len(kept) > 409_600 - 20_000) is longer
        assert ("longer than Glue keeps" in desired.too_long(union)) is longer
