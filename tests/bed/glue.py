"""A Glue catalog that refuses what AWS refuses: its own store, the documented limits, Glue's JSON 1.1 in and out."""

from __future__ import annotations

import functools
import re
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from bed import limits, transport
from bed.catalog import ACCOUNT, Json, Table, Tables, detail, number
from bed.expression import ExpressionError, parse
from bed.faults import Call, Cut, Fault, Log, Refused
from bed.partitions import Body, descriptor

if TYPE_CHECKING:
    from collections import Counter

    from numpy.typing import NDArray

PAGE = 1000
_OPERATION = re.compile(r"[A-Z][A-Za-z]+")
# Batches of partitions are read without being taken apart: the answers to 1.8 million of them must not take hours.
_BATCHES = {"BatchCreatePartition": "PartitionInputList", "BatchUpdatePartition": "Entries"}
_COMMON = {"DatabaseName", "TableName", "CatalogId"}


class StrictGlue(Tables):
    """The catalog of one account.

    `keep_calls=False` counts calls without keeping them. `delay` is waited in every call (seconds, may be changed at
    any time). `glue.log` has `calls`, `counts`, `refused`; `glue.inject(...)` takes faults of `bed.faults`.
    """

    def __init__(self, *, delay: float = 0.0, keep_calls: bool = True) -> None:
        super().__init__()
        self.delay = delay
        self.log = Log(keep_calls)
        self.lock = threading.RLock()
        self.partition_page = PAGE
        self.partitions_per_table = 10_000_000
        self._valid: OrderedDict[bytes, tuple[bytes | None, bytes]] = OrderedDict()
        self._found: OrderedDict[tuple[Any, ...], NDArray[np.int64]] = OrderedDict()

    # -- for tests

    @property
    def calls(self) -> list[Call]:
        return self.log.calls

    @property
    def counts(self) -> Counter[str]:
        """How many calls of each operation."""
        return self.log.counts

    def inject(self, *given: Fault) -> None:
        """Let things go wrong."""
        with self.log.lock:
            self.log.faults.extend(given)

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        with self.log.lock:
            self.log.faults.clear()

    def attach(self, session: Any) -> None:
        """Answer a session's (or a client's) Glue calls in this process, without a socket."""
        transport.attach(self, session)

    def serve(self) -> transport.Server:
        """Answer over HTTP on a free port; a context manager with `url`."""
        return transport.Server(functools.partial(transport.json_answer, self))

    # -- one call

    def answer(self, operation: str, body: bytes) -> tuple[int, bytes]:
        """Status and body for a request; raises Cut where the connection breaks."""
        call = Call(operation, body)
        struck = self.log.note(call)
        if self.delay:
            time.sleep(self.delay)
        for fault in struck:
            fault.hold()
        try:
            for fault in struck:
                if fault.cut == "before":
                    raise Cut(operation)
                if fault.code and fault.partial is None:
                    raise Refused(fault.code, fault.message, fault.status)  # noqa: TRY301 - as any refusal
            partial = next((fault for fault in struck if fault.partial), None)
            answer = 200, self._do(call, partial)
        except Refused as refused:
            self.log.refusal(call, refused)
            return refused.status, msgspec.json.encode({"__type": refused.code, "Message": refused.message})
        if any(fault.cut == "after" for fault in struck):
            raise Cut(operation)
        return answer

    def _do(self, call: Call, partial: Fault | None) -> bytes:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", call.operation).lower()
        method = getattr(self, name, None) if _OPERATION.fullmatch(call.operation) else None
        model = limits.service("glue")
        if method is None or call.operation not in model.operation_names:
            raise Refused("UnknownOperationException", f"the strict Glue has no {call.operation}")
        try:
            asked = self._read(call)
        except msgspec.DecodeError as error:
            raise Refused("SerializationException", str(error)) from error
        if asked.get("CatalogId") not in (None, ACCOUNT):
            raise Refused("AccessDeniedException", f"Catalog {asked['CatalogId']} is another account's.")
        with self.lock:
            answer = method(asked, partial) if call.operation in _PARTIAL else method(asked)
        return msgspec.json.encode(answer)

    def _read(self, call: Call) -> Json:
        """The members of a request, judged by the model. Partition inputs of batches become (values, body)."""
        listed = _BATCHES.get(call.operation)
        model = limits.service("glue").operation_model(call.operation)
        asked: Json
        if listed is None:
            asked = msgspec.json.decode(call.body or b"{}")
            _judge(limits.faults(model, asked))
            return {key: value for key, value in asked.items() if value is not None}
        raw = msgspec.json.decode(call.body, type=dict[str, msgspec.Raw])
        entries = msgspec.json.decode(raw.get(listed, b"[]"), type=list[dict[str, msgspec.Raw]])
        asked = {key: msgspec.json.decode(value) for key, value in raw.items() if key != listed}
        # The list itself is judged by its length here, and by its members below, each descriptor once.
        stub = (
            {"PartitionInput": {}, "PartitionValueList": ["x"]}
            if call.operation == "BatchUpdatePartition"
            else {}
        )
        _judge(limits.faults(model, {**asked, **({listed: [stub] * len(entries)} if listed in raw else {})}))
        with self.lock:
            if call.operation == "BatchCreatePartition":
                asked[listed] = [self._partition_input(entry) for entry in entries]
            else:
                asked[listed] = [self._entry(entry) for entry in entries]
        return asked

    def _entry(self, entry: dict[str, msgspec.Raw]) -> tuple[list[str], tuple[list[str], Body]]:
        if set(entry) != {"PartitionValueList", "PartitionInput"}:
            raise Refused("ValidationException", "An entry has PartitionValueList and PartitionInput.")
        values = msgspec.json.decode(entry["PartitionValueList"])
        _judge(
            limits.shape_faults(
                "glue", "BoundedPartitionValueList", values, "entries.member.partitionValueList"
            )
        )
        given = msgspec.json.decode(entry["PartitionInput"], type=dict[str, msgspec.Raw])
        return values, self._partition_input(given)

    def _partition_input(self, given: dict[str, msgspec.Raw]) -> tuple[list[str], Body]:
        """A PartitionInput as values and the rest; the location is still whole."""
        values = msgspec.json.decode(given["Values"]) if "Values" in given else None
        if not values:
            raise Refused("InvalidInputException", "The values of a partition must be given.")
        where = msgspec.json.decode(
            given.get("StorageDescriptor", b"null"), type=dict[str, msgspec.Raw] | None
        )
        raw_location = where.pop("Location", None) if where is not None else None
        location = None if raw_location is None else msgspec.json.decode(raw_location)
        small = {
            "Values": values,
            "StorageDescriptor": {"Location": location} if location is not None else {},
        }
        _judge(limits.shape_faults("glue", "PartitionInput", small, "partitionInput"))
        rest = {key: value for key, value in given.items() if key not in ("Values", "StorageDescriptor")}
        columns = None if where is None else where.pop("Columns", None)
        kept = None if where is None else self._checked("StorageDescriptor", where)
        shared = None if columns is None else self._checked("StorageDescriptor", {"Columns": columns})
        return values, Body(
            () if location is None else (location,),
            None if shared is None else shared.removeprefix(b'"Columns":'),
            kept,
            self._checked("PartitionInput", rest),
        )

    def _checked(self, shape: str, members: dict[str, msgspec.Raw]) -> bytes:
        """Members as JSON without braces; judged once for as long as it is remembered."""
        text = b",".join(b'"%b":%b' % (name.encode(), bytes(raw)) for name, raw in members.items())
        known = self._valid.get(text)
        if known is None:
            value = msgspec.json.decode(b"{" + text + b"}")
            _judge(limits.shape_faults("glue", shape, value, shape))
            kept = {key: item for key, item in value.items() if item is not None}
            known = self._valid[text] = (None, msgspec.json.encode(kept)[1:-1])
            if len(self._valid) > 10_000:
                self._valid.popitem(last=False)
        return known[1]

    # -- partitions

    def create_partition(self, asked: Json) -> Json:
        table = self._table(asked)
        self._add(table, *self._generic(asked["PartitionInput"]))
        return {}

    def batch_create_partition(self, asked: Json, partial: Fault | None) -> Json:
        table = self._table(asked)
        for values, _ in asked["PartitionInputList"]:
            _arity(table, values)
        errors = []
        for values, body in asked["PartitionInputList"]:
            try:
                _strike(partial, values)
                self._add(table, values, body)
            except Refused as refused:
                errors.append({"PartitionValues": values, "ErrorDetail": detail(refused)})
        return {"Errors": errors} if errors else {}

    def update_partition(self, asked: Json) -> Json:
        self._change(self._table(asked), asked["PartitionValueList"], *self._generic(asked["PartitionInput"]))
        return {}

    def batch_update_partition(self, asked: Json, partial: Fault | None) -> Json:
        table = self._table(asked)
        errors = []
        for old, (values, body) in asked["Entries"]:
            try:
                _strike(partial, old)
                self._change(table, old, values, body)
            except Refused as refused:
                errors.append({"PartitionValueList": old, "ErrorDetail": detail(refused)})
        return {"Errors": errors} if errors else {}

    def delete_partition(self, asked: Json) -> Json:
        table = self._table(asked)
        table.partitions.remove(_row(table, asked["PartitionValues"]))
        return {}

    def batch_delete_partition(self, asked: Json, partial: Fault | None) -> Json:
        table = self._table(asked)
        errors = []
        for values in (entry["Values"] for entry in asked["PartitionsToDelete"]):
            try:
                _strike(partial, values)
                table.partitions.remove(_row(table, values))
            except Refused as refused:
                errors.append({"PartitionValues": values, "ErrorDetail": detail(refused)})
        return {"Errors": errors} if errors else {}

    def get_partition(self, asked: Json) -> Json:
        table = self._table(asked)
        return {"Partition": _shown(table, _row(table, asked["PartitionValues"]))}

    def batch_get_partition(self, asked: Json, partial: Fault | None) -> Json:
        table = self._table(asked)
        found, later = [], []
        for values in (entry["Values"] for entry in asked["PartitionsToGet"]):
            _arity(table, values)
            if partial and partial.partial and partial.partial(values):
                later.append({"Values": values})
            elif (row := table.partitions.find(values)) is not None:
                found.append(_shown(table, row))
        return {"Partitions": found, **({"UnprocessedKeys": later} if later else {})}

    def get_partitions(self, asked: Json) -> Json:
        table = self._table(asked)
        rows = self._rows(table, asked)
        size = min(asked.get("MaxResults") or self.partition_page, self.partition_page)
        # A token names the row that a page begins with, so that rows which come and go do not move it.
        start = int(np.searchsorted(rows, number(asked.get("NextToken"))))
        page = rows[start : start + size]
        columns = not asked.get("ExcludeColumnSchema")
        more = {"NextToken": f"token-{rows[start + size]}"} if start + size < len(rows) else {}
        return {"Partitions": [_shown(table, int(row), columns=columns) for row in page], **more}

    def _rows(self, table: Table, asked: Json) -> NDArray[np.int64]:
        """The rows that are asked for; the last answers are remembered for the next page."""
        segment = asked.get("Segment") or {"SegmentNumber": 0, "TotalSegments": 1}
        which, total = segment["SegmentNumber"], segment["TotalSegments"]
        if which >= total:
            raise Refused("InvalidInputException", "SegmentNumber must be less than TotalSegments.")
        key = (id(table.partitions), table.partitions.generation, asked.get("Expression"), which, total)
        if key not in self._found:
            mask = table.partitions.alive()
            if asked.get("Expression", "").strip():
                try:
                    mask = mask & parse(asked["Expression"], table.keys)(table.partitions)
                except (ExpressionError, ValueError) as error:
                    raise Refused("InvalidInputException", f"Unsupported expression: {error}") from error
            rows = np.nonzero(mask)[0]
            self._found[key] = rows if total == 1 else rows[rows % total == which]
            if len(self._found) > 8:
                self._found.popitem(last=False)
        return self._found[key]

    def _table(self, asked: Json) -> Table:
        return self.table(asked["DatabaseName"], asked["TableName"])

    def _generic(self, given: Json) -> tuple[list[str], Body]:
        return self._partition_input(
            msgspec.json.decode(msgspec.json.encode(given), type=dict[str, msgspec.Raw])
        )

    def _add(self, table: Table, values: list[str], body: Body) -> None:
        _arity(table, values)
        if table.partitions.find(values) is not None:
            raise Refused("AlreadyExistsException", "Partition already exists.")
        if table.partitions.count >= self.partitions_per_table:
            raise Refused("ResourceNumberLimitExceededException", "Number of partitions exceeds the limit.")
        table.partitions.add(values, _templated(table, values, body), time.time())

    def _change(self, table: Table, old: list[str], values: list[str], body: Body) -> None:
        row = _row(table, old)
        if values != old:
            raise Refused("InvalidInputException", "The values of a partition cannot be changed.")
        table.partitions.replace(row, _templated(table, values, body))

    def get_data_catalog_encryption_settings(self, _asked: Json) -> Json:
        mode = {"CatalogEncryptionMode": "SSE-KMS" if self.encrypted else "DISABLED"}
        key = {"SseAwsKmsKeyId": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/catalog"} if self.encrypted else {}
        passwords = {"ReturnConnectionPasswordEncrypted": False}
        return {
            "DataCatalogEncryptionSettings": {
                "EncryptionAtRest": {**mode, **key}, "ConnectionPasswordEncryption": passwords,
            }
        }  # fmt: skip

    def put_data_catalog_encryption_settings(self, asked: Json) -> Json:
        at_rest = asked["DataCatalogEncryptionSettings"].get("EncryptionAtRest") or {}
        self.encrypted = at_rest.get("CatalogEncryptionMode", "DISABLED") != "DISABLED"
        return {}

    def get_column_statistics_for_table(self, asked: Json) -> Json:
        self._table(asked)
        return {"ColumnStatisticsList": [], "Errors": []}

    def get_column_statistics_for_partition(self, asked: Json) -> Json:
        self._table(asked)
        return {"ColumnStatisticsList": [], "Errors": []}

    def update_column_statistics_for_table(self, asked: Json) -> Json:
        self._table(asked)
        return {}

    def update_column_statistics_for_partition(self, asked: Json) -> Json:
        self._table(asked)
        return {}

    def get_user_defined_functions(self, _asked: Json) -> Json:
        return {"UserDefinedFunctions": []}


_PARTIAL = {"BatchCreatePartition", "BatchUpdatePartition", "BatchDeletePartition", "BatchGetPartition"}


def _judge(found: list[str]) -> None:
    if found:
        said = (
            f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: {'; '.join(found[:10])}"
        )
        raise Refused("ValidationException", said)


def _strike(partial: Fault | None, values: list[str]) -> None:
    if partial and partial.partial and partial.partial(values):
        raise Refused(partial.code or "InternalServiceException", partial.message)


def _arity(table: Table, values: list[str]) -> None:
    if len(values) != len(table.partitions.keys):
        raise Refused(
            "InvalidInputException",
            "The number of partition keys do not match the number of partition values",
        )


def _row(table: Table, values: list[str]) -> int:
    _arity(table, values)
    row = table.partitions.find(values)
    if row is None:
        raise Refused("EntityNotFoundException", "Partition not found.")
    return row


def _templated(table: Table, values: list[str], body: Body) -> Body:
    location = body.location[0] if body.location else None
    return body._replace(location=table.partitions.template(location, values))


def _shown(table: Table, row: int, *, columns: bool = True) -> msgspec.Raw:
    """A partition as the answers give it: put together from JSON that is kept."""
    values, body = table.partitions.values(row), table.partitions.body(row)
    fixed = {
        "Values": values, "DatabaseName": table.database, "TableName": table.given["Name"],
        "CreationTime": table.partitions.made(row), "CatalogId": ACCOUNT,
    }  # fmt: skip
    where = descriptor(body, values, columns=columns)
    if where is not None:
        fixed["StorageDescriptor"] = where
    text = msgspec.json.encode(fixed)
    return msgspec.Raw(text[:-1] + b"," + body.rest + b"}" if body.rest else text)
