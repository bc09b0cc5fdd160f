"""From events to files: who delivers what, where, when, how often and how late."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta

from trailhouse.demo.dice import Dice
from trailhouse.demo.kinds import other_kinds
from trailhouse.demo.logfile import Place, gzipped, records
from trailhouse.demo.oddities import oddities
from trailhouse.demo.organization import HOME_REGION, Account
from trailhouse.demo.runs import Run
from trailhouse.demo.scene import Scene
from trailhouse.demo.stories import planted
from trailhouse.demo.strangers import FOLDER, DigestChain, strangers
from trailhouse.demo.traffic import Traffic, presence
from trailhouse.demo.truth import CLOUDTRAIL, Tally

_SLOT = timedelta(minutes=5)
# Records in a file: median 9, mean 51.
_SIZES = (
    1,
    1,
    1,
    2,
    2,
    2,
    3,
    3,
    4,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    12,
    15,
    19,
    24,
    31,
    40,
    55,
    75,
    100,
    140,
    200,
    290,
    420,
)
_WINDOW = timedelta(seconds=430)  # from the first event that a file can hold to its stamp
_DELAY = timedelta(seconds=180)  # at least, from an event to its file's stamp
_LATE_EVERY, _LATE_FIRST = 150, 7
_LATENESS = tuple(timedelta(hours=h) for h in (26, 3, 75, 220, 1, 480))
_LAGS = (0, 5, 5, 10)  # minutes of the second trail behind the first
_LAST_MINUTES = (23, 5)  # of a day: what the second trail repeats of these comes after midnight
_UNORDERED = 0.45
_CURIOUS_SIZE = 3
_FEWEST_ASKED = 6
_FEW = 14  # what is planted stands in smaller files, or its accounts would get too busy

Placed = tuple[Account, str]
Object = tuple[str, bytes]


class Delivery:
    """Everything that is delivered, in the order of time, counted into a tally on its way."""

    def __init__(self, scene: Scene, tally: Tally) -> None:
        seed = scene.parameters.seed
        organization = scene.organization
        self._scene = scene
        self._tally = tally
        self._dice = Dice(f"{seed}:delivery")
        self._traffic = Traffic(organization, scene.cast, seed)
        self._accounts = [a for a in organization.accounts for _ in range(round(a.share * 100))]
        self._regions = {
            a.number: [r for r, weight in a.regions for _ in range(weight)] for a in organization.accounts
        }
        self._repeats: dict[datetime, dict[tuple[str, str, str], list[Run]]] = defaultdict(dict)
        self._digests = DigestChain(organization.accounts[1], organization.root, scene.start, seed)
        # No file holds more than a twenty-fifth of a small demo, or whole days would be empty.
        self._sizes = [size for size in _SIZES if size * 25 <= scene.parameters.events]
        self._files = 0
        self._planted = self._plant()
        self._left = scene.parameters.events - sum(
            len(run.texts) for slot in self._planted.values() for runs in slot.values() for run in runs
        )

    def _plant(self) -> dict[datetime, dict[Placed, list[Run]]]:
        """Return the planted runs by stamp and place."""
        scene = self._scene
        accounts = {account.number: account for account in scene.organization.accounts}
        slots: dict[datetime, dict[Placed, list[Run]]] = defaultdict(lambda: defaultdict(list))
        for event in (
            *planted(list(scene.stories)),
            *oddities(scene.organization, scene.start, scene.parameters.seed),
        ):
            slots[_stamp(scene.start, event.when)][accounts[event.account], event.region].append(event.run)
        # One pair of files on either side of a midnight, in however small a demo.
        late_evening = scene.start + timedelta(days=3) - _SLOT
        web = scene.organization.account("prod-web")
        slots[late_evening][web, HOME_REGION] += []
        # And something to find on the day that is asked about.
        asked = datetime.combine(scene.questions.day, time(9), UTC)
        for hour in range(_FEWEST_ASKED):
            slots[asked + timedelta(hours=hour)][web, HOME_REGION] += []
        return slots

    def objects(self) -> Iterator[Object]:
        """Yield key and bytes of every object; the tally is complete when the iterator is."""
        scene = self._scene
        yield from self._strangers()
        yield from self._others()
        yield from self._curious()
        weights = _rhythm(scene.start, scene.parameters.days)
        total, passed, budget = sum(weights), 0, self._left
        for at, weight in enumerate(weights):
            passed += weight
            stamp = scene.start + (at + 2) * _SLOT
            yield from self._slot(stamp, budget - budget * passed // total)
        yield from self._late_repeats()

    def _slot(self, stamp: datetime, left: int) -> Iterator[Object]:
        """Deliver what is planted here, then everyday traffic until only `left` events remain."""
        for (account, region), runs in self._planted.pop(stamp, {}).items():
            yield from self._main(account, region, stamp, runs)
        while self._left > left:
            account = self._dice.pick(self._accounts)
            yield from self._main(account, self._dice.pick(self._regions[account.number]), stamp, [])
        yield from self._repeated(stamp)
        yield from (self._stranger(*digest) for digest in self._digests.due(stamp))

    def _main(self, account: Account, region: str, stamp: datetime, runs: list[Run]) -> Iterator[Object]:
        """Deliver one file of the account's main trail, and note what its second trail repeats."""
        size = min(self._left, self._dice.pick(_SIZES[:_FEW] if runs else self._sizes))
        self._left -= size
        runs = [*self._traffic.runs(account, region, stamp - _WINDOW, size), *runs]
        if not runs:
            return
        second = self._scene.second_root(account, stamp)
        if second:
            lag = 10 if (stamp.hour, stamp.minute // 10) == _LAST_MINUTES else self._dice.pick(_LAGS)
            due = self._repeats[stamp + timedelta(minutes=lag)]
            due.setdefault((second, account.number, region), []).extend(run for run in runs if not run.data)
        self._files += 1
        root = self._scene.root(account, stamp)
        late = self._files % _LATE_EVERY == _LATE_FIRST
        if late:
            stamp += _LATENESS[self._files // _LATE_EVERY % len(_LATENESS)]
        yield self._log(self._place(root, account.number, region, stamp), runs, first=True, late=late)

    def _repeated(self, stamp: datetime) -> Iterator[Object]:
        for (root, number, region), runs in self._repeats.pop(stamp, {}).items():
            if runs:
                yield self._log(self._place(root, number, region, stamp), runs, first=False)

    def _late_repeats(self) -> Iterator[Object]:
        for stamp in sorted(self._repeats):
            yield from self._repeated(stamp)

    def _place(self, root: str, number: str, region: str, stamp: datetime, kind: str = CLOUDTRAIL) -> Place:
        return Place(root, number, kind, region, stamp, self._dice.text(16))

    def _log(
        self, place: Place, runs: list[Run], *, first: bool, late: bool = False, key: str = ""
    ) -> Object:
        """Count and return one CloudTrail file; a key that ends in .json is not packed."""
        texts = [text for run in runs for text in run.texts]
        if self._dice.chance(_UNORDERED):
            cut = len(texts) // 2
            texts = texts[cut:] + texts[:cut]
        content = records(texts) + (b"\n" if self._dice.chance(0.03) else b"")
        tally = self._tally
        if first:
            for run in runs:
                tally.event(run)
        tally.delivery(place, runs)
        tally.late_files += late
        tally.late_records += len(texts) if late else 0
        return self._packed(place, content, len(texts), key or place.key)

    def _packed(self, place: Place, content: bytes, count: int, key: str) -> Object:
        sha256 = hashlib.sha256(content).hexdigest()
        body = content if key.endswith(".json") else gzipped(content)
        self._tally.file(key, place.kind, "records", count, (len(body), len(content)), sha256)
        self._digests.add(place, sha256, place.stamp - _WINDOW)
        return key, body

    def _curious(self) -> Iterator[Object]:
        """Deliver unusual files: no random part, no gzip, no underscore, no records."""
        scene = self._scene
        account, region = scene.organization.account("ml-research"), "us-west-2"
        stamp = scene.start + timedelta(days=1, hours=6)
        for wanted in ("_{unique}.json", "{unique}.json.gz", ".json.gz", "_{unique}.json.gz"):
            size = 0 if wanted == "_{unique}.json.gz" else _CURIOUS_SIZE
            self._left -= size
            place = self._place(scene.root(account, stamp), account.number, region, stamp)
            runs = list(self._traffic.runs(account, region, stamp - _WINDOW, size))
            plain = place.key.removesuffix(f"_{place.unique}.json.gz")
            yield self._log(place, runs, first=True, key=plain + wanted.format(unique=place.unique))
            stamp += _SLOT

    def _others(self) -> Iterator[Object]:
        """Deliver the other kinds of records."""
        scene = self._scene
        parameters = scene.parameters
        for kind, account, region, stamp, told in other_kinds(
            scene.organization, scene.cast, scene.start, parameters.days, parameters.seed
        ):
            place = self._place(scene.root(account, stamp), account.number, region, stamp, kind)
            texts = [json.dumps(record, separators=(",", ":"), ensure_ascii=False) for record in told]
            yield self._packed(place, records(texts), len(texts), place.key)

    def _strangers(self) -> Iterable[Object]:
        scene = self._scene
        for kind, key, body in strangers(scene.organization, scene.start, scene.parameters.seed):
            yield self._stranger(kind, key, body)

    def _stranger(self, kind: str, key: str, body: bytes) -> Object:
        if kind == FOLDER:
            self._tally.folders += 1
        else:
            self._tally.file(key, kind, "ignored", 0, (len(body), 0), "")
        return key, body


def _stamp(start: datetime, when: datetime) -> datetime:
    """Return the stamp of the file that an event is delivered in: minutes later, on a multiple of five."""
    slots = -((when + _DELAY - start) // -_SLOT)
    return start + slots * _SLOT


def _rhythm(start: datetime, days: int) -> list[int]:
    """Return how busy each five minutes of the span are: days and nights, weekends, jobs at the full hour."""
    moments = [start + at * _SLOT for at in range(days * 288 - 1)]
    return [100 + int(presence(moment) * 150) + (40 if moment.minute == 0 else 0) for moment in moments]
