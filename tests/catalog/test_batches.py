"""Partitions on a strict Glue: every limit, half-done batches, others who write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bed.faults import Fault, broken, throttle
from catalog.changes import (
    ALL,
    COLUMNS,
    DATABASE,
    ONE,
    ROOT,
    VIEW,
    creates,
    delete,
    errors,
    fails,
    held,
    make,
    of,
    partition,
    run,
)
from trailhouse.catalog.batches import PAUSES
from trailhouse.catalog.encoding import encoded_partition
from trailhouse.core.plan import Action
from trailhouse.errors import (
    AwsError,
    CatalogError,
    ThrottledError,
)

if TYPE_CHECKING:
    from bed.glue import StrictGlue
    from catalog.changes import Connect
    from trailhouse.catalog.glue import GlueCatalog


def test_batches_are_as_large_as_glue_takes(filled: GlueCatalog, strict: StrictGlue) -> None:
    run(filled, *creates(range(250)))
    assert strict.counts == {"BatchCreatePartition": 3}
    changed = [of(Action.UPDATE, partition(number, COLUMNS[:5])) for number in range(250)]
    run(filled, *changed)
    assert strict.counts["BatchUpdatePartition"] == 3
    assert {one.columns for one in held(filled)} == {COLUMNS[:5]}
    run(filled, *(of(Action.DELETE, partition(number)) for number in range(250)))
    assert strict.counts["BatchDeletePartition"] == 10
    assert held(filled) == []


def test_creates_updates_and_deletes_may_be_mixed(filled: GlueCatalog) -> None:
    run(filled, *creates(range(3)))
    changes = [
        of(Action.DELETE, partition(0)),
        of(Action.UPDATE, partition(1, COLUMNS[:2])),
        of(Action.CREATE, partition(3)),
    ]
    outcomes = list(filled.carry_out(changes))
    assert errors(outcomes) == []
    assert {outcome.change.values for outcome in outcomes} == {change.values for change in changes}
    assert held(filled) == [partition(1, COLUMNS[:2]), partition(2), partition(3)]


def test_an_update_leaves_what_it_does_not_know(filled: GlueCatalog, strict: StrictGlue) -> None:
    given = {**encoded_partition(partition(0, COLUMNS[:2])), "Parameters": {"numFiles": "3"}}
    given["StorageDescriptor"] = {**given["StorageDescriptor"], "Compressed": True}
    _by_hand(filled, strict, given)
    run(filled, of(Action.UPDATE, partition(0)))
    raw = _call(filled, "BatchGetPartition", PartitionsToGet=[{"Values": list(partition(0).values)}])
    assert raw["Partitions"][0]["Parameters"] == {"numFiles": "3"}
    assert raw["Partitions"][0]["StorageDescriptor"]["Compressed"] is True
    assert held(filled) == [partition(0)]


def test_what_is_done_already_counts_as_done(filled: GlueCatalog, strict: StrictGlue) -> None:
    run(filled, *creates(range(3)))
    strict.log.clear()
    run(filled, *creates(range(4)))
    assert "BatchUpdatePartition" not in strict.counts
    run(filled, of(Action.UPDATE, partition(0)), of(Action.DELETE, partition(9)))
    assert "BatchUpdatePartition" not in strict.counts
    assert held(filled) == [partition(number) for number in range(4)]


def test_a_partition_that_is_there_but_differs_becomes_as_wanted(filled: GlueCatalog) -> None:
    run(filled, of(Action.CREATE, partition(0, COLUMNS[:2])))
    run(filled, of(Action.CREATE, partition(0)))
    assert held(filled) == [partition(0)]


def test_a_partition_that_went_meanwhile_is_made(filled: GlueCatalog, strict: StrictGlue) -> None:
    run(filled, of(Action.UPDATE, partition(0)))
    assert held(filled) == [partition(0)]
    # Between looking at it and writing it.
    gone = Fault("BatchUpdatePartition", partial=lambda _: True, code="EntityNotFoundException")
    strict.inject(gone)
    run(filled, of(Action.UPDATE, partition(0, COLUMNS[:2])))
    assert held(filled) == [partition(0, COLUMNS[:2])]


def test_errors_of_single_partitions_are_told_by_name_and_the_others_are_made(
    filled: GlueCatalog, strict: StrictGlue
) -> None:
    bad = partition(5).values
    strict.inject(
        Fault("BatchCreatePartition", None, partial=lambda v: tuple(v) == bad, code="InvalidInputException")
    )
    outcomes = list(filled.carry_out(creates(range(10))))
    (failed,) = [outcome for outcome in outcomes if outcome.error]
    assert failed.change.values == bad
    assert isinstance(failed.error, AwsError)
    assert failed.error.code == "InvalidInputException"
    assert f"security.{ONE.name} (eu-west-1/2026/01/06/{ROOT})" in str(failed.error)
    assert len(held(filled)) == 9


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "InternalServiceException", "OperationTimeoutException"]
)
@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE, Action.DELETE])
def test_parts_of_a_batch_that_glue_had_no_time_for_are_sent_again(
    filled: GlueCatalog, strict: StrictGlue, waited: list[float], action: Action, code: str
) -> None:
    if action is not Action.CREATE:
        run(filled, *creates(range(10)))
        strict.log.clear()
    operation = {"create": "BatchCreatePartition", "update": "BatchUpdatePartition"}.get(
        action, "BatchDeletePartition"
    )
    strict.inject(Fault(operation, times=2, partial=lambda v: v[3] in {"03", "07"}, code=code))
    columns = COLUMNS[:2] if action is Action.UPDATE else COLUMNS
    run(filled, *(of(action, partition(number, columns)) for number in range(10)))
    sent = [len(next(v for v in call.parameters.values() if isinstance(v, list))) for call in strict.calls
            if call.operation == operation]  # fmt: skip
    assert sent == [10, 2, 2]
    assert waited == list(PAUSES[:2])
    assert len(held(filled)) == (0 if action is Action.DELETE else 10)


def test_parts_of_an_answer_that_glue_had_no_time_for_are_asked_for_again(
    filled: GlueCatalog, strict: StrictGlue, waited: list[float]
) -> None:
    run(filled, *creates(range(3)))
    strict.inject(Fault("BatchGetPartition", partial=lambda v: v[3] == "02"))
    run(filled, *(of(Action.UPDATE, partition(number, COLUMNS[:2])) for number in range(3)))
    assert waited == [PAUSES[0]]
    assert {one.columns for one in held(filled)} == {COLUMNS[:2]}


def test_throttling_that_does_not_end_is_an_error_and_nothing_more_is_tried(
    filled: GlueCatalog, strict: StrictGlue, waited: list[float]
) -> None:
    strict.inject(
        Fault("BatchCreatePartition", None, partial=lambda v: v[3] == "01", code="ThrottlingException")
    )
    found = fails(filled, *creates(range(3)), make(VIEW), make(ALL))
    assert [type(error) for error in found] == [ThrottledError, CatalogError, CatalogError]
    assert "not tried" in str(found[-1])
    assert waited == list(PAUSES)


def test_calls_that_are_throttled_or_break_are_retried_by_the_gate(
    connect: Connect, strict: StrictGlue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    catalog = connect(attempts=4)
    run(catalog, DATABASE, make(ONE))
    strict.inject(
        throttle("BatchCreatePartition"),
        broken("BatchCreatePartition"),
        Fault("BatchCreatePartition", cut="after"),
    )
    run(catalog, *creates(range(3)))
    assert held(catalog) == [partition(number) for number in range(3)]


def test_others_who_write_to_the_table_at_the_same_time_do_no_harm(
    filled: GlueCatalog, strict: StrictGlue, waited: list[float]
) -> None:
    strict.inject(Fault("BatchCreatePartition", code="ConcurrentModificationException"))
    run(filled, *creates(range(3)))
    assert waited == [PAUSES[0]]
    assert len(held(filled)) == 3


def test_partitions_of_a_table_that_is_gone_cannot_be_made_and_need_not_be_deleted(
    filled: GlueCatalog,
) -> None:
    run(filled, delete(ONE))
    (error,) = fails(filled, of(Action.CREATE, partition(0)))
    assert isinstance(error, AwsError)
    run(filled, of(Action.DELETE, partition(0)))


def test_refused_batches_do_not_stop_the_others(filled: GlueCatalog, strict: StrictGlue) -> None:
    strict.inject(Fault("BatchCreatePartition", code="InvalidInputException"))
    found = fails(filled, *creates(range(300)))
    assert len(found) == 100
    assert len(held(filled)) == 200


def test_several_batches_are_on_their_way_at_once(filled: GlueCatalog, strict: StrictGlue) -> None:
    strict.delay = 0.2
    outcomes = filled.carry_out(creates(range(700)))
    next(outcomes)
    assert strict.counts["BatchCreatePartition"] > 1
    assert len(list(outcomes)) == 699


def test_whoever_stops_listening_leaves_nothing_behind_that_runs(
    filled: GlueCatalog, strict: StrictGlue
) -> None:
    strict.delay = 0.02
    outcomes = filled.carry_out(creates(range(3000)))
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]  # a generator
    sent = strict.counts["BatchCreatePartition"]
    assert sent < 30
    assert len(held(filled)) == sent * 100


def _call(catalog: GlueCatalog, operation: str, **more: object) -> dict[str, Any]:
    return catalog._gate.call("glue", operation, DatabaseName="security", TableName=ONE.name, **more)


def _by_hand(catalog: GlueCatalog, strict: StrictGlue, given: dict[str, Any]) -> None:
    _call(catalog, "BatchCreatePartition", PartitionInputList=[given])
    strict.log.clear()
