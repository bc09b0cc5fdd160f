"""Trino: what is sent, streamed, stopped and told. A scripted server shows the wiring, the bed's Trino the rest."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from bed.transport import Answer, Request, Server
from trailhouse.dialect import Statement
from trailhouse.engine.trino import Server as Address
from trailhouse.engine.trino import Trino
from trailhouse.errors import EngineError, SqlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = [("n", "bigint"), ("s", "varchar")]


@dataclass
class Scripted:
    """A Trino that answers one result in pages, whatever it is asked; `hold` never ends, `fault` fails."""

    pages: list[list[list[Any]]] = field(default_factory=lambda: [[[1, "a"]], [[2, None]]])
    fault: dict[str, Any] | None = None
    hold: bool = False
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)
    columns: list[tuple[str, str]] = field(default_factory=lambda: COLUMNS)
    url: str = ""

    def __call__(self, request: Request) -> Answer:
        if request.method == "DELETE":
            self.cancelled.set()
            return Answer(204)
        if request.method == "POST":
            self.asked.append((request.body.decode(), dict(request.headers.items())))
            return self._page(0, data=False)
        return self._page(int(request.path.rpartition("/")[2]), data=True)

    def _page(self, number: int, *, data: bool) -> Answer:
        told: dict[str, Any] = {
            "id": "q_1", "infoUri": f"{self.url}/ui", "warnings": [],
            "stats": {"state": "RUNNING", "physicalInputBytes": 24_000, "elapsedTimeMillis": 1_500},
        }  # fmt: skip
        if data and self.fault:
            return _json({**told, "error": self.fault})
        if data and not self.hold:
            told["data"] = self.pages[number]
            number += 1
        if data or number:
            told["columns"] = [_column(name, kind) for name, kind in self.columns]
        if number < len(self.pages):
            told["nextUri"] = f"{self.url}/v1/statement/q_1/{number}"
        return _json(told)


def _json(told: dict[str, Any]) -> Answer:
    return Answer(200, json.dumps(told).encode(), {"Content-Type": "application/json"})


def _column(name: str, kind: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "typeSignature": {"rawType": kind, "arguments": [{"kind": "LONG", "value": 9}] * 2},
    }


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    found = Scripted()
    with Server(found) as server:
        found.url = server.url
        yield found


def engine(scripted: Scripted) -> Trino:
    return Trino(Address(scripted.url, "hive", "alice"), "security")


def statement(sql: str = "SELECT 1") -> Statement:
    return Statement(sql, "", ())


def test_a_statement_goes_as_it_is_and_rows_stream(scripted: Scripted) -> None:
    trino = engine(scripted)
    reader = trino.execute(statement("SELECT  '\u00e9' -- mine"))
    assert reader.read_all().to_pylist() == [{"n": 1, "s": "a"}, {"n": 2, "s": None}]
    ((sql, headers),) = scripted.asked
    assert sql == "SELECT  '\u00e9' -- mine"
    assert headers["X-Trino-User"] == "alice"
    assert (headers["X-Trino-Catalog"], headers["X-Trino-Schema"]) == ("hive", "security")
    assert trino.last == {"query_id": "q_1", "bytes_scanned": 24_000, "milliseconds": 1_500}
    trino.close()


def test_a_statements_fault_shows_its_place(scripted: Scripted) -> None:
    scripted.fault = {
        "errorName": "COLUMN_NOT_FOUND",
        "errorType": "USER_ERROR",
        "message": "line 1:8: no x",
        "errorCode": 1,
    }
    with pytest.raises(SqlError, match=r"COLUMN_NOT_FOUND: line 1:8: no x\n  SELECT x\n         \^"):
        engine(scripted).execute(statement("SELECT x"))


def test_other_faults_have_a_next_step(scripted: Scripted) -> None:
    scripted.fault = {
        "errorName": "HIVE_CURSOR_ERROR",
        "errorType": "EXTERNAL",
        "message": "SlowDown",
        "errorCode": 1,
    }
    with pytest.raises(EngineError, match="fewer requests"):
        engine(scripted).execute(statement())


def test_interrupted_it_is_cancelled_there(scripted: Scripted) -> None:
    scripted.hold = True
    trino = engine(scripted)
    timer = threading.Timer(0.3, trino.interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        trino.execute(statement())
    timer.join()
    assert scripted.cancelled.wait(5)


def test_tables_are_asked_for_once(scripted: Scripted) -> None:
    scripted.columns = [("table_name", "varchar"), ("column_name", "varchar"), ("data_type", "varchar")]
    scripted.pages = [
        [["cloudtrail", "eventname", "varchar"], ["cloudtrail", "day", "varchar"]],
        [["b", "x", "bigint"]],
    ]
    trino = engine(scripted)
    assert trino.tables() == {
        "cloudtrail": [("eventname", "varchar"), ("day", "varchar")],
        "b": [("x", "bigint")],
    }
    assert trino.names.every("security") == ["cloudtrail", "b"]
    found = trino.names.lookup("security", "cloudtrail")
    assert found is not None
    assert found.columns == ("eventname", "day")
    assert trino.names.lookup("security", "x") is None
    assert len(scripted.asked) == 1


@pytest.mark.parametrize(("size", "expected"), [(1_000.0, 1_000), ("NaN", None), (None, None)])
def test_its_own_estimate_counts_where_it_has_one(
    scripted: Scripted, size: object, expected: int | None
) -> None:
    plan = {"inputTableColumnInfos": [{"estimate": {"outputSizeInBytes": size}}]}
    scripted.columns, scripted.pages = [("plan", "varchar")], [[[json.dumps(plan)]]]
    found = engine(scripted).estimate(statement("SELECT 2"))
    assert (found and found.value) == expected
    assert scripted.asked[0][0] == "EXPLAIN (TYPE IO, FORMAT JSON)\nSELECT 2"


def test_a_server_that_is_not_there_is_said() -> None:
    with pytest.raises(EngineError, match=r"Trino at http://127.0.0.1:9: .*check --trino-url"):
        Trino(Address("http://127.0.0.1:9", "hive", "alice"), "x").execute(statement())


def test_a_password_needs_encryption_and_is_never_shown() -> None:
    with pytest.raises(UsageError, match="a password goes with https only") as refused:
        Trino(Address("http://alice:secret@127.0.0.1:9", "hive", "x"), "x")
    assert "secret" not in str(refused.value)
    assert (
        Address("https://alice:secret@trino.example.com", "hive", "x").shown
        == "https://trino.example.com:443"
    )
