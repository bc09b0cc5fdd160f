"""Run a command in its own process group, and end the group when whoever started this is gone.

    python guard.py COMMAND ARGUMENT...

Standard input is the thread of life: when it closes, for whatever reason, the command is stopped.
"""

import os
import signal
import subprocess
import sys

GRACE = 5.0


def main() -> int:
    """The command's exit code."""
    running = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    signal.signal(signal.SIGTERM, lambda *_: os.close(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        while os.read(0, 1024):
            pass
    except OSError:
        pass
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(running.pid, how)
            return running.wait(GRACE)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            break
    return running.wait()


if __name__ == "__main__":
    sys.exit(main())
