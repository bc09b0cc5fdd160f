"""Write the locked requirements anew: hashes for every file, no registry address."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE = [
    sys.executable, "-m", "uv", "pip", "compile", "--universal", "--python-version", "3.11",
    "--generate-hashes", "--no-emit-index-url", "--no-header", "--quiet",
]  # fmt: skip
LOCKS = {
    "run": ("pyproject.toml",),
    "deploy": ("pyproject.toml", "--group", "build", "--extra", "deploy"),
    "dev": ("pyproject.toml", "--group", "dev", "--extra", "df", "--extra", "deploy"),
    "unit": ("pyproject.toml", "--group", "build", "--group", "unit", "--extra", "df"),
    "cloud": ("--group", "pyproject.toml:cloud"),
    "scan": ("--group", "pyproject.toml:scan"),
}
"""For users of the library, for `cdk deploy` from a checkout, for developers, for tests on other interpreters; and each
an environment of its own."""


def main() -> None:
    """Compile one file for each use."""
    for name, wanted in LOCKS.items():
        target = ROOT / "requirements" / f"{name}.txt"
        subprocess.run([*COMPILE, *wanted, "--output-file", str(target), *sys.argv[1:]], cwd=ROOT, check=True)
        print(f"wrote requirements/{name}.txt")


if __name__ == "__main__":
    main()
