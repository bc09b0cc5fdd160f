"""The bed decides without the product: it never imports it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ORACLES = ("oracle.py", "deliveries.py", "aws/iam.py", "predecessor/tables.py")
APART = sorted([*Path(__file__).parent.glob("*.py"), *(TESTS / name for name in ORACLES)])


def imported(path: Path) -> set[str]:
    """Top names of all that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("path", APART, ids=lambda path: path.name)
def test_bed_and_oracles_never_import_the_product(path: Path) -> None:
    assert "trailhouse" not in imported(path)


def test_imports_are_seen_wherever_they_are(tmp_path: Path) -> None:
    inner = tmp_path / "inner.py"
    inner.write_text("def f():\n    from trailhouse.core import layout\n    import a.b\n")
    assert imported(inner) == {"trailhouse", "a"}
