"""The lake by SQL: an Iceberg table that Athena makes, writes, merges and tends."""

from __future__ import annotations

from trailhouse.selftest.check import Check, Sql, Stage
from trailhouse.selftest.expect import ReadsAll, ReadsLess, Refused, Rows, Runs, Written

_COLUMNS = "eventid, eventname, useridentity, account, year, month, day, logfile"
_CREATE = (
    "CREATE TABLE lake (eventid string, eventname string, useridentity struct<type:string,arn:string>, "
    "account string, year string, month string, day string, logfile string, at timestamp) "
    "PARTITIONED BY (year, month, day) LOCATION '{scratch}/lake/' "
    "TBLPROPERTIES ('table_type'='ICEBERG', 'format'='parquet')"
)
_SOURCE = (
    "SELECT eventid, eventname, CAST(ROW(useridentity.type, useridentity.arn) AS ROW(type varchar, arn varchar)) "
    "AS useridentity, account, year, month, day, logfile, TIMESTAMP '2026-03-02 10:11:12.123456' AS at "
    "FROM {single} WHERE logfile LIKE '%AWSLogs%'"
)
_INSERT = f"INSERT INTO lake ({_COLUMNS}, at) {_SOURCE}"
_MERGE = (
    f"MERGE INTO lake t USING (SELECT max(eventname) AS eventname, eventid, logfile, year, month, day "
    f"FROM ({_SOURCE}) GROUP BY eventid, logfile, year, month, day) s "
    "ON t.logfile = s.logfile AND t.eventid = s.eventid WHEN NOT MATCHED THEN INSERT "
    "(eventid, eventname, logfile, year, month, day) "
    "VALUES (s.eventid, s.eventname, s.logfile, s.year, s.month, s.day)"
)
_FOLDERS = 120
_COUNT = Sql("SELECT count(*) FROM lake")
_DAY = "year = '{year}' AND month = '{month}' AND day = '{day}'"
_MANY = (
    "INSERT INTO lake (eventid, year, month, day) SELECT 'many', CAST(n AS varchar), '01', '01' "
    "FROM UNNEST(sequence(1, 101)) AS s(n)"
)

CHECKS: tuple[Check, ...] = (
    Check("iceberg.create", "Is an Iceberg table made below a prefix of ours?", ("iceberg-insert",),
          (Sql(_CREATE),), Runs()),
    Check("iceberg.insert", "Does an INSERT from a raw view write every row?", ("iceberg-insert",),
          (Sql(_INSERT), _COUNT), Written("delivered"), needs=Stage.SINGLE, folders=_FOLDERS),
    Check("iceberg.merge", "Does MERGE add nothing where all is there?", ("iceberg-merge",),
          (Sql(_MERGE), _COUNT), Written("delivered"), needs=Stage.SINGLE, folders=_FOLDERS),
    Check("iceberg.time", "Do times keep milliseconds?", ("iceberg-time",),
          (Sql("SELECT DISTINCT CAST(at AS varchar) FROM lake WHERE at IS NOT NULL"),),
          Rows((("2026-03-02 10:11:12.123",),)), needs=Stage.SINGLE, folders=_FOLDERS),
    Check("iceberg.prunes", "Do conditions on the day leave other days' files unread?", ("iceberg-identity",),
          (Sql("SELECT count(eventid || eventname || logfile) FROM lake"),
           Sql("SELECT count(eventid || eventname || logfile) FROM lake WHERE " + _DAY)),
          ReadsLess(), needs=Stage.SINGLE, folders=_FOLDERS),
    Check("iceberg.optimize", "Does OPTIMIZE keep the rows?", ("iceberg-optimize",),
          (Sql("OPTIMIZE lake REWRITE DATA USING BIN_PACK"), _COUNT), Written("delivered"),
          needs=Stage.SINGLE, folders=_FOLDERS),
    Check("iceberg.vacuum", "Does VACUUM keep the rows?", ("iceberg-vacuum",), (Sql("VACUUM lake"), _COUNT),
          Written("delivered"), needs=Stage.SINGLE, folders=_FOLDERS),
    Check("iceberg.snapshots", "Are the commits listed?", ("iceberg-snapshots",),
          (Sql('SELECT count(*) > 0 FROM "lake$snapshots"'),), Rows(((True,),)), needs=Stage.SINGLE, folders=_FOLDERS),
    Check("iceberg.many", "Does a statement that writes into 101 partitions fail?", ("write-100",), (Sql(_MANY),),
          Refused(
              "TOO_MANY_OPEN_PARTITIONS|100|partition"), needs=Stage.SINGLE, folders=_FOLDERS),
    Check("iceberg.paths", 'Does "$path" IN with a literal value read only that file?', ("path-list",),
          (Sql("SELECT count(eventid) FROM {single}_raw"),
           Sql("SELECT count(eventid) FROM {single}_raw WHERE \"$path\" IN ('{logs}/{a_key}')")), ReadsLess(),
          needs=Stage.SINGLE, folders=_FOLDERS),
    Check("iceberg.subquery", 'Does "$path" NOT IN with a subquery read every file?', ("path-subquery",),
          (Sql("SELECT count(eventid) FROM {single}_raw"),
           Sql('SELECT count(eventid) FROM {single}_raw WHERE "$path" NOT IN (SELECT logfile FROM lake)')),
          ReadsAll(), needs=Stage.SINGLE, folders=_FOLDERS),
)  # fmt: skip
