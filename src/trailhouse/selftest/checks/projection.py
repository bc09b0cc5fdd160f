"""Partitions that Athena computes."""

from __future__ import annotations

from trailhouse.selftest.check import Check, Make, Sql
from trailhouse.selftest.checks.records import ACCOUNT, DAY, log, record
from trailhouse.selftest.expect import Refused, Rows

_FILE = log("computed", record("one"))
_ROOT = "{bucket}/{prefix}computed/AWSLogs"
_BELOW = f"{ACCOUNT}/CloudTrail/us-east-1"


def _projected(name: str, keys: tuple[str, ...], template: str, *properties: tuple[str, str]) -> Make:
    own = (
        ("projection.enabled", "true"),
        ("storage.location.template", template),
        *((f"projection.{key}", value) for key, value in properties),
    )
    return Make(name, f"{{scratch}}/computed/{DAY}", keys, parameters=own)


def _day(year_type: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return (
        *year_type, ("month.type", "integer"), ("month.range", "1,12"), ("month.digits", "2"),
        ("day.type", "integer"), ("day.range", "1,31"), ("day.digits", "2"),
    )  # fmt: skip


_YEARS = (("year.type", "integer"), ("year.range", "2025,2026"), ("year.digits", "4"))
_DATES = ("year", "month", "day")
_DATED = "/${year}/${month}/${day}/"

CHECKS: tuple[Check, ...] = (
    Check("projection.slashes", "May an enum's values hold slashes that fill a template?", ("enum-slash",),
          (Sql("SELECT eventid, logroot FROM computed_slash"),), Rows((("one", _ROOT),)),
          (_FILE, _projected("computed_slash", ("logroot", *_DATES), f"s3://${{logroot}}/{_BELOW}{_DATED}",
                             ("logroot.type", "enum"), ("logroot.values", _ROOT), *_day(_YEARS)))),
    Check("projection.digits", "Are integers with digits zero-padded?", ("integer-digits",),
          (Sql("SELECT eventid, year, month, day FROM computed_digits WHERE month = '03' AND day = '02'"),),
          Rows((("one", "2026", "03", "02"),)),
          (_projected("computed_digits", _DATES, f"s3://{_ROOT}/{_BELOW}{_DATED}", *_day(_YEARS)),)),
    Check("projection.space", "Does white space in an enum's values count?", ("enum-space",),
          (Sql("SELECT count(*) FROM computed_space"),), Rows(((0,),)),
          (_projected("computed_space", ("region",), f"s3://{_ROOT}/{ACCOUNT}/CloudTrail/${{region}}/2026/03/02/",
                      ("region.type", "enum"), ("region.values", "eu-west-1, us-east-1")),)),
    Check("projection.years_ago", "May a range begin at NOW-3YEARS?", ("now-years",),
          (Sql("SELECT count(*) FROM computed_years WHERE at = '2000/01/01'"),), Rows(((0,),)),
          (_projected("computed_years", ("at",), f"s3://{_ROOT}/{_BELOW}/${{at}}/", ("at.type", "date"),
                      ("at.range", "NOW-3YEARS,NOW"), ("at.format", "yyyy/MM/dd")),)),
    Check("projection.injected", "Does a statement without a value for an injected key fail?", ("injected",),
          (Sql("SELECT count(*) FROM computed_injected"),), Refused("injected|static|CONSTRAINT|INVALID"),
          (_projected("computed_injected", ("region",),
                      f"s3://{_ROOT}/{ACCOUNT}/CloudTrail/${{region}}/2026/03/02/", ("region.type", "injected")),)),
    Check("projection.injected_value", "Does it answer with one?", ("injected",),
          (Sql("SELECT eventid FROM computed_injected WHERE region = 'us-east-1'"),), Rows((("one",),))),
)  # fmt: skip
