"""Databases, tables and their versions in a Glue catalog, with the limits that AWS documents."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

from bed.faults import Refused
from bed.partitions import Partitions

ACCOUNT = "123456789012"
INDEX_TYPES = {"string", "char", "varchar", "int", "bigint", "long", "tinyint", "smallint", "date"}
INDEXES_PER_TABLE = 3
Json = dict[str, Any]


@dataclass(slots=True)
class Index:
    """A partition index; in creation until its time has come."""

    keys: tuple[str, ...]
    ready: float


@dataclass(slots=True)
class Table:
    """A table as it was given, its earlier versions, its partitions."""

    database: str
    given: Json
    made: float
    changed: float
    version: int = 0
    archive: list[Json] = field(default_factory=list)
    indexes: dict[str, Index] = field(default_factory=dict)
    partitions: Partitions = field(default_factory=lambda: Partitions(()))

    @property
    def keys(self) -> list[tuple[str, str]]:
        return [
            (key["Name"].lower(), key.get("Type", "string")) for key in self.given.get("PartitionKeys") or ()
        ]

    def shown(self) -> Json:
        """The table as GetTable gives it."""
        return {
            **self.given,
            "DatabaseName": self.database,
            "CreateTime": self.made,
            "UpdateTime": self.changed,
            "Retention": self.given.get("Retention", 0),
            "PartitionKeys": self.given.get("PartitionKeys") or [],
            "CreatedBy": f"arn:aws:iam::{ACCOUNT}:user/test",
            "IsRegisteredWithLakeFormation": False,
            "CatalogId": ACCOUNT,
            "VersionId": str(self.version),
        }


@dataclass(slots=True)
class Database:
    """A database and its tables."""

    given: Json
    made: float
    tables: dict[str, Table] = field(default_factory=dict)

    def shown(self) -> Json:
        """The database as GetDatabase gives it."""
        everyone = {
            "Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"},
            "Permissions": ["ALL"],
        }
        return {
            "CreateTableDefaultPermissions": [everyone],
            **self.given,
            "CreateTime": self.made,
            "CatalogId": ACCOUNT,
        }


class Tables:
    """The operations on databases, tables and indexes. The caller holds the lock."""

    def __init__(self) -> None:
        self.databases: dict[str, Database] = {}
        self.page = 100  # as many as AWS gives at most; lower it to see paging
        self.tables_per_database = 200_000
        self.index_seconds = 0.1
        self.encrypted = False  # the catalog's own encryption, SSE-KMS

    # -- databases

    def create_database(self, asked: Json) -> Json:
        given = {**asked["DatabaseInput"], "Name": asked["DatabaseInput"]["Name"].lower()}
        if given["Name"] in self.databases:
            raise Refused("AlreadyExistsException", "Database already exists.")
        self.databases[given["Name"]] = Database(given, time.time())
        return {}

    def get_database(self, asked: Json) -> Json:
        return {"Database": self.database(asked["Name"]).shown()}

    def get_databases(self, asked: Json) -> Json:
        shown = [database.shown() for _, database in sorted(self.databases.items())]
        if asked.get("AttributesToGet"):
            shown = [{"Name": one["Name"]} for one in shown]
        return self._paged("DatabaseList", shown, asked)

    def update_database(self, asked: Json) -> Json:
        database = self.database(asked["Name"])
        if asked["DatabaseInput"]["Name"].lower() != asked["Name"].lower():
            raise Refused("InvalidInputException", "Database name cannot be changed.")
        database.given = {**asked["DatabaseInput"], "Name": asked["Name"].lower()}
        return {}

    def delete_database(self, asked: Json) -> Json:
        self.database(asked["Name"])
        del self.databases[asked["Name"].lower()]
        return {}

    def database(self, name: str) -> Database:
        found = self.databases.get(name.lower())
        if found is None:
            raise Refused("EntityNotFoundException", f"Database {name.lower()} not found.")
        return found

    # -- tables

    def create_table(self, asked: Json) -> Json:
        database = self.database(asked["DatabaseName"])
        given = _table_input(asked)
        name = given["Name"] = given["Name"].lower()
        if name in database.tables:
            raise Refused("AlreadyExistsException", "Table already exists.")
        if len(database.tables) >= self.tables_per_database:
            raise Refused("ResourceNumberLimitExceededException", "Number of tables exceeds the limit.")
        now = time.time()
        table = Table(asked["DatabaseName"].lower(), given, now, now)
        table.partitions = Partitions([key for key, _ in table.keys])
        for index in asked.get("PartitionIndexes") or ():
            self._add_index(table, index)
        database.tables[name] = table
        return {}

    def get_table(self, asked: Json) -> Json:
        return {"Table": self.table(asked["DatabaseName"], asked["Name"]).shown()}

    def get_tables(self, asked: Json) -> Json:
        tables = self.database(asked["DatabaseName"]).tables
        names = sorted(tables)
        if asked.get("Expression"):
            pattern = name_pattern(asked["Expression"])
            names = [name for name in names if pattern.fullmatch(name)]
        wanted = asked.get("AttributesToGet")
        shown = [_attributes(tables[name].shown(), wanted) for name in names]
        return self._paged("TableList", shown, asked)

    def update_table(self, asked: Json) -> Json:
        given = _table_input(asked)
        given["Name"] = given["Name"].lower()
        table = self.table(asked["DatabaseName"], asked.get("Name") or given["Name"])
        if given["Name"] != table.given["Name"]:
            raise Refused("InvalidInputException", "Table name cannot be changed.")
        version = asked.get("VersionId")
        if version is not None and version != str(table.version):
            raise Refused(
                "ConcurrentModificationException", "Update table failed due to concurrent modifications."
            )
        keys = [key["Name"].lower() for key in given.get("PartitionKeys") or ()]
        if keys != list(table.partitions.keys):
            if table.partitions.count:
                raise Refused(
                    "InvalidInputException", "Partition keys cannot change while there are partitions."
                )
            table.partitions = Partitions(keys)
        if not asked.get("SkipArchive"):
            table.archive.append(table.shown())
        table.given, table.changed, table.version = given, time.time(), table.version + 1
        return {}

    def delete_table(self, asked: Json) -> Json:
        table = self.table(asked["DatabaseName"], asked["Name"])
        if any(index.ready > time.monotonic() for index in table.indexes.values()):
            raise Refused("ResourceNotReadyException", "A partition index of the table is being created.")
        del self.database(asked["DatabaseName"]).tables[asked["Name"].lower()]
        return {}

    def batch_delete_table(self, asked: Json) -> Json:
        self.database(asked["DatabaseName"])
        errors = []
        for name in asked["TablesToDelete"]:
            try:
                self.delete_table({"DatabaseName": asked["DatabaseName"], "Name": name})
            except Refused as refused:
                errors.append({"TableName": name, "ErrorDetail": detail(refused)})
        return {"Errors": errors} if errors else {}

    def get_table_versions(self, asked: Json) -> Json:
        table = self.table(asked["DatabaseName"], asked["TableName"])
        versions = [table.shown(), *reversed(table.archive)]
        return self._paged(
            "TableVersions", [{"Table": v, "VersionId": v["VersionId"]} for v in versions], asked
        )

    def get_table_version(self, asked: Json) -> Json:
        wanted = asked.get("VersionId")
        versions = self.get_table_versions(
            {k: v for k, v in asked.items() if k != "VersionId"} | {"MaxResults": 10**9}
        )
        for version in versions["TableVersions"]:
            if wanted in (None, version["VersionId"]):
                return {"TableVersion": version}
        raise Refused("EntityNotFoundException", f"Version {wanted} not found.")

    def table(self, database: str, name: str) -> Table:
        found = self.database(database).tables.get(name.lower())
        if found is None:
            raise Refused("EntityNotFoundException", f"Entity Not Found: table {name.lower()}")
        return found

    # -- partition indexes

    def create_partition_index(self, asked: Json) -> Json:
        self._add_index(self.table(asked["DatabaseName"], asked["TableName"]), asked["PartitionIndex"])
        return {}

    def get_partition_indexes(self, asked: Json) -> Json:
        table = self.table(asked["DatabaseName"], asked["TableName"])
        types, now = dict(table.keys), time.monotonic()
        return {
            "PartitionIndexDescriptorList": [
                {
                    "IndexName": name,
                    "Keys": [{"Name": key, "Type": types[key]} for key in index.keys],
                    "IndexStatus": "CREATING" if index.ready > now else "ACTIVE",
                }
                for name, index in table.indexes.items()
            ]
        }

    def delete_partition_index(self, asked: Json) -> Json:
        table = self.table(asked["DatabaseName"], asked["TableName"])
        index = table.indexes.get(asked["IndexName"])
        if index is None:
            raise Refused("EntityNotFoundException", f"Index {asked['IndexName']} not found.")
        if index.ready > time.monotonic():
            raise Refused("ConflictException", "The partition index is being created.")
        del table.indexes[asked["IndexName"]]
        return {}

    def _add_index(self, table: Table, asked: Json) -> None:
        keys, types = tuple(key.lower() for key in asked["Keys"]), dict(table.keys)
        if self.encrypted:
            raise Refused(
                "GlueEncryptionException", "Partition indexes cannot be created for encrypted partitions."
            )
        if len(table.indexes) >= INDEXES_PER_TABLE:
            raise Refused(
                "ResourceNumberLimitExceededException", f"A table has at most {INDEXES_PER_TABLE} indexes."
            )
        if asked["IndexName"] in table.indexes or keys in [index.keys for index in table.indexes.values()]:
            raise Refused("AlreadyExistsException", f"Index {asked['IndexName']} already exists.")
        if len(set(keys)) != len(keys) or not set(keys) <= set(types):
            raise Refused(
                "InvalidInputException", "Index keys must be partition keys of the table, each once."
            )
        if any(types[key].split("(")[0] not in INDEX_TYPES for key in keys):
            raise Refused("InvalidInputException", "Index keys must be strings, numbers or dates.")
        table.indexes[asked["IndexName"]] = Index(keys, time.monotonic() + self.index_seconds)

    def _paged(self, name: str, found: list[Json], asked: Json) -> Json:
        size = min(asked.get("MaxResults") or self.page, max(self.page, 1))
        if asked.get("MaxResults", 0) > 10**6:  # ourselves
            size = len(found)
        start = number(asked.get("NextToken"))
        more = {"NextToken": f"token-{start + size}"} if start + size < len(found) else {}
        return {name: found[start : start + size], **more}


def _table_input(asked: Json) -> Json:
    if not asked.get("TableInput"):
        raise Refused("InvalidInputException", "TableInput is needed here.")
    return {key: value for key, value in asked["TableInput"].items() if value is not None}


def _attributes(table: Json, wanted: list[str] | None) -> Json:
    if not wanted:
        return table
    return {
        name: table[name]
        for name, of in (("Name", "NAME"), ("TableType", "TABLE_TYPE"))
        if of in wanted and name in table
    }


def name_pattern(expression: str) -> re.Pattern[str]:
    """The documented regular expression; a bare `*`, which is in wide use, stands for anything."""
    try:
        return re.compile(re.sub(r"(?<![.\])\\])\*", ".*", expression), re.IGNORECASE)
    except re.error as error:
        raise Refused("InvalidInputException", f"Invalid expression: {error}") from error


def number(token: str | None) -> int:
    """Where a page begins."""
    if token is None:
        return 0
    if not re.fullmatch(r"token-\d+", token):
        raise Refused("InvalidInputException", "Invalid token.")
    return int(token[6:])


def detail(refused: Refused) -> Json:
    """An error as a batch gives it."""
    return {"ErrorCode": refused.code, "ErrorMessage": refused.message}
