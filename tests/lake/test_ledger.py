from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from trailhouse.core.layout import Kind, classify
from trailhouse.core.schema import FILES_COLUMNS
from trailhouse.lake.ledger import Item, Status, ledger_schema, passed_over, taken_in, to_table
from trailhouse.lake.reader import Flaw, Verdict
from trailhouse.storage import StoredObject

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
FOLDER = "p/AWSLogs/o-abc1234567/111111111111/CloudTrail/us-east-1/2024/05/06"
DIGEST = f"{FOLDER}/111111111111_CloudTrail-Digest_us-east-1_t_us-east-1_20240506T000000Z.json.gz".replace(
    "CloudTrail/", "CloudTrail-Digest/"
)
LOG = f"{FOLDER}/111111111111_CloudTrail_us-east-1_20240506T0000Z_abcdefghijklmnop.json.gz"


def item(name: str, size: int = 10) -> Item:
    return Item(StoredObject("source", name, size, "v1"), classify(name))


def verdict(**values: Any) -> Verdict:  # noqa: ANN401 - fields of a verdict
    plain: dict[str, Any] = {
        "number": 0, "form": "Records", "kind": Kind.CLOUDTRAIL, "records": 3, "flaws": (), "misfits": 0,
        "stored_bytes": 10, "json_bytes": 100, "sha256": "0" * 64,
    }  # fmt: skip
    return Verdict(**(plain | values))


FLAW = Flaw(position=7, reason="cut short")


@pytest.mark.parametrize(
    ("values", "status", "reason"),
    [
        ({}, Status.COMPLETE, None),
        ({"flaws": (FLAW,), "misfits": 1}, Status.PARTIAL, "cut short"),
        ({"records": 0, "flaws": (FLAW,), "misfits": 1}, Status.QUARANTINED, "cut short"),
        ({"records": 0}, Status.EMPTY, "no records in it"),
        ({"records": 0, "form": "", "kind": None, "json_bytes": 0}, Status.EMPTY, "empty"),
        ({"records": 0, "form": "", "kind": None}, Status.IGNORED, "nothing of CloudTrail in it"),
    ],
)
def test_status(values: dict[str, Any], status: Status, reason: str | None) -> None:
    row = taken_in(item(LOG), verdict(**values), "b", NOW)
    assert (row["status"], row["reason"]) == (status, reason)


def test_the_key_and_the_verdict_are_told() -> None:
    row = taken_in(item(LOG), verdict(flaws=(FLAW,), misfits=2), "b", NOW)
    assert row == {
        "source": "source", "logfile": LOG, "kind": Kind.CLOUDTRAIL, "account": "111111111111", "region": "us-east-1",
        "year": "2024", "month": "05", "day": "06", "logroot": "source/p/AWSLogs/o-abc1234567", "size": 10,
        "version": "v1", "sha256": "0" * 64, "jsonbytes": 100, "records": 3, "misfits": 2, "status": Status.PARTIAL,
        "reason": "cut short", "position": 7, "batch": "b", "ingestedat": NOW,
    }  # fmt: skip
    assert list(row) == [column.name for column in FILES_COLUMNS]


def test_reasons_are_bounded() -> None:
    row = taken_in(item("x"), verdict(flaws=(Flaw(position=0, reason="x" * 9999),), misfits=1), "b", NOW)
    assert len(row["reason"]) == 500


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [
        (LOG, 0, ""),
        (LOG.replace("_CloudTrail_", "_Other_"), 5, ""),
        ("AWSLogs/111111111111/CloudTrail/", 0, "a folder's marker"),
        ("AWSLogs/111111111111/Config/us-east-1/2024/5/6/x.json.gz", 5, "a log of another service: Config"),
        (DIGEST, 5, "a digest"),
        ("anything", 5, ""),
    ],
)  # fmt: skip
def test_what_is_not_opened(name: str, size: int, reason: str) -> None:
    one = item(name, size)
    assert one.passed_over == reason
    if reason:
        row = passed_over(one, "b", NOW)
        assert (row["status"], row["reason"], row["records"], row["sha256"]) == (
            Status.IGNORED,
            reason,
            0,
            None,
        )


def test_outside_of_a_layout_the_source_is_the_root() -> None:
    assert item("a/b.json").logroot == "source"
    assert item("a/b.json").kind is None


def test_rows_become_a_table() -> None:
    rows = [taken_in(item(LOG), verdict(), "b", NOW), passed_over(item("x/AWSLogs/"), "b", NOW)]
    table = to_table(rows)
    assert table.schema == ledger_schema()
    assert table["status"].to_pylist() == ["complete", "ignored"]
    assert table["kind"].to_pylist() == ["CloudTrail", None]
    assert table["ingestedat"].type == pa.timestamp("us")
    assert table["ingestedat"].to_pylist() == [NOW.replace(tzinfo=None)] * 2
