"""Tables, views, indexes and databases on a strict Glue: what is not ours, stale versions, runs that were cut off."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bed.faults import Fault, broken
from catalog.changes import (
    ALL,
    COLUMNS,
    DATABASE,
    MARK,
    OLD,
    ONE,
    VIEW,
    creates,
    delete,
    fails,
    held,
    index,
    make,
    run,
    swap,
    table_of,
    update,
)
from trailhouse.catalog.encoding import encoded
from trailhouse.core.plan import Action, Change
from trailhouse.core.state import INDEXED_KEYS, SINGLE_KEYS, Definition, View
from trailhouse.errors import (
    AwsError,
    CatalogError,
    ConflictError,
    LimitError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bed.glue import StrictGlue
    from catalog.changes import Connect
    from trailhouse.catalog.glue import GlueCatalog


def test_a_table_is_updated_and_what_is_not_ours_stays(filled: GlueCatalog, strict: StrictGlue) -> None:
    held_ = strict.table("security", ONE.name)
    held_.given |= {"Description": "theirs", "Retention": 7, "Owner": "them"}
    held_.given["Parameters"] |= {"theirs": "1"}
    wanted = replace(ONE, columns=COLUMNS[:3])
    run(filled, update(wanted, filled.definitions()[ONE.name].revision))
    now = held_.given
    assert (now["Description"], now["Retention"], now["Owner"]) == ("theirs", 7, "them")
    assert now["Parameters"]["theirs"] == "1"
    assert table_of(filled.definitions()[ONE.name]).columns == COLUMNS[:3]
    assert strict.calls[-2].parameters["SkipArchive"] is True
    assert strict.calls[-2].parameters["VersionId"] == "0"


def test_a_stale_version_is_refused_and_never_written_over(filled: GlueCatalog, strict: StrictGlue) -> None:
    revision = filled.definitions()[ONE.name].revision
    theirs = replace(ONE, location="s3://theirs/")
    run(filled, update(theirs, revision))
    for change in (update(OLD, revision), swap(OLD, revision), delete(ONE, revision)):
        (error,) = fails(filled, change)
        assert isinstance(error, ConflictError)
        assert "plan again" in str(error)
    assert table_of(filled.definitions()[ONE.name]).location == "s3://theirs/"
    assert strict.counts["UpdateTable"] == 1


def test_a_change_between_reading_and_writing_is_refused(filled: GlueCatalog, strict: StrictGlue) -> None:
    def sneak(_operation: str, _parameters: dict[str, Any]) -> bool:
        given = {**strict.table("security", ONE.name).given, "Description": "sneaked in"}
        strict.update_table({"DatabaseName": "security", "Name": ONE.name, "TableInput": given})
        return False

    strict.inject(Fault("UpdateTable", when=sneak))
    (error,) = fails(filled, update(OLD, "0"))
    assert isinstance(error, ConflictError)
    assert strict.table("security", ONE.name).given["Description"] == "sneaked in"
    assert table_of(filled.definitions()[ONE.name]).columns == COLUMNS


def test_an_update_whose_answer_was_lost_is_done(
    connect: Connect, strict: StrictGlue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    catalog = connect(attempts=4)
    run(catalog, DATABASE, make(ONE))
    for operation, change in (
        ("UpdateTable", update(OLD, "0")),
        ("CreateTable", make(VIEW)),
        ("CreateTable", make(ALL)),
        ("DeleteTable", delete(OLD, "1")),
    ):
        strict.inject(Fault(operation, cut="after"))
        run(catalog, change)
    assert set(catalog.definitions()) == {VIEW.name, ALL.name}


def test_an_update_of_what_is_gone_is_refused(filled: GlueCatalog) -> None:
    (error,) = fails(filled, update(VIEW))
    assert isinstance(error, ConflictError)
    assert "is gone" in str(error)


def test_what_is_there_already_is_no_error(filled: GlueCatalog, strict: StrictGlue) -> None:
    run(filled, make(ONE), DATABASE)
    run(filled, make(OLD))  # of an older run, killed
    assert table_of(filled.definitions()[ONE.name]).columns == OLD.columns
    run(filled, update(OLD, "no longer the version, but as wanted"))
    assert strict.counts["UpdateTable"] == 1


@pytest.mark.parametrize("change", [make, update, swap, delete])
def test_what_is_not_ours_is_not_touched(
    filled: GlueCatalog, strict: StrictGlue, change: Callable[[Definition], Change]
) -> None:
    for name, parameters in (("cloudtrail_theirs", {}), ("cloudtrail_newer", {"trailhouse.version": "2"})):
        theirs = encoded(replace(ONE, name=name, parameters=(), location="s3://theirs/"), "security")
        strict.create_table({"DatabaseName": "security", "TableInput": {**theirs, "Parameters": parameters}})
        before = dict(strict.table("security", name).given)
        (error,) = fails(filled, change(replace(ONE, name=name)))
        assert isinstance(error, CatalogError)
        assert strict.table("security", name).given == before


def test_something_else_of_ours_under_a_name_is_not_made_into_it(filled: GlueCatalog) -> None:
    (error,) = fails(filled, make(View(ONE.name, "SELECT 1", (), MARK)))
    assert isinstance(error, ConflictError)
    (error,) = fails(filled, make(replace(ONE, keys=SINGLE_KEYS)))
    assert isinstance(error, ConflictError)


def test_a_table_becomes_a_view_and_back(filled: GlueCatalog, strict: StrictGlue) -> None:
    run(filled, *creates(range(3)))
    view = View(ONE.name, "SELECT 1 AS a", VIEW.columns, MARK)
    run(filled, swap(view, "0"))
    assert isinstance(filled.definitions()[ONE.name].definition, View)
    run(filled, swap(view, "0"))  # again, after having been killed
    run(filled, swap(ONE), *creates(range(2)))
    assert table_of(filled.definitions()[ONE.name]) == replace(ONE, indexes=None)
    assert len(held(filled)) == 2
    assert strict.counts["DeleteTable"] == 2


def test_a_replacement_that_was_cut_off_in_the_middle_is_finished(
    filled: GlueCatalog, strict: StrictGlue
) -> None:
    view = View(ONE.name, "SELECT 1 AS a", VIEW.columns, MARK)
    strict.inject(broken("CreateTable"))
    assert len(fails(filled, swap(view, "0"))) == 1
    assert ONE.name not in filled.definitions()
    run(filled, swap(view, "0"))
    assert isinstance(filled.definitions()[ONE.name].definition, View)


def test_a_copy_keeps_what_its_source_has_and_we_do_not_know(filled: GlueCatalog, strict: StrictGlue) -> None:
    theirs = encoded(replace(ONE, name="cloudtrail_theirs", parameters=(("theirs", "1"),)), "security")
    strict.create_table(
        {"DatabaseName": "security", "TableInput": {**theirs, "Owner": "them", "Description": "d"}}
    )
    kept = replace(ONE, name="cloudtrail_kept", parameters=MARK)
    run(filled, make(kept, source="cloudtrail_theirs"))
    given = strict.table("security", "cloudtrail_kept").given
    assert (given["Owner"], given["Description"], given["Parameters"]["theirs"]) == ("them", "d", "1")
    (error,) = fails(filled, make(replace(kept, name="cloudtrail_x"), source="cloudtrail_none"))
    assert isinstance(error, ConflictError)


def test_a_view_that_is_too_long_is_refused_before_anything_goes(
    filled: GlueCatalog, strict: StrictGlue
) -> None:
    (error,) = fails(filled, swap(View(ONE.name, "x" * 310_000, (), MARK), "0"))
    assert isinstance(error, LimitError)
    assert "single" in str(error)
    assert "DeleteTable" not in strict.counts


def test_a_new_table_gets_its_indexes_with_it(catalog: GlueCatalog, strict: StrictGlue) -> None:
    strict.index_seconds = 60
    run(catalog, DATABASE, make(ALL), *(index(keys) for keys in INDEXED_KEYS))
    assert "CreatePartitionIndex" not in strict.counts
    assert set(table_of(catalog.definitions()[ALL.name]).indexes or ()) == set(INDEXED_KEYS)


def test_an_index_waits_for_the_one_before_it(
    catalog: GlueCatalog, strict: StrictGlue, waited: list[float]
) -> None:
    run(catalog, DATABASE, make(replace(ALL, indexes=())))
    strict.index_seconds = 60
    run(catalog, index(("year",)))

    def settle(_operation: str, _parameters: dict[str, Any]) -> bool:
        if len(waited) == 2:
            for one in strict.table("security", ALL.name).indexes.values():
                one.ready = 0
        return False

    strict.inject(Fault("GetPartitionIndexes", times=None, when=settle))
    run(catalog, index(INDEXED_KEYS[0]))
    assert waited == [0.5, 1.0]
    assert strict.counts["CreatePartitionIndex"] == 2


def test_an_index_that_stays_in_the_making_is_told(catalog: GlueCatalog, strict: StrictGlue) -> None:
    run(catalog, DATABASE, make(replace(ALL, indexes=())))
    strict.index_seconds = 60
    run(catalog, index(("year",)))
    (error,) = fails(catalog, index(INDEXED_KEYS[0]))
    assert isinstance(error, ConflictError)
    assert "still being made" in str(error)


def test_a_fourth_index_is_not_asked_for(catalog: GlueCatalog, strict: StrictGlue) -> None:
    run(catalog, DATABASE, make(replace(ALL, indexes=())))
    strict.index_seconds = 0
    for key in ("year", "month", "day"):
        run(catalog, index((key,)))
    (error,) = fails(catalog, index(INDEXED_KEYS[0]))
    assert isinstance(error, LimitError)
    assert strict.counts["CreatePartitionIndex"] == 3


def test_an_index_that_failed_in_the_making_is_told_with_the_way_out(
    catalog: GlueCatalog, strict: StrictGlue
) -> None:
    run(catalog, DATABASE, make(ALL))
    strict.get_partition_indexes = _failed  # type: ignore[method-assign]  # the strict Glue never fails at it
    assert table_of(catalog.definitions()[ALL.name]).indexes == ()
    (error,) = fails(catalog, index(INDEXED_KEYS[0]))
    assert isinstance(error, CatalogError)
    assert "delete-partition-index" in str(error)


def _failed(_asked: object) -> dict[str, Any]:
    keys = [{"Name": key, "Type": "string"} for key in INDEXED_KEYS[0]]
    return {"PartitionIndexDescriptorList": [{"IndexName": "i", "Keys": keys, "IndexStatus": "FAILED"}]}


def test_in_an_encrypted_catalog_the_table_is_made_without_them(
    catalog: GlueCatalog, strict: StrictGlue
) -> None:
    strict.encrypted = True
    found = fails(catalog, DATABASE, make(ALL), *(index(keys) for keys in INDEXED_KEYS), make(VIEW))
    assert [type(error) for error in found] == [AwsError, AwsError]
    assert set(catalog.definitions()) == {ALL.name, VIEW.name}


def test_a_table_whose_index_is_being_made_is_waited_for(
    catalog: GlueCatalog, strict: StrictGlue, waited: list[float]
) -> None:
    run(catalog, DATABASE, make(ALL))
    strict.inject(Fault("DeleteTable", times=2, code="ResourceNotReadyException"))
    for one in strict.table("security", ALL.name).indexes.values():
        one.ready = 0
    run(catalog, delete(ALL))
    assert waited == [0.2, 0.5]
    strict.inject(Fault("CreateTable", times=None, code="ResourceNotReadyException"))
    assert isinstance(fails(catalog, make(ALL))[0], ConflictError)


def test_a_database_of_ours_goes_when_it_is_empty(filled: GlueCatalog) -> None:
    gone = replace(DATABASE, action=Action.DELETE)
    (error,) = fails(filled, gone)
    assert isinstance(error, CatalogError)
    assert ONE.name in str(error)
    run(filled, delete(ONE), gone, gone)
    assert not filled.exists()


def test_a_database_of_others_stays(catalog: GlueCatalog, strict: StrictGlue) -> None:
    strict.create_database({"DatabaseInput": {"Name": "security"}})
    (error,) = fails(catalog, replace(DATABASE, action=Action.DELETE))
    assert isinstance(error, CatalogError)
    assert catalog.exists()
