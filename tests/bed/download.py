"""Trino's server, fetched once with Maven into a cache that outlives checkouts.

python tests/bed/download.py     # fetch it now; exit code 3 and the reason if that cannot be done here
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import platformdirs
from filelock import FileLock

VERSION = "476"  # the newest whose server is on Maven Central in one piece
# Name, kind, bytes, SHA-256.
ARTIFACTS = (
    (
        "trino-server-core",
        "tar.gz",
        194358953,
        "0f388f9967c177ae70a47c099082fc95387f0c3cb96d8000d1d41fc3a5223158",
    ),
    ("trino-hive", "zip", 258326133, "611bacdb07d9f3cf7b9d47f97ecc76fa2e7ff8bfe8a9728c3d06adc1bfb8662e"),
    ("trino-iceberg", "zip", 345890737, "99edba5b491ed94d599aeb61e0794272d3569d8b563f3bb8569e8a49daa87b6c"),
)
# Read when this is imported: tests run in an environment without it.
CACHE = Path(os.environ.get("TRAILHOUSE_TEST_CACHE") or platformdirs.user_cache_dir("trailhouse-tests"))
CANNOT = 3


class Unavailable(Exception):  # noqa: N818 - a finding, not an error
    """There is no Trino here, and none can be fetched; the message says why."""


def server() -> Path:
    """The folder of the unpacked server; fetches it if needed, and says so."""
    folder = CACHE / f"trino-{VERSION}"
    if (folder / "lib").is_dir():
        return folder
    if shutil.which("mvn") is None:
        raise Unavailable(f"Maven (mvn) is not installed, and there is no Trino {VERSION} in {CACHE}")
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(CACHE / "trino.lock"):
        if not (folder / "lib").is_dir():
            _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    """Make the folder: whole, or not at all."""
    _say(f"fetching Trino {VERSION} with Maven, once: 800 MB, kept in {CACHE}")
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="fetching-") as made:
        unpacked = Path(made) / "server"
        for name, kind, size, digest in ARTIFACTS:
            archive = _download(Path(made), name, kind)
            _verify(archive, size, digest)
            _unpack(archive, unpacked, name.removeprefix("trino-"))
            archive.unlink()
        _link_twins(unpacked / "plugin")
        unpacked.rename(folder)
    _say(f"Trino {VERSION} is in {folder}")


def _download(into: Path, name: str, kind: str) -> Path:
    _say(f"  {name}-{VERSION}.{kind}")
    command = ["mvn", "-q", "-B", "-C", "dependency:copy", f"-Dartifact=io.trino:{name}:{VERSION}:{kind}"]
    done = subprocess.run(
        [*command, f"-DoutputDirectory={into}"], cwd=into, check=False, capture_output=True, text=True
    )
    archive = into / f"{name}-{VERSION}.{kind}"
    if done.returncode or not archive.exists():
        said = (done.stdout + done.stderr).strip().splitlines()[:3]
        raise Unavailable(f"Maven could not fetch {name} {VERSION}: {' '.join(said)}")
    return archive


def _verify(archive: Path, size: int, digest: str) -> None:
    with archive.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if archive.stat().st_size != size or found != digest:
        raise Unavailable(
            f"{archive.name} is not the file that is expected: {archive.stat().st_size} bytes, SHA-256 {found}"
        )


def _unpack(archive: Path, server: Path, name: str) -> None:
    """The server itself without its own plugins, or one plugin."""
    inside = server.with_name("unpacking")
    if archive.name.endswith(".zip"):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(inside)  # noqa: S202 - its hash is known
        target = server / "plugin" / name
        target.parent.mkdir(exist_ok=True)
    else:
        with tarfile.open(archive) as opened:
            opened.extractall(inside, filter="data")
        target = server
    [top] = inside.iterdir()
    top.rename(target)
    inside.rmdir()
    if target == server:
        shutil.rmtree(server / "plugin", ignore_errors=True)


def _link_twins(plugins: Path) -> None:
    """Both plugins carry many of the same jars: keep one of each."""
    seen: dict[tuple[str, int], Path] = {}
    for jar in sorted(plugins.rglob("*.jar")):
        first = seen.setdefault((jar.name, jar.stat().st_size), jar)
        if first is not jar:
            jar.unlink()
            os.link(first, jar)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        print(server())
    except Unavailable as reason:
        print(reason)
        sys.exit(CANNOT)
