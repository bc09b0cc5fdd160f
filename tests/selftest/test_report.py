"""The report: verdicts, words for people and programs, and no names."""

from __future__ import annotations

import json

import pytest

from selftest.rig import BUCKET, TOKEN
from trailhouse.selftest import CHECKS, Place, Run, as_json, as_text, redaction
from trailhouse.selftest.bucket import bucket
from trailhouse.selftest.check import Outcome, Verdict
from trailhouse.selftest.page import page
from trailhouse.selftest.report import Redaction, settled

ACCOUNT = "999988887777"
PLACE = Place(BUCKET, TOKEN)
ABOUT = {"trailhouse": "0.1.0", "region": "eu-west-1", "when": "2026-11-22T00:00:00Z"}
NAMED = redaction(PLACE, ACCOUNT, "secret-group", on=True)


def ran(*outcomes: Outcome) -> Run:
    run = Run(list(outcomes), stopped="it was stopped at arn:aws:iam::999988887777:role/admin")
    run.left.things.append(f"s3://{BUCKET}/trailhouse-selftest/x: AccessDenied")
    return run


RUN = ran(
    Outcome("iceberg.vacuum", Verdict.NOT_RUN, f"no VACUUM in {ACCOUNT}"),
    Outcome("sql.time", Verdict.CONFIRMED),
    Outcome("partitions.struct", Verdict.REFUTED, "no error: ('one', None) in\nworkgroup secret-group"),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"s3://{BUCKET}/a", "s3://<bucket>/a"),
        ("s3://their-own.bucket/a and s3://x2y", "s3://<bucket>/a and s3://<bucket>"),
        (f"account {ACCOUNT}, other 111111111111", "account <account>, other <account>"),
        ("arn:aws-cn:iam::1:role/Admin, and", "<arn>, and"),
        (f"bucket {BUCKET} of workgroup secret-group", "bucket <bucket> of workgroup <workgroup>"),
        ("query 1f0b2c3d-0000-4000-8000-123456789012", "query 1f0b2c3d-0000-4000-8000-<account>"),
        ("20260302T1015Z 123456789012345", "20260302T1015Z 123456789012345"),
    ],
)
def test_names_are_taken_out(text: str, expected: str) -> None:
    assert NAMED(text) == expected


def test_accounts_that_were_made_up_stay() -> None:
    own = bucket().words["account"]
    assert NAMED(f"cloudtrail_{own} {own} 111122223333") == f"cloudtrail_{own} {own} 111122223333"


def test_with_names_nothing_is_taken_out() -> None:
    told = f"s3://{BUCKET}/{ACCOUNT}"
    assert redaction(PLACE, ACCOUNT, "primary", on=False)(told) == told
    assert isinstance(NAMED, Redaction)


def test_a_report_for_programs_has_everything_and_no_name() -> None:
    document = as_json(RUN, CHECKS, ABOUT, NAMED)
    text = json.dumps(document)
    for name in (BUCKET, ACCOUNT, "secret-group", "role/admin"):
        assert name not in text
    assert document["counts"] == {"confirmed": 1, "refuted": 1, "could not be run": 1}
    assert document["left"] == ["s3://<bucket>/trailhouse-selftest/x: AccessDenied"]
    assert document["checks"][1]["check"] == "sql.time"
    assert document["checks"][1]["settles"] == ["time-cast"]


def test_an_assumption_is_as_good_as_its_worst_check() -> None:
    found = settled(RUN, CHECKS)
    assert found["time-cast"] == "confirmed"
    assert found["struct-tail"] == "refuted"
    assert found["iceberg-vacuum"] == "could not be run"
    assert found["shapes"] == "could not be run"


def test_a_report_for_people_begins_with_what_is_refuted() -> None:
    lines = list(as_text(as_json(RUN, CHECKS, ABOUT, NAMED)))
    assert lines[0] == "trailhouse selftest: trailhouse 0.1.0, region eu-west-1, when 2026-11-22T00:00:00Z"
    assert lines[1].startswith("1 confirmed, 1 refuted, 1 could not be run; 0 statements, at most $0.00")
    assert "<arn>" in lines[2]
    titles = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert titles == ["Refuted:", "Could not be run:", "Confirmed:", "Not removed:"]
    assert "    no error: ('one', None) in workgroup <workgroup>" in lines


def test_a_clean_end_says_so() -> None:
    assert list(as_text(as_json(Run(), (), ABOUT, NAMED)))[-1] == "Everything that was made is removed."


def test_the_page_names_every_check_and_assumption() -> None:
    text = page()
    for check in CHECKS:
        assert f"| `{check.id}` |" in text
    assert text.count("\n| **") == len(settled(RUN, CHECKS))
    assert "at most $0.0" in text
