import subprocess
import sys
import threading
from pathlib import Path

import pytest

from trailhouse.lake.lock import writing

HOLDER = """
import sys, time
from pathlib import Path
from trailhouse.lake.lock import writing
with writing(Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_free_lock_is_taken_at_once(tmp_path: Path) -> None:
    waited: list[int] = []
    for _ in range(2):
        with writing(tmp_path / "lock", lambda: waited.append(1)):
            pass
    assert waited == []


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        with writing(tmp_path / "lock", waiting.set):
            order.append("second")

    with writing(tmp_path / "lock", lambda: None):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_an_error_lets_go(tmp_path: Path) -> None:
    with pytest.raises(KeyError), writing(tmp_path / "lock", lambda: None):
        raise KeyError
    with writing(tmp_path / "lock", pytest.fail):
        pass


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path / "lock"], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    waited: list[int] = []

    def waiting() -> None:
        waited.append(1)
        holder.kill()

    with writing(tmp_path / "lock", waiting):
        assert waited == [1]
    holder.wait(10)
    holder.stdout.close()
