from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from catalog.layouts import ORG, TODAY, Layout, Log, organization
from catalog.memory import MemoryCatalog
from catalog.runs import Killed, Killing, aim, definitions, discover
from nightly.stage import PLENTY, allowance
from trailhouse.catalog.convergence import Convergence
from trailhouse.core.plan import Change, Target
from trailhouse.core.state import Format, Table
from trailhouse.errors import AwsError, ConflictError, CredentialsError, PlanRefusedError, TrailhouseError
from trailhouse.nightly.piece import Piece, Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from trailhouse.catalog.port import Catalog

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
FOREIGN_FORMAT = Format("i", "o", "s")
TWELVE = organization(12, 1, 5)
SHAPES = ({"tables": "per_account"}, {"tables": "single"}, {"projected": True})


def work(
    catalog: Catalog,
    layout: Layout,
    remaining: Callable[[], float] = lambda: PLENTY,
    *,
    after: str = "",
    whole: bool = True,
    **options: Any,  # noqa: ANN401 - as Aim takes them
) -> Progress:
    with discover(layout, options.pop("today", TODAY)) as discovery:
        piece = Piece(catalog, discovery, replace(aim(**options), after=after), remaining, whole=whole)
        piece.work()
        return piece.progress


def pieces(catalog: Catalog, layout: Layout, accounts: int, **options: Any) -> list[Progress]:  # noqa: ANN401 - as Aim takes them
    """Pieces of so many accounts each, until nothing is left."""
    after = options.pop("after", "")
    found = [work(catalog, layout, allowance(accounts), after=after, **options)]
    while not found[-1].finished:
        assert found[-1].error is None
        found.append(work(catalog, layout, allowance(accounts), after=found[-1].after, **options))
    return found


def held(catalog: MemoryCatalog) -> object:
    return definitions(catalog.tables), {name: set(found) for name, found in catalog.held.items()}


def at_once(layout: Layout, **options: Any) -> MemoryCatalog:  # noqa: ANN401 - as Aim takes them
    catalog = MemoryCatalog(database=False)
    assert work(catalog, layout, **options).finished
    return catalog


@pytest.mark.parametrize("options", SHAPES)
def test_pieces_make_the_same_as_one_run(options: dict[str, Any]) -> None:
    catalog = MemoryCatalog(database=False)
    found = pieces(catalog, TWELVE, 3, **options)
    assert [one.after[-2:] for one in found] == ["03", "06", "09", "12", "12"]
    assert held(catalog) == held(at_once(TWELVE, **options))
    planned = sum((one.planned for one in found), Progress().planned)
    assert planned == sum((one.done for one in found), Progress().done)
    assert not [problem for one in found for problem in one.problems(NOW)]


def test_a_piece_does_one_account_at_least() -> None:
    found = pieces(MemoryCatalog(database=False), organization(3, 1, 1), 1)
    assert [one.after[-1:] for one in found] == ["1", "2", "3", "3"]
    assert work(MemoryCatalog(), TWELVE, lambda: -1.0).after[-1:] == "1"


@pytest.mark.parametrize("options", SHAPES[:2])
def test_killed_anywhere_and_begun_again(options: dict[str, Any]) -> None:
    layout = organization(4, 1, 2)
    wanted, changes = held(at_once(layout, **options)), 0
    while True:
        catalog = MemoryCatalog(database=False)
        try:
            pieces(Killing(catalog, changes), layout, 2, **options)
        except Killed:
            pass
        else:
            break
        pieces(catalog, layout, 2, **options)  # the next night
        assert held(catalog) == wanted, changes
        changes += 1
    assert changes > 20


def test_killed_in_a_piece_and_the_piece_again() -> None:
    catalog = MemoryCatalog(database=False)
    first = work(catalog, TWELVE, allowance(3), tables="single")
    with pytest.raises(Killed):
        work(Killing(catalog, 10), TWELVE, allowance(3), after=first.after, tables="single")
    rest = pieces(catalog, TWELVE, 3, after=first.after, tables="single")
    assert rest[-1].finished
    assert held(catalog) == held(at_once(TWELVE, tables="single"))


def failing(
    name: str, error: TrailhouseError, times: int = 10**9
) -> Callable[[Change], TrailhouseError | None]:
    """Refuses changes of a name."""
    left = [times]

    def refuse(change: Change) -> TrailhouseError | None:
        if change.name != name or not left[0]:
            return None
        left[0] -= 1
        return error

    return refuse


def test_what_somebody_else_changed_meanwhile_is_planned_again() -> None:
    conflict = ConflictError("changed", code="ConcurrentModificationException", operation="glue UpdateTable")
    layout = organization(3, 1, 2)
    catalog = MemoryCatalog(database=False, refuse=failing("cloudtrail_000000000002", conflict, times=1))
    found = work(catalog, layout, tables="per_account")
    assert (found.finished, found.failed, found.left_out) == (True, {}, {})
    assert held(catalog) == held(at_once(layout, tables="per_account"))


def test_what_is_changed_again_and_again_is_left_out() -> None:
    conflict = ConflictError("changed", code="ConcurrentModificationException", operation="glue CreateTable")
    catalog = MemoryCatalog(database=False, refuse=failing("cloudtrail_000000000002", conflict))
    found = work(catalog, organization(3, 1, 2), tables="per_account")
    assert found.finished
    assert set(found.failed) == {"000000000002"}
    (account, *_) = found.problems(NOW)
    assert account.identity == ("account", "000000000002")
    assert "once more" in account.tried
    assert account.command == "trailhouse apply --target 000000000002"


def test_one_that_fails_stops_no_other() -> None:
    error = AwsError("broken", code="InternalServiceException", operation="glue CreateTable")
    catalog = MemoryCatalog(database=False, refuse=failing("cloudtrail_000000000002", error))
    found = pieces(catalog, organization(4, 1, 2), 1, tables="per_account")
    assert [sorted(one.failed) for one in found] == [[], ["000000000002"], [], [], []]
    assert not [view for one in found for view in one.left_out], (
        "the views are written without it, at the end"
    )
    assert "cloudtrail_000000000003" in str(catalog.tables["cloudtrail"].definition)
    assert "cloudtrail_000000000002" not in str(catalog.tables["cloudtrail"].definition)


def test_credentials_that_end_end_the_run() -> None:
    error = CredentialsError("expired", code="ExpiredTokenException", operation="glue CreateTable")
    catalog = MemoryCatalog(database=False, refuse=failing("cloudtrail_000000000002", error))
    found = work(catalog, TWELVE, tables="per_account")
    assert (found.finished, found.error, found.after[-1:]) == (False, error, "1")
    assert [one.identity for one in found.problems(NOW)] == [
        ("run", "glue CreateTable ExpiredTokenException")
    ]


def test_an_account_that_refuses_itself_is_left_as_it_is() -> None:
    layout = organization(3, 1, 2)
    catalog = MemoryCatalog()
    foreign = Table("cloudtrail_000000000002", ("region",), "s3://elsewhere/", (), FOREIGN_FORMAT, ())
    catalog.put(foreign)
    found = work(catalog, layout, tables="per_account")
    assert catalog.tables["cloudtrail_000000000002"].definition == foreign
    assert set(found.refused) == {"000000000002"}
    assert found.finished
    assert found.failed == {}
    (problem,) = found.problems(NOW)
    assert problem.identity == ("refused", "000000000002")
    assert problem.command == "trailhouse plan --target 000000000002"


def test_where_the_table_of_all_refuses_itself_nothing_is_done() -> None:
    catalog = MemoryCatalog()
    catalog.put(Table("cloudtrail_raw", ("region",), "s3://elsewhere/", (), FOREIGN_FORMAT, ()))
    found = work(catalog, TWELVE, tables="single")
    assert isinstance(found.error, PlanRefusedError)
    assert set(catalog.tables) == {"cloudtrail_raw"}
    assert [one.identity for one in found.problems(NOW)] == [("refused", "tables")]


def test_what_is_of_another_shape_stays_while_anything_was_left_out() -> None:
    layout = organization(3, 1, 2)
    catalog = at_once(layout, tables="single")
    found = work(catalog, layout, tables="per_account", whole=False)
    assert found.finished
    assert found.left_out == {"cloudtrail_raw": "it goes once all accounts are done"}
    assert "cloudtrail_raw" in catalog.tables
    assert work(catalog, layout, tables="per_account").left_out == {}
    assert "cloudtrail_raw" not in catalog.tables


def test_without_accounts_there_is_nothing_to_do() -> None:
    found = work(MemoryCatalog(database=False), Layout([], sources=["s3://logs"]))
    assert (found.finished, found.error, dict(found.done)) == (True, None, {})
    assert len(found.warnings) == 1


def test_pieces_look_at_accounts_beyond_only() -> None:
    with discover(TWELVE) as discovery:
        flow = Convergence(MemoryCatalog(database=False), discovery, replace(aim(), after="000000000010"))
        names = [part.name for part in flow.parts()]
    assert names == ["tables", "000000000011", "000000000012", "views", "former"]


def test_a_kind_that_is_new_in_a_later_piece() -> None:
    layout = organization(3, 1, 2)
    layout.logs.append(
        Log("logs", f"AWSLogs/{ORG}", "000000000003", "CloudTrail-Insight", "eu-west-1", TODAY)
    )
    for options in SHAPES[:2]:
        catalog = MemoryCatalog(database=False)
        pieces(catalog, layout, 1, **options)
        assert held(catalog) == held(at_once(layout, **options))


def test_an_index_that_cannot_be_made_stops_nothing() -> None:
    error = AwsError(
        "no more", code="ResourceNumberLimitExceededException", operation="glue CreatePartitionIndex"
    )
    catalog = MemoryCatalog(
        database=False, refuse=lambda change: error if change.target is Target.INDEX else None
    )
    found = work(catalog, organization(2, 1, 1), tables="single")
    assert found.error is None
    assert [one.identity for one in found.problems(NOW)] == [("view", "tables")]
