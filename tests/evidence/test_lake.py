"""The lake in AWS on a real Trino: its rows, and the views that take sealed days from it, equal the raw files'.

Records that no engine of Athena's kind can read are in files of their own, which the comparisons leave out by name.
"""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from evidence.catalogs import apply, place_of, places, quoted, reading
from evidence.rows import DAY, IDENTITY, counted, differences, identities, of_trino
from lake.lakes import Recorder
from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.catalog.glue import GlueCatalog
from trailhouse.core.desired import Design, shared_views
from trailhouse.core.layout import Kind
from trailhouse.core.plan import Action, Change, Target
from trailhouse.core.schema import events_columns, view_columns
from trailhouse.core.state import Shape
from trailhouse.demo import generate
from trailhouse.lake.delivered import by_bucket
from trailhouse.lake.ingest import take_in
from trailhouse.lake.pending import Needed
from trailhouse.lake.s3_lake import S3Lake
from trailhouse.lake.workspace import Workspace
from trailhouse.storage import open_sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bed.trino import Trino
    from evidence.rows import Row

pytestmark = [pytest.mark.trino, pytest.mark.emulator]

BUCKET, LAKE = "lake-demo-logs", "lake-demo"
SHAPES = (Shape.PER_ACCOUNT, Shape.SINGLE)
RECORDS = ", ".join(column.name for column in view_columns(Kind.CLOUDTRAIL))
# A condition on the file stays above the window, so these columns, which some files are odd in, are left unread.
EVENTS = ", ".join(c.name for c in events_columns() if c.name not in {"resources", "errormessage"})


@dataclass(frozen=True)
class Logs:
    """The demo's logs as Trino sees them.

    When they were delivered, the condition that reads them all, and the objects that cannot be read.
    """

    days: tuple[date, ...]
    everything: str
    odd: frozenset[str]

    @property
    def readable(self) -> str:
        """The condition that reads what can be read."""
        return f"{self.everything} AND logfile NOT IN ({', '.join(map(quoted, sorted(self.odd)))})"


@contextmanager
def credentials(trino: Trino) -> Iterator[None]:
    """Those of Trino's AWS, in the environment."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in trino.aws.environment().items():
            patched.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def logs(trino: Trino, tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """The demo with a catalog of each shape over it."""
    made = tmp_path_factory.mktemp("demo")
    generate(made, events=2000, seed=1)
    trino.load(BUCKET, made / "bucket")
    for shape in SHAPES:
        apply(trino.aws, BUCKET, database=f"lake_{shape}", tables=str(shape))
    delivered = [place for place in places(trino.aws, BUCKET) if place.kind == "CloudTrail"]
    odd = frozenset(f"s3://{BUCKET}/{key}" for key in _odd(trino))
    days = {datetime.strptime(place.day, "%Y/%m/%d").replace(tzinfo=UTC).date() for place in delivered}
    return Logs(tuple(sorted(days)), reading(delivered), odd)


def _odd(trino: Trino) -> Iterator[str]:
    """Keys of objects with a record that the engine refuses."""
    for key, stored in trino.aws.buckets.all[BUCKET].objects.items():
        place = place_of(key)
        if place and place.kind == "CloudTrail" and stored.body.startswith(b"\x1f\x8b"):
            records = json.loads(gzip.decompress(stored.body))["Records"]
            if any(r.get("resources") == "" or isinstance(r.get("errorMessage"), dict) for r in records):
                yield key


@pytest.fixture(scope="module")
def lake(trino: Trino, logs: Logs, tmp_path_factory: pytest.TempPathFactory) -> date:
    """A lake in both databases, taken in by workers; how far it is sealed: to the middle."""
    trino.aws.bucket(LAKE)
    middle = logs.days[len(logs.days) // 2]
    now = datetime(middle.year, middle.month, middle.day, 12, tzinfo=UTC) + timedelta(days=2)
    access = Access(endpoint_url=trino.aws.url)
    for shape in SHAPES:
        workspace = Workspace(tmp_path_factory.mktemp("work") / "lake")
        workspace.prepare([BUCKET])
        named = open_sources([f"s3://{BUCKET}"], stdin=io.BytesIO(), spool=workspace.spool, access=access)
        with credentials(trino):
            made = S3Lake(
                Gate(access), f"s3://{LAKE}/{shape}", workspace, database=f"lake_{shape}", holder="evidence"
            )
            report = take_in(by_bucket(named), made, needed=Needed(), now=now, progress=Recorder(), jobs=1)
            assert report.files > 0
            assert made.tables.watermark() == middle
    return middle


def hybrid(trino: Trino, shape: Shape, open_from: date) -> str:
    """A database with the views over lake and raw files; its name."""
    accounts = sorted({p.account for p in places(trino.aws, BUCKET) if p.kind == "CloudTrail"})
    made = shared_views(Design(f"lake_{shape}", "cloudtrail", shape), {Kind.CLOUDTRAIL: accounts}, open_from)
    database = f"hybrid_{shape}_{open_from:%Y%m%d}"
    if database not in [d["Name"] for d in trino.aws.client("glue").get_databases()["DatabaseList"]]:
        views = [Change(Action.CREATE, Target.VIEW, view.name, after=view) for view in made]
        changes = [Change(Action.CREATE, Target.DATABASE, database), *views]
        with credentials(trino):
            catalog = GlueCatalog(Gate(Access(endpoint_url=trino.aws.url)), database, "cloudtrail")
            assert [outcome.error for outcome in catalog.carry_out(changes) if outcome.error] == []
    return database


@pytest.fixture(scope="module")
def raw(trino: Trino, logs: Logs) -> list[Row]:
    """All records that can be read, from the raw files."""
    sql = f"SELECT {RECORDS} FROM cloudtrail WHERE {logs.readable}"
    return of_trino(trino.ask(sql, schema=f"lake_{SHAPES[0]}"))


@pytest.fixture(scope="module")
def flagged(trino: Trino, logs: Logs, lake: date) -> list[dict[str, Any]]:
    """What the lake says of each row."""
    assert lake
    sql = f"SELECT {RECORDS}, duplicate FROM cloudtrail_lake WHERE {logs.everything}"
    return of_trino(trino.ask(sql, schema=f"lake_{SHAPES[0]}"))


@pytest.fixture(params=["none", "half", "all"])
def open_from(request: pytest.FixtureRequest, logs: Logs, lake: date) -> date:
    """Watermarks: before everything, in the middle, after everything."""
    ends = {"none": logs.days[0], "half": lake, "all": logs.days[-1] + timedelta(days=1)}
    return ends[request.param]


def test_the_lake_has_the_rows_of_the_raw_files(logs: Logs, raw: list[Row], flagged: list[Row]) -> None:
    """And those of the objects that the engine cannot read."""
    assert len(raw) > 1000
    rest = {row["logfile"] for row in flagged} - {row["logfile"] for row in raw}
    assert {f"s3://{BUCKET}/{tail}" for tail in rest} == logs.odd != set()
    same = [row for row in flagged if row["logfile"] not in rest]
    assert differences(counted(raw), counted(same, ["duplicate"])) == []


@pytest.mark.parametrize("shape", SHAPES)
def test_records_are_those_of_the_raw_files(
    trino: Trino, logs: Logs, raw: list[Row], shape: Shape, open_from: date
) -> None:
    database = hybrid(trino, shape, open_from)
    found = of_trino(trino.ask(f"SELECT {RECORDS} FROM cloudtrail WHERE {logs.readable}", schema=database))
    assert differences(counted(raw), counted(found)) == []


@pytest.mark.parametrize("shape", SHAPES)
def test_events_are_there_once_on_each_side(
    trino: Trino, logs: Logs, flagged: list[dict[str, Any]], shape: Shape, open_from: date
) -> None:
    """Where all is sealed, once; a pair with a side that is open is there on each of its days, as without a lake."""
    database = hybrid(trino, shape, open_from)
    sql = f"SELECT {EVENTS} FROM cloudtrail_events WHERE {logs.everything}"
    found = of_trino(trino.ask(sql, schema=database))
    watermark = tuple(open_from.isoformat().split("-"))
    sealed = [row for row in flagged if _day(row) < watermark]
    rest = [row for row in flagged if _day(row) >= watermark]
    expected = identities(row for row in sealed if not row["duplicate"])
    expected += identities(row for row in rest if row["eventid"] is None)
    each_day = {
        (*(row[name] for name in (*IDENTITY, "account")), _day(row)): row for row in rest if row["eventid"]
    }
    expected += identities(each_day.values())
    assert differences(expected, identities(found)) == []
    once = Counter(dict.fromkeys(identities(row for row in flagged if row["eventid"]), 1))
    doubled = identities(row for row in found if row["eventid"]) - once
    assert rest or not doubled
    assert all(row["eventtimestamp"] for row in found if row["eventtime"])


def _day(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in DAY)


def test_a_day_is_read_from_its_side_alone(
    trino: Trino, logs: Logs, lake: date, flagged: list[dict[str, Any]]
) -> None:
    """Files of the lake may be in the server's memory by now; so its rows are counted."""
    database = hybrid(trino, Shape.SINGLE, lake)
    for day in (logs.days[1], lake):
        where = f"year = '{day:%Y}' AND month = '{day:%m}' AND day = '{day:%d}'"
        told = trino.stats(
            f"SELECT count(eventid), max(useragent) FROM cloudtrail WHERE {where}", schema=database
        )
        read = {path for path in told.files if "/metadata/" not in path}
        assert told.rows[0][0] > 0
        if day < lake:
            folder = f"s3://{LAKE}/single/cloudtrail_lake/data/year={day:%Y}/month={day:%m}/day={day:%d}/"
            assert all(path.startswith(folder) for path in read)
            assert told.input_rows == sum(
                _day(row) == (f"{day:%Y}", f"{day:%m}", f"{day:%d}") for row in flagged
            )
        else:
            assert read
            assert all(path.startswith(f"s3://{BUCKET}/") and f"/{day:%Y/%m/%d}/" in path for path in read)
