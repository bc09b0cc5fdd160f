"""Statements and views: types, casts, limits of what Athena takes."""

from __future__ import annotations

from trailhouse.selftest.check import Api, Check, Make, Sql, Stage
from trailhouse.selftest.checks.records import DAY, log, record
from trailhouse.selftest.expect import Refused, Rows, Runs, ViewKeys

_SIZE = 262_144
_TIME = "CAST(try(date_parse({}, '%Y-%m-%dT%H:%i:%sZ')) AS timestamp(3))"
_BRANCH = "SELECT eventid FROM branch"


def _padded(size: int) -> str:
    statement = "SELECT 1 AS one /* */"
    return statement.replace("/* */", "/*" + "x" * (size - len(statement) + 1) + "*/")


def _union(branches: int) -> Sql:
    return Sql(f"SELECT count(*) FROM ({' UNION ALL '.join([_BRANCH] * branches)})")


CHECKS: tuple[Check, ...] = (
    Check("sql.time", "Does eventtime become a timestamp, and what is none NULL?", ("time-cast",),
          (Sql(f"SELECT CAST({_TIME.format('t')} AS varchar) "
               "FROM (VALUES '2026-03-02T10:11:12Z', 'none', NULL) AS v(t)"),),
          Rows((("2026-03-02 10:11:12.000",), (None,), (None,)))),
    Check("sql.struct_order", "Do casts of rows go by position?", ("struct-order",),
          (Sql("SELECT CAST(CAST(ROW('x', 'y') AS ROW(a varchar, b varchar)) AS ROW(b varchar, a varchar)).a"),),
          Rows((("y",),))),
    Check("sql.rows_as_text", "Are rows and arrays text such as {a=1, b=[x, y]}?", ("rows-as-text",),
          (Sql("SELECT CAST(ROW(1, ARRAY['x', 'y'], NULL) AS ROW(a integer, b array(varchar), c varchar)) AS r"),),
          Rows((("{a=1, b=[x, y], c=null}",),))),
    Check("sql.zoned_view", "Is a view refused that has a time with a zone?", ("zoned-view",),
          (Sql("CREATE VIEW zoned AS SELECT TIMESTAMP '2026-03-02 10:11:12 UTC' AS at"),),
          Refused("time ?zone|type|TIMESTAMP")),
    Check("sql.not_in_null", "Does NOT IN over a set with a NULL keep nothing?", ("not-in-null",),
          (Sql("SELECT count(*) FROM (VALUES 'a', 'b') AS v(x) "
               "WHERE x NOT IN (SELECT y FROM (VALUES 'c', NULL) AS w(y))"),),
          Rows(((0,),))),
    Check("sql.statement_size", "Is a statement of 262,144 bytes taken?", ("statement-size",),
          (Sql(_padded(_SIZE)),), Rows(((1,),))),
    Check("sql.union_140", "Is a union of 140 branches planned?", ("union-140",), (_union(140),), Runs(),
          (log("branch", record("one")), Make("branch", "{scratch}/branch/" + DAY)),
          folders=140),
    Check("sql.union_160", "Is a union of 160 branches refused?", ("union-150",), (_union(160),),
          Refused("TOO_MANY_STAGES|stages"), folders=160),
    Check("sql.view_keys", "Which keys does Athena itself write into a view's JSON: those that we write?",
          ("view-keys",),
          (Sql("CREATE OR REPLACE VIEW written AS SELECT 1 AS one"),
           Api("glue", "GetTable", {"DatabaseName": "{database}", "Name": "written"})),
          ViewKeys(("catalog", "columns", "originalSql", "schema"))),
    Check("sql.view_over_view", "Does a view that Athena makes read one that we wrote?", ("view-encoding",),
          (Sql("CREATE OR REPLACE VIEW above AS SELECT eventid FROM {single} WHERE eventid IS NOT NULL"),
           Sql("SELECT count(*) > 0 FROM above")), Rows(((True,),)), needs=Stage.SINGLE),
)  # fmt: skip
