"""FILE.provenance.json: where a result came from, so that somebody else can check it."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from trailhouse.core.times import format_duration, format_time
from trailhouse.output.files import Hashing, OutputFile, refuse_source, whole_file

SCHEMA = "trailhouse.provenance/1"
SUFFIX = ".provenance.json"


@dataclass(frozen=True, slots=True)
class Input:
    """One object that the answer was computed from.

    Attributes:
        source: label of its source.
        name: its path below the source, `archive!member` in an archive.
        size: bytes as stored.
        sha256: of the bytes as stored, in lower case hexadecimal; None where only the name was read.
    """

    source: str
    name: str
    size: int
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Missing:
    """One object, or a part of one, that the answer should know of and does not.

    Attributes:
        source: label of its source.
        name: its path below the source.
        verdict: what happened: kept out, other content under a known name, gone, or never read.
        reason: why, for people.
    """

    source: str
    name: str
    verdict: Literal["quarantined", "changed", "vanished", "unread"]
    reason: str


@dataclass(frozen=True, slots=True)
class Window:
    """What the question was limited to; times are UTC and half-open, None and empty mean no limit."""

    since: datetime | None = None
    until: datetime | None = None
    late: timedelta = timedelta(days=1)
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """What there is to say about a result besides its inputs.

    Attributes:
        sql: the statement as it was bound, in Athena's dialect; several with `;` between them.
        engine: what answered: `duckdb`, `athena`, `trino`; `inventory` where names were enough.
        executed: the statement as the engine got it.
        versions: of the programs: trailhouse, duckdb, python, platform.
        window: what the question was limited to.
        created_at: when the result was written, zone-aware.
        sources: addresses of the sources.
        run: what an engine elsewhere says of its run; empty for what ran here.
    """

    sql: str
    engine: str
    executed: str
    versions: Mapping[str, str]
    window: Window
    created_at: datetime
    sources: tuple[str, ...] = field(default=())
    run: Mapping[str, Any] = field(default_factory=dict)


def provenance_path(path: Path) -> Path:
    """Return where the provenance of the file at `path` stands."""
    return path.with_name(path.name + SUFFIX)


def write_provenance(
    output: OutputFile,
    provenance: Provenance,
    inputs: Iterable[Input],
    missing: Iterable[Missing] = (),
    *,
    is_source: Callable[[Path], bool] = lambda _: False,
) -> Path:
    """Write the provenance of `output` beside it and return its path.

    Keys are sorted, text is ASCII, and an input takes one line, so that the same facts are the same
    bytes. `inputs` and `missing` are written as they come, and may be millions.

    Raises:
        OutputError: the place cannot be written to.
    """
    path = provenance_path(output.path)
    refuse_source(path, is_source)
    with whole_file(path) as stream:
        _write_members(stream, _members(output, provenance, inputs, missing))
    return path


class _Listed:
    """The items of a streamed array, and after them their number and bytes."""

    def __init__(self, items: Iterable[Input] | Iterable[Missing]) -> None:
        self._items = items
        self.count = 0
        self.bytes = 0

    def lines(self) -> Iterator[str]:
        for item in self._items:
            self.count += 1
            self.bytes += getattr(item, "size", 0)
            yield _json(asdict(item))


def _members(
    output: OutputFile, provenance: Provenance, inputs: Iterable[Input], missing: Iterable[Missing]
) -> Iterator[tuple[str, Any]]:
    """Yield the members in order of their names; counts come after the arrays that they count."""
    read, absent = _Listed(inputs), _Listed(missing)
    yield "created_at", format_time(provenance.created_at)
    yield "engine", provenance.engine
    yield "inputs", read
    yield "inputs_bytes", read.bytes
    yield "inputs_count", read.count
    yield "missing", absent
    yield "missing_count", absent.count
    yield "output", {
        "file": output.path.name, "format": str(output.format), "rows": output.rows,
        "sha256": output.sha256, "size": output.size,
    }  # fmt: skip
    if provenance.run:
        yield "run", dict(provenance.run)
    yield "schema", SCHEMA
    yield "sources", list(provenance.sources)
    yield "sql", {"bound": provenance.sql, "executed": provenance.executed}
    yield "versions", dict(provenance.versions)
    yield "window", _window(provenance.window)


def _window(window: Window) -> dict[str, Any]:
    return {
        "accounts": list(window.accounts),
        "late": format_duration(window.late),
        "regions": list(window.regions),
        "since": window.since and format_time(window.since),
        "until": window.until and format_time(window.until),
    }


def _write_members(stream: Hashing, members: Iterable[tuple[str, Any]]) -> None:
    separator = "{\n"
    for name, value in members:
        stream.write(f'{separator}"{name}":'.encode())
        separator = ",\n"
        if isinstance(value, _Listed):
            _write_array(stream, value)
        else:
            stream.write(_json(value).encode())
    stream.write(b"\n}\n")


def _write_array(stream: Hashing, listed: _Listed) -> None:
    stream.write(b"[")
    separator = "\n"
    for line in listed.lines():
        stream.write(f"{separator}{line}".encode())
        separator = ",\n"
    stream.write(b"\n]" if listed.count else b"]")


def _json(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
