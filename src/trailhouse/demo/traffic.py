"""The everyday traffic: who is busy when, and the records that they leave.

This is the hot path. A record is put together from pieces that are ready and escaped: the head (version and
identity, new with each session), the middle (call, place, address, agent; once a run), one of several
variants of parameters and results, and the ids.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from trailhouse.demo.actions import Action
from trailhouse.demo.actors import Actor, Cast
from trailhouse.demo.dice import Dice
from trailhouse.demo.organization import HOME_REGION, Account, Organization
from trailhouse.demo.phrase import phrase
from trailhouse.demo.runs import ID_LENGTH, Run

_SLOTS = 8
_KEPT = 0.8  # share of records that use parameters seen before; the rest sets the gz ratio
_SESSION_HOURS = 6
_ERROR_RATE = 0.07
_ELSEWHERE = 0.12  # share of calls outside the home region that are global ones
_RUN_LENGTHS = (1, 1, 1, 1, 2, 2, 3, 4, 6, 9, 14, 22)
_OFFICE_OPENS, _OFFICE_CLOSES, _SATURDAY = 7, 18, 5
_DAY = 86400  # seconds
_CLOCK = tuple(f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}Z" for s in range(_DAY))
_TLS = (
    (
        ',"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256",'
        '"clientProvidedHostHeader":"%s"}'
    ),
    (
        ',"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256",'
        '"clientProvidedHostHeader":"%s","keyExchange":"X25519MLKEM768"}'
    ),
    (
        ',"tlsDetails":{"tlsVersion":"TLSv1.2","cipherSuite":"ECDHE-RSA-AES128-GCM-SHA256",'
        '"clientProvidedHostHeader":"%s"}'
    ),
    "",
    "",
)
_REFUSED = (
    "User: {arn} is not authorized to perform: {call} because no identity-based policy allows "
    "the {call} action"
)
_MESSAGES = {
    "AccessDenied": _REFUSED,
    "Client.UnauthorizedOperation": f"You are not authorized to perform this operation. {_REFUSED}",
    "Client.RequestLimitExceeded": "Request limit exceeded.",
    "NoSuchKey": "The specified key does not exist.",
}


def presence(when: datetime) -> float:
    """Return the share of traffic that comes from people at this time."""
    share = 0.32 if _OFFICE_OPENS <= when.hour < _OFFICE_CLOSES else 0.03
    return share * (0.2 if when.weekday() >= _SATURDAY else 1.0)


@dataclass(frozen=True, slots=True)
class _Call:
    """An action's text in one account and region: the start of its middle, and variants to draw from."""

    start: str
    variants: list[tuple[str, str]]


class Traffic:
    """Everyday records for any account, region and time."""

    def __init__(self, organization: Organization, cast: Cast, seed: int) -> None:
        self._dice = Dice(f"{seed}:traffic")
        self._company = organization.company
        self._people: dict[str, list[Actor]] = {}
        self._machines: dict[str, list[Actor]] = {}
        for account in organization.accounts:
            actors = cast.actors[account.number]
            self._people[account.number] = [a for a in actors if a.person for _ in range(a.weight)]
            self._machines[account.number] = [a for a in actors if not a.person for _ in range(a.weight)]
        self._calls: dict[tuple[str, str, int], _Call] = {}
        self._heads: dict[int, tuple[int, str]] = {}

    def runs(self, account: Account, region: str, start: datetime, count: int) -> Iterator[Run]:
        """Yield runs of `count` records in all, in event-time order, within 256 seconds from `start`."""
        offsets = sorted(self._dice.randbytes(count))
        midnight = datetime(start.year, start.month, start.day, tzinfo=UTC)
        base = (start - midnight).seconds
        days = f"{midnight:%Y-%m-%d}", f"{midnight + timedelta(days=1):%Y-%m-%d}"
        share = presence(start)
        at = 0
        while at < count:
            end = min(count, at + self._dice.pick(_RUN_LENGTHS))
            seconds = [base + offset for offset in offsets[at:end]]
            at = end
            for day, part in _by_day(*days, seconds):
                yield self._run(account, region, day, part, share)

    def _run(self, account: Account, region: str, day: str, seconds: list[int], share: float) -> Run:
        dice = self._dice
        people = dice.random() < share
        actor = dice.pick((self._people if people else self._machines)[account.number])
        action = dice.pick(actor.repertoire)
        if action.everywhere and region != HOME_REGION and dice.random() > _ELSEWHERE:
            action = dice.pick(actor.repertoire[:5])
        refused = actor.errors and action.errors and dice.random() < _ERROR_RATE
        error = dice.pick(action.errors) if refused else None
        address = dice.pick(actor.addresses)
        call = self._call(account, action, region)
        middle = call.start + address + '","userAgent":"' + actor.agent.replace("{service}", action.service)
        if error:
            middle += f'","errorCode":"{error}","errorMessage":"{_message(error, actor, action)}'
        head = self._head(actor, day, seconds[0]) + day + "T"
        end = ',"sessionCredentialFromConsole":"true"}' if actor.console and not action.data else "}"
        texts, ids = self._texts(head, seconds, middle + '",', (account, action, region), error, end)
        return Run(day, action.name, texts, ids, actor.arn, error, address, account.number, action.data)

    def _texts(
        self,
        head: str,
        seconds: list[int],
        middle: str,
        what: tuple[Account, Action, str],
        error: str | None,
        end: str,
    ) -> tuple[list[str], bytes]:
        dice, clock = self._dice, _CLOCK
        random = dice.random
        account, action, region = what
        variants = self._call(account, action, region).variants
        count = len(seconds)
        entropy = dice.randbytes(2 * ID_LENGTH * count)
        digits = entropy.hex("-", 2)  # eight groups of four an id, 40 characters with the dash behind it
        lettered = action.service == "s3"  # its request ids are no UUIDs
        texts = []
        for i, second in zip(range(0, 40 * count, 40), seconds, strict=True):
            slot = int(random() * _SLOTS / _KEPT)
            if error or slot >= len(variants):
                parameters, tail = self._variant(account, action, region, refused=bool(error))
                if not error and slot < _SLOTS:
                    variants.append((parameters, tail))
            else:
                parameters, tail = variants[slot]
            j = i + 40 * count
            request = (
                digits[j : j + 4] + digits[j + 5 : j + 29] + digits[j + 30 : j + 34] + digits[j + 35 : j + 39]
            )
            if lettered:
                request = digits[j : j + 19].replace("-", "").upper()
            texts.append(
                f'{head}{clock[second]}{middle}{parameters}{request}","eventID":"{digits[i : i + 4]}'
                f"{digits[i + 5 : i + 29]}{digits[i + 30 : i + 34]}{digits[i + 35 : i + 39]}{tail}{end}"
            )
        return texts, entropy[: ID_LENGTH * count]

    def _head(self, actor: Actor, day: str, second: int) -> str:
        """Return the actor's head; sessions are renewed every few hours."""
        hour = second // 3600 // _SESSION_HOURS * _SESSION_HOURS
        session = int(day[8:]) * 24 + hour
        known = self._heads.get(id(actor))
        if known is None or known[0] != session:
            known = (session, actor.head(self._dice, f"{day}T{hour:02d}:00:00Z"))
            self._heads[id(actor)] = known
        return known[1]

    def _call(self, account: Account, action: Action, region: str) -> _Call:
        key = (account.number, region, id(action))
        call = self._calls.get(key)
        if call is None:
            place = HOME_REGION if action.everywhere else region
            start = (
                f'","eventSource":"{action.source}","eventName":"{action.name}","awsRegion":"{place}",'
                '"sourceIPAddress":"'
            )
            call = self._calls[key] = _Call(start, [])
        return call

    def _variant(self, account: Account, action: Action, region: str, *, refused: bool) -> tuple[str, str]:
        """Return parameters up to the request id, and what follows the event id up to the last brace."""
        values = {"account": account.number, "region": region}
        dice = self._dice
        response = "null" if refused else phrase(action.response, values, account, dice)
        request = phrase(action.request, values, account, dice)
        parameters = f'"requestParameters":{request},"responseElements":{response},'
        if action.extra:
            parameters += f'"additionalEventData":{phrase(action.extra, values, account, dice)},'
        tail = f'","readOnly":{_json(action.read)},'
        if action.resources:
            tail += f'"resources":{phrase(action.resources, values, account, dice)},'
        tail += f'"eventType":"{action.event_type}",'
        if action.api_version:
            tail += f'"apiVersion":"{action.api_version}",'
        tail += f'"managementEvent":{_json(not action.data)},"recipientAccountId":"{account.number}",'
        if action.service in {"s3", "kms"} and dice.chance(0.15):
            tail += f'"vpcEndpointId":"{dice.pick(account.things.endpoint)}",'
            tail += f'"vpcEndpointAccountId":"{account.number}",'
        tail += f'"eventCategory":"{"Data" if action.data else "Management"}"'
        host = f"{action.service}.{region}.amazonaws.com"
        tls = dice.pick(_TLS)
        return parameters + '"requestID":"', tail + (tls % host if tls else "")


def _json(value: bool) -> str:  # noqa: FBT001 - a value, not a flag
    return "true" if value else "false"


def _message(error: str, actor: Actor, action: Action) -> str:
    template = _MESSAGES.get(error, "The requested thing is not there: {call}")
    return template.format(arn=actor.arn, call=f"{action.service}:{action.name}")


def _by_day(today: str, tomorrow: str, seconds: list[int]) -> list[tuple[str, list[int]]]:
    """Split seconds of the day at midnight."""
    if seconds[-1] < _DAY:
        return [(today, seconds)]
    before = [second for second in seconds if second < _DAY]
    after = [second - _DAY for second in seconds[len(before) :]]
    return [(day, part) for day, part in ((today, before), (tomorrow, after)) if part]
