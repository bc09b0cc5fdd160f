"""Chance from a seed: the same throws on every Python version and platform."""

import random
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")

ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
LOWER = "abcdefghijklmnopqrstuvwxyz0123456789"


class Dice(random.Random):
    """`random.Random`, used only through methods whose results do not change between versions.

    `choices`, `shuffle`, `sample` and the distributions are left alone: their algorithms or the
    floating-point functions below them may differ elsewhere, and a demo is repeatable byte for byte.
    """

    def __init__(self, seed: str) -> None:
        super().__init__(seed)

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, all equally likely."""
        return options[int(self.random() * len(options))]

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + int(self.random() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """Return True that often."""
        return self.random() < probability

    def mixed(self, options: Iterable[T]) -> list[T]:
        """Return the options in another order."""
        thrown = [(self.random(), option) for option in options]
        return [option for _, option in sorted(thrown, key=lambda pair: pair[0])]

    def text(self, length: int, alphabet: str = ALPHANUMERIC) -> str:
        """Return random characters of an alphabet."""
        return "".join([self.pick(alphabet) for _ in range(length)])

    def digits(self, length: int) -> str:
        """Return random decimal digits."""
        return self.text(length, "0123456789")

    def hex(self, length: int) -> str:
        """Return random hexadecimal digits, lower case."""
        return self.randbytes((length + 1) // 2).hex()[:length]

    def uuid(self) -> str:
        """Return a random UUID's text; no version bits."""
        return uuid(self.randbytes(16).hex())

    def address(self, network: str) -> str:
        """Return an IPv4 address in a network given by its first two or three numbers, `"198.51.100"`."""
        while network.count(".") < 3:  # noqa: PLR2004 - an address has four parts
            network += f".{self.between(1, 254)}"
        return network


def uuid(text: str) -> str:
    """Return 32 hexadecimal digits written as a UUID."""
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
