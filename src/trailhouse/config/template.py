"""The commented configuration that `trailhouse init` writes."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from trailhouse.config.settings import SETTINGS, right
from trailhouse.core.times import format_duration

_WIDTH = 100
_GROUPS = {
    "Where the logs are": ("sources", "s3_bucket_containing_logs", "cloudtrail_prefix", "endpoint_url"),
    "What answers": (
        "engine",
        "workgroup",
        "database",
        "table_prefix",
        "output_s3_bucket",
        "max_scan",
        "price_per_tb",
        "trino_url",
        "trino_catalog",
        "trino_user",
    ),
    "Tables and lake in AWS": ("tables", "partitions", "partition_days", "lake", "retention_days"),
    "Access": ("profile", "role_arn", "external_id", "region"),
    "On this machine": ("workdir", "jobs", "late"),
    "The nightly run": (
        "alarm_sns_arn",
        "stack",
        "schedule",
        "architecture",
        "memory_mb",
        "log_retention_days",
        "permissions_boundary",
        "tags",
        "log_keys",
        "output_key",
        "catalog_keys",
        "stack_key",
        "workgroup_limit",
        "termination_protection",
        "keep",
    ),
}


@dataclass(frozen=True, slots=True)
class Findings:
    """What `trailhouse init` saw, to be written down.

    Attributes:
        sources: addresses of the sources as given.
        bucket: the bucket, when there is one source in S3.
        prefix: what stands before /AWSLogs there.
        accounts, regions, kinds: what the keys name.
        first_day, last_day: span of the keys, `2023-07-10`; empty when unknown.
        region: the bucket's region, None when unknown.
    """

    sources: Sequence[str] = ()
    bucket: str | None = None
    prefix: str = ""
    accounts: Sequence[str] = ()
    regions: Sequence[str] = ()
    kinds: Sequence[str] = ()
    first_day: str = ""
    last_day: str = ""
    region: str | None = None


def render_config(findings: Findings) -> str:
    """Return a configuration that loads without faults: what was found is set, the rest is commented."""
    values = {
        "sources": None if findings.bucket else list(findings.sources),
        "s3_bucket_containing_logs": findings.bucket,
        "cloudtrail_prefix": findings.prefix if findings.bucket else None,
        "region": findings.region,
    }
    lines = [
        "# Configuration of trailhouse. Every key is explained in docs/configuration.md.",
        *_seen(findings),
    ]
    for title, keys in _GROUPS.items():
        lines += ["", f"# --- {title} ---"]
        for key in keys:
            lines += ["", *_entry(key, values.get(key))]
    return "\n".join(lines) + "\n"


def _seen(findings: Findings) -> Iterator[str]:
    facts = {
        "accounts": findings.accounts,
        "regions": findings.regions,
        "kinds": findings.kinds,
    }
    for name, found in facts.items():
        if found:
            yield from _comment(f"Found {len(found)} {name}: {', '.join(map(_harmless, found))}")
    if findings.first_day:
        yield from _comment(f"Found days {_harmless(findings.first_day)} to {_harmless(findings.last_day)}.")


def _entry(key: str, value: Any) -> Iterator[str]:  # noqa: ANN401 - any setting's value
    yield from _comment(SETTINGS[key].description or "")
    if value is not None and value != []:
        yield f"{key}: {_scalar(value)}" if not isinstance(value, list) else f"{key}:"
        yield from (f"  - {_scalar(item)}" for item in value if isinstance(value, list))
        return
    default = default_text(key)
    if default:
        yield f"# {key}: {default}"
    else:
        yield from _comment(f"{key}: ({right(key)})")


def default_text(key: str) -> str:
    """Return the default of `key` as the file would say it, empty when it has none."""
    default = SETTINGS[key].default
    if default is None or default in ((), {}):
        return ""
    if isinstance(default, tuple):
        return f"[{', '.join(default)}]"
    if key == "late":
        return format_duration(default)
    return '""' if default == "" else str(default)


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ")


def _scalar(value: Any) -> str:  # noqa: ANN401 - text or number
    return _quoted(value) if isinstance(value, str) else str(value)


def _quoted(text: str) -> str:
    # Keys of a bucket are hostile: what cannot be seen is escaped as YAML's double quotes allow.
    return '"' + "".join(each if _plain(each) else f"\\U{ord(each):08x}" for each in text) + '"'


def _plain(character: str) -> bool:
    return character.isprintable() and character not in '"\\'


def _harmless(text: str) -> str:
    return text if text.isprintable() else _quoted(text)
