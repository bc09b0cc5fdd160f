"""What can be done: API calls with templates of their parameters, results and resources.

A template is JSON text with tokens: `<bucket>` is a bucket of the account, `<hex8>` eight random digits;
one token has one value within one record (see `phrase`). `R` stands for a read, `W` for a write.
"""

from dataclasses import dataclass

_NULL = "null"


@dataclass(frozen=True, slots=True)
class Action:
    """One API call; texts are JSON templates, `extra` is additionalEventData."""

    service: str
    name: str
    read: bool
    request: str = _NULL
    response: str = _NULL
    extra: str = ""
    resources: str = ""
    data: bool = False
    everywhere: bool = False
    api_version: str = ""
    event_type: str = "AwsApiCall"
    errors: tuple[str, ...] = ("AccessDenied",)

    @property
    def source(self) -> str:
        """The eventSource."""
        return f"{self.service}.amazonaws.com"


_S3_EXTRA = (
    '{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":<in>,'
    '"AuthenticationMethod":"AuthHeader","x-amz-id-2":"<id2>","bytesTransferredOut":<out>}'
)
_BUCKET = '[{"accountId":"<account>","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::<bucket>"}]'
_OBJECT = (
    '[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::<bucket>/<objkey>"},'
    '{"accountId":"<account>","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::<bucket>"}]'
)
_KMSKEY = (
    '[{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/<kmskey>"}]'
)
_ROLE = '[{"accountId":"<account>","type":"AWS::IAM::Role","ARN":"arn:aws:iam::<account>:role/<role>"}]'
_CREDENTIALS = '"credentials":{"accessKeyId":"ASIA<base16>","sessionToken":"<token>","expiration":"<expiry>"}'
_EC2_DENIED = ("Client.UnauthorizedOperation", "Client.RequestLimitExceeded")


def _s3(name: str, *, read: bool, data: bool = False, request: str = "", response: str = _NULL) -> Action:
    host = '"Host":"<bucket>.s3.<region>.amazonaws.com"'
    key = ',"key":"<objkey>"' if data else ""
    return Action(
        "s3",
        name,
        read,
        f'{{"bucketName":"<bucket>",{host}{key}{request}}}',
        response,
        _S3_EXTRA,
        _OBJECT if data else _BUCKET,
        data=data,
        errors=("AccessDenied", "NoSuchKey") if data else ("AccessDenied",),
    )


def _ec2(name: str, request: str = '{"filterSet":{}}') -> Action:
    return Action("ec2", name, read=True, request=request, errors=_EC2_DENIED)


def _iam(name: str, request: str, *, read: bool = True, response: str = _NULL) -> Action:
    return Action("iam", name, read, request, response, everywhere=True)


GET_OBJECT = _s3("GetObject", read=True, data=True)
PUT_OBJECT = _s3(
    "PutObject",
    read=False,
    data=True,
    request=',"x-amz-server-side-encryption":"aws:kms"',
    response='{"x-amz-server-side-encryption":"aws:kms","x-amz-server-side-encryption-aws-kms-key-id":'
    '"arn:aws:kms:<region>:<account>:key/<kmskey>","x-amz-version-id":"<version>"}',
)
DELETE_OBJECT = _s3("DeleteObject", read=False, data=True, response='{"x-amz-version-id":"<version>"}')
HEAD_OBJECT = _s3("HeadObject", read=True, data=True)
LIST_OBJECTS = Action(
    "s3",
    "ListObjects",
    read=True,
    request='{"list-type":"2","bucketName":"<bucket>","prefix":"<word>/<hex2>","Host":"s3.<region>.amazonaws.com"}',
    extra=_S3_EXTRA,
    resources=_BUCKET,
    data=True,
)
BUCKET_ACL = _s3("GetBucketAcl", read=True, request=',"acl":""')
BUCKET_READS = tuple(
    _s3(f"GetBucket{part}", read=True, request=f',"{part[0].lower()}{part[1:]}":""')
    for part in ("Location", "Versioning", "Policy", "Tagging", "Encryption", "Logging")
)
LIST_BUCKETS = Action("s3", "ListBuckets", read=True, request='{"Host":"s3.amazonaws.com"}', extra=_S3_EXTRA)

DECRYPT = Action(
    "kms",
    "Decrypt",
    read=True,
    request='{"encryptionContext":{"aws:lambda:FunctionArn":"arn:aws:lambda:<region>:<account>:function:'
    '<function>"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}',
    resources=_KMSKEY,
)
DECRYPT_OBJECT = Action(
    "kms",
    "Decrypt",
    read=True,
    request='{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::<bucket>/<objkey>"},'
    '"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}',
    resources=_KMSKEY,
)
DATA_KEY = Action(
    "kms",
    "GenerateDataKey",
    read=True,
    request='{"keySpec":"AES_256","encryptionContext":{"aws:s3:arn":"arn:aws:s3:::<bucket>"},'
    '"keyId":"arn:aws:kms:<region>:<account>:key/<kmskey>"}',
    resources=_KMSKEY,
)
SIGN = Action(
    "kms",
    "Sign",
    read=True,
    request='{"messageType":"DIGEST","keyId":"<kmskey>","signingAlgorithm":"RSASSA_PKCS1_V1_5_SHA_256"}',
    resources=_KMSKEY,
)

ASSUME_ROLE = Action(
    "sts",
    "AssumeRole",
    read=True,
    request='{"roleArn":"arn:aws:iam::<account>:role/<role>","roleSessionName":"<session>",'
    '"durationSeconds":3600}',
    response="{" + _CREDENTIALS + ',"assumedRoleUser":{"assumedRoleId":"AROA<base16>:<session>",'
    '"arn":"arn:aws:sts::<account>:assumed-role/<role>/<session>"}}',
    resources=_ROLE,
)
ASSUME_BY_SERVICE = Action(
    "sts",
    "AssumeRole",
    read=True,
    request='{"roleArn":"arn:aws:iam::<account>:role/<role>","roleSessionName":"<function>"}',
    response="{" + _CREDENTIALS + "}",
    resources=_ROLE,
)
ASSUME_WEB = Action(
    "sts",
    "AssumeRoleWithWebIdentity",
    read=True,
    request='{"roleArn":"arn:aws:iam::<account>:role/<role>","roleSessionName":"GitHubActions",'
    '"durationSeconds":3600}',
    response="{" + _CREDENTIALS + ',"subjectFromWebIdentityToken":"repo:<repository>:ref:refs/heads/main",'
    '"assumedRoleUser":{"assumedRoleId":"AROA<base16>:GitHubActions","arn":"arn:aws:sts::<account>:'
    'assumed-role/<role>/GitHubActions"},"provider":"arn:aws:iam::<account>:oidc-provider/'
    'token.actions.githubusercontent.com","audience":"sts.amazonaws.com"}',
    resources=_ROLE,
)
CALLER = Action("sts", "GetCallerIdentity", read=True)

SECRET_VALUE = Action(
    "secretsmanager",
    "GetSecretValue",
    read=True,
    request='{"secretId":"arn:aws:secretsmanager:<region>:<account>:secret:<secret>"}',
    errors=("AccessDenied", "ResourceNotFoundException"),
)
PARAMETER = Action(
    "ssm",
    "GetParameter",
    read=True,
    request='{"name":"<parameter>","withDecryption":true}',
    errors=("AccessDenied", "ParameterNotFound"),
)
INSTANCE_PING = Action(
    "ssm",
    "UpdateInstanceInformation",
    read=False,
    request='{"instanceId":"<instance>","agentVersion":"3.3.<n99>.0","agentStatus":"Active",'
    '"platformType":"Linux","platformName":"Amazon Linux","platformVersion":"2023","iPAddress":"10.0.<n99>.'
    '<n199>","computerName":"ip-10-0-<n99>-<n199>.ec2.internal","agentName":"amazon-ssm-agent",'
    '"availabilityZone":"<region>a","availabilityZoneId":"use1-az4","sSMConnectionChannel":"ssmmessages"}',
)
LOG_STREAM = Action(
    "logs",
    "CreateLogStream",
    read=False,
    request='{"logStreamName":"<n2>026/[$LATEST]<hex32>","logGroupName":"<loggroup>"}',
    api_version="20140328",
    errors=("AccessDenied", "ResourceAlreadyExistsException"),
)
INVOKE = Action(
    "lambda",
    "Invoke",
    read=False,
    request='{"invocationType":"Event","functionName":"<function>"}',
    extra='{"functionVersion":"arn:aws:lambda:<region>:<account>:function:<function>:$LATEST"}',
    resources='[{"accountId":"<account>","type":"AWS::Lambda::Function",'
    '"ARN":"arn:aws:lambda:<region>:<account>:function:<function>"}]',
    data=True,
)
GET_ITEM = Action(
    "dynamodb",
    "GetItem",
    read=True,
    request='{"tableName":"<table>","key":["pk","sk"],"returnConsumedCapacity":"TOTAL"}',
    resources='[{"accountId":"<account>","type":"AWS::DynamoDB::Table",'
    '"ARN":"arn:aws:dynamodb:<region>:<account>:table/<table>"}]',
    data=True,
    api_version="2012-08-10",
    errors=("AccessDenied", "ProvisionedThroughputExceededException"),
)
MESSAGE = Action(
    "sqs",
    "SendMessage",
    read=False,
    request='{"queueUrl":"https://sqs.<region>.amazonaws.com/<account>/<queue>","messageBody":'
    '"HIDDEN_DUE_TO_SECURITY_REASONS","delaySeconds":0}',
    response='{"messageId":"<uuid>","mD5OfMessageBody":"<hex32>"}',
    resources='[{"accountId":"<account>","type":"AWS::SQS::Queue",'
    '"ARN":"arn:aws:sqs:<region>:<account>:<queue>"}]',
    data=True,
)

DESCRIBE = (
    _ec2("DescribeInstances", '{"filterSet":{},"instancesSet":{"items":[{"instanceId":"<instance>"}]}}'),
    _ec2("DescribeInstanceStatus", '{"instancesSet":{},"filterSet":{},"includeAllInstances":true}'),
    _ec2("DescribeVolumes", '{"volumeSet":{"items":[{"volumeId":"<volume>"}]},"filterSet":{}}'),
    _ec2("DescribeVpcs", '{"vpcSet":{"items":[{"vpcId":"<vpc>"}]},"filterSet":{}}'),
    _ec2("DescribeSubnets", '{"subnetSet":{"items":[{"subnetId":"<subnet>"}]},"filterSet":{}}'),
    _ec2(
        "DescribeSecurityGroups",
        '{"securityGroupSet":{},"securityGroupIdSet":{"items":[{"groupId":"<group>"}]}}',
    ),
    _ec2(
        "DescribeRouteTables",
        '{"routeTableIdSet":{},"filterSet":{"items":[{"name":"vpc-id","valueSet":{"items":[{"value":"<vpc>"}]}}]}}',
    ),
    _ec2(
        "DescribeNetworkInterfaces",
        '{"networkInterfaceIdSet":{"items":[{"networkInterfaceId":"<interface>"}]}}',
    ),
    _ec2(
        "DescribeImages",
        '{"executableBySet":{},"imagesSet":{"items":[{"imageId":"<image>"}]},"ownersSet":{}}',
    ),
    _ec2("DescribeAvailabilityZones", '{"availabilityZoneSet":{},"availabilityZoneIdSet":{}}'),
    _ec2("DescribeAccountAttributes", '{"accountAttributeNameSet":{},"filterSet":{}}'),
)
INVENTORY = (
    Action("rds", "DescribeDBInstances", read=True, request='{"dBInstanceIdentifier":"<database>"}'),
    Action("elasticloadbalancing", "DescribeLoadBalancers", read=True, api_version="2015-12-01"),
    Action("logs", "DescribeLogGroups", read=True, request='{"logGroupNamePrefix":"<loggroup>"}'),
    Action("lambda", "ListFunctions20150331", read=True, request='{"maxItems":50}', api_version="2015-03-31"),
    Action("monitoring", "DescribeAlarms", read=True, request='{"maxRecords":100,"stateValue":"ALARM"}'),
    Action(
        "cloudtrail", "DescribeTrails", read=True, request='{"trailNameList":[],"includeShadowTrails":true}'
    ),
    Action(
        "ecs", "DescribeServices", read=True, request='{"cluster":"<cluster>","services":["<cluster>-svc"]}'
    ),
    Action("tagging", "GetResources", read=True, request='{"paginationToken":"","resourcesPerPage":100}'),
    Action("health", "DescribeEventAggregates", read=True, request='{"aggregateField":"eventTypeCategory"}'),
)
IAM_READS = (
    _iam("GetUser", _NULL),
    _iam("GetRole", '{"roleName":"<role>"}'),
    _iam("ListRoles", '{"maxItems":100}'),
    _iam("ListAttachedRolePolicies", '{"roleName":"<role>"}'),
    _iam("GetAccountSummary", _NULL),
    _iam("ListUsers", _NULL),
)
LOGIN = Action(
    "signin",
    "ConsoleLogin",
    read=False,
    response='{"ConsoleLogin":"Success"}',
    extra='{"LoginTo":"https://console.aws.amazon.com/console/home?region=<region>&state=hashArgs%23&'
    'isauthcode=true","MobileVersion":"No","MFAUsed":"Yes"}',
    event_type="AwsConsoleSignIn",
    everywhere=True,
    errors=(),
)
FEDERATE = Action(
    "sso",
    "Federate",
    read=False,
    request='{"role_name":"PlatformAccess","account_id":"<account>"}',
    extra='{"CredentialType":"EXTERNAL_IDP"}',
    event_type="AwsServiceEvent",
    everywhere=True,
    errors=(),
)
DEPLOY = (
    Action(
        "ecr",
        "BatchGetImage",
        read=True,
        request='{"registryId":"<account>","repositoryName":"<repository>","imageIds":[{"imageTag":"<hex8>"}]}',
        resources='[{"accountId":"<account>","ARN":"arn:aws:ecr:<region>:<account>:repository/<repository>"}]',
        errors=("AccessDenied", "RepositoryNotFoundException"),
    ),
    Action(
        "ecs",
        "UpdateService",
        read=False,
        request='{"cluster":"<cluster>","service":"<cluster>-svc","forceNewDeployment":true,'
        '"taskDefinition":"<cluster>:<n99>"}',
        response='{"service":{"serviceName":"<cluster>-svc","status":"ACTIVE","desiredCount":3,'
        '"runningCount":3,"launchType":"FARGATE","clusterArn":"arn:aws:ecs:<region>:<account>:cluster/<cluster>"}}',
    ),
    Action(
        "lambda",
        "UpdateFunctionCode20150331v2",
        read=False,
        request='{"functionName":"<function>","s3Bucket":"<bucket>","s3Key":"<word>/<hex8>.zip","publish":true}',
        response='{"functionName":"<function>","runtime":"python3.12","codeSize":<n9999>,"codeSha256":"<id2>",'
        '"version":"<n99>","lastUpdateStatus":"InProgress"}',
        api_version="2015-03-31",
    ),
    Action("cloudformation", "DescribeStacks", read=True, request='{"stackName":"<stack>"}'),
    Action(
        "ec2",
        "RunInstances",
        read=False,
        request='{"instancesSet":{"items":[{"imageId":"<image>","minCount":1,"maxCount":1}]},"instanceType":'
        '"m7g.large","blockDeviceMapping":{},"subnetId":"<subnet>","clientToken":"<uuid>"}',
        response='{"requestId":"<uuid>","reservationId":"r-0<hex16>","ownerId":"<account>","groupSet":{},'
        '"instancesSet":{"items":[{"instanceId":"i-0<hex16>","imageId":"<image>","instanceState":'
        '{"code":0,"name":"pending"},"amiLaunchIndex":0,"instanceType":"m7g.large"}]}}',
        errors=_EC2_DENIED,
    ),
)
