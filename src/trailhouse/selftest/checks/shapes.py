"""Our own tables and views in each shape: applied by the same flow as everywhere, asked what is known of the logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailhouse.selftest.check import SHAPES, Apply, Check, Sql, Stage
from trailhouse.selftest.expect import Both, ReadsAll, ReadsLess, Rows, Runs, Same, Written

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAY = "year = '{year}' AND month = '{month}' AND day = '{day}'"
_README = (
    ("SELECT * FROM {own} WHERE region = '{region}' AND " + _DAY + " LIMIT 5", "", "answer"),
    ("SELECT eventid FROM {own} WHERE region = '{region}' AND " + _DAY, "eventids", "first"),
    (("SELECT useridentity.arn, errorcode, count(*) AS count FROM {own} WHERE " + _DAY + " AND errorcode != '' "
      "GROUP BY errorcode, useridentity.arn ORDER BY count DESC LIMIT 50"), "errors", "second"),
    (("SELECT eventname, count(*) AS COUNT FROM {own} WHERE " + _DAY + " AND useridentity.arn like '%{user}%' "
      "GROUP BY eventname ORDER BY COUNT DESC"), "names", "third"),
    (("SELECT recipientaccountid, count(*) AS COUNT FROM {every} WHERE year = '{year}' AND month = '{month}' AND "
      "sourceipaddress = '{address}' GROUP BY recipientaccountid ORDER BY COUNT DESC"), "recipients", "fourth"),
)  # fmt: skip
_COUNTS = (
    ("accounts", "SELECT account, count(*) FROM {every} GROUP BY account", "accounts"),
    (
        "days",
        "SELECT year || '-' || month || '-' || day, count(*) FROM {every} GROUP BY year, month, day",
        "days",
    ),
    ("regions", "SELECT region, count(*) FROM {every} GROUP BY region", "regions"),
    ("files", "SELECT count(DISTINCT logfile) FROM {every}", "files"),
    ("roots", "SELECT count(DISTINCT logroot) FROM {every}", "roots"),
    ("events", "SELECT count(*) FROM {every}_events", "events"),
    ("insight", "SELECT count(insightdetails.insighttype) FROM {every}_insight", "insight"),
    ("network", "SELECT count(vpcendpointid) FROM {every}_networkactivity", "network"),
    ("aggregated", "SELECT count(timewindow.windowstart) FROM {every}_aggregated", "aggregated"),
)
_PROJECTED_COUNTS = (
    ("day", "SELECT account, count(*) FROM {every} WHERE " + _DAY + " GROUP BY account", "day_accounts"),
)
_FOLDERS = 120
_MONTH = 31 * 60
"""Folders that a statement lists at most: of all partitions, of a month's computed ones."""


def _filled(text: str, stage: Stage) -> Sql:
    """The statement over one shape's names; other words are the run's."""
    every = f"{{{stage}}}"
    return Sql(text.replace("{own}", f"{every}_{{account}}").replace("{every}", every))


def _shape(stage: Stage) -> Iterator[Check]:
    yield Check(f"shapes.{stage}", f"Is {stage} applied, and the plan after it empty?", ("shapes",),
                (Apply(stage),), Rows(((0,),)), needs=stage)  # fmt: skip
    for text, truth, name in _README:
        folders = _MONTH if stage is Stage.PROJECTED and name == "fourth" else _FOLDERS
        yield Check(f"shapes.{stage}_{name}", "Is the README's question answered?",
                    ("shapes", "opaque-text", *_ENCODED[stage]), (_filled(text, stage),),
                    Written(truth) if truth else Runs(), needs=stage, folders=folders)  # fmt: skip
    for name, text, truth in _PROJECTED_COUNTS if stage is Stage.PROJECTED else _COUNTS:
        yield Check(f"shapes.{stage}_{name}", f"Are {name} as they were written?", ("shapes", "view-encoding"),
                    (_filled(text, stage),), Written(truth), needs=stage, folders=_FOLDERS)  # fmt: skip
    yield from _pruning(stage)


def _pruning(stage: Stage) -> Iterator[Check]:
    """A day and a region against everything; of computed partitions, each a listing, against one account's month."""
    day = f"region = '{{region}}' AND {_DAY}"
    projected = stage is Stage.PROJECTED
    part = " WHERE account = '{account}' AND year = '{year}' AND month = '{month}'" if projected else ""
    whole = _filled("SELECT count(eventid) FROM {every}" + part, stage)
    for name, table in (("own", "{own}"), ("every", "{every}"), ("events", "{every}_events")):
        settles = ("window-prunes",) if name == "events" else ("day-prunes",)
        whose = " AND account = '{account}'" if projected and name != "own" else ""
        asked = _filled(f"SELECT count(eventid) FROM {table} WHERE {day}{whose}", stage)
        yield Check(f"shapes.{stage}_prunes_{name}", "Does a question of a day and region read less than all?",
                    settles, (whole, asked), ReadsLess(), needs=stage, folders=_FOLDERS * (1 + projected))  # fmt: skip
    mine = _filled(f"SELECT count(eventid) FROM {{own}} WHERE {day}", stage)
    events = _filled(
        f"SELECT count(eventid) FROM {{every}}_events WHERE account = '{{account}}' AND {day}",
        stage,
    )
    yield Check(f"shapes.{stage}_window", "Does cloudtrail_events read no more for it than the account's table?",
                ("window-prunes", *_ACCOUNT[stage]), (mine, events), ReadsLess(strictly=False),
                needs=stage, folders=_FOLDERS)  # fmt: skip


_ENCODED = {Stage.PER_ACCOUNT: (), Stage.SINGLE: ("view-encoding", "partition-filtering"),
            Stage.PROJECTED: ("view-encoding", "enum-slash", "integer-digits")}  # fmt: skip
_ACCOUNT = {Stage.PER_ACCOUNT: ("constants-prune",), Stage.SINGLE: ("account-prunes",), Stage.PROJECTED: ()}

_OTHER = "SELECT count(eventid) FROM {every} WHERE account = '{other_account}'"

CHECKS: tuple[Check, ...] = (
    *(check for stage in SHAPES for check in _shape(stage)),
    Check("shapes.union_account", "Does a constant account leave a union's other branches unread?",
          ("constants-prune",),
          (_filled("SELECT count(eventid) FROM {every}", Stage.PER_ACCOUNT), _filled(_OTHER, Stage.PER_ACCOUNT)),
          ReadsLess(), needs=Stage.PER_ACCOUNT, folders=_FOLDERS),
    Check("shapes.union_recipient", "Does a condition on recipientaccountid read all?", ("recipient-reads-all",),
          (_filled("SELECT count(eventid) FROM {every}", Stage.PER_ACCOUNT),
           _filled("SELECT count(eventid) FROM {every} WHERE recipientaccountid = '{other_account}'",
                   Stage.PER_ACCOUNT)),
          ReadsAll(), needs=Stage.PER_ACCOUNT, folders=_FOLDERS),
    Check("shapes.single_account", "Does a condition on account leave other accounts' partitions unread?",
          ("account-prunes", "partition-filtering"),
          (_filled("SELECT count(eventid) FROM {every}", Stage.SINGLE), _filled(_OTHER, Stage.SINGLE)),
          ReadsLess(), needs=Stage.SINGLE, folders=_FOLDERS),
    Check("shapes.same", "Do two shapes answer the same?", ("shapes",),
          tuple(_filled("SELECT eventid, eventname, useridentity.arn, account, logfile FROM {every} WHERE " + _DAY,
                        stage) for stage in (Stage.PER_ACCOUNT, Stage.SINGLE)),
          Same(), needs=Stage.SINGLE, folders=_FOLDERS),
    Check("shapes.logfile", 'Is logfile "$path" in a view?', ("path-column",),
          (_filled("SELECT count(DISTINCT logfile) FROM {every} WHERE logfile LIKE '{logs}/AWSLogs/%'",
                   Stage.SINGLE),), Written("files"), needs=Stage.SINGLE, folders=_FOLDERS),
    Check("shapes.listed_columns", "Do SHOW CREATE VIEW and DESCRIBE read what Glue's API wrote?", ("view-encoding",),
          (_filled("SHOW CREATE VIEW {every}", Stage.SINGLE), _filled("DESCRIBE {every}", Stage.SINGLE)),
          Both((Runs(),)), needs=Stage.SINGLE, folders=_FOLDERS),
)  # fmt: skip
