"""Use the installed program as a stranger would: generated logs in, a right answer out."""

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Run the program given as first argument over one generated file."""
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/01/02"
        place.mkdir(parents=True)
        event = {"eventVersion": "1.11", "eventTime": "2026-01-02T03:04:05Z", "eventName": "GetObject"}
        records = [event | {"eventID": str(n)} for n in range(5)]
        name = "111122223333_CloudTrail_eu-west-1_20260102T0305Z_abcdefghijklmnop.json.gz"
        (place / name).write_bytes(gzip.compress(json.dumps({"Records": records}).encode()))
        asked = "SELECT count(*) AS n FROM cloudtrail_111122223333 WHERE year = '2026'"
        call = [program, "-s", str(Path(folder) / "logs"), "--workdir", f"{folder}/work", "query", asked]
        done = subprocess.run([*call, "--format", "csv"], capture_output=True, text=True, check=False)
        if (done.returncode, done.stdout.split()) != (0, ["n", "5"]):
            sys.exit(f"smoke test failed: {done}")
    print("   the installed program answers")


if __name__ == "__main__":
    main()
