"""Write the generated pages of docs/ anew, from the program, the checks and the type-checked examples.

`python tools/docs.py` writes; `python tools/docs.py --check` says which page is out of date, and fails.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from costs import costs_page
from permissions import permissions_page
from typer.main import get_command

from trailhouse.cli.app import app
from trailhouse.selftest import page as selftest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "tests" / "typing" / "api.py"
_BLOCK = re.compile(r"```python\n(?:\{(\w+)\}|def (\w+)\(.*?)\n```", re.DOTALL)
_NAMES = {"ask": "ask", "part": "ask_a_part", "wrong": "ask_wrongly"}
_GLOBAL = """They work before and after the command. Each is also a variable of the environment: `--no-input` is
`TRAILHOUSE_NO_INPUT`, and so on.
"""
_EXIT_CODES = """
## Exit codes

| code | means |
|---|---|
| 0 | done |
| 1 | failed |
| 3 | done, but incomplete: something could not be read, or changed; standard error says what |
| 64 | the call is wrong: an option, a setting, a source |
| 130 | interrupted |

Results go to standard output, talk to standard error. Colours and bars appear on a terminal only, and colours not
with `NO_COLOR` set.
"""


def commands_page() -> str:
    """Every command with its arguments and options."""
    program: Any = get_command(app)
    parts = [
        "# Commands\n\n<!-- written by tools/docs.py from the program itself -->\n",
        f"{program.help}\n\n## Global options\n",
        _GLOBAL,
        _options(program),
    ]
    for name, command in program.commands.items():
        arguments = " ".join(
            str(p.metavar or f"[{p.name.upper()}]") for p in command.params if p.param_type_name == "argument"
        )
        parts.append(
            f"\n## trailhouse {' '.join(filter(None, (name, arguments)))}\n\n{_text(command.help)}\n"
        )
        parts += [_options(command), _text(command.epilog)]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts if part) + _EXIT_CODES


def _options(command: Any) -> str:  # noqa: ANN401 - typer's own Click
    found = [p for p in command.params if p.param_type_name == "option" and "--help" not in p.opts]
    if not found:
        return ""
    rows = ["| option | meaning |", "|---|---|"]
    for option in found:
        value = "" if option.is_flag else f" {option.metavar or 'N'}"
        rows.append(f"| `{', '.join(option.opts)}{value}` | {option.help} |")
    return "\n".join(rows) + "\n"


def _text(help_text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in help_text.split("\n\n"))


def python_page(page: str) -> str:
    """The page with its examples as the type-checked file has them."""
    return _BLOCK.sub(
        lambda block: f"```python\n{_function(_NAMES.get(block[1], block[1] or block[2]))}\n```", page
    )


def _function(name: str) -> str:
    source = EXAMPLES.read_text("utf-8")
    found = re.search(rf"^def {name}\(.*?(?=\n\n\n|\Z)", source, re.DOTALL | re.MULTILINE)
    if found is None:
        raise SystemExit(f"{EXAMPLES} has no function {name}")
    return found[0].rstrip()


def pages() -> dict[Path, str]:
    """What the pages should say."""
    python = ROOT / "docs" / "python.md"
    permissions = ROOT / "docs" / "permissions.md"
    costs = ROOT / "docs" / "costs.md"
    return {
        ROOT / "docs" / "commands.md": commands_page(),
        python: python_page(python.read_text("utf-8")),
        permissions: permissions_page(permissions.read_text("utf-8")),
        costs: costs_page(costs.read_text("utf-8")),
        ROOT / "docs" / "selftest.md": selftest.page(),
    }


def main() -> int:
    """Write or check; 1 if a page is out of date."""
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        if "--check" in sys.argv:
            print(f"{path.relative_to(ROOT)} is out of date: run python tools/docs.py")
        else:
            path.write_text(pages()[path], "utf-8")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
