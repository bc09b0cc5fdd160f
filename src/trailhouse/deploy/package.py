"""The package of the Lambda function: what its handler imports, and nothing else, always the same bytes.

It is made from the installed environment. The handler is really imported, in a process of its own that sees
no more than the standard library, trailhouse, and boto3 with what that needs: whatever else is installed here (faster
compression, other certificates) is as absent as it will be on AWS.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from trailhouse.core.operations import operations
from trailhouse.core.policy import USES, Role
from trailhouse.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

HANDLER = "trailhouse.nightly.handler"
"""Module of the function that Lambda calls."""

CONFIG, VERSIONS = "config.json", "versions.json"
"""Files at the top of the package: the settings of the run, and what is in the package."""

ZIPPED_LIMIT, UNZIPPED_LIMIT = 50 * 2**20, 250 * 2**20
"""Bytes of a package (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""

_OURS = "trailhouse"
_BASE = "boto3"
_COMPILED = (".so", ".pyd", ".dylib", ".dll")
_SHARED = ("endpoints.json", "partitions.json", "_retry.json", "sdk-default-configuration.json")
_REGIONS_OF = "cloudtrail"  # not called: botocore lists a service's regions by its model (catalog.opening)
_LICENCE = re.compile(r"(?i)(licen[cs]e|copying|notice|authors)")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16
_UNIX = 3
_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Package:
    """A package.

    Attributes:
        body: the zip file.
        files: names in it, sorted.
        unzipped: bytes of all files.
        versions: of each distribution in it, by name.
    """

    body: bytes
    files: tuple[str, ...]
    unzipped: int
    versions: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """Of the zip file, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


def build(config: str, *, handler: str = HANDLER) -> Package:
    """The package of a handler.

    Args:
        config: text of the settings of the run.
        handler: name of the module.

    Raises:
        DeploymentError: the handler cannot be imported, imports what is compiled, or all is too large.
    """
    closure = _closure(_BASE)
    tops = {top for each in closure.values() for top in each}
    modules = _imported(handler, tops)
    used = sorted(name for name, each in closure.items() if any(top in modules for top in each))
    versions = {name: metadata.version(name) for name in (*used, _OURS)}
    files = {
        CONFIG: config.encode(),
        VERSIONS: (json.dumps(versions, indent=1, sort_keys=True) + "\n").encode(),
        **dict(_modules(modules, tops)),
        **{name: body for each in used for name, body in _shipped(each)},
        **dict(_papers(_OURS)),
    }
    _check_complete(modules, files)
    package = Package(_zip(files), tuple(sorted(files)), sum(map(len, files.values())), versions)
    if len(package.body) > ZIPPED_LIMIT or package.unzipped > UNZIPPED_LIMIT:
        raise DeploymentError(
            f"the package for Lambda has {len(package.body):,} bytes, unzipped {package.unzipped:,}: "
            f"Lambda takes {ZIPPED_LIMIT:,} and {UNZIPPED_LIMIT:,}"
        )
    return package


def _closure(name: str) -> dict[str, tuple[str, ...]]:
    """A distribution and all that it needs, extras apart, each with its top modules."""
    tops: dict[str, set[str]] = {}
    for top, names in metadata.packages_distributions().items():
        for each in names:
            tops.setdefault(_normal(each), set()).add(top)
    found: dict[str, tuple[str, ...]] = {}
    ahead = [name]
    while ahead:
        each = _normal(ahead.pop())
        if each not in found and each in tops:
            found[each] = tuple(sorted(tops[each]))
            ahead += [
                needed[0]
                for text in metadata.requires(each) or ()
                if "extra ==" not in text and (needed := _NAME.match(text))
            ]
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


_IMPORT = """
import importlib, json, sys

class Only:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in allowed:
            raise ModuleNotFoundError(f"No module named {name!r} there", name=name)

handler, allowed, sys.path = json.loads(sys.stdin.read())
sys.meta_path.insert(0, Only())
importlib.import_module(handler)
print(json.dumps({name: getattr(module, "__file__", None) or "" for name, module in list(sys.modules.items())}))
"""


def _imported(handler: str, tops: Collection[str]) -> dict[str, str]:
    """The modules that importing the handler brings, and their files. Raises DeploymentError."""
    tops = [_OURS, handler.partition(".")[0], *tops]
    done = subprocess.run(  # noqa: S603 - our own interpreter, nothing of it from outside
        [sys.executable, "-I", "-S", "-c", _IMPORT],
        input=json.dumps([handler, tops, [path for path in sys.path if path]]),
        capture_output=True, text=True, check=False, timeout=_SECONDS,
    )  # fmt: skip
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no word"]
        importer = next(
            (line.strip() for line in reversed(lines) if "trailhouse" in line and "File" in line), ""
        )
        why = f"{lines[-1]} {importer}".strip()
        raise DeploymentError(f"the Lambda package: {handler} cannot be imported with what it may use: {why}")
    modules: dict[str, str] = json.loads(done.stdout)
    found = {name: file for name, file in modules.items() if name.partition(".")[0] in tops and file}
    for name, file in sorted(found.items()):
        if file.endswith(_COMPILED):
            raise _compiled(name)
    return found


def _check_complete(modules: Mapping[str, str], files: Collection[str]) -> None:
    """Raise DeploymentError where a module was imported that is in no distribution's list of files."""
    for name in sorted(modules):
        path = name.replace(".", "/")
        if f"{path}.py" not in files and f"{path}/__init__.py" not in files:
            raise DeploymentError(
                f"the Lambda package: {name} belongs to no package that pip installed, so what it consists of is "
                "not known: install trailhouse with pip into an environment of its own"
            )


def _compiled(name: str) -> DeploymentError:
    return DeploymentError(f"the Lambda package: {name} is compiled, and the package is for any processor")


def _modules(modules: Mapping[str, str], tops: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """The modules of no distribution in the closure: trailhouse's own, and those of a handler elsewhere."""
    for name, file in modules.items():
        if name.partition(".")[0] not in tops:
            path, name_of = Path(file), name.replace(".", "/")
            yield (
                f"{name_of}/__init__.py" if path.name == "__init__.py" else f"{name_of}.py",
                path.read_bytes(),
            )


def _shipped(name: str) -> Iterator[tuple[str, bytes]]:
    """The files of a distribution that go with it. Raises DeploymentError for compiled ones."""
    files = metadata.files(name) or ()
    for file in files:
        if file.suffix in _COMPILED:
            raise _compiled(f"{name} ({file.name})")
        if _wanted(PurePosixPath(file.as_posix())):
            yield file.as_posix(), Path(str(file.locate())).read_bytes()
    yield from _papers(name)


def _wanted(file: PurePosixPath) -> bool:
    if ".." in file.parts or "__pycache__" in file.parts:
        return False
    if file.parts[:2] == ("botocore", "data"):
        return _wanted_data(file.parts[2:])
    return file.suffix == ".py" or file.as_posix() == "botocore/cacert.pem"


def _wanted_data(parts: tuple[str, ...]) -> bool:
    if len(parts) == 1:
        return parts[0] in _SHARED
    return parts[0] in services() and not parts[-1].startswith("examples-")


def services() -> frozenset[str]:
    """The services whose models go with the package."""
    called = {each.service for each in operations() if each.uses & {*USES[Role.RUNNER]}}
    return frozenset(called | {_REGIONS_OF})


def _papers(name: str) -> Iterator[tuple[str, bytes]]:
    """A distribution's licences and description."""
    for file in metadata.files(name) or ():
        path = PurePosixPath(file.as_posix())
        if ".dist-info" in path.parts[0] and (path.name == "METADATA" or _LICENCE.match(path.name)):
            yield path.as_posix(), Path(str(file.locate())).read_bytes()


def _zip(files: Mapping[str, bytes]) -> bytes:
    """The files as a zip file whose bytes depend on nothing else."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, body in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, _MODE, _UNIX
            archive.writestr(entry, body)
    return stream.getvalue()
