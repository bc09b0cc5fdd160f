"""What cdk.json calls: run the CDK app in .venv, which is made from the locked requirements when it is not there.

Any Python from 3.11 on will do; it uses the standard library only.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
OLDEST = (3, 11)
PIP = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def usable() -> bool:
    """Whether .venv has what the app needs."""
    if not PYTHON.exists():
        return False
    look = "import importlib.util as u, sys; sys.exit(not (u.find_spec('aws_cdk') and u.find_spec('trailhouse')))"
    return subprocess.run([PYTHON, "-c", look], check=False).returncode == 0


def make() -> None:
    """Make .venv, or complete one that was made for something else."""
    say(f"setting up {VENV.name} (once): the CDK and libraries at their locked versions; this takes a minute")
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    locked = ROOT / "requirements" / "deploy.txt"
    subprocess.run([PYTHON, *PIP, "--require-hashes", "-r", locked], check=True)
    subprocess.run([PYTHON, *PIP, "--no-deps", "--no-build-isolation", "--editable", ROOT], check=True)


def say(text: str) -> None:
    """Talk on standard error."""
    print(f"trailhouse: {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Run the app; its exit code."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:2]))
        say(
            f"python3 is {found} here, and {'.'.join(map(str, OLDEST))} or newer is needed: "
            "put such a one first on the path"
        )
        return 1
    if not usable():
        try:
            make()
        except subprocess.CalledProcessError as error:
            say(f"setting up {VENV.name} failed (exit {error.returncode}); what pip said stands above")
            return 1
    return subprocess.run([PYTHON, "-m", "trailhouse.deploy.stack.app"], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
