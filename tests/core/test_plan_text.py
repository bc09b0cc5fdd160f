from __future__ import annotations

from dataclasses import replace

from trailhouse.core.plan import Action, Change, Part, Tally, Target
from trailhouse.core.plan_text import done, part_lines, summary
from trailhouse.core.state import CLOUDTRAIL_FORMAT, Partition, Table, View, ViewColumn
from trailhouse.errors import AwsError

TABLE = Table(
    "t", ("region",), "s3://b/", (("a", "string"), ("b", "string")), CLOUDTRAIL_FORMAT, (("x", "1"),)
)
VIEW = View("v", "SELECT a FROM t", (ViewColumn("a", "string", "varchar"),))


def lines(*changes: Change, verbose: bool = False) -> list[str]:
    return [*part_lines(Part("p", changes), verbose=verbose)]


def partition(region: str, day: str, account: str = "") -> Partition:
    own = (region, "2026", "03", day, "logs/AWSLogs")
    return Partition(
        (account, *own) if account else own, f"s3://{region}/{day}/", (("a", "string"),), CLOUDTRAIL_FORMAT
    )


def of(one: Partition, action: Action, why: tuple[str, ...] = (), other: Partition | None = None) -> Change:
    before = None if action is Action.CREATE else one
    after = None if action is Action.DELETE else other or one
    return Change(action, Target.PARTITION, "t", one.values, before, after, why)


def test_creations_and_deletions() -> None:
    assert lines(
        Change(Action.CREATE, Target.DATABASE, "d"),
        Change(Action.CREATE, Target.TABLE, "t", after=TABLE),
        Change(Action.CREATE, Target.INDEX, "t", ("year", "month")),
        Change(Action.REPLACE, Target.VIEW, "v", (), TABLE, VIEW, ("was a table",)),
        Change(Action.DELETE, Target.TABLE, "t", (), TABLE),
    ) == ["+ database d", "+ table t", "+ index t (year, month)", "-/+ view v (was a table)", "- table t"]


def test_what_differs_in_a_table() -> None:
    after = replace(
        TABLE,
        columns=(("b", "int"), ("c", "s" * 200)),
        location="s3://c/",
        format=replace(CLOUDTRAIL_FORMAT, serde="other"),
        parameters=(("trailhouse.kind", "CloudTrail"),),
    )
    found = lines(Change(Action.UPDATE, Target.TABLE, "t", (), TABLE, after, ("columns",)))
    assert found[:5] == [
        "~ table t",
        f"    + column c {'s' * 100}...",
        "    - column a string",
        "    ~ column b: string -> int",
        "    location: s3://b/ -> s3://c/",
    ]
    assert found[5].startswith("    format: Format(")
    assert found[6:] == ["    trailhouse.kind: (none) -> CloudTrail"]  # what is not ours stays
    turned = replace(TABLE, columns=TABLE.columns[::-1])
    assert lines(Change(Action.UPDATE, Target.TABLE, "t", (), TABLE, turned))[1:] == [
        "    ~ order of the columns"
    ]


def test_what_differs_in_a_view() -> None:
    change = Change(Action.UPDATE, Target.VIEW, "v", (), VIEW, replace(VIEW, sql="SELECT b FROM t"))
    assert lines(change) == ["~ view v", "    sql, from character 0: SELECT a FROM t -> SELECT b FROM t"]
    assert lines(change, verbose=True) == ["~ view v", "    sql: SELECT a FROM t", "      -> SELECT b FROM t"]
    longer = replace(VIEW, sql=VIEW.sql + " WHERE true")
    assert lines(replace(change, after=longer))[1].endswith("FROM t WHERE true")


def test_partitions_are_counted_and_named_on_demand() -> None:
    made = [
        of(partition(region, day), Action.CREATE) for region in ("eu", "us") for day in ("01", "02", "11")
    ]
    gone = [of(partition("eu", "05"), Action.DELETE, ("no logs",))]
    assert lines(*made[:2], *gone, *made[2:]) == [
        "+ 6 partitions of t, 2026-03-01 .. 2026-03-11, eu, us",
        "- 1 partition of t, 2026-03-05 .. 2026-03-05, eu (no logs)",
    ]
    assert lines(*made[:1], verbose=True)[1:] == ["    + eu/2026/03/01/logs/AWSLogs"]
    many = [of(partition(f"r{n}", "01", "111122223333"), Action.CREATE) for n in range(5)]
    assert lines(*many) == ["+ 5 partitions of t for 111122223333, 2026-03-01 .. 2026-03-01, 5 regions"]


def test_what_differs_in_a_partition() -> None:
    one = partition("eu", "01")
    other = replace(one, columns=(("a", "string"), ("b", "string")), location="s3://x/")
    changed = [of(one, Action.UPDATE, ("location", "columns"), other)] * 3
    assert lines(*changed) == [
        "~ 3 partitions of t, 2026-03-01 .. 2026-03-01, eu (location, columns)",
        "    ~ eu/2026/03/01/logs/AWSLogs",
        "      + column b string",
        "      location: s3://eu/01/ -> s3://x/",
        "    and 2 more",
    ]
    assert len(lines(*changed, verbose=True)) == 1 + 3 * 3


def test_odd_values_stop_nothing() -> None:
    odd = Partition(("x", "y"), "", (), CLOUDTRAIL_FORMAT)
    assert lines(of(odd, Action.DELETE)) == ["- 1 partition of t"]
    assert [*part_lines(Part("a", error=AwsError("no")))] == ["! a: not planned"]


def test_more_is_shown_on_demand() -> None:
    found = lines(Change(Action.CREATE, Target.TABLE, "t", after=TABLE), verbose=True)
    assert found[1:] == ["    location: s3://b/", "    partition keys: region", "    columns: 2", "    x: 1"]
    assert lines(Change(Action.CREATE, Target.VIEW, "v", after=VIEW), verbose=True)[1:] == [
        "    sql: SELECT a FROM t"
    ]
    complete = Change(
        Action.UPDATE, Target.TABLE, "t", (), TABLE, replace(TABLE, parameters=()), ("complete",)
    )
    assert lines(complete) == ["~ table t: its partitions are complete then"]
    made = Change(Action.CREATE, Target.TABLE, "t", after=TABLE)
    assert lines(made, complete) == ["+ table t"]
    assert "~ table t" in lines(made, complete, verbose=True)


def test_the_whole_in_a_line() -> None:
    tally = Tally()
    assert summary(tally) == "nothing"
    made = [of(partition("eu", f"{day:02}"), Action.CREATE) for day in range(1, 29)] * 100
    tally.add(Part("a", (*made, Change(Action.CREATE, Target.INDEX, "t", ("year",)))))
    tally.add(Part("b", (Change(Action.UPDATE, Target.VIEW, "v", (), VIEW, VIEW), made[0])))
    assert summary(tally) == "1 index, 2,801 partitions to create; 1 view to update"
    assert done(tally.counts) == "1 index, 2,801 partitions created; 1 view updated"
