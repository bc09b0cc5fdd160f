"""What follows from the options of a call."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from trailhouse.cli.call import Call
from trailhouse.errors import UsageError
from trailhouse.output import Console


def called(config: Path | None = None, **given: Any) -> Call:  # noqa: ANN401 - as Call takes them
    plain: dict[str, Any] = {
        "flags": {}, "config": config, "environ": {}, "now": datetime(2026, 1, 8, tzinfo=UTC), "since": None,
        "until": None, "accounts": (), "regions": (), "format": None, "json": False, "output": None, "yes": False,
        "no_input": False, "console": Console(io.StringIO()),
    }  # fmt: skip
    return Call(**(plain | given))


def test_times_count_from_the_one_clock() -> None:
    assert called(since="7d").options.since == datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(UsageError, match="nothing lies between"):
        _ = called(since="7d", until="2026-01-01").options


def test_questions_are_answered_by_flags() -> None:
    assert called(yes=True).confirm("Sure?")
    with pytest.raises(UsageError, match="Sure\\? Say --yes"):
        called(no_input=True).confirm("Sure?")


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "agreed"), [("y\n1,000\n", (True, True)), ("n\n1\n", (False, False)), ("", (False, False))]
)
def test_a_no_is_answered(monkeypatch: pytest.MonkeyPatch, typed: str, agreed: tuple[bool, bool]) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    said = io.StringIO()
    call = called(console=Console(said))
    assert (call.confirm("Sure?"), call.confirm_count("Sure?", 1000, "tables")) == agreed
    assert said.getvalue().count("nothing was done") == agreed.count(False)


@pytest.mark.parametrize(
    ("given", "form"),
    [({}, "table"), ({"json": True}, "json"), ({"format": "CSV"}, "csv"), ({"output": Path("a.ndjson")}, "ndjson"),
     ({"output": Path("a.csv"), "json": True}, "json")],
)  # fmt: skip
def test_the_format_of_a_result(given: dict[str, Any], form: str) -> None:
    assert called(**given).form == form
