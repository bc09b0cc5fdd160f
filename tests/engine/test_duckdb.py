"""Nothing but the lake's own files is in reach of a statement."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from trailhouse.dialect import Statement
from trailhouse.engine.duckdb import DuckDB
from trailhouse.errors import SqlError


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDB]:
    opened = DuckDB({}, [], "cloudtrail", tmp_path / "spill")
    yield opened
    opened.close()


def plain(sql: str) -> Statement:
    return Statement(sql, sql, ())


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM read_blob('{file}')",
        "SELECT * FROM read_parquet('{file}')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM glob('{folder}/*')",
        "COPY (SELECT 1) TO '{folder}/new.csv'",
        "EXPORT DATABASE '{folder}/new'",
        "ATTACH '{folder}/new.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET temp_directory = '{folder}'",
        "SET allowed_paths = ['{file}']",
        "PRAGMA database_list; SELECT * FROM read_text('{file}')",
    ],
)
def test_the_engine_itself_is_locked(engine: DuckDB, tmp_path: Path, sql: str) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with pytest.raises(SqlError):
        engine.execute(plain(sql.format(file=tmp_path / "secret.csv", folder=tmp_path))).read_all()
    assert sorted(path.name for path in tmp_path.iterdir()) in (["secret.csv"], ["secret.csv", "spill"])


def test_names_are_there_without_any_data(engine: DuckDB) -> None:
    assert engine.execute(plain("SELECT count(*) AS n FROM cloudtrail_events")).read_all().to_pylist() == [
        {"n": 0}
    ]
    assert "cloudtrail_files" in engine.tables()


def test_each_answer_has_a_connection_and_gives_it_back(engine: DuckDB) -> None:
    first = engine.execute(plain("SELECT * FROM range(100000)"))
    second = engine.execute(plain("SELECT * FROM range(100000)"))
    assert second.read_all().num_rows == first.read_all().num_rows == 100_000
    third = engine.execute(plain("SELECT athena_text(1)"))
    assert third.read_all().num_rows == 1
    assert (len(engine._idle), len(engine._busy)) == (2, 0)


def test_a_fault_in_the_middle_is_told(engine: DuckDB) -> None:
    sql = "SELECT CASE WHEN range = 90000 THEN error('boom') ELSE 'x' END FROM range(100000)"
    with pytest.raises(SqlError, match="boom"):
        engine.execute(plain(sql)).read_all()


def test_interrupting_from_another_thread(engine: DuckDB) -> None:
    timer = threading.Timer(0.2, engine.interrupt)
    timer.start()
    began = time.monotonic()
    with pytest.raises((SqlError, duckdb.InterruptException)):
        engine.execute(
            plain("SELECT count(*) FROM range(10000000) a, range(1000000) b WHERE a.range < b.range")
        )
    assert time.monotonic() - began < 10
