"""Values of strangers made visible: nothing that is shown can move a cursor, hide, or reorder text."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

# Printable by Unicode's categories, yet drawn as nothing: fillers, joiners, variation selectors.
_RANGES = ((0x180B, 0x1810), (0xFE00, 0xFE10), (0xE0100, 0xE01F0))
_SINGLE = (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0)
_INVISIBLE = frozenset(map(chr, (*_SINGLE, *(each for bounds in _RANGES for each in range(*bounds)))))
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_LATIN_END, _BASIC_END = 0x100, 0x10000


def escape(text: str) -> str:
    r"""Return `text` with everything that cannot be seen written out: `\x1b`, `\u202e`, `\n`.

    Letters, marks and symbols of any script stay; so do backslashes, which makes the result easy to
    read but not reversible: the exact values are in JSON.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if _seen(each) else _written_out(each) for each in text)


def visible(column: pa.Array) -> pa.Array:
    """Return a column of text with every value as `escape` shows it; NULL stays NULL."""
    return map_where(pc.invert(pc.ascii_is_printable(column)), column, escape)


def map_where(mask: pa.Array, column: pa.Array, change: Callable[[str], str]) -> pa.Array:
    """Return the column of text with `change` made to the values where `mask` is true.

    The mask comes from a vectorised test, so that Python touches only the rare values.
    """
    mask = pc.fill_null(mask, fill_value=False)
    if not pc.any(mask).as_py():
        return column
    changed = pa.array([change(value) for value in column.filter(mask).to_pylist()], pa.large_string())
    return pc.replace_with_mask(column, mask, changed)


def _seen(character: str) -> bool:
    return character.isprintable() and character not in _INVISIBLE


def _written_out(character: str) -> str:
    number = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if number < _LATIN_END:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < _BASIC_END else f"\\U{number:08x}"
