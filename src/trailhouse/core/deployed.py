"""What CloudFormation does with the permissions of its caller, by type of what is in the stack.

The actions are those that each type's schema names for its handlers, without those for properties that the stack does
not use.
"""

from dataclasses import dataclass

from trailhouse.core.operations import Resource

_PAGES = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"


@dataclass(frozen=True, slots=True)
class Row:
    """Actions that are taken for the caller.

    Attributes:
        kind: type of what is in the stack, such as `AWS::Lambda::Function`.
        actions: of IAM.
        resource: what they are taken on.
        place: whose names it has, see `delegated.Place`.
        page: of AWS, on the type.
    """

    kind: str
    actions: tuple[str, ...]
    resource: Resource
    place: str
    page: str


def _row(kind: str, service: str, names: str, resource: Resource, place: str = "stack") -> Row:
    page = f"{_PAGES}aws-resource-{kind.removeprefix('AWS::').replace('::', '-').lower()}.html"
    return Row(kind, tuple(f"{service}:{name}" for name in names.split()), resource, place, page)


DEPLOYED: tuple[Row, ...] = (
    _row(
        "AWS::IAM::Role", "iam",
        "CreateRole DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy GetRole GetRolePolicy "
        "ListAttachedRolePolicies ListRolePolicies PassRole PutRolePermissionsBoundary PutRolePolicy TagRole UntagRole "
        "UpdateAssumeRolePolicy",
        Resource.STACK_ROLE,
    ),
    _row(
        "AWS::Lambda::Function", "lambda",
        "CreateFunction DeleteFunction DeleteFunctionConcurrency GetFunction GetFunctionCodeSigningConfig "
        "GetFunctionRecursionConfig GetRuntimeManagementConfig InvokeFunction ListTags PutFunctionConcurrency "
        "TagResource UntagResource UpdateFunctionCode UpdateFunctionConfiguration",
        Resource.STACK_FUNCTION,
    ),
    _row("AWS::Lambda::Function", "s3", "GetObject", Resource.OBJECT, "code"),
    _row(
        "AWS::StepFunctions::StateMachine", "states",
        "CreateStateMachine DeleteStateMachine DescribeStateMachine ListTagsForResource TagResource UntagResource "
        "UpdateStateMachine",
        Resource.STACK_MACHINE,
    ),
    _row(
        "AWS::Scheduler::Schedule", "scheduler", "CreateSchedule DeleteSchedule GetSchedule UpdateSchedule",
        Resource.SCHEDULE,
    ),
    _row(
        "AWS::SQS::Queue", "sqs",
        "CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl ListQueueTags SetQueueAttributes TagQueue UntagQueue",
        Resource.STACK_QUEUE,
    ),
    _row(
        "AWS::SNS::Topic", "sns",
        "CreateTopic DeleteTopic GetDataProtectionPolicy GetTopicAttributes ListSubscriptionsByTopic "
        "ListTagsForResource SetTopicAttributes TagResource UntagResource",
        Resource.STACK_TOPIC,
    ),
    _row(
        "AWS::Logs::LogGroup", "logs",
        "AssociateKmsKey CreateLogGroup DeleteLogGroup DisassociateKmsKey GetDataProtectionPolicy ListTagsForResource "
        "PutRetentionPolicy TagResource UntagResource",
        Resource.STACK_LOGS,
    ),
    _row(
        "AWS::Logs::LogGroup", "logs", "DescribeIndexPolicies DescribeLogGroups DescribeResourcePolicies", Resource.ANY
    ),
    _row(
        "AWS::CloudWatch::Alarm", "cloudwatch",
        "DeleteAlarms ListTagsForResource PutMetricAlarm TagResource UntagResource",
        Resource.STACK_ALARM,
    ),
    _row("AWS::CloudWatch::Alarm", "cloudwatch", "DescribeAlarms", Resource.ANY),
    _row(
        "AWS::Events::Rule", "events",
        "DeleteRule DescribeRule ListTagsForResource ListTargetsByRule PutRule PutTargets RemoveTargets TagResource "
        "UntagResource",
        Resource.STACK_RULE,
    ),
    _row(
        "AWS::Athena::WorkGroup", "athena",
        "CreateWorkGroup DeleteWorkGroup GetWorkGroup ListTagsForResource TagResource UntagResource UpdateWorkGroup",
        Resource.STACK_WORKGROUP,
    ),
    _row(
        "AWS::S3::Bucket", "s3",
        "CreateBucket DeleteBucket DeleteBucketPolicy GetBucket* Get*Configuration ListBucket ListTagsForResource "
        "PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketTagging "
        "PutEncryptionConfiguration PutLifecycleConfiguration TagResource UntagResource",
        Resource.BUCKET, "output",
    ),
)  # fmt: skip
"""By type."""
