"""The takeover on a Glue that refuses what AWS refuses, from the definitions that Athena wrote for the predecessor."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bed.faults import Fault, expired
from predecessor import tables as old
from predecessor.memory import Known
from trailhouse.catalog.adoption import Adoption
from trailhouse.catalog.checked import Checked
from trailhouse.catalog.convergence import Aim, Convergence
from trailhouse.catalog.encoding import partition
from trailhouse.catalog.port import Restrictions
from trailhouse.catalog.undo import Undo
from trailhouse.core.adoption import kept_name
from trailhouse.core.deliveries import AccountFolder, Delivery
from trailhouse.core.layout import Kind
from trailhouse.errors import AwsError, TrailhouseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed.glue import StrictGlue
    from catalog.changes import Connect
    from trailhouse.catalog.glue import GlueCatalog
    from trailhouse.core.state import Partition

pytestmark = pytest.mark.slow

A, B = "111122223333", "444455556666"
TODAY = date(2026, 3, 2)
REGIONS = ("eu-west-1", "us-east-1")
DAYS = tuple(TODAY - timedelta(days=back) for back in (3, 2, 1, 0))
SURVEYOR = Known(
    *(Delivery(AccountFolder("logs", "AWSLogs", a), Kind.CLOUDTRAIL, "eu-west-1", DAYS) for a in (A, B))
)
SHAPES = ("per_account", "single")
_TIMES = ("CreateTime", "UpdateTime", "VersionId", "CreationTime", "DatabaseName", "TableName")


@pytest.fixture
def catalog(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> GlueCatalog:
    """A catalog whose settings forbid nothing; no one is asked for them."""
    made = connect()
    monkeypatch.setattr(made, "restrictions", Restrictions)
    return made


def send(glue: StrictGlue, operation: str, **parameters: Any) -> Any:  # noqa: ANN401 - what Glue answers
    status, body = glue.answer(operation, json.dumps(parameters).encode())
    answer = json.loads(body)
    assert status == 200, answer
    return answer


def leave_behind(glue: StrictGlue, *accounts: str, held: int = 120) -> None:
    """What the predecessor leaves: more partitions than a batch takes."""
    glue.index_seconds = 0
    send(glue, "CreateDatabase", DatabaseInput={"Name": "security"})
    for account in accounts:
        place = old.folder("logs", account)
        send(glue, "CreateTable", DatabaseName="security", TableInput=old.table(account, place))
        inputs = list(old.partitions(place, REGIONS, TODAY, held))
        for start in range(0, len(inputs), 100):
            some = inputs[start : start + 100]
            name = f"cloudtrail_{account}"
            send(
                glue, "BatchCreatePartition", DatabaseName="security", TableName=name, PartitionInputList=some
            )
    send(glue, "CreateTable", DatabaseName="security", TableInput=old.view(accounts, database="security"))


def everything(glue: StrictGlue) -> dict[str, Any]:
    """All of the catalog, but for times and versions; of partitions, what Athena reads them by."""
    tables = send(glue, "GetTables", DatabaseName="security")["TableList"]
    return {
        table["Name"]: (_timeless(table), {one.values: one for one in _partitions(glue, table["Name"])})
        for table in tables
    }


def _partitions(glue: StrictGlue, name: str) -> Iterator[Partition]:
    more: dict[str, Any] = {}
    while True:
        answer = send(glue, "GetPartitions", DatabaseName="security", TableName=name, **more)
        yield from map(partition, answer["Partitions"])
        if not answer.get("NextToken"):
            return
        more = {"NextToken": answer["NextToken"]}


def _timeless(held: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in held.items() if key not in _TIMES}


def aim(shape: str) -> Aim:
    return Aim("security", "cloudtrail", TODAY, tables=shape, days=3)


def carry_out(catalog: GlueCatalog, flow: Adoption | Undo | Convergence) -> list[TrailhouseError]:
    """Carry a plan out; what failed, and what was refused."""
    errors: list[TrailhouseError] = []
    for part in flow.parts():
        errors += [part.error] if part.error else []
        errors += [TrailhouseError(refusal.reason) for refusal in part.refusals]
        failed = [one.error for one in Checked(catalog).carry_out(part.changes) if one.error]
        errors += failed
        if failed or part.error:
            flow.failed.add(part.name)
    return errors


def adopt(catalog: GlueCatalog, shape: str) -> list[TrailhouseError]:
    return carry_out(catalog, Adoption(catalog, SURVEYOR, aim(shape), adopt=True))


@pytest.mark.parametrize("shape", SHAPES)
def test_taken_over_and_given_back(shape: str, strict: StrictGlue, catalog: GlueCatalog) -> None:
    leave_behind(strict, A, B)
    before = everything(strict)
    assert not adopt(catalog, shape)
    after = everything(strict)
    for name, (table, partitions) in before.items():
        kept, copied = after[kept_name(name)]
        assert copied == partitions
        parameters = {**table["Parameters"], "trailhouse.backup-of": name, "trailhouse.version": "1"}
        assert kept == {**table, "Name": kept_name(name), "Parameters": parameters}
    strict.log.clear()
    again = Adoption(catalog, SURVEYOR, aim(shape), adopt=True)
    assert not [change for part in again.parts() for change in part.changes]
    assert not [name for name in strict.counts if not name.startswith(("Get", "BatchGet"))]
    assert not carry_out(catalog, Undo(catalog, "cloudtrail"))
    assert everything(strict) == before


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("answer", ["refused", "lost"])
def test_cut_off_at_every_call(shape: str, answer: str, strict: StrictGlue, catalog: GlueCatalog) -> None:
    leave_behind(strict, A, held=3)
    before = everything(strict)
    surveyor = Known(*[one for one in SURVEYOR.delivered if one.folder.account == A])

    def run() -> list[TrailhouseError]:
        return carry_out(catalog, Adoption(catalog, surveyor, aim(shape), adopt=True))

    strict.log.clear()
    assert not run()
    wanted = everything(strict)
    calls = sum(count for name, count in strict.counts.items() if not name.startswith(("Get", "BatchGet")))
    assert not carry_out(catalog, Undo(catalog, "cloudtrail"))
    assert everything(strict) == before
    for at in range(calls):
        if answer == "lost":
            strict.inject(Fault(skip=at, cut="after", when=_writes))
        strict.inject(expired(skip=at + (answer == "lost"), when=_writes))
        errors = run()
        assert errors
        assert all(isinstance(error, TrailhouseError) for error in errors)
        strict.heal()
        held = everything(strict)
        for name, (_, partitions) in before.items():
            assert any(held.get(one, (None, None))[1] == partitions for one in (name, kept_name(name)))
        assert not run()
        assert everything(strict) == wanted
        assert not carry_out(catalog, Undo(catalog, "cloudtrail"))
        assert everything(strict) == before


def _writes(operation: str, _: dict[str, Any]) -> bool:
    return not operation.startswith(("Get", "BatchGet"))


@pytest.mark.parametrize("shape", SHAPES)
def test_partitions_that_a_batch_leaves_out_are_an_error_before_the_name_changes_hands(
    shape: str, strict: StrictGlue, catalog: GlueCatalog
) -> None:
    leave_behind(strict, A, B)
    before = everything(strict)
    tomorrow = [f"{TODAY.year}", f"{TODAY.month:02}", f"{TODAY.day + 1:02}"]
    strict.inject(
        Fault(
            "BatchCreatePartition",
            times=None,
            code="InternalServiceException",
            partial=lambda values: A in values[0] or tomorrow == values[1:4],
        )
    )
    errors = adopt(catalog, shape)
    assert any(isinstance(error, AwsError) for error in errors)
    held = everything(strict)
    assert held[f"cloudtrail_{A}"] == before[f"cloudtrail_{A}"]
    strict.heal()
    assert not adopt(catalog, shape)


def test_calls_stay_few(strict: StrictGlue, catalog: GlueCatalog) -> None:
    """Partitions go in hundreds: copying and replacing 2 tables of 242 takes no call a partition."""
    leave_behind(strict, A, B)
    strict.log.clear()
    assert not adopt(catalog, "single")
    assert strict.counts["BatchCreatePartition"] == 2 * (3 + 1)
    assert strict.counts.total() < 80
