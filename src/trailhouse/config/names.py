"""Checks of names as AWS makes them. Each returns its value or raises ValueError with what is wrong."""

import re
from ipaddress import IPv4Address
from urllib.parse import urlsplit

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?", re.ASCII)
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d{1,2}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_WORKGROUP = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_DATABASE = re.compile(r"[a-z0-9_]{1,255}", re.ASCII)
_PREFIX = re.compile(r"[a-z_][a-z0-9_]{0,127}", re.ASCII)
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)

PLACEHOLDERS = {
    "s3_bucket_containing_logs": "MYBUCKET",
    "alarm_sns_arn": "arn:aws:sns:us-east-1:000000000000:myalarm",
}
"""What the predecessor's shipped file says until somebody edits it."""


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


def topic_arn(value: str) -> str:
    """Return the ARN of an SNS topic in any partition."""
    return _matching(_TOPIC, value, "it is no ARN of an SNS topic")


def role_arn(value: str) -> str:
    """Return the ARN of an IAM role in any partition."""
    return _matching(_ROLE, value, "it is no ARN of an IAM role")


def external_id(value: str) -> str:
    """Return an external id as STS takes it."""
    return _matching(_EXTERNAL_ID, value, "external ids are 2 to 1224 letters, digits and _+=,.@:/-")


def account(value: str) -> str:
    """Return an account id."""
    return _matching(_ACCOUNT, value, "account ids have 12 digits")


def region(value: str) -> str:
    """Return a region's name; any region, also those that no list knows yet."""
    return _matching(_REGION, value, "that is not the shape of a region's name")


def workgroup(value: str) -> str:
    """Return the name of an Athena workgroup."""
    return _matching(_WORKGROUP, value, "workgroups are up to 128 of A-Z, a-z, 0-9, dot, dash and _")


def database(value: str) -> str:
    """Return a database's name that Athena can query."""
    return _matching(_DATABASE, value, "Athena fails on names with anything but a-z, 0-9 and _")


def table_prefix(value: str) -> str:
    """Return a table's name that can stand in a query without quotes."""
    return _matching(
        _PREFIX, value, "Athena fails on names with anything but a-z, 0-9 and _, or a leading digit"
    )


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


def _matching(pattern: re.Pattern[str], value: str, fault: str) -> str:
    if not pattern.fullmatch(value):
        raise ValueError(fault)
    return value


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
