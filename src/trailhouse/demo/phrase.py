"""Templates of JSON text, filled in with an account's resources and random values."""

import re
from base64 import b32encode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from functools import lru_cache

from trailhouse.demo.dice import Dice, uuid
from trailhouse.demo.organization import Account

_TOKEN = re.compile(r"<([a-z0-9]+)>")
_WORDS = ("incoming", "images", "exports", "reports", "models", "invoices", "raw", "curated", "thumbs", "tmp")
_SUFFIXES = ("json", "parquet", "csv.gz", "png", "pdf", "avro")


def _object_key(dice: Dice) -> str:
    day = f"2026/{dice.between(1, 12):02d}/{dice.between(1, 28):02d}"
    return f"{dice.pick(_WORDS)}/{day}/{dice.hex(12)}.{dice.pick(_SUFFIXES)}"


_RANDOM: dict[str, Callable[[Dice], str]] = {
    "objkey": _object_key,
    "word": lambda dice: dice.pick(_WORDS),
    "in": lambda dice: dice.pick(("0", "0", "0.0", str(dice.between(100, 99999)))),
    "out": lambda dice: dice.pick(("0", str(dice.between(100, 9999999)), "544", "1.68890570862E9")),
    "id2": lambda dice: b64encode(dice.randbytes(32)).decode(),
    "token": lambda dice: "IQoJb3JpZ2luX2VjE" + b64encode(dice.randbytes(18)).decode(),
    "version": lambda dice: urlsafe_b64encode(dice.randbytes(24)).decode(),
    "expiry": lambda dice: f"{dice.between(1, 12)}:{dice.between(0, 59):02d}:{dice.between(0, 59):02d} PM",
    "base16": lambda dice: b32encode(dice.randbytes(10)).decode(),
    "session": lambda dice: f"{dice.pick(_WORDS)}-{dice.hex(8)}",
    "uuid": lambda dice: uuid(dice.hex(32)),
    "hex2": lambda dice: dice.hex(2),
    "hex8": lambda dice: dice.hex(8),
    "hex16": lambda dice: dice.hex(16),
    "hex32": lambda dice: dice.hex(32),
    "n2": lambda _: "2",
    "n99": lambda dice: str(dice.between(1, 99)),
    "n199": lambda dice: str(dice.between(1, 199)),
    "n9999": lambda dice: str(dice.between(1000, 9999999)),
}


@lru_cache(maxsize=1024)
def _parts(template: str) -> tuple[str, ...]:
    """Split into text, token, text, token, ..., text."""
    return tuple(_TOKEN.split(template))


def phrase(template: str, values: dict[str, str], account: Account, dice: Dice) -> str:
    """Return the template's text; tokens that it needs first are added to `values`, for the next one."""
    known = _parts(template)
    if len(known) == 1:
        return template
    parts = list(known)
    for at in range(1, len(parts), 2):
        token = parts[at]
        value = values.get(token)
        if value is None:
            throw = _RANDOM.get(token)
            value = throw(dice) if throw else dice.pick(getattr(account.things, token))
            values[token] = value
        parts[at] = value
    return "".join(parts)
