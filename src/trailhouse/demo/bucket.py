"""A demo as a folder: the bucket, and beside it the truth."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

from trailhouse.demo.delivery import Delivery
from trailhouse.demo.eventids import EventIds
from trailhouse.demo.scene import DAYS, START, Parameters, Scene, scene
from trailhouse.demo.truth import Tally, Truth
from trailhouse.errors import DiskError, UsageError

Progress = Callable[[int], None]

_FILES_HEADER = "key\tkind\tverdict\trecords\tcompressed_bytes\tuncompressed_bytes\tsha256_uncompressed\n"


def objects(parameters: Parameters, tally: Tally | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield key and bytes of every object of a demo, one at a time, for any place that they are written to.

    Args:
        parameters: what the demo is made from.
        tally: counts what is yielded; see `tally_of`. Keys that end in "/" are empty folder keys.
    """
    stage = scene(parameters)
    yield from Delivery(stage, tally or tally_of(parameters)).objects()


def tally_of(parameters: Parameters) -> Tally:
    """Return a tally for `objects` that keeps all event ids in memory."""
    return Tally(scene(parameters).questions, EventIds())


def generate(
    directory: Path,
    *,
    events: int,
    seed: int,
    stories: bool = True,
    start: date = START,
    days: int = DAYS,
    progress: Progress | None = None,
) -> Truth:
    """Write a demo: `bucket/` (the source), `truth.json`, `files.tsv` and `query1_eventids.txt` beside it.

    Args:
        directory: a folder that does not exist yet or is empty.
        events: distinct events of the kind CloudTrail, at least 500.
        seed: equal seeds give equal bytes.
        stories: plant the stories.
        start: first UTC day of the events.
        days: length of the span.
        progress: called with the number of events written so far, after every object.

    Returns:
        The truth, as written to `truth.json`.

    Raises:
        UsageError: the folder is not empty, or a parameter is out of range.
        DiskError: the folder cannot be written to.
    """
    stage = scene(Parameters(events, seed, stories, start, days))
    try:
        _claim(directory)
        return _write(directory, stage, progress)
    except OSError as error:
        raise DiskError(
            f"the demo in {directory} is incomplete: {error.strerror}; remove it and start again"
        ) from error


def _claim(directory: Path) -> None:
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is a file: name a new or empty folder for the demo")
    if directory.is_dir() and any(directory.iterdir()):
        raise UsageError(
            f"{directory} is not empty: name a new or empty folder for the demo, nothing is overwritten"
        )
    (directory / "bucket").mkdir(parents=True)


def _write(directory: Path, stage: Scene, progress: Progress | None) -> Truth:
    with ExitStack() as stack:
        spool = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".ids-", dir=directory)))
        files = stack.enter_context((directory / "files.tsv").open("w", encoding="utf-8", newline="\n"))
        answer = stack.enter_context(
            (directory / "query1_eventids.txt").open("w", encoding="ascii", newline="\n")
        )
        files.write(_FILES_HEADER)
        tally = Tally(stage.questions, EventIds(spool), files, answer)
        tally.stories = [story.truth() for story in stage.stories]
        folders: set[str] = set()
        for key, body in Delivery(stage, tally).objects():
            _put(directory / "bucket", key, body, folders)
            if progress:
                progress(tally.events)
        truth = tally.truth(stage.parameters.document())
    text = json.dumps(truth.document, indent=1, ensure_ascii=False)
    (directory / "truth.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return truth


def _put(bucket: Path, key: str, body: bytes, folders: set[str]) -> None:
    """Write one object; a key that ends in "/" is a folder here."""
    folder, _, name = key.rpartition("/")
    if folder not in folders:
        (bucket / folder).mkdir(parents=True, exist_ok=True)
        folders.add(folder)
    if name:
        with open(f"{bucket}/{key}", "xb", buffering=0) as file:  # noqa: PTH123 - thousands a second
            file.write(body)
