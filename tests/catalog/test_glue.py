"""The catalog on a strict Glue: reading, and what depends on what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from bed.faults import Fault, denied, expired
from catalog.changes import (
    ALL,
    COLUMNS,
    DATABASE,
    OLD,
    ONE,
    START,
    VIEW,
    creates,
    delete,
    fails,
    held,
    index,
    make,
    of,
    partition,
    run,
    table_of,
    update,
)
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.catalog.glue import GlueCatalog
from trailhouse.catalog.port import Restrictions
from trailhouse.core.plan import Action
from trailhouse.core.state import INDEXED_KEYS, View
from trailhouse.errors import (
    AccessDeniedError,
    CatalogError,
    CredentialsError,
)

if TYPE_CHECKING:
    import pytest

    from bed.glue import StrictGlue
    from catalog.changes import Connect


def test_a_catalog_without_its_database_is_empty(catalog: GlueCatalog) -> None:
    assert not catalog.exists()
    assert catalog.definitions() == {}
    assert catalog.partitions(ONE, None, None) == {}


def test_what_was_made_is_read_as_it_was_wanted(catalog: GlueCatalog) -> None:
    run(catalog, DATABASE, make(ONE), make(VIEW), *creates(range(3)))
    assert catalog.exists()
    found = catalog.definitions()
    assert found[ONE.name].definition == replace(ONE, indexes=None)
    view = found["cloudtrail"].definition
    assert isinstance(view, View)
    assert (view.sql, view.columns) == (VIEW.sql, VIEW.columns)
    assert held(catalog) == [partition(number) for number in range(3)]


def test_only_names_that_begin_with_the_prefix_are_read_page_by_page(
    filled: GlueCatalog, strict: StrictGlue
) -> None:
    run(filled, *(make(replace(VIEW, name=f"cloudtrail_{number:03}")) for number in range(7)))
    run(filled, make(replace(VIEW, name="other_cloudtrail")))
    strict.page = 3
    strict.log.clear()
    assert len(filled.definitions()) == 8
    assert strict.counts == {"GetTables": 3}


def test_whatever_else_lies_in_the_database_is_read(filled: GlueCatalog, strict: StrictGlue) -> None:
    strict.create_table({"DatabaseName": "security", "TableInput": {"Name": "cloudtrail_bare"}})
    hive = {"Name": "cloudtrail_view", "TableType": "VIRTUAL_VIEW", "ViewOriginalText": "SELECT 1"}
    strict.create_table({"DatabaseName": "security", "TableInput": hive})
    found = filled.definitions()
    assert found["cloudtrail_bare"].version is None
    assert found["cloudtrail_view"].version is None


def test_indexes_are_read_of_tables_of_all_accounts_only(filled: GlueCatalog, strict: StrictGlue) -> None:
    run(filled, make(ALL))
    strict.log.clear()
    found = filled.definitions()
    assert set(table_of(found[ALL.name]).indexes or ()) == set(INDEXED_KEYS)
    assert table_of(found[ONE.name]).indexes is None
    assert strict.counts["GetPartitionIndexes"] == 1


def test_partitions_of_an_account_and_a_time_are_asked_for_by_a_filter(
    filled: GlueCatalog, strict: StrictGlue
) -> None:
    run(filled, make(ALL))
    accounts = [f"{number:012}" for number in range(3)]
    wanted = [partition(number, account=account) for account in accounts for number in range(40)]
    run(filled, *(of(Action.CREATE, one, ALL.name) for one in wanted))
    strict.partition_page = 7
    strict.log.clear()
    read = filled.partitions(ALL, accounts[1], START + timedelta(days=20))
    assert sorted(read) == [partition(number, account=accounts[1]).values for number in range(20, 40)]
    assert strict.counts == {"GetPartitions": 3}
    assert filled.partitions(ALL, None, None) == {one.values: one for one in wanted}
    assert {
        call.parameters["Segment"]["SegmentNumber"] for call in strict.calls if b"Segment" in call.body
    } == set(range(8))


def test_after_a_failure_what_depends_on_it_is_not_tried(filled: GlueCatalog, strict: StrictGlue) -> None:
    second = replace(ONE, name="cloudtrail_444455556666")
    strict.inject(
        Fault(
            "CreateTable", code="InvalidInputException", when=lambda _, p: "4444" in p["TableInput"]["Name"]
        )
    )
    changes = [
        make(second),
        of(Action.CREATE, partition(0), second.name),
        update(second),
        of(Action.CREATE, partition(0)),
        update(OLD),
        make(VIEW),
        delete(ONE),
    ]
    outcomes = list(filled.carry_out(changes))
    assert [outcome.change for outcome in outcomes] == changes
    assert [bool(outcome.error) for outcome in outcomes] == [True, True, True, False, False, True, True]
    assert "not tried" in str(outcomes[1].error)


def test_partitions_go_whatever_else_failed(filled: GlueCatalog, strict: StrictGlue) -> None:
    run(filled, *creates(range(2)))
    strict.inject(Fault("CreateTable", code="InvalidInputException"))
    gone = [of(Action.DELETE, partition(number)) for number in range(2)]
    assert len(fails(filled, make(ALL), *gone)) == 1
    assert held(filled) == []


def test_a_table_is_not_marked_complete_after_a_partition_that_failed(
    filled: GlueCatalog, strict: StrictGlue
) -> None:
    strict.inject(Fault("BatchCreatePartition", partial=lambda v: v[3] == "01", code="InvalidInputException"))
    assert len(fails(filled, *creates(range(2)), update(OLD))) == 2
    assert table_of(filled.definitions()[ONE.name]).columns == COLUMNS


def test_deletes_that_fail_do_not_stop_other_deletes(filled: GlueCatalog, strict: StrictGlue) -> None:
    run(filled, make(VIEW))
    strict.inject(Fault("DeleteTable", code="InvalidInputException"))
    assert len(fails(filled, delete(VIEW), delete(ONE))) == 1
    assert set(filled.definitions()) == {VIEW.name}


def test_without_a_database_nothing_is_tried(catalog: GlueCatalog, strict: StrictGlue) -> None:
    strict.inject(denied("CreateDatabase"))
    found = fails(catalog, DATABASE, make(ONE), *creates(range(2)), make(VIEW))
    assert [type(error) for error in found] == [AccessDeniedError, *[CatalogError] * 4]
    assert strict.counts == {"CreateDatabase": 1}


def test_expired_credentials_end_it(filled: GlueCatalog, strict: StrictGlue) -> None:
    strict.inject(expired())
    found = fails(filled, update(OLD), make(ALL), *creates(range(500)))
    assert [type(error) for error in found] == [CredentialsError, *[CatalogError] * 501]
    assert strict.counts == {"GetTable": 1}


def test_what_was_made_before_credentials_expired_is_told(filled: GlueCatalog, strict: StrictGlue) -> None:
    strict.inject(expired("BatchCreatePartition", skip=3))
    outcomes = list(filled.carry_out([*creates(range(3000)), make(VIEW)]))
    strict.heal()
    made = [outcome.change for outcome in outcomes if outcome.error is None]
    assert len(made) == len(held(filled)) == 300
    assert len(outcomes) == 3001
    assert strict.counts["BatchCreatePartition"] < 20


def test_a_run_that_was_killed_anywhere_is_finished_by_the_next(connect: Connect, strict: StrictGlue) -> None:
    small = [of(Action.CREATE, partition(number, COLUMNS[:2])) for number in range(230)]
    changes = [DATABASE, make(ONE), make(ALL), *map(index, INDEXED_KEYS), *small, make(VIEW)]
    strict.create_database({"DatabaseInput": {"Name": "other"}})
    strict.create_table({"DatabaseName": "other", "TableInput": {"Name": "cloudtrail"}})
    for done in (0, 1, 3, 6, 105, 206, len(changes)):
        strict.databases.pop("security", None)
        killed = connect().carry_out(changes)
        list(islice(killed, done))
        killed.close()  # type: ignore[attr-defined]  # a generator
        catalog = connect()
        run(catalog, *changes)
        assert held(catalog) == [partition(number, COLUMNS[:2]) for number in range(230)]
        assert set(catalog.definitions()) == {ONE.name, ALL.name, VIEW.name}
    assert strict.table("other", "cloudtrail").version == 0


def test_restrictions_are_asked_of_the_settings(
    catalog: GlueCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Restrictions(encrypted=True)
    monkeypatch.setattr("trailhouse.catalog.glue.restrictions", lambda _gate, database: (told, database)[0])
    assert catalog.restrictions() is told


def test_it_works_over_http(strict: StrictGlue, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with strict.serve() as server:
        gate = Gate(Access(endpoint_url=server.url, region="eu-west-1"))
        catalog = GlueCatalog(gate, "security", "cloudtrail")
        run(catalog, DATABASE, make(ONE), *creates(range(230)), make(VIEW))
        strict.partition_page = 100
        assert held(catalog) == [partition(number) for number in range(230)]
        gate.client("glue").close()
