"""What holds for every test: a clean environment, no network beyond this machine, and where the real corpus is."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["bed.fixtures"]
CORPUS = os.environ.get("TRAILHOUSE_CORPUS", "")
_LOCAL = ("127.0.0.1", "::1", "localhost")

# Time says nothing on a shared machine, and a failure must come again.
settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
# For interpreters beside the main one: what differs between them does not hide behind rare values.
settings.register_profile("few", settings.get_profile("house"), max_examples=15)
settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the real corpus where there is none; in CI its absence fails instead."""
    if CORPUS or os.environ.get("CI") == "true":
        return
    for item in items:
        if item.get_closest_marker("corpus"):
            item.add_marker(pytest.mark.skip(reason="TRAILHOUSE_CORPUS names no corpus of real deliveries"))


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing of the person who runs the tests: no credentials, no settings, no working data."""
    for name in [n for n in os.environ if n.startswith(("AWS_", "TRAILHOUSE_", "XDG_"))]:
        monkeypatch.delenv(name)
    for name in (
        "NO_COLOR",
        "DATABASE",
        "TABLE_PREFIX",
        "PARTITION_DAYS",
        "OUTPUT_S3_BUCKET",
        "CLOUDTRAIL_PREFIX",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRAILHOUSE_CORPUS", CORPUS)
    monkeypatch.setenv("XDG_DATA_HOME", os.fspath(tmp_path_factory.getbasetemp() / "user-data"))
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(autouse=True)
def _this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections to anywhere else."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:  # noqa: ANN401 - as the socket takes it
        if isinstance(address, tuple) and address[0] not in _LOCAL:
            raise ConnectionRefusedError(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The real corpus; tests that use it are marked `corpus`."""
    if not CORPUS:
        pytest.fail("TRAILHOUSE_CORPUS names no corpus of real deliveries")
    return Path(CORPUS)
