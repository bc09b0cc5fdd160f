"""What taking in would find, without doing it: for `query --dry-run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from trailhouse.core.inventory import Inventory, InventoryCount
from trailhouse.lake.pending import Listing, Needed, Pending
from trailhouse.lake.tables import LEDGER, Tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailhouse.lake.workspace import Workspace
    from trailhouse.storage import Sources, StoredObject


def survey(sources: Sources, workspace: Workspace, needed: Needed) -> tuple[Listing, Inventory]:
    """The listing against the ledger, and what the names say; no object is read. Read-only.

    Args:
        sources: Where the logs are.
        workspace: The working folder, whether it is there or not.
        needed: Which objects the caller needs.

    Raises:
        StorageError: A source cannot be listed.
        LakeError: The working folder is damaged.
    """
    tables, counting = Tables(workspace), InventoryCount()

    def listed() -> Iterator[StoredObject]:
        for item in sources.list():
            counting.add(item.name, item.size, source=item.source, storage_class=item.storage_class)
            yield item

    try:
        with duckdb.connect(config={"memory_limit": "512MB", "temp_directory": ""}) as connection:
            pending = Pending(connection, tables.files()[LEDGER].paths, lambda _: None)
            return pending.collect(listed(), needed), counting.inventory()
    finally:
        tables.close()
