"""The reader on the real corpus: against the manifest, against the oracle, and each path against the other."""

import csv
import gzip
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import oracle
from lake.samples import corpus
from trailhouse.core.layout import Kind, LogKey, classify
from trailhouse.lake import reader as reader_module
from trailhouse.lake.reader import DEFAULT_LIMITS, Delivery, Limits, Reading, read

pytestmark = pytest.mark.corpus


@cache
def keys() -> list[str]:
    root = corpus()
    return [str(path.relative_to(root)) for path in sorted(root.rglob("*")) if path.is_file()]


def kind_of(key: str) -> Kind | None:
    found = classify(key)
    return found.kind if isinstance(found, LogKey) else None


def read_corpus(*, by_key: bool = True, limits: Limits = DEFAULT_LIMITS) -> list[Reading]:
    root = corpus()
    return list(
        read(
            (
                Delivery(n, kind_of(key) if by_key else None, [(root / key).read_bytes()])
                for n, key in enumerate(keys())
            ),
            limits=limits,
        )
    )


def rows(readings: list[Reading]) -> dict[Kind, list[dict[str, Any]]]:
    found: dict[Kind, list[dict[str, Any]]] = {}
    for reading in readings:
        for kind, batch in reading.batches.items():
            found.setdefault(kind, []).extend(batch.to_pylist())
    return found


@pytest.fixture(scope="module")
def expected() -> dict[Kind, list[dict[str, Any]]]:
    return rows(read_corpus())


def test_counts_and_ids_are_the_manifests(expected: dict[Kind, list[dict[str, Any]]]) -> None:
    manifest = json.loads((corpus() / "manifest.json").read_text())
    counts = {str(kind): len(found) for kind, found in expected.items()}
    assert counts == manifest["records_by_folder"]
    ids = sorted({row["eventid"] for found in expected.values() for row in found})
    assert len(ids) == manifest["events_unique"]
    digest = hashlib.sha256("".join(f"{one}\n" for one in ids).encode()).hexdigest()
    assert digest == manifest["sha256_of_sorted_eventIDs"]


def test_every_file_has_its_records_and_strangers_have_none() -> None:
    with (corpus() / "files.tsv").open(newline="") as stream:
        listed = {row["key"]: row for row in csv.DictReader(stream, delimiter="\t")}
    verdicts = {keys()[v.number]: v for reading in read_corpus() for v in reading.verdicts}
    assert verdicts.keys() == set(keys())
    for key, verdict in verdicts.items():
        assert (verdict.records, verdict.misfits) == (int(listed[key]["records"]) if key in listed else 0, 0)
        assert bool(verdict.form) == (key in listed)
        if key in listed:
            assert verdict.json_bytes == int(listed[key]["uncompressed_bytes"])
            assert verdict.stored_bytes == int(listed[key]["compressed_bytes"])


def test_every_value_that_must_not_be_rewritten_is_exact(expected: dict[Kind, list[dict[str, Any]]]) -> None:
    root = corpus()
    by_place = {(row["object"], row["logrecord"]): row for found in expected.values() for row in found}
    compared = 0
    for number, key in enumerate(keys()):
        if kind_of(key) is None:
            continue
        for ordinal, record in enumerate(oracle.read_file(root / key)):
            row = by_place.pop((number, ordinal))
            assert row["eventid"] == record.event_id
            if "requestparameters" in row:
                found = {name: row[name.lower()] for name in oracle.OPAQUE}
                assert found == {name: record.opaque(name) for name in oracle.OPAQUE}
                compared += sum(value is not None for value in found.values())
    assert by_place == {}
    assert compared > 5000


@pytest.mark.parametrize("by_key", [True, False])
def test_all_ways_give_the_same_rows(
    expected: dict[Kind, list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    by_key: bool,  # noqa: FBT001 - a table's column
) -> None:
    assert rows(read_corpus(by_key=by_key)) == expected
    windows = rows(read_corpus(by_key=by_key, limits=Limits(whole=4000, window=3000, most=4 << 20)))
    assert windows == expected
    monkeypatch.setattr(reader_module._Reader, "_fast", lambda *_: False)
    assert rows(read_corpus(by_key=by_key)) == expected


def test_misfits_are_strangers() -> None:
    stored = (corpus() / "misfits.jsonl").read_bytes()
    for text in (stored, gzip.compress(stored)):
        (reading,) = read([Delivery(0, None, [text])])
        assert (reading.batches, reading.verdicts[0].form) == ({}, "")


def test_the_paths_of_the_corpus_are_as_the_tests_think() -> None:
    assert {Path(key).parts[0] for key in keys() if kind_of(key)} == {"AWSLogs"}
