"""A run from its claim to its last removal: the order of calls, what it may cost, and that it leaves nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bed.athena import Failed, Table, Workgroup
from bed.faults import Fault, denied
from selftest.conftest import one
from selftest.rig import BUCKET, TOKEN, Rig
from trailhouse.errors import AccessDeniedError, CatalogError, UsageError
from trailhouse.selftest import Place, Purse
from trailhouse.selftest.bucket import bucket
from trailhouse.selftest.check import Api, Apply, Check, Make, Piece, Put, Sql, Stage, Verdict
from trailhouse.selftest.expect import Refused, Rows, Runs
from trailhouse.selftest.hands import Hindered, _Watch
from trailhouse.selftest.price import CostStop, statement_cost

if TYPE_CHECKING:
    from trailhouse.selftest.runner import Run

DATABASE = f"trailhouse_selftest_{TOKEN}"
ATHENA = ("GetWorkGroup", "StartQueryExecution", "GetQueryExecution", "GetQueryResults")
PREFIX = f"trailhouse-selftest/{TOKEN}/"
ASKS = Check("t.asks", "?", (), (Sql("SELECT 1 AS one"),), Rows(((1,),)))
MAKES = Check(
    "t.makes", "?", (), (Sql("SELECT 1 AS one"),), Rows(((1,),)),
    (Put("made/x.json.gz", ("{}",)), Make("made", keys=("k",), pieces=(Piece(("1",), "{scratch}/made/"),))),
)  # fmt: skip
WRONG = Check("t.wrong", "?", (), (Sql("SELECT 1 AS one"),), Rows(((2,),)))
SHAPED = Check("t.shaped", "?", (), (Apply(Stage.PER_ACCOUNT),), Rows(((0,),)), needs=Stage.PER_ACCOUNT)
SINGLE = Check("t.single", "?", (), (Apply(Stage.SINGLE),), Rows(((0,),)), needs=Stage.SINGLE)
PROJECTED = Check("t.projected", "?", (), (Apply(Stage.PROJECTED),), Rows(((0,),)), needs=Stage.PROJECTED)
FEW = (ASKS, MAKES)

pytestmark = pytest.mark.emulator


def verdicts(run: Run) -> dict[str, Verdict]:
    return {each.check: each.verdict for each in run.outcomes}


def athena(rig: Rig) -> Any:  # noqa: ANN401 - its answers are set
    return rig.aws.athena  # type: ignore[attr-defined]  # an AwsWithAthena


def test_a_run_claims_first_writes_asks_and_removes_last(rig: Rig) -> None:
    run = rig.run(FEW)
    assert verdicts(run) == dict.fromkeys(("t.asks", "t.makes"), Verdict.CONFIRMED)
    made = rig.operations()
    assert made[:4] == ["glue.GetDatabase", "s3.ListObjectsV2", "s3.PutObject", "glue.CreateDatabase"]
    files = len(bucket().files)
    tried = made.index("athena.GetQueryResults") + 1
    assert set(made[4:tried]) <= {f"athena.{name}" for name in ATHENA}
    assert made[tried : tried + files] == ["s3.PutObject"] * files
    rest = made[tried + files :]
    ends = ["glue.GetDatabase", "glue.GetTables", "glue.BatchDeleteTable", "glue.DeleteDatabase"]
    assert rest[-6:] == [*ends, "s3.ListObjectsV2", "s3.DeleteObjects"]
    assert rest.index("glue.CreateTable") < rest.index("glue.BatchCreatePartition") < rest.index(ends[2])
    assert rig.nothing_is_left()
    assert run.left.things == []
    assert run.purse.statements == 3
    assert not run.stopped


def test_what_is_made_is_marked_and_lies_below_one_prefix(rig: Rig) -> None:
    rig.run(FEW)
    puts = [call.parameters["Key"] for call in rig.calls if call.operation == "PutObject"]
    assert all(key.startswith(PREFIX) for key in puts)
    assert puts[0] == f"{PREFIX}selftest.json"
    (made,) = (call for call in rig.calls if call.operation == "CreateDatabase")
    assert made.parameters["DatabaseInput"]["Parameters"] == {"trailhouse.selftest": TOKEN}
    asked = [call.parameters for call in rig.calls if call.operation == "StartQueryExecution"]
    assert {each["QueryExecutionContext"]["Database"] for each in asked} == {DATABASE}
    assert {each["ResultConfiguration"]["OutputLocation"] for each in asked} == {
        f"s3://{BUCKET}/{PREFIX}results/"
    }


def test_every_shape_is_applied_and_its_second_plan_is_empty(rig: Rig) -> None:
    run = rig.run((SHAPED, SINGLE, PROJECTED))
    assert [(each.verdict, each.seen) for each in run.outcomes] == [(Verdict.CONFIRMED, "")] * 3
    assert rig.nothing_is_left()


def test_another_answer_refutes_and_says_what_was_seen(rig: Rig) -> None:
    run = rig.run((WRONG, ASKS))
    assert verdicts(run) == {"t.wrong": Verdict.REFUTED, "t.asks": Verdict.CONFIRMED}
    assert "seen (1,); missing (2,)" in run.outcomes[0].seen


@pytest.mark.parametrize("reason", ["INTERNAL_ERROR: x", "Access Denied (Service: S3)", "S3: Slow Down"])
def test_a_failure_that_says_nothing_about_the_question_leaves_it_open(rig: Rig, reason: str) -> None:
    def answers(sql: str, database: str) -> Table:
        if sql == "SELECT 1 AS refused":
            raise Failed(reason)
        return one(sql, database)

    athena(rig).answers = answers
    refused = Check("t.refused", "?", (), (Sql("SELECT 1 AS refused"),), Refused("."))
    run = rig.run((refused,))
    assert verdicts(run) == {"t.refused": Verdict.NOT_RUN}
    assert reason.split(":", maxsplit=1)[0] in run.outcomes[0].seen


def test_a_check_whose_preparation_fails_is_left_open(rig: Rig) -> None:
    run = rig.run((MAKES, Check("t.again", "?", (), (Sql("SELECT 1"),), Runs(), MAKES.prepare), ASKS))
    assert verdicts(run)["t.again"] is Verdict.NOT_RUN
    assert "what it needs could not be made" in run.outcomes[1].seen
    assert verdicts(run)["t.asks"] is Verdict.CONFIRMED


def test_a_shape_that_cannot_be_applied_is_tried_once(rig: Rig) -> None:
    rig.aws.glue.inject(denied("CreateTable", times=None))
    run = rig.run((SHAPED, Check("t.over", "?", (), (Sql("SELECT 1"),), Runs(), needs=Stage.PER_ACCOUNT)))
    assert set(verdicts(run).values()) == {Verdict.NOT_RUN}
    assert "per_account could not be applied" in run.outcomes[1].seen
    rig.aws.glue.heal()
    assert rig.nothing_is_left()


def test_where_athena_does_not_answer_nothing_is_refuted(rig: Rig) -> None:
    def answers(_sql: str, _database: str) -> Table:
        raise Failed("Unable to verify/create output bucket")

    athena(rig).answers = answers
    run = rig.run(FEW)
    assert set(verdicts(run).values()) == {Verdict.NOT_RUN}
    assert "Athena does not answer" in run.stopped
    assert run.error is not None
    assert rig.nothing_is_left()


# -- nothing is touched that was there, nothing stays ---------------------------------------------------------------


def test_a_database_that_exists_is_refused_and_untouched(rig: Rig) -> None:
    rig.aws.client("glue").create_database(DatabaseInput={"Name": DATABASE})
    with pytest.raises(CatalogError, match=f"database {DATABASE} exists"):
        rig.run(FEW)
    assert rig.operations() == ["glue.GetDatabase"]
    assert rig.databases() == [DATABASE]


def test_a_prefix_that_holds_something_is_refused_and_untouched(rig: Rig) -> None:
    rig.aws.buckets.all[BUCKET].put(f"{PREFIX}theirs", b"x")
    with pytest.raises(CatalogError, match="is not empty"):
        rig.run(FEW)
    assert set(rig.aws.buckets.all[BUCKET].objects) == {f"{PREFIX}theirs"}
    assert rig.databases() == []


def test_a_database_of_somebody_else_that_comes_in_between_stays(rig: Rig) -> None:
    test = rig.selftest(FEW)
    claim = test._scratch._database

    def raced() -> object:
        found = claim()
        if found is None and not rig.databases():
            theirs = {"Name": DATABASE, "Parameters": {"owner": "them"}}
            rig.aws.client("glue").create_database(DatabaseInput=theirs)
        return found

    test._scratch._database = raced  # type: ignore[method-assign,assignment]  # this once
    run = test.run()
    assert rig.databases() == [DATABASE]
    assert any("does not carry this run's mark" in thing for thing in run.left.things)
    assert not rig.aws.buckets.all[BUCKET].objects
    assert set(verdicts(run).values()) == {Verdict.NOT_RUN}


def test_other_things_in_the_bucket_and_the_catalog_stay(rig: Rig) -> None:
    rig.aws.buckets.all[BUCKET].put("trailhouse-selftest/other/x", b"x")
    rig.aws.buckets.all[BUCKET].put("data", b"x")
    rig.aws.client("glue").create_database(DatabaseInput={"Name": "trailhouse_selftest"})
    rig.run(FEW)
    assert set(rig.aws.buckets.all[BUCKET].objects) == {"trailhouse-selftest/other/x", "data"}
    assert rig.databases() == ["trailhouse_selftest"]


PHASES = ["glue.CreateDatabase", "glue.CreateTable", "glue.BatchCreatePartition", "athena.GetWorkGroup",
          "athena.StartQueryExecution", "athena.GetQueryExecution", "athena.GetQueryResults"]  # fmt: skip


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("code", ["AccessDeniedException", "ExpiredTokenException"])
def test_a_failure_in_any_phase_leaves_nothing(rig: Rig, phase: str, code: str) -> None:
    service, _, operation = phase.partition(".")
    fault = Fault(operation, code=code, times=1, message="not authorized")
    (rig.aws.glue.log if service == "glue" else athena(rig).log).faults.append(fault)
    run = rig.run(FEW)
    assert rig.nothing_is_left()
    assert run.left.things == []
    assert len(run.outcomes) == len(FEW)
    if code == "ExpiredTokenException":
        assert run.error is not None
        assert "expired" in run.stopped


def test_a_failure_while_logs_are_written_leaves_nothing(rig: Rig) -> None:
    rig.aws.s3.log.faults.append(Fault("PutObject", code="AccessDenied", status=403, skip=7))
    run = rig.run(FEW)
    assert isinstance(run.error, AccessDeniedError)
    assert set(verdicts(run).values()) == {Verdict.NOT_RUN}
    assert rig.nothing_is_left()


@pytest.mark.parametrize("word", ["writing", "1/2 t.asks", "2/2 t.makes"])
def test_ctrl_c_in_any_phase_leaves_nothing(rig: Rig, word: str) -> None:
    test = rig.selftest(FEW)

    def say(text: str) -> None:
        if text.startswith(word):
            raise KeyboardInterrupt

    test._say = say
    run = test.run()
    assert run.interrupted
    assert rig.nothing_is_left()
    assert len(run.outcomes) == len(FEW)
    assert run.outcomes[-1].seen == "it was interrupted"


def test_ctrl_c_stops_the_running_statement(rig: Rig) -> None:
    def answers(_sql: str, _database: str) -> Table:
        raise AssertionError("it must not end")

    athena(rig).answers, athena(rig).hold = answers, True
    test = rig.selftest(FEW)
    test._hands.athena._watch = _Interrupting()
    assert test.run().interrupted
    assert [run.state for run in athena(rig).runs.values()] == ["CANCELLED"]
    assert rig.nothing_is_left()


class _Interrupting:
    def running(self, *_: object) -> None:
        raise KeyboardInterrupt

    def done(self) -> None:
        """Nothing."""


def test_ctrl_c_while_removing_says_what_may_be_there(rig: Rig) -> None:
    test = rig.selftest((ASKS,))

    def interrupted() -> object:
        raise KeyboardInterrupt

    test._scratch.remove = interrupted  # type: ignore[method-assign,assignment]  # this once
    run = test.run()
    assert run.interrupted
    assert DATABASE in run.left.things[0]


def test_what_cannot_be_removed_is_listed_and_the_rest_goes(rig: Rig) -> None:
    rig.aws.glue.inject(denied("DeleteDatabase", times=None))
    run = rig.run(FEW)
    (thing,) = run.left.things
    assert thing.startswith(f"database {DATABASE}: access denied")
    assert not rig.aws.buckets.all[BUCKET].objects


def test_objects_that_cannot_be_removed_are_listed_and_the_database_goes(rig: Rig) -> None:
    rig.aws.s3.log.faults.append(Fault("DeleteObjects", code="AccessDenied", status=403, times=None))
    run = rig.run(FEW)
    (thing,) = run.left.things
    assert thing.startswith(f"objects s3://{BUCKET}/{PREFIX}: access denied")
    assert rig.databases() == []


def test_results_that_a_workgroup_keeps_elsewhere_are_said(rig: Rig) -> None:
    athena(rig).workgroups["primary"] = Workgroup(location="s3://theirs/", enforced=True)
    run = rig.run(FEW)
    assert run.left.things == ["3 results of statements lie where workgroup primary keeps them"]


# -- the price ------------------------------------------------------------------------------------------------------


def test_no_statement_is_sent_that_could_exceed_the_limit(rig: Rig) -> None:
    checks = tuple(Check(f"t.n{n}", "?", (), ASKS.steps, ASKS.expect) for n in range(5))
    run = rig.run(checks, purse=Purse(limit=statement_cost(0) + statement_cost(2) * 3))
    assert rig.operations().count("athena.StartQueryExecution") == 4
    assert [each.verdict for each in run.outcomes] == [Verdict.CONFIRMED] * 3 + [Verdict.NOT_RUN] * 2
    assert "to keep the price" in run.outcomes[-1].seen
    assert rig.nothing_is_left()


def test_what_was_read_is_counted_and_stops_the_run(rig: Rig) -> None:
    def answers(sql: str, _database: str) -> Table:
        return Table([("one", "integer")], [[1]], scanned=20_000_000_000 * ("AS one" in sql))

    athena(rig).answers = answers
    run = rig.run((ASKS, MAKES))
    assert [each.verdict for each in run.outcomes] == [Verdict.CONFIRMED, Verdict.NOT_RUN]
    assert run.purse.spent > Decimal("0.10")
    assert run.purse.statements == 2


def test_a_statement_that_reads_too_much_or_takes_too_long_is_stopped() -> None:
    watch = _Watch(Purse())
    watch.running("RUNNING", 1_000_000, 1.0)
    with pytest.raises(CostStop, match="read 30,000,000,000 bytes"):
        watch.running("RUNNING", 30_000_000_000, 1.0)
    with pytest.raises(Hindered, match="no answer after 300 seconds"):
        watch.running("RUNNING", 1, 301.0)


def test_a_call_is_repeated_and_its_answers_are_kept(rig: Rig) -> None:
    calls = Check("t.api", "?", (), (Api("glue", "GetDatabase", {"Name": "{database}"}, repeat=3),), Runs())
    run = rig.run((calls,))
    assert verdicts(run) == {"t.api": Verdict.CONFIRMED}
    assert rig.operations().count("glue.GetDatabase") == 5


@pytest.mark.parametrize("token", ["", "short", "UPPERCASE1", "../../../x", "a" * 33])
def test_a_token_that_could_lead_elsewhere_is_refused(token: str) -> None:
    with pytest.raises(UsageError, match="token"):
        Place(BUCKET, token)
