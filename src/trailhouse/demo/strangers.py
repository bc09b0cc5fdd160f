"""What else lies in a bucket: digests, empty folder keys, and the logs of other services."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from trailhouse.demo.dice import Dice
from trailhouse.demo.logfile import Place, gzipped
from trailhouse.demo.organization import HOME_REGION, Account, Organization

DIGEST = "CloudTrail-Digest"
FOREIGN = "foreign"
FOLDER = "folder"
_TRAIL = "organization"


def strangers(organization: Organization, start: datetime, seed: int) -> Iterator[tuple[str, str, bytes]]:
    """Yield kind, key and content of objects that are no CloudTrail logs; contents of `.gz` are packed."""
    dice = Dice(f"{seed}:strangers")
    root = organization.root
    for account in (organization.accounts[0], organization.account("prod-data")):
        for kind in ("CloudTrail", DIGEST):
            yield FOLDER, f"AWSLogs/{account.number}/{kind}/", b""
            yield FOLDER, f"{root}/{account.number}/{kind}/", b""
    for account in organization.accounts:
        yield FOREIGN, f"{root}/{account.number}/Config/ConfigWritabilityCheckFile", b""
        yield from _config(root, account, start, dice)
    yield from _network_logs(organization.account("network"), start, dice)
    yield from _security_logs(organization.account("security"), start, dice)


def _config(root: str, account: Account, start: datetime, dice: Dice) -> Iterator[tuple[str, str, bytes]]:
    for day in (0, 9):
        when = start + timedelta(days=day, seconds=dice.between(0, 80000))
        # Config writes month and day without a leading zero.
        folder = (
            f"{root}/{account.number}/Config/{HOME_REGION}/{when.year}/{when.month}/{when.day}/ConfigHistory"
        )
        name = (
            f"{account.number}_Config_{HOME_REGION}_ConfigHistory_AWS::EC2::Instance_"
            f"{when:%Y%m%dT%H%M%SZ}_{when:%Y%m%dT%H%M%SZ}_1.json.gz"
        )
        content = {"fileVersion": "1.0", "configurationItems": [{"resourceId": account.things.instance[0]}]}
        yield FOREIGN, f"{folder}/{name}", gzipped(json.dumps(content).encode())


def _network_logs(account: Account, start: datetime, dice: Dice) -> Iterator[tuple[str, str, bytes]]:
    number = account.number
    for hour in range(4):
        when = start + timedelta(days=1, hours=hour)
        flow_line = (
            f"2 {number} {account.things.interface[0]} 10.0.0.5 10.0.0.9 443 49152 6 10 840 ACCEPT OK\n"
        )
        flow = (
            f"{number}_vpcflowlogs_{HOME_REGION}_fl-0{dice.hex(16)}_{when:%Y%m%dT%H%MZ}_{dice.hex(8)}.log.gz"
        )
        content = gzipped(("version account-id interface-id\n" + flow_line * 20).encode())
        yield FOREIGN, f"AWSLogs/{number}/vpcflowlogs/{HOME_REGION}/{when:%Y/%m/%d}/{flow}", content
        hive = f"AWSLogs/aws-account-id={number}/aws-service=vpcflowlogs/aws-region={HOME_REGION}"
        yield FOREIGN, f"{hive}/year={when:%Y}/month={when:%m}/day={when:%d}/hour={when:%H}/{flow}", content
    yield (
        FOREIGN,
        f"AWSLogs/{number}/ELBAccessLogTestFile",
        b"Enable AccessLog for ELB: public at 2026-03-02T00:00:00.000Z",
    )
    balancer = f"{number}_elasticloadbalancing_{HOME_REGION}_app.public.{dice.hex(16)}"
    balancer += f"_{start:%Y%m%dT%H%MZ}_10.0.0.1_{dice.text(8)}.log.gz"
    line = "https 2026-03-02T00:00:01.186641Z app/public/50dc6c49 192.0.2.39:2817 10.0.0.1:80\n"
    folder = f"AWSLogs/{number}/elasticloadbalancing/{HOME_REGION}/{start:%Y/%m/%d}"
    yield FOREIGN, f"{folder}/{balancer}", gzipped(line.encode() * 9)


def _security_logs(account: Account, start: datetime, dice: Dice) -> Iterator[tuple[str, str, bytes]]:
    number = account.number
    finding = {
        "schemaVersion": "2.0",
        "accountId": number,
        "region": HOME_REGION,
        "type": "Recon:EC2/Portscan",
    }
    lines = "".join(json.dumps(finding | {"id": dice.hex(32)}) + "\n" for _ in range(5))
    folder = f"AWSLogs/{number}/GuardDuty/{HOME_REGION}/{start:%Y/%m/%d}"
    yield FOREIGN, f"{folder}/{dice.uuid()}.jsonl.gz", gzipped(lines.encode())
    waf = f"AWSLogs/{number}/WAFLogs/{HOME_REGION}/public/{start:%Y/%m/%d/%H}/00"
    content = gzipped(b'{"timestamp":1772409600000,"formatVersion":1,"action":"BLOCK"}\n')
    yield (
        FOREIGN,
        f"{waf}/{number}_waflogs_{HOME_REGION}_public_{start:%Y%m%dT%H%MZ}_{dice.hex(8)}.log.gz",
        content,
    )


class DigestChain:
    """Hourly digests of one account and region; each names its hour's log files and the digest before it.

    The signatures are random: they show the shape and verify nothing.
    """

    def __init__(self, account: Account, root: str, start: datetime, seed: int) -> None:
        self._account = account
        self._root = root
        self._end = start + timedelta(hours=1)
        self._dice = Dice(f"{seed}:digests")
        self._files: list[dict[str, str]] = []
        self._previous: dict[str, str | None] = dict.fromkeys(
            (
                "previousDigestS3Bucket",
                "previousDigestS3Object",
                "previousDigestHashValue",
                "previousDigestHashAlgorithm",
                "previousDigestSignature",
            )
        )

    def add(self, place: Place, sha256: str, oldest: datetime) -> None:
        """Take a delivered file in, when it belongs here."""
        if (place.root, place.account, place.region) != (self._root, self._account.number, HOME_REGION):
            return
        self._files.append(
            {
                "s3Bucket": "bucket",
                "s3Object": place.key,
                "hashValue": sha256,
                "hashAlgorithm": "SHA-256",
                "newestEventTime": f"{place.stamp:%Y-%m-%dT%H:%M:%SZ}",
                "oldestEventTime": f"{oldest:%Y-%m-%dT%H:%M:%SZ}",
            }
        )

    def due(self, now: datetime) -> Iterator[tuple[str, str, bytes]]:
        """Yield the digests of the hours that are over."""
        while self._end <= now:
            yield self._digest()
            self._end += timedelta(hours=1)

    def _digest(self) -> tuple[str, str, bytes]:
        number, end = self._account.number, self._end
        name = f"{number}_{DIGEST}_{HOME_REGION}_{_TRAIL}_{HOME_REGION}_{end:%Y%m%dT%H%M%SZ}.json.gz"
        key = f"{self._root}/{number}/{DIGEST}/{HOME_REGION}/{end:%Y/%m/%d}/{name}"
        content = json.dumps(
            {
                "awsAccountId": number,
                "digestStartTime": f"{end - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
                "digestEndTime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
                "digestS3Bucket": "bucket",
                "digestS3Object": key,
                "newestEventTime": max((f["newestEventTime"] for f in self._files), default=None),
                "oldestEventTime": min((f["oldestEventTime"] for f in self._files), default=None),
                "digestPublicKeyFingerprint": "31e8b5433410dfb61a9dc45cc65b22ff",
                "digestSignatureAlgorithm": "SHA256withRSA",
                **self._previous,
                "logFiles": self._files,
            },
            separators=(",", ":"),
        ).encode()
        self._previous = {
            "previousDigestS3Bucket": "bucket",
            "previousDigestS3Object": key,
            "previousDigestHashValue": hashlib.sha256(content).hexdigest(),
            "previousDigestHashAlgorithm": "SHA-256",
            "previousDigestSignature": self._dice.hex(512),
        }
        self._files = []
        return DIGEST, key, gzipped(content)
