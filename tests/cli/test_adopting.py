"""`--adopt` and `--undo` from the command line: what is asked, what is refused, what is done."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from predecessor import tables as old
from predecessor.bucket import key
from trailhouse.cli import main
from trailhouse.cli.adopting import agreed
from trailhouse.core.plan import Tally
from trailhouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bed.aws import Aws
    from bed.glue import StrictGlue
    from trailhouse.cli.call import Call

    Run = Callable[..., tuple[int, str, str]]

A, B = "111122223333", "444455556666"
TODAY = datetime.now(UTC).date()
DAYS = [TODAY - timedelta(days=back) for back in range(3)]
SHIPPED = """
s3_bucket_containing_logs: {bucket}
alarm_sns_arn: "arn:aws:sns:us-east-1:000000000000:myalarm"
cloudtrail_prefix: ""
partition_days: 90
output_s3_bucket: default
database: default
table_prefix: cloudtrail
"""


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def call(told: list[str]) -> Call:
    return cast("Call", SimpleNamespace(no_input=False, yes=True, console=SimpleNamespace(note=told.append)))


@pytest.mark.parametrize("typed", ["400\n", " 400 \n"])
def test_the_count_is_typed(typed: str, call: Call, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    assert agreed(call, Tally(taken_over=400), None)
    assert "400 tables" in told[0]


@pytest.mark.parametrize("typed", ["4\n", "y\n", "yes\n", ""])
def test_anything_else_is_a_no(typed: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    assert not agreed(call, Tally(taken_over=400), None)


def test_yes_alone_does_not_do(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("400\n"))
    with pytest.raises(UsageError, match="--adopt-count 400"):
        agreed(call, Tally(taken_over=400), None)


def test_a_count_given_has_to_be_right(call: Call) -> None:
    assert agreed(call, Tally(taken_over=400), 400)
    with pytest.raises(UsageError, match="replaces 400 tables"):
        agreed(call, Tally(taken_over=400), 399)
    with pytest.raises(UsageError, match="replaces 0 tables"):
        agreed(call, Tally(), 1)


def test_what_takes_nothing_over_is_not_asked_for(call: Call) -> None:
    assert agreed(call, Tally(), None)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def called(*args: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([str(arg) for arg in args])
        return int(left.value.code or 0), *capfd.readouterr()

    return called


@pytest.fixture
def config(aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The predecessor's file as it came, with the bucket set, and what it had made of it."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    bucket = f"logs-{tmp_path.name.lower().replace('_', '-')}"[:63].strip("-")
    aws.bucket(bucket, ((key(account, day), b"") for account in (A, B) for day in DAYS))
    aws.glue.index_seconds = 0
    for database in [one["Name"] for one in _ask(aws.glue, "GetDatabases")["DatabaseList"]]:
        _ask(aws.glue, "DeleteDatabase", Name=database)
    _ask(aws.glue, "CreateDatabase", DatabaseInput={"Name": "default"})
    for account in (A, B):
        place = old.folder(bucket, account)
        _ask(aws.glue, "CreateTable", DatabaseName="default", TableInput=old.table(account, place))
        inputs = list(old.partitions(place, ["eu-west-1", "us-east-1"], TODAY, 40))
        _ask(
            aws.glue,
            "BatchCreatePartition",
            DatabaseName="default",
            TableName=f"cloudtrail_{account}",
            PartitionInputList=inputs,
        )
    _ask(aws.glue, "CreateTable", DatabaseName="default", TableInput=old.view([A, B]))
    path = tmp_path / "config.yaml"
    path.write_text(SHIPPED.format(bucket=bucket))
    return path


def _ask(glue: StrictGlue, operation: str, **parameters: Any) -> Any:  # noqa: ANN401 - what Glue answers
    status, body = glue.answer(operation, json.dumps(parameters).encode())
    assert status == 200, body
    return json.loads(body)


def names(aws: Aws) -> dict[str, str]:
    """What there is, and whose."""
    tables = _ask(aws.glue, "GetTables", DatabaseName="default")["TableList"]
    return {
        table["Name"]: "ours" if "trailhouse.version" in table["Parameters"] else "theirs" for table in tables
    }


THEIRS = {"cloudtrail": "theirs", f"cloudtrail_{A}": "theirs", f"cloudtrail_{B}": "theirs"}
OURS = {
    **dict.fromkeys(THEIRS, "ours"),
    **{f"{name}__before_trailhouse": "ours" for name in THEIRS},
    "cloudtrail_events": "ours",
}


@pytest.mark.slow
@pytest.mark.emulator
def test_an_unedited_configuration_is_taken_over_and_given_back(run: Run, config: Path, aws: Aws) -> None:
    code, _, said = run("apply", "--yes", "-c", config)
    assert (code, names(aws)) == (1, THEIRS)
    assert "--adopt" in said
    code, _, said = run("apply", "--adopt", "--yes", "-c", config)
    assert (code, names(aws)) == (64, THEIRS)
    assert "--adopt-count 2" in said
    code, shown, said = run("apply", "--adopt", "--adopt-count", 2, "-c", config)
    assert (code, names(aws)) == (0, OURS), said
    assert "23 columns become" in shown + said
    assert "Lake Formation" in said
    code, shown, _ = run("plan", "--detailed-exitcode", "-c", config)
    assert code == 0, shown
    code, _, said = run("apply", "--undo", "--yes", "-c", config)
    assert (code, names(aws)) == (0, THEIRS), said


@pytest.mark.slow
@pytest.mark.emulator
def test_a_saved_plan_asks_for_the_count_as_well(run: Run, config: Path, aws: Aws, tmp_path: Path) -> None:
    path = tmp_path / "adopt.plan"
    code, _, said = run("plan", "--adopt", "--out", path, "-c", config)
    assert (code, names(aws)) == (0, THEIRS), said
    code, _, said = run("apply", path, "--yes", "-c", config)
    assert (code, names(aws)) == (64, THEIRS)
    code, _, said = run("apply", path, "--adopt-count", 2, "-c", config)
    assert (code, names(aws)) == (0, OURS), said


@pytest.mark.parametrize(
    "given",
    [("--undo", "--adopt"), ("--undo", "--target", A), ("some.plan", "--adopt"), ("some.plan", "--undo")],
)
def test_options_that_do_not_go_together(run: Run, given: tuple[str, ...]) -> None:
    code, _, said = run("apply", *given)
    assert code == 64
    assert "--adopt" in said or "--undo" in said
