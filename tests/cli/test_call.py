"""What follows from the options of a call."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from trailhouse.cli.call import Call
from trailhouse.errors import UsageError
from trailhouse.output import Console

CONFIG = """\
profile: everyone
role_arn: arn:aws:iam::111122223333:role/reader
external_id: secret
sources:
  - s3://plain-logs/a
  - uri: s3://other-logs/b
    endpoint_url: http://127.0.0.1:9000
    role_arn: arn:aws:iam::444455556666:role/other
    region: eu-west-1
    expected_bucket_owner: "444455556666"
    requester_pays: true
"""


def called(config: Path | None = None, **given: Any) -> Call:  # noqa: ANN401 - as Call takes them
    plain: dict[str, Any] = {
        "flags": {}, "config": config, "environ": {}, "now": datetime(2026, 1, 8, tzinfo=UTC), "since": None,
        "until": None, "accounts": (), "regions": (), "format": None, "json": False, "output": None, "yes": False,
        "no_input": False, "console": Console(io.StringIO()),
    }  # fmt: skip
    return Call(**(plain | given))


def test_a_source_has_its_own_access_or_that_of_all(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(CONFIG)
    call = called(config)
    plain, other = (call._location(source) for source in call.settings.log_sources())
    assert plain.uri == "s3://plain-logs/a"
    assert (plain.access.profile, plain.access.external_id) == ("everyone", "secret")
    assert plain.access.role_arn == "arn:aws:iam::111122223333:role/reader"
    assert (plain.access.endpoint_url, plain.access.requester_pays) == (None, False)
    assert other.access.role_arn == "arn:aws:iam::444455556666:role/other"
    assert other.access.external_id is None
    assert other.access.profile == "everyone"
    assert (other.access.endpoint_url, other.access.region) == ("http://127.0.0.1:9000", "eu-west-1")
    assert (other.access.expected_owner, other.access.requester_pays) == ("444455556666", True)


def test_times_count_from_the_one_clock() -> None:
    assert called(since="7d").options.since == datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(UsageError, match="nothing lies between"):
        _ = called(since="7d", until="2026-01-01").options


def test_questions_are_answered_by_flags() -> None:
    assert called(yes=True).confirm("Sure?")
    with pytest.raises(UsageError, match="Sure\\? Say --yes"):
        called(no_input=True).confirm("Sure?")


@pytest.mark.parametrize(
    ("given", "form"),
    [({}, "table"), ({"json": True}, "json"), ({"format": "CSV"}, "csv"), ({"output": Path("a.ndjson")}, "ndjson"),
     ({"output": Path("a.csv"), "json": True}, "json")],
)  # fmt: skip
def test_the_format_of_a_result(given: dict[str, Any], form: str) -> None:
    assert called(**given).form == form
