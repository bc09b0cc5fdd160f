"""Buckets as organizations really fill them, generated; what lies in them is known without reading a key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

TODAY = date(2026, 3, 2)
ORG = "o-abcdefghij"
ACCOUNTS = ("111122223333", "444455556666", "777788889999", "000000000001")
KINDS = ("CloudTrail", "CloudTrail-Insight", "CloudTrail-NetworkActivity", "CloudTrail-Aggregated")
REGIONS = (
    "eu-west-1",
    "us-east-1",
    "us-gov-west-1",
    "cn-north-1",
    "xx-new-99",
    "a b",
    "it's",
    'q"uote',
    "ü",
    "2026",
)
PLACES = (
    ("logs", "AWSLogs"),
    ("logs", f"AWSLogs/{ORG}"),
    ("logs", "team/prod/AWSLogs"),
    ("logs", f"team/prod/AWSLogs/{ORG}"),
    ("tower", f"{ORG}/AWSLogs"),
    ("tower", f"{ORG}/AWSLogs/{ORG}"),
)
"""An own trail's root, an organization's, both below a prefix, and Control Tower's before and after 3.0."""
AGES = (-1, 0, 1, 2, 30, 31, 32, 33, 39, 40, 41, 60, 89, 90, 91, 400)
STRANGERS = (
    "AWSLogs/111122223333/Config/eu-west-1/2026/3/2/ConfigHistory/x.json.gz",
    "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/03/02/x.json.gz",
    "AWSLogs/111122223333/CloudTrail/",
    "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/3/2/x.json.gz",
    "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/02/30/x.json.gz",
    "AWSLogs/111122223333/CloudTrail/2026/03/02/x.json.gz",
    "AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/03/02/x.log.gz",
    "AWSLogs/AAAABBBBCCCC/CloudTrail/eu-west-1/2026/03/02/x.json.gz",
    "team/notes.txt",
)


@dataclass(frozen=True)
class Log:
    """A log object, and what it is."""

    bucket: str
    root: str
    account: str
    kind: str
    region: str
    day: date

    @property
    def key(self) -> str:
        stamp = self.day.strftime("%Y%m%dT1230Z")
        folder = f"{self.root}/{self.account}/{self.kind}/{self.region}/{self.day:%Y/%m/%d}"
        return f"{folder}/{self.account}_{self.kind}_{self.region}_{stamp}_abcdefghijklmnop.json.gz"

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass
class Layout:
    """Some buckets: logs, strangers, and the sources that name them."""

    logs: list[Log]
    strangers: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=lambda: ["s3://logs", "s3://tower"])

    @property
    def buckets(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {"logs": list(self.strangers), "tower": []}
        for log in self.logs:
            found[log.bucket].append(log.key)
        return {bucket: sorted(set(keys)) for bucket, keys in found.items()}

    def delivered(self, days: int, today: date = TODAY) -> Iterator[Log]:
        """Logs of the window."""
        first, last = today - timedelta(days=days), today + timedelta(days=1)
        return (log for log in self.logs if first <= log.day <= last)


def logs(today: date = TODAY) -> st.SearchStrategy[Log]:
    return st.builds(
        lambda place, *rest: Log(*place, *rest),
        st.sampled_from(PLACES),
        st.sampled_from(ACCOUNTS),
        st.sampled_from((KINDS[0], KINDS[0], *KINDS)),
        st.sampled_from(REGIONS),
        st.sampled_from([today - timedelta(days=age) for age in AGES]),
    )


def layouts(today: date = TODAY) -> st.SearchStrategy[Layout]:
    return st.builds(
        Layout,
        st.lists(logs(today), min_size=1, max_size=14),
        st.lists(st.sampled_from(STRANGERS), max_size=3),
    )


def organization(accounts: int, regions: int, days: int, today: date = TODAY) -> Layout:
    """Every account delivers in every region on every day, today included."""
    return Layout(
        [
            Log(
                "logs",
                f"AWSLogs/{ORG}",
                f"{account:012}",
                KINDS[0],
                f"eu-west-{region}",
                today - timedelta(days=back),
            )
            for account in range(1, accounts + 1)
            for region in range(1, regions + 1)
            for back in range(days)
        ],
        sources=["s3://logs"],
    )
