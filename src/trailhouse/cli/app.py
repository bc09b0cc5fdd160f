"""The program: its commands, its global options on either side of them, and how errors end it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup, TyperOption

from trailhouse.cli import clean, demo, ingest, init, inventory, query, summary, version
from trailhouse.cli.call import Call
from trailhouse.errors import TrailhouseError
from trailhouse.output import Console, Level

# Typer carries its own Click and names only this one of its faults; all others of a call share its base.
UsageFault: Any = typer.BadParameter.__base__
USAGE = 64
INTERRUPTED = 130
_ABOUT = "All your CloudTrail, queryable and provable: in your own S3 with Athena, or on your laptop."
_GLOBAL = "Global options"


class EitherSide(TyperGroup):
    """Takes the global options on either side of the command: those after it are moved before it."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """Parse the program's own options wherever they stand."""
        own = {
            name: o
            for o in self.params
            if isinstance(o, TyperOption)
            for name in (*o.opts, *o.secondary_opts)
        }
        return list(
            super().parse_args(ctx, _own_first(args, {n: o for n, o in own.items() if n != "--help"}))
        )


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
            rest.append(word)
            continue
        front.append(word)
        takes_value = not (option.is_flag or option.count)
        if takes_value and not equals and word in own:
            front += [value for value in [next(words, None)] if value is not None]
    return front + rest


app = typer.Typer(
    name="trailhouse", cls=EitherSide, help=_ABOUT, no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Global options work before and after the command, and as TRAILHOUSE_* in the environment.",
)  # fmt: skip


def _setting(flags: str, about: str) -> Any:  # noqa: ANN401 - as typer types it
    """An option that is a setting: its environment variable and file key are read with the other settings."""
    return typer.Option(*flags.split(), help=about, rich_help_panel=_GLOBAL, show_default=False)


def _of_call(flags: str, variable: str, about: str) -> Any:  # noqa: ANN401 - likewise
    """An option of one call, with its environment variable."""
    names = flags.split()
    return typer.Option(
        *names, envvar=f"TRAILHOUSE_{variable}", help=about, rich_help_panel=_GLOBAL, show_default=False,
        show_envvar=False,
    )  # fmt: skip


@app.callback()
def options(
    ctx: typer.Context,
    source: Annotated[
        list[str] | None, _setting("-s --source", "Folder, file, pattern, archive, - or s3://; repeatable.")
    ] = None,
    config: Annotated[Path | None, _of_call("-c --config", "CONFIG", "Configuration file.")] = None,
    since: Annotated[
        str | None, _of_call("--since", "SINCE", "Events from then on: ISO 8601 in UTC, or 7d.")
    ] = None,
    until: Annotated[str | None, _of_call("--until", "UNTIL", "Events before then.")] = None,
    account: Annotated[
        list[str] | None, _of_call("--account", "ACCOUNT", "Account folder; repeatable.")
    ] = None,
    region: Annotated[list[str] | None, _of_call("--region", "REGION", "Region folder; repeatable.")] = None,
    late: Annotated[str | None, _setting("--late", "How late a file may have been delivered (1d).")] = None,
    format: Annotated[
        str | None, _of_call("--format", "FORMAT", "table, line, csv, json, ndjson or parquet.")
    ] = None,  # noqa: A002
    json: Annotated[bool, _of_call("--json", "JSON", "Short for --format json.")] = False,
    output: Annotated[
        Path | None, _of_call("-o --output", "OUTPUT", "File to write; its suffix names the format.")
    ] = None,
    profile: Annotated[str | None, _setting("--profile", "Profile of the AWS configuration.")] = None,
    role_arn: Annotated[str | None, _setting("--role-arn", "Role to assume.")] = None,
    external_id: Annotated[
        str | None, _setting("--external-id", "External id that the role asks for.")
    ] = None,
    aws_region: Annotated[str | None, _setting("--aws-region", "Region of the AWS services.")] = None,
    endpoint_url: Annotated[
        str | None, _setting("--endpoint-url", "An S3 compatible service instead of AWS.")
    ] = None,
    workdir: Annotated[str | None, _setting("--workdir", "Folder for working data.")] = None,
    jobs: Annotated[int | None, _setting("--jobs", "Processes that read logs.")] = None,
    yes: Annotated[bool, _of_call("--yes", "YES", "Answer every question with yes.")] = False,
    no_input: Annotated[
        bool, _of_call("--no-input", "NO_INPUT", "Never ask; what would be asked is refused.")
    ] = False,
    quiet: Annotated[bool, _of_call("-q --quiet", "QUIET", "Say errors only.")] = False,
    verbose: Annotated[bool, _of_call("-v --verbose", "VERBOSE", "Say more.")] = False,
) -> None:
    """All your CloudTrail, queryable and provable: in your own S3 with Athena, or on your laptop."""
    level = Level.QUIET if quiet else Level.VERBOSE if verbose else Level.NORMAL
    settings = {
        "sources": source or None, "late": late, "profile": profile, "role_arn": role_arn,
        "external_id": external_id, "region": aws_region, "endpoint_url": endpoint_url, "workdir": workdir,
        "jobs": jobs,
    }  # fmt: skip
    ctx.obj = Call(
        flags=settings, config=config, environ=os.environ, now=datetime.now(UTC), since=since, until=until,
        accounts=tuple(account or ()), regions=tuple(region or ()), format="json" if json else format,
        output=output, yes=yes, no_input=no_input, console=Console.on(sys.stderr, os.environ, level),
    )  # fmt: skip


for module in (query, summary, inventory, ingest, init, demo, clean, version):
    app.command(module.__name__.rpartition(".")[2])(module.run)


def main(args: Sequence[str] | None = None) -> None:
    """Run the program and end the process with its exit code."""
    console = Console.on(sys.stderr, os.environ)
    try:
        code = app(args=args, standalone_mode=False)
    except TrailhouseError as error:
        console.error(str(error))
        sys.exit(error.exit_code)
    except UsageFault as error:
        console.error(_usage(error))
        sys.exit(USAGE)
    except (KeyboardInterrupt, typer.Abort):
        console.note("interrupted; what was taken in stays, and the next command goes on from there")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


def _usage(error: typer.BadParameter) -> str:
    context = getattr(error, "ctx", None)
    hint = f"\nsee {context.command_path} --help" if context else ""
    return error.format_message() + hint
