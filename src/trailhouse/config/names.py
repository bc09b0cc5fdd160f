"""Checks of names as AWS makes them. Each returns its value or raises ValueError with what is wrong."""

import re
from collections.abc import Callable
from ipaddress import IPv4Address
from urllib.parse import urlsplit

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)

_MOST_TAGS, _TAG_KEY, _TAG_VALUE = 50, 128, 256

PLACEHOLDERS = {
    "s3_bucket_containing_logs": "MYBUCKET",
    "alarm_sns_arn": "arn:aws:sns:us-east-1:000000000000:myalarm",
}
"""What the predecessor's shipped file says until somebody edits it."""


def _shaped(shape: str, fault: str) -> Callable[[str], str]:
    """Return the check of names that have one shape, in ASCII."""
    pattern = re.compile(shape, re.ASCII)

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(fault)
        return value

    return check


topic_arn = _shaped(
    r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?", "it is no ARN of an SNS topic"
)
role_arn = _shaped(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}", "it is no ARN of an IAM role")
policy_arn = _shaped(
    r"arn:aws[a-z-]*:iam::(\d{12}|aws):policy/[\w+=,.@/-]{1,512}", "it is no ARN of an IAM policy"
)
key_arn = _shaped(
    r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]{1,128}",
    "it is no ARN of a KMS key (aliases are none)",
)
stack = _shaped(r"[A-Za-z][A-Za-z0-9-]{0,27}", "it is not 1 to 28 letters, digits and dashes, a letter first")
schedule = _shaped(
    r"(cron\([A-Za-z0-9*?,/#L -]{11,100}\)|rate\([1-9][0-9]* (hours?|days?)\))",
    "it is neither cron(...) with six fields nor rate(N hours)",
)
external_id = _shaped(r"[\w+=,.@:/-]{2,1224}", "external ids are 2 to 1224 letters, digits and _+=,.@:/-")
account = _shaped(r"\d{12}", "account ids have 12 digits")
workgroup = _shaped(r"[A-Za-z0-9._-]{1,128}", "workgroups are up to 128 of A-Z, a-z, 0-9, dot, dash and _")
# Any region passes, also those that no list knows yet.
region = _shaped(r"[a-z]{2,}(-[a-z]+)+-\d{1,2}", "that is not the shape of a region's name")
# Glue takes more; Athena's queries do not.
database = _shaped(r"[a-z0-9_]{1,255}", "Athena fails on names with anything but a-z, 0-9 and _")
table_prefix = _shaped(
    r"[a-z_][a-z0-9_]{0,127}",
    "Athena fails on names with anything but a-z, 0-9 and _, or a leading digit",
)


def bucket(value: str) -> str:
    """Return a bucket's name by the rules for general purpose buckets."""
    if not _BUCKET.fullmatch(value):
        raise ValueError("bucket names are 3 to 63 of a-z, 0-9, dot and dash, no s3:// and no path")
    if ".." in value or _is_address(value):
        raise ValueError("a bucket's name has no two dots in a row and is no IP address")
    return value


def bucket_or_placeholder(value: str) -> str:
    """Return a bucket's name, or the predecessor's placeholder: it is refused only when it is needed."""
    return value if value == PLACEHOLDERS["s3_bucket_containing_logs"] else bucket(value)


def bucket_or_default(value: str) -> str:
    """Return a bucket's name or the word `default`."""
    return value if value == "default" else bucket(value)


def tags(value: dict[str, str]) -> dict[str, str]:
    """Return tags as CloudFormation takes them: 50 at most, keys to 128 and values to 256 characters."""
    if len(value) > _MOST_TAGS:
        raise ValueError(f"there are more than {_MOST_TAGS}")
    for key, text in value.items():
        if not 1 <= len(_printable(key)) <= _TAG_KEY or key.lower().startswith("aws:"):
            raise ValueError(f"the key {key!r} is empty, longer than {_TAG_KEY} or begins with aws:")
        if len(_printable(text)) > _TAG_VALUE:
            raise ValueError(f"the value of {key!r} is longer than {_TAG_VALUE}")
    return value


def s3_uri(value: str) -> str:
    """Return `s3://bucket[/path]`, without a slash at the end."""
    scheme, _, rest = value.partition("://")
    if scheme != "s3":
        raise ValueError("it has to begin with s3://")
    bucket(rest.partition("/")[0])
    return _printable(value).rstrip("/")


def source_uri(value: str) -> str:
    """Return the address of a source: `s3://...`, `-`, or a path; an s3 bucket's name is checked."""
    scheme, separator, rest = value.partition("://")
    if separator and scheme != "s3":
        raise ValueError(f"{scheme}:// is no kind of source")
    if separator:
        bucket(rest.partition("/")[0])
    return _present(value)


def key_prefix(value: str) -> str:
    """Return the path before /AWSLogs without slashes around it; empty when there is none."""
    path = value.strip("/")
    if path.rpartition("/")[2] == "AWSLogs":
        raise ValueError("leave AWSLogs off: only what stands before it")
    return _printable(path)


def endpoint(value: str) -> str:
    """Return the address of an S3 compatible service."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("it has to begin with http:// or https:// and name a host")
    return _printable(value).rstrip("/")


def profile(value: str) -> str:
    """Return the name of a profile in the AWS configuration."""
    return _present(value)


def trino_name(value: str) -> str:
    """Return the name of a catalog or user of Trino's; it travels in a header."""
    if not value.isascii():
        raise ValueError("it has letters other than ASCII")
    return _present(value)


def _present(value: str) -> str:
    if not value.strip():
        raise ValueError("it is empty")
    return _printable(value)


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("it contains characters that cannot be seen")
    return value


def _is_address(value: str) -> bool:
    try:
        IPv4Address(value)
    except ValueError:
        return False
    return True
