"""Configurations to deploy, and what the CDK makes of them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from trailhouse.deploy.template import Code
from trailhouse.deploy.values import values_of

if TYPE_CHECKING:
    from pathlib import Path

    from trailhouse.config.settings import Settings

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CODE = Code("trailhouse-deploy-111122223333-eu-west-1", "trailhouse/code-0123.zip")
CONFIGS: dict[str, dict[str, Any]] = {
    "least": {"s3_bucket_containing_logs": "my-logs"},
    "most": {
        "sources": [
            {"uri": "s3://my-logs/AWSLogs/", "role_arn": "arn:aws:iam::444455556666:role/reader"},
            {"uri": "s3://other-logs/a*b/${c}", "requester_pays": True},
        ],
        "stack": "Security-Logs",
        "alarm_sns_arn": "arn:aws:sns:eu-west-1:111122223333:alarm",
        "output_s3_bucket": "my-output",
        "architecture": "x86_64",
        "memory_mb": 1024,
        "schedule": "rate(12 hours)",
        "log_retention_days": 365,
        "permissions_boundary": "arn:aws:iam::111122223333:policy/boundary",
        "tags": {"team": "security", "cost centre": "1 <<2>>"},
        "log_keys": [KEY],
        "catalog_keys": [KEY],
        "output_key": KEY,
        "stack_key": KEY,
        "lake": "s3://my-lake/cloudtrail",
        "workgroup_limit": 10_000_000,
    },
    "own bucket, key for it": {"s3_bucket_containing_logs": "my-logs", "output_key": KEY},
    "own topic, key for it": {"s3_bucket_containing_logs": "my-logs", "stack_key": KEY, "stack": "B"},
}


def synthesised(cdk: Any, settings: Settings, folder: Path, *plugins: Any) -> dict[str, Any]:  # noqa: ANN401 - the CDK's
    """What the CDK makes of a configuration.

    Args:
        cdk: the fixture.
        settings: the configuration.
        folder: an empty one, to write to.
        plugins: that make a judge of the app.
    """
    from trailhouse.deploy.stack.nightly import NightlyStack  # noqa: PLC0415 - heavy

    app = cdk.App(outdir=os.fspath(folder), context={"@aws-cdk/core:validateAgainstDefaultRules": True})
    NightlyStack(
        app,
        values_of(settings),
        CODE,
        synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
    )
    for plugin in plugins:
        cdk.Validations.of(app).add_plugins(plugin(app))
    app.synth()
    found: dict[str, Any] = json.loads((folder / "trailhouse.template.json").read_text("utf-8"))
    return found
