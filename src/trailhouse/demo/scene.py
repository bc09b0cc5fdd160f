"""What a demo is made of before its first record: parameters, organization, actors, plot, questions."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from trailhouse.demo.actors import Cast, cast
from trailhouse.demo.organization import HOME_REGION, Account, Organization, organization
from trailhouse.demo.stories import Plot, Story, plot, stories
from trailhouse.demo.truth import Questions
from trailhouse.errors import UsageError

START = date(2026, 3, 2)
DAYS = 14
_FEWEST_EVENTS = 500
_SHORTEST, _LONGEST = 7, 366


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a demo is generated from; equal parameters give equal bytes.

    `events` are distinct events of the kind CloudTrail; the records delivered are about a fifth more. Event
    times lie within `days` days from `start`, UTC; late files come later.
    """

    events: int
    seed: int
    stories: bool = True
    start: date = START
    days: int = DAYS

    def __post_init__(self) -> None:
        """Check the values; UsageError says which is off."""
        if self.events < _FEWEST_EVENTS:
            raise UsageError(
                f"a demo needs at least {_FEWEST_EVENTS} events, not {self.events}: raise --events"
            )
        if not _SHORTEST <= self.days <= _LONGEST:
            raise UsageError(f"a demo spans {_SHORTEST} to {_LONGEST} days, not {self.days}")

    def document(self) -> dict[str, Any]:
        """Return the parameters as the truth names them."""
        return {
            "events": self.events,
            "seed": self.seed,
            "stories": self.stories,
            "start": self.start.isoformat(),
            "days": self.days,
        }


@dataclass(frozen=True, slots=True)
class Scene:
    """The demo's stage: nothing here grows with the number of events."""

    parameters: Parameters
    organization: Organization
    cast: Cast
    plot: Plot
    stories: tuple[Story, ...]
    questions: Questions

    @property
    def start(self) -> datetime:
        """The first moment of the span, UTC."""
        return datetime.combine(self.parameters.start, time(), UTC)

    @property
    def moved(self) -> datetime:
        """When the trail that moves writes to its new root for the first time."""
        return self.start + timedelta(days=self.parameters.days // 2, hours=12)

    def root(self, account: Account, stamp: datetime) -> str:
        """Return the root that the account's main trail delivers to."""
        return "AWSLogs" if account.moves and stamp < self.moved else self.organization.root

    def second_root(self, account: Account, stamp: datetime) -> str:
        """Return the root of the account's second trail, "" when it has none or it was switched off."""
        silenced = account.second == "AWSLogs" and self.parameters.stories and stamp > self.plot.silence
        return "" if silenced else account.second


def scene(parameters: Parameters) -> Scene:
    """Return the scene of these parameters."""
    seed = parameters.seed
    start = datetime.combine(parameters.start, time(), UTC)
    organization_ = organization(seed)
    cast_ = cast(organization_, seed)
    plot_ = plot(cast_, organization_, start, parameters.days, seed)
    questions = Questions(
        account=organization_.account("prod-web").number,
        region=HOME_REGION,
        day=plot_.leak.date(),
        user=plot_.victim,
        address=plot_.attacker if parameters.stories else cast_.office,
    )
    told = tuple(stories(organization_, cast_, plot_, seed)) if parameters.stories else ()
    return Scene(parameters, organization_, cast_, plot_, told, questions)
