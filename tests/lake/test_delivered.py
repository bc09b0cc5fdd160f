from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lake.clouds import LOGS
from trailhouse.errors import StorageError

if TYPE_CHECKING:
    from lake.clouds import Cloud

pytestmark = pytest.mark.emulator


def test_objects_are_called_by_their_keys(cloud: Cloud) -> None:
    for name in ("a/x", "a/y", "b/x", "c/x"):
        cloud.store(name, name.encode())
    sources = cloud.sources("a", "b")
    (bucket,) = sources.storages
    assert (bucket.label, bucket.uri) == (LOGS, f"s3://{LOGS}/")
    items = list(sources.list())
    assert [(item.source, item.name) for item in items] == [(LOGS, "a/x"), (LOGS, "a/y"), (LOGS, "b/x")]
    assert [sources.read(item) for item in items] == [b"a/x", b"a/y", b"b/x"]
    with sources.open(items[2]) as stream:
        assert stream.read() == b"b/x"
    again = [items[2], items[0], items[1]]
    assert list(sources.read_many(again)) == [(item, item.name.encode()) for item in again]


def test_what_is_in_no_source_is_not_read(cloud: Cloud) -> None:
    cloud.store("a/x", b"")
    sources = cloud.sources("a")
    (item,) = sources.list()
    with pytest.raises(StorageError, match=f"s3://{LOGS}/c/x lies in no source"):
        sources.read(replace(item, name="c/x"))
