from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from catalog.layouts import KINDS, TODAY, Layout, Log, organization
from catalog.memory import MemoryCatalog
from catalog.runs import DATABASE, PREFIX, apply, carry_out, changes, plan, reopened, saved, tally
from trailhouse.catalog.application import Application, check, refuse
from trailhouse.core.plan import Action, Change, Part, Refusal, Target
from trailhouse.core.state import CLOUDTRAIL_FORMAT, Table, View
from trailhouse.errors import (
    AccessDeniedError,
    AwsError,
    CatalogError,
    CredentialsError,
    PlanRefusedError,
    StalePlanError,
)

if TYPE_CHECKING:
    from trailhouse.catalog.port import Catalog

A, B, C = "111122223333", "444455556666", "777788889999"
DAY = timedelta(days=1)


def small() -> Layout:
    found = [Log("logs", "AWSLogs", account, KINDS[0], "eu-west-1", TODAY) for account in (A, B, C)]
    return Layout([*found, Log("logs", "AWSLogs", B, KINDS[1], "eu-west-1", TODAY)])


def failing(*names: str, target: Target = Target.TABLE, error: AwsError | None = None) -> MemoryCatalog:
    """Refuses to make or change these."""
    refused = error or AccessDeniedError("not allowed")
    return MemoryCatalog(refuse=lambda one: refused if one.name in names and one.target is target else None)


def view(catalog: MemoryCatalog, name: str = "cloudtrail") -> str:
    found = catalog.tables[name].definition
    assert isinstance(found, View)
    return found.sql


def test_one_account_that_fails_stops_no_other_and_no_view_names_it() -> None:
    catalog = failing(f"cloudtrail_{B}")
    report = carry_out(catalog, plan(catalog, small()))
    assert list(report.failed) == [B]
    assert (str(report.failed[B].error), report.failed[B].changes) == ("not allowed", 8)
    assert report.left_out == [
        ("cloudtrail", f"it is written without cloudtrail_{B}"),
        ("cloudtrail_insight", f"it is not written: cloudtrail_insight_{B} could not be made"),
    ]
    assert all(account in view(catalog) for account in (A, C))
    assert B not in view(catalog)
    assert sorted(catalog.tables) == ["cloudtrail", f"cloudtrail_{A}", f"cloudtrail_{C}", "cloudtrail_events"]
    catalog.refuse = lambda _: None
    assert apply(catalog, small()).complete
    assert B in view(catalog)
    assert tally(plan(catalog, small())).changes == 0


def test_no_account_is_left_for_a_view() -> None:
    catalog = failing(*(f"cloudtrail_{account}" for account in (A, B, C)))
    report = carry_out(catalog, plan(catalog, small()))
    assert sorted(report.failed) == [A, B, C]
    assert [name for name, _ in report.left_out] == ["cloudtrail", "cloudtrail_insight", "cloudtrail_events"]
    assert catalog.tables == {}


def test_a_table_that_is_there_stays_in_the_view_though_its_partitions_fail() -> None:
    catalog = failing(f"cloudtrail_{B}", target=Target.PARTITION)
    report = carry_out(catalog, plan(catalog, small()))
    assert list(report.failed) == [B]
    assert B in view(catalog)
    found = catalog.tables[f"cloudtrail_{B}"]
    assert (found.since, found.reach) == (None, TODAY - 90 * DAY)


def test_one_table_for_all_that_cannot_be_made_stops_everything() -> None:
    catalog = failing("cloudtrail_raw")
    with pytest.raises(AccessDeniedError, match="not allowed"):
        carry_out(catalog, plan(catalog, small(), tables="single"))
    assert catalog.tables == {}


def test_an_index_that_cannot_be_made_stops_nothing_that_matters() -> None:
    layout, catalog = small(), failing("cloudtrail_raw", target=Target.INDEX)
    report = carry_out(catalog, plan(catalog, layout, tables="single"))
    assert list(report.failed) == ["tables"]
    assert f"cloudtrail_{A}" in catalog.tables


def test_one_account_that_fails_keeps_the_table_of_the_former_shape() -> None:
    catalog = MemoryCatalog()
    apply(catalog, small(), tables="single")
    catalog.refuse = lambda one: AwsError("no") if one.name == f"cloudtrail_{B}" else None
    report = carry_out(catalog, plan(catalog, small(), tables="per_account"))
    assert ("cloudtrail_raw", "it goes once all accounts are done") in report.left_out
    assert "cloudtrail_raw" in catalog.tables
    catalog.refuse = lambda _: None
    assert apply(catalog, small(), tables="per_account").complete
    assert "cloudtrail_raw" not in catalog.tables


def test_without_credentials_nothing_is_tried_any_more() -> None:
    catalog = failing(f"cloudtrail_{A}", error=CredentialsError("expired"))
    with pytest.raises(CredentialsError, match="expired"):
        carry_out(catalog, plan(catalog, small()))
    assert catalog.tables == {}


def test_progress_and_counts() -> None:
    catalog, heard = MemoryCatalog(), []
    parts = plan(catalog, small())
    application = Application(catalog, DATABASE, PREFIX, heard.append)
    for part in parts:
        application.carry_out(part)
    assert sum(heard) == tally(parts).changes == application.report.done.total()
    assert application.report.done == tally(parts).counts
    assert application.report.complete


# -- saved plans -----------------------------------------------------------------------------------------


def checked(catalog: Catalog, text: str) -> None:
    check(reopened(text), catalog, "p.json", PREFIX)


@pytest.mark.parametrize("tables", ["per_account", "single"])
def test_the_same_state_gives_the_same_plan_and_that_can_be_carried_out(tables: str) -> None:
    catalog, layout = MemoryCatalog(database=False), small()
    text = saved(plan(catalog, layout, tables=tables))
    assert saved(plan(catalog, layout, tables=tables)) == text
    checked(catalog, text)
    carry_out(catalog, list(reopened(text)))
    with pytest.raises(StalePlanError):
        checked(catalog, text)
    empty = saved(plan(catalog, layout, tables=tables))
    checked(catalog, empty)
    assert changes(list(reopened(empty))) == []


@pytest.mark.parametrize("tables", ["per_account", "single"])
def test_a_plan_is_stale_where_what_it_was_made_from_has_changed(tables: str) -> None:
    catalog, layout = MemoryCatalog(), small()
    apply(catalog, layout, tables=tables)
    later = TODAY + DAY
    text = saved(plan(catalog, layout, later, tables=tables))

    name = f"cloudtrail_{B}" if tables == "per_account" else "cloudtrail_raw"
    values = next(values for values in catalog.held[name] if B in (*values, name[-12:]))
    kept = catalog.held[name].pop(values)
    with pytest.raises(StalePlanError, match=rf"p.json is stale: .* changed in {B}\. Nothing was done"):
        checked(catalog, text)
    catalog.held[name][values] = replace(kept, columns=kept.columns[:1])
    with pytest.raises(StalePlanError, match=B):
        checked(catalog, text)
    catalog.held[name][values] = kept
    checked(catalog, text)

    catalog.put(Table("cloudtrail_new", (), "s3://x/", (), CLOUDTRAIL_FORMAT))
    with pytest.raises(StalePlanError, match=r"changed in views\."):
        checked(catalog, text)
    del catalog.tables["cloudtrail_new"]
    catalog.tables[f"cloudtrail_{A}"] = replace(catalog.tables[f"cloudtrail_{A}"], revision="other")
    with pytest.raises(StalePlanError, match=f"changed in {A}, views"):
        checked(catalog, text)


def test_many_stale_parts_are_counted() -> None:
    layout = organization(9, 1, 1)
    catalog = MemoryCatalog()
    text = saved(plan(catalog, layout))
    apply(catalog, layout)
    with pytest.raises(StalePlanError, match="000000000005 and 5 more"):
        checked(catalog, text)


def test_what_refuses_itself_is_not_carried_out() -> None:
    catalog = MemoryCatalog()
    catalog.put(Table("cloudtrail", (), "s3://x/", (), CLOUDTRAIL_FORMAT))
    parts = plan(catalog, small())
    with pytest.raises(PlanRefusedError, match="cloudtrail exists and was not made by trailhouse"):
        checked(catalog, saved(parts))
    found = tally([Part("p", refusals=(Refusal("x", "a"), Refusal("y", "b")))])
    with pytest.raises(PlanRefusedError, match="a\nb"):
        refuse(found)
    refuse(tally([]))


def test_a_plan_names_nothing_outside_its_prefix() -> None:
    part = Part("views", (Change(Action.DELETE, Target.TABLE, "users"),), names=())
    with pytest.raises(CatalogError, match="users does not begin with cloudtrail"):
        checked(MemoryCatalog(), saved([part]))
