from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailhouse.core.plan import Action, Change, Part, Read, Refusal, Target
from trailhouse.core.saved_plan import Header, Writer, read
from trailhouse.core.state import CLOUDTRAIL_FORMAT, Format, Partition, Table, View, ViewColumn
from trailhouse.errors import AwsError, CatalogError

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER = Header(
    "arn:aws:glue:eu-west-1:111122223333:database/d", "d", "cloudtrail", "single", date(2026, 3, 2)
)
TEXTS = st.sampled_from(["", "a", "b", "\n\u202e", "'\"\\`", "\ud800", "ü" * 40])
COLUMNS = st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple)
FORMATS = st.sampled_from(
    [CLOUDTRAIL_FORMAT, Format("in", "out", "serde"), Format("", "", "", (("a", "b"), ("c", "")))]
)
PAIRS = st.dictionaries(TEXTS, TEXTS, max_size=2).map(lambda found: tuple(sorted(found.items())))
KEYS = st.lists(TEXTS, max_size=3).map(tuple)
TABLES = st.builds(
    Table, TEXTS, KEYS, TEXTS, COLUMNS, FORMATS, PAIRS, st.none() | st.lists(KEYS, max_size=2).map(tuple)
)
VIEWS = st.builds(
    View, TEXTS, TEXTS, st.lists(st.builds(ViewColumn, TEXTS, TEXTS, TEXTS), max_size=2).map(tuple), PAIRS
)
DEFINITIONS = st.none() | TABLES | VIEWS
OTHERS = st.sampled_from([target for target in Target if target is not Target.PARTITION])
CHANGES = st.builds(
    Change, st.sampled_from(Action), OTHERS, TEXTS, KEYS, DEFINITIONS, DEFINITIONS, KEYS, TEXTS, TEXTS
)


@st.composite
def partition_changes(draw: st.DrawFn) -> Change:
    values = draw(KEYS)
    made = st.none() | st.builds(Partition, st.just(values), TEXTS, COLUMNS, FORMATS)
    names = st.sampled_from(["a", "b"])
    return Change(
        draw(st.sampled_from(Action)),
        Target.PARTITION,
        draw(names),
        values,
        draw(made),
        draw(made),
        draw(KEYS),
    )


PARTS = st.builds(
    Part,
    TEXTS,
    st.lists(CHANGES | partition_changes(), max_size=5).map(tuple),
    st.lists(st.builds(Refusal, TEXTS, TEXTS), max_size=2).map(tuple),
    KEYS,
    st.none(),
    st.lists(st.builds(Read, TEXTS, st.none() | TEXTS, st.none() | st.dates()), max_size=2).map(tuple),
    st.none() | KEYS,
    TEXTS,
)


def written(parts: Sequence[Part]) -> bytes:
    stream = io.BytesIO()
    writer = Writer(HEADER, stream.write)
    for part in parts:
        writer.add(part)
    writer.close()
    return stream.getvalue()


def reading(text: str, most: int = 1 << 20) -> tuple[Header, list[Part]]:
    stream = io.StringIO(text)
    header, parts = read(lambda count: stream.read(min(most, count)), "p.json")
    return header, list(parts)


@settings(max_examples=30)
@given(st.lists(PARTS, max_size=3), st.sampled_from([1 << 20, 1000]))
def test_what_was_written_is_read(parts: list[Part], most: int) -> None:
    text = written(parts).decode("ascii")
    assert reading(text, most) == (HEADER, parts)
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    assert written(parts).decode() == text


def partitions(count: int, table: str = "t") -> Part:
    made = [
        Partition((f"r{number}",), f"s3://b/r{number}/", (("c", "string"),) * 30, CLOUDTRAIL_FORMAT)
        for number in range(count)
    ]
    return Part("a", tuple(Change(Action.CREATE, Target.PARTITION, table, p.values, after=p) for p in made))


def test_columns_are_told_once() -> None:
    text = written([partitions(1000), replace(partitions(1000), name="b")]).decode()
    assert text.count(CLOUDTRAIL_FORMAT.serde) == 1
    assert len(text) < 2000 * 40


def test_counts_stand_at_the_end() -> None:
    found = json.loads(written([partitions(3), partitions(4)]))
    assert found["totals"] == {"partition": {"create": 7}}
    assert found["header"]["format"] == found["header"]["version"] == 1


def test_a_part_that_could_not_be_planned() -> None:
    (part,) = reading(written([Part("a", error=AwsError("no\nway"))]).decode())[1]
    assert str(part.error) == "no\nway"


def test_what_is_no_plan() -> None:
    whole = written([partitions(3)]).decode()
    broken = [whole[:cut] for cut in range(0, len(whole), 7)]
    broken += ["", "{}", "[]", "x" * 3000, whole.replace('"create"', '"destroy"'), whole.replace("place", "space"),
               whole.replace('"day":"2026', '"day":"26'), '{"header":[],"parts":[],"totals":{}}',
               whole.replace('"descriptors":{"', '"descriptors":{"0'), "[" * 100_000]  # fmt: skip
    for text in broken:
        with pytest.raises(CatalogError, match=r"p\.json is no plan"):
            reading(text)
    reading(whole + "\n")


@pytest.mark.parametrize("key", ["format", "version"])
def test_a_plan_of_a_newer_version(key: str) -> None:
    text = written([]).decode().replace(f'"{key}":1', f'"{key}":2')
    with pytest.raises(CatalogError, match=f"newer trailhouse \\({key} 2\\): upgrade"):
        reading(text)
