"""What names in Glue stand for: columns, partition keys, places; views by their statement. Read-only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailhouse.catalog.encoding import view_body
from trailhouse.dialect.remote import Names
from trailhouse.dialect.scans import Name
from trailhouse.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trailhouse.aws.gate import Gate


@dataclass(frozen=True, slots=True)
class Definition:
    """A table or a view.

    Attributes:
        database: where it is.
        name: its own.
        columns: names and Hive types, partition keys last.
        keys: partition keys with their types, in order.
        parameters: the table's own.
        location: `s3://...` of a table.
        view: the statement of a view that Athena made, "" for all else.
        view_database: that the names in it are of.
        is_view: also of views whose statement is not Athena's.
        columnar: whether Athena may read less than whole objects.
    """

    database: str
    name: str
    columns: tuple[tuple[str, str], ...]
    keys: tuple[tuple[str, str], ...]
    parameters: Mapping[str, str]
    location: str = ""
    view: str = ""
    view_database: str = ""
    is_view: bool = False
    columnar: bool = False

    @property
    def is_iceberg(self) -> bool:
        """Whether its partitions are Iceberg's own, and not Glue's."""
        return self.parameters.get("table_type", "").upper() == "ICEBERG"

    @property
    def text_keys(self) -> tuple[str, ...]:
        """The partition keys that compare as text."""
        return tuple(name for name, kind in self.keys if kind.startswith(("string", "varchar", "char")))


class Definitions:
    """The catalog as one question sees it: everything is looked up once."""

    def __init__(self, gate: Gate, database: str) -> None:
        """Look nothing up yet; `database` is that of names that do not say."""
        self._gate = gate
        self.database = database
        self._known: dict[tuple[str, str], Definition | None] = {}

    @property
    def names(self) -> Names:
        """The same for the dialect."""
        return Names(self.database, self._name, self.every)

    def find(self, database: str, name: str) -> Definition | None:
        """The definition of a name, None where there is none. Raises AwsError."""
        key = (database, name)
        if key not in self._known:
            try:
                answer = self._gate.call("glue", "GetTable", DatabaseName=database, Name=name)
            except NotFoundError:
                self._known[key] = None
            else:
                self._known[key] = _definition(database, answer["Table"])
        return self._known[key]

    def every(self, database: str) -> Sequence[str]:
        """All names of a database; none where there is no such database. Raises AwsError."""
        return [one.name for one in self.all(database)]

    def all(self, database: str) -> list[Definition]:
        """All definitions of a database; none where there is no such database. Raises AwsError."""
        try:
            pages = self._gate.pages("glue", "GetTables", DatabaseName=database)
            found = [_definition(database, table) for page in pages for table in page["TableList"]]
        except NotFoundError:
            return []
        self._known |= {(database, one.name): one for one in found}
        return found

    def tables(self) -> dict[str, list[tuple[str, str]]]:
        """Every name of the database with its columns and their types. Raises AwsError."""
        return {one.name: list(one.columns) for one in self.all(self.database)}

    def _name(self, database: str, name: str) -> Name | None:
        found = self.find(database, name)
        if found is None:
            return None
        return Name(tuple(column for column, _ in found.columns), found.view, found.view_database)


def _definition(database: str, table: Mapping[str, Any]) -> Definition:
    storage = table.get("StorageDescriptor", {})
    keys = tuple(map(_column, table.get("PartitionKeys", ())))
    view, of = _view(table, database)
    reader = storage.get("InputFormat", "").lower()
    return Definition(
        database=database,
        name=table["Name"].lower(),
        columns=(*map(_column, storage.get("Columns", ())), *keys),
        keys=keys,
        parameters=table.get("Parameters", {}),
        location=storage.get("Location", ""),
        view=view,
        view_database=of,
        is_view=table.get("TableType") == "VIRTUAL_VIEW",
        columnar="parquet" in reader or "orc" in reader,
    )


def _column(column: Mapping[str, str]) -> tuple[str, str]:
    return column["Name"].lower(), column.get("Type", "string").lower()


def _view(table: Mapping[str, Any], database: str) -> tuple[str, str]:
    body = view_body(table.get("ViewOriginalText") or "")
    sql = body.get("originalSql")
    return (sql, str(body.get("schema") or database).lower()) if isinstance(sql, str) else ("", "")
