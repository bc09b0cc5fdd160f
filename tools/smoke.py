"""Use the installed program as a stranger would: generated logs in, a right answer out; a deployment to take away."""

import gzip
import json
import subprocess
import sys
import tempfile
import zipfile
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
        deployment(program, Path(folder))
    print("   the installed program answers, and makes its deployment without the CDK")


def deployment(program: str, folder: Path) -> None:
    """Template and package from the installed program alone."""
    (folder / "c.yaml").write_text("s3_bucket_containing_logs: my-logs\n", "utf-8")
    package = folder / "function.zip"
    call = [program, "-c", str(folder / "c.yaml"), "template", "--package", str(package)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode != 0 or "Machine" not in json.loads(done.stdout)["Resources"]:
        sys.exit(f"smoke test failed: {done}")
    if "trailhouse/nightly/handler.py" not in zipfile.ZipFile(package).namelist():
        sys.exit(f"smoke test failed: {package.name} lacks the handler")


if __name__ == "__main__":
    main()
