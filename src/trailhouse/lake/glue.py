"""The tables of a lake in AWS: Iceberg in Glue, through PyIceberg and through the gate.

What is committed is bound to the very version of the table that this run read: PyIceberg by itself asks Glue for the
newest one right before it commits, so that a run that slept would add its rows to what another one did meanwhile.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NoSuchTableError,
    TableAlreadyExistsError,
    ValidationError,
)
from pyiceberg.schema import assign_fresh_schema_ids
from pyiceberg.serializers import FromInputFile
from pyiceberg.typedef import EMPTY_DICT

from trailhouse.core.layout import Kind
from trailhouse.errors import AwsError, CatalogError, ConflictError, LakeError, NotFoundError
from trailhouse.lake import iceberg
from trailhouse.lake.gate_io import GateIO
from trailhouse.lake.tables import (
    DAY_KEYS,
    LEDGER,
    PROPERTIES,
    SORT_KEYS,
    Definition,
    TableFiles,
    changed,
    table_name,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyiceberg.table import CommitTableResponse, Table
    from pyiceberg.table.update import TableRequirement, TableUpdate
    from pyiceberg.typedef import Properties

    from trailhouse.aws.gate import Gate
    from trailhouse.lake.s3_files import S3Files

FENCE = "trailhouse.fence"
"""Table property: the run that took the lock from a dead one; writing it makes what the dead one read stale."""

FORMAT = "trailhouse.lake"
"""Table property: the version of this layout."""

NAMES = (table_name(Kind.CLOUDTRAIL), LEDGER)
"""The tables of a lake in AWS: of the other kinds, raw tables are all there is."""

METADATA = "metadata_location"
_TABLE_TYPE = "table_type"


class GlueTables:
    """The catalog of a lake in AWS. Tables stay as this run read them first, until it forgets or commits.

    Attributes:
        ledger_keys: As the lake's rows, so that the days in question are what is read.
    """

    ledger_keys: tuple[str, ...] = DAY_KEYS

    def __init__(self, gate: Gate, database: str, prefix: str, files: S3Files) -> None:
        """Make no call yet.

        Args:
            gate: To Glue and S3.
            database: Of the tables; it has to be there.
            prefix: `table_prefix`, with which the tables' names begin.
            files: Where their files go.
        """
        self._database = database
        self._prefix = prefix
        self._files = files
        self._catalog = PinnedGlue(gate, files)
        self._held: dict[str, Table | None] = {}
        self._known: dict[str, tuple[str, TableFiles]] = {}

    def real_name(self, name: str) -> str:
        """What a table is called in Glue."""
        return self._prefix + name.removeprefix("cloudtrail")

    def forget(self) -> None:
        """Read the tables again when they are next asked for."""
        self._held.clear()

    def load(self, name: str) -> Table | None:
        """The table as this run saw it first, with what it committed itself.

        Raises:
            CatalogError: There is one of this name that is none of a lake of ours.
            AwsError: AWS refuses.
        """
        if name not in self._held:
            self._held[name] = self._read(name)
        return self._held[name]

    def _read(self, name: str) -> Table | None:
        place = f"{self._database}.{self.real_name(name)}"
        found = self._catalog.look(self._database, self.real_name(name))
        if found is None:
            return None
        if str(found.get("Parameters", {}).get(_TABLE_TYPE, "")).upper() != "ICEBERG":
            raise CatalogError(
                f"the table {place} is no Iceberg table: remove it, or choose another table_prefix"
            )
        try:
            table = self._catalog.load_table((self._database, self.real_name(name)))
        except (FileNotFoundError, ValueError, ValidationError) as error:
            raise self.damaged(f"table {name}: {str(error).partition(chr(10))[0]}") from error
        if table.location() != self._location(name) or FORMAT not in table.properties:
            raise CatalogError(
                f"the table {place} lies at {table.location()} and was not made for the lake {self._files.uri}: "
                "set `lake` to where it is, or choose another table_prefix"
            )
        return table

    def create(self, name: str, definition: Definition) -> Table:
        """Make a table.

        Raises:
            NotFoundError: There is no such database.
            LakeError: Another run has made it since this one looked.
            AwsError: AWS refuses.
        """
        # The library numbers the fields anew; the name mapping has to say these numbers.
        schema = assign_fresh_schema_ids(iceberg.iceberg_schema(definition.columns))
        own = {FORMAT: "1", "format-version": "2", iceberg.NAME_MAPPING: iceberg.name_mapping(schema)}
        try:
            self._catalog.create_table(
                (self._database, self.real_name(name)),
                schema,
                location=self._location(name),
                partition_spec=iceberg.partition_spec(schema, definition.keys),
                sort_order=iceberg.sort_order(schema, SORT_KEYS),
                properties=PROPERTIES | own,
            )
        except TableAlreadyExistsError as error:
            raise changed(name) from error  # this run knows nothing of what is in it
        made = self._held[name] = self._read(name)  # from here on bound to its version
        if made is None:
            raise changed(name)
        return made

    def _location(self, name: str) -> str:
        return self._files.location(name)

    def locations(self) -> dict[str, str]:
        """Of the tables as this run sees them."""
        found = {name: self.load(name) for name in NAMES}
        return {name: table.metadata_location for name, table in found.items() if table is not None}

    def recall(self) -> Mapping[str, tuple[str, TableFiles]]:
        """What was planned in this process."""
        return self._known

    def remember(self, known: Mapping[str, tuple[str, TableFiles]]) -> None:
        """Keep it while this lives."""
        self._known = dict(known)

    def damaged(self, reason: str) -> LakeError:
        """What a person has to look at: the lake may be the only copy of old days."""
        return LakeError(
            f"the lake {self._files.uri} is damaged ({reason}): restore what is missing from the bucket's versions, "
            "or take the lake's tables away and run again"
        )

    def close(self) -> None:
        """Nothing is open."""


class PinnedGlue(GlueCatalog):
    """PyIceberg's catalog in Glue, whose commits go to the version that was read, and only to that."""

    def __init__(self, gate: Gate, files: S3Files) -> None:
        super().__init__("trailhouse", client=gate.client("glue"))
        self._gate = gate
        self._io = GateIO(files)
        self._pinned: dict[str, dict[str, Any]] = {}
        self._committing = False

    def look(self, database: str, table: str) -> dict[str, Any] | None:
        """What Glue has now under this name; None if nothing."""
        try:
            answer = self._gate.call("glue", "GetTable", DatabaseName=database, Name=table)
        except NotFoundError:
            return None
        found: dict[str, Any] = answer["Table"]
        return found

    def commit_table(
        self, table: Table, requirements: tuple[TableRequirement, ...], updates: tuple[TableUpdate, ...]
    ) -> CommitTableResponse:
        """Commit to the version that was read when the table was loaded, or last committed to here.

        Raises:
            CommitFailedException: Another version is there by now.
        """
        self._committing = True
        try:
            answer = super().commit_table(table, requirements, updates)
        finally:
            self._committing = False
        database, name = self.identifier_to_database_and_table(table.name())
        now = self.look(database, name)
        if now is not None and _place(now) == answer.metadata_location:
            self._pinned[name] = now  # else it stays at the old version, and Glue refuses the next commit
        return answer

    def _get_glue_table(self, database_name: str, table_name: str) -> Any:  # noqa: ANN401 - as the library has it
        if not (self._committing and table_name in self._pinned):
            found = self.look(database_name, table_name)
            if found is None:
                raise NoSuchTableError(f"Table does not exist: {database_name}.{table_name}")
            self._pinned[table_name] = found
        return deepcopy(self._pinned[table_name])  # the library writes into what it gets

    def _create_glue_table(self, database_name: str, table_name: str, table_input: Any) -> None:  # noqa: ANN401 - likewise
        try:
            self._gate.call("glue", "CreateTable", DatabaseName=database_name, TableInput=table_input)
        except ConflictError as error:
            if not self._landed(database_name, table_name, table_input["Parameters"][METADATA]):
                raise TableAlreadyExistsError(f"Table {database_name}.{table_name} already exists") from error
        except NotFoundError as error:
            raise NotFoundError(
                f"there is no database {database_name}: run `trailhouse apply` first",
                code=error.code, operation=error.operation, resource=error.resource,
            ) from error  # fmt: skip

    def _update_glue_table(
        self,
        database_name: str,
        table_name: str,
        table_input: Any,  # noqa: ANN401 - as the library has it
        version_id: str,
    ) -> None:
        """Put the new metadata in the place of that version.

        An answer that was lost makes the client ask again, and Glue refuse: the version is the one that it made of the
        first request. The library would then delete the commit's files, which the table stands on.
        """
        try:
            self._gate.call(
                "glue", "UpdateTable", DatabaseName=database_name, TableInput=table_input,
                SkipArchive=True, VersionId=version_id,
            )  # fmt: skip
        except AwsError as error:
            if self._landed(database_name, table_name, table_input["Parameters"][METADATA]):
                return
            if isinstance(error, ConflictError):
                raise CommitFailedException(
                    f"{database_name}.{table_name} is not at version {version_id} any more"
                ) from error
            raise

    def _landed(self, database: str, table: str, metadata: str) -> bool:
        """Whether a commit is the table's current one, or others stand on it already."""
        now = self.look(database, table)
        if now is None or _place(now) == metadata:
            return now is not None
        current = FromInputFile.table_metadata(self._io.new_input(_place(now)))
        return metadata in {entry.metadata_file for entry in current.metadata_log}

    def _is_s3tables_database(self, database_name: str) -> bool:  # noqa: ARG002 - as the library has it
        return False

    def _load_file_io(self, properties: Properties = EMPTY_DICT, location: str | None = None) -> GateIO:  # noqa: ARG002 - likewise
        return self._io


def _place(table: Mapping[str, Any]) -> str:
    return str(table.get("Parameters", {}).get(METADATA, ""))
