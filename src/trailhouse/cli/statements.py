"""Where statements end, for the shell: semicolons outside of texts, names and comments."""

from trailhouse.dialect.syntax import PIECE

_COMMENTS = ("--", "/*")


def split_statements(text: str) -> tuple[list[str], str]:
    """Return the whole statements in `text`, without their semicolons, and the rest behind the last."""
    statements: list[str] = []
    start = 0
    empty = True
    for piece in PIECE.finditer(text):
        if piece[0] == ";":
            if not empty:
                statements.append(text[start : piece.start()].strip())
            start, empty = piece.end(), True
        elif piece[0].strip() and not piece[0].startswith(_COMMENTS):
            empty = False
    return statements, "" if empty else text[start:].strip()


def in_text(text: str) -> bool:
    """Return whether the end of `text` lies inside a quoted text, where names mean nothing."""
    pieces = [piece for piece in PIECE.finditer(text) if piece[0].startswith("'")]
    return bool(pieces) and pieces[-1].end() == len(text) and not pieces[-1]["text"]
