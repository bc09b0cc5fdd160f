"""Partitions of Glue, written in batches.

A batch can be done in part: Glue answers 200 and lists those that it did not do. Those that it had no time for
are sent again, those that are there already are compared, and the rest are told one by one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from trailhouse.catalog import bodies
from trailhouse.catalog.encoding import encoded_partition, partition
from trailhouse.catalog.inputs import accepted
from trailhouse.catalog.port import Outcome
from trailhouse.core.plan import Action, Change
from trailhouse.core.state import Partition
from trailhouse.errors import (
    AwsError,
    CatalogError,
    ConflictError,
    CredentialsError,
    NotFoundError,
    ThrottledError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from trailhouse.aws.gate import Gate

    Values = tuple[str, ...]

HOPELESS = (CredentialsError, ThrottledError)
"""After these, whatever comes next fails the same way: nothing more is tried."""
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before parts of a batch are sent again."""
THREADS = 8

_THERE = "AlreadyExistsException"
_GONE = "EntityNotFoundException"
_LATER = {
    "ConcurrentModificationException",
    "InternalServiceException",
    "OperationTimeoutException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}


class Step(StrEnum):
    """What is tried next for a partition."""

    CREATE = "BatchCreatePartition"
    UPDATE = "BatchUpdatePartition"
    DELETE = "BatchDeletePartition"


_SIZES = {Step.CREATE: 100, Step.UPDATE: 100, Step.DELETE: 25}
_STEPS = {
    Action.CREATE: Step.CREATE,
    Action.UPDATE: Step.UPDATE,
    Action.REPLACE: Step.UPDATE,
    Action.DELETE: Step.DELETE,
}


@dataclass(slots=True)
class _Batch:
    """Changes of one table on their way."""

    table: str
    step: dict[Values, Step]
    changes: dict[Values, Change]
    last: dict[Values, AwsError] = field(default_factory=dict)  # why those that are left are left
    failed: dict[Values, AwsError] = field(default_factory=dict)

    def waiting(self, step: Step) -> list[Values]:
        return [values for values, next_ in self.step.items() if next_ is step]

    def done(self, values: Values) -> None:
        self.step.pop(values, None)

    def fail(self, values: Values, error: AwsError) -> None:
        self.done(values)
        self.failed[values] = error

    def outcomes(self) -> list[Outcome]:
        return [Outcome(change, self.failed.get(values)) for values, change in self.changes.items()]


class Batches:
    """The writing side of one database's partitions."""

    def __init__(self, gate: Gate, database: str, wait: Callable[[float], None]) -> None:
        """Make no call.

        Args:
            gate: the way to Glue.
            database: the name of the database.
            wait: sleeps for as many seconds; called from several threads.
        """
        self._gate = gate
        self._database = database
        self._wait = wait
        client = gate.client("glue")
        self._input = client.meta.service_model.shape_for("PartitionInput")
        bodies.watch(client)

    def carry_out(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Carry out changes of one table's partitions, several batches at once; outcomes batch by batch."""
        batches = list(_cut(changes))
        stop = Event()
        if len(batches) == 1:
            yield from self._settled(batches[0], stop)
            return
        pool = ThreadPoolExecutor(THREADS, thread_name_prefix="partitions")
        try:
            for outcomes in pool.map(lambda batch: self._settled(batch, stop), batches):
                yield from outcomes
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)

    def _settled(self, batch: _Batch, stop: Event) -> list[Outcome]:
        """Outcomes of a batch, once it is done or given up."""
        if stop.is_set():
            return [Outcome(change, not_tried(change)) for change in batch.changes.values()]
        for pause in (*PAUSES, None):
            batch.last.clear()
            self._round(batch)
            if not batch.step:
                break
            if pause is None or stop.is_set():
                for values in list(batch.step):
                    batch.fail(values, batch.last[values])
            elif any(error.code in _LATER for error in batch.last.values()):
                self._wait(pause)
        if any(isinstance(error, HOPELESS) for error in batch.failed.values()):
            stop.set()
        return batch.outcomes()

    def _round(self, batch: _Batch) -> None:
        """Try every change that is left once."""
        for step, send in (
            (Step.UPDATE, self._update),
            (Step.CREATE, self._create),
            (Step.DELETE, self._delete),
        ):
            waiting = batch.waiting(step)
            if not waiting:
                continue
            try:
                send(batch, waiting)
            except ConflictError as error:  # others write to the table: it is done again, and does no harm
                batch.last |= dict.fromkeys(waiting, error)
            except NotFoundError as error:
                for values in waiting:  # the whole table is gone
                    self._note(batch, values, None if step is Step.DELETE else error)
            except AwsError as error:
                for values in waiting:
                    batch.fail(values, error)

    def _create(self, batch: _Batch, waiting: list[Values]) -> None:
        inputs = [_wanted(batch.changes[values]) for values in waiting]  # see `bodies`
        answer = self._call(Step.CREATE, batch.table, PartitionInputList=inputs)
        refused = self._refused(batch, Step.CREATE, answer, "PartitionValues")
        for values in waiting:
            error = refused.get(values)
            if error is not None and error.code == _THERE:
                batch.step[values] = Step.UPDATE
                batch.last[values] = error
            else:
                self._note(batch, values, error)

    def _update(self, batch: _Batch, waiting: list[Values]) -> None:
        there, unread = self._read(batch.table, waiting)
        entries = []
        for values in waiting:
            wanted, raw = _wanted(batch.changes[values]), there.get(values)
            if raw is not None and partition(raw) == wanted:
                batch.done(values)
            elif raw is not None:
                made = encoded_partition(wanted, accepted(raw, self._input))
                entries.append({"PartitionValueList": list(values), "PartitionInput": made})
            elif values in unread:
                batch.last[values] = self._error(
                    batch, Step.UPDATE, values, "OperationTimeoutException", "unread"
                )
            else:
                batch.step[values] = Step.CREATE
        if not entries:
            return
        answer = self._call(Step.UPDATE, batch.table, Entries=entries)
        refused = self._refused(batch, Step.UPDATE, answer, "PartitionValueList")
        for entry in entries:
            values = tuple(entry["PartitionValueList"])
            error = refused.get(values)
            if error is not None and error.code == _GONE:
                batch.step[values] = Step.CREATE
                batch.last[values] = error
            else:
                self._note(batch, values, error)

    def _delete(self, batch: _Batch, waiting: list[Values]) -> None:
        answer = self._call(
            Step.DELETE, batch.table, PartitionsToDelete=[{"Values": list(v)} for v in waiting]
        )
        refused = self._refused(batch, Step.DELETE, answer, "PartitionValues")
        for values in waiting:
            error = refused.get(values)
            self._note(batch, values, None if error is not None and error.code == _GONE else error)

    def _note(self, batch: _Batch, values: Values, error: AwsError | None) -> None:
        if error is None:
            batch.done(values)
        elif error.code in _LATER:
            batch.last[values] = error
        else:
            batch.fail(values, error)

    def _read(self, table: str, waiting: list[Values]) -> tuple[dict[Values, Mapping[str, Any]], set[Values]]:
        """What there is of these partitions, and which of them Glue had no time for."""
        asked = [{"Values": list(values)} for values in waiting]
        answer = self._call("BatchGetPartition", table, PartitionsToGet=asked)
        there = {tuple(raw["Values"]): raw for raw in answer.get("Partitions", ())}
        return there, {tuple(one["Values"]) for one in answer.get("UnprocessedKeys", ())}

    def _refused(
        self, batch: _Batch, step: Step, answer: Mapping[str, Any], key: str
    ) -> dict[Values, AwsError]:
        """The errors in an answer that says 200."""
        found = {}
        for one in answer.get("Errors", ()):
            values, told = tuple(one.get(key, ())), one.get("ErrorDetail", {})
            found[values] = self._error(
                batch, step, values, told.get("ErrorCode", "unknown"), told.get("ErrorMessage", "")
            )
        return found

    def _error(self, batch: _Batch, step: Step, values: Values, code: str, words: str) -> AwsError:
        kind = type(
            self._gate.translate(ClientError({"Error": {"Code": code, "Message": words}}, step), "glue", step)
        )
        place = f"{self._database}.{batch.table} ({'/'.join(values)})"
        told = f"glue {step}: partition {place} failed ({code}): {words or 'no reason given'}: run again"
        return kind(told, code=code, operation=f"glue {step}", resource=place)

    def _call(self, operation: str, table: str, **parameters: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as the gate
        return self._gate.call("glue", operation, DatabaseName=self._database, TableName=table, **parameters)


def not_tried(change: Change) -> CatalogError:
    """Why a change was not tried: what it needs failed before it."""
    return CatalogError(
        f"{change.action} {change.target} {change.name}: not tried, because of an earlier failure: run again"
    )


def _cut(changes: Sequence[Change]) -> Iterator[_Batch]:
    for step, size in _SIZES.items():
        alike = [change for change in changes if _STEPS[change.action] is step]
        for start in range(0, len(alike), size):
            some = alike[start : start + size]
            yield _Batch(some[0].name, {c.values: step for c in some}, {c.values: c for c in some})


def _wanted(change: Change) -> Partition:
    if not isinstance(change.after, Partition):
        raise TypeError(f"{change.action} partition of {change.name} needs a partition")
    return change.after
