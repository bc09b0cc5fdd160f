"""The package: small, pure, the same bytes each time, and enough by itself."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.aws import REGION, Aws
from trailhouse.catalog.opening import known_regions
from trailhouse.deploy import package
from trailhouse.deploy.package import UNZIPPED_LIMIT, ZIPPED_LIMIT, Package, build, services
from trailhouse.errors import DeploymentError
from trailhouse.nightly.settings import NightlySettings, NightlySource

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = NightlySettings(
    sources=(NightlySource(uri="s3://my-logs/AWSLogs/"),),
    database="security",
    table_prefix="cloudtrail",
    tables="auto",
    partitions="registered",
    partition_days=90,
    architecture="arm64",
).to_json()
BOTO3 = {"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built() -> Package:
    return build(CONFIG)


@pytest.fixture(scope="module")
def unzipped(built: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    zipfile.ZipFile(io.BytesIO(built.body)).extractall(folder)
    return folder


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules can be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def alone(folder: Path, code: str, environment: dict[str, str] | None = None) -> str:
    """What Python prints that has the standard library and the package, and nothing else."""
    begin = f"import sys\nsys.path.insert(0, {str(folder)!r})\n"
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", begin + code],
        env=environment or {}, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


# --- what is in it


def test_it_is_small(built: Package) -> None:
    print(
        f"\nthe package: {len(built.files)} files, {len(built.body):,} bytes zipped (Lambda takes {ZIPPED_LIMIT:,}), "
    )
    print(f"{built.unzipped:,} unzipped ({UNZIPPED_LIMIT:,})")
    assert len(built.body) < ZIPPED_LIMIT // 10
    assert built.unzipped < UNZIPPED_LIMIT // 10


def test_the_same_input_is_the_same_bytes(built: Package) -> None:
    again = build(CONFIG)
    assert again.body == built.body
    assert again.sha256 == hashlib.sha256(built.body).hexdigest()
    assert build(CONFIG.replace("security", "other")).sha256 != built.sha256


def test_nothing_in_it_depends_on_where_and_when_it_is_made(built: Package) -> None:
    archive = zipfile.ZipFile(io.BytesIO(built.body))
    assert archive.testzip() is None
    assert archive.namelist() == sorted(archive.namelist()) == list(built.files)
    assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o644}
    home = str(Path(package.__file__).parents[3]).encode()
    assert not [entry.filename for entry in archive.infolist() if home in archive.read(entry)]


def test_it_carries_boto3_and_trailhouse_and_nothing_else(built: Package) -> None:
    assert set(built.versions) == {*BOTO3, "trailhouse"}
    tops = {name.partition("/")[0] for name in built.files if ".dist-info" not in name}
    assert tops == {
        "boto3", "botocore", "jmespath", "dateutil", "s3transfer", "six.py", "urllib3", "trailhouse",
        "config.json", "versions.json",
    }  # fmt: skip
    assert not [
        name for name in built.files if name.endswith((".so", ".pyc", ".pyd")) or "__pycache__" in name
    ]
    assert "trailhouse/nightly/handler.py" in built.files
    assert not [name for name in built.files if name.startswith(("trailhouse/cli", "trailhouse/lake"))]


def test_it_carries_the_models_of_the_services_that_it_calls(built: Package) -> None:
    data = {name.split("/")[2] for name in built.files if name.startswith("botocore/data/")}
    folders = {name for name in data if "." not in name}
    assert folders == services()
    assert {"glue", "s3", "sts", "cloudwatch"} <= folders
    assert data - folders == {
        "endpoints.json",
        "partitions.json",
        "_retry.json",
        "sdk-default-configuration.json",
    }


def test_it_carries_licences_settings_and_versions(built: Package, unzipped: Path) -> None:
    for name in built.versions:
        (about,) = unzipped.glob(f"{name.replace('-', '_')}-*.dist-info")
        assert [path for path in about.rglob("*") if "LICENSE" in path.name], name
    assert (unzipped / "config.json").read_text("utf-8") == CONFIG
    assert json.loads((unzipped / "versions.json").read_text("utf-8")) == built.versions


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """What a module imports, at any time but for type checking, and the line."""
    tree = ast.parse(path.read_text("utf-8"))
    typing = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    ]
    skipped = {id(inner) for node in typing for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((each.name, node.lineno) for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno


def test_what_our_modules_import_late_is_there_too(built: Package, unzipped: Path) -> None:
    """An import inside a function is not seen when the handler is imported, and would fail on AWS."""
    missing = [
        f"{path.relative_to(unzipped)}:{line}: {name}"
        for path in sorted((unzipped / "trailhouse").rglob("*.py"))
        for name, line in imported(path)
        if name.partition(".")[0] not in sys.stdlib_module_names
        and f"{name.replace('.', '/')}.py" not in built.files
        and f"{name.replace('.', '/')}/__init__.py" not in built.files
    ]
    assert sorted(missing) == []


# --- that it is enough


def test_it_imports_by_itself(unzipped: Path) -> None:
    code = (
        "import trailhouse.nightly.handler as handler\n"
        "files = [getattr(m, '__file__', None) or '' for m in list(sys.modules.values())]\n"
        "print('\\n'.join(f for f in files if 'site-packages' in f))\n"
        "print(handler.__file__)"
    )
    assert alone(unzipped, code).strip() == str(unzipped / "trailhouse" / "nightly" / "handler.py")


def test_it_knows_the_regions_that_we_know(unzipped: Path) -> None:
    """They come from botocore's data; without a service's model it would answer with none."""
    code = (
        "from trailhouse.aws.gate import Gate\nfrom trailhouse.aws.access import Access\n"
        "from trailhouse.catalog.opening import known_regions\n"
        "print(*known_regions(Gate(Access(region='eu-west-1'))))"
    )
    from trailhouse.aws.access import Access  # noqa: PLC0415 - beside its twin
    from trailhouse.aws.gate import Gate  # noqa: PLC0415 - likewise

    assert alone(unzipped, code).split() == list(known_regions(Gate(Access(region="eu-west-1"))))


@pytest.mark.emulator
def test_it_does_a_run_by_itself(unzipped: Path) -> None:
    """Real calls, with dependencies that can only be the package's."""
    with Aws() as account:
        folder = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/02/"
        name = "111122223333_CloudTrail_us-east-1_20260302T0005Z_abcdefghijklmnop.json.gz"
        account.bucket("my-logs", [(folder + name, b"")])
        account.bucket("output")
        event = {
            "task": "piece", "run": "r", "execution": f"arn:aws:states:{REGION}:123456789012:execution:trail:r",
            "started": "2026-03-02T06:00:00Z", "reason": "by hand", "piece": 1, "cursor": None,
        }  # fmt: skip
        code = (
            f"import json\nfrom trailhouse.nightly.handler import handle\n"
            "class Context:\n    def get_remaining_time_in_millis(self):\n        return 900_000\n"
            f"print(json.dumps(handle({event!r}, Context())))"
        )
        environment = account.environment() | {"TRAILHOUSE_OUTPUT": "output", "TRAILHOUSE_STACK": "trail"}
        answer = json.loads(alone(unzipped, code, environment))
        assert answer["outcome"] == "done", answer
        tables = account.client("glue").get_tables(DatabaseName="security")["TableList"]
        assert {each["Name"] for each in tables} >= {"cloudtrail", "cloudtrail_111122223333"}
        assert answer["record"].startswith("s3://output/trailhouse/runs/2026/03/02/")


# --- what is refused


def test_what_is_compiled_is_refused_by_name(foreign: Path) -> None:
    (foreign / "late.py").write_text("import msgspec\n")
    with pytest.raises(DeploymentError, match=r"late cannot be imported .* No module named 'msgspec'"):
        build("{}", handler="late")


def test_a_handler_that_is_not_there_is_named() -> None:
    with pytest.raises(DeploymentError, match="the Lambda package: nothing_here cannot be imported"):
        build("{}", handler="nothing_here")


def test_compiled_files_of_a_distribution_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "_BASE", "msgspec")
    with pytest.raises(DeploymentError, match=r"msgspec.* is compiled"):
        build("{}", handler="msgspec")


def test_what_pip_did_not_install_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some systems install without a list of files, and half a library would be uploaded."""
    files = package.metadata.files
    monkeypatch.setattr(package.metadata, "files", lambda name: None if name == "jmespath" else files(name))
    with pytest.raises(DeploymentError, match="jmespath belongs to no package that pip installed"):
        build("{}")


def test_a_package_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "UNZIPPED_LIMIT", 1_000)
    with pytest.raises(DeploymentError, match=r"Lambda takes 52,428,800 and 1,000"):
        build(CONFIG)
