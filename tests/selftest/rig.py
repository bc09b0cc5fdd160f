"""An AWS of the bed with an Athena whose answers a test chooses, and a run of the self-test in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.selftest import CHECKS, Place, Purse, Selftest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bed.aws import Aws
    from trailhouse.aws.session import Call
    from trailhouse.selftest.check import Check
    from trailhouse.selftest.runner import Run

BUCKET = "scratch-bucket"
TOKEN = "abcdef0123"  # noqa: S105 - of a scratch place
TODAY = date(2026, 11, 22)


@dataclass
class Rig:
    """Where a run happens, and what it called."""

    url: str
    aws: Aws
    calls: list[Call] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    place: Place = field(default_factory=lambda: Place(BUCKET, TOKEN))

    def selftest(self, checks: Sequence[Check] = CHECKS, **more: Any) -> Selftest:  # noqa: ANN401 - as the run takes them
        gate = Gate(Access(endpoint_url=self.url, region="us-east-1"), record=self.calls.append)
        purse = more.pop("purse", None) or Purse()
        return Selftest(
            gate,
            self.place,
            checks,
            workgroup="primary",
            today=TODAY,
            purse=purse,
            say=self.said.append,
            **more,
        )

    def run(self, checks: Sequence[Check] = CHECKS, **more: Any) -> Run:  # noqa: ANN401 - likewise
        return self.selftest(checks, **more).run()

    def operations(self) -> list[str]:
        return [f"{call.service}.{call.operation}" for call in self.calls]

    def nothing_is_left(self) -> bool:
        below = [
            key for key in self.aws.buckets.all[BUCKET].objects if key.startswith("trailhouse-selftest/")
        ]
        return not below and not self.databases()

    def databases(self) -> list[str]:
        found = self.aws.client("glue").get_databases()["DatabaseList"]
        return [one["Name"] for one in found]
