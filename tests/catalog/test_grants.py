from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from trailhouse.aws.access import Access
from trailhouse.aws.gate import Gate
from trailhouse.catalog.grants import restrictions, role_of
from trailhouse.catalog.port import Restrictions
from trailhouse.core.operations import find
from trailhouse.errors import AccessDeniedError, AwsError, CredentialsError, NotFoundError, TrailhouseError

if TYPE_CHECKING:
    from bed.aws import Aws

ROLE = "arn:aws:iam::111122223333:role/runner"
SESSION = "arn:aws:sts::111122223333:assumed-role/runner/night"
EVERYONE = {"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}
DATABASE = "glue GetDatabase"
ENCRYPTION = "glue GetDataCatalogEncryptionSettings"
SETTINGS = "lakeformation GetDataLakeSettings"
GRANTS = "lakeformation ListPermissions"
OPEN: dict[str, Any] = {
    ENCRYPTION: {
        "DataCatalogEncryptionSettings": {"EncryptionAtRest": {"CatalogEncryptionMode": "DISABLED"}}
    },
    SETTINGS: {"DataLakeSettings": {"CreateDatabaseDefaultPermissions": [EVERYONE]}},
    DATABASE: {"Database": {"Name": "security", "CreateTableDefaultPermissions": [EVERYONE]}},
    "sts GetCallerIdentity": {"Arn": SESSION},
}
GOVERNED = {**OPEN, DATABASE: {"Database": {"Name": "security", "CreateTableDefaultPermissions": []}}}
NEW = {**OPEN, SETTINGS: {"DataLakeSettings": {}}, DATABASE: NotFoundError("no")}


class Answers:
    """Stands where a gate does: settings of Lake Formation that no emulator has are answered from a table."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[dict[str, Any]] = []

    def call(self, service: str, operation: str, /, **parameters: object) -> dict[str, Any]:
        find(service, operation)
        self.asked.append(parameters)
        answer = self.answers[f"{service} {operation}"]
        if isinstance(answer, list):
            answer = answer[int(cast("str", parameters.get("NextToken", "0")))]
        if isinstance(answer, TrailhouseError):
            raise answer
        return cast("dict[str, Any]", answer)


def asked(answers: dict[str, Any]) -> Restrictions:
    return restrictions(cast("Gate", Answers(answers)), "security")


def granted(principal: str, *permissions: str) -> dict[str, Any]:
    one = {"Principal": {"DataLakePrincipalIdentifier": principal}, "Permissions": list(permissions)}
    return {GRANTS: {"PrincipalResourcePermissions": [one]}}


def test_an_open_catalog_demands_nothing() -> None:
    found = asked(OPEN)
    assert not found.encrypted
    assert found.missing_grants == ()


@pytest.mark.parametrize("mode", ["SSE-KMS", "SSE-KMS-WITH-SERVICE-ROLE"])
def test_encryption_is_told(mode: str) -> None:
    settings = {"DataCatalogEncryptionSettings": {"EncryptionAtRest": {"CatalogEncryptionMode": mode}}}
    assert asked({**OPEN, ENCRYPTION: settings}).encrypted
    assert not asked({**OPEN, ENCRYPTION: {"DataCatalogEncryptionSettings": {}}}).encrypted


def test_a_governed_database_needs_grants_and_the_command_is_told() -> None:
    (sentence,) = asked({**GOVERNED, **granted("arn:aws:iam::111122223333:role/other", "ALL")}).missing_grants
    assert f"{ROLE} needs CREATE_TABLE and DESCRIBE there" in sentence
    assert (
        f"aws lakeformation grant-permissions --principal DataLakePrincipalIdentifier={ROLE} "
        """--permissions CREATE_TABLE DESCRIBE --resource '{"Database": {"Name": "security"}}'"""
    ) in sentence


@pytest.mark.parametrize(
    "principal",
    [ROLE, "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/runner", "IAM_ALLOWED_PRINCIPALS"],
)
def test_what_is_granted_is_not_asked_for(principal: str) -> None:
    for permissions in (("CREATE_TABLE", "DESCRIBE"), ("ALL",), ("SUPER",)):
        assert asked({**GOVERNED, **granted(principal, *permissions)}).missing_grants == ()
    (sentence,) = asked({**GOVERNED, **granted(principal, "DESCRIBE")}).missing_grants
    assert "needs CREATE_TABLE there" in sentence


def test_every_page_of_the_grants_is_read() -> None:
    first, second = granted("other", "ALL")[GRANTS], granted(ROLE, "ALL")[GRANTS]
    assert asked({**GOVERNED, GRANTS: [{**first, "NextToken": "1"}, second]}).missing_grants == ()
    assert len(asked({**GOVERNED, GRANTS: [{**first, "NextToken": "1"}, first]}).missing_grants) == 1


def test_a_new_database_needs_a_grant_on_the_catalog() -> None:
    (sentence,) = asked({**NEW, **granted("other", "ALL")}).missing_grants
    assert "CREATE_DATABASE" in sentence
    assert '{"Catalog": {}}' in sentence


def test_administrators_make_databases_without_grants() -> None:
    settings = {"DataLakeSettings": {"DataLakeAdmins": [{"DataLakePrincipalIdentifier": ROLE}]}}
    assert asked({**NEW, SETTINGS: settings}).missing_grants == ()
    assert asked({**NEW, SETTINGS: OPEN[SETTINGS]}).missing_grants == ()


@pytest.mark.parametrize("refused", [ENCRYPTION, SETTINGS, GRANTS])
def test_what_may_not_be_read_is_told_and_no_failure(refused: str) -> None:
    (sentence,) = asked(
        {**(OPEN if refused == ENCRYPTION else GOVERNED), refused: AccessDeniedError("no")}
    ).unread
    assert sentence.endswith("could not be read: no")


def test_a_service_that_is_not_there_is_no_failure() -> None:
    assert len(asked({**OPEN, SETTINGS: AwsError("unknown")}).unread) == 1


@pytest.mark.parametrize("refused", [ENCRYPTION, SETTINGS])
def test_credentials_that_are_not_taken_are_one(refused: str) -> None:
    with pytest.raises(CredentialsError):
        asked({**OPEN, refused: CredentialsError("expired")})


def test_the_role_of_a_session() -> None:
    assert role_of(SESSION) == ROLE
    assert role_of("arn:aws-us-gov:sts::1:assumed-role/a/b") == "arn:aws-us-gov:iam::1:role/a"
    assert role_of("arn:aws:iam::1:user/path/name") == "arn:aws:iam::1:user/path/name"


@pytest.mark.emulator
def test_the_calls_are_what_the_services_take(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    gate = Gate(Access(endpoint_url=aws.url))
    caller = gate.call("sts", "GetCallerIdentity")["Arn"]
    aws.client("glue").create_database(
        DatabaseInput={"Name": "security", "CreateTableDefaultPermissions": []}
    )
    lake = aws.client("lakeformation")
    lake.put_data_lake_settings(DataLakeSettings={"DataLakeAdmins": []})
    (sentence,) = restrictions(gate, "security").missing_grants
    assert "needs CREATE_TABLE and DESCRIBE" in sentence
    lake.grant_permissions(
        Principal={"DataLakePrincipalIdentifier": caller},
        Resource={"Database": {"Name": "security"}},
        Permissions=["CREATE_TABLE", "DESCRIBE"],
    )
    assert restrictions(gate, "security") == Restrictions()
    aws.glue.encrypted = True
    assert restrictions(gate, "security").encrypted
