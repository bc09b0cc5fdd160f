"""Names change hands: whatever happens, the old definition is under one of two names, and one run ends it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from predecessor import tables as old
from predecessor.memory import Known, StoppableCatalog, StoppedError
from trailhouse.catalog.adoption import Adoption
from trailhouse.catalog.application import check
from trailhouse.catalog.checked import Checked
from trailhouse.catalog.convergence import Aim, Convergence
from trailhouse.catalog.draft import actual_digest
from trailhouse.catalog.undo import Undo
from trailhouse.core.adoption import kept_name
from trailhouse.core.deliveries import AccountFolder, Delivery
from trailhouse.core.descriptor import Digester
from trailhouse.core.layout import Kind
from trailhouse.core.plan import Action, Part, Target, takes_over
from trailhouse.core.state import Table, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trailhouse.core.plan import Change
    from trailhouse.errors import TrailhouseError

A, B = "111122223333", "444455556666"
TODAY = date(2026, 3, 2)
REGIONS = ("eu-west-1", "us-east-1")
DAYS = 4
SHAPES = ("per_account", "single", "projected")


def days(first: int, last: int = 0) -> tuple[date, ...]:
    """From so many days ago to so many days ago."""
    return tuple(TODAY - timedelta(days=back) for back in range(first, last - 1, -1))


def delivered(account: str, region: str = "eu-west-1", *, root: str = "AWSLogs", first: int = 5) -> Delivery:
    return Delivery(AccountFolder("logs", root, account), Kind.CLOUDTRAIL, region, days(first))


def left_behind(*accounts: str, held: int = DAYS) -> StoppableCatalog:
    """The catalog that the predecessor leaves."""
    inputs: list[tuple[dict[str, Any], Sequence[dict[str, Any]]]] = []
    for account in accounts:
        place = old.folder("logs", account)
        inputs.append((old.table(account, place), list(old.partitions(place, REGIONS, TODAY, held))))
    return StoppableCatalog(*inputs, (old.view(accounts), ()))


def aim(shape: str, *, first: int = 3, targets: tuple[str, ...] = ()) -> Aim:
    projected = shape == "projected"
    tables = "auto" if projected else shape
    return Aim("default", "cloudtrail", TODAY, tables, projected, first, targets=targets)


@dataclass
class Run:
    """What came of a plan that was carried out."""

    parts: list[Part] = field(default_factory=list)
    errors: list[TrailhouseError] = field(default_factory=list)

    @property
    def changes(self) -> list[Change]:
        return [change for part in self.parts for change in part.changes]

    @property
    def refusals(self) -> str:
        return "\n".join(refusal.reason for part in self.parts for refusal in part.refusals)

    @property
    def warnings(self) -> str:
        return "\n".join(warning for part in self.parts for warning in part.warnings)


def carry_out(catalog: StoppableCatalog, flow: Adoption | Undo | Convergence) -> Run:
    run = Run()
    for part in flow.parts():
        run.parts.append(part)
        outcomes = list(Checked(catalog).carry_out(part.changes))
        failed = [outcome.error for outcome in outcomes if outcome.error]
        run.errors += failed
        if failed or part.refusals:
            flow.failed.add(part.name)
    return run


def adopt(catalog: StoppableCatalog, surveyor: Known, wanted: Aim, *, adopting: bool = True) -> Run:
    return carry_out(catalog, Adoption(catalog, surveyor, wanted, adopt=adopting))


def planned(flow: Adoption | Undo) -> Run:
    return Run(list(flow.parts()))


def ours(catalog: StoppableCatalog) -> tuple[dict[str, object], dict[str, object]]:
    """The state without what is kept."""
    definitions, partitions = catalog.state()
    here = {name: one for name, one in definitions.items() if not name.endswith("__before_trailhouse")}
    return here, {name: held for name, held in partitions.items() if name in here}


def from_nothing(surveyor: Known, wanted: Aim) -> StoppableCatalog:
    catalog = StoppableCatalog()
    carry_out(catalog, Convergence(catalog, surveyor, wanted))
    return catalog


def nothing_lost(catalog: StoppableCatalog, before: StoppableCatalog) -> None:
    """Each old definition is there as it was, with all its partitions, under its name or its copy's."""
    for name, found in before.tables.items():
        whole = []
        for one in (name, kept_name(name)):
            held = catalog.tables.get(one)
            if held is None or (held.version is not None and not held.backup_of):
                continue
            unmarked = [p for p in held.definition.parameters if not p[0].startswith("trailhouse.")]
            same = replace(held.definition, name=name, parameters=tuple(unmarked)) == found.definition
            whole.append(same and catalog.held.get(one, {}) == before.held.get(name, {}))
        assert any(whole), name


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_taken_over_is_what_would_be_made_anew(shape: str) -> None:
    catalog, before = left_behind(A, B), left_behind(A, B)
    surveyor = Known(delivered(A), delivered(A, "us-east-1"), delivered(B))
    run = adopt(catalog, surveyor, aim(shape))
    assert not run.errors
    assert not run.refusals
    assert ours(catalog) == ours(from_nothing(surveyor, aim(shape)))
    for name, found in before.tables.items():
        kept = catalog.tables[kept_name(name)]
        assert kept.backup_of == name
        assert replace(kept.definition, name=name, parameters=found.definition.parameters) == found.definition
        assert catalog.held.get(kept_name(name)) == before.held.get(name)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("flag", ["--adopt", ""])
def test_a_second_plan_is_empty(shape: str, flag: str) -> None:
    catalog, surveyor = left_behind(A, B), Known(delivered(A), delivered(B))
    adopt(catalog, surveyor, aim(shape))
    assert not planned(Adoption(catalog, surveyor, aim(shape), adopt=bool(flag))).changes


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("flag", ["--adopt", ""])
def test_a_run_that_is_killed_anywhere_loses_nothing_and_is_ended_by_the_next(shape: str, flag: str) -> None:
    surveyor = Known(delivered(A))
    wanted = from_nothing(surveyor, aim(shape, first=6))
    adopt(count := left_behind(A, held=7), surveyor, aim(shape))
    for at in range(len(count.done) + 2):
        catalog, before = left_behind(A, held=7), left_behind(A, held=7)
        catalog.left = at
        try:
            adopt(catalog, surveyor, aim(shape))
        except StoppedError:
            nothing_lost(catalog, before)
        catalog.left = None
        foreign = any(found.version is None for found in catalog.tables.values())
        if foreign and not flag:
            assert "--adopt" in adopt(catalog, surveyor, aim(shape), adopting=False).refusals
            nothing_lost(catalog, before)
        run = adopt(catalog, surveyor, aim(shape), adopting=foreign or bool(flag))
        assert not run.errors
        assert not run.refusals
        assert ours(catalog) == ours(wanted)
        nothing_lost(catalog, before)


@pytest.mark.parametrize("shape", SHAPES)
def test_undo_puts_everything_back(shape: str) -> None:
    catalog, before = left_behind(A, B), left_behind(A, B)
    adopt(catalog, Known(delivered(A), delivered(B)), aim(shape))
    run = carry_out(catalog, Undo(catalog, "cloudtrail"))
    assert not run.errors
    assert catalog.state() == before.state()


@pytest.mark.parametrize("shape", ["per_account", "single"])
def test_an_undo_that_is_killed_anywhere_is_ended_by_the_next(shape: str) -> None:
    def taken_over() -> StoppableCatalog:
        catalog = left_behind(A)
        adopt(catalog, Known(delivered(A)), aim(shape))
        catalog.done.clear()
        return catalog

    before = left_behind(A)
    carry_out(count := taken_over(), Undo(count, "cloudtrail"))
    for at in range(len(count.done) + 2):
        catalog = taken_over()
        catalog.left = at
        try:
            carry_out(catalog, Undo(catalog, "cloudtrail"))
        except StoppedError:
            nothing_lost(catalog, before)
        catalog.left = None
        if any(found.backup_of for found in catalog.tables.values()):
            run = carry_out(catalog, Undo(catalog, "cloudtrail"))
            assert not run.errors
            assert not run.refusals
            assert catalog.state() == before.state()


def test_undo_of_nothing_is_refused() -> None:
    catalog = left_behind(A)
    run = carry_out(catalog, Undo(catalog, "cloudtrail"))
    assert "nothing to put back" in run.refusals
    assert catalog.state() == left_behind(A).state()


def test_undo_leaves_a_name_alone_that_somebody_else_took() -> None:
    catalog = left_behind(A)
    adopt(catalog, Known(delivered(A)), aim("single"))
    name = f"cloudtrail_{A}"
    held = catalog.tables[name]
    catalog.tables[name] = replace(held, definition=replace(held.definition, parameters=()))
    run = carry_out(catalog, Undo(catalog, "cloudtrail"))
    assert f"{name} is neither ours nor what it was" in run.refusals
    assert kept_name(name) in catalog.tables
    assert "cloudtrail_raw" in catalog.tables, "nothing of ours goes before everything is back"


@pytest.mark.parametrize("shape", ["per_account", "single"])
def test_what_does_not_come_back_as_made_stops_before_the_name_changes_hands(shape: str) -> None:
    catalog, before = left_behind(A), left_behind(A)
    values = ("eu-west-1", f"{TODAY.year}", f"{TODAY.month:02}", f"{TODAY.day:02}", "logs/AWSLogs")
    catalog.lost = {values, (A, *values)}
    run = adopt(catalog, Known(delivered(A)), aim(shape))
    assert "1 of " in str(run.errors[0])
    name = f"cloudtrail_{A}"
    assert catalog.tables[name].definition == before.tables[name].definition
    assert catalog.held[name] == before.held[name]


@pytest.mark.parametrize("shape", ["per_account", "single"])
def test_a_copy_that_is_not_whole_stops_before_the_name_changes_hands(shape: str) -> None:
    catalog, before = left_behind(A), left_behind(A)
    catalog.lost = {("us-east-1", f"{TODAY.year}", f"{TODAY.month:02}", f"{TODAY.day:02}")}
    run = adopt(catalog, Known(delivered(A)), aim(shape))
    assert kept_name(f"cloudtrail_{A}") in str(run.errors[0])
    assert catalog.tables[f"cloudtrail_{A}"].definition == before.tables[f"cloudtrail_{A}"].definition
    nothing_lost(catalog, before)


def places(catalog: StoppableCatalog) -> set[str]:
    return {one.location for held in catalog.held.values() for one in held.values()}


@pytest.mark.parametrize("shape", ["per_account", "single"])
def test_days_that_only_the_old_table_covered_stay_covered(shape: str) -> None:
    catalog = left_behind(A, held=200)
    run = adopt(catalog, Known(delivered(A, first=190)), aim(shape))
    assert not run.refusals
    wanted = {delivered(A).location(day) for day in days(190)}
    assert wanted <= places(catalog)
    assert not planned(Adoption(catalog, Known(delivered(A, first=190)), aim(shape), adopt=False)).changes


def test_logs_at_a_place_that_no_source_names_are_not_left_behind() -> None:
    catalog, before = left_behind(A), left_behind(A)
    elsewhere = old.partitions(old.folder("former-logs", A), ["eu-west-1"], TODAY - timedelta(days=9), 1)
    extra = StoppableCatalog((old.table(A, old.folder("logs", A)), list(elsewhere)))
    for each in (catalog, before):
        each.held[f"cloudtrail_{A}"] |= extra.held[f"cloudtrail_{A}"]
    run = adopt(catalog, Known(delivered(A)), aim("per_account"))
    assert "s3://former-logs/AWSLogs" in run.refusals
    assert "sources" in run.refusals
    assert catalog.tables[f"cloudtrail_{A}"] == before.tables[f"cloudtrail_{A}"]


def test_the_plan_says_what_goes_and_what_that_costs() -> None:
    catalog = left_behind(A, B)
    flow = Adoption(catalog, Known(delivered(A), delivered(B)), aim("single"), adopt=True)
    run = planned(flow)
    assert flow.count == 2
    swaps = [change for change in run.changes if change.action is Action.REPLACE]
    assert [change.name for change in swaps] == [f"cloudtrail_{A}", f"cloudtrail_{B}", "cloudtrail"]
    said = "; ".join(swaps[0].why)
    assert "23 columns become" in said
    assert "10 partitions, 4 of them with logs, all of these covered" in said
    assert f"s3://logs/AWSLogs/{A}//CloudTrail/" in said
    assert [change.name for change in run.changes if takes_over(change)] == [
        f"cloudtrail_{A}",
        f"cloudtrail_{B}",
    ]
    for said in ("2 tables", "1 view", "--undo", "Lake Formation", "nightly run", "23 objects", "$0.00"):
        assert said in run.warnings


def test_a_saved_plan_that_takes_nothing_over_is_not_stale() -> None:
    catalog = StoppableCatalog()
    run = planned(Adoption(catalog, Known(delivered(A)), aim("per_account"), adopt=True))
    assert "nothing to take over" in run.warnings
    assert check(run.parts, catalog, "p.json", "cloudtrail").taken_over == 0


@pytest.mark.parametrize("shape", ["per_account", "single"])
def test_what_reads_a_name_is_made_after_it_changed_hands(shape: str) -> None:
    run = planned(Adoption(left_behind(A), Known(delivered(A)), aim(shape), adopt=True))
    names = [change.name for change in run.parts[-2].changes]
    assert names == [kept_name("cloudtrail"), "cloudtrail", "cloudtrail_events"]


def test_without_adopt_the_predecessor_s_tables_are_foreign() -> None:
    catalog, before = left_behind(A, B), left_behind(A, B)
    run = adopt(catalog, Known(delivered(A), delivered(B)), aim("per_account"), adopting=False)
    assert run.refusals.count("--adopt") == 2
    assert catalog.state() == before.state()


def test_a_table_that_only_has_the_name_is_refused_with_the_reason() -> None:
    catalog = left_behind(A)
    name = f"cloudtrail_{A}"
    held = catalog.tables[name]
    assert isinstance(held.definition, Table)
    fewer = replace(held.definition, columns=held.definition.columns[:-1])
    catalog.tables[name] = replace(held, definition=fewer)
    run = adopt(catalog, Known(delivered(A)), aim("per_account"))
    assert f"{name} is neither ours nor cloudtrail-partitioner's: its 22 columns" in run.refusals
    assert catalog.tables[name].definition == fewer


def test_a_copy_of_another_definition_is_not_written_over() -> None:
    catalog = left_behind(A)
    adopt(catalog, Known(delivered(A)), aim("single"))
    fresh = left_behind(A)
    name = f"cloudtrail_{A}"
    kept = catalog.tables[kept_name(name)]
    assert isinstance(kept.definition, Table)
    other = replace(kept.definition, location=f"s3://former-logs/AWSLogs/{A}//CloudTrail/")
    fresh.tables[kept_name(name)] = replace(kept, definition=other)
    run = adopt(fresh, Known(delivered(A)), aim("single"))
    assert "keeps another definition" in run.refusals
    assert fresh.tables[kept_name(name)].definition == other
    assert isinstance(fresh.tables[name].definition, Table)


def test_accounts_that_nothing_delivers_any_more_keep_their_tables() -> None:
    catalog = left_behind(A, B)
    run = adopt(catalog, Known(delivered(A)), aim("single"))
    assert f"cloudtrail_{B} stays as it is" in run.warnings
    assert catalog.tables[f"cloudtrail_{B}"].version is None
    assert isinstance(catalog.tables[f"cloudtrail_{A}"].definition, View)


def test_only_what_is_aimed_at_is_taken_over() -> None:
    catalog = left_behind(A, B)
    adopt(catalog, Known(delivered(A), delivered(B)), aim("per_account", targets=(A,)))
    assert catalog.tables[f"cloudtrail_{A}"].version == 1
    assert catalog.tables[f"cloudtrail_{B}"].version is None
    assert catalog.tables["cloudtrail"].version is None


def test_other_deliveries_of_the_account_get_their_tables_with_it() -> None:
    folder = AccountFolder("logs", "AWSLogs", A)
    insight = Delivery(folder, Kind.INSIGHT, "eu-west-1", days(2))
    catalog, surveyor = left_behind(A), Known(delivered(A), insight)
    run = adopt(catalog, surveyor, aim("per_account"))
    assert not run.errors
    assert ours(catalog) == ours(from_nothing(surveyor, aim("per_account")))


def test_two_roots_of_one_account_fit_where_the_old_table_held_one() -> None:
    both = (delivered(A), delivered(A, root="AWSLogs/o-abcdefghij"))
    catalog = left_behind(A)
    run = adopt(catalog, Known(*both), aim("per_account"))
    assert not run.errors
    assert {one.location(day) for one in both for day in days(3)} <= places(catalog)


@pytest.mark.parametrize("shape", ["per_account", "single"])
def test_every_part_is_bound_to_what_it_was_made_from(shape: str) -> None:
    catalog, surveyor = left_behind(A, B), Known(delivered(A), delivered(B))
    parts = planned(Adoption(catalog, surveyor, aim(shape), adopt=True)).parts
    assert _stale(parts, catalog) == []
    catalog.held[f"cloudtrail_{B}"].popitem()
    assert _stale(parts, catalog) == [B]
    adopt(catalog, surveyor, aim(shape))
    parts = planned(Undo(catalog, "cloudtrail")).parts
    assert _stale(parts, catalog) == []
    catalog.held[kept_name(f"cloudtrail_{A}")].popitem()
    assert _stale(parts, catalog) == [A]


def _stale(parts: Iterable[Part], catalog: StoppableCatalog) -> list[str]:
    found = catalog.definitions()
    return [part.name for part in parts if part.actual != actual_digest(part, catalog, found, Digester())]


@pytest.mark.slow
def test_four_hundred_tables_and_an_unedited_configuration_become_one_table() -> None:
    accounts = [f"{number:012}" for number in range(400)]
    catalog = left_behind(*accounts, held=2)
    surveyor = Known(*(delivered(account, first=1) for account in accounts))
    flow = Adoption(catalog, surveyor, aim("auto", first=90), adopt=True)
    run = carry_out(catalog, flow)
    assert flow.count == 400
    assert not run.errors
    assert not run.refusals
    raw = [name for name, one in ours(catalog)[0].items() if isinstance(one, Table)]
    assert raw == ["cloudtrail_raw"]
    assert (
        sum(change.target is Target.VIEW for change in run.changes if change.action is Action.REPLACE) == 401
    )
    assert not planned(Adoption(catalog, surveyor, aim("auto", first=90), adopt=False)).changes
