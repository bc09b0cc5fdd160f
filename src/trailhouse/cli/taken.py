"""Which of the program's own options each command takes, for its help."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_AWS = ("--profile", "--role-arn", "--external-id", "--aws-region", "--endpoint-url")
_LOGS = ("--source", *_AWS)
_WINDOW = ("--since", "--until", "--account", "--region", "--late")
_LOCAL = ("--workdir", "--jobs")
_JSON = ("--json",)
_RESULT = ("--format", "--json", "--output")
_ASKS = ("--yes", "--no-input")

TAKEN: dict[str, tuple[str, ...]] = {
    "query": (*_LOGS, *_WINDOW, *_RESULT, *_LOCAL),
    "summary": (*_LOGS, *_WINDOW, *_RESULT, *_LOCAL),
    "inventory": (*_LOGS, *_WINDOW, *_RESULT),
    "ingest": (*_LOGS, *_WINDOW, *_LOCAL),
    "plan": (*_LOGS, *_JSON),
    "apply": (*_LOGS, *_JSON, *_ASKS),
    "ddl": (*_LOGS, "--output"),
    "policy": (*_LOGS, "--format", *_JSON),
    "destroy": (*_AWS, *_JSON, *_ASKS),
    "deploy": (*_LOGS, *_JSON, *_ASKS),
    "template": ("--source", *_JSON, "--output"),
    "undeploy": (*_AWS, *_ASKS),
    "init": (*_LOGS, "--output", *_ASKS),
    "status": (*_AWS, *_JSON),
    "runs": (*_AWS, "--since", "--until", "--format", *_JSON),
    "selftest": (*_AWS, *_JSON, *_ASKS),
    "demo": (),
    "clean": (*_LOGS, "--workdir", *_ASKS),
    "version": _JSON,
}
"""By command; --config, --quiet and --verbose go with each."""

_FEW = 4
_ALWAYS = ("--config", "--quiet", "--verbose")


def epilog(command: str) -> str:
    """The last line of a command's help: what it takes, or what it does not where that is little."""
    taken = (*TAKEN.get(command, ()), *_ALWAYS)
    rest = [each for each in dict.fromkeys(chain(*TAKEN.values(), _ALWAYS)) if each not in taken]
    if len(rest) <= _FEW:
        return f"It takes the options of `trailhouse --help`, but not {_listed(rest)}."
    return f"Of the options of `trailhouse --help` it takes {_listed(taken)}."


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
