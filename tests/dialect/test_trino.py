"""Every value of the conformance file, asked of a real Trino: the file says what Trino says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

    from bed.trino import Trino

pytestmark = [pytest.mark.trino, pytest.mark.timeout(900)]
SCRIPT = Path(__file__).with_name("trino_conformance.py")


def conformance() -> ModuleType:
    spec = importlib.util.spec_from_file_location("trino_conformance", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_value_is_trino_s(trino: Trino) -> None:
    script = conformance()
    facts = script.load()
    assert len(facts) > 700
    told = [script.ask(trino.url, fact["sql"]) for fact in facts]
    different = [
        {"file": fact, "server": answer} for fact, answer in zip(facts, told, strict=True) if fact != answer
    ]
    assert different == []
