from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog.layouts import KINDS, ORG, TODAY, Layout, Log, layouts, organization
from catalog.memory import MemoryCatalog
from catalog.runs import (
    DATABASE,
    Killed,
    Killing,
    aim,
    apply,
    carry_out,
    changes,
    definitions,
    discover,
    plan,
    tally,
)
from listings import MemoryLister
from trailhouse.catalog.convergence import Convergence
from trailhouse.catalog.port import Restrictions
from trailhouse.core.plan import Action, Target
from trailhouse.core.state import CLOUDTRAIL_FORMAT, MARK, Shape, Table, View
from trailhouse.errors import AccessDeniedError, CredentialsError, UsageError

A, B = "111122223333", "444455556666"
DAY = timedelta(days=1)
LOGS = ("logs", "AWSLogs")
SHAPES = ({"tables": "per_account"}, {"tables": "single"}, {"tables": "auto"})
FOREIGN = (
    Table("cloudtrail_of_others", ("x",), "s3://other/", (("a", "string"),), CLOUDTRAIL_FORMAT),
    View("cloudtrail_by_hand", "SELECT 1 AS one", ()),
)


def log(account: str = A, day: date = TODAY, region: str = "eu-west-1", kind: str = KINDS[0]) -> Log:
    return Log(*LOGS, account, kind, region, day)


def small() -> Layout:
    found = [log(account, TODAY - n * DAY) for account in (A, B) for n in (0, 3, 50)]
    return Layout([*found, log(A, region="us-east-1", kind=KINDS[1])])


def is_settled(catalog: MemoryCatalog, layout: Layout, today: date = TODAY, **options: Any) -> bool:  # noqa: ANN401 - as Aim takes them
    return tally(plan(catalog, layout, today, **options)).changes == 0


def holding(catalog: MemoryCatalog, log: Log) -> list[str]:
    """The tables that read a log, once for each partition that covers it."""
    return [
        name
        for name, partitions in catalog.held.items()
        for one in partitions.values()
        if log.uri.startswith(one.location)
    ]


def table_of(log: Log, shape: str) -> str:
    kind = {KINDS[0]: "", KINDS[1]: "_insight", KINDS[2]: "_networkactivity", KINDS[3]: "_aggregated"}[
        log.kind
    ]
    return f"cloudtrail{kind}_{'raw' if shape == 'single' else log.account}"


@settings(max_examples=30)
@given(layouts(), st.sampled_from(SHAPES), st.sampled_from([10, 90, None]))
def test_after_apply_the_plan_is_empty_and_every_log_is_read_once(
    layout: Layout, options: dict[str, str], days: int | None
) -> None:
    settle_and_check(layout, options, days)


@pytest.mark.slow
@settings(max_examples=2000)
@given(layouts(), st.sampled_from(SHAPES), st.sampled_from([10, 90, None]))
def test_the_same_for_many_more_layouts(layout: Layout, options: dict[str, str], days: int | None) -> None:
    settle_and_check(layout, options, days)


def settle_and_check(layout: Layout, options: dict[str, str], days: int | None) -> None:
    catalog = MemoryCatalog(database=False)
    for one in FOREIGN:
        catalog.put(one)
    catalog.database = True
    before = {one.name: catalog.tables[one.name] for one in FOREIGN}
    assert apply(catalog, layout, days=days, **options).complete
    assert is_settled(catalog, layout, days=days, **options)
    for one in layout.delivered(10**5 if days is None else days):
        assert holding(catalog, one) == [table_of(one, options["tables"])], one.uri
    for name, held in catalog.held.items():
        for values, partition in held.items():
            assert partition.values == values, name
            assert values[-1] + "/" in partition.location
            assert "//" not in partition.location.removeprefix("s3://")
    assert {name: catalog.tables[name] for name in before} == before


@settings(max_examples=30)
@given(layouts())
def test_projected_partitions_cover_every_log(layout: Layout) -> None:
    layout = Layout([replace(one, bucket="logs") for one in layout.logs], layout.strangers, ["s3://logs"])
    options = {"tables": "single", "projected": True}
    catalog = MemoryCatalog()
    parts = plan(catalog, layout, **options)
    if tally(parts).refusals:
        assert "Athena reads at most" in tally(parts).refusals[0].reason
        assert not changes(parts[:1])
        return
    assert carry_out(catalog, parts).complete
    assert is_settled(catalog, layout, **options)
    assert not any(catalog.held.values())
    for one in layout.delivered(90):
        parameters = dict(catalog.tables[table_of(one, "single")].definition.parameters)
        values = {"account": one.account, "region": one.region, "logroot": f"{one.bucket}/{one.root}"}
        for key, value in values.items():
            assert value in parameters[f"projection.{key}.values"].split(",")
        first, last = parameters["projection.year.range"].split(",")
        assert int(first) <= one.day.year <= int(last)
        place = parameters["storage.location.template"]
        for key, value in (values | {k: one.day.strftime(f) for k, f in DATES.items()}).items():
            place = place.replace(f"${{{key}}}", value)
        assert one.uri.startswith(place)


DATES = {"year": "%Y", "month": "%m", "day": "%d"}


# -- what changes from night to night --------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=100)
@given(layouts(), layouts(), st.sampled_from(SHAPES), st.integers(0, 32))
@example(small(), Layout([log(day=TODAY + 20 * DAY)]), SHAPES[0], 20)
def test_nights_are_missed_and_nothing_is(
    first: Layout, more: Layout, options: dict[str, str], nights: int
) -> None:
    """What is delivered between two runs is read after the second, however late, for thirty days."""
    later, catalog = TODAY + nights * DAY, MemoryCatalog()
    apply(catalog, first, **options)
    fresh = [one for one in more.logs if later - 32 * DAY <= one.day <= later + DAY]
    both = Layout([*first.logs, *fresh])
    assert apply(catalog, both, later, **options).complete
    assert is_settled(catalog, both, later, **options)
    for one in [*first.delivered(90), *fresh]:
        assert holding(catalog, one) == [table_of(one, options["tables"])], one.uri


@pytest.mark.parametrize("options", SHAPES)
def test_the_next_night_only_a_day_is_new(options: dict[str, str]) -> None:
    catalog, layout = MemoryCatalog(), small()
    apply(catalog, layout, regions=("eu-west-1", "us-east-1"), **options)
    parts = plan(catalog, layout, TODAY + DAY, regions=("eu-west-1", "us-east-1"), **options)
    made = changes(parts)
    assert {(one.action, one.target) for one in made} == {(Action.CREATE, Target.PARTITION)}
    tomorrow = (TODAY + 2 * DAY).strftime("%Y %m %d").split()
    assert all(list(one.values[-4:-1]) == tomorrow for one in made)
    assert len(made) == 2 + 2 + 2  # two accounts and the one that has insights, in two regions each


@pytest.mark.parametrize("options", SHAPES)
def test_a_new_account_a_new_kind_and_a_new_region_reach_as_far_back_as_the_first(
    options: dict[str, str],
) -> None:
    catalog, layout = MemoryCatalog(), small()
    apply(catalog, layout, **options)
    new = [
        log("777788889999", TODAY - 80 * DAY),
        log(B, TODAY - 80 * DAY, kind=KINDS[1]),
        log(A, TODAY - 20 * DAY, region="xx-new-1"),
    ]
    layout.logs += new
    assert apply(catalog, layout, TODAY + DAY, **options).complete
    assert is_settled(catalog, layout, TODAY + DAY, **options)
    for one in layout.delivered(90):
        assert holding(catalog, one) == [table_of(one, options["tables"])]


@pytest.mark.parametrize("options", SHAPES)
def test_more_days_are_asked_for(options: dict[str, str]) -> None:
    catalog, layout = MemoryCatalog(), Layout([log(day=TODAY - n * DAY) for n in (0, 15, 200, 4000)])
    for days, reached in ((10, [0]), (100, [0, 15]), (300, [0, 15, 200]), (None, [0, 15, 200, 4000])):
        apply(catalog, layout, days=days, **options)
        for one in layout.logs:
            age = (TODAY - one.day).days
            assert len(holding(catalog, one)) == (age in reached), (days, age)
        assert is_settled(catalog, layout, days=10, **options)


def test_complete_accounts_are_looked_at_for_some_days_only() -> None:
    layout, catalog = organization(2, 2, 90), MemoryCatalog()
    apply(catalog, layout)
    calls = []
    for _ in range(2):
        lister = MemoryLister(layout.buckets)
        with discover(layout, TODAY, lister) as discovery:
            assert tally([*Convergence(catalog, discovery, aim()).parts()]).changes == 0
        calls.append(lister.calls)
    assert calls[0] == calls[1] <= 3 + 2 * (3 + 4 * 2)


def test_partitions_that_stay_empty_go_after_deliveries_cannot_come_any_more() -> None:
    catalog, layout = MemoryCatalog(), small()
    apply(catalog, layout, regions=("eu-north-1",))
    for nights in (1, 30, 33):
        apply(catalog, layout, TODAY + nights * DAY, regions=("eu-north-1",))
        quiet = [v for v in catalog.held[f"cloudtrail_{A}"] if v[0] == "eu-north-1"]
        first = min("-".join(values[1:4]) for values in quiet)
        assert (first == TODAY.isoformat()) == (nights <= 32)


def test_much_is_only_taken_away_when_that_is_said() -> None:
    layout = Layout(
        [log(day=TODAY - n * DAY, region=f"r-{m}") for n in range(33, 39) for m in range(40)] + [log()]
    )
    catalog = MemoryCatalog()
    apply(catalog, layout)
    emptied = Layout([log()])
    found = tally(plan(catalog, emptied))
    assert [refusal.name for refusal in found.refusals] == [f"cloudtrail_{A}"]
    assert "240 of" in found.refusals[0].reason
    assert found.changes == 0
    assert apply(catalog, emptied, allow_deletes=True).done[Target.PARTITION, Action.DELETE] == 240
    assert is_settled(catalog, emptied)


# -- drift -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", SHAPES)
def test_drift_is_shown_and_healed_down_to_a_partitions_descriptor(options: dict[str, str]) -> None:
    catalog, layout = MemoryCatalog(), small()
    apply(catalog, layout, days=None, **options)
    wanted = {name: dict(held) for name, held in catalog.held.items()}, definitions(catalog.tables)
    name = table_of(log(), options["tables"])
    one, other, third = sorted(catalog.held[name])[:3]
    spoiled = catalog.held[name]
    spoiled[one] = replace(spoiled[one], columns=spoiled[one].columns[:-1])
    spoiled[other] = replace(spoiled[other], location="s3://elsewhere/")
    spoiled[third] = replace(spoiled[third], format=replace(CLOUDTRAIL_FORMAT, serde="org.example.Old"))
    table = catalog.tables[name].definition
    assert isinstance(table, Table)
    spoiled_parameters = {**dict(table.parameters), "classification": "json", "comment": "mine"}
    catalog.put(replace(table, parameters=tuple(sorted(spoiled_parameters.items()))))
    catalog.tables.pop("cloudtrail_events")
    view = catalog.tables["cloudtrail"].definition
    assert isinstance(view, View)
    catalog.put(replace(view, sql="SELECT 1 AS changed"))
    parts = plan(catalog, layout, days=None, **options)
    found = {(c.action, c.target, c.name, c.why) for c in changes(parts)}
    assert found == {
        (Action.UPDATE, Target.TABLE, name, ("classification",)),
        (Action.UPDATE, Target.PARTITION, name, ("columns",)),
        (Action.UPDATE, Target.PARTITION, name, ("location",)),
        (Action.UPDATE, Target.PARTITION, name, ("format",)),
        (Action.UPDATE, Target.VIEW, "cloudtrail", ("sql",)),
        (Action.CREATE, Target.VIEW, "cloudtrail_events", ()),
    }
    assert carry_out(catalog, parts).complete
    assert is_settled(catalog, layout, days=None, **options)
    assert {n: dict(held) for n, held in catalog.held.items()} == wanted[0]
    healed = definitions(catalog.tables)
    assert {n: one for n, one in healed.items() if n != name} == {
        n: d for n, d in wanted[1].items() if n != name
    }


def older(catalog: MemoryCatalog) -> MemoryCatalog:
    """As a version wrote it that did not know the last column."""
    for name, found in [*catalog.tables.items()]:
        catalog.put(replace(found.definition, columns=found.definition.columns[:-1]))
        for values, one in catalog.held.get(name, {}).items():
            catalog.held[name][values] = replace(one, columns=one.columns[:-1])
    return catalog


@pytest.mark.parametrize("options", SHAPES[:2])
def test_a_new_column_reaches_every_partition_that_there_is(options: dict[str, str]) -> None:
    """Athena reads a partition by its own columns, so those of long ago are written anew, whatever stops the run."""
    layout = Layout([log(A, TODAY - n * DAY) for n in (0, 50, 700)])

    def begun() -> MemoryCatalog:
        catalog = MemoryCatalog()
        apply(catalog, layout, days=800, **options)
        apply(catalog, layout, **options)
        return older(catalog)

    whole = begun()
    total = apply(whole, layout, **options).done
    assert total[Target.PARTITION, Action.UPDATE] == 3 + 1  # tomorrow's, too
    assert is_settled(whole, layout, **options)
    for point in range(total.total()):
        catalog = begun()
        with pytest.raises(Killed):
            carry_out(Killing(catalog, point), plan(catalog, layout, **options))
        apply(catalog, layout, **options)
        assert is_settled(catalog, layout, **options)
        assert catalog.held == whole.held, point


# -- shapes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("then", [0, 33])
def test_from_a_table_an_account_to_one_for_all_and_back(then: int) -> None:
    """Every day that was ever read stays so, also those that lie before `partition_days` by now."""
    catalog, layout, later = MemoryCatalog(), small(), TODAY + then * DAY
    apply(catalog, layout)
    for tables in ("single", "per_account", "single"):
        assert apply(catalog, layout, later, tables=tables, days=60).complete
        assert is_settled(catalog, layout, later, tables=tables, days=60)
        assert is_settled(catalog, layout, later, days=60)  # `auto` keeps what there is
        for one in layout.logs:
            assert holding(catalog, one) == [table_of(one, tables)]
    assert isinstance(catalog.tables[f"cloudtrail_{A}"].definition, View)
    apply(catalog, layout, later, tables="per_account", days=60)
    assert not [name for name in catalog.tables if name.endswith("_raw")]


def test_one_table_for_all_stays_while_something_reads_it() -> None:
    catalog, layout = MemoryCatalog(), small()
    apply(catalog, layout, tables="single")
    fewer = Layout([one for one in layout.logs if one.account == A])
    parts = plan(catalog, fewer, tables="per_account")
    assert [w for w in tally(parts).warnings if B in w]
    carry_out(catalog, parts)
    assert "cloudtrail_raw" in catalog.tables


def test_projection_is_turned_off_again() -> None:
    catalog, layout = MemoryCatalog(), small()
    projected = {"tables": "auto", "projected": True}
    apply(catalog, layout, **projected)
    table = catalog.tables["cloudtrail_raw"].definition
    assert isinstance(table, Table)
    assert table.projected
    apply(catalog, layout)
    assert is_settled(catalog, layout)
    table = catalog.tables["cloudtrail_raw"].definition
    assert isinstance(table, Table)
    assert not table.projected
    assert all(holding(catalog, one) == [table_of(one, "single")] for one in layout.delivered(90))


def test_shapes_by_the_number_of_accounts() -> None:
    for accounts, shape in ((50, Shape.PER_ACCOUNT), (51, Shape.SINGLE)):
        layout = organization(accounts, 1, 1)
        with discover(layout) as discovery:
            flow = Convergence(MemoryCatalog(), discovery, aim())
            next(flow.parts())
        assert flow.shape is shape


def test_no_union_that_cannot_be_planned() -> None:
    layout, catalog = organization(141, 1, 1), MemoryCatalog()
    found = tally(plan(catalog, layout, tables="per_account"))
    assert "a union of 141 tables cannot be planned" in found.refusals[0].reason
    assert "takes many seconds to plan" in found.warnings[0]


def test_an_organization_that_outgrows_its_shape_still_gets_its_partitions() -> None:
    catalog = MemoryCatalog()
    apply(catalog, organization(140, 1, 1), tables="per_account")
    report = apply(catalog, organization(142, 1, 1))
    assert list(report.failed) == ["views"]
    assert "a union of 142 tables cannot be planned" in str(report.failed["views"].error)
    found = catalog.definitions()
    assert len([name for name in found if name.removeprefix("cloudtrail_").isdigit()]) == 142
    assert all(found[f"cloudtrail_{account}"].since for account in ("000000000140", "000000000141")), list(
        found
    )[-3:]


def test_indexes_where_the_catalog_allows_them() -> None:
    catalog, layout = MemoryCatalog(), small()
    catalog.told = Restrictions(encrypted=True)
    parts = plan(catalog, layout, tables="single")
    assert "takes no partition indexes" in tally(parts).warnings[0]
    assert not [c for c in changes(parts) if c.target is Target.INDEX]
    catalog.told = Restrictions()
    apply(catalog, layout, tables="single")
    assert is_settled(catalog, layout, tables="single")


# -- what is not ours ------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", SHAPES)
@pytest.mark.parametrize("foreign", [
    Table("cloudtrail", ("x",), "s3://o/", (), CLOUDTRAIL_FORMAT),
    View("cloudtrail", "SELECT 1", ()), View(f"cloudtrail_{A}", "SELECT 1", ()),
])  # fmt: skip
def test_a_foreign_name_is_refused_by_name(foreign: Table | View, options: dict[str, str]) -> None:
    catalog = MemoryCatalog()
    catalog.put(foreign)
    found = tally(plan(catalog, small(), **options))
    assert [refusal.name for refusal in found.refusals] == [foreign.name]
    assert f"{foreign.name} exists and was not made by trailhouse" in found.refusals[0].reason


def test_what_a_newer_version_wrote_is_not_touched() -> None:
    catalog, layout = MemoryCatalog(), small()
    apply(catalog, layout)
    for name, found in [*catalog.tables.items()]:
        parameters = {**dict(found.definition.parameters), MARK: "2"}
        catalog.put(replace(found.definition, parameters=tuple(sorted(parameters.items()))))
        catalog.tables[name] = replace(catalog.tables[name], revision=found.revision)
    parts = plan(catalog, layout)
    assert tally(parts).changes == 0
    assert all("newer trailhouse (format 2)" in refusal.reason for refusal in tally(parts).refusals)
    assert {refusal.name for refusal in tally(parts).refusals} == set(catalog.tables)


# -- failures --------------------------------------------------------------------------------------------


def test_one_account_that_cannot_be_listed_stops_no_other() -> None:
    layout, catalog = small(), MemoryCatalog()
    denied = AccessDeniedError("no")
    lister = MemoryLister(layout.buckets, broken={f"AWSLogs/{B}/": denied})
    with discover(layout, TODAY, lister) as discovery:
        parts = [*Convergence(catalog, discovery, aim()).parts()]
    assert tally(parts).errors == [(B, denied)]
    report = carry_out(catalog, parts)
    assert (list(report.failed), str(report.failed[B].error)) == ([B], "no")
    view = catalog.tables["cloudtrail"].definition
    assert isinstance(view, View)
    assert A in view.sql
    assert B not in view.sql
    assert apply(catalog, layout).complete
    assert is_settled(catalog, layout)


def test_without_credentials_nothing_goes_on() -> None:
    layout = small()
    lister = MemoryLister(layout.buckets, broken={f"AWSLogs/{B}/": CredentialsError("expired")})
    with discover(layout, TODAY, lister) as discovery, pytest.raises(CredentialsError):
        [*Convergence(MemoryCatalog(), discovery, aim()).parts()]


def test_targets() -> None:
    catalog, layout = MemoryCatalog(), small()
    assert apply(catalog, layout, targets=(A,)).complete
    assert sorted(catalog.tables) == [f"cloudtrail_{A}", f"cloudtrail_insight_{A}"]
    apply(catalog, layout, targets=("views",))
    view = catalog.tables["cloudtrail"].definition
    assert isinstance(view, View)
    assert B not in view.sql
    for unknown in ("999999999999", "veiws"):
        with pytest.raises(UsageError, match=f"--target {unknown}: .* is not `views`: see"):
            plan(catalog, layout, targets=(unknown,))


def test_nothing_is_delivered() -> None:
    parts = plan(MemoryCatalog(database=False), Layout([]))
    assert changes(parts) == []
    assert "no account's folder" in tally(parts).warnings[0]


def test_accounts_without_cloudtrail_are_said() -> None:
    parts = plan(MemoryCatalog(), Layout([log(kind="CloudTrail-Digest"), log(B, kind="Config")]))
    assert tally(parts).warnings == [
        "no log of CloudTrail in 2 account folders: `trailhouse inventory --quick` shows what is there"
    ]


def test_days_that_are_not_looked_at_are_said() -> None:
    layout, catalog = Layout([log(day=TODAY - 200 * DAY)]), MemoryCatalog()
    [said] = tally(plan(catalog, layout)).warnings
    assert said.startswith(f"no log was delivered since {TODAY - 90 * DAY}: --all plans for all days;")
    assert tally(plan(catalog, layout, days=None)).warnings == []
    assert tally(plan(catalog, layout, targets=(A, "views"))).warnings == []


TRANSITIONS = [
    ({}, {"tables": "per_account"}),
    ({}, {"tables": "single"}),
    ({"tables": "per_account"}, {"tables": "single"}),
    ({"tables": "single"}, {"tables": "per_account"}),
    ({"tables": "per_account", "days": 10}, {"tables": "per_account", "days": 90}),
    ({"tables": "single", "days": 10}, {"tables": "single", "days": 90}),
    ({"tables": "per_account"}, {"tables": "single", "projected": True}),
    ({"tables": "per_account", "days": 800}, {"tables": "single"}),
    ({"tables": "single", "days": 800}, {"tables": "per_account"}),
]


@pytest.mark.parametrize(("before", "after"), TRANSITIONS)
def test_killed_at_any_point_and_run_again(before: dict[str, Any], after: dict[str, Any]) -> None:
    layout = Layout([*(log(A, TODAY - n * DAY) for n in (0, 50, 700)), log(B), log(B, kind=KINDS[1])])

    def begun() -> MemoryCatalog:
        catalog = MemoryCatalog(database=bool(before))
        if before:
            apply(catalog, layout, **before)
        return catalog

    whole = begun()
    total = apply(whole, layout, **after).done.total()
    assert total > 3
    if not after.get("projected"):
        for one in layout.delivered(before.get("days", 90)):
            assert holding(whole, one) == [table_of(one, after["tables"])]
    for point in range(total):
        catalog = begun()
        with pytest.raises(Killed):
            carry_out(Killing(catalog, point), plan(catalog, layout, **after))
        assert apply(catalog, layout, **after).complete
        assert definitions(catalog.tables) == definitions(whole.tables), point
        assert catalog.held == whole.held, point


@pytest.mark.slow
@settings(max_examples=100)
@given(layouts(), st.sampled_from(TRANSITIONS), st.integers(0, 2**32))
def test_two_runs_at_once(
    layout: Layout, transition: tuple[dict[str, Any], dict[str, Any]], order: int
) -> None:
    """Whoever comes second may be refused; one more run, and all is as it should be."""
    before, after = transition
    if after.get("projected"):
        layout = Layout([replace(one, bucket="logs", region="eu-west-1") for one in layout.logs])
    catalog = MemoryCatalog()
    if before:
        apply(catalog, layout, **before)
    first, second = (plan(catalog, layout, **after) for _ in range(2))
    if tally(first).refusals:
        return
    turns = [first.pop(0)]
    while first or second:
        run = first if first and (not second or order % 2) else second
        order //= 2
        turns.append(run.pop(0))
    carry_out(catalog, [part for part in turns if part.name != "former"])
    assert apply(catalog, layout, **after).complete
    assert is_settled(catalog, layout, **after)


def test_the_database_comes_first() -> None:
    parts = plan(MemoryCatalog(database=False), small())
    first = changes(parts)[0]
    assert (first.target, first.action, first.name) == (Target.DATABASE, Action.CREATE, DATABASE)
    assert [part.name for part in parts] == ["tables", A, B, "views", "former"]


def test_two_roots_of_one_account() -> None:
    layout = Layout(
        [log(), replace(log(), root=f"AWSLogs/{ORG}"), replace(log(), bucket="tower", root=f"{ORG}/AWSLogs")]
    )
    catalog = MemoryCatalog()
    apply(catalog, layout)
    assert sorted({values[-1] for values in catalog.held[f"cloudtrail_{A}"]}) == [
        "logs/AWSLogs", f"logs/AWSLogs/{ORG}", f"tower/{ORG}/AWSLogs",
    ]  # fmt: skip
