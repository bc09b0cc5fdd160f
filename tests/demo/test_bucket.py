import gzip
import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from trailhouse.demo import Parameters, generate, objects, tally_of
from trailhouse.errors import DiskError, UsageError


def digest(parameters: Parameters) -> str:
    sha = hashlib.sha256()
    for key, body in objects(parameters):
        sha.update(key.encode() + b"\0" + body + b"\0")
    return sha.hexdigest()


def test_equal_seeds_give_equal_bytes_and_others_do_not() -> None:
    one = digest(Parameters(800, 5))
    assert digest(Parameters(800, 5)) == one
    assert digest(Parameters(800, 6)) != one
    assert digest(Parameters(800, 5, stories=False)) != one


def test_contents_are_the_same_on_every_version() -> None:
    """Before compression, whose bytes are zlib's own affair; a change of the generator changes the value."""
    sha = hashlib.sha256()
    for key, body in objects(Parameters(700, 3)):
        content = gzip.decompress(body) if key.endswith(".gz") else body
        sha.update(key.encode() + b"\0" + content + b"\0")
    assert sha.hexdigest() == "3a0dbc91775dce8de2273c5265d68b7493d65a968e5be8a0699420a6b6dcc6a5"


def test_the_stream_is_what_is_written(demo: SimpleNamespace) -> None:
    tally = tally_of(Parameters(3000, 11))
    written = {key: body for key, body in objects(Parameters(3000, 11), tally) if not key.endswith("/")}
    assert sorted(written) == demo.keys
    assert all((demo.folder / "bucket" / key).read_bytes() == body for key, body in written.items())
    counted = tally.truth({}).document
    assert counted["counts"] == demo.truth.document["counts"]
    assert counted["sha256_of_sorted_event_ids"] == demo.truth.document["sha256_of_sorted_event_ids"]


def test_progress_counts_up_to_all_events(tmp_path: Path) -> None:
    seen: list[int] = []
    generate(tmp_path / "demo", events=600, seed=1, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 600


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    assert generate(tmp_path, events=500, seed=1).distinct == 500


def test_a_folder_that_is_not_empty_is_refused_by_name(tmp_path: Path) -> None:
    kept = tmp_path / "evidence.txt"
    kept.write_text("mine")
    with pytest.raises(UsageError, match="not empty") as refusal:
        generate(tmp_path, events=500, seed=1)
    assert str(tmp_path) in str(refusal.value)
    assert list(tmp_path.iterdir()) == [kept]


def test_a_file_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        generate(file, events=500, seed=1)


def test_a_folder_below_a_file_is_an_error_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DiskError, match="Not a directory"):
        generate(tmp_path / "file" / "demo", events=500, seed=1)


@pytest.mark.parametrize(
    ("events", "days", "told"), [(499, 14, "500"), (1000, 6, "7 to 366"), (1000, 367, "days")]
)
def test_parameters_out_of_range_are_refused(tmp_path: Path, events: int, days: int, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        generate(tmp_path / "demo", events=events, seed=1, days=days)
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize("seed", range(4))
def test_other_spans_keep_their_days(tmp_path: Path, seed: int) -> None:
    truth = generate(tmp_path / "demo", events=600, seed=seed, start=date(2024, 2, 25), days=7)
    days = list(truth.document["by_event_day"])
    assert set(days) <= {f"2024-02-{day}" for day in range(25, 30)} | {"2024-03-01", "2024-03-02"}
    assert truth.distinct == 600


def chunks(parameters: Parameters) -> Iterator[int]:
    """Yield the process's memory now and then while a demo is made."""
    process = psutil.Process()
    for at, _ in enumerate(objects(parameters)):
        if at % 2000 == 0:
            yield process.memory_info().rss


@pytest.mark.slow
def test_memory_does_not_grow_with_the_events() -> None:
    seen = list(chunks(Parameters(400_000, 2)))
    half = seen[len(seen) // 2]
    # 16 bytes an id wait in memory when there is no folder to spool to; the rest is caches that fill up.
    assert max(seen) - half < 40_000_000


def test_gz_ratio_is_that_of_real_files() -> None:
    tally = tally_of(Parameters(20_000, 9))
    for _ in objects(Parameters(20_000, 9), tally):
        pass
    assert 8 <= tally.uncompressed / tally.compressed <= 10.5
    assert 1000 <= tally.uncompressed / sum(tally.records.values()) <= 1500
