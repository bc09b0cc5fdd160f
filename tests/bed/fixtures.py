"""Fixtures of the bed, for every test: `aws`, `cloud`, `trino` and what goes with them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from moto.server import ThreadedMotoServer

from bed import elsewhere
from bed.aws import Aws
from bed.cloud import Cloud
from bed.cloud import Unavailable as NoCloud
from bed.download import Unavailable, server
from bed.glue import StrictGlue
from bed.trino import Trino

if TYPE_CHECKING:
    from collections.abc import Iterator

DEMO_EVENTS = 20_000


@pytest.fixture
def strict_glue() -> StrictGlue:
    """An empty catalog; `attach` it to a session, or `serve` it."""
    return StrictGlue()


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """A fresh AWS account on 127.0.0.1 for a module's tests."""
    with Aws() as started:
        started.restart()
        yield started


@pytest.fixture
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A fresh AWS account that can be deployed to; marked `cdk`. It starts in a second."""
    try:
        with Cloud(tmp_path_factory.mktemp("cloud")) as started:
            yield started
    except NoCloud as reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of moto alone on 127.0.0.1, for a module's tests that need nothing stricter; it starts empty."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    elsewhere.forget()  # what it holds is the process's, whichever server is asked
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of nobody in the environment, a region, and no second tries."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def trino(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trino]:
    """A real Trino with an AWS of its own, `trino.aws`, for the whole session; marked `trino`."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        pytest.fail("one Trino a session: run tests marked `trino` without -n")
    try:
        server()
    except Unavailable as reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
    with Aws() as account, Trino(account, tmp_path_factory.mktemp("trino")) as started:
        print(f"Trino answered after {started.began:.0f} s")
        yield started


@pytest.fixture(scope="session")
def trail_logs(trino: Trino, corpus: Path) -> str:
    """The bucket with the real corpus, as Trino sees it; tests that use it are marked `corpus`, too."""
    return trino.load("trail-logs", corpus, "AWSLogs/**/*")


@pytest.fixture(scope="session")
def demo_logs(trino: Trino, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated organization in the bucket `demo-logs`; the folder given has `bucket/` and `truth.json`."""
    folder = tmp_path_factory.mktemp("demo") / "organization"
    command = [
        Path(sys.executable).with_name("trailhouse"),
        "demo",
        str(folder),
        "--events",
        str(DEMO_EVENTS),
    ]
    subprocess.run(command, check=True, capture_output=True)
    trino.load("demo-logs", folder / "bucket")
    return folder
