"""What a user may set: read from flags, environment and file, checked as a whole, explained when wrong."""

from trailhouse.config.load import ENVIRONMENT, discover, load
from trailhouse.config.settings import Origin, Settings, Source
from trailhouse.config.template import Findings, render_config

__all__ = [
    "ENVIRONMENT",
    "Findings",
    "Origin",
    "Settings",
    "Source",
    "discover",
    "load",
    "render_config",
]
