import io
import os
import signal
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input.defaults import create_pipe_input
from prompt_toolkit.output import DummyOutput

from trailhouse.cli.shell import Shell, Terminal, is_complete
from trailhouse.errors import SqlError
from trailhouse.output import Console, Format, OutputFile

CTRL_C, CTRL_D = "\x03", "\x04"


class DuckDB:
    """The real engine, with two tables; `stuck` starts a statement that only an interrupt ends."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("CREATE TABLE cloudtrail (eventname VARCHAR, n BIGINT)")
        self._connection.execute("CREATE TABLE other (x INTEGER)")
        self._connection.execute("INSERT INTO cloudtrail VALUES ('AssumeRole', 1), (chr(27) || '[2J', 2)")
        self.interrupted = threading.Event()

    def execute(self, sql: str) -> pa.RecordBatchReader:
        if sql == "stuck":
            os.kill(os.getpid(), signal.SIGINT)
            assert self.interrupted.wait(10)
            raise SqlError("interrupted")
        if sql == "wrong":
            raise SqlError("line 1:1: no such table\n  wrong\n  ^")
        return self._connection.execute(sql).to_arrow_reader()

    def interrupt(self) -> None:
        self.interrupted.set()

    def tables(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        return {"other": [("x", "integer")], "cloudtrail": [("eventname", "varchar"), ("n", "bigint")]}


@contextmanager
def keyboard(typed: str, **options: object) -> Iterator[tuple[Shell, io.BytesIO, io.StringIO]]:
    shown, said = io.BytesIO(), io.StringIO()
    with create_pipe_input() as pipe:
        pipe.send_text(typed)
        terminal = Terminal(shown, lambda: 60, Console(said), pipe, DummyOutput())
        yield Shell(DuckDB(), terminal, **options), shown, said  # type: ignore[arg-type]  # of several types


def session(typed: str, **options: object) -> tuple[str, str]:
    with keyboard(typed + CTRL_D, **options) as (shell, shown, said):
        shell.run()
        return shown.getvalue().decode(), said.getvalue()


def test_a_statement() -> None:
    shown, said = session("SELECT eventname, n FROM cloudtrail ORDER BY n;\r")
    assert shown == "eventname   n\n----------  -\nAssumeRole  1\n\\x1b[2J     2\n"
    assert "2 rows in " in said


def test_a_statement_over_several_lines() -> None:
    shown, _ = session("SELECT\r'a;'\rAS x;\r")
    assert shown.splitlines() == ["x", "--", "a;"]


def test_two_statements_in_one_line() -> None:
    assert session(".mode csv\rSELECT 1 AS a; SELECT 2 AS b;\r")[0] == "a\n1\nb\n2\n"


def test_errors_are_said_and_the_shell_goes_on() -> None:
    shown, said = session("wrong;\rSELECT nonsense;\r.mode csv\rSELECT 3 AS n;\r")
    assert "error: line 1:1: no such table\n  wrong\n  ^\n" in said
    assert "error: BinderException" in said
    assert "Traceback" not in said
    assert shown == "n\n3\n"


def test_an_error_in_the_middle_of_a_result() -> None:
    _, said = session("SELECT error('boom') FROM range(3);\r")
    assert "boom" in said
    assert "Traceback" not in said


def test_ctrl_c_cancels_the_line() -> None:
    assert session(f"SELECT nonsense{CTRL_C}.mode csv\rSELECT 1 AS n;\r")[0] == "n\n1\n"


def test_ctrl_c_cancels_the_running_statement() -> None:
    shown, said = session("stuck;\r.mode csv\rSELECT 1 AS n;\r")
    assert "cancelled\n" in said
    assert "interrupted" not in said
    assert shown == "n\n1\n"


@pytest.mark.parametrize("leave", [".quit\r", ".exit\r", CTRL_D])
def test_leaving(leave: str) -> None:
    with keyboard(leave + "SELECT 1;\r" + CTRL_D) as (shell, shown, _):
        shell.run()
        assert shown.getvalue() == b""


def test_tables_and_schema() -> None:
    assert session(".tables\r")[0] == "cloudtrail\nother\n"
    assert session(".schema cloudtrail\r")[0] == "cloudtrail\n  eventname  varchar\n  n          bigint\n"
    assert session(".schema\r")[0].splitlines()[-2:] == ["other", "  x  integer"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (".schema cloudtrial", "cloudtrial: no such table: did you mean cloudtrail?"),
        (".tabels", ".tabels: no such command: did you mean .tables?"),
        (".zzz", ".zzz: no such command: see .help"),
        (".mode parquet", "parquet: no format to look at: give one of table, line, csv, json, ndjson"),
        (".output x.xlsx", "x.xlsx: no format for '.xlsx'"),
        (".width many", "many: no width"),
        (".width 0", "0: no width"),
        (".output 'x", "No closing quotation"),
        (".mode line", "results are shown as line"),
        (".width", "results may take 60 cells"),
    ],
)
def test_commands_say_what_is_wrong_and_what_holds(typed: str, said: str) -> None:
    assert said in session(typed + "\r")[1]


def test_mode_and_width() -> None:
    assert session(".mode line\rSELECT 1 AS a, 2 AS b;\r")[0] == "a = 1\nb = 2\n"
    assert session(".width 5\rSELECT 'abcd' AS a, 'efgh' AS b;\r")[0] == "a = abcd\nb = efgh\n"


def test_output_takes_one_result(tmp_path: Path) -> None:
    path = tmp_path / "a b.csv"
    shown, said = session(f".output '{path}'\rSELECT 1 AS n;\r.mode csv\rSELECT 2 AS n;\r")
    assert path.read_text() == "n\n1\n"
    assert shown == "n\n2\n"
    assert f"1 row in {path}; output is stdout again" in said


def test_output_can_be_taken_back(tmp_path: Path) -> None:
    shown, _ = session(f".output {tmp_path}/a.csv\r.output stdout\r.mode csv\rSELECT 2 AS n;\r")
    assert shown == "n\n2\n"
    assert list(tmp_path.iterdir()) == []


def test_saving_is_left_to_whoever_knows_the_provenance(tmp_path: Path) -> None:
    saved = []

    def save(sql: str, path: Path, form: Format) -> OutputFile:
        saved.append((sql, path.name, form))
        return OutputFile(path, form, 7, 1, "0" * 64)

    _, said = session(f".output {tmp_path}/a.json\rSELECT 1;\r", save=save)
    assert saved == [("SELECT 1", "a.json", Format.JSON)]
    assert "7 rows in" in said


def test_help_names_every_command() -> None:
    shown, _ = session(".help\r")
    assert [
        word for word in (".tables", ".schema", ".mode", ".output", ".width", ".quit") if word not in shown
    ] == []


def test_tables_that_cannot_be_told_disturb_only_who_asks() -> None:
    class Broken(DuckDB):
        def tables(self) -> Mapping[str, Sequence[tuple[str, str]]]:
            raise SqlError("no catalog")

    with keyboard(".mode csv\rSELECT 1 AS n;\r.tables\r" + CTRL_D) as (shell, shown, said):
        shell.database = Broken()
        assert shell._offered_tables() == {}
        shell.run()
        assert shown.getvalue() == b"n\n1\n"
        assert "error: no catalog\n" in said.getvalue()


def test_history_is_kept_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "work" / "history"
    session("SELECT 1;\r", history=path)
    assert "SELECT 1;" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(FileHistory(str(path)).load_history_strings()) == ["SELECT 1;"]


def test_a_history_that_cannot_be_kept_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert session(".mode csv\rSELECT 1 AS n;\r", history=tmp_path / "file" / "history")[0] == "n\n1\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("  ", True),
        (".tables", True),
        ("SELECT 1", False),
        ("SELECT 1;", True),
        ("SELECT ';", False),
    ],
)
def test_enter_hands_over_what_is_complete(text: str, expected: bool) -> None:  # noqa: FBT001 - from the list above
    assert is_complete(text) is expected
