"""The key grammar of delivered logs: parse, format, and classify any key, failing on none.

    [prefix/]AWSLogs/[o-id/]ACCOUNT/KIND/REGION/YYYY/MM/DD/ACCOUNT_KIND_REGION_YYYYMMDDTHHmmZ_UNIQUE.json.gz

Digest files carry a trail and its home region instead of the unique part, and seconds. The folder decides
account, kind, region and day; the file name may disagree with it, because copies get renamed. A region is
any text: new ones appear without notice. Where a key says nothing the content must decide (`Unknown`), so a
key counts as `Foreign` only when no CloudTrail file can hide behind it.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache


class Kind(StrEnum):
    """The five things that CloudTrail delivers, by the name of their folder."""

    CLOUDTRAIL = "CloudTrail"
    INSIGHT = "CloudTrail-Insight"
    NETWORKACTIVITY = "CloudTrail-NetworkActivity"
    AGGREGATED = "CloudTrail-Aggregated"
    DIGEST = "CloudTrail-Digest"


@dataclass(frozen=True, slots=True)
class LogKey:
    """A key in the shape in which CloudTrail delivers.

    Attributes:
        root: path of the folder that holds the account folders, `prefix/AWSLogs/o-abc`; no trailing slash.
        account: twelve digits, the folder's.
        kind: which of the five deliveries.
        region: the folder's, any text.
        year: four digits; with month and day the folder's, in UTC: the day of delivery.
        month: two digits.
        day: two digits.
        stamp: `20230710T1230Z` as in the file name (UTC), digests with seconds; empty in a renamed file.
        unique: the random part, or "" ; in a file name without a stamp all that stands before the suffix.
        trail: the trail's name; digests only.
        home_region: the trail's home region; digests only.
        suffix: `.json.gz`, `.json`, ...
    """

    root: str
    account: str
    kind: Kind
    region: str
    year: str
    month: str
    day: str
    stamp: str
    unique: str = ""
    trail: str = ""
    home_region: str = ""
    suffix: str = ".json.gz"

    @property
    def name(self) -> str:
        """File name as CloudTrail would write it; for a renamed file without a stamp, its own."""
        if not self.stamp:
            return f"{self.unique}{self.suffix}"
        trail = f"{self.trail}_{self.home_region}_" if self.trail or self.home_region else ""
        unique = f"_{self.unique}" if self.unique else ""
        return f"{_opening(self.account, self.kind, self.region)}{trail}{self.stamp}{unique}{self.suffix}"


@dataclass(frozen=True, slots=True)
class Folder:
    """A key that only marks a folder (`.../CloudTrail/`)."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A log of another AWS service.

    Attributes:
        service: its name as AWS writes it in keys (`Config`, `vpcflowlogs`), or `S3 access`.
    """

    service: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A key that says nothing certain: the content decides."""


Classified = LogKey | Folder | Foreign | Unknown

_SUFFIX = re.compile(r"(?:\.(?:json|jsonl|ndjson)(?:\.gz)?|\.gz)(?:#[0-9]+)?\Z", re.IGNORECASE)
_LINES = re.compile(r"\.(?:log|txt|csv|parquet)\.gz\Z", re.IGNORECASE)
_STAMP = re.compile(r"[0-9]{8}T[0-9]{4}(?:[0-9]{2})?Z")
_ACCOUNT = re.compile(r"(?:\A|!)([0-9]{12})\Z")
_ORGANIZATION = re.compile(r"o-[a-z0-9]{6,40}\Z")
_REGION = re.compile(r"[a-z]{2,12}(?:[-_][a-z]{1,20}){1,4}[-_][0-9]{1,2}[a-z]?\Z")
_SERVICE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,60}\Z")
_S3_ACCESS = re.compile(r"[0-9]{4}(?:-[0-9]{2}){5}-[0-9A-F]{16}\Z")
_CLOUDFRONT = re.compile(r"E[A-Z0-9]{9,15}\.[0-9]{4}(?:-[0-9]{2}){3}\.[0-9a-f]{8}\.(?:gz|parquet)\Z")
_FILE_OF_SERVICE = re.compile(r"[0-9]{12}_([A-Za-z0-9-]{1,60})_")

_KINDS = {kind.value: kind for kind in Kind}
_SERVICES = {
    service.lower(): service
    for service in (
        "BedrockModelInvocationLogs",
        "ClientVPN",
        "CloudFront",
        "Config",
        "elasticloadbalancing",
        "globalaccelerator",
        "GuardDuty",
        "Inspector",
        "network-firewall",
        "redshift",
        "S3AccessLogs",
        "verifiedaccess",
        "vpcdnsquerylogs",
        "vpcflowlogs",
        "VPNLogs",
        "WAFLogs",
    )
}
_MARKERS = {"ConfigWritabilityCheckFile": "Config", "ELBAccessLogTestFile": "elasticloadbalancing"}
_FOLDER_ENDINGS = ("/", "_$folder$")
_DEPTH = 7  # account, kind, region, year, month, day, file name


def classify(key: str) -> Classified:
    """Say what a key is.

    Args:
        key: an object's key in a bucket or path below a source, `/` between its parts; any text at all.

    Returns:
        The parsed key, or what else it is. Never raises.
    """
    if key.endswith(_FOLDER_ENDINGS):
        return Folder()
    parts = key.rsplit("/", _DEPTH)
    log = _log_key(parts) if len(parts) >= _DEPTH else None
    return log or _stranger(key)


def format_key(log: LogKey) -> str:
    """Write a key as CloudTrail does; `classify` reads back what this wrote.

    Args:
        log: the parts.

    Returns:
        The whole key, without a leading slash unless the root has one.
    """
    folder = f"{log.account}/{log.kind}/{log.region}/{log.year}/{log.month}/{log.day}/{log.name}"
    return f"{log.root}/{folder}" if log.root else folder


def _opening(account: str, kind: Kind, region: str) -> str:
    return f"{account}_{kind}_{region}_"


def _log_key(parts: list[str]) -> LogKey | None:
    folder, kind_name, region, year, month, day, name = parts[-_DEPTH:]
    kind = _KINDS.get(kind_name)
    account = _ACCOUNT.search(folder)
    if kind is None or account is None or not region or not _is_day(year, month, day):
        return None
    suffix = _SUFFIX.search(name)
    if suffix is None or name.startswith((".", "_")):  # hidden files: Athena skips them as well
        return None
    root = "/".join([*parts[:-_DEPTH], *filter(None, [folder[: account.start(1)]])])
    number = account.group(1)
    stem = name[: suffix.start()]
    read = _read_digest if kind is Kind.DIGEST else _read_log
    stamp, unique, trail, home = read(stem, _opening(number, kind, region))
    return LogKey(
        root, number, kind, region, year, month, day, stamp, unique, trail, home, suffix=suffix.group()
    )


@lru_cache(maxsize=4096)
def _is_day(year: str, month: str, day: str) -> bool:
    text = f"{year}-{month}-{day}"
    if (len(year), len(month), len(day)) != (4, 2, 2) or not text.isascii():
        return False
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return text.replace("-", "").isdigit()  # int() also takes "+7" and " 7"


def _read_log(stem: str, opening: str) -> tuple[str, str, str, str]:
    start = len(opening) if stem.startswith(opening) else 0
    stamp = _STAMP.match(stem, start) or _STAMP.search(stem)
    if stamp is None:
        return "", stem, "", ""
    # AWS's own example lacks the underscore before the random part.
    return stamp.group(), stem[stamp.end() :].removeprefix("_"), "", ""


def _read_digest(stem: str, opening: str) -> tuple[str, str, str, str]:
    elsewhere = stem.partition(f"_{Kind.DIGEST}_")[2].partition("_")[2]
    rest = stem[len(opening) :] if stem.startswith(opening) else elsewhere
    # Trail names may hold underscores, regions and stamps never do: read from the end.
    *trail, stamp = rest.rsplit("_", 2)
    if not _STAMP.fullmatch(stamp):
        return "", stem, "", ""
    name, home = [*trail, "", ""][:2]
    return stamp, "", name, home


def _stranger(key: str) -> Foreign | Unknown:
    name = key.rpartition("/")[2]
    if "cloudtrail" in key.lower():  # renamed, but perhaps one of ours after all
        return _other_service_beside_trail(key)
    return _foreign_by_name(name) or _foreign_by_folder(key.split("/")) or Unknown()


def _other_service_beside_trail(key: str) -> Foreign | Unknown:
    """Bucket or prefix may be called "cloudtrail" while the key is another service's."""
    parts = key.split("/")
    at = next((n for n, part in enumerate(parts) if _ACCOUNT.search(part)), len(parts))
    if "cloudtrail" in "/".join(parts[at + 1 :]).lower() or at == len(parts):
        return Unknown()
    return _foreign_by_name(parts[-1]) or _foreign_by_folder(parts) or Unknown()


def _foreign_by_name(name: str) -> Foreign | None:
    if name in _MARKERS:
        return Foreign(_MARKERS[name])
    if _S3_ACCESS.match(name):
        return Foreign("S3 access")
    if _CLOUDFRONT.match(name):
        return Foreign("CloudFront")
    file = _FILE_OF_SERVICE.match(name)
    service = _SERVICES.get(file.group(1).lower()) if file else None
    return Foreign(service) if service else None


def _foreign_by_folder(parts: list[str]) -> Foreign | None:
    """The service's folder lies in the account's; a name we never heard of counts below AWSLogs only."""
    for at in range(len(parts) - 2):
        if _ACCOUNT.search(parts[at].removeprefix("aws-account-id=")):
            service = parts[at + 1].removeprefix("aws-service=")
            known = _SERVICES.get(service.lower())
            if known:
                return Foreign(known)
            if _below_awslogs(parts, at) and _may_be_service(service, parts[-1]):
                return Foreign(service)
    return None


def _below_awslogs(parts: list[str], at: int) -> bool:
    above = parts[:at]
    if above and _ORGANIZATION.match(above[-1]):
        above.pop()
    return bool(above) and above[-1].rpartition("!")[2] == "AWSLogs"


def _may_be_service(folder: str, name: str) -> bool:
    # JSON in a folder of an unheard-of name may be somebody's renamed CloudTrail: its content decides.
    if not _SERVICE.match(folder) or _REGION.match(folder):
        return False
    return bool(_LINES.search(name)) or not _SUFFIX.search(name)
