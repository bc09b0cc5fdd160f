from collections.abc import Callable

import pyarrow as pa

from trailhouse.output import Format

Text = Callable[..., str]


def test_blocks(text: Text) -> None:
    out = text(Format.LINE, {"eventname": ["AssumeRole", None], "n": [1, 2]})
    assert out == "eventname = AssumeRole\n        n = 1\n\neventname = NULL\n        n = 2\n"


def test_names_and_values_are_harmless(text: Text) -> None:
    out = text(Format.LINE, {"a\x1b[1m": ["x\ny = forged\x1b[2J"]})
    assert out == "a\\x1b[1m = x\\ny = forged\\x1b[2J\n"


def test_blocks_are_apart_across_pieces(text: Text) -> None:
    out = text(Format.LINE, pa.table({"n": range(40_000)}))
    assert out.startswith("n = 0\n\nn = 1\n\n")
    assert out.count("\n\n") == 39_999
