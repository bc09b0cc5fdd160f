"""What a call of the program came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bed.aws import Aws


@dataclass
class Outcome:
    code: int
    out: str
    err: str


def writes(aws: Aws) -> list[str]:
    """What was asked of Glue that changes something."""
    return [name for name in aws.glue.counts if not name.startswith("Get")]
