"""Answers from Athena: a statement through a workgroup, watched, stopped with Ctrl-C, its pages as Arrow."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from trailhouse.core.times import format_time
from trailhouse.engine import Unwatched, Watch
from trailhouse.engine.athena_rows import batch_of, nested_columns, schema_of
from trailhouse.engine.failures import failure
from trailhouse.errors import AccessDeniedError, AwsError, LimitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from trailhouse.aws.gate import Gate
    from trailhouse.dialect import Statement
    from trailhouse.engine.definitions import Definitions

STATEMENT_LIMIT = 262_144
"""Bytes of a statement that Athena takes (https://docs.aws.amazon.com/athena/latest/ug/service-limits.html)."""

PAGE_ROWS = 1_000
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.2, 5.0, 1.5
"""Seconds between two looks at a running statement, and by what each pause is longer than the last."""

_OPEN = ("QUEUED", "RUNNING")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a statement.

    Attributes:
        query_id: Athena's name for it.
        state: `QUEUED`, `RUNNING`, `SUCCEEDED`, `FAILED` or `CANCELLED`.
        reason: why it is in that state, in Athena's words.
        kind: `DML` for queries, `DDL` or `UTILITY` for others.
        scanned: bytes read so far.
        milliseconds: that it took, waiting included.
        workgroup: that it ran in.
        output: where the result lies.
        submitted: when it was sent, UTC, ISO 8601.
        completed: when it ended, likewise.
        reused: whether the answer is an older run's, which we never ask for.
    """

    query_id: str
    state: str
    reason: str = ""
    kind: str = ""
    scanned: int = 0
    milliseconds: int = 0
    workgroup: str = ""
    output: str = ""
    submitted: str = ""
    completed: str = ""
    reused: bool = False


@dataclass(frozen=True, slots=True)
class Workgroup:
    """What a workgroup decides for its statements.

    Attributes:
        name: its own.
        enforced: whether it overrides what a statement asks for.
        location: where its results go, "" where it does not say.
        managed: whether Athena keeps the results itself.
        cutoff: bytes from which it cancels a statement; None: no limit.
    """

    name: str
    enforced: bool = False
    location: str = ""
    managed: bool = False
    cutoff: int | None = None


class Athena:
    """A workgroup of Athena's."""

    name = "athena"

    def __init__(
        self,
        gate: Gate,
        definitions: Definitions,
        *,
        workgroup: str = "primary",
        output_bucket: str = "default",
        watch: Watch | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Call nothing yet.

        Args:
            gate: to Athena.
            definitions: of the names that can be asked.
            workgroup: its name.
            output_bucket: for results, where the workgroup does not decide; `default`:
                `aws-athena-query-results-ACCOUNT-REGION`, if that is the caller's own.
            watch: hears how far a statement is.
            clock: returns seconds from any beginning.
        """
        self._gate = gate
        self._definitions = definitions
        self._workgroup = workgroup
        self._output_bucket = output_bucket
        self._watch = watch or Unwatched()
        self._clock = clock
        self._stop = threading.Event()
        self.last: Run | None = None
        self.nested: list[str] = []

    def tables(self) -> dict[str, list[tuple[str, str]]]:
        """Every name of the database with its columns and their types. Raises AwsError."""
        return self._definitions.tables()

    @cached_property
    def workgroup(self) -> Workgroup:
        """What the workgroup decides; nothing, where the caller may not ask.

        Raises:
            UsageError: it is disabled.
            AwsError: there is no such workgroup, or what answers is not Athena.
        """
        try:
            found = self._gate.call("athena", "GetWorkGroup", WorkGroup=self._workgroup).get("WorkGroup")
        except AccessDeniedError:
            return Workgroup(self._workgroup)
        if not found:
            raise AwsError(
                f"the answer about workgroup {self._workgroup} has no workgroup in it: what answers is not Athena, or "
                "only a part of it: check --endpoint-url and AWS_ENDPOINT_URL",
                operation="athena GetWorkGroup",
            )
        if found.get("State") == "DISABLED":
            raise UsageError(f"workgroup {self._workgroup} is disabled: name another with --workgroup")
        settings = found.get("Configuration", {})
        return Workgroup(
            name=self._workgroup,
            enforced=bool(settings.get("EnforceWorkGroupConfiguration")),
            location=settings.get("ResultConfiguration", {}).get("OutputLocation", ""),
            managed=bool(settings.get("ManagedQueryResultsConfiguration", {}).get("Enabled")),
            cutoff=settings.get("BytesScannedCutoffPerQuery"),
        )

    def execute(self, statement: Statement) -> pa.RecordBatchReader:
        """Run a statement to its end; rows are fetched as they are taken.

        Raises:
            SqlError: Athena says that the statement is wrong.
            LimitError: it is too long.
            AwsError: it failed for another reason.
            KeyboardInterrupt: it was stopped, there, too.
        """
        size = len(statement.athena.encode())
        if size > STATEMENT_LIMIT:
            raise LimitError(
                f"the statement has {size:,} bytes, and Athena takes {STATEMENT_LIMIT:,}: "
                "give fewer values, or filter by a range instead of a list"
            )
        self.last, self.nested = None, []
        self._stop.clear()
        try:
            run = self._finished(self._started(statement.athena))
        finally:
            self._watch.done()
        if run.state != "SUCCEEDED":
            raise failure("Athena", run.state, run.reason, statement.athena, run.query_id)
        return self._result(run)

    def interrupt(self) -> None:
        """Stop the running statement; safe from another thread."""
        self._stop.set()

    def close(self) -> None:
        """Nothing is held."""

    def _started(self, sql: str) -> str:
        parameters: dict[str, Any] = {
            "QueryString": sql,
            # The same token again is the same run: a retried call cannot start a second one.
            "ClientRequestToken": str(uuid.uuid4()),
            "QueryExecutionContext": {"Catalog": "AwsDataCatalog", "Database": self._definitions.database},
            "WorkGroup": self.workgroup.name,
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            **self._results(),
        }
        try:
            return self._start(parameters)
        except KeyboardInterrupt:
            self._stop_run(self._start(parameters))  # it may have begun
            raise

    def _start(self, parameters: Mapping[str, Any]) -> str:
        return str(self._gate.call("athena", "StartQueryExecution", **parameters)["QueryExecutionId"])

    def _results(self) -> dict[str, Any]:
        """Where the result goes, as far as the workgroup leaves that to us."""
        group = self.workgroup
        own = bool(group.location) and self._output_bucket == "default"
        if group.enforced or group.managed or own:
            return {}
        if self._output_bucket != "default":
            return {"ResultConfiguration": {"OutputLocation": f"s3://{self._output_bucket}/"}}
        account = self._gate.account()
        bucket = f"aws-athena-query-results-{account}-{self._gate.region}"
        # Anybody can make a bucket of this name first: it has to be the caller's own.
        return {"ResultConfiguration": {"OutputLocation": f"s3://{bucket}/", "ExpectedBucketOwner": account}}

    def _finished(self, query_id: str) -> Run:
        began, pause = self._clock(), FIRST_PAUSE
        try:
            while True:
                run = self._look(query_id)
                if run.state not in _OPEN:
                    return run
                self._watch.running(run.state, run.scanned, self._clock() - began)
                if self._stop.wait(pause):
                    raise KeyboardInterrupt  # noqa: TRY301 - the same end as Ctrl-C
                pause = min(pause * GROWTH, LONGEST_PAUSE)
        except BaseException:
            self._stop_run(query_id)
            raise

    def _look(self, query_id: str) -> Run:
        found = self._gate.call("athena", "GetQueryExecution", QueryExecutionId=query_id)["QueryExecution"]
        self.last = _run(found)
        return self.last

    def _stop_run(self, query_id: str) -> None:
        try:
            self._gate.call("athena", "StopQueryExecution", QueryExecutionId=query_id)
        except AwsError:
            return  # what made us stop is what is told; Athena ends it by its own time limit

    def _result(self, run: Run) -> pa.RecordBatchReader:
        pages = self._gate.pages(
            "athena",
            "GetQueryResults",
            QueryExecutionId=run.query_id,
            PaginationConfig={"PageSize": PAGE_ROWS},
        )
        first = next(pages)["ResultSet"]
        columns = first.get("ResultSetMetadata", {}).get("ColumnInfo", [])
        schema = schema_of(columns)
        self.nested = nested_columns(columns)
        rows = first.get("Rows", [])
        if run.kind == "DML" or _is_header(rows, schema):
            rows = rows[1:]

        def batches() -> Iterator[pa.RecordBatch]:
            yield batch_of(rows, columns, schema)
            for page in pages:
                yield batch_of(page["ResultSet"].get("Rows", []), columns, schema)

        return pa.RecordBatchReader.from_batches(schema, batches())


def _is_header(rows: list[dict[str, Any]], schema: pa.Schema) -> bool:
    """Whether the first row repeats the names; what SHOW answers begins without."""
    cells = [cell.get("VarCharValue") for cell in rows[0]["Data"]] if rows else []
    return len(schema) > 1 and cells == schema.names


def _run(found: Mapping[str, Any]) -> Run:
    status, numbers = found["Status"], found.get("Statistics", {})
    error = status.get("AthenaError", {})
    return Run(
        query_id=found["QueryExecutionId"],
        state=status["State"],
        reason=status.get("StateChangeReason") or error.get("ErrorMessage", ""),
        kind=found.get("StatementType", ""),
        scanned=numbers.get("DataScannedInBytes", 0),
        milliseconds=numbers.get("TotalExecutionTimeInMillis", 0),
        workgroup=found.get("WorkGroup", ""),
        output=found.get("ResultConfiguration", {}).get("OutputLocation", ""),
        submitted=_moment(status.get("SubmissionDateTime")),
        completed=_moment(status.get("CompletionDateTime")),
        reused=bool(numbers.get("ResultReuseInformation", {}).get("ReusedPreviousResult")),
    )


def _moment(found: Any) -> str:  # noqa: ANN401 - a datetime of botocore's, or nothing
    return format_time(found) if found else ""
