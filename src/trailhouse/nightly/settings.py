"""What the deployed run needs of the configuration: a file of JSON beside the code, read with nothing installed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from trailhouse.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class NightlySource:
    """One source of logs in S3, with the access that is its own; see `config.settings.Source`."""

    uri: str
    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    expected_bucket_owner: str | None = None
    requester_pays: bool = False


@dataclass(frozen=True, slots=True)
class NightlySettings:
    """The settings of the run; each means what `config.settings.Settings` says of it.

    It fits `catalog.opening.CatalogSettings`. `role_arn` and `profile` are how people get at AWS; the deployed
    run is somebody already and leaves them out, unless it is to assume a role.

    Attributes:
        sources: at least one, all in S3.
    """

    sources: tuple[NightlySource, ...]
    database: str = "default"
    table_prefix: str = "cloudtrail"
    tables: str = "auto"
    partitions: str = "registered"
    partition_days: int = 90
    endpoint_url: str | None = None
    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    region: str | None = None
    architecture: str = "arm64"

    def log_sources(self) -> tuple[NightlySource, ...]:
        """The sources to read. Raises ConfigError when there are none."""
        if not self.sources:
            raise ConfigError("no source is given: name one in `sources:` and deploy again")
        return self.sources

    def to_json(self) -> str:
        """As JSON, the same text for the same settings."""
        return json.dumps(asdict(self), sort_keys=True, indent=1) + "\n"

    def digest(self) -> str:
        """SHA-256 of that, hexadecimal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def sources_digest(self) -> str:
        """SHA-256 of where the sources lie, hexadecimal; neither their order nor the access to them counts."""
        places = sorted({(one.uri, one.endpoint_url or self.endpoint_url or "") for one in self.sources})
        return hashlib.sha256(json.dumps(places).encode()).hexdigest()


def from_json(text: str | bytes, name: str) -> NightlySettings:
    """What `to_json` wrote; members that are not known are an error, as a setting must not be lost.

    Args:
        text: the file's content.
        name: the file's, for messages.

    Raises:
        ConfigError: it is no such file.
    """
    try:
        raw = json.loads(text)
        sources = tuple(NightlySource(**_known(NightlySource, one)) for one in raw.pop("sources"))
        return NightlySettings(sources, **_known(NightlySettings, raw))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"{name} is no configuration of a nightly run ({error}): deploy again") from error


def _known(kind: type[NightlySettings | NightlySource], raw: Mapping[str, Any]) -> Mapping[str, Any]:
    unknown = sorted(raw.keys() - {one.name for one in fields(kind)})
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}")
    return raw
