"""Write the locked requirements anew: hashes for every file, no registry address."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE = [
    sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11",
    "--generate-hashes", "--no-emit-index-url", "--no-header", "--quiet",
]  # fmt: skip


def main() -> None:
    """Compile one file for users of the library and one for its developers."""
    for name, extra in (("run", []), ("dev", ["--group", "dev", "--extra", "df"])):
        target = ROOT / "requirements" / f"{name}.txt"
        subprocess.run([*COMPILE, *extra, "--output-file", str(target), *sys.argv[1:]], cwd=ROOT, check=True)
        print(f"wrote requirements/{name}.txt")


if __name__ == "__main__":
    main()
