"""Runs: records that one principal made with one call in a row, and what the truth needs to know of them."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trailhouse.demo.dice import uuid

ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Run:
    """Records in a row that agree in everything that is counted.

    `day` is the UTC day of the event time, `ids` the event ids, 16 bytes each, one after the other. Records
    whose id is missing or no UUID are runs of their own: `odd` is that id ("" when missing), `ids` empty.
    """

    day: str
    name: str
    texts: list[str]
    ids: bytes
    arn: str | None = None
    error: str | None = None
    address: str | None = None
    recipient: str | None = None
    data: bool = False
    odd: str | None = None

    def event_ids(self) -> list[str]:
        """Return the ids as they stand in the records, without the missing ones."""
        if self.odd is not None:
            return [self.odd] if self.odd else []
        return [uuid(self.ids[at : at + ID_LENGTH].hex()) for at in range(0, len(self.ids), ID_LENGTH)]


@dataclass(frozen=True, slots=True)
class Planted:
    """A run that has its time and place given: part of a story, or an oddity."""

    when: datetime
    account: str
    region: str
    run: Run
    alone: bool = False


def run_of(record: dict[str, Any], text: str = "") -> Run:
    """Return a run of one record; `text` is its JSON where the plain rendering would not do."""
    identity = record.get("userIdentity") or {}
    id_ = record.get("eventID", "")
    plain = len(id_) == 36 and id_ == id_.lower()  # noqa: PLR2004 - a UUID's length
    return Run(
        day=record["eventTime"][:10],
        name=record["eventName"],
        texts=[text or json.dumps(record, separators=(",", ":"), ensure_ascii=False)],
        ids=bytes.fromhex(id_.replace("-", "")) if plain else b"",
        arn=identity.get("arn"),
        error=record.get("errorCode"),
        address=record.get("sourceIPAddress"),
        recipient=record.get("recipientAccountId"),
        data=record.get("eventCategory") == "Data" or not plain,
        odd=None if plain else id_,
    )
