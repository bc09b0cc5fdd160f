"""The program: its commands, its global options on either side of them, and how errors end it."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup, TyperOption

from trailhouse.cli import (
    apply,
    clean,
    ddl,
    demo,
    deploy,
    destroy,
    ingest,
    init,
    inventory,
    pipe,
    plan,
    policy,
    query,
    runs,
    selftest,
    status,
    summary,
    template,
    undeploy,
    version,
)
from trailhouse.cli.call import Call
from trailhouse.cli.extent import Words
from trailhouse.cli.taken import epilog
from trailhouse.errors import TrailhouseError
from trailhouse.output import Console, Level

# Typer carries its own Click and names only this one of its faults; all others of a call share its base.
UsageFault: Any = typer.BadParameter.__base__
FAILED, USAGE, INTERRUPTED = 1, 64, 130
_ABOUT = "All your CloudTrail, queryable and provable: in your own S3 with Athena, or on your laptop."
_SQL_COMMENT = re.compile(r"--(\s|[^\n]*\n)")


class EitherSide(TyperGroup):
    """Takes the global options on either side of the command: those after it are moved before it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own Click's
        """Parse the program's own options wherever they stand."""
        if not args:
            raise _UsageError(f"no command is given: give one of {', '.join(self.commands)}", self.name or "")
        mine = [o for o in self.params if isinstance(o, TyperOption)]
        own = {name: o for o in mine for name in (*o.opts, *o.secondary_opts) if name not in {"-h", "--help"}}
        return list(super().parse_args(ctx, _own_first(args, own)))


class _UsageError(Exception):
    """A call that typer would end with the whole help."""

    def __init__(self, message: str, command: str) -> None:
        super().__init__(f"{message}\nsee {command} --help")


def _own_first(args: Sequence[str], own: dict[str, TyperOption]) -> list[str]:
    front: list[str] = []
    rest: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            rest += [word, *words]
            break
        name, equals, _ = word.partition("=")
        option = own.get(name) or (own.get(word[:2]) if word[:1] == "-" and word[1:2] != "-" else None)
        if option is None:
            # A statement that begins with a comment is no option.
            rest.append(f" {word}" if _SQL_COMMENT.match(word) else word)
            continue
        front.append(word)
        takes_value = not (option.is_flag or option.count)
        if takes_value and not equals and word in own:
            front += [value for value in [next(words, None)] if value is not None]
    return front + rest


app = typer.Typer(
    name="trailhouse", cls=EitherSide, help=_ABOUT, add_completion=False, rich_markup_mode=None,
    pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
    epilog="All options above work before and after the command, and as TRAILHOUSE_* in the environment; the help of "
    "each command says which of them it takes.",
)  # fmt: skip


def _setting(flags: str, value: str, about: str) -> Any:  # noqa: ANN401 - as typer types it
    """An option that is a setting: its environment variable and file key are read with the other settings."""
    return typer.Option(*flags.split(), help=about, metavar=value, show_default=False)


def _of_call(flags: str, value: str, about: str) -> Any:  # noqa: ANN401 - likewise
    """An option of one call, with its environment variable; flags have no value."""
    names = flags.split()
    variable = f"TRAILHOUSE_{names[-1].lstrip('-').replace('-', '_').upper()}"
    return typer.Option(
        *names, envvar=variable, help=about, metavar=value or None, show_default=False, show_envvar=False
    )


Source = Annotated[
    Words, _setting("-s --source", "SOURCE", "Folder, file, pattern, archive, - or s3://...; repeatable.")
]
Config = Annotated[Path | None, _of_call("-c --config", "FILE", "Configuration file.")]
Since = Annotated[str | None, _of_call("--since", "TIME", "Events from then on: ISO 8601 in UTC, or 7d.")]
Until = Annotated[str | None, _of_call("--until", "TIME", "Events before then.")]
Account = Annotated[Words, _of_call("--account", "ID", "Logs of this account; repeatable.")]
Region = Annotated[Words, _of_call("--region", "NAME", "Logs of this region; repeatable.")]
Late = Annotated[str | None, _setting("--late", "DURATION", "How late a file may have been delivered (1d).")]
Form = Annotated[str | None, _of_call("--format", "FORMAT", "table, line, csv, json, ndjson or parquet.")]
Json = Annotated[bool, _of_call("--json", "", "Short for --format json.")]
Output = Annotated[
    Path | None, _of_call("-o --output", "FILE", "File to write; its suffix names the format.")
]
Profile = Annotated[str | None, _setting("--profile", "NAME", "Profile of the AWS configuration.")]
RoleArn = Annotated[str | None, _setting("--role-arn", "ARN", "Role to assume.")]
ExternalId = Annotated[str | None, _setting("--external-id", "ID", "External id that the role asks for.")]
AwsRegion = Annotated[str | None, _setting("--aws-region", "NAME", "Region of the AWS services.")]
EndpointUrl = Annotated[
    str | None, _setting("--endpoint-url", "URL", "An S3 compatible service instead of AWS.")
]
Workdir = Annotated[str | None, _setting("--workdir", "FOLDER", "Folder for working data.")]
Jobs = Annotated[str | None, _setting("--jobs", "N", "Processes that read logs.")]
Yes = Annotated[bool, _of_call("--yes", "", "Answer every question with yes.")]
NoInput = Annotated[bool, _of_call("--no-input", "", "Never ask; what would be asked is refused.")]
Quiet = Annotated[bool, _of_call("-q --quiet", "", "Say errors only.")]
Verbose = Annotated[bool, _of_call("-v --verbose", "", "Say more.")]


@app.callback()
def options(
    ctx: typer.Context, source: Source = None, config: Config = None, since: Since = None, until: Until = None,
    account: Account = None, region: Region = None, late: Late = None,
    format: Form = None,  # noqa: A002 - the option's name
    json: Json = False, output: Output = None, profile: Profile = None, role_arn: RoleArn = None,
    external_id: ExternalId = None, aws_region: AwsRegion = None, endpoint_url: EndpointUrl = None,
    workdir: Workdir = None, jobs: Jobs = None, yes: Yes = False, no_input: NoInput = False,
    quiet: Quiet = False, verbose: Verbose = False,
) -> None:  # fmt: skip
    """All your CloudTrail, queryable and provable: in your own S3 with Athena, or on your laptop."""
    level = Level.QUIET if quiet else Level.VERBOSE if verbose else Level.NORMAL
    settings = {
        "sources": source or None, "late": late, "profile": profile, "role_arn": role_arn,
        "external_id": external_id, "region": aws_region, "endpoint_url": endpoint_url, "workdir": workdir,
        "jobs": jobs,
    }  # fmt: skip
    if output and format and str(ctx.get_parameter_source("format")).endswith("ENVIRONMENT"):
        format = None  # noqa: A001 - the suffix on the command line is stronger
    talk: Talk = ctx.obj
    talk.console = Console.on(talk.console.stream, os.environ, level)
    ctx.obj = Call(
        flags=settings, config=config, environ=os.environ, now=datetime.now(UTC), since=since, until=until,
        accounts=tuple(account or ()), regions=tuple(region or ()), format=format, json=json,
        output=output, yes=yes, no_input=no_input, console=talk.console,
    )  # fmt: skip


for module in (
    query, summary, inventory, ingest, plan, apply, ddl, policy, destroy, deploy, template, status, runs, undeploy,
    init, selftest, demo, clean, version,
):  # fmt: skip
    name = module.__name__.rpartition(".")[2]
    app.command(name, epilog=epilog(name))(module.run)


class Talk:
    """Where the program talks, known before its options are."""

    def __init__(self, console: Console) -> None:
        self.console = console


def main(args: Sequence[str] | None = None) -> None:
    """Run the program and end the process with its exit code."""
    _open_closed_streams()
    talk = Talk(Console.on(sys.stderr, os.environ))
    try:
        code = app(args=args, standalone_mode=False, obj=talk)
        pipe.flush()
    except BrokenPipeError:
        code = _unread()
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        code = _unread()  # typer itself makes a failure of it
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - nobody shall see a traceback who did not ask for it
        code = _failed(talk.console, error)
    if code == INTERRUPTED:  # typer itself turns Ctrl-C into this code
        talk.console.note("interrupted; what was done stays, and the next command goes on from there")
    sys.exit(code if isinstance(code, int) else 0)


def _unread() -> int:
    """Nobody reads the answer any more (`| head`), which ends the work and is no failure; the exit code."""
    pipe.close()
    return 0


def _failed(console: Console, error: Exception) -> int:
    """Say what went wrong; the exit code."""
    if isinstance(error, TrailhouseError):
        console.error(str(error))
        code = error.exit_code
    elif isinstance(error, UsageFault | _UsageError):
        console.error(_usage(error))
        code = USAGE
    elif isinstance(error, OSError) and error.strerror:
        console.error(f"{error.strerror}{f': {error.filename}' if error.filename else ''}")
        code = FAILED
    else:
        console.error(
            f"this should not happen: {type(error).__name__}: {error}\n"
            "run it again with -v for details, and report them"
        )
        for line in traceback.format_exception(error):
            console.detail(line.rstrip("\n"))
        code = FAILED
    return code


def _usage(error: Any) -> str:  # noqa: ANN401 - of typer's own Click
    if isinstance(error, _UsageError):
        return str(error)
    context = getattr(error, "ctx", None)
    hint = f"\nsee {context.command_path} --help" if context else ""
    said = " ".join(error.format_message().replace(": Value error, ", ": ").split())
    if "unexpected extra argument" in said and "/" in said:
        said += ": sources are named by --source"
    return f"{said}{hint}"


def _open_closed_streams() -> None:
    """A stream that the caller closed (`2>&-`) takes everything and keeps nothing."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open to the end
