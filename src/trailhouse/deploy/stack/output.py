"""Where results and records go, and the workgroup that writes there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_athena as athena
from aws_cdk import aws_s3 as s3

from trailhouse.core.policy import RECORDS_PREFIX
from trailhouse.deploy.stack.parts import (
    Choices,
    conditioned,
    document,
    either,
    excuse,
    only_encrypted_transport,
)
from trailhouse.deploy.values import RESULTS_PREFIX

if TYPE_CHECKING:
    from trailhouse.deploy.values import Values

RESULTS_DAYS, RECORDS_DAYS = 30, 400
"""How long results of Athena and records of runs are kept in the stack's own bucket."""

_UNFINISHED_DAYS = 7


def bucket(scope: cdk.Stack, values: Values, chosen: Choices) -> None:
    """The stack's own bucket, where none is named. It stays when the stack goes."""
    if chosen.own_bucket is False:
        return
    made = s3.CfnBucket(
        scope,
        "OutputBucket",
        bucket_name=cdk.Fn.sub(values.own_bucket),
        bucket_encryption=_encryption(chosen),
        public_access_block_configuration=s3.CfnBucket.PublicAccessBlockConfigurationProperty(
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        ),
        ownership_controls=s3.CfnBucket.OwnershipControlsProperty(
            rules=[s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")]
        ),
        lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(rules=_lifecycle()),
    )
    made.cfn_options.deletion_policy = cdk.CfnDeletionPolicy.RETAIN
    made.cfn_options.update_replace_policy = cdk.CfnDeletionPolicy.RETAIN
    no_log = "who reads results and records is told by data events of CloudTrail, where that is wanted"
    excuse(
        made,
        checkov={
            "CKV_AWS_18": no_log,
            "CKV_AWS_21": "results can be asked for again, and a record is written by one run only",
        },
        nag={"AwsSolutions-S1": no_log},
    )
    policy = s3.CfnBucketPolicy(
        scope,
        "OutputBucketPolicy",
        bucket=made.ref,
        policy_document=document(
            only_encrypted_transport([made.attr_arn, cdk.Fn.join("", [made.attr_arn, "/*"])], "s3:*")
        ),
    )
    conditioned(chosen.own_bucket, made, policy)


def _encryption(chosen: Choices) -> s3.CfnBucket.BucketEncryptionProperty:
    by_default = s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
        sse_algorithm=either(chosen.output_keyed, "aws:kms", "AES256"), kms_master_key_id=chosen.output_key
    )
    rule = s3.CfnBucket.ServerSideEncryptionRuleProperty(
        server_side_encryption_by_default=by_default, bucket_key_enabled=True
    )
    return s3.CfnBucket.BucketEncryptionProperty(server_side_encryption_configuration=[rule])


def _lifecycle() -> list[s3.CfnBucket.RuleProperty]:
    return [
        s3.CfnBucket.RuleProperty(
            id="results", status="Enabled", prefix=RESULTS_PREFIX, expiration_in_days=RESULTS_DAYS
        ),
        s3.CfnBucket.RuleProperty(
            id="records", status="Enabled", prefix=RECORDS_PREFIX, expiration_in_days=RECORDS_DAYS
        ),
        s3.CfnBucket.RuleProperty(
            id="unfinished",
            status="Enabled",
            abort_incomplete_multipart_upload=s3.CfnBucket.AbortIncompleteMultipartUploadProperty(
                days_after_initiation=_UNFINISHED_DAYS
            ),
        ),
    ]


def workgroup(scope: cdk.Stack, values: Values, chosen: Choices) -> athena.CfnWorkGroup:
    """The workgroup: its settings hold whatever a client asks for."""
    encryption = athena.CfnWorkGroup.EncryptionConfigurationProperty(
        encryption_option=either(chosen.output_keyed, "SSE_KMS", "SSE_S3"), kms_key=chosen.output_key
    )
    return athena.CfnWorkGroup(
        scope,
        "Workgroup",
        name=values.stack,
        description="Questions to CloudTrail; made by trailhouse",
        state="ENABLED",
        # With its history of queries; results stay in the bucket.
        recursive_delete_option=True,
        work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
            enforce_work_group_configuration=True,
            publish_cloud_watch_metrics_enabled=True,
            bytes_scanned_cutoff_per_query=cdk.Token.as_number(values.workgroup_limit),
            requester_pays_enabled=cdk.Token.as_any(values.requester_pays),
            result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                output_location=cdk.Fn.sub(f"s3://${{Bucket}}/{RESULTS_PREFIX}", {"Bucket": chosen.bucket}),
                encryption_configuration=encryption,
            ),
        ),
    )
