"""What answers are compared with. Each expectation says in words what it wants, and what it saw instead."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

_E = TypeVar("_E")
Row = tuple[Any, ...]
_SHOWN = 300
_ROWS = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from one step.

    Attributes:
        rows: of a statement.
        scanned: bytes that it read.
        error: why it failed, "" if it did not.
        code: AWS's own word for that.
        raw: a call's answers, one each time it was made.
    """

    rows: tuple[Row, ...] = ()
    scanned: int = 0
    error: str = ""
    code: str = ""
    raw: tuple[Mapping[str, Any], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Known:
    """What a run knows: the truth of its bucket, and its words.

    Attributes:
        truth: rows by name.
        words: fills in `{word}`.
    """

    truth: Mapping[str, tuple[Row, ...]]
    words: Callable[[str], str]


_Judge: TypeAlias = Callable[[_E, Sequence[Answer], Known], str | None]


class Expectation(Protocol):
    """Judges answers."""

    def describe(self) -> str:
        """What is expected, for the table of checks."""
        ...

    def judge(self, answers: Sequence[Answer], known: Known) -> str | None:
        """None: as expected. Else what was seen."""
        ...


def _unless_failed(judge: _Judge[_E]) -> _Judge[_E]:
    """A judge of what succeeded: where any step failed, that is what was seen."""

    @wraps(judge)
    def judged(self: _E, answers: Sequence[Answer], known: Known) -> str | None:
        failed = (f"failed: {one.code} {one.error}"[:_SHOWN] for one in answers if one.error)
        return next(failed, None) or judge(self, answers, known)

    return judged


@dataclass(frozen=True, slots=True)
class Rows:
    """The last answer has exactly these rows, in any order."""

    rows: tuple[Row, ...]

    def describe(self) -> str:
        return f"the rows {_short(self.rows)}"

    @_unless_failed
    def judge(self, answers: Sequence[Answer], known: Known) -> str | None:
        wanted = [tuple(known.words(v) if isinstance(v, str) else v for v in row) for row in self.rows]
        return _compare(answers[-1], wanted)


@dataclass(frozen=True, slots=True)
class Written:
    """The last answer has the rows that the bucket's own truth has under a name, in any order."""

    name: str

    def describe(self) -> str:
        return f"what was written ({self.name})"

    @_unless_failed
    def judge(self, answers: Sequence[Answer], known: Known) -> str | None:
        return _compare(answers[-1], known.truth[self.name])


@dataclass(frozen=True, slots=True)
class Same:
    """All answers have the same rows, at least one."""

    def describe(self) -> str:
        return "the same rows from each, and some"

    @_unless_failed
    def judge(self, answers: Sequence[Answer], known: Known) -> str | None:
        del known
        if not answers[0].rows:
            return "no rows"
        return next(
            (seen for one in answers[1:] if (seen := _compare(one, answers[0].rows)) is not None), None
        )


@dataclass(frozen=True, slots=True)
class Runs:
    """Nothing fails."""

    def describe(self) -> str:
        return "no error"

    @_unless_failed
    def judge(self, answers: Sequence[Answer], known: Known) -> str | None:
        del answers, known
        return None


@dataclass(frozen=True, slots=True)
class Refused:
    """The last step fails, or an entry of its batch does, with words that match."""

    pattern: str

    def describe(self) -> str:
        return f"an error that says {self.pattern.replace('|', ' or ')}"

    def judge(self, answers: Sequence[Answer], known: Known) -> str | None:
        del known
        last = answers[-1]
        told = f"{last.code} {last.error}".strip() or _entries(last)
        if not told:
            return f"no error: {_short(last.rows)}"
        return None if re.search(self.pattern, told, re.IGNORECASE) else f"another error: {told[:_SHOWN]}"


@dataclass(frozen=True, slots=True)
class ReadsLess:
    """The last statement reads less than the first, or no more where `strictly` is not set."""

    strictly: bool = True

    def describe(self) -> str:
        return "fewer bytes read by the last" if self.strictly else "no more bytes read by the last"

    @_unless_failed
    def judge(self, answers: Sequence[Answer], known: Known) -> str | None:
        del known
        first, last = answers[0].scanned, answers[-1].scanned
        fine = last < first if self.strictly else last <= first
        return None if fine and first else f"{last:,} bytes against {first:,}"


@dataclass(frozen=True, slots=True)
class ReadsAll:
    """The last statement reads at least as much as the first: no file is left out."""

    def describe(self) -> str:
        return "no fewer bytes read by the last"

    @_unless_failed
    def judge(self, answers: Sequence[Answer], known: Known) -> str | None:
        del known
        first, last = answers[0].scanned, answers[-1].scanned
        return None if last >= first > 0 else f"{last:,} bytes against {first:,}"


@dataclass(frozen=True, slots=True)
class Says:
    """The last call's answer, as JSON, has words that match; `absent`: has none."""

    pattern: str
    absent: bool = False

    def describe(self) -> str:
        return f"an answer {'without' if self.absent else 'with'} {self.pattern.replace('|', ' or ')}"

    @_unless_failed
    def judge(self, answers: Sequence[Answer], known: Known) -> str | None:
        last = answers[-1]
        text = json.dumps(last.raw or last.rows, default=str)
        found = re.search(known.words(self.pattern), text, re.IGNORECASE)
        return None if bool(found) != self.absent else text[:_SHOWN]


@dataclass(frozen=True, slots=True)
class ViewKeys:
    """The last call's answer is a view's table whose JSON has these keys and no others."""

    keys: tuple[str, ...]

    def describe(self) -> str:
        return f"the keys {', '.join(self.keys)}, no others"

    @_unless_failed
    def judge(self, answers: Sequence[Answer], known: Known) -> str | None:
        del known
        text = str(answers[-1].raw[-1].get("Table", {}).get("ViewOriginalText", ""))
        found = re.search(r"Presto View: (\S+)", text)
        if not found:
            return f"no view in Athena's encoding: {text[:_SHOWN]}"
        keys = sorted(json.loads(base64.b64decode(found[1])))
        return None if keys == sorted(self.keys) else f"the keys {', '.join(keys)}"


@dataclass(frozen=True, slots=True)
class Unthrottled:
    """No call had to be tried again."""

    def describe(self) -> str:
        return "no call is throttled"

    @_unless_failed
    def judge(self, answers: Sequence[Answer], known: Known) -> str | None:
        del known
        again = sum(int(one.get("ResponseMetadata", {}).get("RetryAttempts", 0)) for one in answers[-1].raw)
        return f"{again} calls were tried again" if again else None


@dataclass(frozen=True, slots=True)
class Both:
    """All of these."""

    parts: tuple[Expectation, ...]

    def describe(self) -> str:
        return "; ".join(part.describe() for part in self.parts)

    def judge(self, answers: Sequence[Answer], known: Known) -> str | None:
        return next((seen for one in self.parts if (seen := one.judge(answers, known)) is not None), None)


def _entries(answer: Answer) -> str:
    """What a batch answers about entries that failed."""
    errors = [error for one in answer.raw for error in one.get("Errors") or ()]
    return json.dumps(errors, default=str) if errors else ""


def _compare(answer: Answer, wanted: Sequence[Row]) -> str | None:
    seen, expected = sorted(map(repr, answer.rows)), sorted(map(repr, map(tuple, wanted)))
    if seen == expected:
        return None
    missing = [row for row in expected if row not in seen]
    extra = [row for row in seen if row not in expected]
    return f"{len(seen)} rows, not {len(expected)}; seen {_short(extra)}; missing {_short(missing)}"


def _short(rows: Sequence[Any]) -> str:
    text = ", ".join(str(row) for row in rows[:_ROWS]) or "nothing"
    return (text if len(rows) <= _ROWS else f"{text}, ...")[:_SHOWN]
