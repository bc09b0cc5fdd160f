import subprocess
import sys

import pytest

from trailhouse import output


def test_every_public_name_is_there() -> None:
    homes = {name for names in output._HOMES.values() for name in names}
    assert homes | {"escape"} == set(output.__all__)
    assert all(callable(getattr(output, name)) for name in output.__all__)


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = output.nothing  # type: ignore[attr-defined]  # that it is none is the test


def test_talk_does_not_load_arrow() -> None:
    code = "import sys; from trailhouse.output import Console, escape; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
