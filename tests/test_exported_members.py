"""What `import trailhouse` gives."""

import subprocess
import sys

import trailhouse


def test_exported_members() -> None:
    assert trailhouse.__all__ == [
        "Remote", "Result", "Trailhouse", "TrailhouseError", "__version__", "connect", "open"
    ]  # fmt: skip
    assert [name for name in trailhouse.__all__ if not hasattr(trailhouse, name)] == []
    assert not hasattr(trailhouse, "nothing")


def test_importing_it_is_light() -> None:
    heavy = "[m for m in ('duckdb', 'pyarrow', 'numpy', 'boto3', 'pydantic', 'sqlglot', 'rich') if m in sys.modules]"
    for module in ("trailhouse", "trailhouse.cli"):
        code = f"import sys, {module}; print({heavy})"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "[]\n", module
