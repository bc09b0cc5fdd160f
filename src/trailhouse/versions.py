"""The versions that an answer depends on."""

import platform
from importlib.metadata import version

_DISTRIBUTIONS = ("trailhouse", "duckdb", "pyarrow", "pyiceberg", "sqlglot", "msgspec", "deflate")


def versions() -> dict[str, str]:
    """Name and version of trailhouse, Python, the platform and the libraries that compute answers."""
    found = {name: version(name) for name in _DISTRIBUTIONS}
    return found | {"python": platform.python_version(), "platform": platform.platform()}
