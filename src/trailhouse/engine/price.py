"""What a statement would read, before it runs: partitions exactly, objects and bytes from listings.

No log object is read. Up to `LISTED` folders are all listed; of more, a random sample is, always the same
for the same folders, and the result carries its range.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from trailhouse.core.conditions import NOTHING
from trailhouse.core.prices import (
    CONFIDENCE,
    MENTIONED,
    NONE,
    Estimate,
    counted,
    estimated,
    format_money,
    request_cost,
    scan_cost,
)
from trailhouse.core.sizes import count_of, format_size
from trailhouse.core.state import DATE_KEYS
from trailhouse.engine.folders import existing
from trailhouse.engine.iceberg import data_files
from trailhouse.engine.partitions import Touched, touched
from trailhouse.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from trailhouse.aws.gate import Gate
    from trailhouse.dialect.scans import Scan
    from trailhouse.engine.definitions import Definition, Definitions
    from trailhouse.engine.iceberg import DataFile

LISTED = 200
"""Folders that are listed at most."""
SEED = 0

_PARALLEL = 16
_ARCHIVED = ("GLACIER", "DEEP_ARCHIVE")
_RESTORED = "read_restored_glacier_objects"
_FILTERS = {
    "day": "--since and --until, or year = ... AND month = ... AND day = ...",
    "account": "--account, or account = '...'",
    "region": "--region, or region = '...'",
}
_DIGITS = 12
_COUNTED = ("partitions", "folders", "folders_existing", "folders_listed", "objects", "requests_usd")


class Held(NamedTuple):
    """What a folder holds: objects that are read, their bytes, and archived objects that are not."""

    objects: int
    size: int
    archived: int


@dataclass(frozen=True, slots=True)
class Price:
    """What a statement would read.

    Attributes:
        partitions: that it touches, counted exactly; a partition that is read twice counts twice.
        folders: different places of them.
        existing: how many of these may exist; the others surely do not.
        listed: how many of these were listed.
        objects: that it reads.
        size: bytes that it reads.
        archived: objects found that Athena leaves out, for they are archived and not restored.
        spread: by what can be filtered (`day`, `account`, `region`): how many different values are touched.
        days: the first and last day touched, `2023-07-01`; empty where there is none.
        at_most: whether columns or row groups may be left unread, so that all numbers are the most.
        told: who says so, where it is not counted here: then there are bytes alone.
        unknown: why it cannot be told, a reason each; empty where all is told.
    """

    partitions: int = 0
    folders: int = 0
    existing: int = 0
    listed: int = 0
    objects: Estimate = NONE
    size: Estimate = NONE
    archived: int = 0
    spread: Mapping[str, int] = field(default_factory=dict)
    days: tuple[str, ...] = ()
    at_most: bool = False
    told: str = ""
    unknown: tuple[str, ...] = ()

    def how(self) -> str:
        """How objects and bytes were found out."""
        if self.unknown:
            return "not told: " + "; ".join(self.unknown)
        if self.told:
            return self.told
        if not self.folders and self.objects.value:
            return "by the manifests of the table"
        there, of = count_of(self.existing, "folder"), ""
        if self.existing < self.folders:
            there, of = count_of(self.existing, "existing folder"), f" (of {self.folders:,})"
        if self.listed == self.existing:
            return f"all {there}{of} listed"
        sample = f"{self.listed:,} of {there}{of} listed, chosen at random (seed {SEED})"
        return f"{sample}; ranges are the {CONFIDENCE}"

    def sentence(self, per_tb: Decimal | None) -> str:
        """The price in one line; `per_tb` is what a terabyte costs, None: bytes are not charged."""
        if self.unknown:
            return f"what this reads cannot be told before it runs: {'; '.join(self.unknown)}"
        about = "at most " if self.at_most else "" if self.size.exact else "about "
        size = about + _ranged(self.size, format_size)
        if self.told:
            return f"{size}, {self.told}"
        text = f"{count_of(self.partitions, 'partition')}, {_objects(self.objects)}, {size}"
        if per_tb is not None:
            text += f": {_ranged(self.cost(per_tb), lambda micro: format_money(_dollars(micro)))}"
        requests = self.requests()
        if requests > MENTIONED:
            text += f", and about {format_money(requests)} for S3 requests"
        return text if self.size.exact else f"{text} ({self.how()})"

    def requests(self) -> Decimal:
        """What S3 charges for the requests, in dollars."""
        return request_cost(self.objects.value, self.folders)

    def cost(self, per_tb: Decimal) -> Estimate:
        """What the bytes cost, in millionths of a cent (10^-8 dollars)."""
        return Estimate(
            *(_units(scan_cost(one, per_tb)) for one in (self.size.value, self.size.low, self.size.high))
        )

    def as_json(self, per_tb: Decimal | None) -> dict[str, Any]:
        """The same for programs; sums of money are texts in dollars."""
        found: dict[str, Any] = {
            "partitions": self.partitions, "folders": self.folders,
            "folders_existing": self.existing, "folders_listed": self.listed,
            "objects": _triple(self.objects), "bytes": _triple(self.size), "at_most": self.at_most,
            "archived_objects": self.archived, "days": list(self.days), "spread": dict(self.spread),
            "how": self.how(), "seed": None if self.listed == self.existing else SEED,
            "requests_usd": f"{self.requests():f}", "cost_usd": None,
        }  # fmt: skip
        if self.told:
            found |= dict.fromkeys(_COUNTED)
        elif self.unknown:
            found |= {"objects": None, "bytes": None, "requests_usd": None}
        elif per_tb is not None:
            cost = {name: f"{_dollars(one):f}" for name, one in _triple(self.cost(per_tb)).items()}
            found["cost_usd"] = cost
        return found

    def refusal(self, limit: int, name: str = "--max-scan") -> str | None:
        """Why a statement that may read at most `limit` bytes is not run; None: it may run."""
        if self.unknown:
            return f"not run, for {name} is {format_size(limit)}, and {self.sentence(None)}"
        if self.size.high <= limit:
            return None
        about = "at most " if self.at_most else "" if self.size.exact else "about "
        reads = about + _ranged(self.size, format_size)
        return f"not run: it would read {reads}, and {name} is {format_size(limit)}{self.narrowing()}"

    def narrowing(self) -> str:
        """The filter that would help most, as the end of a sentence."""
        if self.told:
            return ": narrow it by day, account or region, or raise it"
        name = max(self.spread, key=lambda one: self.spread[one], default="")
        if not name or self.spread[name] < 2:  # noqa: PLR2004 - one value cannot be narrowed
            return ": ask for fewer objects, or raise it"
        return f": narrow it by {name} ({self.spread[name]:,} are touched): {_FILTERS[name]}"


def unpriced(reason: str) -> Price:
    """The price of what cannot be priced."""
    return Price(unknown=(reason,))


@dataclass(slots=True)
class _Sum:
    """What readings touch together."""

    partitions: int = 0
    places: Counter[str] = field(default_factory=Counter)
    restored: set[str] = field(default_factory=set)
    values: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    at_most: bool = False
    unknown: list[str] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def add_files(self, found: Iterable[DataFile]) -> None:
        """Add the files of one reading of an Iceberg table."""
        held = list(found)
        self.at_most = True  # it reads columns
        self.files += [one.size for one in held]
        self.partitions += len({tuple(one.partition.items()) for one in held})
        for one in held:
            self._add_day(one.partition)

    def add(self, table: Definition, found: Iterable[Touched]) -> None:
        """Add the partitions of one reading."""
        keys = [name for name, _ in table.keys]
        restored = table.parameters.get(_RESTORED, "").lower() == "true"
        self.at_most |= table.columnar
        suffix = table.name[-_DIGITS:]
        for partition in found:
            self.partitions += 1
            place = "s3://{}/{}".format(*_bucket_and_prefix(partition.location))
            self.places[place] += 1
            if restored:
                self.restored.add(place)
            by_key = dict(zip(keys, partition.values, strict=False))
            self._add_day(by_key)
            for key in ("account", "region"):
                self.values[key].update([by_key[key]] if key in by_key else [])
            if "account" not in by_key and len(suffix) == _DIGITS and suffix.isdecimal():
                self.values["account"].add(suffix)

    def _add_day(self, values: Mapping[str, str]) -> None:
        if all(key in values for key in DATE_KEYS):
            self.values["day"].add("-".join(values[key] for key in DATE_KEYS))


class Estimator:
    """Prices statements over tables that Glue knows. Read-only."""

    def __init__(
        self, gate: Gate, definitions: Definitions, requests: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        """Price nothing yet.

        Args:
            gate: to Glue and S3.
            definitions: of the tables.
            requests: by bucket: parameters of its own for listings (owner, requester pays).
        """
        self._gate = gate
        self._definitions = definitions
        self._requests = requests or {}

    def price(self, readings: Sequence[Scan] | None, now: datetime) -> Price:
        """What these readings take.

        Args:
            readings: of one statement; None: nobody knows.
            now: the present, UTC.

        Raises:
            SqlError: a table's partitions cannot be computed.
            AwsError: Glue or S3 refuse.
        """
        if readings is None:
            return unpriced("the statement is of a form that is not known here")
        found = _Sum()
        for reading, table in self._tables(readings, found):
            if table.is_iceberg:
                self._add_files(reading, table, found)
            else:
                found.add(table, touched(self._gate, table, reading.condition, now))
        if found.unknown:
            return Price(unknown=tuple(dict.fromkeys(found.unknown)))
        return self._summed(found)

    def _tables(self, readings: Sequence[Scan], found: _Sum) -> list[tuple[Scan, Definition]]:
        pairs = []
        for reading in readings:
            table = self._definitions.find(reading.database, reading.name)
            if table is None:
                found.unknown.append(f"{reading.name} is not in the catalog")
            elif table.is_view:
                found.unknown.append(f"{reading.name} is a view of another engine")
            elif reading.condition != NOTHING:
                pairs.append((reading, table))
        return pairs

    def _add_files(self, reading: Scan, table: Definition, found: _Sum) -> None:
        try:
            found.add_files(data_files(self._gate, table, reading.condition))
        except SqlError as error:
            found.unknown.append(str(error))

    def _summed(self, found: _Sum) -> Price:
        places = sorted(found.places)
        with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="price") as pool:
            there = places
            if len(places) > LISTED:
                there = existing(places, lambda folders: pool.map(self._children, folders), LISTED)
            chosen = there
            if len(there) > LISTED:
                chosen = random.Random(SEED).sample(there, LISTED)  # noqa: S311 - a sample, not a secret
            held = list(pool.map(lambda place: self._held(place, restored=place in found.restored), chosen))
        times = [found.places[place] for place in chosen]
        objects = [one.objects * n for one, n in zip(held, times, strict=True)]
        sizes = [one.size * n for one, n in zip(held, times, strict=True)]
        days = sorted(found.values["day"])
        if len(chosen) < len(there) and not sum(objects):
            looked = f"{len(chosen):,} of {len(there):,} folders, chosen at random, hold no object"
            return Price(unknown=(f"{looked}, and the others are not known",))
        return Price(
            partitions=found.partitions,
            folders=len(places),
            existing=len(there),
            listed=len(chosen),
            objects=(estimated(objects, len(there)) if there else NONE) + counted(len(found.files)),
            size=(estimated(sizes, len(there)) if there else NONE) + counted(sum(found.files)),
            archived=sum(one.archived for one in held),
            spread={key: len(found.values[key]) for key in _FILTERS if found.values[key]},
            days=(days[0], days[-1]) if days else (),
            at_most=found.at_most,
        )

    def _children(self, place: str) -> list[str]:
        """The folders right below a folder."""
        bucket, prefix = _bucket_and_prefix(place)
        more = self._requests.get(bucket, {})
        pages = self._gate.pages("s3", "ListObjectsV2", Bucket=bucket, Prefix=prefix, Delimiter="/", **more)
        return [f"s3://{bucket}/{one['Prefix']}" for page in pages for one in page.get("CommonPrefixes", ())]

    def _held(self, place: str, *, restored: bool) -> Held:
        bucket, prefix = _bucket_and_prefix(place)
        more: dict[str, Any] = dict(self._requests.get(bucket, {}))
        if restored:
            more["OptionalObjectAttributes"] = ["RestoreStatus"]
        objects = size = archived = 0
        for page in self._gate.pages("s3", "ListObjectsV2", Bucket=bucket, Prefix=prefix, **more):
            for entry in page.get("Contents", ()):
                if _hidden(entry["Key"].removeprefix(prefix)):
                    continue
                if entry.get("StorageClass") in _ARCHIVED and not _is_restored(entry):
                    archived += 1
                else:
                    objects, size = objects + 1, size + entry["Size"]
        return Held(objects, size, archived)


def _bucket_and_prefix(place: str) -> tuple[str, str]:
    scheme, _, rest = place.partition("://")
    bucket, _, prefix = rest.partition("/")
    if not scheme.lower().startswith("s3") or not bucket:
        raise SqlError(f"a partition lies at {place!r}, which is no place in S3: see trailhouse plan")
    # Athena reads folders, and folds `//` in their names.
    while "//" in prefix:
        prefix = prefix.replace("//", "/")
    return bucket, prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


def _hidden(name: str) -> bool:
    """Whether Athena leaves an object out for its name."""
    return not name or name.rpartition("/")[2].startswith(("_", "."))


def _is_restored(entry: Mapping[str, Any]) -> bool:
    status = entry.get("RestoreStatus", {})
    return "RestoreExpiryDate" in status and not status.get("IsRestoreInProgress")


def _units(dollars: Decimal) -> int:
    return int(dollars * 10**8)


def _dollars(units: int) -> Decimal:
    return Decimal(units) / 10**8


def _triple(one: Estimate) -> dict[str, int]:
    return {"value": one.value, "low": one.low, "high": one.high}


def _objects(objects: Estimate) -> str:
    if objects.exact:
        return count_of(objects.value, "object")
    return f"about {objects.value:,} objects ({objects.low:,} to {objects.high:,})"


def _ranged(one: Estimate, form: Any) -> str:  # noqa: ANN401 - a function of a number
    if form(one.low) == form(one.high):
        return str(form(one.value))
    return f"{form(one.value)} ({form(one.low)} to {form(one.high)})"
