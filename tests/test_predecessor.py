"""The 27 faults of cloudtrail-partitioner, a test by each number that fails when the fault is put back.

Each docstring says the fault in a sentence, then the change to our code that brings it back. They are facts about
the code as it is: make the change and the test fails.
"""

from __future__ import annotations

import ast
import json
import sys
import tomllib
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import trailhouse
from bed.faults import throttle
from bed.glue import StrictGlue
from deliveries import ACCOUNT, deliver, event
from predecessor import tables as old
from predecessor.bucket import TODAY, discoveries, discovery, key
from predecessor.memory import Known, StoppableCatalog
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.catalog.adoption import Adoption
from trailhouse.catalog.application import Application, Report
from trailhouse.catalog.convergence import Aim
from trailhouse.catalog.glue import GlueCatalog
from trailhouse.catalog.port import Outcome, Restrictions
from trailhouse.cli import main
from trailhouse.config import load
from trailhouse.config.settings import Settings, Source
from trailhouse.core.adoption import COLUMNS
from trailhouse.core.deliveries import AccountFolder, Delivery
from trailhouse.core.layout import Kind
from trailhouse.core.operations import Use, operations
from trailhouse.core.plan import Action, Target
from trailhouse.core.policy import METRICS, Folder, Names, Role, document, role_policy
from trailhouse.core.state import CLOUDTRAIL_FORMAT, Table, View, hive_columns
from trailhouse.deploy.template import Code, fill
from trailhouse.deploy.values import values_of
from trailhouse.errors import AccessDeniedError
from trailhouse.nightly.deployment import DIMENSION, SUCCEEDED
from trailhouse.storage.listing import S3Lister

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bed.aws import Aws
    from trailhouse.catalog.aim import Surveyor
    from trailhouse.core.plan import Change, Part

A, B = "111122223333", "444455556666"
ORG, OTHER_ORG = "o-abcdefghij", "o-klmnopqrst"
SHAPES = ("per_account", "single")
MIDNIGHT = datetime(2026, 1, 2)  # noqa: DTZ001 - columns of time are UTC, without a zone
ROOT = Path(__file__).parent.parent


def day(back: int) -> date:
    return TODAY - timedelta(days=back)


def aim(shape: str = "per_account", today: date = TODAY, *, days: int = 90) -> Aim:
    return Aim("security", "cloudtrail", today, tables=shape, days=days)


def plan(catalog: Any, surveyor: Surveyor, wanted: Aim) -> list[Part]:  # noqa: ANN401 - either catalog
    return list(Adoption(catalog, surveyor, wanted, adopt=False).parts())


def run(catalog: Any, surveyor: Surveyor, wanted: Aim) -> Report:  # noqa: ANN401 - either catalog
    """Plan and carry out, as `apply` does."""
    application = Application(catalog, wanted.database, wanted.prefix)
    for part in plan(catalog, surveyor, wanted):
        assert not part.refusals
        application.carry_out(part)
    return application.report


def changes(parts: list[Part]) -> list[Change]:
    return [change for part in parts for change in part.changes]


def locations(catalog: StoppableCatalog) -> list[str]:
    return sorted(one.location for held in catalog.held.values() for one in held.values())


def logs(*keys: str) -> set[str]:
    """The folders of keys."""
    return {f"s3://logs/{one.rpartition('/')[0]}/" for one in keys}


def delivered(account: str, *days: date, root: str = "AWSLogs", region: str = "eu-west-1") -> Delivery:
    return Delivery(AccountFolder("logs", root, account), Kind.CLOUDTRAIL, region, tuple(sorted(days)))


@contextmanager
def on_glue(glue: StrictGlue) -> Iterator[GlueCatalog]:
    """A catalog on the strict Glue; nobody asks for its settings."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        gate = Gate(Access(region="eu-west-1"))
        glue.attach(gate.session)
        catalog = GlueCatalog(gate, "security", "cloudtrail", wait=lambda _: None)
        patch.setattr(catalog, "restrictions", Restrictions)
        yield catalog


def ask(glue: StrictGlue, operation: str, **parameters: Any) -> Any:  # noqa: ANN401 - what Glue answers
    status, body = glue.answer(operation, json.dumps(parameters).encode())
    assert status == 200, body
    return json.loads(body)


NAMES = Names(
    "aws",
    "eu-west-1",
    ACCOUNT,
    (Folder("logs", "AWSLogs/"),),
    Folder("results"),
    Folder("scratch"),
    database="security",
)


def statements(role: Role, names: Names = NAMES) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document(role_policy(role, names))["Statement"]
    return found


def allowed(role: Role) -> set[str]:
    return {action for one in statements(role) for action in one["Action"]}


# -- silent wrong answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_fault_01_the_first_day_of_every_new_account_is_lost(shape: str) -> None:
    """A night made partitions for today and tomorrow only.

    So the day on which an account was first seen, and every missed night, stayed out for good. Back by leaving
    `wanted[...].update(delivery.days)` out of `desired.partitions`, or by `HEAL_DAYS = 1`.
    """
    first, found = TODAY, Known(delivered(A, TODAY), delivered(B, TODAY))
    catalog = StoppableCatalog()
    run(catalog, Known(delivered(A, TODAY)), aim(shape, first))
    run(
        catalog, found, aim(shape, first + timedelta(days=1))
    )  # B was first seen at ten o'clock the day before
    assert delivered(B).location(first) in locations(catalog)
    missed = [first + timedelta(days=number) for number in range(2, 25)]  # the nights of three weeks
    run(catalog, Known(delivered(A, TODAY, *missed)), aim(shape, missed[-1] + timedelta(days=1)))
    assert {delivered(A).location(one) for one in missed} <= set(locations(catalog))


def test_fault_02_the_view_is_dropped_in_another_database() -> None:
    """DROP VIEW ran without a database, so it hit a view of the same name in `default`.

    Back by `DatabaseName="default"` in `Definitions._call`, or by leaving the database out of `views._table`.
    """
    glue = StrictGlue()
    ask(glue, "CreateDatabase", DatabaseInput={"Name": "default"})
    ask(glue, "CreateTable", DatabaseName="default", TableInput=old.view([A]))
    before = ask(glue, "GetTables", DatabaseName="default")
    glue.log.clear()
    with on_glue(glue) as catalog:
        run(catalog, Known(delivered(A, day(1))), aim())
        run(catalog, Known(delivered(A, day(1)), delivered(B, day(1))), aim())
    named = {call.parameters.get("DatabaseName", "security") for call in glue.calls}
    assert named == {"security"}
    assert ask(glue, "GetTables", DatabaseName="default") == before
    made = changes(plan(StoppableCatalog(), Known(delivered(A, day(1))), aim()))
    for view in [one.after for one in made if isinstance(one.after, View)]:
        bare = view.sql.replace(' FROM "security".', "").replace(" FROM (", "")
        assert " FROM " not in bare


def test_fault_03_the_nightly_run_may_not_delete_what_it_replaces() -> None:
    """Its role lacked glue:DeleteTable, so every night failed at the view, after the partitions.

    Back by taking `Use.APPLY` from DeleteTable in `core/operations.py`.
    """
    assert {f"glue:{name}" for name in ("CreateTable", "UpdateTable", "DeleteTable")} <= allowed(Role.RUNNER)
    needed = {
        a for one in operations() if Use.APPLY in one.uses and one.service == "glue" for a in one.actions
    }
    assert needed <= allowed(Role.RUNNER)


@pytest.mark.parametrize("shape", SHAPES)
def test_fault_04_failures_are_told_to_nobody(shape: str) -> None:
    """The alarm watched a metric that nothing ever wrote, and missing data counted as well.

    Here a failure is the run's own result, whoever starts it, and the deployed alarm waits for a metric that each
    success writes, so that silence is what sets it off. Back by not keeping `part.error` in
    `Application.carry_out`, by `Report.complete` that looks at nothing, by another name in `Deployment.succeeded`,
    or by `treat_missing_data="notBreaching"` in `deploy/stack/alarms.py`.
    """
    error = AccessDeniedError("no")

    class Failing(Known):
        def each(self, folders: Any, since: date | None) -> Iterator[Any]:  # noqa: ANN401 - as the protocol
            for account, found in super().each(folders, since):
                yield account, error if account == B else found

    report = run(StoppableCatalog(), Failing(delivered(A, day(1)), delivered(B, day(1))), aim(shape))
    assert report.failed[B].error is error
    assert not report.complete
    alarms = {one["MetricName"]: one for one in deployed("AWS::CloudWatch::Alarm")}
    silent = alarms[SUCCEEDED]
    assert (silent["Namespace"], silent["TreatMissingData"]) == (METRICS, "breaching")
    assert [one["Name"] for one in silent["Dimensions"]] == [DIMENSION]
    assert silent["Period"] * silent["EvaluationPeriods"] == 26 * 3_600
    assert all(one["AlarmActions"] for one in alarms.values())


def deployed(kind: str) -> list[dict[str, Any]]:
    """Resources of a kind in the template, as the shipped configuration fills it."""
    settings = load(
        {"alarm_sns_arn": f"arn:aws:sns:us-east-1:{A}:alarm"}, {}, ROOT / "config" / "config.yaml"
    )
    settings = settings.model_copy(update={"s3_bucket_containing_logs": "my-logs"})
    resources = fill(values_of(settings), Code("code", "key"))["Resources"].values()
    return [one["Properties"] for one in resources if one["Type"] == kind]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("AWSLogs", f"AWSLogs/{ORG}", id="own trail and organization's"),
        pytest.param(f"{ORG}/AWSLogs", f"{ORG}/AWSLogs/{ORG}", id="before and after landing zone 3.0"),
    ],
)
def test_fault_05_an_account_under_two_roots_is_half_lost_and_doubled(
    shape: str, first: str, second: str
) -> None:
    """The second root's table had the first one's name: its logs were never read.

    And the view read the first one's twice. Back by taking `logroot` from `state.ACCOUNT_KEYS`, or by joining
    the view from folders instead of accounts.
    """
    keys = [key(A, day(1), first), key(A, day(1), second)]
    catalog = StoppableCatalog()
    with discovery(*keys) as found:
        run(catalog, found, aim(shape))
    assert logs(*keys) <= set(locations(catalog))
    assert len(locations(catalog)) == len(set(locations(catalog)))
    view = catalog.tables["cloudtrail"].definition
    assert isinstance(view, View)
    assert view.sql.count(f'"cloudtrail_{A}"' if shape == "per_account" else '"cloudtrail_raw"') == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_fault_06_two_organizations_or_prefixes_collide(shape: str) -> None:
    """Two organizations, prefixes or buckets that hold one account had one table name, and one place.

    Back by `Partition` values without the bucket: `AccountFolder.logroot` that gives `root` alone.
    """
    roots = [f"AWSLogs/{ORG}", f"AWSLogs/{OTHER_ORG}", "a/AWSLogs", "b/AWSLogs"]
    keys = [key(A, day(1), root) for root in roots]
    catalog = StoppableCatalog()
    sources = ["s3://logs", "s3://more/AWSLogs"]
    with discoveries({"logs": [*keys, key(A, day(1))], "more": [key(A, day(1))]}, sources) as found:
        run(catalog, found, aim(shape))
    wanted = logs(*keys, key(A, day(1))) | {f"s3://more/{key(A, day(1)).rpartition('/')[0]}/"}
    assert wanted <= set(locations(catalog))
    table = f"cloudtrail_{A}" if shape == "per_account" else "cloudtrail_raw"
    assert {one.location.split("/")[2] for one in catalog.held[table].values()} == {"logs", "more"}


@pytest.mark.parametrize("shape", SHAPES)
def test_fault_07_tables_are_never_updated(shape: str) -> None:
    """CREATE TABLE IF NOT EXISTS left columns and place as they were, 23 columns of 2019 for good.

    Back by `diff_partitions` that compares locations alone, or by columns of 2019 in `core/schema.py`. (A table is
    safe twice: `diff_definition` that finds nothing is not enough, what is new is written with the account's end.)
    """
    found, catalog = Known(delivered(A, day(1))), StoppableCatalog()
    run(catalog, found, aim(shape))
    fresh, whole = catalog.state()[0].copy(), {name: dict(held) for name, held in catalog.held.items()}
    name = f"cloudtrail_{A}" if shape == "per_account" else "cloudtrail_raw"
    held = catalog.tables[name]
    assert isinstance(held.definition, Table)
    of_2019 = replace(held.definition, columns=COLUMNS, location="s3://former/")
    catalog.tables[name] = replace(held, definition=of_2019)
    catalog.held[name] = {values: replace(one, columns=COLUMNS) for values, one in whole[name].items()}
    assert run(catalog, found, aim(shape)).complete
    if shape == "single":  # says nothing there: partitions have places of their own
        fresh[name] = replace(catalog.tables[name].definition, location="s3://former/")
    assert catalog.state() == (fresh, whole)
    names = {column for column, _ in hive_columns(Kind.CLOUDTRAIL)}
    since = {"eventcategory", "managementevent", "tlsdetails", "addendum", "sessioncredentialfromconsole"}
    assert since | {"edgedevicedetails", "vpcendpointaccountid"} <= names
    identity = dict(hive_columns(Kind.CLOUDTRAIL))["useridentity"]
    assert all(f"{field}:" in identity for field in ("ec2roledelivery", "webidfederationdata", "onbehalfof"))


@pytest.mark.parametrize("shape", SHAPES)
def test_fault_08_the_discouraged_serde(shape: str) -> None:
    """Tables were made with CloudTrailSerde, which AWS no longer recommends.

    Back by that name in `state.CLOUDTRAIL_FORMAT`.
    """
    made = changes(plan(StoppableCatalog(), Known(delivered(A, day(1))), aim(shape)))
    formats = {one.after.format for one in made if one.after and not isinstance(one.after, View)}
    assert formats == {CLOUDTRAIL_FORMAT}
    assert CLOUDTRAIL_FORMAT.serde == "org.apache.hive.hcatalog.data.JsonSerDe"


def test_fault_09_days_are_those_of_the_machine() -> None:
    """`datetime.today()` is local: west of Greenwich the newest logs had no partition in the evening.

    Back by `datetime.now().astimezone()` or `date.today()` for the clock: it is read once, in `cli/app.py`.
    """
    clocks = [
        (path.name, ast.unparse(node))
        for path in sorted((ROOT / "src" / "trailhouse").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith(("datetime.now", "date.today", "datetime.today", "utcnow"))
    ]
    assert clocks
    assert {call for _, call in clocks} == {"datetime.now(UTC)"}


def test_fault_10_the_day_of_delivery_passes_for_the_event_s(tmp_path: Path) -> None:
    """The partition's day was shown as the event's, so a question about a day missed what came after midnight.

    Back by a window of files that is not widened by `late`, or by `eventtimestamp` made from year, month, day.
    """
    late = event(1, eventTime="2026-01-01T23:58:00Z")
    source = tmp_path / "logs"
    deliver(source, [late, event(2, eventTime="2026-01-02T00:10:00Z")], day="2026-01-02")
    with trailhouse.open(source, since="2026-01-01", until="2026-01-02", workdir=tmp_path / "work") as house:
        found = house.query("SELECT eventid, eventtimestamp, day FROM cloudtrail_events").arrow()
    assert found.to_pylist() == [
        {"eventid": "id1", "eventtimestamp": MIDNIGHT - timedelta(minutes=2), "day": "02"}
    ]


@pytest.mark.slow
def test_fault_11_ranges_of_days_need_chains_of_or(tmp_path: Path) -> None:
    """Year, month and day as three texts allow no BETWEEN over the end of a month.

    Here `eventtimestamp` has one, the three keys joined are in the order of time, and --since and --until say it
    for both. Back by keys without leading zeros (`_date_values`), or without `eventtimestamp` in `cloudtrail_events`.
    """
    days = [date(2025, 12, 30) + timedelta(days=number) for number in range(70)]
    made = plan(StoppableCatalog(), Known(delivered(A, *days)), aim(today=days[-1]))
    values = {c.values[1:4]: c.after for c in changes(made) if c.target is Target.PARTITION}
    joined = sorted("".join(one) for one in values)
    assert joined[: len(days)] == [f"{one:%Y%m%d}" for one in days]
    source = tmp_path / "logs"
    for number, one in enumerate(days[:40]):
        text = one.isoformat()
        deliver(source, [event(number, eventTime=f"{text}T10:00:00Z")], day=text, unique=f"{number:016}")
    with trailhouse.open(source, workdir=tmp_path / "work") as house:
        for condition in (
            "eventtimestamp BETWEEN TIMESTAMP '2026-01-30 00:00:00' AND TIMESTAMP '2026-02-02 23:59:59'",
            "year || month || day BETWEEN '20260130' AND '20260202'",
        ):
            counted = house.query(f"SELECT count(*) AS n FROM cloudtrail_events WHERE {condition}")
            assert counted.arrow().to_pylist() == [{"n": 4}]


# -- discovery -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("above", ["AWSLogs", f"AWSLogs/{ORG}"])
@pytest.mark.parametrize(
    "folder", ["ABCDEFGHIJKL", "aaaabbbbcccc", "12345678901", "1234567890123", "\uff11" * 12]
)
def test_fault_12_folders_of_letters_are_accounts(folder: str, above: str) -> None:
    """`[0-d]` takes capital letters, too, and below an organization anything was an account.

    Back by `re.compile("[0-d]{12}")` or by digits of any script in `deliveries._ACCOUNT`.
    """
    stranger = key(A, day(1), above).replace(A, folder)
    with discovery(stranger, key(B, day(1), above)) as found:
        assert [one.account for one in found.folders()] == [B]


@pytest.mark.emulator
def test_fault_13_the_thousandth_account_is_the_last(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders were listed without a second page: beyond 1,000 they did not exist.

    Back by `return` after the first `yield page` in `S3Lister._pages`.
    """
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    accounts = [f"{number:012}" for number in range(1, 1_202)]
    aws.bucket("thousand", ((key(account, day(1), f"AWSLogs/{ORG}"), b"") for account in accounts))
    found = [name.rstrip("/") for name in S3Lister(Access()).children("thousand", f"AWSLogs/{ORG}/")]
    assert found == accounts


@pytest.mark.parametrize(
    "before", [["A.txt"], ["AWSConfig/x"], ["0/1"], [f"AWSLogs/{B}/Config/eu-west-1/2026/3/1/x.json.gz"], []]
)
def test_fault_14_anything_that_sorts_before_the_logs_hides_them(before: Sequence[str]) -> None:
    """The check looked at the first name only, so another file or folder meant "no contents".

    And without any folder it broke. Back by `Search` that looks at the first child alone.
    """
    with discovery(*before, key(A, day(1))) as found:
        assert AccountFolder("logs", "AWSLogs", A) in found.folders()
    with discovery(*before) as empty:
        assert A not in {one.account for one in empty.folders()}


@pytest.mark.parametrize("spelled", ["trails/x", "/trails/x", "trails/x/", "/trails/x/", "//trails/x//"])
def test_fault_15_the_prefix_has_to_end_as_the_program_likes(spelled: str) -> None:
    """Anything before /AWSLogs was asked for, and only one spelling of it worked.

    Back by `key_prefix` that returns its value as it is.
    """
    settings = Settings(s3_bucket_containing_logs="logs", cloudtrail_prefix=spelled)
    (source,) = settings.log_sources()
    assert source.uri == "s3://logs/trails/x/AWSLogs/"
    with discovery(key(A, day(1), "trails/x/AWSLogs"), source=source.uri) as found:
        assert [one.root for one in found.folders()] == ["trails/x/AWSLogs"]
    whole = Settings(s3_bucket_containing_logs="logs", cloudtrail_prefix="")
    assert whole.log_sources()[0].uri == "s3://logs/AWSLogs/"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("root", ["AWSLogs", f"trails/x/AWSLogs/{ORG}", ""])
def test_fault_16_two_slashes_in_locations(shape: str, root: str) -> None:
    """Locations had `//CloudTrail/`, which Athena mends and nothing else reads.

    Back by `f"{self.key}/{kind}/"` in `AccountFolder.folder`. And what really has `//` in its keys is told, since
    Athena cannot reach it: back by `is_reachable` that is always true.
    """
    made = changes(plan(StoppableCatalog(), Known(delivered(A, day(1), root=root)), aim(shape)))
    places = [one.after.location for one in made if one.after and not isinstance(one.after, View)]
    assert places
    assert not [place for place in places if "//" in place.removeprefix("s3://") or not place.endswith("/")]
    with discovery(key(A, day(1), "trails//AWSLogs"), key(B, day(1))) as found:
        assert [one.account for one in found.folders()] == [B]
        assert any("cannot reach" in one.oddity for one in found.oddities)


def test_fault_17_regions_are_those_of_the_caller() -> None:
    """Regions came from EC2 as the caller sees it: 34 partitions an account and day, nearly all empty.

    And none of a region of another partition, or of one opened later. Back by `everywhere = set(regions)` in
    `desired.partitions`, or by days that go to every region.
    """
    regions = ["us-gov-west-1", "cn-north-1", "xx-new-9"]
    days = [day(back) for back in range(60)]
    with discovery(*(key(A, one, region=region) for one in days for region in regions)) as found:
        made = changes(plan(StoppableCatalog(), found, replace(aim(), regions=("eu-west-1", "eu-west-2"))))
    partitions = [one.values[0] for one in made if one.target is Target.PARTITION]
    assert {region: partitions.count(region) for region in regions} == dict.fromkeys(regions, 61)
    assert {partitions.count(region) for region in ("eu-west-1", "eu-west-2")} == {2}  # today and tomorrow
    assert not [one for one in operations() if one.service == "ec2"]


# -- scale and operations --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_fault_18_a_statement_for_each_account_and_day(shape: str) -> None:
    """Two accounts and 90 days took 566 calls, one after the other; 1,000 accounts two days.

    Back by batches of one: `_SIZES` of `catalog/batches.py`.
    """
    glue = StrictGlue()
    glue.index_seconds = 0
    regions = [f"eu-test-{number}" for number in range(1, 18)]
    days = [day(back) for back in range(90)]
    found = Known(*(delivered(account, *days, region=region) for account in (A, B) for region in regions))
    with on_glue(glue) as catalog:
        run(catalog, found, aim(shape))
        assert glue.counts.total() <= 110
        glue.log.clear()
        run(catalog, found, aim(shape))
        assert glue.counts.total() <= 12
    assert not [name for name in glue.counts if not name.startswith("Get")]


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_fault_19_one_failure_ends_everything(shape: str) -> None:
    """The first account that failed ended the run before all others and the view.

    Nothing was tried again, and a run that was cut off began anew. Back by `raise` instead of a `Failure` in
    `Application`, or without retries in `catalog/batches.py`.
    """

    class Broken(StoppableCatalog):
        def carry_out(self, changes: Sequence[Change]) -> Iterator[Outcome]:
            for outcome in super().carry_out(changes):
                broken = outcome.change.target is Target.PARTITION and A in str(outcome.change)
                yield replace(outcome, error=AccessDeniedError("no")) if broken else outcome

    found = Known(delivered(A, day(1)), delivered(B, day(1)))
    catalog = Broken()
    report = run(catalog, found, aim(shape))
    assert list(report.failed) == [A]
    assert delivered(B).location(day(1)) in locations(catalog)
    assert {f"cloudtrail_{B}", "cloudtrail", "cloudtrail_events"} <= catalog.tables.keys()
    glue = StrictGlue()
    glue.index_seconds = 0
    glue.inject(throttle("BatchCreatePartition", times=2))
    with on_glue(glue) as throttled:
        assert run(throttled, found, aim(shape)).complete


@pytest.mark.slow
def test_fault_20_the_view_is_gone_while_it_is_changed() -> None:
    """The view was dropped before it was made again: until then, and after a failure, no question had an answer.

    Back by `Action.REPLACE` for a view that differs in `diff_definition`.
    """
    glue = StrictGlue()
    with on_glue(glue) as catalog:
        run(catalog, Known(delivered(A, day(1))), aim())
        glue.log.clear()
        made = changes(plan(catalog, Known(delivered(A, day(1)), delivered(B, day(1))), aim()))
        run(catalog, Known(delivered(A, day(1)), delivered(B, day(1))), aim())
    assert [one.action for one in made if one.name == "cloudtrail"] == [Action.UPDATE]
    assert not [name for name in glue.counts if "Delete" in name]


def test_fault_21_results_are_fetched_of_statements_that_have_none() -> None:
    """Every DDL statement was followed by pages of GetQueryResults.

    Here no statement is sent for the catalog at all. Back by a use of `Use.APPLY` for any operation of Athena's.
    """
    for use in (Use.PLAN, Use.APPLY, Use.ADOPT, Use.DESTROY):
        assert not [str(one) for one in operations() if one.service == "athena" and use in one.uses]


@pytest.mark.parametrize("shape", SHAPES)
def test_fault_22_nothing_found_is_a_syntax_error(shape: str) -> None:
    """Without an account the view was `CREATE VIEW ... AS ` and nothing.

    A dash in `table_prefix` broke every statement. Back by views for no accounts in `desired.shared_views`, or
    by `-` in `names.table_prefix`.
    """
    catalog = StoppableCatalog()
    with discovery() as nothing:
        assert run(catalog, nothing, aim(shape)).complete
    assert not [found for found in catalog.tables.values() if isinstance(found.definition, View)]
    for prefix in ("cloud-trail", "", "1trail", "Cloudtrail", 'a"b'):
        with pytest.raises(ValueError, match="table_prefix"):
            Settings(table_prefix=prefix)


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn"])
def test_fault_23_permissions_are_wide_and_of_one_partition(partition: str) -> None:
    """Statements ran in no workgroup, on `Resource: *`, with s3:CreateBucket and `arn:aws:` everywhere.

    And nobody checked whose bucket it was. Back by `Resource.ANY` for StartQueryExecution, by `arn:aws:` in
    `policy._arns`, or by a lister that leaves
    `ExpectedBucketOwner` out.
    """
    names = replace(NAMES, partition=partition, workgroup="security")
    for role in Role:
        found = statements(role, names)
        assert "s3:CreateBucket" not in {action for one in found for action in one["Action"]}
        for one in found:
            resources = one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]]
            assert all(arn == "*" or arn.startswith(f"arn:{partition}:") for arn in resources)
            if "athena:StartQueryExecution" in one["Action"]:
                assert all(arn.endswith("workgroup/security") for arn in resources)
            if "*" in resources:
                assert not [a for a in one["Action"] if a.startswith(("s3:", "glue:", "athena:", "kms:"))]
    asked: list[dict[str, object]] = []

    class Noting:
        def call(self, *_: str, **parameters: object) -> dict[str, object]:
            asked.append(parameters)
            return {}

    list(S3Lister(Access(expected_owner=A), Noting()).children("logs", ""))  # type: ignore[arg-type]  # `call` is all
    assert [one["ExpectedBucketOwner"] for one in asked] == [A]


def test_fault_24_one_bucket_in_one_region_with_one_profile() -> None:
    """The bucket had to be in the caller's region, there was one, and no role could be taken for it.

    Back by `GetBucketLocation` among what planning calls (`core/operations.py`), or by one access for all sources.
    """
    asked = {one.name for one in operations() if {Use.PLAN, Use.APPLY} & one.uses}
    assert not {"GetBucketLocation", "HeadBucket"} & asked
    role = "arn:aws:iam::444455556666:role/reader"
    settings = Settings(
        sources=(
            Source(uri="s3://logs"),
            Source(uri="s3://more", role_arn=role, external_id="us", region="eu-south-2"),
        )
    )
    first, second = settings.log_sources()
    assert (first.role_arn, second.role_arn, second.external_id) == (None, role, "us")
    with discoveries({"logs": [key(A, day(1))], "more": [key(B, day(1))]}, [first.uri, second.uri]) as found:
        assert [(one.bucket, one.account) for one in found.folders()] == [("logs", A), ("more", B)]


def test_fault_25_the_command_line_is_parsed_wherever_a_session_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each session read the arguments of the process, which in a container are someone else's.

    Back by `argparse` or `sys.argv` below `cli/` (`config/reference.py` is a program that writes a page).
    """
    monkeypatch.setattr(sys, "argv", ["bootstrap", "handler.main", "--no-such-option"])
    assert Gate(Access(region="eu-west-1")).region == "eu-west-1"
    readers = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "src" / "trailhouse").rglob("*.py"))
        if any(word in path.read_text("utf-8") for word in ("sys.argv", "argparse"))
        and "cli" not in path.parts
    ]
    assert readers == ["src/trailhouse/config/reference.py"]


def test_fault_26_what_the_read_me_says_is_not_what_runs() -> None:
    """The read-me named another hour than the code, and left out a package that had to be installed by hand.

    Here every package that is imported is declared, so installing is all, and the hour that the read-me names is the
    schedule's. Back by taking `pyyaml` from `dependencies` in `pyproject.toml`, or by another default of `schedule`.
    """
    (schedule,) = deployed("AWS::Scheduler::Schedule")
    assert (schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]) == (
        "cron(0 6 * * ? *)",
        "UTC",
    )
    assert "06:00 UTC" in (ROOT / "README.md").read_text("utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [one for some in project["optional-dependencies"].values() for one in some]
    declared = {_plain(one) for one in (*project["dependencies"], *extras)}
    brought = {
        "botocore",
        "dateutil",
        "pydantic_core",
        "sqlalchemy",
        "typing_extensions",
    }  # by those that are declared
    imported = {
        name
        for path in (ROOT / "src" / "trailhouse").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in _imported(node)
    }
    foreign = imported - set(sys.stdlib_module_names) - {"trailhouse", *brought}
    assert {_MODULES.get(name, name) for name in foreign} <= declared


_MODULES = {"aws_cdk": "aws-cdk-lib", "yaml": "pyyaml", "prompt_toolkit": "prompt-toolkit"}


def _plain(requirement: str) -> str:
    return (
        requirement.split(">", maxsplit=1)[0]
        .split("[", maxsplit=1)[0]
        .split("<", maxsplit=1)[0]
        .strip()
        .lower()
    )


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [one.name.partition(".")[0] for one in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module.partition(".")[0]]
    return []


@pytest.mark.parametrize("shape", SHAPES)
def test_fault_27_no_dry_run_no_plan_no_way_back(shape: str, capsys: pytest.CaptureFixture[str]) -> None:
    """There was no plan, no dry run, no removal and no test, and python3.7 with CDK 1 no longer deploys.

    Here the template is CDK 2's, it goes without the CDK, too, and comes away again. Back by a plan that calls
    anything that writes, by taking one of these commands from the command line, or by an older `RUNTIME`.
    """
    named = [one["Runtime"].removeprefix("python").split(".") for one in deployed("AWS::Lambda::Function")]
    runtimes = [tuple(map(int, one)) for one in named]
    assert min(runtimes) >= (3, 13)
    assert json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"]["aws-cdk"].startswith(
        "2."
    )
    glue = StrictGlue()
    with on_glue(glue) as catalog:
        assert changes(plan(catalog, Known(delivered(A, day(1))), aim(shape)))
    assert not [name for name in glue.counts if not name.startswith("Get")]
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    assert all(f" {command} " in told for command in ("plan", "apply", "destroy", "deploy", "undeploy"))


def test_every_fault_has_its_test() -> None:
    numbers = [int(name.split("_")[2]) for name in globals() if name.startswith("test_fault_")]
    assert numbers == list(range(1, 28))
