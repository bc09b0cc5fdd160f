"""Pages of partitions, read where they arrive.

A page of 1,000 partitions repeats one list of columns 1,000 times; botocore makes a dictionary of each of the
30,000, which takes a quarter of a second. Here each distinct list is read once. The page is taken from the
answer before botocore parses it (its `before-parse` event), and botocore gets what is left: the token of the
next page. Errors, and answers that are not as expected, stay botocore's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from trailhouse.catalog.encoding import known_columns, known_format
from trailhouse.core.state import Columns, Format, Partition

if TYPE_CHECKING:
    from collections.abc import Iterator

_ANSWERED = 300
_NOTHING = msgspec.Raw(b"null")


class _Descriptor(msgspec.Struct):
    Location: str | None = ""
    Columns: msgspec.Raw = _NOTHING
    InputFormat: str | None = ""
    OutputFormat: str | None = ""
    SerdeInfo: msgspec.Raw = _NOTHING


class _Partition(msgspec.Struct):
    Values: tuple[str, ...] | None = ()
    StorageDescriptor: _Descriptor | None = None


class _Page(msgspec.Struct):
    Partitions: list[_Partition] | None = None
    NextToken: str | None = None


class _Column(msgspec.Struct):
    Name: str | None = ""
    Type: str | None = ""


class _Serde(msgspec.Struct):
    SerializationLibrary: str | None = ""
    Parameters: dict[str, str] | None = None


_PAGE = msgspec.json.Decoder(_Page)
_COLUMNS = msgspec.json.Decoder(list[_Column] | None)
_SERDE = msgspec.json.Decoder(_Serde | None)


def watch(client: Any) -> None:  # noqa: ANN401 - botocore has no types
    """Let a Glue client answer GetPartitions with `Partition`s instead of dictionaries; again has no effect."""
    client.meta.events.register("before-parse.glue.GetPartitions", _take, unique_id="trailhouse-partitions")


def read(body: bytes) -> tuple[list[Partition], str | None]:
    """The partitions of a page, and the token of the next one.

    Raises:
        msgspec.MsgspecError: it is no page.
    """
    page = _PAGE.decode(body)
    return list(_partitions(page.Partitions or [])), page.NextToken


def _take(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    if response_dict["status_code"] >= _ANSWERED:
        return
    try:
        partitions, token = read(response_dict["body"])
    except msgspec.MsgspecError:
        return
    customized_response_dict["Partitions"] = partitions
    response_dict["body"] = msgspec.json.encode({"NextToken": token} if token else {})


def _partitions(page: list[_Partition]) -> Iterator[Partition]:
    same = dict[str, str]().setdefault  # regions, years and roots come again a thousand times
    for one in page:
        values = tuple([same(value, value) for value in one.Values or ()])
        descriptor = one.StorageDescriptor or _Descriptor()
        columns = _columns(bytes(descriptor.Columns))
        read, write = descriptor.InputFormat or "", descriptor.OutputFormat or ""
        yield Partition(
            values, descriptor.Location or "", columns, _format(read, write, bytes(descriptor.SerdeInfo))
        )


@lru_cache(maxsize=256)
def _columns(text: bytes) -> Columns:
    return known_columns(tuple((one.Name or "", one.Type or "") for one in _COLUMNS.decode(text) or ()))


@lru_cache(maxsize=256)
def _format(read: str, write: str, serde: bytes) -> Format:
    held = _SERDE.decode(serde) or _Serde()
    parameters = tuple(sorted((held.Parameters or {}).items()))
    return known_format(read, write, held.SerializationLibrary or "", parameters)
