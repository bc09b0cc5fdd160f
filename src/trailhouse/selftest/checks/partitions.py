"""What a partition's own definition does, and where its objects are looked for."""

from __future__ import annotations

from trailhouse.core.layout import Kind
from trailhouse.core.state import hive_columns
from trailhouse.selftest.check import Check, Make, Piece, Sql
from trailhouse.selftest.checks.records import DAY, log, record
from trailhouse.selftest.expect import ReadsLess, Refused, Rows

_ALL = hive_columns(Kind.CLOUDTRAIL)
_TAIL = _ALL[:-5]
_SWAPPED = (_ALL[1], _ALL[0], *_ALL[2:])
_SHORT_STRUCT = tuple(
    (name, "struct<tlsversion:string,ciphersuite:string>" if name == "tlsdetails" else kind)
    for name, kind in _ALL
)
_FILE = log("pieces", record("one", '"managementEvent":true,"tlsDetails":{"tlsVersion":"TLSv1.3"}'))
_OTHER = log("pieces/other", record("two"))
_HERE = f"{{scratch}}/pieces/{DAY}"
_THERE = f"{{scratch}}/pieces/other/{DAY}"

CHECKS: tuple[Check, ...] = (
    Check("partitions.own_place", "Is each partition read where it says, and only those asked for?",
          ("own-descriptor", "day-prunes"),
          (Sql("SELECT eventid FROM pieces"), Sql("SELECT eventid FROM pieces WHERE which = 'there'")),
          Rows((("two",),)),
          (_FILE, _OTHER, Make("pieces", "{scratch}/pieces/elsewhere/", ("which",),
                               (Piece(("here",), _HERE), Piece(("there",), _THERE))))),
    Check("partitions.pruned", "Does a condition on a key leave other partitions unread?", ("day-prunes",),
          (Sql("SELECT count(eventid) FROM pieces"), Sql("SELECT count(eventid) FROM pieces WHERE which = 'there'")),
          ReadsLess()),
    Check("partitions.tail", "Are columns NULL that a partition lacks at its end?", ("missing-tail",),
          (Sql("SELECT eventid, managementevent FROM pieces_tail"),), Rows((("one", None),)),
          (Make("pieces_tail", _HERE, ("which",), (Piece(("here",), _HERE, _TAIL),)),)),
    Check("partitions.swapped", "Does a partition with columns in another order fail?", ("columns-by-index",),
          (Sql("SELECT eventid, eventversion FROM pieces_swapped"),), Refused("HIVE_PARTITION_SCHEMA_MISMATCH"),
          (Make("pieces_swapped", _HERE, ("which",), (Piece(("here",), _HERE, _SWAPPED),)),)),
    Check("partitions.struct", "Does a partition whose struct lacks its last fields fail?", ("struct-tail",),
          (Sql("SELECT eventid, tlsdetails.keyexchange FROM pieces_struct"),),
          Refused("HIVE_PARTITION_SCHEMA_MISMATCH"),
          (Make("pieces_struct", _HERE, ("which",), (Piece(("here",), _HERE, _SHORT_STRUCT),)),)),
    Check("partitions.double_slash", "Is // in a location made one?", ("double-slash",),
          (Sql("SELECT eventid FROM pieces_slash"),), Rows((("one",),)),
          (Make("pieces_slash", _HERE, ("which",),
                (Piece(("here",), "{scratch}/pieces//" + DAY),)),)),
    Check("partitions.absent", "Is a partition without objects no error?", ("absent-folder",),
          (Sql("SELECT count(*) FROM pieces_absent"),), Rows(((0,),)),
          (Make("pieces_absent", _HERE, ("which",), (Piece(("here",), "{scratch}/pieces/nowhere/"),)),)),
    Check("partitions.path", "Is \"$path\" the object's whole address?", ("path-column",),
          (Sql("SELECT \"$path\" FROM pieces WHERE which = 'here'"),), Rows((("{scratch}/" + _FILE.key,),))),
    Check("partitions.listed", "Does SHOW PARTITIONS list what Glue's API made?", ("shapes",),
          (Sql("SHOW PARTITIONS pieces"),), Rows((("which=here",), ("which=there",)))),
)  # fmt: skip
