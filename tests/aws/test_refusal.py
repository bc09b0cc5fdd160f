from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
)

from trailhouse.aws.refusal import Where, explained
from trailhouse.errors import (
    AccessDeniedError,
    AwsError,
    ConflictError,
    CredentialsError,
    LimitError,
    NotFoundError,
    ThrottledError,
)

HERE = Where("aws", "eu-west-1", "111122223333")


def refused(
    code: str,
    words: str = "",
    service: str = "glue",
    name: str = "GetTable",
    status: int = 400,
    **given: object,
) -> AwsError:
    answer = {"Error": {"Code": code, "Message": words}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return explained(ClientError(answer, name), service, name, given, HERE)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ExpiredTokenException", CredentialsError),
        ("UnrecognizedClientException", CredentialsError),
        ("RequestExpired", CredentialsError),
        ("EntityNotFoundException", NotFoundError),
        ("404", NotFoundError),
        ("AlreadyExistsException", ConflictError),
        ("ConcurrentModificationException", ConflictError),
        ("PreconditionFailed", ConflictError),
        ("ThrottlingException", ThrottledError),
        ("SlowDown", ThrottledError),
        ("ResourceNumberLimitExceededException", LimitError),
        ("InternalServiceException", AwsError),
    ],
)
def test_codes_have_their_kind_and_say_what_it_was_about(code: str, kind: type[AwsError]) -> None:
    error = refused(code, "AWS's words", DatabaseName="logs", Name="cloudtrail")
    assert type(error) is kind
    about = "arn:aws:glue:eu-west-1:111122223333:table/logs/cloudtrail"
    assert (error.code, error.operation, error.resource) == (code, "glue GetTable", about)
    assert str(error).startswith(f"glue GetTable on {about} failed ({code}): ")


def test_busy_and_missing_in_the_words_of_single_services() -> None:
    assert isinstance(refused("ServiceUnavailable", "busy", status=503), ThrottledError)
    words = "WorkGroup nobody is not found."
    assert isinstance(refused("InvalidRequestException", words, "athena", "GetWorkGroup"), NotFoundError)
    assert type(refused("InvalidRequestException", "odd", "athena", "GetWorkGroup")) is AwsError
    gone = refused("NoSuchBucket", "It does not exist", "s3", "ListObjectsV2", Bucket="mylogs")
    assert str(gone).endswith("It does not exist: check the name and the account (--profile)")
    assert isinstance(gone, NotFoundError)
    assert str(refused("", "", status=418)).endswith("failed (418): ")


def test_denied_names_action_and_resource_from_the_call() -> None:
    error = refused("AccessDenied", "Access Denied", "s3", "ListObjectsV2", Bucket="logs", Prefix="x/")
    assert isinstance(error, AccessDeniedError)
    assert str(error).startswith(
        "access denied: s3:ListBucket on arn:aws:s3:::logs (s3 ListObjectsV2, AccessDenied)"
    )
    assert "`trailhouse policy runner`" in str(error)
    assert "`trailhouse policy bucket`" in str(error)
    assert error.resource == "arn:aws:s3:::logs"
    object_ = refused(
        "403", "Forbidden", "s3", "GetObject", Bucket="logs", Key="a/b", ExpectedBucketOwner="1" * 12
    )
    assert "s3:GetObject on arn:aws:s3:::logs/a/b" in str(object_)
    assert f"the bucket does not belong to {'1' * 12} (expected_bucket_owner)" in str(object_)


def test_denied_takes_aws_at_its_word_where_it_says_more() -> None:
    words = (
        "User: arn:aws:sts::111122223333:assumed-role/x/y is not authorized to perform: glue:GetDatabase on resource: "
        "arn:aws:glue:eu-west-1:111122223333:catalog because no identity-based policy allows it"
    )
    error = refused("AccessDeniedException", words, Name="cloudtrail", DatabaseName="logs")
    assert "glue:GetDatabase on arn:aws:glue:eu-west-1:111122223333:catalog (" in str(error)
    assert error.resource == "arn:aws:glue:eu-west-1:111122223333:catalog"
    key = "User: u is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:111122223333:key/1"
    error = refused("AccessDenied", f"{key} because no", "s3", "GetObject", Bucket="b", Key="k")
    assert "kms:Decrypt on arn:aws:kms:eu-west-1:111122223333:key/1" in str(error)
    assert "`trailhouse policy kms`" in str(error)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "with an explicit deny in a service control policy",
            "A service control policy denies it explicitly",
        ),
        (
            "with an explicit deny in an identity-based policy",
            "An identity-based policy denies it explicitly",
        ),
        (
            "because no permissions boundary allows the glue:GetTable action",
            "No permissions boundary allows it",
        ),
        (
            "because no VPC endpoint policy allows the glue:GetTable action",
            "No VPC endpoint policy allows it",
        ),
        ("because no resource-based policy allows the glue:GetTable action", "trailhouse policy runner"),
    ],
)
def test_a_limit_that_somebody_else_set_is_named(words: str, told: str) -> None:
    begin = (
        "User: u is not authorized to perform: glue:GetTable on resource: arn:aws:glue:eu-west-1:1:catalog"
    )
    assert told in str(refused("AccessDeniedException", f"{begin} {words}"))


def test_lake_formation_is_another_door() -> None:
    words = "Insufficient Lake Formation permission(s): Required Create Table on logs"
    error = refused(
        "AccessDeniedException", words, "glue", "CreateTable", DatabaseName="logs", TableInput={"Name": "t"}
    )
    assert "Required Create Table on logs" in str(error)
    assert "`trailhouse policy lakeformation`" in str(error)
    assert "table/logs/t" in error.resource


def test_the_role_that_could_not_be_assumed_is_named_and_not_the_call_that_waited_for_it() -> None:
    role = "arn:aws:iam::444455556666:role/reader"
    answer = {
        "Error": {
            "Code": "AccessDenied",
            "Message": f"u is not authorized to perform: sts:AssumeRole on resource: {role}",
        }
    }
    error = explained(ClientError(answer, "AssumeRole"), "glue", "GetTable", {"Name": "x"}, HERE)
    assert f"sts:AssumeRole on {role} (sts AssumeRole" in str(error)
    assert "trust policy" in str(error)


def test_what_never_got_an_answer() -> None:
    local = [
        PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        ProfileNotFound(profile="nobody"),
        ParamValidationError(report="Name: odd"),
        ReadTimeoutError(endpoint_url="http://x"),
    ]
    errors = [explained(each, "glue", "GetTable", {}, HERE) for each in local]
    assert [type(error) for error in errors] == [CredentialsError, CredentialsError, AwsError, AwsError]
    assert "log in again" in str(errors[0])
    assert "there is no profile nobody" in str(errors[1])
    assert "log in again" not in str(errors[1])
    assert "not a name or value that AWS takes" in str(errors[2])
    assert "check the network" in str(errors[3])
    assert errors[3].code == "ReadTimeoutError"
