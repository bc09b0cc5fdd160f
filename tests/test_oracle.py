"""The oracle stands on its own feet, and says what the manifest of the real corpus says."""

import ast
import csv
import hashlib
import json
import sys
from pathlib import Path

import pytest

import oracle
from lake.samples import corpus


def test_it_imports_the_standard_library_alone() -> None:
    tree = ast.parse(Path(oracle.__file__).read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported
    assert imported <= sys.stdlib_module_names


def test_it_keeps_the_exact_text() -> None:
    text = '{"a": [1], "Records" : [ {"eventID":"x", "requestParameters" : {"n": 1.0E9, "a\\"}" : [ ]} } ] }'
    (record,) = oracle.read_text(text)
    assert record.event_id == "x"
    assert record.opaque("requestParameters") == '{"n": 1.0E9, "a\\"}" : [ ]}'
    assert record.opaque("responseElements") is None


@pytest.mark.corpus
def test_it_agrees_with_the_manifest() -> None:
    root = corpus()
    manifest = json.loads((root / "manifest.json").read_text())
    with (root / "files.tsv").open(newline="") as stream:
        expected = {row["key"]: int(row["records"]) for row in csv.DictReader(stream, delimiter="\t")}
    records = {str(path.relative_to(root)): oracle.read_file(path) for path in oracle.delivered_files(root)}
    assert {key: len(found) for key, found in records.items()} == expected
    ids = sorted({record.event_id for found in records.values() for record in found})
    digest = hashlib.sha256("".join(f"{one}\n" for one in ids).encode()).hexdigest()
    assert digest == manifest["sha256_of_sorted_eventIDs"]
