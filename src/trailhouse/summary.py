"""The first look at a lake: a few questions, always the same ones, in the order in which a responder asks them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from trailhouse.session import Trailhouse


@dataclass(frozen=True, slots=True)
class Section:
    """One question and its answer.

    Attributes:
        name: Short, for programs: `principals`.
        title: For people.
        rows: The answer.
    """

    name: str
    title: str
    rows: pa.Table


def questions() -> Iterator[tuple[str, str, str]]:
    """Name, title and statement of every question, in order."""
    folder = files("trailhouse.queries") / "summary"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        text = file.read_text("utf-8")
        title, _, sql = text.partition("\n")
        yield file.name.partition("-")[2].removesuffix(".sql"), title.removeprefix("-- "), sql


def summarize(house: Trailhouse) -> Iterator[Section]:
    """Ask every question within the window of the house."""
    prefix = house.options.table_prefix
    for name, title, sql in questions():
        own = sql if prefix == "cloudtrail" else sql.replace("FROM cloudtrail_", f"FROM {prefix}_")
        yield Section(name, title, house.query(own).arrow())
