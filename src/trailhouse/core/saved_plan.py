"""A plan as a file: one line of canonical JSON, written and read part by part, bound to what the plan was made from.

    {"header":{...},"parts":[{...},{...}],"totals":{...}}

The same state gives the same bytes. Partitions stand in groups that share action, table and descriptors; a
descriptor stands in the part that needs it first, and only there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

from trailhouse.core.descriptor import (
    Descriptor,
    Digester,
    canonical,
    decode_definition,
    decode_descriptor,
    encode_definition,
    encode_descriptor,
)
from trailhouse.core.plan import Action, Change, Part, Read, Refusal, Tally, Target
from trailhouse.core.state import VERSION, Partition
from trailhouse.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

FORMAT = 1
"""Version of the file; a higher one is not read."""

_CHUNK = 1 << 20
_BROKEN = "is no plan that `trailhouse plan --out` wrote, or was changed or cut off since: make a new one"


@dataclass(frozen=True, slots=True)
class Header:
    """What a plan is for.

    Attributes:
        place: the catalog: partition, region, account, database, as an ARN.
        database: of all tables and views.
        prefix: `table_prefix`.
        shape: how raw tables are cut.
        day: the day that it was made for, UTC.
    """

    place: str
    database: str
    prefix: str
    shape: str
    day: date


class Writer:
    """Writes a plan while it is made."""

    def __init__(self, header: Header, write: Callable[[bytes], object]) -> None:
        """Write the beginning.

        Args:
            header: what the plan is for.
            write: takes the bytes, in order.
        """
        self._write = write
        self._digester = Digester()
        self._told: set[str] = set()
        self._descriptors: dict[str, Any] = {}
        self._tally = Tally()
        self._separator = b""
        about = {
            "database": header.database,
            "day": header.day.isoformat(),
            "format": FORMAT,
            "place": header.place,
            "prefix": header.prefix,
            "shape": header.shape,
            "version": VERSION,
        }
        write(b'{"header":' + canonical(about) + b',"parts":[')

    def add(self, part: Part) -> None:
        """Write a part."""
        self._tally.add(part)
        self._descriptors = {}
        value = {
            "actual": part.actual,
            "changes": list(self._changes(part.changes)),
            "descriptors": self._descriptors,
            "error": str(part.error) if part.error else None,
            "name": part.name,
            "names": None if part.names is None else list(part.names),
            "reads": [
                {"account": r.account, "since": r.since.isoformat() if r.since else None, "table": r.table}
                for r in part.reads
            ],
            "refusals": [{"name": refusal.name, "reason": refusal.reason} for refusal in part.refusals],
            "warnings": list(part.warnings),
        }
        self._write(self._separator + canonical(value))
        self._separator = b","

    def close(self) -> None:
        """Write the end: how many changes of each sort there are."""
        totals: dict[str, dict[str, int]] = {}
        for (target, action), count in self._tally.counts.items():
            totals.setdefault(target, {})[action] = count
        self._write(b'],"totals":' + canonical(totals) + b"}")

    def _changes(self, changes: Sequence[Change]) -> Iterator[dict[str, Any]]:
        for key, group in groupby(changes, self._key):
            if key is None:
                yield from map(_encode_change, group)
                continue
            action, name, why, before, after = key
            yield {
                "action": action,
                "after": after,
                "before": before,
                "name": name,
                "partitions": [[one.values, _place(one.before), _place(one.after)] for one in group],
                "target": Target.PARTITION,
                "why": why,
            }

    def _key(self, change: Change) -> tuple[Any, ...] | None:
        if change.target is not Target.PARTITION:
            return None
        before, after = self._descriptor(change.before), self._descriptor(change.after)
        return change.action, change.name, change.why, before, after

    def _descriptor(self, partition: object) -> str | None:
        if not isinstance(partition, Partition):
            return None
        digest = self._digester.digest(partition.columns, partition.format)
        if digest not in self._told:
            self._told.add(digest)
            self._descriptors[digest] = encode_descriptor(Descriptor(partition.columns, partition.format))
        return digest


def read(characters: Callable[[int], str], name: str) -> tuple[Header, Iterator[Part]]:
    """Read a plan, a part at a time.

    Args:
        characters: gives at most so many of the file; "" at its end.
        name: the file's, for messages.

    Raises:
        CatalogError: it is none, or of a newer version; while iterating: it is cut off.
    """
    text = _Text(characters, name)
    text.take('{"header":')
    about = text.value()
    if not isinstance(about, dict):
        raise CatalogError(f"{name} {_BROKEN}")
    for key, ours in (("format", FORMAT), ("version", VERSION)):
        if isinstance(about.get(key), int) and about[key] > ours:
            raise CatalogError(
                f"{name} was written by a newer trailhouse ({key} {about[key]}): upgrade this one"
            )
    try:
        header = Header(
            str(about["place"]),
            str(about["database"]),
            str(about["prefix"]),
            str(about["shape"]),
            date.fromisoformat(about["day"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CatalogError(f"{name} {_BROKEN}") from error
    return header, _parts(text, name)


class _Text:
    """The characters of a file, as many as are needed."""

    def __init__(self, characters: Callable[[int], str], name: str) -> None:
        self._characters = characters
        self._name = name
        self._text = ""
        self._at = 0
        self._decoder = json.JSONDecoder()

    def value(self) -> Any:  # noqa: ANN401 - what JSON holds
        """The next value."""
        while True:
            try:
                found, self._at = self._decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                self._more()
            else:
                return found

    def take(self, expected: str) -> None:
        """Go past characters that have to be next."""
        if not self.goes_on(expected):
            raise CatalogError(f"{self._name} {_BROKEN}")

    def goes_on(self, expected: str) -> bool:
        """Whether these characters are next; go past them then."""
        while len(self._text) - self._at < len(expected):
            self._more()
        found = self._text.startswith(expected, self._at)
        self._at += len(expected) * found
        return found

    def _more(self) -> None:
        # Twice as much each time, so that a long value is not begun too often.
        rest = self._text[self._at :]
        got = self._characters(max(_CHUNK, len(rest)))
        if not got:
            raise CatalogError(f"{self._name} {_BROKEN}")
        self._text, self._at = rest + got, 0


def _parts(text: _Text, name: str) -> Iterator[Part]:
    text.take(',"parts":[')
    descriptors: dict[str, Descriptor] = {}
    while not text.goes_on("]"):
        value = text.value()
        try:
            descriptors |= {d: decode_descriptor(one) for d, one in value["descriptors"].items()}
            yield _decode_part(value, descriptors)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CatalogError(f"{name} {_BROKEN}") from error
        text.goes_on(",")
    text.take(',"totals":')
    text.value()
    text.take("}")


def _decode_part(value: Mapping[str, Any], descriptors: Mapping[str, Descriptor]) -> Part:
    changes = tuple(change for one in value["changes"] for change in _decode_changes(one, descriptors))
    reads = tuple(
        Read(one["table"], one["account"], date.fromisoformat(one["since"]) if one["since"] else None)
        for one in value["reads"]
    )
    return Part(
        str(value["name"]),
        changes,
        tuple(Refusal(one["name"], one["reason"]) for one in value["refusals"]),
        tuple(value["warnings"]),
        None if value["error"] is None else CatalogError(str(value["error"])),
        reads,
        None if value["names"] is None else tuple(value["names"]),
        str(value["actual"]),
    )


def _encode_change(change: Change) -> dict[str, Any]:
    return {
        "action": change.action,
        "after": _encoded(change.after),
        "before": _encoded(change.before),
        "name": change.name,
        "revision": change.revision,
        "source": change.source,
        "target": change.target,
        "values": change.values,
        "why": change.why,
    }


def _encoded(held: object) -> dict[str, Any] | None:
    if held is None or isinstance(held, Partition):
        return None
    return encode_definition(held)  # type: ignore[arg-type]  # a change has nothing else


def _decode_changes(value: Mapping[str, Any], descriptors: Mapping[str, Descriptor]) -> Iterator[Change]:
    action, target, why = Action(value["action"]), Target(value["target"]), tuple(value["why"])
    if target is not Target.PARTITION:
        before, after = (decode_definition(one) if (one := value[s]) else None for s in ("before", "after"))
        yield Change(
            action,
            target,
            value["name"],
            tuple(value["values"]),
            before,
            after,
            why,
            value["revision"],
            value["source"],
        )
        return
    before_of, after_of = (descriptors[one] if (one := value[s]) else None for s in ("before", "after"))
    for values, *places in value["partitions"]:
        held = [
            None if place is None or descriptor is None else Partition(tuple(values), place, *descriptor)
            for place, descriptor in zip(places, (before_of, after_of), strict=True)
        ]
        yield Change(action, target, value["name"], tuple(values), held[0], held[1], why)


def _place(partition: object) -> str | None:
    return partition.location if isinstance(partition, Partition) else None
