"""Steps carried out: statements through Athena, objects, tables, calls, shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trailhouse.catalog.encoding import encoded, encoded_partition
from trailhouse.core.state import CLOUDTRAIL_FORMAT, Partition, Table, hive_columns
from trailhouse.dialect import Statement
from trailhouse.engine.athena import Athena
from trailhouse.engine.definitions import Definitions
from trailhouse.errors import AccessDeniedError, AwsError, CredentialsError, ThrottledError, TrailhouseError
from trailhouse.selftest.bucket import packed
from trailhouse.selftest.check import Api, Apply, Make, Put, Sql, Stage
from trailhouse.selftest.converge import converge
from trailhouse.selftest.expect import Answer

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from trailhouse.aws.gate import Gate
    from trailhouse.selftest.check import Piece, Step
    from trailhouse.selftest.price import Purse
    from trailhouse.selftest.scratch import Scratch, Words

LONGEST = 300.0
"""Seconds after which a statement is stopped."""

_NO_VERDICT = re.compile(
    r"INTERNAL_ERROR|PERMISSION_DENIED|access ?denied|not authorized|Insufficient Lake Formation|Slow ?Down|"
    r"EXHAUSTED_RESOURCES|\b50[013]\b|NotImplemented|UnknownOperation|InternalFailure|InternalServiceException",
    re.IGNORECASE,
)
"""Failures that say nothing about what was asked."""


class Hindered(Exception):  # noqa: N818 - a reason, not a fault
    """The step could not be carried out for a reason that settles nothing."""


class Hands:
    """Carries steps out in one scratch place."""

    def __init__(
        self, gate: Gate, scratch: Scratch, words: Words, purse: Purse, *, workgroup: str, today: date
    ) -> None:
        """Call nothing yet."""
        self._gate, self._scratch, self._words, self._purse = gate, scratch, words, purse
        self._today = today
        place = scratch.place
        self.athena = Athena(
            gate, Definitions(gate, place.database), workgroup=workgroup,
            output_bucket=f"{place.bucket}/{place.prefix}results", watch=_Watch(purse),
        )  # fmt: skip
        self.elsewhere = 0
        self._applied: dict[Stage, Answer] = {}

    def do(self, step: Step, folders: int) -> Answer:
        """Carry one step out.

        Args:
            step: what to do.
            folders: that a statement lists at most.

        Raises:
            Hindered: for a reason that settles nothing.
            CostStop: it could exceed the limit.
            CredentialsError: no call can succeed any more.
        """
        try:
            if isinstance(step, Sql):
                return self._ask(self._words(step.text), folders)
            if isinstance(step, Apply):
                return self.apply(step.stage)
            if isinstance(step, Api):
                return self._call(step)
            self._write(step)
        except CredentialsError:
            raise
        except (AccessDeniedError, ThrottledError) as error:
            raise Hindered(str(error)) from error
        except TrailhouseError as error:
            if _NO_VERDICT.search(f"{getattr(error, 'code', '')} {error}"):
                raise Hindered(str(error)) from error
            return Answer(error=str(error), code=getattr(error, "code", ""))
        return Answer()

    def apply(self, stage: Stage) -> Answer:
        """Apply a shape, once; how many changes a second plan finds."""
        if stage not in self._applied:
            self._applied[stage] = converge(
                self._gate, self._scratch.place, self._words(f"{{{stage}}}"), stage, self._today
            )
        return self._applied[stage]

    def _ask(self, sql: str, folders: int) -> Answer:
        self._purse.ask(folders)
        try:
            rows = _rows(self.athena.execute(Statement(sql, "", ())))
        finally:
            scanned = self._paid(folders)
        return Answer(rows, scanned)

    def _paid(self, folders: int) -> int:
        """Count the last statement, if Athena took it; the bytes that it read."""
        last = self.athena.last
        if last is None:
            return 0
        self._purse.pay(last.scanned, folders)
        self.elsewhere += bool(last.output) and self._scratch.place.prefix not in last.output
        return last.scanned

    def _call(self, step: Api) -> Answer:
        parameters = _filled(step.parameters, self._words)
        answers = tuple(
            self._gate.call(step.service, step.operation, **parameters) for _ in range(step.repeat)
        )
        return Answer(raw=answers)

    def _write(self, step: Put | Make) -> None:
        if isinstance(step, Make):
            self._make(step)
            return
        body = step.body if isinstance(step.body, bytes) else packed(step.body)
        self._scratch.put(step.key, body, step.storage_class)

    def _make(self, step: Make) -> None:
        database = self._scratch.place.database
        table = self._table(step)
        self._gate.call("glue", "CreateTable", DatabaseName=database, TableInput=encoded(table, database))
        pieces = [self._partition(piece, table) for piece in step.pieces]
        if pieces:
            answer = self._gate.call(
                "glue", "BatchCreatePartition", DatabaseName=database, TableName=table.name,
                PartitionInputList=[encoded_partition(piece) for piece in pieces],
            )  # fmt: skip
            if answer.get("Errors"):
                raise AwsError(f"partitions of {table.name} were not made: {answer['Errors']}")

    def _table(self, step: Make) -> Table:
        parameters = {"EXTERNAL": "TRUE", "classification": "cloudtrail", **dict(step.parameters)}
        return Table(
            step.name, step.keys, self._words(step.location), step.columns or hive_columns(step.kind),
            CLOUDTRAIL_FORMAT, tuple(sorted((key, self._words(value)) for key, value in parameters.items())),
        )  # fmt: skip

    def _partition(self, piece: Piece, table: Table) -> Partition:
        form = replace(table.format, serde=piece.serde) if piece.serde else table.format
        values = tuple(map(self._words, piece.values))
        return Partition(values, self._words(piece.location), piece.columns or table.columns, form)


class _Watch:
    """Stops a statement that costs or takes too much."""

    def __init__(self, purse: Purse) -> None:
        self._purse = purse

    def running(self, state: str, scanned: int, seconds: float) -> None:
        del state
        self._purse.watch(scanned)
        if seconds > LONGEST:
            raise Hindered(f"no answer after {LONGEST:.0f} seconds")

    def done(self) -> None:
        """Nothing is held."""


def _rows(reader: pa.RecordBatchReader) -> tuple[tuple[Any, ...], ...]:
    table = reader.read_all()
    if not table.num_columns:
        return ()
    return tuple(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _filled(value: Any, words: Words) -> Any:  # noqa: ANN401 - JSON's types
    if isinstance(value, str):
        return words(value)
    if isinstance(value, Mapping):
        return {key: _filled(one, words) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, words) for one in value]
    return value
