"""What a check is made of: statements and calls, the question that they answer, what is expected.

Declarations only: nothing here does anything. Texts may name what a run decides, such as `{database}` or
`{account}`; `scratch.Names` knows all of these words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from trailhouse.core.layout import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trailhouse.core.state import Columns
    from trailhouse.selftest.expect import Expectation


@dataclass(frozen=True, slots=True)
class Sql:
    """A statement for Athena. Every one counts as paid when the price is stated beforehand."""

    text: str


@dataclass(frozen=True, slots=True)
class Put:
    """An object below the scratch prefix.

    Attributes:
        key: below the prefix.
        body: of a log file: its records, JSON, one each; or bytes as they are.
        storage_class: of S3.
    """

    key: str
    body: tuple[str, ...] | bytes
    storage_class: str = "STANDARD"


@dataclass(frozen=True, slots=True)
class Piece:
    """A partition of a raw table.

    Attributes:
        values: one for each key.
        location: its folder.
        columns: its own; None: the table's.
        serde: the class that reads it; "": the table's.
    """

    values: tuple[str, ...]
    location: str
    columns: Columns | None = None
    serde: str = ""


@dataclass(frozen=True, slots=True)
class Make:
    """A raw table with its partitions, by Glue's API.

    Attributes:
        name: its own.
        location: its folder.
        keys: partition keys, strings.
        pieces: partitions.
        columns: None: those of the kind.
        kind: whose record columns.
        parameters: besides those that every raw table has.
    """

    name: str
    location: str = "{logs}/"
    keys: tuple[str, ...] = ()
    pieces: tuple[Piece, ...] = ()
    columns: Columns | None = None
    kind: Kind = Kind.CLOUDTRAIL
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Api:
    """A call of an API. `repeat` times one after the other, as fast as answers come."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    repeat: int = 1


class Stage(StrEnum):
    """What has to be there before a check: nothing, a shape of our tables, or a theme's own things."""

    NOTHING = "nothing"
    PER_ACCOUNT = "per_account"
    SINGLE = "single"
    PROJECTED = "projected"


@dataclass(frozen=True, slots=True)
class Apply:
    """Plan and apply the run's logs in a shape, then plan again; the answer is how many changes that finds."""

    stage: Stage


Step: TypeAlias = Sql | Put | Make | Api | Apply

SHAPES = (Stage.PER_ACCOUNT, Stage.SINGLE, Stage.PROJECTED)


@dataclass(frozen=True, slots=True)
class Check:
    """One question to AWS.

    Attributes:
        id: theme and name, `partitions.tail`.
        question: for people.
        settles: ids of the assumptions that its outcome settles.
        steps: asked in this order; each answer is kept, a failure as well.
        expect: of the answers.
        prepare: what has to be there first; if that fails, the check could not be run.
        needs: a shape that has to be applied.
        folders: that one of its statements lists at most; each costs a LIST.
    """

    id: str
    question: str
    settles: tuple[str, ...]
    steps: tuple[Step, ...]
    expect: Expectation
    prepare: tuple[Step, ...] = ()
    needs: Stage = Stage.NOTHING
    folders: int = 2

    @property
    def theme(self) -> str:
        """The first part of the id."""
        return self.id.partition(".")[0]

    @property
    def statements(self) -> int:
        """How many statements Athena runs for it."""
        return sum(isinstance(step, Sql) for step in (*self.prepare, *self.steps))


class Verdict(StrEnum):
    """How a check ended."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    NOT_RUN = "could not be run"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a check.

    Attributes:
        check: its id.
        verdict: how it ended.
        seen: what was seen instead, or why it was not run; what was seen where it was only observed.
        seconds: that it took.
    """

    check: str
    verdict: Verdict
    seen: str = ""
    seconds: float = 0.0
