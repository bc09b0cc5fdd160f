"""The Python API on small folders and on the real corpus."""

import hashlib
import importlib.util
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from types import ModuleType

import pytest

import trailhouse
from deliveries import ACCOUNT, OTHER, damage, deliver, event, small_source
from trailhouse.core.layout import Kind
from trailhouse.core.schema import RECORD_COLUMNS, duckdb_type, events_columns, lake_columns, view_columns
from trailhouse.errors import SourceError, SqlError, UsageError
from trailhouse.session import Trailhouse

NAIVE = datetime(2026, 1, 5)  # noqa: DTZ001 - naive times are UTC


NAIVE = datetime(2026, 1, 5)  # noqa: DTZ001 - naive times are UTC


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return small_source(tmp_path / "logs")


@pytest.fixture
def house(source: Path, tmp_path: Path) -> Iterator[Trailhouse]:
    with trailhouse.open(source, workdir=tmp_path / "work") as opened:
        yield opened


def count(house: Trailhouse, sql: str) -> object:
    return house.query(sql).arrow().column(0).to_pylist()[0]


@pytest.fixture(scope="module")
def api() -> ModuleType:
    path = Path(__file__).parent / "typing" / "api.py"
    spec = importlib.util.spec_from_file_location("typed_api", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_documented_examples(
    api: ModuleType, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = api.ask(str(source), tmp_path / "work")
    assert found == {"files": 3, "records": 10, "logins": 1, "rows": 10}
    assert "ConsoleLogin 1\nGetObject 9\n" in capsys.readouterr().out
    assert api.ask_a_part(str(source), tmp_path / "work") == 2
    assert "nearest: eventname" in api.ask_wrongly(str(source), tmp_path / "work")


def test_a_second_question_leaves_the_first_answer_alone(house: Trailhouse) -> None:
    first = iter(house.query("SELECT a.eventid FROM cloudtrail a, cloudtrail b, cloudtrail c, cloudtrail d"))
    next(first)
    assert count(house, "SELECT count(*) FROM cloudtrail") == 10
    assert sum(1 for _ in first) == 10**4 - 1


def test_an_error_in_the_middle_of_an_answer(house: Trailhouse) -> None:
    sql = "SELECT CAST(useragent AS integer) FROM cloudtrail"
    with pytest.raises(SqlError, match="Cannot cast"):
        house.query(sql).arrow()


def test_columns_are_the_contract(house: Trailhouse) -> None:
    tables = house.tables()
    expected = {"cloudtrail_events": events_columns()}
    for kind in RECORD_COLUMNS:
        name = "cloudtrail" + kind.value.lower().removeprefix("cloudtrail").replace("-", "_")
        expected[name] = view_columns(kind)
        expected[f"{name}_lake"] = lake_columns(kind)
    expected[f"cloudtrail_{ACCOUNT}"] = view_columns(Kind.CLOUDTRAIL)
    for name, columns in expected.items():
        assert tables[name] == [(c.name, duckdb_type(c.type).lower()) for c in columns], name
        made = house.engine.ask(f'SELECT * FROM "{name}" LIMIT 0').schema.names
        assert made == [c.name for c in columns], name


def test_account_names_hold_their_account(house: Trailhouse) -> None:
    assert count(house, f"SELECT count(*) FROM cloudtrail_{OTHER}") == 1
    assert count(house, f"SELECT count(*) FROM cloudtrail_{ACCOUNT}") == 9
    with pytest.raises(SqlError, match="no log of account 999999999999 is here"):
        house.query("SELECT 1 FROM cloudtrail_999999999999")


@pytest.mark.parametrize(
    "since",
    ["2026-01-05", "2026-01-05T00:00:00Z", date(2026, 1, 5), NAIVE, datetime(2026, 1, 5, tzinfo=UTC),
     datetime(2026, 1, 5, 2, tzinfo=timezone(timedelta(hours=2)))],
)  # fmt: skip
def test_times_in_every_form(source: Path, tmp_path: Path, since: str | date | datetime) -> None:
    with trailhouse.open(source, since=since, late="36h", workdir=tmp_path / "work") as house:
        assert house.options.since == datetime(2026, 1, 5, tzinfo=UTC)
        assert count(house, "SELECT count(*) FROM cloudtrail") == 3
        assert house.report is not None
        assert house.report.listing.deferred == 1


def test_one_account_alone_is_no_list_of_digits(source: Path, tmp_path: Path) -> None:
    with trailhouse.open(source, accounts=OTHER, workdir=tmp_path / "work") as house:
        assert count(house, "SELECT count(*) FROM cloudtrail") == 1


def test_what_cannot_be_meant_is_refused(source: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    with pytest.raises(UsageError, match="nothing lies between"):
        trailhouse.open(source, since="2026-01-05", until="2026-01-05", workdir=work)
    with pytest.raises(UsageError, match="12 digits"):
        trailhouse.open(source, accounts=["12"], workdir=work)
    with pytest.raises(UsageError, match="is no time"):
        trailhouse.open(source, since="yesterday", workdir=work)
    with pytest.raises(UsageError, match="no length of time"):
        trailhouse.open(source, late="soon", workdir=work)
    with pytest.raises(SourceError, match="no source"):
        trailhouse.open(workdir=work)
    with pytest.raises(SourceError, match="never written to"):
        trailhouse.open(source, workdir=source / "work").ingest()
    assert not work.exists()
    assert not (source / "work").exists()


def test_a_second_run_adds_nothing_and_the_source_stays(source: Path, tmp_path: Path) -> None:
    def state() -> list[tuple[str, int, bytes]]:
        files = sorted(path for path in source.rglob("*") if path.is_file())
        return [(str(path), path.stat().st_mtime_ns, path.read_bytes()) for path in files]

    before = state()
    for taken in (10, 0):
        with trailhouse.open(source, workdir=tmp_path / "work") as house:
            assert house.ingest().records == taken
            assert count(house, "SELECT count(*) FROM cloudtrail") == 10
    assert state() == before


def test_a_redelivered_record_is_one_event(source: Path, tmp_path: Path) -> None:
    deliver(source, [event(0)], unique="secondsecondseco")
    with trailhouse.open(source, workdir=tmp_path / "work") as house:
        assert count(house, "SELECT count(*) FROM cloudtrail") == 11
        assert count(house, "SELECT count(*) FROM cloudtrail_events") == 10


def test_empty_answers_explain_themselves(source: Path, tmp_path: Path) -> None:
    damage(source)
    with trailhouse.open(source, workdir=tmp_path / "work") as house:

        def said(sql: str) -> str:
            result = house.query(sql)
            lines = house.explain(result.statement, result.arrow().num_rows)
            assert len(lines) <= 3
            return "\n".join(lines)

        assert said("SELECT * FROM cloudtrail") == ""
        assert said("SELECT eventname FROM cloudtrail WHERE region <> 'eu-north-1'") == ""
        assert "region 'eu-wset-1' is not in these logs; there are 2, such as eu-west-1" in said(
            "SELECT count(*) FROM cloudtrail WHERE region = 'eu-wset-1'"
        )
        assert "account '999999999999' is not" in said(
            "SELECT 1 FROM cloudtrail WHERE recipientaccountid IN ('999999999999')"
        )
        assert "they hold 2026-01-02 to 2026-01-05" in said(
            "SELECT count(*) FROM cloudtrail_events WHERE eventtime >= '2030-01-01'"
        )
        assert "two digits" in said("SELECT 1 FROM cloudtrail WHERE year = '2026' AND month = '1'")
        assert "nearest: ConsoleLogin" in said("SELECT 1 FROM cloudtrail WHERE eventname = 'consolelogin'")
        assert "none of 10 records matches" in said("SELECT 1 FROM cloudtrail WHERE eventid = 'none'")
        assert "no records in cloudtrail_insight at all" in said("SELECT count(*) FROM cloudtrail_insight")
        assert said("SELECT 1 FROM cloudtrail_files WHERE status = 'none'") == ""
        assert said("SHOW TABLES") == ""


@pytest.mark.corpus
def test_the_real_corpus(corpus: Path, tmp_path: Path) -> None:
    with trailhouse.open(corpus, workdir=tmp_path / "work") as house:
        assert count(house, "SELECT count(*) FROM cloudtrail") == 5767
        assert count(house, "SELECT count(*) FROM cloudtrail_events") == 5360
        assert count(house, "SELECT count(*) FROM cloudtrail_insight") == 1
        ids = house.query("SELECT DISTINCT eventid FROM cloudtrail").arrow().column(0).to_pylist()
        insight = house.query("SELECT DISTINCT eventid FROM cloudtrail_insight").arrow().column(0).to_pylist()
        lines = sorted(f"{one}\n".encode() for one in {*ids, *insight})
        expected = "480c3e32f86e739d452f65a3e944bcec0c386f9c401d842d68972a34b79f8f78"
        assert hashlib.sha256(b"".join(lines)).hexdigest() == expected
        assert house.evidence.gaps(list(RECORD_COLUMNS)) == []
