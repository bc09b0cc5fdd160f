"""`trailhouse init`: look at a source and write a configuration for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trailhouse.cli.inventory import in_words
from trailhouse.errors import OutputError

if TYPE_CHECKING:
    from trailhouse.cli.call import Call
    from trailhouse.cli.folders import Folders
    from trailhouse.config import Findings
    from trailhouse.core.inventory import Inventory

TARGET = Path("trailhouse.yaml")
_S3 = "s3://"


def run(
    ctx: typer.Context,
    source: Annotated[str | None, typer.Argument(metavar="[SOURCE]", help="What to look at.")] = None,
) -> int:
    """Look at a source and write a configuration for it.

    What is there is said; the file, trailhouse.yaml or that of --output, is commented. Without SOURCE the
    sources configured or named by --source are looked at.
    """
    from trailhouse.config import render_config  # noqa: PLC0415 - with the settings

    call: Call = ctx.obj
    if source:
        call.flags = {**call.flags, "sources": [source]}
    target = call.output or TARGET
    if target.exists() and not call.confirm(f"{target} exists. Replace it?"):
        return 1
    findings = _look(call, target)
    try:
        target.write_text(render_config(findings), "utf-8")
    except OSError as error:
        raise OutputError(
            f"{target} cannot be written ({error.strerror}); name another by --output"
        ) from error
    call.console.note(f"wrote {target}; next: trailhouse --config {target} summary")
    return 0


def _look(call: Call, target: Path) -> Findings:
    """What lies there: by folders in S3, and by every name elsewhere or where there are no such folders."""
    from trailhouse.cli.folders import all_in_s3, find_folders  # noqa: PLC0415 - with the settings

    uris = [place.uri for place in call.settings.log_sources()]
    with call.open(result=False) as house:
        call.check_output(target, house.is_source)
        if all_in_s3(call):
            folders = find_folders(call, ends=True)
            if folders.deliveries:
                for line in [*folders.in_words(), *folders.failures()]:
                    call.console.note(line)
                return _by_folders(folders, uris)
        found = house.inventory()
    for line in in_words(found):
        call.console.note(line)
    return _findings(found, uris)


def _by_folders(found: Folders, uris: list[str]) -> Findings:
    from trailhouse.config import Findings  # noqa: PLC0415 - with the settings

    rows = [*found.as_spans()]
    bucket, prefix = _whole(uris, {row.logroot for row in rows})
    return Findings(
        sources=uris,
        bucket=bucket,
        prefix=prefix,
        accounts=sorted({row.account for row in rows}),
        regions=sorted({row.region for row in rows}),
        kinds=sorted({row.kind for row in rows}),
        first_day=min(row.first_day for row in rows),
        last_day=max(row.last_day for row in rows),
    )


def _whole(uris: list[str], logroots: set[str]) -> tuple[str | None, str]:
    """Bucket and prefix, where they mean the same as the one source: all of one AWSLogs."""
    places = {tuple(logroot.partition("/AWSLogs")[0].split("/")) for logroot in logroots}
    inside = all("AWSLogs" in logroot.split("/")[1:] for logroot in logroots)
    (bucket, *prefix), *others = places
    if len(uris) != 1 or others or not inside:
        return None, ""
    everything = "/".join(["s3:/", bucket, *prefix, "AWSLogs", ""])
    path = "/".join(prefix)
    return (bucket, path) if everything.startswith(f"{uris[0].rstrip('/')}/") else (None, "")


def _findings(found: Inventory, uris: list[str]) -> Findings:
    from trailhouse.config import Findings  # noqa: PLC0415 - with the settings

    days = [day for _, counted in found.days for day, _ in counted]
    bucket, prefix = _bucket(uris, [place.root for place, _ in found.days])
    return Findings(
        sources=uris,
        bucket=bucket,
        prefix=prefix,
        accounts=found.accounts,
        regions=found.regions,
        kinds=sorted({str(place.kind) for place, _ in found.days}),
        first_day=min(days, default=""),
        last_day=max(days, default=""),
    )


def _bucket(uris: list[str], roots: list[str]) -> tuple[str | None, str]:
    """Bucket and prefix, where they alone say it all: one source in S3 and one place of AWSLogs in it."""
    prefixes = {root.partition("AWSLogs")[0].strip("/") for root in roots}
    if len(uris) != 1 or not uris[0].startswith(_S3) or len(prefixes) != 1:
        return None, ""
    bucket, _, path = uris[0].removeprefix(_S3).partition("/")
    prefix = "/".join(part for part in (path.strip("/"), prefixes.pop()) if part)
    return bucket, prefix.removesuffix("AWSLogs").strip("/")
