"""Values of strangers made visible: nothing that is shown can move a cursor, hide, or reorder text."""

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


def _seen(character: str) -> bool:
    return character.isprintable() and character not in _INVISIBLE


def _written_out(character: str) -> str:
    number = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if number < _LATIN_END:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < _BASIC_END else f"\\U{number:08x}"
