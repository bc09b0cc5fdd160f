"""What the stack gives to the run: its settings, its place for records, and the way to AWS."""

from __future__ import annotations

import platform
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

import boto3

from trailhouse import __version__
from trailhouse.catalog.opening import known_regions, open_catalog, open_sources
from trailhouse.core.policy import METRICS
from trailhouse.nightly.records import Records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from trailhouse.aws.gate import Gate
    from trailhouse.aws.session import Call
    from trailhouse.catalog.glue import GlueCatalog
    from trailhouse.nightly.settings import NightlySettings
    from trailhouse.storage.discovery import Discovery

SUCCEEDED = "RunsSucceeded"
"""The metric that the alarm about missing runs watches: 1 for every run that is done or incomplete."""
DIMENSION = "Stack"


@dataclass(slots=True)
class Calls:
    """Counts calls, from any thread."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def add(self, call: Call) -> None:
        """Count one."""
        with self._lock:
            self.counts[call.service, call.operation] += 1

    def by_service(self) -> dict[str, dict[str, int]]:
        """How many, by service and operation."""
        found: dict[str, dict[str, int]] = {}
        with self._lock:
            for (service, operation), count in sorted(self.counts.items()):
                found.setdefault(service, {})[operation] = count
        return found


class Deployment:
    """One invocation's way to everything; clients are made when they are needed.

    Attributes:
        settings: of the run.
        stack: its name.
        memory_mb: of the function, for the cost.
        calls: what was called so far.
        records: the records of the runs.
    """

    def __init__(self, settings: NightlySettings, stack: str, bucket: str, memory_mb: int = 512) -> None:
        """Make no call.

        Args:
            settings: of the run.
            stack: name of the stack.
            bucket: for output.
            memory_mb: of the function.

        Raises:
            UsageError: no region is set.
        """
        self.settings = settings
        self.stack = stack
        self.memory_mb = memory_mb
        self.calls = Calls()
        self._opened = open_catalog(settings, self.calls.add)
        self.records = Records(self.gate, bucket)

    @property
    def gate(self) -> Gate:
        """The way to AWS."""
        return self._opened.gate

    @property
    def catalog(self) -> GlueCatalog:
        """The database in Glue."""
        return self._opened.catalog

    @property
    def region(self) -> str:
        """Region of the services."""
        return self.gate.region

    def place(self) -> str:
        """ARN of the database; asks who the caller is. Raises AwsError."""
        return self._opened.place

    def caller(self) -> str:
        """ARN of whoever the run is. Raises AwsError."""
        return str(self.gate.call("sts", "GetCallerIdentity")["Arn"])

    def regions(self) -> tuple[str, ...]:
        """Regions that exist, besides those that deliver."""
        return known_regions(self.gate)

    @contextmanager
    def sources(self, today: date) -> Iterator[Discovery]:
        """What is delivered. Raises as `catalog.opening.open_sources`."""
        with open_sources(self.settings, today, "deploy", self.calls.add) as discovery:
            yield discovery

    def put_success(self) -> None:
        """Count a run that succeeded, for the alarm. Raises AwsError."""
        one = {
            "MetricName": SUCCEEDED,
            "Dimensions": [{"Name": DIMENSION, "Value": self.stack}],
            "Value": 1.0,
            "Unit": "Count",
        }
        self.gate.call("cloudwatch", "PutMetricData", Namespace=METRICS, MetricData=[one])


def versions() -> dict[str, str]:
    """Of what the run is made of."""
    return {
        "trailhouse": __version__,
        "python": platform.python_version(),
        "boto3": str(boto3.__version__),
    }
