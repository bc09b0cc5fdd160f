"""trailhouse: all your CloudTrail, queryable and provable: in your own S3 with Athena, or on your laptop."""

from typing import TYPE_CHECKING, Any

from trailhouse.errors import TrailhouseError

if TYPE_CHECKING:
    from trailhouse.answer import Result
    from trailhouse.connection import connect
    from trailhouse.remote import Remote
    from trailhouse.session import Trailhouse
    from trailhouse.session import open_house as open  # noqa: A004 - read as `trailhouse.open`

__version__ = "0.1.0"
__all__ = ["Remote", "Result", "Trailhouse", "TrailhouseError", "__version__", "connect", "open"]

_LATE = {
    "Remote": ("remote", "Remote"),
    "Result": ("answer", "Result"),
    "Trailhouse": ("session", "Trailhouse"),
    "connect": ("connection", "connect"),
    "open": ("session", "open_house"),
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - what the session holds
    """Load the session with its libraries only when it is used."""
    if name not in _LATE:
        raise AttributeError(f"module 'trailhouse' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - a second of imports that `version` does without

    module, known = _LATE[name]
    return getattr(import_module(f"trailhouse.{module}"), known)
