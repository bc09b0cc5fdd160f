"""CloudTrail Lake's SQL answers as a plain query of ours does, or is refused by name."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import trailhouse
from trailhouse.demo import generate
from trailhouse.dialect import from_cloudtrail_lake
from trailhouse.errors import SqlError, UnsupportedSqlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trailhouse.session import Trailhouse

NOW = datetime(2026, 3, 12, 12, tzinfo=UTC)
EDS = "3f852e4a-4e8f-8bd1-bcf6-c1234567890a"
OTHER = "9b2d41c7-1111-4222-8333-abcdefabcdef"
LATE = timedelta(days=40)
SIMPLE = f"SELECT eventName FROM {EDS}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trailhouse]:
    """A generated organization's logs, taken in."""
    folder = tmp_path_factory.mktemp("demo")
    generate(folder / "made", events=900, seed=3)
    with trailhouse.open(folder / "made" / "bucket", workdir=folder / "work", jobs=1) as opened:
        yield opened


def moved(sql: str, **stores: str) -> str:
    return from_cloudtrail_lake(sql, now=NOW, stores=stores, late=LATE).sql


def _forms() -> dict[str, tuple[str, str]]:
    """Each form: as CloudTrail Lake takes it, and as somebody writes it who knows our tables."""
    text = (Path(__file__).parent / "forms.sql").read_text("utf-8").replace("<eds>", EDS)
    found = re.findall(r"^-- form: (.+)\n((?:.+\n)+?)-- ours\n((?:.+\n)+)", text, re.MULTILINE)
    return {name: (lake, ours) for name, lake, ours in found}


FORMS = _forms()


@pytest.mark.parametrize("form", FORMS)
def test_a_form_answers_as_a_query_of_ours(house: Trailhouse, form: str) -> None:
    lake, ours = FORMS[form]
    asked = [tuple(row.values()) for row in house.query(moved(lake))]
    expected = [tuple(row.values()) for row in house.query(ours)]
    if "ORDER BY" not in lake:
        asked, expected = sorted(asked, key=repr), sorted(expected, key=repr)
    assert asked == expected
    assert asked


def test_everything_that_lake_showed_and_we_have(house: Trailhouse) -> None:
    told = from_cloudtrail_lake(f"SELECT * FROM {EDS} LIMIT 1", now=NOW)
    (row,) = house.query(told.sql)
    assert list(row)[:4] == ["eventversion", "useridentity", "eventtime", "eventsource"]
    assert isinstance(row["eventtime"], datetime)
    assert (
        "* leaves out what is not here: annotation, insightDetails, eventJson, eventJsonChecksum"
        in told.notes
    )


@pytest.mark.parametrize(
    "store",
    [
        EDS,
        f'"{EDS}"',
        "EXAMPLEf852-4e8f-8bd1-bcf6cEXAMPLE",
        f"arn:aws:cloudtrail:eu-west-1:111122223333:eventdatastore/{EDS}",
        "$EDS_ID",
        "<event_data_store_id>",
        "{event_data_store_id}",
        "cloudtrail_events",
    ],
)
def test_how_a_store_is_named(store: str) -> None:
    sql = f"SELECT eventName /* FROM {OTHER} */ FROM\n  {store} -- FROM {OTHER}\nWHERE eventName <> 'FROM {OTHER}'"
    assert moved(sql) == f"SELECT eventname FROM cloudtrail_events WHERE eventname <> 'FROM {OTHER}'"


def test_a_name_that_says_nothing_has_to_be_explained() -> None:
    with pytest.raises(SqlError, match=r"unknown table \"eds1\"(.|\n)*--store 'eds1=cloudtrail_events'"):
        moved("SELECT eventName FROM eds1")
    assert moved("SELECT eventName FROM eds1", eds1="cloudtrail_111122223333").endswith(
        "cloudtrail_111122223333"
    )


def test_several_stores_have_to_be_explained() -> None:
    sql = f"SELECT eventID FROM {EDS} UNION ALL SELECT eventID FROM {OTHER}"
    with pytest.raises(SqlError, match=f"asks 2 event data stores(.|\n)*--store '{EDS}=cloudtrail_events'"):
        moved(sql)
    stores = {EDS: "cloudtrail_events", OTHER: "logs.cloudtrail_networkactivity"}
    assert from_cloudtrail_lake(sql, now=NOW, stores=stores).sql == (
        "SELECT eventid FROM cloudtrail_events UNION ALL SELECT eventid FROM logs.cloudtrail_networkactivity"
    )


def test_a_store_stands_for_a_table_of_ours() -> None:
    with pytest.raises(UsageError, match="cloudtrail_files cannot stand for an event data store"):
        moved(SIMPLE, **{EDS: "cloudtrail_files"})


def test_tables_without_a_timestamp_get_one() -> None:
    told = moved(f"SELECT eventTime FROM {EDS}", **{EDS: "cloudtrail"})
    parsed = "CAST(try(date_parse(eventtime, '%Y-%m-%dT%H:%i:%sZ')) AS TIMESTAMP(3))"
    assert told == f"SELECT {parsed} AS eventtime FROM cloudtrail"


WRITTEN = {
    f"SELECT b.* FROM {EDS} AS a JOIN {EDS} AS b USING (eventID)": "SELECT b.eventversion, b.useridentity, b.event",
    f"SELECT * FROM {EDS} AS a CROSS JOIN UNNEST(map_keys(requestParameters)) AS t(k)": "a.managementevent",
    f"SELECT n.* FROM (SELECT eventName FROM {EDS}) AS n": (
        "SELECT n.* FROM (SELECT eventname FROM cloudtrail_events) AS n"
    ),
    f"SELECT a FROM (SELECT eventName, readOnly FROM {EDS}) AS n(a, b) WHERE b": (
        "SELECT a FROM (SELECT eventname, TRY_CAST(readonly AS BOOLEAN) AS readonly FROM cloudtrail_events)"
        " AS n(a, b) WHERE b"
    ),
    f"SELECT eventName, awsRegion, count(*) FROM {EDS} GROUP BY GROUPING SETS ((eventName), (awsRegion))": (
        "GROUP BY GROUPING SETS ((eventname), (awsregion))"
    ),
    f"(SELECT eventTime FROM {EDS}) ORDER BY eventTime": (
        "(SELECT eventtimestamp AS eventtime FROM cloudtrail_events) ORDER BY eventTime"
    ),
    f'SELECT a.eventName FROM {EDS} AS a, {EDS} WHERE a.eventID = "{EDS}".sharedEventID': (
        "FROM cloudtrail_events AS a, cloudtrail_events WHERE a.eventid = cloudtrail_events.sharedeventid"
    ),
    f'SELECT a.eventName FROM {EDS} JOIN {EDS} AS a ON a.eventID = "{EDS}".sharedEventID JOIN cloudtrail_events'
    " ON true": "JOIN cloudtrail_events AS cloudtrail_events ON TRUE",
    f"SELECT element_at(addendum, 'reason'), addendum['updatedFields'] FROM {EDS}": (
        "SELECT addendum.reason, addendum.updatedfields FROM cloudtrail_events"
    ),
    f"SELECT element_at(requestParameters, eventName) FROM {EDS}": "AS MAP(VARCHAR, JSON)), (k, v) ->",
    f"SELECT json_extract(eventJson, '$.readOnly'), json_extract(eventJson, '$.eventName') FROM {EDS}": (
        "SELECT json_parse(readonly), CAST(eventname AS JSON) FROM"
    ),
    f"SELECT json_extract(eventJson, '$.requestParameters') FROM {EDS}": "json_extract(requestparameters, '$')",
    f"SELECT json_extract(a.eventJson, '$.requestParameters[\"a b\"].c[0]') FROM {EDS} AS a": (
        "json_extract(a.requestparameters, '$[\"a b\"].c[0]')"
    ),
    f"SELECT 1 FROM {EDS} WHERE readOnly IS NULL OR managementEvent IS NOT NULL": (
        "WHERE readonly IS NULL OR NOT managementevent IS NULL"
    ),
    f"SELECT 1 FROM {EDS} WHERE true = readOnly AND 'false' = managementEvent": (
        "WHERE 'true' = readonly AND 'false' = managementevent"
    ),
    f"SELECT 1 FROM {EDS} WHERE eventTime > CAST(now() AS timestamp) - INTERVAL '1' DAY": "'2026-03-11 12:00:00.000'",
    f"SELECT 1 FROM {EDS} WHERE CAST(now() AS timestamp) - INTERVAL '1' DAY < eventTime": "day >= '11'",
    f"SELECT 1 FROM {EDS} WHERE eventTime > userIdentity.sessionContext.attributes.creationDate": (
        "WHERE eventtimestamp > CAST(try(date_parse(useridentity."
    ),
    f"SELECT 1 FROM {EDS} WHERE date(eventTime) IN ('2026-03-04')": "IN (CAST('2026-03-04' AS DATE))",
    f"SELECT 1 FROM {EDS} WHERE eventTime BETWEEN date_add('day', -1, eventTime) AND now()": (
        "BETWEEN date_add('day', -1, eventtimestamp) AND CAST('2026-03-12 12:00:00.000' AS TIMESTAMP(3))"
    ),
    f"SELECT 1 FROM {EDS} WHERE element_at(requestParameters, 'a') IN ('x', '{{\"y\": 1}}')": "WHERE coalesce(",
    f"SELECT 1 FROM {EDS} WHERE NOT element_at(requestParameters, 'a') = 'x'": "WHERE NOT coalesce(",
    f"SELECT 1 FROM {EDS} WHERE account = '111122223333' AND year = '2026'": (
        "WHERE account = '111122223333' AND year = '2026'"
    ),
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT n FROM t": "SELECT n FROM t",
}  # fmt: skip


@pytest.mark.parametrize("sql", WRITTEN)
def test_how_it_is_written(sql: str) -> None:
    assert WRITTEN[sql] in moved(sql)


def test_a_store_of_insights(house: Trailhouse) -> None:
    sql = f"SELECT insightEventName, insightState FROM {EDS} WHERE eventTime > '2026-03-01' ORDER BY insightEventName"
    told = moved(sql, **{EDS: "cloudtrail_insight"})
    assert "insightdetails.eventname AS insighteventname" in told
    ours = "SELECT insightdetails.eventname, insightdetails.state FROM cloudtrail_insight ORDER BY 1"
    expected = [tuple(row.values()) for row in house.query(ours)]
    assert [tuple(row.values()) for row in house.query(told)] == expected
    assert expected


def test_network_activity_is_looked_for_where_it_is() -> None:
    sql = f"SELECT count(*) FROM {EDS} WHERE eventCategory = 'NetworkActivity'"
    told = moved(sql, **{EDS: "cloudtrail_networkactivity"})
    assert told == "SELECT count(*) FROM cloudtrail_networkactivity WHERE eventcategory = 'NetworkActivity'"


DAYS = {
    "eventTime > '2026-03-04 10:00:00'": ("from 2026-03-04 on", "year > '2026'"),
    "'2026-03-04 10:00:00' < eventTime AND eventName = 'x'": ("from 2026-03-04 on", "day >= '04'"),
    "eventTime >= '2026-03-04T23:00:00-02:00'": ("from 2026-03-05 on", "day >= '05'"),
    "eventTime < '2026-03-04'": ("from the first day to 2026-03-05", "day <= '05'"),
    "eventTime BETWEEN '2026-03-04' AND '2026-03-31 12:00:00'": (
        "from 2026-03-04 to 2026-04-01",
        "day <= '01'",
    ),
    "date(eventTime) = '2026-03-04'": ("from 2026-03-04 to 2026-03-06", "day <= '06'"),
    "CAST(eventTime AS date) >= DATE '2026-03-04'": ("from 2026-03-04 on", "day >= '04'"),
    "date_trunc('hour', eventTime) = '2026-03-04 10:00:00'": ("from 2026-03-04 to 2026-03-05", "day <= '05'"),
    "eventTime > now() - INTERVAL '2' DAY": ("from 2026-03-10 on", "day >= '10'"),
    "eventTime > date_add('month', -1, date_trunc('day', now()))": ("from 2026-02-12 on", "month > '02'"),
    "(eventTime > '2026-03-04' AND eventTime > '2026-03-08')": ("from 2026-03-08 on", "day >= '08'"),
}


@pytest.mark.parametrize("condition", DAYS)
def test_a_bound_of_event_times_is_one_of_days(condition: str) -> None:
    told = from_cloudtrail_lake(f"{SIMPLE} WHERE {condition}", now=NOW)
    said, written = DAYS[condition]
    assert told.notes[0].startswith(f"days of delivery that are read: {said}")
    assert written in told.sql


@pytest.mark.parametrize(
    "condition",
    [
        "eventTime > '2026-03-04' OR errorCode IS NOT NULL",
        "NOT eventTime > '2026-03-04'",
        "eventTime <> '2026-03-04'",
        "date_add('day', 1, eventTime) > '2026-03-04'",
        "eventTime + INTERVAL '1' DAY > '2026-03-04'",
        "userIdentity.sessionContext.attributes.creationDate > '2026-03-04'",
        "date_trunc('month', eventTime) = '2026-03-01'",
    ],
)
def test_what_bounds_no_day_says_so(condition: str) -> None:
    told = from_cloudtrail_lake(f"{SIMPLE} WHERE {condition}", now=NOW)
    assert told.notes == ("no condition of the statement bounds eventTime: every day of delivery is read",)
    assert "year" not in told.sql


def test_the_days_of_one_side_of_a_join() -> None:
    told = moved(
        f"SELECT a.eventName FROM {EDS} a LEFT JOIN {EDS} b ON a.eventID = b.sharedEventID"
        " WHERE a.eventTime > '2026-03-04'"
    )
    assert "(a.year > '2026' OR (a.year = '2026' AND" in told
    assert "b.year" not in told


def test_parameters_are_bound_first() -> None:
    told = from_cloudtrail_lake(f"{SIMPLE} WHERE eventTime > :since", now=NOW, params={"since": "2026-03-04"})
    assert "CAST('2026-03-04 00:00:00.000' AS TIMESTAMP(3))" in told.sql
    assert "day >= '04'" in told.sql


REFUSED = {
    f"SELECT annotation FROM {EDS}": 'there is no column "annotation" here',
    f"SELECT insightDetails FROM {EDS}": "--store ID=cloudtrail_insight",
    f"SELECT eventContext FROM {EDS}": "trails do not deliver it",
    f"SELECT eventData.foo FROM {EDS}": "stores of configuration items, evidence and other events",
    f"SELECT eventJson FROM {EDS}": "eventJson is not here as a whole",
    f"SELECT length(eventJson) FROM {EDS}": "eventJson is not here as a whole",
    f"SELECT count(eventJson) FROM {EDS}": "eventJson is not here as a whole",
    f"{SIMPLE} WHERE eventJson IS NOT NULL": "eventJson is not here as a whole",
    f"{SIMPLE} ORDER BY eventJson": "eventJson is not here as a whole",
    f"{SIMPLE} WHERE eventTime > ?": "write :name, and give --param name=VALUE",
    f"SELECT json_extract(eventJson, '$.foo') FROM {EDS}": "eventJson has no field of that name here",
    f"SELECT json_extract(eventJson, '$.userIdentity') FROM {EDS}": "it is a column here: useridentity",
    f"SELECT json_extract_scalar(eventJson, '$..x') FROM {EDS}": "Invalid JSON path",
    f"SELECT json_extract(eventJson, eventName) FROM {EDS}": "the path into eventJson is no literal",
    f"SELECT eventNam FROM {EDS}": "nearest: eventname",
    f"SELECT a.eventNam FROM {EDS} AS a": "nearest: eventname",
    f"SELECT * FROM {EDS} CROSS JOIN UNNEST(resources)": "what \\* stands for beside an event data store",
    f"SELECT json_extract(eventJson, '$.eventName.x') FROM {EDS}": "eventName is a text, and has no parts",
    f"SELECT map_keys(addendum) FROM {EDS}": "addendum is a struct here",
    f"{SIMPLE} WHERE element_at(addendum, eventName) = 'x'": "addendum has no field None here",
    f"SELECT CAST(requestParameters AS varchar) FROM {EDS}": "takes no map",
    f"SELECT userIdentity.foo FROM {EDS}": 'userIdentity has no field "foo" here',
    f"SELECT userIdentity.sessionContext.ec2IssuedInVpc FROM {EDS}": "no record that a trail delivers has it",
    f"SELECT requestParameters.bucketName FROM {EDS}": r"write element_at\(requestParameters, 'bucketName'\)",
    f"{SIMPLE} WHERE requestParameters LIKE '%x%'": "LIKE takes no map",
    f"{SIMPLE} WHERE requestParameters = 'x'": "EQ takes no map",
    f"SELECT json_extract(requestParameters, '$.x') FROM {EDS}": "json_extract takes no map",
    f"SELECT element_at(addendum, 'why') FROM {EDS}": "it has reason, updatedFields",
    f"{SIMPLE} WHERE addendum = 'x'": "addendum is a struct here",
    f"{SIMPLE} WHERE eventTime > 'yesterday'": "a time is compared with 'yesterday', which is none",
    f"{SIMPLE} WHERE eventTime > '2026-02-30'": "which is none",
    f"SELECT r.arn FROM {EDS} CROSS JOIN UNNEST(resources) AS r(one)": "gives 4 columns in CloudTrail Lake, and 1 are",
    f"SELECT p FROM {EDS} CROSS JOIN UNNEST(resources) AS r(a, b, c, p)": "use the ARN",
    f"SELECT eventName FROM {EDS} a JOIN {EDS} b ON a.eventID = b.eventID": '"eventname" is in several tables',
    f"{SIMPLE} WHERE eventCategory = 'NetworkActivity'": "--store ID=cloudtrail_networkactivity",
    f"{SIMPLE} WHERE eventCategory IN ('Data', 'NetworkActivity')": "have a table of their own here",
    "INSERT INTO x SELECT 1": "CloudTrail Lake has SELECT statements alone",
}  # fmt: skip


@pytest.mark.parametrize("sql", REFUSED)
def test_what_is_refused_says_why(sql: str) -> None:
    with pytest.raises(SqlError, match=REFUSED[sql]):
        moved(sql)


def test_what_has_no_counterpart_is_told_from_what_is_wrong() -> None:
    with pytest.raises(UnsupportedSqlError):
        moved(f"SELECT annotation FROM {EDS}")
    with pytest.raises(SqlError) as wrong:
        moved(f"SELECT eventNam FROM {EDS}")
    assert not isinstance(wrong.value, UnsupportedSqlError)


def test_hostile_keys_stay_values() -> None:
    told = moved(f"SELECT element_at(requestParameters, 'a\"]'') OR 1=1 --') FROM {EDS}")
    assert "'$[\"a\\\"]'') OR 1=1 --\"]'" in told
