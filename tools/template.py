"""Write src/trailhouse/deploy/template.json anew from the stack; `--check` only says whether it is stale.

It needs the extra [deploy] and Node. What it writes needs neither.
"""

import json
import sys
import tempfile
from pathlib import Path

import aws_cdk as cdk

from trailhouse.deploy.stack.nightly import NightlyStack
from trailhouse.deploy.template import NAME, symbols

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src" / "trailhouse" / "deploy" / NAME


def synthesised() -> str:
    """The stack with symbols for values, as text."""
    values, code = symbols()
    with tempfile.TemporaryDirectory() as folder:
        # The CDK's checks are for real values; the tests run them on those.
        app = cdk.App(outdir=folder, builtin_cloud_formation_validation=False)
        NightlyStack(app, values, code, stack_name="trailhouse", synthesizer=cdk.BootstraplessSynthesizer())
        app.synth()
        found = json.loads(Path(folder, "trailhouse.template.json").read_text("utf-8"))
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write or compare; 1 if it was stale."""
    text = synthesised()
    name = TARGET.relative_to(ROOT)
    if "--check" in sys.argv[1:]:
        stale = TARGET.read_text("utf-8") != text
        print(f"{name} is {'stale: run tools/template.py' if stale else 'up to date'}")
        return int(stale)
    TARGET.write_text(text, "utf-8")
    print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
