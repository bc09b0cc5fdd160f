import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from trailhouse.errors import OutputError
from trailhouse.output import Input, Missing, OutputFile, Provenance, Window, write_file, write_provenance

PROVENANCE = Provenance(
    sql="SELECT 1 FROM cloudtrail WHERE useragent = 'a\x1b'",
    executed="SELECT 1 FROM (SELECT * FROM cloudtrail)",
    engine="duckdb",
    versions={"trailhouse": "0.1.0", "duckdb": "1.5.0", "python": "3.11.0", "platform": "linux"},
    window=Window(
        since=datetime(2023, 7, 10, tzinfo=UTC), late=timedelta(hours=36), accounts=("111122223333",)
    ),
    created_at=datetime(2023, 7, 17, 12, tzinfo=UTC),
    sources=("./evidence",),
)
PAGE = Path(__file__).parents[2] / "docs" / "provenance.md"


@pytest.fixture
def output(tmp_path: Path) -> OutputFile:
    return write_file(pa.table({"n": [1, 2]}).to_reader(), tmp_path / "a.csv")


def test_content(output: OutputFile) -> None:
    inputs = [Input("e", f"AWSLogs/{n}.json.gz", n, f"{n:064x}") for n in range(3)]
    missing = [Missing("e", "AWSLogs/9.json.gz", "quarantined", "not gzip at byte 0")]
    path = write_provenance(output, PROVENANCE, iter(inputs), iter(missing))
    assert path == output.path.with_name("a.csv.provenance.json")
    assert json.loads(path.read_text("ascii")) == {
        "created_at": "2023-07-17T12:00:00Z",
        "engine": "duckdb",
        "inputs": [
            {"source": "e", "name": f"AWSLogs/{n}.json.gz", "size": n, "sha256": f"{n:064x}"}
            for n in range(3)
        ],
        "inputs_bytes": 3,
        "inputs_count": 3,
        "missing": [
            {
                "source": "e",
                "name": "AWSLogs/9.json.gz",
                "verdict": "quarantined",
                "reason": "not gzip at byte 0",
            }
        ],
        "missing_count": 1,
        "output": {"file": "a.csv", "format": "csv", "rows": 2, "size": output.size, "sha256": output.sha256},
        "schema": "trailhouse.provenance/1",
        "sources": ["./evidence"],
        "sql": {"bound": PROVENANCE.sql, "executed": PROVENANCE.executed},
        "versions": dict(PROVENANCE.versions),
        "window": {
            "accounts": ["111122223333"],
            "late": "1d12h",
            "regions": [],
            "since": "2023-07-10T00:00:00Z",
            "until": None,
        },
    }


def test_the_same_facts_are_the_same_bytes_with_sorted_keys(output: OutputFile) -> None:
    inputs = [Input("e", "x", 1, "0" * 64)]
    first = write_provenance(output, PROVENANCE, inputs).read_bytes()
    assert write_provenance(output, PROVENANCE, inputs).read_bytes() == first
    found = json.loads(first, object_pairs_hook=lambda pairs: [name for name, _ in pairs])
    assert found == sorted(found)


def test_many_inputs_are_streamed(output: OutputFile) -> None:
    inputs = (Input("e", f"{n}", 1, "0" * 64) for n in range(50_000))
    path = write_provenance(output, PROVENANCE, inputs)
    assert json.loads(path.read_text())["inputs_count"] == 50_000


def test_nothing_is_left_when_the_inputs_fail(output: OutputFile) -> None:
    def failing() -> Iterator[Input]:
        yield Input("e", "x", 1, "0" * 64)
        raise LookupError

    with pytest.raises(LookupError):
        write_provenance(output, PROVENANCE, failing())
    assert list(output.path.parent.iterdir()) == [output.path]


def test_a_source_is_never_written_to(output: OutputFile) -> None:
    with pytest.raises(OutputError, match="sources are never written to"):
        write_provenance(output, PROVENANCE, [], is_source=lambda _: True)


def test_every_member_is_documented(output: OutputFile) -> None:
    members = json.loads(write_provenance(output, PROVENANCE, []).read_text())
    documented = set(re.findall(r"^\| `(\w+)", PAGE.read_text("utf-8"), re.MULTILINE))
    assert set(members) - documented == set()
