"""What a reading of an Iceberg table touches: its files, as the manifests of the current snapshot name them.

Only metadata is read, by the gate. Which columns and row groups of a file the engine leaves unread is not known
before it runs, so the sizes are the most.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from trailhouse.core.conditions import ANYTHING, Compare, Condition, mapped, on_keys
from trailhouse.core.conditions import All as Every
from trailhouse.errors import AwsError, SqlError

if TYPE_CHECKING:
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.table import StaticTable

    from trailhouse.aws.gate import Gate
    from trailhouse.engine.definitions import Definition

METADATA = "metadata_location"
"""The parameter of a table in Glue that names the current metadata (https://iceberg.apache.org/spec/)."""


class DataFile(NamedTuple):
    """A file that is read: its bytes, and the values of its partition by name."""

    size: int
    partition: dict[str, str]


def data_files(gate: Gate, table: Definition, condition: Condition) -> list[DataFile]:
    """The files that may hold rows which meet a condition, delete files among them.

    Args:
        gate: to S3.
        table: an Iceberg table.
        condition: on its columns; what compares no text demands nothing.

    Raises:
        SqlError: the catalog does not say where its metadata is, or it cannot be understood.
        AwsError: S3 refuses.
    """
    from pyiceberg.types import StringType  # noqa: PLC0415 - heavy

    place = table.parameters.get(METADATA)
    if not place:
        raise SqlError(f"{table.name} is an Iceberg table without {METADATA}: it was not made whole")
    found = _opened(gate, place)
    texts = {field.name for field in found.schema().fields if isinstance(field.field_type, StringType)}
    names = [field.name for field in found.spec().fields]
    tasks = found.scan(row_filter=_expression(on_keys(condition, texts))).plan_files()
    read: dict[str, DataFile] = {}
    for task in tasks:
        for file in (task.file, *task.delete_files):
            held = names[: len(file.partition)]  # a file of an older layout has fewer
            values = {name: str(file.partition[at]) for at, name in enumerate(held)}
            read[file.file_path] = DataFile(file.file_size_in_bytes, values)
    return list(read.values())


def _opened(gate: Gate, place: str) -> StaticTable:
    from pyiceberg.catalog.noop import NoopCatalog  # noqa: PLC0415 - heavy
    from pyiceberg.exceptions import ValidationError  # noqa: PLC0415 - with the rest
    from pyiceberg.serializers import FromInputFile  # noqa: PLC0415 - with the rest
    from pyiceberg.table import StaticTable  # noqa: PLC0415 - with the rest

    reader = cast("Any", _reader(gate))
    try:
        metadata = FromInputFile.table_metadata(reader.new_input(place))
    except (ValueError, ValidationError):
        raise SqlError(f"{place}, the metadata of an Iceberg table, cannot be understood") from None
    return StaticTable(("static", "table"), metadata, place, reader, NoopCatalog("static"))


def _reader(gate: Gate) -> object:
    """A way for the library to read objects through the gate, and to write none."""
    from pyiceberg.io import FileIO, InputFile  # noqa: PLC0415 - heavy

    class Object(InputFile):
        def __len__(self) -> int:
            return len(self._content())

        def exists(self) -> bool:
            return bool(self._content())

        def open(self, seekable: bool = True) -> Any:  # noqa: ANN401, ARG002, FBT001, FBT002 - as the library has it
            return io.BytesIO(self._content())

        def _content(self) -> bytes:
            bucket, _, key = self.location.partition("://")[2].partition("/")
            content: bytes = gate.call("s3", "GetObject", Bucket=bucket, Key=key)["Body"].read()
            return content

    class Objects(FileIO):
        def new_input(self, location: str) -> Object:
            return Object(location)

        def new_output(self, location: str) -> Any:  # noqa: ANN401 - as the library has it
            raise AwsError(f"{location} is not to be written: a price is read only")

        def delete(self, location: Any) -> None:  # noqa: ANN401 - as the library has it
            raise AwsError(f"{location} is not to be deleted: a price is read only")

    return Objects()


def _expression(condition: Condition) -> BooleanExpression:
    from pyiceberg import expressions  # noqa: PLC0415 - heavy

    e: Any = expressions  # its classes are declared as what they become once they are bound
    plain = mapped(condition, lambda leaf: ANYTHING if "like" in leaf.op else leaf)
    ordered: dict[str, Any] = {
        "=": e.EqualTo, "<>": e.NotEqualTo, "<": e.LessThan, "<=": e.LessThanOrEqual,
        ">": e.GreaterThan, ">=": e.GreaterThanOrEqual,
    }  # fmt: skip

    def turned(part: Condition) -> Any:  # noqa: ANN401 - as above
        if isinstance(part, Compare):
            if part.op in {"in", "not in"}:
                return (e.In if part.op == "in" else e.NotIn)(part.key, set(part.values))
            return ordered[part.op](part.key, part.values[0])
        every = isinstance(part, Every)
        whole = e.AlwaysTrue() if every else e.AlwaysFalse()
        for one in part.parts:
            whole = (e.And if every else e.Or)(whole, turned(one))
        return whole

    return cast("BooleanExpression", turned(plain))
