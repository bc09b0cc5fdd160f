from __future__ import annotations

import re
from datetime import date

import pytest

from trailhouse.core import desired
from trailhouse.core.ddl import LONGEST, add_partitions, identifier, literal, statements
from trailhouse.core.deliveries import AccountFolder, Delivery
from trailhouse.core.desired import Design
from trailhouse.core.layout import Kind
from trailhouse.core.plan import Action, Change, Part, Target, diff_definition, diff_partitions
from trailhouse.core.state import CLOUDTRAIL_FORMAT, Partition, Shape, View, with_reach, with_since

A = "111122223333"
TODAY = date(2026, 3, 2)
HOSTILE = ("eu'west", 'q"uote', "back\\slash", "back`tick", "a); DROP TABLE x; --", "ü")


def first_plan(shape: Shape) -> Part:
    design = Design("d", "cloudtrail", shape)
    deliveries = [
        Delivery(AccountFolder("logs", "it's/AWSLogs", A), Kind.CLOUDTRAIL, region, (TODAY,))
        for region in HOSTILE
    ]
    table = with_reach(desired.raw_table(design, Kind.CLOUDTRAIL, deliveries[0].folder), TODAY)
    wanted = desired.partitions(design, Kind.CLOUDTRAIL, deliveries, TODAY, [])
    made = diff_definition(table, None)
    assert isinstance(made, list)
    views = [
        Change(Action.CREATE, Target.VIEW, view.name, after=view)
        for view in desired.shared_views(design, {Kind.CLOUDTRAIL: [A]})
    ]
    complete = Change(
        Action.UPDATE, Target.TABLE, table.name, (), table, with_since(table, TODAY), ("complete",)
    )
    partitions = diff_partitions(table, wanted, {}, today=TODAY, since=None)
    return Part("p", (Change(Action.CREATE, Target.DATABASE, "d"), *made, *partitions, complete, *views))


@pytest.mark.parametrize("shape", [Shape.PER_ACCOUNT, Shape.SINGLE])
def test_everything_becomes_a_statement(shape: Shape) -> None:
    part = first_plan(shape)
    found = list(statements(part, "d", shape.keys))
    begins = [
        re.split(r"[ (]", text)[0] + " " + text.split()[1] for text in found if not text.startswith("--")
    ]
    assert begins == [
        "CREATE DATABASE",
        "CREATE EXTERNAL",
        "ALTER TABLE",
        "ALTER TABLE",
        "CREATE OR",
        "CREATE OR",
    ]
    table = next(text for text in found if text.startswith("CREATE EXTERNAL"))
    assert "`eventversion` string" in table
    assert f"PARTITIONED BY ({', '.join(f'`{key}` string' for key in shape.keys)})" in table
    assert f"STORED AS INPUTFORMAT '{CLOUDTRAIL_FORMAT.input_format}'" in table
    assert "'trailhouse.version' = '1'" in table
    assert "EXTERNAL'" not in table
    assert "reach" not in table
    assert "'trailhouse.since' = '2026-03-02'" in "".join(found)
    assert ("-- Athena has no statement for the partition index" in "".join(found)) is (shape is Shape.SINGLE)
    assert found[-2].startswith('CREATE OR REPLACE VIEW "d"."cloudtrail" AS SELECT "eventversion"')


def unquoted(text: str) -> str:
    """What Hive makes of a string."""
    assert (text[0], text[-1]) == ("'", "'")
    inner = re.fullmatch(r"(?:[^'\\]|\\.)*", text[1:-1], re.DOTALL)
    assert inner
    return re.sub(r"\\(.)", r"\1", inner[0], flags=re.DOTALL)


@pytest.mark.parametrize("text", [*HOSTILE, "", "'", "\\", "\\'", "a\nb", "''"])
def test_literals_mean_what_they_were_made_from(text: str) -> None:
    assert unquoted(literal(text)) == text


def test_names_are_quoted() -> None:
    assert identifier("a`b") == "`a``b`"


def test_hostile_regions_stay_inside_their_literals() -> None:
    (added,) = (
        s for s in statements(first_plan(Shape.PER_ACCOUNT), "d", Shape.PER_ACCOUNT.keys) if " ADD IF " in s
    )
    bare = re.sub(r"'(?:[^'\\]|\\.)*'", "''", added)
    partition = "PARTITION (`region` = '', `year` = '', `month` = '', `day` = '', `logroot` = '') LOCATION ''"
    assert (
        bare == f"ALTER TABLE `d`.`cloudtrail_{A}` ADD IF NOT EXISTS" + f"\n  {partition}" * len(HOSTILE) * 2
    )


def test_statements_are_short_enough_for_athena_and_as_few_as_can_be() -> None:
    made = [
        Partition(
            (f"r{number}", "2026", "03", "02", "ü" * 200),
            f"s3://{'ü' * 200}/{number}/",
            (),
            CLOUDTRAIL_FORMAT,
        )
        for number in range(1000)
    ]
    changes = [Change(Action.CREATE, Target.PARTITION, "t", one.values, after=one) for one in made]
    found = list(add_partitions("d", changes, Shape.PER_ACCOUNT.keys))
    sizes = [len(text.encode()) for text in found]
    assert max(sizes) <= LONGEST
    assert min(sizes[:-1]) > LONGEST - 2000
    assert sum(text.count("PARTITION (") for text in found) == 1000


def test_what_is_no_first_plan() -> None:
    view = View("cloudtrail", "SELECT 1" + " " * LONGEST, ())
    too_long = Part("p", (Change(Action.CREATE, Target.VIEW, view.name, after=view),))
    assert list(statements(too_long, "d", ())) == [
        "-- view cloudtrail is longer than Athena takes; `trailhouse apply` makes it"
    ]
    for change in (
        Change(Action.DELETE, Target.TABLE, "t"),
        Change(Action.DELETE, Target.PARTITION, "t", ("a",)),
    ):
        with pytest.raises(TypeError):
            list(statements(Part("p", (change,)), "d", ("a",)))
