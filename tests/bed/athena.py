"""Athena's API: what the model allows, tokens, states, pages; the rows come from whoever is put behind it.

A run's SUCCEEDED is worth what its rows are: `on_trino` runs the statement on a real Trino; a scripted answer only
shows wiring. Rows, arrays and maps become text as Athena's GetQueryResults shows them (`{a=1, b=[x, y]}`), which is
documented by example only.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bed import limits
from bed.aws import Aws
from bed.faults import Call, Cut, Log, Refused
from bed.transport import Server, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bed.transport import Answer, Request

BYTES = 262_144


class Failed(Exception):  # noqa: N818 - how a run ends
    """A run that ends with a reason; `state` is FAILED or CANCELLED."""

    def __init__(self, reason: str, state: str = "FAILED") -> None:
        super().__init__(reason)
        self.reason, self.state = reason, state


@dataclass(slots=True)
class Table:
    """Rows with the names and types of their columns."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Any]]
    scanned: int = 0
    kind: str = "DML"


@dataclass(slots=True)
class Run:
    """One statement's way."""

    id: str
    asked: dict[str, Any]
    state: str = "QUEUED"
    reason: str = ""
    looks: int = 0
    table: Table | None = None
    began: float = field(default_factory=time.time)


@dataclass
class Workgroup:
    """What a workgroup says."""

    location: str = ""
    enforced: bool = False
    cutoff: int | None = None
    managed: bool = False
    disabled: bool = False


class StrictAthena:
    """Athena for one account: `answers(sql, database)` returns a Table or raises Failed.

    `looks` is how often a run is looked at before it ends; with `hold` it runs until it is stopped.
    """

    def __init__(self, answers: Callable[[str, str], Table], *, looks: int = 2) -> None:
        self.answers, self.looks, self.hold = answers, looks, False
        self.workgroups = {"primary": Workgroup()}
        self.runs: dict[str, Run] = {}
        self.tokens: dict[str, str] = {}
        self.log = Log()

    def answer(self, operation: str, body: bytes) -> tuple[int, bytes]:
        """An answer to a request, in Athena's JSON."""
        call = Call(operation, body)
        for fault in self.log.note(call):
            if fault.seconds:
                time.sleep(fault.seconds)
            if fault.cut == "before":
                raise Cut(operation)
            if fault.cut == "after":
                self._done(call)
                raise Cut(operation)
            if fault.code:
                return fault.status, _error(fault.code, fault.message)
        try:
            return 200, json.dumps(self._done(call)).encode()
        except Refused as refused:
            self.log.refusal(call, refused)
            return refused.status, _error(refused.code, refused.message)

    def _done(self, call: Call) -> dict[str, Any]:
        found = limits.faults(limits.service("athena").operation_model(call.operation), call.parameters)
        if found:
            raise Refused("InvalidRequestException", "; ".join(found))
        handlers = {
            "StartQueryExecution": self._start, "GetQueryExecution": self._look,
            "StopQueryExecution": self._stop, "GetQueryResults": self._results, "GetWorkGroup": self._group,
        }  # fmt: skip
        return handlers[call.operation](call.parameters)

    def _start(self, asked: dict[str, Any]) -> dict[str, Any]:
        token = asked["ClientRequestToken"]
        if token in self.tokens:
            known = self.runs[self.tokens[token]]
            if known.asked != asked:
                raise Refused("InvalidRequestException", "Idempotent parameters do not match")
            return {"QueryExecutionId": known.id}
        if len(asked["QueryString"].encode()) > BYTES:
            raise Refused("InvalidRequestException", "Query string is too long")
        group = self._known_group(asked.get("WorkGroup", "primary"))
        own = asked.get("ResultConfiguration", {}).get("OutputLocation", "")
        if not (own or group.location or group.managed):
            raise Refused(
                "InvalidRequestException", "No output location provided. An output location is required"
            )
        run = Run(str(uuid.uuid4()), asked)
        self.runs[run.id] = run
        self.tokens[token] = run.id
        return {"QueryExecutionId": run.id}

    def _look(self, asked: dict[str, Any]) -> dict[str, Any]:
        run = self._run(asked)
        run.looks += 1
        if run.state in ("QUEUED", "RUNNING"):
            run.state = "RUNNING"
            if run.looks > self.looks and not self.hold:
                self._finish(run)
        return {"QueryExecution": self._shown(run)}

    def _finish(self, run: Run) -> None:
        context = run.asked.get("QueryExecutionContext", {})
        try:
            run.table = self.answers(run.asked["QueryString"], context.get("Database", "default"))
        except Failed as failed:
            run.state, run.reason = failed.state, failed.reason
            return
        group = self._known_group(run.asked.get("WorkGroup", "primary"))
        run.state = "SUCCEEDED"
        if group.cutoff and run.table.scanned > group.cutoff:
            run.state, run.reason = "CANCELLED", "Query cancelled! : Bytes scanned limit was exceeded"

    def _shown(self, run: Run) -> dict[str, Any]:
        ended = run.state in ("SUCCEEDED", "FAILED", "CANCELLED")
        status = {"State": run.state, "SubmissionDateTime": run.began}
        status |= {"StateChangeReason": run.reason} if run.reason else {}
        status |= {"CompletionDateTime": time.time()} if ended else {}
        scanned = run.table.scanned if run.table else 0
        group = run.asked.get("WorkGroup", "primary")
        location = run.asked.get("ResultConfiguration", {}).get("OutputLocation", "")
        if self.workgroups[group].enforced or not location:
            location = self.workgroups[group].location
        return {
            "QueryExecutionId": run.id, "Query": run.asked["QueryString"], "Status": status, "WorkGroup": group,
            "StatementType": run.table.kind if run.table else "DML",
            "ResultConfiguration": {"OutputLocation": f"{location}{run.id}.csv"},
            "QueryExecutionContext": run.asked.get("QueryExecutionContext", {}),
            "Statistics": {
                "DataScannedInBytes": scanned, "TotalExecutionTimeInMillis": int((time.time() - run.began) * 1000),
                "EngineExecutionTimeInMillis": 1, "ResultReuseInformation": {"ReusedPreviousResult": False},
            },
        }  # fmt: skip

    def _stop(self, asked: dict[str, Any]) -> dict[str, Any]:
        run = self._run(asked)
        if run.state in ("QUEUED", "RUNNING"):
            run.state, run.reason = "CANCELLED", "Query cancelled by user"
        return {}

    def _results(self, asked: dict[str, Any]) -> dict[str, Any]:
        run = self._run(asked)
        if run.table is None or run.state != "SUCCEEDED":
            raise Refused(
                "InvalidRequestException",
                f"Query did not finish successfully. Final query state: {run.state}",
            )
        table = run.table
        names = [name for name, _ in table.columns]
        lines = [names, *table.rows] if table.kind == "DML" else list(table.rows)
        start, size = int(asked.get("NextToken") or 0), asked.get("MaxResults", 1000)
        page = lines[start : start + size]
        rows = [{"Data": [{} if v is None else {"VarCharValue": text_of(v)} for v in row]} for row in page]
        info = [_info(name, kind) for name, kind in table.columns]
        found: dict[str, Any] = {"ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": info}}}
        if start + size < len(lines):
            found["NextToken"] = str(start + size)
        return found

    def _group(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["WorkGroup"]
        group = self._known_group(name)
        settings: dict[str, Any] = {
            "EnforceWorkGroupConfiguration": group.enforced,
            "ResultConfiguration": {},
        }
        settings["ResultConfiguration"] |= {"OutputLocation": group.location} if group.location else {}
        settings |= {"BytesScannedCutoffPerQuery": group.cutoff} if group.cutoff else {}
        settings |= {"ManagedQueryResultsConfiguration": {"Enabled": True}} if group.managed else {}
        state = "DISABLED" if group.disabled else "ENABLED"
        return {"WorkGroup": {"Name": name, "State": state, "Configuration": settings}}

    def _known_group(self, name: str) -> Workgroup:
        if name not in self.workgroups:
            raise Refused("InvalidRequestException", f"WorkGroup {name} is not found.")
        return self.workgroups[name]

    def _run(self, asked: dict[str, Any]) -> Run:
        if asked["QueryExecutionId"] not in self.runs:
            raise Refused(
                "InvalidRequestException", f"QueryExecution {asked['QueryExecutionId']} was not found"
            )
        return self.runs[asked["QueryExecutionId"]]


class AwsWithAthena(Aws):
    """The bed's AWS with this Athena in it."""

    def __init__(self, athena: StrictAthena) -> None:
        self.athena = athena
        super().__init__()

    def _answer(self, request: Request) -> Answer:
        if request.operation.startswith("AmazonAthena."):
            return json_answer(self.athena, request)
        return super()._answer(request)


class Front(Server):
    """An address of its own that has this Athena in it, and an AWS that runs already behind it."""

    def __init__(self, aws: Aws, athena: StrictAthena) -> None:
        def answer(request: Request) -> Answer:
            if request.operation.startswith("AmazonAthena."):
                return json_answer(athena, request)
            return aws._answer(request)  # one door for both

        super().__init__(answer)

    def environment(self, aws: Aws) -> dict[str, str]:
        """What a process needs in its environment to reach it."""
        return {**aws.environment(), "AWS_ENDPOINT_URL": self.url}


def on_trino(url: str, catalog: str = "awsdatacatalog", user: str = "athena") -> Callable[[str, str], Table]:
    """Run statements on a Trino that reads the same catalog and buckets."""
    from trino.dbapi import connect  # noqa: PLC0415 - only with a real Trino
    from trino.exceptions import TrinoQueryError  # noqa: PLC0415 - likewise

    at = urlsplit(url)

    def answers(sql: str, database: str) -> Table:
        connection = connect(host=at.hostname, port=at.port, user=user, catalog=catalog, schema=database)
        cursor = connection.cursor(legacy_primitive_types=True)
        try:
            cursor.execute(sql)
            rows = cursor.fetchall()
        except TrinoQueryError as error:
            raise Failed(f"{error.error_name}: {error.message}") from error
        columns = [
            (column.name, column.type_code) for column in cursor.description or ()
        ]  # a statement without a result has none
        scanned = (cursor.stats or {}).get("physicalInputBytes") or 0
        kind = "DML" if re.match(r"\s*(SELECT|WITH|VALUES|TABLE|\()", sql, re.IGNORECASE) else "UTILITY"
        shaped = [_shaped(row, columns) for row in rows]
        cursor.close()
        connection.close()
        return Table(columns, shaped, scanned, kind)

    return answers


def text_of(value: Any) -> str:
    """A value as Athena's results show it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}={_inner(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_inner, value)) + "]"
    return str(value)


def _inner(value: Any) -> str:
    return "null" if value is None else text_of(value)


def _shaped(row: Sequence[Any], columns: Sequence[tuple[str, str]]) -> list[Any]:
    """Rows of Trino's come as lists; their field names are in the type."""
    return [_named(value, kind) for value, (_, kind) in zip(row, columns, strict=True)]


def _named(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind.startswith("row("):
        parts = _split(kind[4:-1])
        names = [part.partition(" ")[0].strip('"') for part in parts]
        kinds = [part.partition(" ")[2] for part in parts]
        return {n: _named(v, k) for n, v, k in zip(names, value, kinds, strict=True)}
    if kind.startswith("array("):
        return [_named(one, kind[6:-1]) for one in value]
    return value


def _split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and not depth:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()]


def _info(name: str, kind: str) -> dict[str, Any]:
    base = kind.partition("(")[0]
    numbers = (
        [int(one) for one in re.findall(r"\d+", kind)] if base in ("decimal", "varchar", "timestamp") else []
    )
    info: dict[str, Any] = {
        "Name": name,
        "Label": name,
        "Type": {"real": "float"}.get(base, base),
        "Nullable": "UNKNOWN",
    }
    if base == "decimal":
        info |= {"Precision": numbers[0], "Scale": numbers[1]}
    if base.startswith("timestamp") and "zone" in kind:
        info["Type"] = "timestamp with time zone"
    return {"CaseSensitive": base == "varchar", "Precision": 0, "Scale": 0, **info}


def _error(code: str, message: str) -> bytes:
    return json.dumps({"__type": code, "message": message, "Message": message}).encode()
