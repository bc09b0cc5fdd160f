"""Batches of new partitions, written as they leave.

What `pages` is for answers this is for requests: botocore checks and copies 30 columns of each of 100
partitions, which takes 50 ms a call, and they are the same columns every time. So BatchCreatePartition is
given `Partition`s here. botocore builds the request without them (its `before-parameter-build` event), and
they come into the body before it is signed (`before-call`). Lists of anything else stay botocore's.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trailhouse.catalog.encoding import encoded_partition
from trailhouse.core.state import Columns, Format, Partition

if TYPE_CHECKING:
    from collections.abc import Iterable

_LIST = "PartitionInputList"
_EMPTY = b'"PartitionInputList": []'
_WRITTEN = "trailhouse_partitions"
_ENCODER = json.JSONEncoder(separators=(",", ":"))


def watch(client: Any) -> None:  # noqa: ANN401 - botocore has no types
    """Let a Glue client's BatchCreatePartition take `Partition`s; again has no effect."""
    for event, take in (("before-parameter-build", _take), ("before-call", _put)):
        client.meta.events.register(
            f"{event}.glue.BatchCreatePartition", take, unique_id=f"trailhouse-{event}"
        )


def written(partitions: Iterable[Partition]) -> bytes:
    """Glue's `PartitionInputList` as JSON."""
    return b"[" + b",".join([_partition(one) for one in partitions]) + b"]"


def _take(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    listed = params.get(_LIST)
    if listed and all(isinstance(one, Partition) for one in listed):
        context[_WRITTEN] = written(listed)
        params[_LIST] = []


def _put(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    text = context.pop(_WRITTEN, None)
    if text is None:
        return
    head, found, tail = params["body"].partition(_EMPTY)
    if not found:
        raise RuntimeError("botocore writes requests in another way now: catalog/bodies.py has to follow")
    params["body"] = head + _EMPTY[:-2] + text + tail


def _partition(one: Partition) -> bytes:
    where = b'"Location":' + _json(one.location)
    shared = _shared(one.columns, one.format)
    return b'{"Values":' + _json(one.values) + b',"StorageDescriptor":{' + where + shared + b"}}"


@lru_cache(maxsize=256)
def _shared(columns: Columns, kept: Format) -> bytes:
    """The members of a descriptor after the location."""
    descriptor = encoded_partition(Partition((), "", columns, kept))["StorageDescriptor"]
    del descriptor["Location"]
    return b"," + _json(descriptor)[1:-1]


def _json(value: object) -> bytes:
    return _ENCODER.encode(value).encode()
