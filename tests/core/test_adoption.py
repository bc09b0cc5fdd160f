"""What is the predecessor's and what only looks like it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from predecessor import tables as old
from trailhouse.catalog.encoding import found
from trailhouse.core.adoption import (
    COLUMNS,
    account_of,
    beside_table,
    former_definition,
    is_former,
    kept_definition,
    kept_name,
    why_foreign,
)
from trailhouse.core.plan import Action, Change, Target, takes_over
from trailhouse.core.state import Found, Table, View

ACCOUNT = "111122223333"
PLACE = old.folder("logs", ACCOUNT)
DAY = date(2026, 3, 2)


def changed(**changes: Any) -> Found:  # noqa: ANN401 - any member of Glue's
    """The predecessor's table, but for some members; `storage` ones of its descriptor."""
    raw = old.table(ACCOUNT, changes.pop("place", PLACE))
    raw["StorageDescriptor"] |= changes.pop("storage", {})
    return found({**raw, **changes})


def columns(**types: str) -> list[dict[str, str]]:
    return [{"Name": name, "Type": type_} for name, type_ in {**old.COLUMNS, **types}.items()]


@pytest.mark.parametrize(
    "place",
    [
        PLACE,
        PLACE.replace("//CloudTrail", "/CloudTrail"),  # Athena collapses slashes
        old.folder("logs", ACCOUNT, "my/prefix"),
        old.folder("logs", ACCOUNT, "", "o-abcdefghij"),
        f"s3://logs//AWSLogs/{ACCOUNT}//CloudTrail/",
    ],
)
def test_its_tables_are_recognised_wherever_they_read(place: str) -> None:
    assert why_foreign(changed(place=place), "cloudtrail") == ""


def test_types_are_compared_by_what_they_say() -> None:
    spaced = columns(useridentity=old.IDENTITY.replace(",", ", ").upper())
    assert why_foreign(changed(storage={"Columns": spaced}), "cloudtrail") == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"Name": "cloudtrail_mine"}, "name"),
        ({"Name": "cloudtrail_ABCDEFGHIJKL"}, "name"),
        ({"Name": "trail_111122223333"}, "name"),
        ({"TableType": "MANAGED_TABLE"}, "external"),
        ({"Parameters": {}}, "external"),
        ({"Parameters": {"EXTERNAL": "TRUE", "projection.enabled": "true"}}, "projected"),
        ({"PartitionKeys": [{"Name": "dt", "Type": "string"}]}, "partition keys are dt"),
        ({"PartitionKeys": []}, "partition keys are none"),
        ({"storage": {"SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"}}}, "openx"),
        ({"storage": {"SerdeInfo": {}}}, "SerDe is none"),
        ({"storage": {"InputFormat": "org.apache.hadoop.mapred.TextInputFormat"}}, "TextInputFormat"),
        ({"storage": {"Columns": columns()[:-1]}}, "22 columns"),
        ({"storage": {"Columns": columns(eventcategory="string")}}, "24 columns"),
        ({"storage": {"Columns": columns(resources="string")}}, "23 columns"),
        ({"storage": {"Columns": columns()[::-1]}}, "23 columns"),
        ({"place": old.folder("logs", "444455556666")}, "location"),
        ({"place": f"s3://logs/AWSLogs/{ACCOUNT}/CloudTrail-Insight/"}, "location"),
        ({"place": "s3://logs/AWSLogs/"}, "location"),
    ],
)
def test_what_differs_in_anything_is_foreign_and_told_why(changes: dict[str, Any], said: str) -> None:
    assert said in why_foreign(changed(**changes), "cloudtrail")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM cloudtrail_111122223333",
        "SELECT * FROM cloudtrail_111122223333 UNION ALL SELECT * FROM cloudtrail_444455556666",
        "SELECT *\nFROM\n  cloudtrail_111122223333\nUNION ALL SELECT *\nFROM\n  cloudtrail_444455556666\n",
        '(SELECT * FROM "default"."cloudtrail_111122223333") UNION ALL (select * from cloudtrail_444455556666)',
    ],
)
def test_its_view_is_recognised(sql: str) -> None:
    assert why_foreign(Found(View("cloudtrail", sql, ())), "cloudtrail") == ""
    assert why_foreign(found(old.view([ACCOUNT, "444455556666"])), "cloudtrail") == ""


@pytest.mark.parametrize(
    ("name", "sql"),
    [
        ("cloudtrail_all", "SELECT * FROM cloudtrail_111122223333"),
        ("cloudtrail", "SELECT * FROM cloudtrail_111122223333 WHERE year = '2026'"),
        ("cloudtrail", "SELECT eventname FROM cloudtrail_111122223333"),
        ("cloudtrail", "SELECT * FROM cloudtrail_111122223333 UNION SELECT * FROM cloudtrail_444455556666"),
        ("cloudtrail", "SELECT * FROM cloudtrail_111122223333 UNION ALL SELECT * FROM secrets"),
        ("cloudtrail", ""),
    ],
)
def test_other_views_are_foreign(name: str, sql: str) -> None:
    assert why_foreign(Found(View(name, sql, ())), "cloudtrail")


def test_accounts_have_twelve_digits() -> None:
    assert account_of("cloudtrail_111122223333", "cloudtrail") == ACCOUNT
    assert account_of("cloudtrail_abcdefghijkl", "cloudtrail") == ""
    assert account_of("cloudtrail_１１１１２２２２３３３３", "cloudtrail") == ""  # noqa: RUF001 - other digits
    assert account_of("111122223333", "cloudtrail") == ""


def test_its_columns_are_23() -> None:
    assert dict(COLUMNS) == old.COLUMNS
    assert len(COLUMNS) == 23


@pytest.mark.parametrize("held", [changed(), found(old.view([ACCOUNT]))], ids=["table", "view"])
def test_what_is_kept_is_given_back_as_it_was(held: Found) -> None:
    kept = Found(kept_definition(held.definition))
    assert kept.definition.name == kept_name(held.definition.name)
    assert kept.backup_of == held.definition.name
    assert kept.version == 1
    assert former_definition(kept) == held.definition
    assert is_former(held, kept)
    assert not is_former(kept, kept)


def test_only_a_replaced_table_that_is_not_ours_has_to_be_agreed_to() -> None:
    held = changed().definition
    assert isinstance(held, Table)
    new = Change(Action.REPLACE, Target.TABLE, held.name, before=held, after=beside_table(held))
    assert takes_over(new)
    assert not takes_over(replace(new, before=kept_definition(held)))
    assert not takes_over(replace(new, action=Action.UPDATE))
    assert not takes_over(replace(new, before=View(held.name, "", ())))
