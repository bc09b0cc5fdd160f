from __future__ import annotations

from dataclasses import replace

import pytest

from catalog.layouts import TODAY, Layout, Log
from catalog.memory import MemoryCatalog
from catalog.runs import DATABASE, apply, carry_out, changes, tally
from trailhouse.catalog.removal import Removal, remove_database
from trailhouse.core.plan import Action, Target
from trailhouse.core.state import BACKUP_PARAMETER, CLOUDTRAIL_FORMAT, MARK, Shape, Table, View
from trailhouse.errors import AccessDeniedError, CatalogError

A = "111122223333"
LAYOUT = Layout([Log("logs", "AWSLogs", A, "CloudTrail", "eu-west-1", TODAY)])


@pytest.mark.parametrize("tables", ["per_account", "single"])
def test_what_is_ours_goes_views_first_and_what_is_not_is_listed(tables: str) -> None:
    catalog = MemoryCatalog()
    apply(catalog, LAYOUT, tables=tables)
    stranger = Table("cloudtrail_mine", (), "s3://b/", (), CLOUDTRAIL_FORMAT)
    kept = replace(
        stranger, name="cloudtrail_old", parameters=((MARK, "1"), (BACKUP_PARAMETER, "cloudtrail"))
    )
    catalog.put(stranger)
    catalog.put(kept)
    removal = Removal(catalog)
    parts = [*removal.parts()]
    assert removal.shape is Shape(tables)
    assert removal.tables == 1
    assert removal.stays == [
        ("cloudtrail_mine", "it was not made by trailhouse"),
        ("cloudtrail_old", "it keeps the former definition of cloudtrail"),
    ]
    assert {change.action for change in changes(parts)} == {Action.DELETE}
    kinds = [isinstance(change.before, View) for change in changes(parts)]
    assert kinds == sorted(kinds, reverse=True)
    assert carry_out(catalog, parts).complete
    assert sorted(catalog.tables) == ["cloudtrail_mine", "cloudtrail_old"]
    assert not catalog.held.get("cloudtrail_raw")
    assert tally([*Removal(catalog).parts()]).changes == 0


def test_what_a_newer_version_wrote_stays() -> None:
    catalog = MemoryCatalog()
    catalog.put(Table("cloudtrail_raw", (), "s3://b/", (), CLOUDTRAIL_FORMAT, ((MARK, "2"),)))
    found = tally([*Removal(catalog).parts()])
    assert found.changes == 0
    assert "newer trailhouse" in found.refusals[0].reason


def test_the_database_goes_only_where_it_is_ours_and_empty() -> None:
    catalog = MemoryCatalog()
    assert remove_database(catalog, "default") == "it is the account's own"
    catalog.refuse = lambda _: CatalogError("it still holds x")
    assert remove_database(catalog, DATABASE) == "it still holds x"
    catalog.refuse = lambda one: AccessDeniedError("no") if one.target is Target.DATABASE else None
    with pytest.raises(AccessDeniedError):
        remove_database(catalog, DATABASE)
    catalog.refuse = lambda _: None
    assert remove_database(catalog, DATABASE) == ""
    assert not catalog.exists()
    assert remove_database(catalog, DATABASE) == ""
