"""Amounts as people write them."""

import re

_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*(b|bytes?|[kmgtp]i?b?)?", re.ASCII | re.IGNORECASE)
_POWERS = "kmgtp"
_DECIMALS = ("B", "kB", "MB", "GB", "TB", "PB")
_STEP = 1000


def parse_size(text: str) -> int:
    """Return the bytes that `text` names: `10GB` are 10^10, `10GiB` are 10 * 2^30, a bare number is bytes.

    Raises:
        ValueError: the text is no size; the message says what would be.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no size: give a number and kB, MB, GB or KiB, MiB, GiB, such as 10GB")
    number, unit = match[1], (match[2] or "b").lower()
    power = _POWERS.find(unit[0]) + 1
    scale: int = (1024 if "i" in unit else _STEP) ** power
    whole, _, fraction = number.partition(".")
    exact: int = int(whole + fraction) * scale // 10 ** len(fraction)
    return exact


def format_size(count: int) -> str:
    """Return `count` bytes for people, in decimal units: `0 B`, `999 B`, `1.2 MB`, `10.0 GB`."""
    size, unit = float(count), 0
    while round(size, 1) >= _STEP and unit < len(_DECIMALS) - 1:
        size, unit = size / _STEP, unit + 1
    return f"{count} B" if unit == 0 else f"{size:.1f} {_DECIMALS[unit]}"


def count_of(number: int, one: str, many: str = "") -> str:
    """Return a number with what it counts, `1 record` or `2,000 records`; `many` unless that is `one` and s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
