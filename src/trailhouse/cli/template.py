"""`trailhouse template`: the CloudFormation template of the nightly run, for those who deploy by other means."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trailhouse.errors import UsageError

if TYPE_CHECKING:
    from trailhouse.cli.call import Call
    from trailhouse.deploy.template import Code

StackName = Annotated[
    str | None, typer.Option("--stack", metavar="NAME", help="Name of the stack, such as trailhouse.")
]
CodeBucket = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Bucket that holds the function's package, in the stack's region."),
]
CodeKey = Annotated[str | None, typer.Option(metavar="KEY", help="Key of the package there.")]
PackageFile = Annotated[
    Path | None,
    typer.Option("--package", metavar="FILE", help="Write the package, too: a zip file to upload."),
]


def run(
    ctx: typer.Context,
    stack: StackName = None,
    code_bucket: CodeBucket = None,
    code_key: CodeKey = None,
    package: PackageFile = None,
) -> int:
    """Print the CloudFormation template of the nightly run, filled in from the configuration.

    AWS is not asked. Without --code-bucket and --code-key the place of the package is left to two parameters of the
    template, CodeBucket and CodeKey. The stack has to have the name that the configuration says, and needs
    CAPABILITY_NAMED_IAM. `trailhouse deploy` does all of this by itself.
    """
    from trailhouse.deploy.template import fill  # noqa: PLC0415 - with the settings
    from trailhouse.deploy.values import values_of  # noqa: PLC0415 - likewise

    call: Call = replace(ctx.obj, flags={**ctx.obj.flags, "stack": stack})
    if call.format not in {None, "json"}:
        raise UsageError(f"`template` writes JSON and nothing else: leave --format {call.format} out")
    call.refuse_window("template", "leave it out; the settings say what is deployed")
    for path in filter(None, (package, call.output)):
        call.check_output(path, lambda _: False)
    if package and call.output and package.resolve() == call.output.resolve():
        raise UsageError(
            f"{package} cannot be both the template and the package: give --package another name"
        )
    values = values_of(call.settings)
    text = json.dumps(fill(values, _code(code_bucket, code_key)), indent=1) + "\n"
    if package is not None:
        _write_package(call, package)
    if call.output is None:
        sys.stdout.write(text)
    else:
        _write(call.output, text.encode())
    return 0


def _code(bucket: str | None, key: str | None) -> Code | None:
    """Where the package lies, or None for parameters. Raises UsageError where half of it is given."""
    from trailhouse.deploy.template import Code  # noqa: PLC0415 - with the settings

    if bucket and key:
        return Code(bucket, key)
    if bucket or key:
        raise UsageError("--code-bucket and --code-key belong together: give both, or none for parameters")
    return None


def _write_package(call: Call, path: Path) -> None:
    from trailhouse.deploy.package import build  # noqa: PLC0415 - only here
    from trailhouse.deploy.values import nightly_settings  # noqa: PLC0415 - with the settings

    found = build(nightly_settings(call.settings).to_json())
    _write(path, found.body)
    call.console.note(
        f"{path}: {len(found.body):,} bytes; upload it under a key that changes with it, "
        f"such as {call.settings.stack}/{found.sha256}.zip"
    )


def _write(path: Path, body: bytes) -> None:
    from trailhouse.output.files import whole_file  # noqa: PLC0415 - loads Arrow

    with whole_file(path) as file:
        file.write(body)
