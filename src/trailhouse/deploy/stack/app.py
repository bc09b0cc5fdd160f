"""What `cdk` runs: the stack of the configuration in the current folder, with its package as an asset.

`cdk.json` starts it by `tools/cdk.py`. It needs the extra [deploy] and Node; `trailhouse deploy` needs neither.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets

from trailhouse.config import load
from trailhouse.core.policy import own_output
from trailhouse.deploy.package import HANDLER, build
from trailhouse.deploy.stack.nightly import NightlyStack
from trailhouse.deploy.template import Code
from trailhouse.deploy.values import nightly_settings, refuse_topic_elsewhere, values_of
from trailhouse.errors import TrailhouseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trailhouse.config import Settings


def synthesise(
    settings: Settings, account: str, region: str, folder: str | None, *, handler: str = HANDLER
) -> None:
    """Write the cloud assembly to where the CDK's command asked for it.

    Args:
        settings: of the deployment.
        account: that the command deploys to; "" where it does not say.
        region: likewise.
        folder: to write to; None: a new one.
        handler: module that Lambda calls.

    Raises:
        ConfigError: a setting is missing or is nothing for a nightly run.
        DeploymentError: the package cannot be built.
    """
    values = values_of(settings)
    if region:
        refuse_topic_elsewhere(settings, values, region)
    package = build(nightly_settings(settings).to_json(), handler=handler)
    app = cdk.App(analytics_reporting=False, outdir=folder)
    with TemporaryDirectory() as scratch:
        path = Path(scratch, "function.zip")
        path.write_bytes(package.body)

        def code(stack: cdk.Stack) -> Code:
            asset = assets.Asset(stack, "Code", path=str(path))
            return Code(asset.s3_bucket_name, asset.s3_object_key)

        stack = NightlyStack(
            app,
            values,
            code,
            env=cdk.Environment(region=settings.region) if settings.region else None,
            # The command checks the version of the bootstrap stack, too, and the template stays what it is.
            synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            termination_protection=settings.termination_protection,
        )
        own = stack.node.try_find_child("OutputBucket")
        if isinstance(own, s3.CfnBucket) and account and region:
            # Only a static name lets CloudFormation take over the bucket that an earlier stack left
            # (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html).
            own.bucket_name = own_output(values.stack, account, region)
        app.synth()


def main(environ: Mapping[str, str]) -> int:
    """Synthesise by configuration file and environment; an error is one line, as everywhere."""
    try:
        settings = load({}, environ)
        region = settings.region or environ.get("CDK_DEFAULT_REGION", "")
        synthesise(settings, environ.get("CDK_DEFAULT_ACCOUNT", ""), region, environ.get("CDK_OUTDIR"))
    except TrailhouseError as error:
        sys.stderr.write(f"trailhouse: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))  # noqa: TID251 - where the environment enters, as in cli
