"""Databases, tables, views and indexes of Glue, written one by one.

Nothing is written over what nobody looked at: what is there is either the version that the change names, or
ours. What is as it should be already counts as done, so that a run that was cut off is simply run again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trailhouse.catalog.encoding import encoded, found
from trailhouse.catalog.inputs import accepted
from trailhouse.core.desired import LONGEST_VIEW
from trailhouse.core.plan import Action, Change, Target, foreign
from trailhouse.core.state import MARK, VERSION, Definition, Found, Table, View
from trailhouse.errors import AwsError, CatalogError, ConflictError, LimitError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trailhouse.aws.gate import Gate

MOST_INDEXES = 3
"""Partition indexes of a table (https://docs.aws.amazon.com/glue/latest/dg/partition-indexes.html)."""
INDEX_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, *(15.0,) * 40)
"""Seconds between looks at an index that is being made: ten minutes in all."""
READY_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between tries while Glue says that a table is not ready."""

_BUSY = {"CREATING", "DELETING"}
_USABLE = {"CREATING", "ACTIVE"}
_AGAIN = "plan again"


class Definitions:
    """The writing side of one database."""

    def __init__(self, gate: Gate, database: str, wait: Callable[[float], None]) -> None:
        """Make no call.

        Args:
            gate: the way to Glue.
            database: the name of the database.
            wait: sleeps for as many seconds.
        """
        self._gate = gate
        self._database = database
        self._wait = wait
        self._input = gate.client("glue").meta.service_model.shape_for("TableInput")

    def carry_out(self, change: Change) -> None:
        """Carry out a change of anything but partitions.

        Raises:
            ConflictError: somebody else changed it since it was looked at.
            CatalogError: it is not ours.
            AwsError: Glue refused.
        """
        done: dict[tuple[Target, Action], Callable[[Change], None]] = {
            (Target.DATABASE, Action.CREATE): self._create_database,
            (Target.DATABASE, Action.DELETE): self._delete_database,
            (Target.INDEX, Action.CREATE): self._create_index,
        }
        of_any = {
            Action.CREATE: self._create,
            Action.UPDATE: self._update,
            Action.REPLACE: self._replace,
            Action.DELETE: self._delete,
        }
        done.get((change.target, change.action), of_any[change.action])(change)

    def held(self, name: str) -> Found | None:
        """The table or view of that name."""
        try:
            return found(self._call("GetTable", Name=name)["Table"])
        except NotFoundError:
            return None

    # -- databases

    def _create_database(self, change: Change) -> None:
        wanted = {"Name": change.name, "Parameters": {MARK: str(VERSION)}}
        try:
            self._gate.call("glue", "CreateDatabase", DatabaseInput=wanted)
        except ConflictError as error:
            if error.code != "AlreadyExistsException":
                raise

    def _delete_database(self, change: Change) -> None:
        try:
            database = self._gate.call("glue", "GetDatabase", Name=change.name)["Database"]
            tables = self._gate.call("glue", "GetTables", DatabaseName=change.name, MaxResults=1)["TableList"]
            if MARK not in (database.get("Parameters") or {}):
                raise CatalogError(f"database {change.name} was not made by trailhouse")
            if tables:
                raise CatalogError(f"database {change.name} still holds {tables[0]['Name']}")
            self._gate.call("glue", "DeleteDatabase", Name=change.name)
        except NotFoundError:
            return

    # -- tables and views

    def _create(self, change: Change) -> None:
        wanted = _definition(change)
        try:
            self._make(wanted, self._made_of(wanted, change.source))
        except ConflictError as error:
            there = self.held(change.name) if error.code == "AlreadyExistsException" else None
            if there is None:
                raise
            self._adjust(wanted, there)

    def _adjust(self, wanted: Definition, there: Found) -> None:
        """Make what is there unexpectedly what is wanted, if it is ours."""
        if self._same(wanted, there):
            return
        if refusal := foreign(there):
            raise CatalogError(refusal.reason)
        if type(there.definition) is not type(wanted) or _keys(there.definition) != _keys(wanted):
            raise _stale(wanted.name, "is there, and is something else")
        self._write(wanted, there)

    def _update(self, change: Change) -> None:
        wanted, there = _definition(change), self.held(change.name)
        if there is None:
            raise _stale(change.name, "is gone")
        if self._same(wanted, there):
            return
        _unchanged(change, there)
        self._write(wanted, there)

    def _write(self, wanted: Definition, there: Found) -> None:
        made = self._checked(encoded(wanted, self._database, accepted(there.raw, self._input)))
        version = {"VersionId": there.revision} if there.revision else {}
        try:
            self._patiently("UpdateTable", Name=wanted.name, TableInput=made, SkipArchive=True, **version)
        except ConflictError:
            # An answer that got lost on the way was perhaps ours.
            now = self.held(wanted.name)
            if now is None or not self._same(wanted, now):
                raise

    def _replace(self, change: Change) -> None:
        wanted, there = _definition(change), self.held(change.name)
        if there is not None and self._same(wanted, there):
            return
        made = self._made_of(wanted, change.source)  # before the old one goes
        if there is not None:
            _unchanged(change, there)
            self._remove(change.name)
        self._make(wanted, made)

    def _delete(self, change: Change) -> None:
        there = self.held(change.name)
        if there is not None:
            _unchanged(change, there)
            self._remove(change.name)

    def _remove(self, name: str) -> None:
        try:
            self._patiently("DeleteTable", Name=name)
        except NotFoundError:
            return

    def _make(self, wanted: Definition, made: dict[str, Any]) -> None:
        keys = (wanted.indexes or ()) if isinstance(wanted, Table) else ()
        indexes = [{"Keys": list(one), "IndexName": _index_name(one)} for one in keys]
        try:
            more = {"PartitionIndexes": indexes} if indexes else {}
            self._patiently("CreateTable", TableInput=made, **more)
        except AwsError as error:
            if not indexes or error.code != "GlueEncryptionException":
                raise
            self._patiently("CreateTable", TableInput=made)  # the indexes say themselves why they fail

    def _made_of(self, wanted: Definition, source: str) -> dict[str, Any]:
        raw = None
        if source:
            copied = self.held(source)
            if copied is None:
                raise _stale(source, "is gone")
            raw = accepted(copied.raw, self._input)
        return self._checked(encoded(wanted, self._database, raw))

    def _checked(self, made: dict[str, Any]) -> dict[str, Any]:
        size = len(made.get("ViewOriginalText") or "")
        if size > LONGEST_VIEW:
            raise LimitError(
                f"view {made['Name']} is {size:,} bytes long, Glue takes {LONGEST_VIEW:,}: set `tables: single`"
            )
        return made

    def _same(self, wanted: Definition, there: Found) -> bool:
        """Whether writing it would change nothing that we understand."""
        written = found(encoded(wanted, self._database, accepted(there.raw, self._input)))
        return written.definition == there.definition

    # -- indexes

    def _create_index(self, change: Change) -> None:
        if change.values in self._settled_indexes(change):
            return
        wanted = {"Keys": list(change.values), "IndexName": _index_name(change.values)}
        try:
            self._gate.call(
                "glue",
                "CreatePartitionIndex",
                DatabaseName=self._database,
                TableName=change.name,
                PartitionIndex=wanted,
            )
        except ConflictError as error:
            if error.code != "AlreadyExistsException":
                raise

    def _settled_indexes(self, change: Change) -> set[tuple[str, ...]]:
        """The keys of the table's indexes, once none is in the making that could be in the way."""
        for pause in (*INDEX_PAUSES, None):
            listed = indexes(self._gate, self._database, change.name)
            usable = {keys for keys, status in listed if status in _USABLE}
            if change.values in usable:
                return usable
            if not any(status in _BUSY for _, status in listed):
                break
            if pause is None:
                raise ConflictError(f"{change.name}: an index is still being made: run again later")
            self._wait(pause)
        if change.values in {keys for keys, _ in listed}:
            name = _index_name(change.values)
            raise CatalogError(
                f"{change.name}: making the index {name} failed: delete it (aws glue delete-partition-index "
                f"--database-name {self._database} --table-name {change.name} --index-name NAME), run again"
            )
        if len(listed) >= MOST_INDEXES:
            raise LimitError(
                f"{change.name} has {len(listed)} partition indexes, Glue takes no more: delete one"
            )
        return usable

    # -- calls

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - as the gate takes them
        return self._gate.call("glue", operation, DatabaseName=self._database, **parameters)

    def _patiently(self, operation: str, **parameters: Any) -> None:  # noqa: ANN401 - as the gate takes them
        """A call that Glue puts off while it makes an index of the table."""
        for pause in READY_PAUSES:
            try:
                self._call(operation, **parameters)
            except ConflictError as error:
                if error.code != "ResourceNotReadyException":
                    raise
                self._wait(pause)
            else:
                return
        self._call(operation, **parameters)


def indexes(gate: Gate, database: str, table: str) -> list[tuple[tuple[str, ...], str]]:
    """The keys and the status of each partition index of a table."""
    pages = gate.pages("glue", "GetPartitionIndexes", DatabaseName=database, TableName=table)
    return [
        (tuple(key["Name"] for key in one["Keys"]), one["IndexStatus"])
        for page in pages
        for one in page.get("PartitionIndexDescriptorList", ())
    ]


def with_indexes(gate: Gate, database: str, table: Table) -> Table:
    """The same table with its indexes looked up; those whose making failed are none."""
    listed = indexes(gate, database, table.name)
    return replace(table, indexes=tuple(sorted(keys for keys, status in listed if status in _USABLE)))


def _definition(change: Change) -> Definition:
    if not isinstance(change.after, Table | View):
        raise TypeError(f"{change.action} {change.target} {change.name} needs a definition")
    return change.after


def _unchanged(change: Change, there: Found) -> None:
    """Refuse to touch what nobody looked at.

    Raises:
        ConflictError: it is of another version than the change names, or names none and is not ours.
    """
    if change.revision:
        if there.revision != change.revision:
            raise _stale(change.name, "was changed")
    elif refusal := foreign(there):
        raise CatalogError(refusal.reason)


def _stale(name: str, how: str) -> ConflictError:
    return ConflictError(f"{name} {how} since the plan was made: {_AGAIN}", resource=name)


def _keys(definition: Definition) -> tuple[str, ...]:
    return definition.keys if isinstance(definition, Table) else ()


def _index_name(keys: tuple[str, ...]) -> str:
    return "_".join(keys)
