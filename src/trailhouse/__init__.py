"""trailhouse: all your CloudTrail, queryable and provable: in your own S3 with Athena, or on your laptop."""

from typing import TYPE_CHECKING, Any

from trailhouse.errors import TrailhouseError

if TYPE_CHECKING:
    from trailhouse.answer import Result
    from trailhouse.session import Trailhouse
    from trailhouse.session import open_house as open  # noqa: A004 - read as `trailhouse.open`

__version__ = "0.1.0"
__all__ = ["Result", "Trailhouse", "TrailhouseError", "__version__", "open"]

_LATE = {"open": "open_house", "Result": "Result", "Trailhouse": "Trailhouse"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - what the session holds
    """Load the session with its libraries only when it is used."""
    if name not in _LATE:
        raise AttributeError(f"module 'trailhouse' has no attribute {name!r}")
    from trailhouse import session  # noqa: PLC0415 - a second of imports that `version` does without

    return getattr(session, _LATE[name])
