"""What carrying a plan out costs: requests to Glue, and objects that it keeps."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailhouse.core.plan import Action, Target

if TYPE_CHECKING:
    from trailhouse.core.plan import Part

BATCHES = {Action.CREATE: 100, Action.UPDATE: 100, Action.REPLACE: 100, Action.DELETE: 25}
"""Partitions that one request takes (https://docs.aws.amazon.com/glue/latest/webapi/API_BatchCreatePartition.html,
and those of BatchUpdatePartition and BatchDeletePartition)."""
FREE_OBJECTS = 1_000_000
"""Tables and partitions that Glue keeps without a charge (https://aws.amazon.com/glue/pricing/)."""


@dataclass(slots=True)
class Requests:
    """Counts, added up part by part.

    Attributes:
        count: requests that write; a retry or a look before an update comes on top.
        objects: how many tables and partitions more there will be.
    """

    count: int = 0
    objects: int = 0

    def add(self, part: Part) -> None:
        """Count a part."""
        batches = Counter((c.name, c.action) for c in part.changes if c.target is Target.PARTITION)
        self.count += sum(-(-n // BATCHES.get(action, n)) for (_, action), n in batches.items())
        for change in part.changes:
            self.count += change.target is not Target.PARTITION and change.action is not Action.CHECK
            if change.target is not Target.INDEX:
                self.objects += (change.action is Action.CREATE) - (change.action is Action.DELETE)
