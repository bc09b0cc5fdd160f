"""The program as it is called: what comes out, where, and with which exit code."""

import csv
import hashlib
import io
import json
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deliveries import damage, deliver, event, small_source
from trailhouse.cli import main
from trailhouse.cli.app import app
from trailhouse.cli.taken import TAKEN
from trailhouse.summary import questions

PROGRAM = Path(sys.executable).with_name("trailhouse")
N = "SELECT count(*) AS n FROM cloudtrail"


WORDS = {"policy": ("runner",), "demo": ("demo",)}
COMMANDS = [(str(one.name), WORDS.get(str(one.name), ())) for one in app.registered_commands]


@dataclass
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRAILHOUSE_WORKDIR", str(tmp_path / "work"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return small_source(tmp_path / "logs")


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """The program in this process."""

    def call(*args: object) -> Outcome:
        with pytest.raises(SystemExit) as left:
            main([str(arg) for arg in args])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return Outcome(int(left.value.code or 0), out, err)

    return call


def test_an_answer_on_standard_output_and_talk_on_the_other(run: Run, source: Path) -> None:
    done = run("-s", source, "query", N, "--format", "csv")
    assert (done.code, done.out) == (0, "n\n10\n")
    assert done.err == "taken in: 10 records from 3 files\n"
    assert run("query", N, "--json", "--source", source, "-q") == Outcome(0, '[\n{"n":10}\n]\n', "")


def test_global_options_stand_anywhere(run: Run, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for args in (("-s", source, "--format=csv", "query", N), ("query", "--format", "csv", N, f"-s{source}")):
        assert run(*args, "-q").out == "n\n10\n"
    monkeypatch.setenv("TRAILHOUSE_SOURCE", str(source))
    monkeypatch.setenv("TRAILHOUSE_FORMAT", "csv")
    monkeypatch.setenv("TRAILHOUSE_QUIET", "1")
    monkeypatch.setenv("TRAILHOUSE_SINCE", "2026-01-05")
    assert run("query", N) == Outcome(0, "n\n3\n", "")
    assert run("query", N, "--since", "2026-01-01", "-o", "a.json").code == 0
    assert Path("a.json").read_text() == '[\n{"n":10}\n]\n'


def test_a_statement_may_begin_with_a_comment(run: Run, source: Path) -> None:
    assert run("-s", source, "query", f"-- how many?\n{N}", "--format", "csv").out == "n\n10\n"


def test_statements_from_files_and_standard_input(
    run: Run, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "q.sql").write_text(f"{N} WHERE eventname = :name")
    asked = ("-s", source, "query", "--format", "csv", "--param", "name=ConsoleLogin")
    assert run(*asked, "-f", "q.sql").out == "n\n1\n"
    for arg in ("-", None):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(N.encode())))
        assert run("-s", source, "query", *([arg] if arg else []), "--format", "csv").out == "n\n10\n"


def test_the_window_is_said(run: Run, source: Path) -> None:
    done = run("-s", source, "query", N, "--since", "2026-01-05", "--until", "2026-01-06", "--late", "36h")
    assert "events from 2026-01-05T00:00:00Z and before 2026-01-06T00:00:00Z" in done.err
    assert "in files delivered up to 1d12h later (--late)" in done.err


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        ((), 64, "no command is given"),
        (("qurey",), 64, "Did you mean 'query'?"),
        (("query", "--flie", "x"), 64, "--file"),
        (("query", "SELECT 1"), 64, "no source is given"),
        (("-s", "nowhere", "query", "SELECT 1"), 64, "source nowhere cannot be used"),
        (("-s", "logs", "query", "logins"), 64, "'logins' is no SQL"),
        (("-s", "logs", "query", " "), 64, "the statement is empty"),
        (("-s", "logs", "query", "-- nothing"), 64, "the statement is empty"),
        (("-s", "logs", "query", "/* nothing */;"), 64, "the statement is empty"),
        (("-s", "logs", "query", "SELECT 1", "--format", "xml"), 64, "there is no such format"),
        (("-s", "logs", "query", "SELECT 1", "--format", "csv", "--json"), 64, "are two formats"),
        (("-s", "logs", "query", "SELECT 1", "-o", "a.xlsx"), 64, "no format for '.xlsx'"),
        (("-s", "logs", "query", "SELECT 1", "-o", "nowhere/a.csv"), 1, "there is no folder nowhere"),
        (("-s", "logs", "query", "SELECT 1", "-o", "logs/a.csv"), 1, "sources are never written to"),
        (("-s", "logs", "query", "SELECT 1", "--workdir", "logs/w"), 64, "sources are never written to"),
        (("-s", "logs", "query", "SELECT 1", "--account", "12"), 64, "account ids have 12 digits"),
        (("-s", "logs", "query", "SELECT 1", "--since", "soon"), 64, "--since: 'soon' is no time"),
        (("-s", "logs", "query", "SELECT 1", "--jobs", "x", "--late", "y"), 64, "2 faults"),
        (("-s", "logs", "query", "SELECT 1", "--param", "x"), 64, "give NAME=VALUE"),
        (("-s", "logs", "query", "SELECT 1", "-f", "q.sql"), 64, "SQL or --file, not both"),
        (("-s", "logs", "query", "-f", "q.sql"), 64, "--file q.sql: cannot be read"),
        (("-s", "-", "query", "-"), 64, "standard input is a source here"),
        (("-s", "logs", "query", "SELECT evntname FROM cloudtrail"), 1, "nearest: eventname"),
        (("-s", "logs", "query", "SELECT eventname FROM cludtrail"), 1, "nearest: cloudtrail"),
        (("-s", "logs", "query", "SELECT read_text('x')"), 1, "read_text"),
        (("-s", "logs", "query", "COPY cloudtrail TO 'x'"), 1, "this only reads"),
        (("-s", "logs", "query", "ATTACH 'x.db'"), 1, "this only reads"),
        (("-s", "logs", "query", "PRAGMA version"), 1, "this only reads"),
        (("-s", "logs", "clean"), 64, "Say --yes"),
        (("-s", "logs", "ingest", "-o", "a.csv"), 64, "has no result to write"),
        (("-c", "nowhere.yaml", "query", "SELECT 1"), 64, "nowhere.yaml: no such file"),
    ],
)
def test_what_is_wrong_is_said_in_one_message(
    run: Run, source: Path, args: tuple[str, ...], code: int, said: str
) -> None:
    if args == ("-s", "logs", "clean"):
        run("-s", "logs", "ingest")
    done = run(*args)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert done.err.count("error:") == 1
    assert not (source / "w").exists()


def test_an_incomplete_answer_says_so(run: Run, source: Path) -> None:
    bad = damage(source)
    done = run("-s", source, "query", N, "--format", "csv")
    assert (done.code, done.out) == (3, "n\n10\n")
    assert f"{bad.name} could not be read whole" in done.err
    assert run("-s", source, "query", N, "--until", "2026-01-03", "-q") == Outcome(0, "n\n-\n7\n", "")
    assert run("-s", source, "ingest").code == 3
    assert run("-s", source, "summary").code == 3


def test_a_changed_file_is_said(run: Run, source: Path) -> None:
    run("-s", source, "ingest")
    deliver(source, [event(0), event(99)])
    done = run("-s", source, "query", N, "--format", "csv")
    assert (done.code, done.out) == (3, "n\n10\n")
    assert "changed since it was taken in" in done.err


def test_what_a_summary_proposes_finds_something(run: Run, tmp_path: Path) -> None:
    service = {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}
    deliver(tmp_path / "logs", [event(n, userIdentity=service, sourceIPAddress="10.0.0.1") for n in range(3)])
    said = run("-s", "logs", "summary").err
    proposed = re.findall(r"^next: trailhouse (.*)", said, re.MULTILINE)
    assert proposed
    for command in proposed:
        assert run(*shlex.split(command), "-q", "--json").out.count("GetObject") == 3


@pytest.mark.parametrize("junk", [(), ("readme.txt",)])
def test_a_summary_of_nothing_explains_itself(run: Run, tmp_path: Path, junk: tuple[str, ...]) -> None:
    (tmp_path / "junk").mkdir()
    for name in junk:
        (tmp_path / "junk" / name).write_text("hello")
    done = run("-s", "junk", "summary")
    assert done.code == 0
    assert "there are no records in cloudtrail at all: see trailhouse inventory" in done.err


@pytest.mark.slow
def test_a_summary_of_another_window_explains_itself(run: Run, source: Path) -> None:
    said = run("-s", source, "summary", "--since", "2030-01-01").err
    assert "no log of what was asked is in cloudtrail; 3 files are of other days" in said
    assert "no log of what was asked" not in run("-s", source, "summary").err


def test_one_is_not_many(run: Run, tmp_path: Path) -> None:
    deliver(tmp_path / "one", [event(0)])
    assert "taken in: 1 record from 1 file\n" in run("-s", "one", "query", N).err
    assert "nothing new: 1 file is in the lake already\n" in run("-s", "one", "ingest").err


def test_an_empty_answer_explains_itself(run: Run, source: Path) -> None:
    done = run("-s", source, "query", "SELECT * FROM cloudtrail", "--region", "eu-wset-1", "--json")
    assert (done.code, done.out) == (0, "[]\n")
    assert "no log of what was asked is in cloudtrail; 3 files are of other days" in done.err
    run("-s", source, "ingest")
    done = run("-s", source, "query", N, "--region", "eu-wset-1")
    assert "region 'eu-wset-1' is not in these logs; there are 2, such as eu-west-1" in done.err
    assert run("-s", source, "query", N, "--region", "eu-wset-1", "-q").err == ""


def test_hostile_values(run: Run, source: Path) -> None:
    asked = (
        "-s",
        source,
        "-q",
        "query",
        "SELECT useragent FROM cloudtrail WHERE useragent <> 'aws-cli' ORDER BY eventid",
    )
    for form in ("table", "line"):
        shown = run(*asked, "--format", form).out
        assert "\\x1b[2Jcleared" in shown
        assert "\x1b" not in shown
    rows = list(csv.reader(io.StringIO(run(*asked, "--format", "csv").out)))
    assert rows == [["useragent"], ["\x1b[2Jcleared"], ["'=cmd()"]]
    exact = [{"useragent": "\x1b[2Jcleared"}, {"useragent": "=cmd()"}]
    assert json.loads(run(*asked, "--json").out) == exact
    lines = run(*asked, "--format", "ndjson").out.splitlines()
    assert [json.loads(line) for line in lines] == exact


def checked_provenance(output: Path, source: Path) -> dict[str, Any]:
    """The provenance of a file, after everything in it that the disk can tell was computed again."""
    about: dict[str, Any] = json.loads(output.with_name(output.name + ".provenance.json").read_text())
    content = output.read_bytes()
    assert about["output"] | {"rows": 0} == {
        "file": output.name, "format": about["output"]["format"], "rows": 0,
        "sha256": hashlib.sha256(content).hexdigest(), "size": len(content),
    }  # fmt: skip
    for one in about["inputs"]:
        stored = (source / one["name"]).read_bytes()
        assert one["size"] == len(stored)
        assert one["sha256"] in (None, hashlib.sha256(stored).hexdigest())
    return about


def test_every_file_has_its_provenance(run: Run, source: Path, tmp_path: Path) -> None:
    sql = "SELECT eventid FROM cloudtrail WHERE eventname = :name"
    run("-s", source, "query", sql, "--param", "name=ConsoleLogin", "--since", "2026-01-04", "-o", "a.csv")
    about = checked_provenance(tmp_path / "a.csv", source)
    assert about["inputs_count"] == 2
    assert about["missing"] == []
    assert about["window"] == {
        "accounts": [], "late": "1d", "regions": [], "since": "2026-01-04T00:00:00Z", "until": None
    }  # fmt: skip
    assert "'ConsoleLogin'" in about["sql"]["bound"]
    assert ":name" not in about["sql"]["bound"]
    assert {"trailhouse", "duckdb", "python", "platform"} <= set(about["versions"])


@pytest.mark.parametrize(
    ("command", "engine", "inputs"), [(("inventory",), "inventory", 4), (("summary",), "duckdb", 3)]
)
def test_other_commands_write_files_too(
    run: Run, source: Path, tmp_path: Path, command: tuple[str, ...], engine: str, inputs: int
) -> None:
    bad = damage(source)
    run("-s", source, *command, "-o", "a.json")
    about = checked_provenance(tmp_path / "a.json", source)
    assert (about["engine"], about["inputs_count"]) == (engine, inputs)
    missing = [Path(one["name"]).name for one in about["missing"]]
    assert missing == ([bad.name] if engine == "duckdb" else [])


def test_init_uses_what_is_configured(run: Run, source: Path, tmp_path: Path) -> None:
    assert run("init", source).code == 0
    assert "wrote trailhouse.yaml" in run("-s", source, "init", "--yes").err
    assert run("init", "--no-input").code == 64
    assert run("query", N, "--format", "csv").out == "n\n10\n"
    assert run("-s", source, "init", "-o", source / "t.yaml").code == 1
    assert not (source / "t.yaml").exists()
    assert (tmp_path / "trailhouse.yaml").read_text().count("sources:") == 1


def test_clean_removes_working_data_only(run: Run, source: Path, tmp_path: Path) -> None:
    run("-s", source, "ingest")
    assert "removed" in run("-s", source, "clean", "--yes").err
    assert "no working data" in run("-s", source, "clean", "--yes").err
    assert list((tmp_path / "work").iterdir()) == []
    assert len(list(source.rglob("*.gz"))) == 3


def test_dry_run_prices(run: Run, source: Path) -> None:
    done = run("-s", source, "query", N, "--dry-run")
    assert done.out == f"{N}\n"
    assert "would take in 3 objects of " in done.err
    assert run("-s", source, "query", N, "--format", "csv").out == "n\n10\n"
    assert "answered from 3 objects" in run("-s", source, "query", N, "--dry-run").err


def test_dry_run_takes_nothing_in(run: Run, source: Path, tmp_path: Path) -> None:
    one = "SELECT count(*) AS n FROM cloudtrail_111122223333"
    told = json.loads(run("-s", source, "query", one, "--dry-run", "--json", "--account", "111122223333").out)
    assert (told["engine"], told["take_in_objects"], told["objects"]) == ("duckdb", 2, None)
    assert not (tmp_path / "work").exists()
    wrong = run("-s", source, "query", "SELECT * FROM cloudtrial", "--dry-run")
    assert (wrong.code, "nearest: cloudtrail" in wrong.err) == (1, True)


def test_version_and_help(run: Run) -> None:
    assert json.loads(run("version", "--json").out)["trailhouse"]
    assert "TRAILHOUSE_" in run("--help").out
    assert "--param" in run("query", "-h").out


def test_the_help_of_a_command_names_the_options_of_all_that_it_takes(run: Run) -> None:
    own = set(re.findall(r"--[a-z-]+", run("--help").out)) - {"--help"}
    assert set(TAKEN) == {name for name, _ in COMMANDS}
    assert {each for taken in TAKEN.values() for each in taken} <= own
    assert "but not --yes and --no-input." in run("query", "--help").out
    assert "it takes --json, --config, --quiet and --verbose." in " ".join(run("version", "-h").out.split())


@pytest.mark.parametrize(("command", "words"), COMMANDS)
def test_a_file_is_written_where_the_help_says_so_and_refused_elsewhere(
    run: Run, command: str, words: tuple[str, ...]
) -> None:
    done = run(command, *words, "-o", "nowhere/a.sql")
    refused = "has no result to write" in done.err
    assert refused == ("--output" not in TAKEN[command]), done.err


def test_what_should_not_happen_is_one_line(
    source: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("trailhouse.session.open_storages", broken)
    for flag, lines in ((), 2), (("-v",), 5):
        with pytest.raises(SystemExit) as left:
            main(["-s", str(source), *flag, "query", N])
        err = capfd.readouterr().err
        assert left.value.code == 1
        assert "error: this should not happen: RuntimeError: broken" in err
        assert ("Traceback" in err) == bool(flag)
        assert len(err.splitlines()) >= lines


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("-v", "-s", "nowhere", "query", N), "error: source nowhere cannot be used"),
        (("policy", "admin"), "Invalid value for 'KIND': 'admin' is not one of 'runner', 'operator',"),
        (("policy",), "Missing argument 'KIND'. Choose from: runner, operator, analyst,"),
        (("plan", "s3://my-logs"), "extra argument(s) (s3://my-logs): sources are named by --source\nsee "),
    ],
)
def test_what_the_caller_did_is_said_plainly(run: Run, args: tuple[str, ...], said: str) -> None:
    done = run(*args)  # which looks for a traceback
    assert (done.code, done.out) == (64, "")
    assert said in done.err


def program(*args: object) -> "subprocess.Popen[str]":
    command = [str(PROGRAM), *map(str, args)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_a_closed_pipe_is_no_error(source: Path) -> None:
    cross = "SELECT a.* FROM cloudtrail a, cloudtrail b, cloudtrail c, cloudtrail d, cloudtrail e"
    with program("-s", source, "-q", "query", cross, "--format", "csv") as started:
        assert started.stdout is not None
        assert started.stdout.readline().startswith("eventversion,")
        started.stdout.close()
        assert started.wait(30) == 0
        assert started.stderr is not None
        assert started.stderr.read() == ""


@pytest.mark.slow
def test_a_closed_pipe_is_no_error_of_text_either(source: Path) -> None:
    with program("-s", source, "-q", "summary") as started:
        assert started.stdout is not None
        started.stdout.close()
        assert started.wait(30) == 0
        assert started.stderr is not None
        assert started.stderr.read() == ""


@pytest.mark.slow
def test_ctrl_c(source: Path) -> None:
    tables = ", ".join(f"cloudtrail {name}" for name in "abcdefghijklmn")
    endless = f"SELECT count(*) FROM {tables} WHERE a.eventid || b.eventid < n.eventid || m.eventid"
    with program("-s", source, "query", endless) as started:
        time.sleep(2.5)
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=30)
    assert (started.returncode, out) == (130, "")
    assert "interrupted" in err
    assert "Traceback" not in err


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "rows"), [("cloudtrail", 5767), ("cloudtrail_events", 5360), ("cloudtrail_insight", 1)]
)
def test_the_real_corpus(run: Run, corpus: Path, name: str, rows: int) -> None:
    done = run("-s", corpus, "query", f"SELECT count(*) AS n FROM {name}", "--format", "csv")
    assert (done.code, done.out) == (0, f"n\n{rows}\n")


def test_a_question_of_the_summary_that_is_cut_says_so_in_its_title() -> None:
    for _, title, sql in questions():
        cut = re.search(r"LIMIT (\d+)", sql)
        assert cut is None or re.search(rf"\b{cut[1]}\b", title), title
