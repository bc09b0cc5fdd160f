"""Catalogs as a user makes them: by `trailhouse apply`, in this process, on the account that Trino sees."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from unittest.mock import patch

from bed.shim import LOG_KEY
from predecessor import tables as former
from trailhouse.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bed.aws import Aws

CORPUS, FEW = "trail-corpus", "trail-few"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the program ended, and what it said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Case:
    """A catalog over a bucket, and the condition that reads everything that the bucket holds.

    Partitions of the days to come, of which there are thousands without a file, are left out by it.
    """

    database: str
    bucket: str
    everything: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a log object lies, by its key."""

    key: str
    root: str
    account: str
    kind: str
    region: str
    day: str  # 2023/07/10


def run(aws: Aws, *args: str, **settings: str) -> Outcome:
    """`trailhouse ...` on the account; settings by their names in the configuration."""
    variables = {f"TRAILHOUSE_{name.upper()}": value for name, value in settings.items()}
    nobody = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    said = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
    code: object = 0
    environment = {**aws.environment(), **nobody, **variables}
    with patch.dict(os.environ, environment), redirect_stdout(said[0]), redirect_stderr(said[1]):
        try:
            main(args)
        except SystemExit as left:
            code = left.code
    out, err = (stream.buffer.getvalue().decode() for stream in said)  # type: ignore[attr-defined]  # a BytesIO
    return Outcome(int(code or 0), out, err)  # type: ignore[call-overload]  # the program's own codes


def apply(aws: Aws, bucket: str, *args: str, **settings: str) -> Outcome:
    """`trailhouse apply --all` on a bucket; it has to be done in full."""
    done = run(aws, "apply", "--all", "--yes", "-s", f"s3://{bucket}", *args, **settings)
    assert done.code == 0, done.err
    return done


def places(aws: Aws, bucket: str) -> list[Place]:
    """Every log object of a bucket."""
    return [place for key in aws.buckets.all[bucket].objects if (place := place_of(key))]


def place_of(key: str) -> Place | None:
    """Where a key lies, if it is a log object's."""
    if not LOG_KEY.search(key):
        return None
    *root, account, kind, region, year, month, day, _ = key.split("/")
    return Place(key, "/".join(root), account, kind, region, f"{year}/{month}/{day}")


def reading(held: Iterable[Place]) -> str:
    """The condition that reads all of these places: by each key's values."""
    values: dict[str, set[str]] = {key: set() for key in ("region", "year", "month", "day")}
    for place in held:
        for key, value in zip(values, (place.region, *place.day.split("/")), strict=True):
            values[key].add(value)
    return " AND ".join(f"{key} IN ({', '.join(map(quoted, sorted(some)))})" for key, some in values.items())


def quoted(value: str) -> str:
    """A literal; what is quoted here has no quotes."""
    return f"'{value}'"


def leave_behind(aws: Aws, bucket: str, database: str) -> int:
    """What cloudtrail-partitioner would have made for a bucket; how many tables."""
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": database})
    made: dict[str, dict[tuple[str, ...], object]] = {}
    locations: dict[str, str] = {}
    for place in places(aws, bucket):
        if place.kind != "CloudTrail":
            continue
        location = f"s3://{bucket}/{place.root}/{place.account}//CloudTrail/"
        for values, one in _days(location, place):
            made.setdefault(place.account, {})[values] = one
        locations[place.account] = location
    for account, partitions in made.items():
        table = former.table(account, locations[account])
        glue.create_table(DatabaseName=database, TableInput=table)
        inputs = list(partitions.values())
        for start in range(0, len(inputs), 100):
            glue.batch_create_partition(
                DatabaseName=database, TableName=table["Name"], PartitionInputList=inputs[start : start + 100]
            )
    glue.create_table(DatabaseName=database, TableInput=former.view(sorted(made), database=database))
    return len(made)


def _days(location: str, place: Place) -> Iterator[tuple[tuple[str, ...], object]]:
    day = date(*map(int, place.day.split("/")))
    for one in former.partitions(location, [place.region], day, 1):
        yield tuple(one["Values"]), one
