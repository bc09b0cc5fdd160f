"""What is wrong with the nightly run or with what it looks after: known until it is over, told once, and its end too.

A problem is what somebody has to do something about. It is the same problem in the next night when kind and
subject are the same, whatever its text says by then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from trailhouse.core.sizes import count_of
from trailhouse.core.times import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MOST_TOLD = 20
"""Problems that one message says in full."""
LONGEST_SUBJECT = 100
"""ASCII characters that SNS takes as a subject (https://docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""
LONGEST_MESSAGE = 20_000
"""Characters of a message: SNS and Step Functions carry 256 KB, and a character can take 12 bytes of JSON
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""
_LONGEST_TEXT = 1_500  # of a line of ours in it
_CUT = "... cut off here: `trailhouse status` has everything"
_FIRST_PRINTABLE, _LAST_PRINTABLE = 0x20, 0x7E


class ProblemKind(StrEnum):
    """What sort of thing is wrong."""

    RUN = "run"
    ACCOUNT = "account"
    REFUSED = "refused"
    VIEW = "view"
    SILENT = "silent"
    WAITING = "waiting"  # for a lake in S3: nothing finds it yet


_TITLES: Mapping[ProblemKind, str] = {
    ProblemKind.RUN: "run failed",
    ProblemKind.ACCOUNT: "left out of the run",
    ProblemKind.REFUSED: "its plan refuses itself, nothing of it was done",
    ProblemKind.VIEW: "not as it should be",
    ProblemKind.SILENT: "delivers no logs any more",
    ProblemKind.WAITING: "files wait to be taken in",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that somebody has to look at.

    Attributes:
        kind: what sort.
        subject: what it is about: an account, `ACCOUNT/REGION`, a view, an error's name; with the kind its identity.
        since: from when on, UTC.
        what: what was seen, one or more sentences.
        tried: what was done about it already.
        command: to run next.
    """

    kind: ProblemKind
    subject: str
    since: datetime
    what: str
    tried: str
    command: str

    @property
    def identity(self) -> tuple[str, str]:
        """What makes it the same problem in another run."""
        return str(self.kind), self.subject

    @property
    def title(self) -> str:
        """The problem in a line; a run's begins with what every such line is about, as errors have long names."""
        if self.kind is ProblemKind.RUN:
            return f"{_TITLES[self.kind]}: {self.subject}"
        return f"{self.subject}: {_TITLES[self.kind]}"

    def as_json(self) -> dict[str, str]:
        """As JSON's types."""
        return {
            "kind": str(self.kind),
            "subject": self.subject,
            "since": format_time(self.since),
            "what": self.what,
            "tried": self.tried,
            "command": self.command,
        }


def from_json(raw: Mapping[str, str]) -> Problem:
    """What `as_json` wrote; unknown members are ignored.

    Raises:
        KeyError: a member is missing.
        ValueError: a member cannot be read, such as a kind that is not known.
    """
    since = parse_time(raw["since"], datetime.min)  # noqa: DTZ901 - absolute times need no clock
    return Problem(ProblemKind(raw["kind"]), raw["subject"], since, raw["what"], raw["tried"], raw["command"])


class News(NamedTuple):
    """What changed between two runs.

    Attributes:
        begun: problems that were not there before.
        ended: problems that are not there any more.
    """

    begun: tuple[Problem, ...]
    ended: tuple[Problem, ...]


def compare(before: Iterable[Problem], now: Iterable[Problem]) -> News:
    """What is new and what is over, by identity; each in the order of its sequence."""
    known, open_now = {one.identity: one for one in before}, {one.identity: one for one in now}
    return News(
        tuple(one for identity, one in open_now.items() if identity not in known),
        tuple(one for identity, one in known.items() if identity not in open_now),
    )


def lasting(before: Iterable[Problem], now: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems of now, those that were known with the time since when they are; each once, sorted.

    A silence says itself since when it is: it can have ended and begun again between two runs.
    """
    known = {one.identity: one.since for one in before}
    found = {
        one.identity: one
        if one.kind is ProblemKind.SILENT
        else replace(one, since=min(one.since, known.get(one.identity, one.since)))
        for one in now
    }
    return tuple(found[identity] for identity in sorted(found))


class Told(NamedTuple):
    """A message.

    Attributes:
        subject: at most 100 ASCII characters, no line break; "" when there is nothing to tell.
        message: "" when there is nothing to tell.
    """

    subject: str
    message: str


NOTHING = Told("", "")


def tell(news: News, about: str, opening: str, *, ending: str = "") -> Told:
    """The message for news; `NOTHING` without any.

    Args:
        news: what begun and what ended.
        about: where it is, for the subject: stack, account, region.
        opening: the first line: which run this is from.
        ending: the last lines.
    """
    if not news.begun and not news.ended:
        return NOTHING
    lines = [opening]
    if news.begun:
        lines += ["", f"NEW ({len(news.begun):,})", *_some(news.begun, _in_full)]
    if news.ended:
        lines += ["", f"OVER ({len(news.ended):,})", *_some(news.ended, _over)]
    lines += ["", ending] if ending else []
    return Told(
        subject_line(f"trailhouse: {_headline(news)} ({about})"), _bounded("\n".join(lines), ending) + "\n"
    )


def _bounded(message: str, ending: str) -> str:
    """The message, cut where it is too long; its ending stays."""
    if len(message) <= LONGEST_MESSAGE:
        return message
    rest = f"\n{_CUT}\n\n{ending[:_LONGEST_TEXT]}"
    kept = message[: LONGEST_MESSAGE - len(rest)]
    return kept.rpartition("\n")[0] + rest


def subject_line(text: str) -> str:
    """A text as SNS takes it for a subject: ASCII that can be printed, short."""
    plain = "".join(
        each if _FIRST_PRINTABLE <= ord(each) <= _LAST_PRINTABLE else "?" for each in text
    ).strip()
    return plain if len(plain) <= LONGEST_SUBJECT else f"{plain[: LONGEST_SUBJECT - 3]}..."


def visible(text: str) -> str:
    """A value of strangers in one line of a message: what is no printable character is written out."""
    if text.isprintable():
        return text[:_LONGEST_TEXT]
    shown = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text[:_LONGEST_TEXT])
    return shown[:_LONGEST_TEXT]


def _headline(news: News) -> str:
    if len(news.begun) == 1:
        said = news.begun[0].title
    elif news.begun:
        said = count_of(len(news.begun), "new problem")
    elif len(news.ended) == 1:
        return f"over: {news.ended[0].title}"
    else:
        return f"{count_of(len(news.ended), 'problem')} over"
    return f"{said}, {len(news.ended):,} over" if news.ended else said


def _some(problems: Sequence[Problem], lines_of: _Lines) -> Iterator[str]:
    for number, problem in enumerate(problems[:MOST_TOLD], 1):
        head, *rest = lines_of(problem)
        yield f"{number}. {head}"
        yield from (f"   {line}" for line in rest)
    if len(problems) > MOST_TOLD:
        yield f"and {len(problems) - MOST_TOLD:,} more: `trailhouse status` has them all"


def _in_full(problem: Problem) -> Iterator[str]:
    yield visible(problem.title)
    for line in problem.what.splitlines():
        yield f"What: {visible(line)}"
    yield f"Since: {format_time(problem.since)}"
    yield f"Tried: {visible(problem.tried)}"
    yield f"Run: {visible(problem.command)}"


def _over(problem: Problem) -> Iterator[str]:
    yield visible(problem.title)
    yield f"Since: {format_time(problem.since)}, over now"
    yield visible(problem.what)


if TYPE_CHECKING:
    from collections.abc import Callable

    _Lines = Callable[[Problem], Iterator[str]]
