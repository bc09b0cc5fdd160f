"""Athena: what is sent, how it is watched and stopped, what comes back, how it fails.

The runs are scripted: they show the wiring, not what Athena answers.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from bed.athena import Failed, Table, Workgroup
from bed.faults import Fault, denied, throttle
from engine.catalogs import DATABASE
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.dialect import Statement
from trailhouse.engine.athena import STATEMENT_LIMIT, Athena
from trailhouse.engine.definitions import Definitions
from trailhouse.errors import AwsError, LimitError, NotFoundError, SqlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.catalogs import Elsewhere

pytestmark = pytest.mark.emulator


class Watched:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.states: list[tuple[str, int]] = []
        self.ended = 0

    def running(self, state: str, scanned: int, _seconds: float) -> None:
        self.states.append((state, scanned))

    def done(self) -> None:
        self.ended += 1


def engine(**more: Any) -> Athena:  # noqa: ANN401 - the engine's own options
    gate = Gate(Access())
    return Athena(gate, Definitions(gate, DATABASE), **more)


def statement(sql: str = "SELECT 1") -> Statement:
    return Statement(sql, "", ())


def sent(elsewhere: Elsewhere) -> dict[str, Any]:
    (run,) = elsewhere.athena.runs.values()
    return run.asked


def test_a_statement_is_sent_whole_with_token_place_and_no_reuse(elsewhere: Elsewhere) -> None:
    engine().execute(statement("SELECT '\u00e9\\' FROM cloudtrail"))
    asked = sent(elsewhere)
    assert len(asked.pop("ClientRequestToken")) >= 32
    assert asked == {
        "QueryString": "SELECT '\u00e9\\' FROM cloudtrail",
        "QueryExecutionContext": {"Catalog": "AwsDataCatalog", "Database": "security"},
        "WorkGroup": "primary",
        "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
        "ResultConfiguration": {
            "OutputLocation": "s3://aws-athena-query-results-123456789012-us-east-1/",
            "ExpectedBucketOwner": "123456789012",
        },
    }


@pytest.mark.parametrize(
    ("group", "bucket", "expected"),
    [
        (Workgroup(location="s3://theirs/", enforced=True), "mine", None),
        (Workgroup(location="s3://theirs/"), "default", None),
        (Workgroup(location="s3://theirs/"), "mine", {"OutputLocation": "s3://mine/"}),
        (Workgroup(managed=True), "mine", None),
        (Workgroup(), "mine", {"OutputLocation": "s3://mine/"}),
    ],
)
def test_the_workgroup_decides_where_results_go_if_it_says(
    elsewhere: Elsewhere, group: Workgroup, bucket: str, expected: dict[str, str] | None
) -> None:
    elsewhere.athena.workgroups["mine"] = group
    engine(workgroup="mine", output_bucket=bucket).execute(statement())
    assert sent(elsewhere).get("ResultConfiguration") == expected


def test_a_workgroup_that_may_not_be_looked_at_is_used_all_the_same(elsewhere: Elsewhere) -> None:
    elsewhere.athena.log.faults.append(denied("GetWorkGroup"))
    assert engine().execute(statement()).read_all().num_rows == 1


def test_a_disabled_or_unknown_workgroup_is_said(elsewhere: Elsewhere) -> None:
    elsewhere.athena.workgroups["off"] = Workgroup(disabled=True)
    with pytest.raises(UsageError, match="workgroup off is disabled"):
        engine(workgroup="off").execute(statement())
    with pytest.raises(AwsError, match="gone"):
        engine(workgroup="gone").execute(statement())


def test_an_answer_without_a_workgroup_is_not_athenas(elsewhere: Elsewhere) -> None:
    elsewhere.athena.log.faults.append(
        Fault("GetWorkGroup", code="OK", status=200)
    )  # an answer of something else
    with pytest.raises(AwsError, match=r"workgroup primary has no workgroup in it.*--endpoint-url"):
        engine().execute(statement())


def test_a_retried_start_is_one_run(elsewhere: Elsewhere) -> None:
    elsewhere.athena.log.faults.append(Fault("StartQueryExecution", cut="after"))
    assert engine().execute(statement()).read_all().num_rows == 1
    assert elsewhere.athena.log.counts["StartQueryExecution"] == 2
    assert len(elsewhere.athena.runs) == 1


def test_throttling_is_waited_out(elsewhere: Elsewhere) -> None:
    elsewhere.athena.log.faults += [throttle("GetQueryExecution"), throttle("GetQueryResults")]
    assert engine().execute(statement()).read_all().num_rows == 1


def test_the_longest_statement_is_sent_and_a_longer_one_is_not(elsewhere: Elsewhere) -> None:
    fits = "SELECT 1 --" + "\u00e9" * ((STATEMENT_LIMIT - 11) // 2)
    engine().execute(statement(fits))
    with pytest.raises(LimitError, match="262,146 bytes, and Athena takes 262,144"):
        engine().execute(statement(fits + "ab "))
    assert len(elsewhere.athena.runs) == 1


def test_states_and_bytes_are_told(elsewhere: Elsewhere) -> None:
    elsewhere.athena.looks = 2
    watched = Watched()
    athena = engine(watch=watched)
    athena.execute(statement())
    assert watched.states == [("RUNNING", 0), ("RUNNING", 0)]
    assert watched.ended == 1
    assert athena.last is not None
    assert (athena.last.state, athena.last.scanned, athena.last.reused) == ("SUCCEEDED", 24_000, False)
    assert athena.last.submitted.endswith("Z")


def stopped_by(athena: Athena, stop: Callable[[], None]) -> None:
    timer = threading.Timer(0.3, stop)
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        athena.execute(statement())
    timer.join()
    assert time.monotonic() - began < 10


def test_interrupted_from_another_thread_the_run_is_stopped_in_athena(elsewhere: Elsewhere) -> None:
    elsewhere.athena.hold = True
    watched = Watched()
    athena = engine(watch=watched)
    stopped_by(athena, athena.interrupt)
    (run,) = elsewhere.athena.runs.values()
    assert run.state == "CANCELLED"
    assert watched.ended == 1


def test_a_failing_stop_does_not_hide_the_interruption(elsewhere: Elsewhere) -> None:
    elsewhere.athena.hold = True
    elsewhere.athena.log.faults.append(denied("StopQueryExecution"))
    athena = engine()
    stopped_by(athena, athena.interrupt)


def test_interrupted_while_it_starts_it_is_found_by_its_token_and_stopped(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    athena = engine()
    start, calls = athena._start, []

    def once(parameters: dict[str, Any]) -> str:
        calls.append(start(parameters))
        if len(calls) == 1:
            raise KeyboardInterrupt
        return calls[-1]

    monkeypatch.setattr(athena, "_start", once)
    with pytest.raises(KeyboardInterrupt):
        athena.execute(statement())
    (run,) = elsewhere.athena.runs.values()
    assert (calls, run.state) == ([run.id, run.id], "CANCELLED")


def test_lost_credentials_stop_the_run(elsewhere: Elsewhere) -> None:
    elsewhere.athena.log.faults.append(denied("GetQueryExecution"))
    with pytest.raises(AwsError, match="GetQueryExecution"):
        engine().execute(statement())
    (run,) = elsewhere.athena.runs.values()
    assert run.state == "CANCELLED"


def test_pages_are_fetched_as_rows_are_taken(elsewhere: Elsewhere) -> None:
    elsewhere.table = Table([("n", "bigint")], [[n] for n in range(2_500)])
    reader = engine().execute(statement())
    assert elsewhere.athena.log.counts["GetQueryResults"] == 1
    batches = [batch.num_rows for batch in reader]
    assert batches == [999, 1_000, 501]
    assert elsewhere.athena.log.counts["GetQueryResults"] == 3


def test_an_answer_without_rows_has_its_columns(elsewhere: Elsewhere) -> None:
    elsewhere.table = Table([("n", "bigint"), ("s", "varchar")], [])
    found = engine().execute(statement()).read_all()
    assert (found.num_rows, found.schema.names) == (0, ["n", "s"])


def test_the_first_row_of_show_is_a_row(elsewhere: Elsewhere) -> None:
    elsewhere.table = Table([("tab_name", "string")], [["tab_name"], ["cloudtrail"]], kind="DDL")
    found = engine().execute(statement("SHOW TABLES")).read_all()
    assert found.column(0).to_pylist() == ["tab_name", "cloudtrail"]


def test_a_query_may_answer_its_own_names(elsewhere: Elsewhere) -> None:
    elsewhere.table = Table([("a", "varchar"), ("b", "varchar")], [["a", "b"]])
    assert engine().execute(statement()).read_all().to_pylist() == [{"a": "a", "b": "b"}]


def test_nested_columns_are_named(elsewhere: Elsewhere) -> None:
    elsewhere.table = Table([("r", "array(row(arn varchar))"), ("s", "varchar")], [[[{"arn": "x"}], "y"]])
    athena = engine()
    found = athena.execute(statement()).read_all()
    assert found.schema.field("r").type == pa.string()
    assert (found.to_pylist(), athena.nested) == ([{"r": "[{arn=x}]", "s": "y"}], ["r"])


@pytest.mark.parametrize(
    ("reason", "state", "kind", "step"),
    [
        (
            "TABLE_NOT_FOUND: line 1:15: Table 'x' does not exist",
            "FAILED",
            SqlError,
            r"SELECT 1 +\n +\^\n.*SHOW TABLES",
        ),
        (
            "HIVE_CURSOR_ERROR: Please reduce your request rate (SlowDown)",
            "FAILED",
            AwsError,
            "fewer requests",
        ),
        ("Query cancelled! : Bytes scanned limit was exceeded", "CANCELLED", LimitError, "narrow it by day"),
        ("", "FAILED", AwsError, "no reason is given"),
        ("Query cancelled by user", "CANCELLED", AwsError, "was cancelled: Query cancelled by user"),
    ],
)
def test_failures_have_a_next_step(
    elsewhere: Elsewhere, reason: str, state: str, kind: type[Exception], step: str
) -> None:
    def fails(*_: str) -> Table:
        raise Failed(reason, state)

    elsewhere.athena.answers = fails
    with pytest.raises(kind, match=f"(?s){step}"):
        engine().execute(statement("SELECT 1          "))


def test_tables_come_from_glue(elsewhere: Elsewhere) -> None:
    tables = engine().tables()
    assert sorted(tables) == ["cloudtrail", "cloudtrail_111122223333", "cloudtrail_444455556666"]
    assert tables["cloudtrail_111122223333"][-1] == ("logroot", "string")
    assert elsewhere.counts().get("GetQueryExecution") is None


def test_a_database_that_is_not_there_has_no_tables(elsewhere: Elsewhere) -> None:
    gate = Gate(Access())
    assert Definitions(gate, "nowhere").tables() == {}
    assert Definitions(gate, "nowhere").find("nowhere", "x") is None
    with pytest.raises(NotFoundError):
        gate.call("glue", "GetTable", DatabaseName="nowhere", Name="x")
    assert elsewhere.counts()["GetTables"] == 1
